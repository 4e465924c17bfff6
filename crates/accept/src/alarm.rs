//! A deadline that is set and lifted many times a second without touching the runtime's timer each time.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// At most one deadline.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    deadline: Option<Instant>,
    // Kept when the deadline is lifted, and moved only when it wakes too early or would wake too late.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// Sets the deadline, unless there is one already.
    pub(crate) fn set(&mut self, after: Duration) {
        self.deadline.get_or_insert_with(|| Instant::now() + after);
    }

    /// Lifts the deadline.
    pub(crate) fn lift(&mut self) {
        self.deadline = None;
    }

    /// Ready once the deadline has passed. Pending, and never woken by it, while there is none.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}
