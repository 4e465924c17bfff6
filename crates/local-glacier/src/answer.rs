//! Answers on their way out.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use serde::Serialize;

use crate::error::{self, Refusal};

/// The body of an answer.
#[derive(Debug, Default)]
pub struct Body(Full<Bytes>);

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.get_mut().0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// An answer before the headers that every answer has.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
}

impl Answer {
    fn new(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// 201.
    pub(crate) fn created(location: String) -> Self {
        Self::new(StatusCode::CREATED).with(LOCATION, location)
    }

    /// 204.
    pub(crate) fn no_content() -> Self {
        Self::new(StatusCode::NO_CONTENT)
    }

    /// 200 with a JSON document.
    pub(crate) fn json(document: &impl Serialize) -> Self {
        match serde_json::to_vec(document) {
            Ok(body) => {
                Self { body: body.into(), ..Self::new(StatusCode::OK) }.with(CONTENT_TYPE, "application/json".into())
            }
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
        Self { body: document.to_string().into(), ..Self::new(refusal.code.status()) }
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
        let mut response = Response::new(Body(Full::new(self.body)));
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
