//! Bodies whose bytes are counted as they pass.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::metrics::{InFlight, Metrics};

/// Which way a body goes.
#[derive(Debug)]
enum Way {
    In,
    /// Its request is in flight until the body has ended.
    Out {
        _in_flight: InFlight,
    },
}

/// A body that counts.
#[derive(Debug)]
pub(crate) struct CountedBody {
    inner: Body,
    metrics: Metrics,
    route: &'static str,
    way: Way,
}

impl CountedBody {
    /// Of a request.
    pub(crate) fn received(inner: Body, metrics: &Metrics, route: &'static str) -> Body {
        Body::new(Self { inner, metrics: metrics.clone(), route, way: Way::In })
    }

    /// Of an answer.
    pub(crate) fn sent(inner: Body, metrics: &Metrics, route: &'static str, in_flight: InFlight) -> Body {
        Body::new(Self { inner, metrics: metrics.clone(), route, way: Way::Out { _in_flight: in_flight } })
    }
}

impl http_body::Body for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(bytes) = frame.data_ref()
        {
            let len = bytes.len() as u64;
            match self.way {
                Way::In => self.metrics.received(self.route, len),
                Way::Out { .. } => self.metrics.sent(self.route, len),
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
