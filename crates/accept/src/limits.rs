//! How long a peer is waited for, and how much of the machine it may hold.

use std::time::Duration;

/// Bounds on what peers may do. Every duration is a bound on waiting for the peer, never for the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From accepting a connection to its first byte. Browsers open spare connections that never send one.
    pub first_byte: Duration,
    /// From the first byte of a request to the end of its head.
    pub head: Duration,
    /// Between the end of an answer and the first byte of the next request on the same connection.
    pub keep_alive: Duration,
    /// Between two pieces of a request's body. A short radio outage costs TCP a stall of up to 16 s.
    pub body_idle: Duration,
    /// How long a body may be slower than `body_min_rate` at first.
    pub body_grace: Duration,
    /// Bytes per second that a body must reach on average over the time spent waiting for it, after `body_grace`. This
    /// is what closes a body that trickles.
    pub body_min_rate: u64,
    /// How long a peer may leave no room for one more byte of the answer.
    pub write_stall: Duration,
    /// How long what is still arriving is read and thrown away after an answer that ends the connection. Closing at
    /// once makes TCP reset the connection, and a client in the middle of a body then loses the answer that says why.
    pub linger: Duration,
    /// How long requests in flight may go on after shutdown was asked for.
    pub shutdown: Duration,
    /// Connections open at once. More wait in the system's queue. Below the usual limit of 1024 open files, so that
    /// files can still be opened when it is reached.
    pub connections: usize,
    /// Most bytes buffered of a request (which bounds its head) and of an answer, per connection. At least 8 KiB.
    pub buffer: usize,
    /// Header lines in one request.
    pub headers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(10),
            head: Duration::from_secs(10),
            keep_alive: Duration::from_secs(60),
            body_idle: Duration::from_secs(30),
            body_grace: Duration::from_secs(10),
            body_min_rate: 1024,
            write_stall: Duration::from_secs(30),
            linger: Duration::from_secs(2),
            shutdown: Duration::from_secs(30),
            connections: 512,
            buffer: 64 << 10,
            headers: 64,
        }
    }
}
