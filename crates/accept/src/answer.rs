//! The body of an answer: the handler's, or this crate's own words.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::{Frame, SizeHint};

use crate::connection::{InFlight, Protocol};
use crate::fault::{Fault, METHODS};

/// A body that tells its connection when it ends.
pub(crate) struct Answer<B> {
    content: Content<B>,
    in_flight: InFlight,
}

enum Content<B> {
    // Boxed so that it can be pinned without `unsafe`.
    Handler(Pin<Box<B>>),
    Own(Option<Bytes>),
}

pub(crate) fn from_handler<B>(response: Response<B>, in_flight: InFlight) -> Response<Answer<B>>
where
    B: http_body::Body<Data = Bytes>,
{
    let mut response = response.map(|body| Answer::new(Content::Handler(Box::pin(body)), in_flight));
    if matches!(response.body().in_flight.protocol, Protocol::Http2(_)) {
        // What a handler says about a connection of its own; in HTTP/2 a request ends without its connection.
        response.headers_mut().remove(header::CONNECTION);
    }
    response
}

/// Says why and, in HTTP/1.1, ends the connection: where the next request begins is no longer certain, or not worth
/// finding out.
pub(crate) fn refused<B>(fault: Fault, in_flight: InFlight) -> Response<Answer<B>>
where
    B: http_body::Body<Data = Bytes>,
{
    let ends_connection = matches!(in_flight.protocol, Protocol::Http1(_));
    let mut response = own(fault.status(), fault.to_string(), in_flight);
    if ends_connection {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if fault == Fault::Busy {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        // AWS's SDKs wait and try again where they read this name, and not for the status alone.
        response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static("ThrottlingException"));
    }
    if fault == Fault::MethodNotAllowed {
        let methods = METHODS.each_ref().map(http::Method::as_str).join(", ");
        if let Ok(methods) = HeaderValue::try_from(methods) {
            response.headers_mut().insert(header::ALLOW, methods);
        }
    }
    response
}

pub(crate) fn panicked<B>(in_flight: InFlight) -> Response<Answer<B>>
where
    B: http_body::Body<Data = Bytes>,
{
    own(StatusCode::INTERNAL_SERVER_ERROR, "the server failed; its log has the reason".to_owned(), in_flight)
}

fn own<B>(status: StatusCode, text: String, in_flight: InFlight) -> Response<Answer<B>>
where
    B: http_body::Body<Data = Bytes>,
{
    let content = Content::Own(Some(Bytes::from(text + "\n")));
    let mut response = Response::new(Answer::new(content, in_flight));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

impl<B: http_body::Body<Data = Bytes>> Answer<B> {
    fn new(content: Content<B>, in_flight: InFlight) -> Self {
        let mut answer = Self { content, in_flight };
        // Its first piece is asked for once there is room for it, and an empty one has none.
        if let Protocol::Http2(stream) = &answer.in_flight.protocol {
            stream.has_piece();
        }
        answer.note_end();
        answer
    }

    fn note_end(&mut self) {
        if http_body::Body::is_end_stream(self)
            && let Protocol::Http2(stream) = &mut self.in_flight.protocol
        {
            stream.is_answered();
        }
    }
}

impl<B: http_body::Body<Data = Bytes>> http_body::Body for Answer<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        if let Protocol::Http2(stream) = &this.in_flight.protocol {
            stream.wants_piece();
        }
        let frame = match &mut this.content {
            Content::Handler(body) => ready!(body.as_mut().poll_frame(cx)),
            Content::Own(text) => text.take().map(|text| Ok(Frame::data(text))),
        };
        if let Protocol::Http2(stream) = &mut this.in_flight.protocol {
            match &frame {
                Some(_) => stream.has_piece(),
                None => stream.is_answered(),
            }
        }
        this.note_end();
        Poll::Ready(frame)
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

/// Long enough for a part to end somewhere, in seconds.
const RETRY_AFTER_S: &str = "1";
