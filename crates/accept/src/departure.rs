//! A peer that leaves while nobody reads from it.
//!
//! What ends a request early is seen by reading, and nothing is read while the handler takes no more of the body. Then
//! the socket is looked at instead, a few times a second:
//!
//! * An error of the socket: the peer has reset the connection.
//! * The peer's end (FIN) has come, and what is left of the body is more than what came before it: the request can never
//!   be whole. Where it may be whole, the peer may have closed its half only and wait for its answer.
//! * No end has come, which says nothing: behind a full window the system keeps it back together with the bytes that did
//!   not fit, without a bound. Only a peer that is sent something answers with a reset if it is gone. So it is sent an
//!   interim answer, if it is known to pass over those.

use std::os::fd::AsFd;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Request, Version, header};
use rustix::io::ioctl_fionread;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// What a connection of HTTP/1.1 stands on.
pub(crate) trait Socket {
    fn tcp(&self) -> &TcpStream;

    /// Most bytes that were read from the socket and not handed out yet.
    const HELD: u64;
}

impl Socket for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }

    const HELD: u64 = 0;
}

impl Socket for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }

    /// Two records at most wait inside rustls, and what waits in the socket is longer than its content.
    const HELD: u64 = 64 << 10;
}

/// What the socket says of its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Gone,
    /// It sends no more, and there are that many bytes to be read at most.
    Ended(u64),
    None,
}

pub(crate) fn look<S: Socket>(socket: &S, cx: &mut Context<'_>) -> Sign {
    let tcp = socket.tcp();
    if !matches!(tcp.take_error(), Ok(None)) {
        return Sign::Gone;
    }
    match pin!(tcp.ready(Interest::READABLE)).poll(cx) {
        Poll::Ready(Ok(ready)) if ready.is_read_closed() => match ioctl_fionread(tcp.as_fd()) {
            Ok(unread) => Sign::Ended(unread.saturating_add(S::HELD)),
            Err(_) => Sign::Gone,
        },
        Poll::Ready(Err(_)) => Sign::Gone,
        Poll::Ready(Ok(_)) | Poll::Pending => Sign::None,
    }
}

/// Whether an interim answer may be sent to whoever sent this request. Every client has to pass over those, and not all
/// do: libraries take one for the answer, and so do proxies. Browsers say who they are by `Sec-Fetch-Mode`, and the Fetch
/// Standard passes over them.
///
/// **Source:** RFC 9110 section 15.2; Fetch Standard, "HTTP-network fetch"; Fetch Metadata section 2.
pub(crate) fn ignores_interim_answers<B>(request: &Request<B>) -> bool {
    let headers: &HeaderMap = request.headers();
    let is_passed_on = FROM_PROXIES.iter().any(|name| headers.contains_key(*name));
    let is_last = headers.get(header::CONNECTION).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
    request.version() == Version::HTTP_11 && headers.contains_key("sec-fetch-mode") && !is_passed_on && !is_last
}

/// What a proxy leaves, of whom nobody knows what it makes of an interim answer. Nginx makes it the answer; it leaves
/// none of these unless it is told to, but says `Connection: close`.
const FROM_PROXIES: [&str; 4] = ["via", "forwarded", "x-forwarded-for", "x-forwarded-proto"];

/// The interim answer. Not 100, which Node's fetch takes for a fault where nobody asked for it.
pub(crate) const INTERIM: &[u8] = b"HTTP/1.1 102 Processing\r\n\r\n";

/// Between two looks: one sends, the next one finds the reset, and both are over within a second.
pub(crate) const LOOK: Duration = Duration::from_millis(300);
