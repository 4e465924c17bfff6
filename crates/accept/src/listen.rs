//! The accept loop.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::body::Body;
use crate::connection::{self, Peer};
use crate::limits::Limits;

/// Serves HTTP/1.1 on `listener` until `shutdown` is ready, then lets requests in flight finish for at most
/// [`Limits::shutdown`].
///
/// `service` is called once for each request that passed the checks of [`Fault`](crate::Fault). A panic in it is
/// answered with status 500 and leaves the server running.
///
/// # Errors
/// When requests had to be cut off because they outlived [`Limits::shutdown`]. Errors of accepting (no more open
/// files, say) are waited out and logged, and errors of a connection end that connection only.
pub async fn serve<F, Fut, B>(
    listener: TcpListener,
    limits: Limits,
    service: F,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()>
where
    F: Fn(Request<Body>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let room = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    let (end, ending) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let mut accepting = Box::pin(accept(&listener, &room));
    loop {
        tokio::select! {
            biased;
            () = shutdown.as_mut() => break,
            Some(finished) = connections.join_next() => log_panic(finished),
            (stream, peer, permit) = accepting.as_mut() => {
                let (service, ending) = (service.clone(), ending.clone());
                connections.spawn(async move {
                    connection::serve(stream, peer, limits, service, ending).await;
                    drop(permit);
                });
                accepting.set(accept(&listener, &room));
            }
        }
    }
    drop(accepting);
    drop(listener);
    drop(end);
    let all_finished = async {
        while let Some(finished) = connections.join_next().await {
            log_panic(finished);
        }
    };
    if tokio::time::timeout(limits.shutdown, all_finished).await.is_ok() {
        return Ok(());
    }
    let cut_off = connections.len();
    connections.shutdown().await;
    Err(io::Error::new(io::ErrorKind::TimedOut, format!("{cut_off} connections were cut off at shutdown")))
}

/// The next connection, once there is room for one.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (TcpStream, Peer, Option<tokio::sync::OwnedSemaphorePermit>) {
    // Acquiring fails only when the semaphore is closed, which nobody does.
    let permit = Arc::clone(room).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are small and a delayed one delays the next part. Failing means that the peer is gone.
                let _ = stream.set_nodelay(true);
                return (stream, Peer(peer), permit);
            }
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                // Out of open files or memory: accepting again at once would fail at once, for ever.
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

fn log_panic(finished: Result<(), tokio::task::JoinError>) {
    if finished.is_err_and(|error| error.is_panic()) {
        tracing::error!("a connection panicked");
    }
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
