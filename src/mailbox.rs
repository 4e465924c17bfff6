//! Waiting for one of many things, or for a time: what a machine needs whose driver is one future.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use futures_channel::oneshot;
use glacier_core::clock::Instant;

use crate::clock::{self, Timer};

/// What has happened and was not yet read.
pub(crate) struct Mailbox<T>(Rc<RefCell<Letters<T>>>);

/// Where to tell what happens. To tell a mailbox that is gone does nothing.
pub(crate) struct Address<T>(std::rc::Weak<RefCell<Letters<T>>>);

struct Letters<T> {
    unread: VecDeque<T>,
    /// Who waits for the next one.
    reader: Option<oneshot::Sender<()>>,
}

fn wake(reader: Option<oneshot::Sender<()>>) {
    if let Some(reader) = reader {
        // Nobody waits any more where the mailbox was dropped.
        let _ = reader.send(());
    }
}

impl<T> Clone for Address<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Address<T> {
    pub(crate) fn tell(&self, what: T) {
        let Some(letters) = self.0.upgrade() else { return };
        letters.borrow_mut().unread.push_back(what);
        let reader = letters.borrow_mut().reader.take();
        wake(reader);
    }
}

impl<T: 'static> Mailbox<T> {
    pub(crate) fn new() -> Self {
        Self(Rc::new(RefCell::new(Letters { unread: VecDeque::new(), reader: None })))
    }

    pub(crate) fn address(&self) -> Address<T> {
        Address(Rc::downgrade(&self.0))
    }

    /// What happens next; `None` when it is `until`, or a little earlier.
    pub(crate) async fn next(&mut self, until: Option<Instant>) -> Option<T> {
        let told = self.0.borrow_mut().unread.pop_front();
        if told.is_some() {
            return told;
        }
        let (sender, receiver) = oneshot::channel();
        self.0.borrow_mut().reader = Some(sender);
        let _timer = until.map(|at| {
            let ms = i32::try_from(at.since(clock::now())).unwrap_or(i32::MAX);
            let letters = Rc::downgrade(&self.0);
            Timer::after(ms, move || {
                if let Some(letters) = letters.upgrade() {
                    let reader = letters.borrow_mut().reader.take();
                    wake(reader);
                }
            })
        });
        // The sender is dropped only together with the mailbox.
        let _ = receiver.await;
        self.0.borrow_mut().unread.pop_front()
    }
}
