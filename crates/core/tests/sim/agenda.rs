//! What is to happen in virtual time.

use std::collections::BTreeMap;

use glacier_core::Instant;

/// Happenings in the order of their time and, of one time, in the order they were entered.
#[derive(Debug)]
pub struct Agenda<H> {
    happenings: BTreeMap<(Instant, u64), H>,
    entered: u64,
}

#[derive(Debug)]
pub enum Turn<H> {
    /// The machine's deadline has come, before anything else happens.
    Timeout,
    Happening(H),
}

impl<H> Agenda<H> {
    pub fn new() -> Self {
        Self { happenings: BTreeMap::new(), entered: 0 }
    }

    pub fn enter(&mut self, at: Instant, happening: H) {
        self.entered += 1;
        self.happenings.insert((at, self.entered), happening);
    }

    /// Sets the clock to what comes next and says what it is; `None` where nothing does until `end`.
    pub fn turn(&mut self, now: &mut Instant, timeout: Option<Instant>, end: Instant) -> Option<Turn<H>> {
        let happening = self.happenings.first_key_value().map(|((at, _), _)| *at);
        let next = happening.into_iter().chain(timeout).min()?;
        if next > end {
            *now = end;
            return None;
        }
        *now = (*now).max(next);
        if timeout.is_some_and(|timeout| timeout <= *now) && happening.is_none_or(|at| at > *now) {
            return Some(Turn::Timeout);
        }
        self.happenings.pop_first().map(|(_, happening)| Turn::Happening(happening))
    }
}
