//! How long a peer is waited for, and how much of the machine it may hold.

use std::time::Duration;

/// Bounds on what peers may do. Every duration is a bound on waiting for the peer, never for the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From accepting a connection to its first byte; with TLS, to the end of the handshake. Browsers open spare
    /// connections that never send one, and lose nothing when those are closed.
    pub first_byte: Duration,
    /// From the first byte of a request to the end of its head. In HTTP/2, from the end of the handshake to the first
    /// request.
    pub head: Duration,
    /// Between the end of an answer and the first byte of the next request on the same connection.
    pub keep_alive: Duration,
    /// Between two pieces of a request's body. A short radio outage costs TCP a stall of up to 16 s.
    pub body_idle: Duration,
    /// How long a body may be slower than `body_min_rate` at first.
    pub body_grace: Duration,
    /// Bytes per second that a body must reach on average over the time spent waiting for it, after `body_grace`. This
    /// is what closes a body that trickles. In HTTP/2 it holds for each request.
    pub body_min_rate: u64,
    /// How long a peer may leave no room for one more byte of the answer.
    pub write_stall: Duration,
    /// How long what is still arriving is read and thrown away after an answer that ends the connection. Closing at
    /// once makes TCP reset the connection, and a client in the middle of a body then loses the answer that says why.
    pub linger: Duration,
    /// Whether browsers are sent interim answers (status 102) while nothing is read from them, which is how one that has
    /// left is found out. Proxies may take one for the answer.
    pub interim_answers: bool,
    /// How long requests in flight may go on after shutdown was asked for.
    pub shutdown: Duration,
    /// Connections open at once. More wait in the system's queue. At most half of the files the process may open, so
    /// that archives can still be written when it is reached.
    pub connections: usize,
    /// Connections open at once from one IPv4 address or one IPv6 /64. More are closed at once. An office behind one
    /// address needs six for each browser.
    pub connections_per_address: usize,
    /// Requests in flight at once, over all connections. More are answered with status 429.
    pub requests: usize,
    /// Most bytes buffered of a request and of an answer, per connection. At least 8 KiB.
    pub buffer: usize,
    /// Most bytes of a request's head, at most `buffer`. In HTTP/2, after decompression.
    pub head_bytes: usize,
    /// Header lines in one request.
    pub headers: usize,
    /// Most bytes of a request's target: path and query.
    pub target: usize,
    /// Requests in flight at once on one HTTP/2 connection.
    pub streams: u32,
    /// Bytes that may arrive of one HTTP/2 request before its handler reads them, and so at most as many per round trip:
    /// 512 KiB bound one part to 5 MiB/s with a round trip of 100 ms, and to 50 MiB/s with 10 ms. More would let one
    /// part whose store is slow take the connection's window away from the others: this way it takes eight of them.
    pub stream_window: u32,
    /// The same for all requests of a connection together, which is what bounds its memory. With a round trip of
    /// 100 ms, 4 MiB bound an upload to 40 MiB/s, however many parts it sends at once; eight reach that. More would be
    /// for few lines of that length, and every peer may make the server hold as much.
    pub connection_window: u32,
    /// Requests of an HTTP/2 connection that its peer may give up before they are answered, beyond as many as were
    /// answered. A peer that opens and gives up in a row costs work and no bandwidth (rapid reset, CVE-2023-44487); a
    /// page that is paused gives up what is in flight, which is no more than `streams`.
    pub resets: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(8),
            head: Duration::from_secs(8),
            keep_alive: Duration::from_secs(60),
            body_idle: Duration::from_secs(30),
            body_grace: Duration::from_secs(8),
            body_min_rate: 1024,
            write_stall: Duration::from_secs(30),
            linger: Duration::from_millis(1500),
            interim_answers: true,
            shutdown: Duration::from_secs(30),
            connections: 512,
            connections_per_address: usize::MAX,
            requests: 1024,
            buffer: 64 << 10,
            head_bytes: 32 << 10,
            headers: 64,
            target: 8 << 10,
            streams: 64,
            stream_window: 512 << 10,
            connection_window: 4 << 20,
            resets: 128,
        }
    }
}
