//! HTTP/2, for those who agreed on it in the handshake of TLS.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::body::Body;
use crate::connection::{self, Connection, Protocol};
use crate::fault::Wire;
use crate::limits::Limits;
use crate::stream::Stream;
use crate::streams::{Streams, Verdict};

/// Serves one connection until either side ends it or `shutdown` changes and all requests in flight are answered.
pub(crate) async fn serve<S, F, Fut, B>(stream: S, context: Connection, service: F, mut shutdown: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Fn(Request<Body>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let limits = context.limits;
    let streams = Streams::new();
    let opened = streams.clone();
    let stream = TokioIo::new(Stream::new(stream, limits, None));
    let answer = service_fn(move |request| {
        let protocol = Protocol::Http2(opened.begin(&limits));
        connection::answer(request, Wire::Http2, context.clone(), service.clone(), protocol)
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        // A page may give up all that it may have in flight at once.
        .max_pending_accept_reset_streams(usize::try_from(limits.streams).ok())
        .max_local_error_reset_streams(MAX_ERRORS)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(limits.stream_window)
        .initial_connection_window_size(limits.connection_window)
        .max_send_buf_size(limits.buffer)
        .serve_connection(stream, answer);
    let mut connection = pin!(connection);
    let mut looks = tokio::time::interval(between_looks(&limits));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut asked_to_end, mut leaves) = (false, false);
    let end = loop {
        tokio::select! {
            end = connection.as_mut() => break end,
            // An error means that the accept loop is gone, which is a shutdown as well.
            _ = shutdown.changed(), if !asked_to_end => {
                asked_to_end = true;
                connection.as_mut().graceful_shutdown();
            }
            () = streams.too_many_given_up() => {
                tracing::info!("connection ended: its peer gives up its requests");
                return;
            }
            _ = looks.tick() => match streams.judge(&limits) {
                Verdict::GoOn => {}
                Verdict::Leave if leaves => {}
                Verdict::Leave => {
                    leaves = true;
                    connection.as_mut().graceful_shutdown();
                }
                Verdict::Cut => return,
            },
        }
    };
    if let Err(error) = end {
        // The peer's doing and not worth more. The text is hyper's and has nothing of the request in it.
        tracing::debug!(%error, "connection ended early");
    }
}

/// Often enough that no bound is overdrawn by more than a quarter.
fn between_looks(limits: &Limits) -> Duration {
    let shortest = limits.head.min(limits.keep_alive).min(limits.write_stall);
    (shortest / 4).clamp(Duration::from_millis(5), Duration::from_secs(1))
}

/// Streams of one connection that may break the protocol before it ends.
const MAX_ERRORS: usize = 64;
