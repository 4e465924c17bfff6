//! One connection from its first byte to its last.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::answer::{self, Answer};
use crate::awaited::Awaited;
use crate::body::Body;
use crate::departure::{self, Socket};
use crate::fault::{self, Fault, Wire};
use crate::limits::Limits;
use crate::progress::Progress;
use crate::room::Room;
use crate::stream::{Shared, Stream};
use crate::streams::OpenStream;

/// Who sent the request: the other end of the connection, which behind a proxy is the proxy. Among the request's
/// extensions, as is the [`Scheme`] of the connection: `https` where this crate spoke TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// What is the same for all requests of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) peer: Peer,
    pub(crate) scheme: Scheme,
    pub(crate) limits: Limits,
    pub(crate) room: Room,
}

/// A request is being answered for as long as this lives.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) protocol: Protocol,
    room: Option<OwnedSemaphorePermit>,
}

/// Where a request came from, which wants to know when its answer is over.
#[derive(Debug)]
pub(crate) enum Protocol {
    Http1(Progress),
    Http2(OpenStream),
}

impl Drop for InFlight {
    fn drop(&mut self) {
        drop(self.room.take());
        if let Protocol::Http1(progress) = &self.protocol {
            progress.end();
        }
    }
}

/// Serves one HTTP/1.1 connection until either side ends it or `shutdown` changes and the request in flight is answered.
///
/// Hyper begins with 8 KiB for what it reads, and has 16 KiB once a part of a head has come. So it does not begin before
/// there is a request to be answered: who sends slowly or nothing holds a tenth of that.
pub(crate) async fn serve<S, F, Fut, B>(stream: S, context: Connection, service: F, mut shutdown: watch::Receiver<bool>)
where
    S: Socket + AsyncRead + AsyncWrite + Unpin,
    F: Fn(Request<Body>) -> Fut + Clone,
    Fut: Future<Output = Response<B>>,
    B: http_body::Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let limits = context.limits;
    let progress = Progress::new();
    let mut stream = Stream::new(stream, limits, Some(progress.clone()));
    let opened = tokio::select! {
        biased;
        opened = poll_fn(|cx| stream.poll_opening(cx)) => opened,
        _ = shutdown.changed() => match stream.is_silent() {
            true => return,
            false => poll_fn(|cx| stream.poll_opening(cx)).await,
        },
    };
    match opened {
        Ok(()) => Box::pin(serve_requests(stream, progress, context, service, shutdown)).await,
        Err(error) => tracing::debug!(%error, "connection ended before its first request"),
    }
}

async fn serve_requests<S, F, Fut, B>(
    stream: Stream<S>,
    progress: Progress,
    context: Connection,
    service: F,
    mut shutdown: watch::Receiver<bool>,
) where
    S: Socket + AsyncRead + AsyncWrite + Unpin,
    F: Fn(Request<Body>) -> Fut + Clone,
    Fut: Future<Output = Response<B>>,
    B: http_body::Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let limits = context.limits;
    let stream = Shared::new(stream);
    let watched = stream.share();
    let answer = service_fn(move |request| {
        let may_be_interrupted = limits.interim_answers && departure::ignores_interim_answers(&request);
        let wire = Wire::Http1(progress.begin(may_be_interrupted));
        answer(request, wire, context.clone(), service.clone(), Protocol::Http1(progress.clone()))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The stream has the deadline, because hyper's would count the idle time before the head as well.
        .header_read_timeout(None)
        .max_buf_size(limits.buffer)
        .max_headers(limits.headers)
        // The buffer alone does not bound a head that comes in one piece.
        .max_header_size(limits.head_bytes.min(limits.buffer))
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = pin!(connection);
    let mut asked_to_end = false;
    let end = loop {
        tokio::select! {
            // Whether anybody reads is known after the connection was polled.
            biased;
            end = connection.as_mut() => break end,
            () = poll_fn(|cx| watched.lock().poll_departure(cx)) => {
                return tracing::debug!("connection ended: its peer has left");
            }
            // An error means that the accept loop is gone, which is a shutdown as well.
            _ = shutdown.changed(), if !asked_to_end => {
                asked_to_end = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    };
    if let Err(error) = end {
        // The peer's doing and not worth more. The text is hyper's and has nothing of the request in it.
        tracing::debug!(%error, "connection ended early");
    }
}

/// One request, of either protocol.
pub(crate) async fn answer<F, Fut, B>(
    request: Request<Incoming>,
    wire: Wire,
    context: Connection,
    service: F,
    protocol: Protocol,
) -> Result<Response<Answer<B>>, Infallible>
where
    F: Fn(Request<Body>) -> Fut,
    Fut: Future<Output = Response<B>>,
    B: http_body::Body<Data = Bytes>,
{
    let limits = context.limits;
    let room = context.room.request();
    let is_full = room.is_none();
    let in_flight = InFlight { protocol, room };
    let mut request = request.map(|incoming| Body::new(incoming, limits));
    let examined = fault::examine(&mut request, wire, &limits);
    if let Err(fault) = examined.and(if is_full { Err(Fault::Busy) } else { Ok(()) }) {
        tracing::info!(%fault, "request refused before the handler");
        return Ok(answer::refused(fault, in_flight));
    }
    request.extensions_mut().insert(context.peer);
    request.extensions_mut().insert(context.scheme);
    let mut handling = Awaited::new(async move { service(request).await });
    let handled = poll_fn(|cx| {
        match catch_unwind(AssertUnwindSafe(|| Pin::new(&mut handling).poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(response)) => Poll::Ready(Some(response)),
            // The panic hook has printed where it was.
            Err(_) => Poll::Ready(None),
        }
    })
    .await;
    Ok(match handled {
        Some(response) => answer::from_handler(response, in_flight),
        None => {
            tracing::error!("the handler panicked");
            answer::panicked(in_flight)
        }
    })
}
