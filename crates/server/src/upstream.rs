//! The way out: one client for everything that is called over HTTP by the gateway.
//!
//! HTTP/1.1 over TLS, to the [`Origin`]s of the configuration and nowhere else: no redirect is followed and no proxy of
//! the environment is used. Bodies stream both ways through buffers of [`BUFFER`] bytes. Dropping the future or the
//! answer of a call ends its connection, unless everything was sent and received.

mod call;
mod connector;
mod cut;
mod origin;
mod trust;

use std::fmt;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Limited};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};

pub use self::call::Answer;
use self::call::{Call, Sending};
use self::connector::Connector;
pub use self::origin::{InvalidOrigin, Origin};
pub use self::trust::{Trust, TrustError};

/// Bytes of a body that may wait in one connection, each way.
pub const BUFFER: usize = 64 << 10;

/// How long each step of a call may last.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until there is a connection, TLS included.
    pub connect: Duration,
    /// Without any byte of a body moving, while one is sent or received.
    pub idle: Duration,
    /// From the last byte sent to the head of the answer.
    pub answer: Duration,
}

impl Default for Patience {
    /// Generous to a store that puts ten thousand parts together.
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), idle: Duration::from_secs(60), answer: Duration::from_secs(180) }
    }
}

/// Why there is no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum UpstreamError {
    /// No connection, or no TLS that is trusted. Nothing was sent.
    Unreachable(legacy::Error),
    /// The connection ended, or what came was not HTTP. The request may have been carried out.
    Broken(legacy::Error),
    /// Too slow. The request may have been carried out.
    TimedOut,
    /// The answer's body is longer than [`Client::fetch`] was to read, or broke off.
    Body,
    /// The request cannot be sent to that origin: its path is no path.
    Unsendable,
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable(_) => "no connection could be made",
            Self::Broken(_) => "the connection ended before the answer",
            Self::TimedOut => "there was no answer in time",
            Self::Body => "the answer broke off or is too long",
            Self::Unsendable => "the request has no path",
        })
    }
}

impl std::error::Error for UpstreamError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // The text of the outer error says no more than ours.
            Self::Unreachable(error) | Self::Broken(error) => error.source(),
            Self::TimedOut | Self::Body | Self::Unsendable => None,
        }
    }
}

/// An error with those beneath it, on one line.
pub(crate) struct Chained<'a>(pub(crate) &'a (dyn std::error::Error + 'static));

impl fmt::Display for Chained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut beneath = self.0.source();
        while let Some(error) = beneath {
            write!(f, ": {error}")?;
            beneath = error.source();
        }
        Ok(())
    }
}

/// The client. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    inner: legacy::Client<Connector, Sending>,
    patience: Patience,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({:?})", self.patience)
    }
}

impl Client {
    /// A client that believes whom `trust` does.
    pub fn new(trust: &Trust, patience: Patience) -> Self {
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            // Shorter than the stores' own, so that a connection is seldom used while they close it.
            .pool_idle_timeout(Duration::from_secs(15))
            .http1_max_buf_size(BUFFER)
            .http1_max_headers(64)
            .set_host(false)
            .build(Connector::new(trust, patience.connect));
        Self { inner, patience }
    }

    /// Sends `request` to `origin` and gives the answer as soon as its head is there, which may be before the body was
    /// sent. The request's URI is its path and query; `host` is set here unless it was signed as something else.
    ///
    /// # Errors
    /// [`UpstreamError`]. Errors of the request's own body come as [`UpstreamError::Broken`].
    pub async fn send(&self, origin: &Origin, request: Request<Body>) -> Result<Response<Answer>, UpstreamError> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().ok_or(UpstreamError::Unsendable)?;
        parts.uri = origin.uri(path.clone()).map_err(|_| UpstreamError::Unsendable)?;
        if !parts.headers.contains_key(header::HOST) {
            let host = HeaderValue::from_str(origin.authority()).map_err(|_| UpstreamError::Unsendable)?;
            parts.headers.insert(header::HOST, host);
        }
        let (call, request) = Call::new(Request::from_parts(parts, body), self.patience);
        let answer = self.inner.request(request);
        let answer = call.until_head(answer).await.ok_or(UpstreamError::TimedOut)?;
        match answer {
            Ok(answer) => Ok(answer.map(|body| call.answer(body))),
            Err(error) if error.is_connect() => Err(UpstreamError::Unreachable(error)),
            Err(error) => Err(UpstreamError::Broken(error)),
        }
    }

    /// Sends a small request and reads an answer of at most `max_len` bytes, all within `patience`.
    ///
    /// # Errors
    /// [`UpstreamError`].
    pub async fn fetch(
        &self,
        origin: &Origin,
        request: Request<Bytes>,
        max_len: usize,
        patience: Duration,
    ) -> Result<Response<Bytes>, UpstreamError> {
        let whole = async {
            let (parts, body) = self.send(origin, request.map(Body::from)).await?.into_parts();
            let body = Limited::new(body, max_len).collect().await.map_err(|_| UpstreamError::Body)?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        tokio::time::timeout(patience, whole).await.map_err(|_| UpstreamError::TimedOut)?
    }
}
