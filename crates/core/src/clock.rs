//! Time and chance, as arguments. Core has neither a clock nor a source of randomness.

use std::ops::Add;

/// A point in time: milliseconds since an arbitrary but fixed start, never going back. In the browser
/// `performance.now()`, rounded down; not the wall clock, which is often wrong and sometimes jumps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

impl Instant {
    /// Milliseconds from `earlier` to here; 0 where `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<u64> for Instant {
    type Output = Self;

    fn add(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// A random fraction from 0 up to but not including 1, drawn by the caller (`Math.random()`) for each call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jitter(f64);

impl Jitter {
    /// The fraction. What is no number in 0..1 is brought into it, so that a bad source cannot make a wait negative.
    pub fn new(fraction: f64) -> Self {
        Self(if fraction >= 0.0 { fraction.min(1.0 - f64::EPSILON) } else { 0.0 })
    }

    /// This fraction of `ms`, rounded down.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a fraction of a positive number, and `as` saturates"
    )]
    pub const fn of(self, ms: u64) -> u64 {
        (self.0 * ms as f64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_below_the_whole_whatever_the_source() {
        for (fraction, expected) in [
            (0.0, 0),
            (0.5, 500),
            (0.999_999, 999),
            (1.0, 999),
            (7.0, 999),
            (-1.0, 0),
            (f64::NAN, 0),
            (f64::INFINITY, 999),
        ] {
            assert_eq!(Jitter::new(fraction).of(1000), expected, "{fraction}");
        }
    }

    #[test]
    fn time_neither_wraps_nor_goes_back() {
        assert_eq!(Instant(5).since(Instant(9)), 0);
        assert_eq!(Instant(u64::MAX) + 1, Instant(u64::MAX));
    }
}
