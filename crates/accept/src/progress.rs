//! What the reader of a connection's socket is told of its requests, and they of what it has read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::head::{Head, HeadReader};

/// What the socket and the handler of one connection know of each other.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<Mutex<State>>);

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) heads: HeadReader,
    /// A request is with the handler or its answer is being written.
    pub(crate) in_flight: bool,
    pub(crate) any_byte: bool,
    /// All that was to be written was.
    pub(crate) flushed: bool,
    /// Nothing of the answer was written, and nothing of the one before it is left to be.
    pub(crate) unanswered: bool,
    /// Its sender passes over interim answers.
    pub(crate) may_be_interrupted: bool,
    /// To be woken at the end of the answer. Hyper may read while the answer still goes out, and not again after it,
    /// and then nobody would set the deadline for the next request.
    pub(crate) reader: Option<Waker>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            heads: HeadReader::new(),
            in_flight: false,
            any_byte: false,
            flushed: true,
            unanswered: false,
            may_be_interrupted: false,
            reader: None,
        })))
    }

    /// A request has come, whose sender may be sent interim answers or not.
    pub(crate) fn begin(&self, may_be_interrupted: bool) -> Option<Head> {
        let mut state = self.lock();
        state.in_flight = true;
        state.unanswered = state.flushed;
        state.may_be_interrupted = may_be_interrupted;
        state.heads.take()
    }

    pub(crate) fn end(&self) {
        let reader = {
            let mut state = self.lock();
            state.in_flight = false;
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can leave the state half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
