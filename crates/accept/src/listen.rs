//! The accept loop.

use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;

use crate::body::Body;
use crate::connection::{self, Connection, Peer};
use crate::http2;
use crate::limits::Limits;
use crate::room::{OfAddress, Room};
use crate::tls::{self, Tls};

/// Where connections come from, and whether they begin with TLS.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    tls: Option<Tls>,
}

impl From<TcpListener> for Listener {
    /// In the clear: for loopback, and behind a proxy that speaks TLS.
    fn from(tcp: TcpListener) -> Self {
        Self { tcp, tls: None }
    }
}

impl Listener {
    /// Every connection begins with TLS.
    pub fn with_tls(tcp: TcpListener, tls: Tls) -> Self {
        Self { tcp, tls: Some(tls) }
    }
}

/// Serves HTTP/1.1 on `listener`, and HTTP/2 where it was agreed on in a handshake of TLS, until `shutdown` is ready, then
/// lets requests in flight finish for at most [`Limits::shutdown`].
///
/// `service` is called once for each request that passed the checks of [`Fault`](crate::Fault). A panic in it is
/// answered with status 500 and leaves the server running.
///
/// # Errors
/// When requests had to be cut off because they outlived [`Limits::shutdown`]. Errors of accepting (no more open
/// files, say) are waited out and logged, and errors of a connection end that connection only.
pub async fn serve<F, Fut, B>(
    listener: impl Into<Listener>,
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
    let listener = listener.into();
    let room = Room::new(&limits);
    let (end, ending) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let mut accepting = Box::pin(accept(&listener.tcp, &room));
    loop {
        tokio::select! {
            biased;
            () = shutdown.as_mut() => break,
            Some(finished) = connections.join_next() => log_panic(finished),
            accepted = accepting.as_mut() => {
                let (service, ending) = (service.clone(), ending.clone());
                let (tls, terms) = (listener.tls.clone(), Terms { limits, room: room.clone() });
                connections.spawn(serve_one(accepted, tls, terms, service, ending));
                accepting.set(accept(&listener.tcp, &room));
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

/// A connection with its place among all and among those of its address.
struct Accepted {
    stream: TcpStream,
    peer: Peer,
    _permit: Option<OwnedSemaphorePermit>,
    _of_address: OfAddress,
}

struct Terms {
    limits: Limits,
    room: Room,
}

async fn serve_one<F, Fut, B>(
    accepted: Accepted,
    tls: Option<Tls>,
    Terms { limits, room }: Terms,
    service: F,
    ending: watch::Receiver<bool>,
) where
    F: Fn(Request<Body>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Accepted { stream, peer, _permit, _of_address } = accepted;
    let Some(tls) = tls else {
        let context = Connection { peer, scheme: Scheme::HTTP, limits, room };
        return connection::serve(stream, context, service, ending).await;
    };
    // In the clear nobody pays for its room.
    let context = Connection { peer, scheme: Scheme::HTTPS, limits, room };
    Box::pin(serve_tls(stream, tls, context, service, ending)).await;
}

async fn serve_tls<F, Fut, B>(
    stream: TcpStream,
    tls: Tls,
    context: Connection,
    service: F,
    mut ending: watch::Receiver<bool>,
) where
    F: Fn(Request<Body>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(context.limits.first_byte, shake(stream, tls)) => shaken,
        // Nothing was asked yet.
        _ = ending.changed() => return,
    };
    let stream = match shaken {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            // A port scan, a browser that does not trust the certificate: the peer's doing.
            return tracing::debug!(%error, "handshake failed");
        }
        Err(_) => return tracing::debug!("handshake took too long"),
    };
    match stream.get_ref().1.alpn_protocol() {
        Some(tls::HTTP2) => Box::pin(http2::serve(stream, context, service, ending)).await,
        _ => connection::serve(stream, context, service, ending).await,
    }
}

/// The handshake, whose state is not made for a peer that sends nothing.
async fn shake(stream: TcpStream, tls: Tls) -> io::Result<TlsStream<TcpStream>> {
    stream.readable().await?;
    Box::pin(tls.acceptor().accept(stream)).await
}

/// The next connection, once there is room for one.
async fn accept(listener: &TcpListener, room: &Room) -> Accepted {
    let mut permit = room.connection().await;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Some(of_address) = room.of_address(peer.ip()) else {
                    tracing::debug!("too many connections from one address");
                    continue;
                };
                // Answers are small and a delayed one delays the next part. Failing means that the peer is gone.
                let _ = stream.set_nodelay(true);
                return Accepted { stream, peer: Peer(peer), _permit: permit.take(), _of_address: of_address };
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
