//! One connection from its first byte to its last.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::answer::{self, Answer};
use crate::body::Body;
use crate::fault;
use crate::limits::Limits;
use crate::stream::{Progress, Stream};

/// Who sent the request: the other end of the connection, which behind a proxy is the proxy. Among the request's
/// extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// A request is being answered for as long as this lives.
#[derive(Debug)]
pub(crate) struct InFlight(Progress);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Serves one connection until either side ends it or `shutdown` changes and the request in flight is answered.
pub(crate) async fn serve<S, F, Fut, B>(
    stream: S,
    peer: Peer,
    limits: Limits,
    service: F,
    mut shutdown: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Fn(Request<Body>) -> Fut + Clone,
    Fut: Future<Output = Response<B>>,
    B: http_body::Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let progress = Progress::new();
    let stream = TokioIo::new(Stream::new(stream, limits, progress.clone()));
    let answer = service_fn(move |request| answer(request, peer, limits, service.clone(), progress.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The stream has the deadline, because hyper's would count the idle time before the head as well.
        .header_read_timeout(None)
        .max_buf_size(limits.buffer)
        .max_headers(limits.headers)
        // The buffer alone does not bound a head that comes in one piece.
        .max_header_size(limits.buffer)
        .serve_connection(stream, answer);
    let mut connection = pin!(connection);
    let mut asked_to_end = false;
    let end = loop {
        tokio::select! {
            end = connection.as_mut() => break end,
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

async fn answer<F, Fut, B>(
    request: Request<Incoming>,
    peer: Peer,
    limits: Limits,
    service: F,
    progress: Progress,
) -> Result<Response<Answer<B>>, Infallible>
where
    F: Fn(Request<Body>) -> Fut,
    Fut: Future<Output = Response<B>>,
{
    let head = progress.begin();
    let in_flight = InFlight(progress);
    let mut request = request.map(|incoming| Body::new(incoming, limits));
    if let Err(fault) = fault::examine(&mut request, head) {
        tracing::info!(%fault, "request refused before the handler");
        return Ok(answer::refused(fault, in_flight));
    }
    request.extensions_mut().insert(peer);
    let mut handling = Box::pin(async move { service(request).await });
    let handled = std::future::poll_fn(|cx| {
        match catch_unwind(AssertUnwindSafe(|| handling.as_mut().poll(cx))) {
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
