//! How many parts or pieces may be in flight at this moment.

use crate::clock::Instant;

/// Additive increase, multiplicative decrease, as TCP does and for the same reason: whoever is told to slow down
/// halves at once, then feels its way back up.
#[derive(Debug)]
pub(crate) struct Window {
    /// The configured limit.
    most: u32,
    allowed: u32,
    /// Acknowledgements since the last widening.
    acknowledged: u32,
    narrowed: Option<Instant>,
}

impl Window {
    pub(crate) fn new(most: u32) -> Self {
        let most = most.max(1);
        Self { most, allowed: most, acknowledged: 0, narrowed: None }
    }

    /// Another limit from now on. What the store asked for stays in force below it.
    pub(crate) fn set_most(&mut self, most: u32) {
        let unhindered = self.allowed == self.most;
        self.most = most.max(1);
        self.allowed = if unhindered { self.most } else { self.allowed.min(self.most) };
    }

    pub(crate) const fn allowed(&self) -> u32 {
        self.allowed
    }

    /// A request that was started at `started` was told to slow down. All that were in flight together get told; it
    /// counts once.
    pub(crate) fn narrow(&mut self, started: Instant, now: Instant) {
        if self.narrowed.is_none_or(|narrowed| started > narrowed) {
            self.allowed = (self.allowed / 2).max(1);
            self.acknowledged = 0;
            self.narrowed = Some(now);
        }
    }

    /// A part got through. A windowful of them makes room for one more.
    pub(crate) const fn widen(&mut self) {
        self.acknowledged += 1;
        if self.acknowledged >= self.allowed && self.allowed < self.most {
            self.allowed += 1;
            self.acknowledged = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_once_per_burst_and_recovers_by_one_per_windowful() {
        let mut window = Window::new(8);
        for _ in 0..8 {
            window.narrow(Instant(10), Instant(20));
        }
        assert_eq!(window.allowed(), 4);
        window.narrow(Instant(21), Instant(30));
        window.narrow(Instant(31), Instant(40));
        window.narrow(Instant(41), Instant(50));
        assert_eq!(window.allowed(), 1);
        let mut widths = Vec::new();
        for _ in 0..40 {
            window.widen();
            widths.push(window.allowed());
        }
        assert_eq!(widths[..7], [2, 2, 3, 3, 3, 4, 4]);
        assert_eq!(widths[39], 8);
    }

    #[test]
    fn another_limit_keeps_what_the_store_asked_for() {
        let mut window = Window::new(4);
        window.set_most(8);
        assert_eq!(window.allowed(), 8);
        window.narrow(Instant(10), Instant(20));
        window.set_most(16);
        assert_eq!(window.allowed(), 4);
        window.set_most(2);
        assert_eq!(window.allowed(), 2);
    }

    #[test]
    fn no_configuration_stops_everything() {
        assert_eq!(Window::new(0).allowed(), 1);
    }
}
