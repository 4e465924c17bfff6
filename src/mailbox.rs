//! Waiting for one of many things, or for a time: what a machine needs whose driver is one future.

use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::StreamExt as _;
use glacier_core::clock::Instant;

use crate::clock::{self, Timer};

/// What has happened and was not yet read.
pub(crate) struct Mailbox<T> {
    sender: UnboundedSender<Option<T>>,
    receiver: UnboundedReceiver<Option<T>>,
}

/// Where to tell what happens. To tell a mailbox that is gone does nothing.
pub(crate) struct Address<T>(UnboundedSender<Option<T>>);

impl<T> Clone for Address<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Address<T> {
    pub(crate) fn tell(&self, what: T) {
        let _ = self.0.unbounded_send(Some(what));
    }
}

impl<T: 'static> Mailbox<T> {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = unbounded();
        Self { sender, receiver }
    }

    pub(crate) fn address(&self) -> Address<T> {
        Address(self.sender.clone())
    }

    /// What happens next; `None` when it is `until`, or a little earlier.
    pub(crate) async fn next(&mut self, until: Option<Instant>) -> Option<T> {
        let _timer = until.map(|at| {
            let ms = i32::try_from(at.since(clock::now())).unwrap_or(i32::MAX);
            let sender = self.sender.clone();
            Timer::after(ms, move || {
                let _ = sender.unbounded_send(None);
            })
        });
        self.receiver.next().await.flatten()
    }
}
