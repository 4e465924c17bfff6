//! Which messages were taken, so that one that comes again is not passed on again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most messages remembered. What is older than a fresh message may be is forgotten anyway.
const MAX: usize = 4096;
/// Longer than a message stays fresh, counted from when it was taken, also if its sender's clock was ahead.
const MEMORY_MS: i64 = 2 * 60 * 60 * 1000;

#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<BTreeMap<String, i64>>);

impl Seen {
    pub(super) fn is_new(&self, id: &str, now_ms: i64) -> bool {
        self.lock().get(id).is_none_or(|taken_ms| *taken_ms < now_ms.saturating_sub(MEMORY_MS))
    }

    /// Whether the message was not taken yet: of two at the same time, one.
    pub(super) fn note(&self, id: &str, now_ms: i64) -> bool {
        let mut seen = self.lock();
        seen.retain(|_, taken_ms| *taken_ms >= now_ms.saturating_sub(MEMORY_MS));
        let is_new = seen.insert(id.to_owned(), now_ms).is_none();
        if seen.len() > MAX {
            let oldest = seen.iter().min_by_key(|(_, taken_ms)| **taken_ms).map(|(id, _)| id.clone());
            oldest.and_then(|id| seen.remove(&id));
        }
        is_new
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, i64>> {
        // Each change is one step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        assert_eq!(seen.lock().len(), MAX);
    }
}
