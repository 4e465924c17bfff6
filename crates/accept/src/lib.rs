//! An accept loop with deadlines, for HTTP/1.1, and with TLS for HTTP/2 as well. Knows nothing of what is served.
//!
//! A server that waits for ever is taken down by clients that send slowly or nothing at all, so every wait for a peer
//! has a bound ([`Limits`]): for its first byte, for the rest of a request's head, for each piece of a body and for the
//! body's average speed, for room to write the answer, and for the next request on a kept connection. Waiting for the
//! handler is not bounded: assembling an archive takes as long as it takes.
//!
//! A request that two programs could read in two ways never reaches the handler: see [`Fault`]. What does reach it has
//! exactly one `Host`, a target in origin form, one kind of length, no coding and a method of [`METHODS`].
//!
//! HTTP/2 is spoken only where both sides agreed on it in the handshake of TLS. In the clear its preface is refused like
//! every other text that is no HTTP/1.1, and an `Upgrade` is passed over: a proxy in front would see one request where
//! there are many (h2c smuggling).
//!
//! ```no_run
//! # async fn demo() -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let hello = |_request| async { http::Response::new(String::from("hello")) };
//! accept::serve(listener, accept::Limits::default(), hello, std::future::pending()).await
//! # }
//! ```

mod alarm;
mod answer;
mod awaited;
mod body;
mod connection;
mod departure;
mod fault;
mod head;
mod http2;
mod limits;
mod listen;
mod opening;
mod progress;
mod room;
mod stream;
mod streams;
mod tls;

pub use body::{Body, BodyError};
pub use connection::Peer;
pub use fault::{Fault, METHODS};
pub use limits::Limits;
pub use listen::{Listener, serve};
pub use tls::{Tls, TlsError};
