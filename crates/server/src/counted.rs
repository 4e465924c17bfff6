//! Bodies whose bytes are counted as they pass.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use prometheus_client::metrics::counter::Counter;

use crate::metrics::{InFlight, Metrics};
use crate::seats::Seat;

/// A body that counts.
#[derive(Debug)]
pub(crate) struct CountedBody {
    inner: Body,
    /// Of its route and its way. Found once, because a part of 4 GiB has tens of thousands of pieces.
    bytes: Counter,
    /// The request whose answer it is, which is in flight and has its subject's seat until the body has ended.
    _in_flight: Option<(InFlight, Option<Arc<Seat>>)>,
}

impl CountedBody {
    /// Of a request.
    pub(crate) fn received(inner: Body, metrics: &Metrics, route: &'static str) -> Body {
        Body::new(Self { inner, bytes: metrics.received(route), _in_flight: None })
    }

    /// Of an answer.
    pub(crate) fn sent(
        inner: Body,
        metrics: &Metrics,
        route: &'static str,
        in_flight: (InFlight, Option<Arc<Seat>>),
    ) -> Body {
        Body::new(Self { inner, bytes: metrics.sent(route), _in_flight: Some(in_flight) })
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
            self.bytes.inc_by(bytes.len() as u64);
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
