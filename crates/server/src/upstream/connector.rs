//! One new connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use tower::Service;

use super::cut::Severable;
use super::trust::Trust;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Connects within a time, and says in the log where to.
#[derive(Clone)]
pub(super) struct Connector {
    inner: HttpsConnector<HttpConnector>,
    patience: Duration,
}

impl Connector {
    pub(super) fn new(trust: &Trust, patience: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        // The last bytes of a part would otherwise wait for an acknowledgement.
        tcp.set_nodelay(true);
        let inner = HttpsConnectorBuilder::new()
            .with_tls_config(rustls::ClientConfig::clone(&trust.0))
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Self { inner, patience }
    }
}

impl Service<Uri> for Connector {
    type Response = Severable;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        tracing::debug!(host = to.host(), port = to.port_u16(), scheme = to.scheme_str(), "dialling");
        let (connecting, patience) = (self.inner.call(to), self.patience);
        Box::pin(async move {
            match tokio::time::timeout(patience, connecting).await {
                Ok(connected) => connected.map(Severable::new),
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no connection in time").into()),
            }
        })
    }
}
