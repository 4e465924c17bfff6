//! Which messages were taken, so that one that comes again is not passed on again.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most messages remembered. What is older than a fresh message may be is forgotten anyway.
const MAX: usize = 4096;
/// Longer than a message stays fresh, counted from when it was taken, also if its sender's clock was ahead.
const MEMORY_MS: i64 = 2 * 60 * 60 * 1000;

#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    ids: BTreeSet<String>,
    /// The same, with the time of each, in the order they were taken.
    order: VecDeque<(i64, String)>,
}

impl Seen {
    pub(super) fn is_new(&self, id: &str, now_ms: i64) -> bool {
        !self.current(now_ms).ids.contains(id)
    }

    /// Whether the message was not taken yet: of two at the same time, one.
    pub(super) fn note(&self, id: &str, now_ms: i64) -> bool {
        let mut taken = self.current(now_ms);
        let is_new = taken.ids.insert(id.to_owned());
        if is_new {
            taken.order.push_back((now_ms, id.to_owned()));
        }
        while taken.order.len() > MAX {
            taken.forget_oldest();
        }
        is_new
    }

    /// Without what is forgotten by now.
    fn current(&self, now_ms: i64) -> MutexGuard<'_, Taken> {
        // A panic in the middle could only make one message be taken twice.
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest_ms = now_ms.saturating_sub(MEMORY_MS);
        while taken.order.front().is_some_and(|(taken_ms, _)| *taken_ms < oldest_ms) {
            taken.forget_oldest();
        }
        taken
    }
}

impl Taken {
    fn forget_oldest(&mut self) {
        if let Some((_, id)) = self.order.pop_front() {
            self.ids.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_long_enough_and_bounded() {
        let seen = Seen::default();
        assert!(seen.is_new("a", 0) && seen.note("a", 0));
        assert!(!seen.is_new("a", MEMORY_MS) && !seen.note("a", MEMORY_MS));
        assert!(seen.is_new("a", 2 * MEMORY_MS + 1) && seen.note("a", 2 * MEMORY_MS + 1));
        for number in 0..2 * MAX {
            assert!(seen.note(&number.to_string(), 3 * MEMORY_MS));
        }
        let taken = seen.current(3 * MEMORY_MS);
        assert_eq!((taken.ids.len(), taken.order.len()), (MAX, MAX));
    }
}
