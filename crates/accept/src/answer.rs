//! The body of an answer: the handler's, or this crate's own words.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::{Frame, SizeHint};

use crate::connection::InFlight;
use crate::fault::{Fault, METHODS};

/// A body that tells its connection when it ends.
pub(crate) struct Answer<B> {
    content: Content<B>,
    _in_flight: InFlight,
}

enum Content<B> {
    // Boxed so that it can be pinned without `unsafe`.
    Handler(Pin<Box<B>>),
    Own(Option<Bytes>),
}

pub(crate) fn from_handler<B>(response: Response<B>, in_flight: InFlight) -> Response<Answer<B>> {
    response.map(|body| Answer { content: Content::Handler(Box::pin(body)), _in_flight: in_flight })
}

/// Says why and ends the connection: where the next request begins is no longer certain, or not worth finding out.
pub(crate) fn refused<B>(fault: Fault, in_flight: InFlight) -> Response<Answer<B>> {
    let mut response = own(fault.status(), fault.to_string(), in_flight);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    if fault == Fault::MethodNotAllowed {
        let methods = METHODS.each_ref().map(http::Method::as_str).join(", ");
        if let Ok(methods) = HeaderValue::try_from(methods) {
            response.headers_mut().insert(header::ALLOW, methods);
        }
    }
    response
}

pub(crate) fn panicked<B>(in_flight: InFlight) -> Response<Answer<B>> {
    own(StatusCode::INTERNAL_SERVER_ERROR, "the server failed; its log has the reason".to_owned(), in_flight)
}

fn own<B>(status: StatusCode, text: String, in_flight: InFlight) -> Response<Answer<B>> {
    let content = Content::Own(Some(Bytes::from(text + "\n")));
    let mut response = Response::new(Answer { content, _in_flight: in_flight });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

impl<B: http_body::Body<Data = Bytes>> http_body::Body for Answer<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match &mut self.get_mut().content {
            Content::Handler(body) => body.as_mut().poll_frame(cx),
            Content::Own(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Handler(body) => body.is_end_stream(),
            Content::Own(text) => text.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Handler(body) => body.size_hint(),
            Content::Own(text) => SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64)),
        }
    }
}
