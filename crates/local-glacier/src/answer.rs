//! Answers on their way out.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use serde::Serialize;

use crate::error::{self, Refusal};
use crate::send::{BodyError, Outgoing};

/// The body of an answer: a document at hand, or bytes that are read from the disk as they are sent.
#[derive(Debug)]
pub struct Body(Source);

#[derive(Debug)]
enum Source {
    Memory(Full<Bytes>),
    Disk(Outgoing),
}

impl Default for Body {
    fn default() -> Self {
        Self::from(Bytes::new())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Source::Memory(Full::new(bytes)))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.get_mut().0 {
            Source::Memory(bytes) => Pin::new(bytes).poll_frame(cx).map_err(|never| match never {}),
            Source::Disk(outgoing) => outgoing.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Memory(bytes) => bytes.is_end_stream(),
            Source::Disk(outgoing) => outgoing.is_end(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Memory(bytes) => bytes.size_hint(),
            Source::Disk(outgoing) => SizeHint::with_exact(outgoing.remaining()),
        }
    }
}

/// An answer before the headers that every answer has.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Body,
}

impl Answer {
    fn new(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Body::default() }
    }

    /// 201, of what has a path of its own.
    pub(crate) fn created_at(location: String) -> Self {
        Self::created().with(LOCATION, location)
    }

    /// 201, of what has only an ID: locks and capacity.
    pub(crate) fn created() -> Self {
        Self::new(StatusCode::CREATED)
    }

    /// 202.
    pub(crate) fn accepted(location: String) -> Self {
        Self::new(StatusCode::ACCEPTED).with(LOCATION, location)
    }

    /// 200 with bytes from the disk, or 206 where they are a part.
    pub(crate) fn output(bytes: Outgoing, is_part: bool) -> Self {
        let status = if is_part { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
        Self { body: Body(Source::Disk(bytes)), ..Self::new(status) }
    }

    /// 204.
    pub(crate) fn no_content() -> Self {
        Self::new(StatusCode::NO_CONTENT)
    }

    /// 200 with a JSON document.
    pub(crate) fn json(document: &impl Serialize) -> Self {
        match serde_json::to_vec(document) {
            Ok(body) => Self { body: Bytes::from(body).into(), ..Self::new(StatusCode::OK) }
                .with(CONTENT_TYPE, "application/json".into()),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written as JSON");
                Self::refusal(&error::internal())
            }
        }
    }

    pub(crate) fn refusal(refusal: &Refusal) -> Self {
        let document = serde_json::json!({
            "code": refusal.code.name(),
            "message": refusal.message,
            "type": refusal.code.kind(),
        });
        Self { body: Bytes::from(document.to_string()).into(), ..Self::new(refusal.code.status()) }
            .with(CONTENT_TYPE, "application/json".into())
    }

    /// Adds a header of Glacier's.
    pub(crate) fn with_name(self, name: &'static str, value: String) -> Self {
        self.with(HeaderName::from_static(name), value)
    }

    pub(crate) fn with(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            // Values are made of checked names, hashes and numbers; one that could not be sent is left out.
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}
