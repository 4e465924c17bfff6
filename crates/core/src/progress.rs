//! How far an upload is.

use crate::clock::Instant;

/// Three counts of bytes and what follows from them. No count of bytes ever goes down, whatever is sent or hashed
/// again, and all three equal the total at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Read and hashed.
    pub bytes_hashed: u64,
    /// Handed to the network. Moves within a part.
    pub bytes_sent: u64,
    /// Acknowledged by the store with our hash.
    pub bytes_confirmed: u64,
    /// In the file.
    pub bytes_total: u64,
    /// Of the last seconds. 0 until known.
    pub bytes_per_second: u64,
    /// Milliseconds left, or `None` until it can be said.
    pub eta_ms: Option<u64>,
    /// Where the parts are.
    pub parts: PartCounts,
}

/// How many parts are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartCounts {
    /// In the plan.
    pub total: u32,
    /// Hashed at least once.
    pub hashed: u32,
    /// Being sent now.
    pub in_flight: u32,
    /// Acknowledged by the store.
    pub confirmed: u32,
}

/// How much the past counts: the weight of a rate halves in some three and a half seconds.
const MEMORY_MS: u64 = 5_000;

/// Shorter spans are gathered into one: bytes leave a browser in bursts.
const SAMPLE_MS: u64 = 250;

/// How long bytes must have flowed before the time left is told. Before that it jumps.
const SETTLE_MS: u64 = 3_000;

/// The speed of the last seconds: an exponentially weighted mean over time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Speed {
    flowing_since: Option<Instant>,
    sampled: Instant,
    /// Since `sampled`.
    bytes: u64,
    per_second: u64,
}

impl Speed {
    /// Bytes left just now.
    pub(crate) fn add(&mut self, bytes: u64, now: Instant) {
        if self.flowing_since.is_none() {
            self.flowing_since = Some(now);
            self.sampled = now;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        if now.since(self.sampled) >= SAMPLE_MS {
            self.per_second = self.per_second(now);
            self.sampled = now;
            self.bytes = 0;
        }
    }

    /// A pause: the time until bytes flow again is nobody's speed.
    pub(crate) fn stop(&mut self) {
        *self = Self::default();
    }

    /// Bytes per second as of `now`. Falls while nothing is added.
    pub(crate) fn per_second(&self, now: Instant) -> u64 {
        let Some(since) = self.flowing_since else { return 0 };
        let span = now.since(self.sampled);
        if span < SAMPLE_MS {
            return self.per_second;
        }
        let rate = (u128::from(self.bytes) * 1000) / u128::from(span);
        // At first there is no past to weigh: the mean is over the time there was.
        let memory = u128::from(MEMORY_MS.min(self.sampled.since(since)));
        let mean = (u128::from(self.per_second) * memory + rate * u128::from(span)) / (memory + u128::from(span));
        u64::try_from(mean).unwrap_or(u64::MAX)
    }

    /// Milliseconds until `left` more bytes have gone at this speed, once it has settled.
    pub(crate) fn eta_ms(&self, left: u64, now: Instant) -> Option<u64> {
        let rate = self.per_second(now);
        if rate == 0 || now.since(self.flowing_since?) < SETTLE_MS {
            return None;
        }
        u64::try_from(u128::from(left) * 1000 / u128::from(rate)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_flow_is_measured_and_the_time_left_follows() {
        let mut speed = Speed::default();
        for tick in 0..=100 {
            speed.add(10_000, Instant(tick * 100));
        }
        let now = Instant(10_000);
        assert!((95_000..=110_000).contains(&speed.per_second(now)), "{}", speed.per_second(now));
        let eta = speed.eta_ms(1_000_000, now).unwrap();
        assert!((9_000..=10_600).contains(&eta), "{eta}");
    }

    #[test]
    fn nothing_is_said_before_it_is_known() {
        let mut speed = Speed::default();
        assert_eq!((speed.per_second(Instant(9)), speed.eta_ms(1, Instant(9))), (0, None));
        speed.add(1_000_000, Instant(0));
        speed.add(1_000_000, Instant(1_000));
        assert!(speed.per_second(Instant(1_000)) > 0);
        assert_eq!(speed.eta_ms(1, Instant(1_000)), None);
        speed.stop();
        assert_eq!(speed.per_second(Instant(2_000)), 0);
    }

    #[test]
    fn speed_falls_when_nothing_moves_and_follows_a_change() {
        let mut speed = Speed::default();
        for tick in 0..100 {
            speed.add(100_000, Instant(tick * 100));
        }
        let before = speed.per_second(Instant(10_000));
        assert!(speed.per_second(Instant(20_000)) < before / 2);
        for tick in 100..400 {
            speed.add(10_000, Instant(tick * 100));
        }
        assert!((90_000..200_000).contains(&speed.per_second(Instant(40_000))));
    }

    #[test]
    fn extremes_do_not_overflow() {
        let mut speed = Speed::default();
        speed.add(u64::MAX, Instant(0));
        speed.add(u64::MAX, Instant(u64::MAX));
        assert!(speed.eta_ms(u64::MAX, Instant(u64::MAX)).is_none_or(|eta| eta > 0));
    }
}
