//! What is known of a call while it lasts: whether anything moves, and whether anybody still wants it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Extensions, Request};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until};

use super::Patience;
use super::cut::Cut;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// One call, on the caller's side. Once it is dropped, and the [`Answer`] with it, the rest of the request is not sent.
#[derive(Debug)]
pub(super) struct Call {
    progress: Arc<Progress>,
    patience: Patience,
    wanted: Wanted,
}

/// Ends the call when it is dropped, wherever it is stuck.
#[derive(Debug)]
struct Wanted {
    progress: Arc<Progress>,
    connection: CaptureConnection,
    /// The connection may be another call's from here on, once the request was sent.
    answered: bool,
    _wanted: oneshot::Sender<()>,
}

impl Drop for Wanted {
    fn drop(&mut self) {
        if self.answered && self.progress.sent.load(Ordering::Relaxed) {
            return;
        }
        let mut extras = Extensions::new();
        if let Some(connected) = self.connection.connection_metadata().as_ref() {
            connected.get_extras(&mut extras);
        }
        if let Some(cut) = extras.get::<Cut>() {
            cut.cut();
        }
    }
}

/// When something last moved.
#[derive(Debug)]
struct Progress {
    begun: Instant,
    /// Milliseconds after `begun`.
    moved: AtomicU64,
    sent: AtomicBool,
}

impl Progress {
    fn moved(&self) {
        let elapsed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(elapsed, Ordering::Relaxed);
    }

    fn deadline(&self, patience: Patience) -> Instant {
        let limit = if self.sent.load(Ordering::Relaxed) { patience.answer } else { patience.idle };
        self.begun + Duration::from_millis(self.moved.load(Ordering::Relaxed)) + limit
    }
}

impl Call {
    pub(super) fn new(request: Request<Body>, patience: Patience) -> (Self, Request<Sending>) {
        let is_empty = http_body::Body::is_end_stream(request.body());
        let progress = Progress { begun: Instant::now(), moved: AtomicU64::new(0), sent: AtomicBool::new(is_empty) };
        let progress = Arc::new(progress);
        let (wanted, still_wanted) = oneshot::channel();
        let sending = |body| Sending { body, progress: Arc::clone(&progress), still_wanted: Some(still_wanted) };
        let mut request = request.map(sending);
        let connection = capture_connection(&mut request);
        let wanted = Wanted { progress: Arc::clone(&progress), connection, answered: false, _wanted: wanted };
        (Self { progress, patience, wanted }, request)
    }

    /// What `answer` gives, or `None` when nothing moved for too long.
    pub(super) async fn until_head<F: Future + Unpin>(&self, mut answer: F) -> Option<F::Output> {
        loop {
            let deadline = self.progress.deadline(self.patience);
            tokio::select! {
                answer = &mut answer => return Some(answer),
                () = sleep_until(deadline) => {
                    if self.progress.deadline(self.patience) <= deadline {
                        return None;
                    }
                }
            }
        }
    }

    pub(super) fn answer(mut self, body: Incoming) -> Answer {
        self.wanted.answered = true;
        Answer { body, idle: self.patience.idle, alarm: None, _wanted: self.wanted }
    }
}

/// The body of the request on its way out.
#[derive(Debug)]
pub(super) struct Sending {
    body: Body,
    progress: Arc<Progress>,
    /// Ends when nobody waits for the answer any more.
    still_wanted: Option<oneshot::Receiver<()>>,
}

/// Nobody waits for the answer any more.
#[derive(Debug)]
struct Unwanted;

impl fmt::Display for Unwanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the call was given up")
    }
}

impl std::error::Error for Unwanted {}

impl http_body::Body for Sending {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Some(still_wanted) = &mut this.still_wanted
            && Pin::new(still_wanted).poll(cx).is_ready()
        {
            this.still_wanted = None;
            return Poll::Ready(Some(Err(Unwanted.into())));
        }
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        match &frame {
            Poll::Ready(None) => this.progress.sent.store(true, Ordering::Relaxed),
            Poll::Ready(Some(_)) => this.progress.sent.store(this.body.is_end_stream(), Ordering::Relaxed),
            Poll::Pending => return Poll::Pending,
        }
        this.progress.moved();
        frame.map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer as it arrives. Ends with an error when nothing comes for too long while it is read.
#[derive(Debug)]
pub struct Answer {
    body: Incoming,
    idle: Duration,
    /// Set while it is waited for.
    alarm: Option<Pin<Box<Sleep>>>,
    _wanted: Wanted,
}

/// The answer stopped arriving.
#[derive(Debug)]
struct Stalled;

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer stopped arriving")
    }
}

impl std::error::Error for Stalled {}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.alarm = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let idle = this.idle;
        let alarm = this.alarm.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + idle)));
        alarm.as_mut().poll(cx).map(|()| Some(Err(Stalled.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
