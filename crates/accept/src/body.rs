//! The body of a request, which a peer may not spin out.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::alarm::Alarm;
use crate::limits::Limits;

/// The body of a request as it arrives. Ends with an error when the peer is too slow; the time a handler takes between
/// two reads does not count.
#[derive(Debug)]
pub struct Body {
    incoming: Incoming,
    limits: Limits,
    alarm: Alarm,
    /// When the wait that is going on began.
    waiting_since: Option<Instant>,
    /// Total of the waits before it.
    waited: Duration,
    received: u64,
}

/// Why a body ended early. Nothing of it may be acknowledged.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyError {
    /// Nothing came for as long as [`Limits::body_idle`].
    Stalled,
    /// Slower than [`Limits::body_min_rate`].
    TooSlow,
    /// The connection broke or what came was not HTTP.
    Broken(hyper::Error),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stalled => "the request's body stopped arriving",
            Self::TooSlow => "the request's body arrives too slowly",
            Self::Broken(_) => "the request's body broke off",
        })
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Stalled | Self::TooSlow => None,
            Self::Broken(error) => Some(error),
        }
    }
}

impl Body {
    pub(crate) fn new(incoming: Incoming, limits: Limits) -> Self {
        Self { incoming, limits, alarm: Alarm::default(), waiting_since: None, waited: Duration::ZERO, received: 0 }
    }

    /// How much longer the wait may last before the average is too low.
    fn until_too_slow(&self) -> Duration {
        let earned = Duration::from_secs(self.received / self.limits.body_min_rate.max(1));
        (self.limits.body_grace + earned).saturating_sub(self.waited)
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(cx) {
            this.alarm.lift();
            if let Some(since) = this.waiting_since.take() {
                this.waited += since.elapsed();
            }
            if let Some(Ok(frame)) = &frame
                && let Some(data) = frame.data_ref()
            {
                this.received += data.len() as u64;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Broken)));
        }
        let until_too_slow = this.until_too_slow();
        let stalls_first = this.limits.body_idle < until_too_slow;
        this.waiting_since.get_or_insert_with(Instant::now);
        this.alarm.set(if stalls_first { this.limits.body_idle } else { until_too_slow });
        ready!(this.alarm.poll(cx));
        Poll::Ready(Some(Err(if stalls_first { BodyError::Stalled } else { BodyError::TooSlow })))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
