//! What goes on in one HTTP/2 connection, and when it has to end.
//!
//! In HTTP/1.1 a connection waits for one thing at a time and the socket's reader can bound each wait. Here requests
//! come and go side by side, and a peer that sends frames without an end is never idle on the socket. So what counts is
//! what becomes of requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::limits::Limits;

/// The requests of one connection. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Streams(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    table: Mutex<Table>,
    /// Told when the peer has given up too much.
    too_many: Notify,
}

#[derive(Debug)]
struct Table {
    next_id: u64,
    /// What is in flight, and since when the peer has not taken the last piece of the answer.
    open: HashMap<u64, Option<Instant>>,
    /// Since when nothing is in flight, while that is so.
    idle_since: Instant,
    answered: u64,
    given_up: u64,
}

/// What is to be done with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    GoOn,
    /// No more requests; those in flight are finished.
    Leave,
    /// At once.
    Cut,
}

/// One request of a connection, from its head to the end of its answer.
#[derive(Debug)]
pub(crate) struct OpenStream {
    streams: Streams,
    id: u64,
    is_answered: bool,
    resets: u64,
}

impl Streams {
    pub(crate) fn new() -> Self {
        let table = Table { next_id: 0, open: HashMap::new(), idle_since: Instant::now(), answered: 0, given_up: 0 };
        Self(Arc::new(Shared { table: Mutex::new(table), too_many: Notify::new() }))
    }

    pub(crate) fn begin(&self, limits: &Limits) -> OpenStream {
        let mut table = self.table();
        let id = table.next_id;
        table.next_id += 1;
        table.open.insert(id, None);
        drop(table);
        OpenStream { streams: self.clone(), id, is_answered: false, resets: limits.resets }
    }

    /// Ready once the peer has given up more than it may.
    pub(crate) async fn too_many_given_up(&self) {
        self.0.too_many.notified().await;
    }

    pub(crate) fn judge(&self, limits: &Limits) -> Verdict {
        let table = self.table();
        if table.open.is_empty() {
            let bound = if table.next_id == 0 { limits.head } else { limits.keep_alive };
            return match table.idle_since.elapsed() {
                idle if idle >= bound + limits.linger => Verdict::Cut,
                idle if idle >= bound => Verdict::Leave,
                _ => Verdict::GoOn,
            };
        }
        let is_stalled = |since: &&Option<Instant>| since.is_some_and(|since| since.elapsed() >= limits.write_stall);
        match table.open.values().filter(is_stalled).count() {
            0 => Verdict::GoOn,
            all if all == table.open.len() => Verdict::Cut,
            // The others are finished; what the peer asks for next comes over another connection.
            _ => Verdict::Leave,
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // No code that holds the lock can leave the table half changed.
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenStream {
    /// The next piece of the answer is asked for, so there is room for it.
    pub(crate) fn wants_piece(&self) {
        self.note(None);
    }

    /// There is a piece of the answer for the peer to take.
    pub(crate) fn has_piece(&self) {
        self.note(Some(Instant::now()));
    }

    /// The last piece of the answer was handed out.
    pub(crate) fn is_answered(&mut self) {
        self.is_answered = true;
    }

    fn note(&self, since: Option<Instant>) {
        if let Some(entry) = self.streams.table().open.get_mut(&self.id) {
            *entry = since;
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut table = self.streams.table();
        table.open.remove(&self.id);
        if table.open.is_empty() {
            table.idle_since = Instant::now();
        }
        match self.is_answered {
            true => table.answered += 1,
            false => table.given_up += 1,
        }
        if table.given_up > table.answered.saturating_add(self.resets) {
            self.streams.0.too_many.notify_one();
        }
    }
}
