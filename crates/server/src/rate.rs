//! How often one may ask: by subject with a token, by address without, and by both for what is not there.
//!
//! All quotas fill up again by at least one a second, so that whoever waits for a second (`Retry-After: 1`) is let in.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use glacier_core::intent::RefusalCode;
use governor::clock::MonotonicClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::client::{Client, Neighbourhood};
use crate::error::Refused;

/// In `Retry-After`, in seconds.
pub const RETRY_AFTER_S: u64 = 1;

/// How many seconds' worth may come at once.
const BURST_S: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// How often what has not been asked lately is forgotten.
const SWEEP: Duration = Duration::from_secs(60);

const SIXTY: NonZeroU32 = NonZeroU32::new(60).unwrap();

const BLOCK: Duration = Duration::from_secs(RETRY_AFTER_S);

/// Requests that are too many.
pub const TOO_MANY: Refused =
    Refused::new(RefusalCode::TooManyRequests, "too many requests; wait as long as retry-after says");

/// How much of each is allowed; `None` for any number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quotas {
    /// Requests of one subject with a good token, a second.
    pub subject: Option<NonZeroU32>,
    /// Requests of one address without a good token, a second.
    pub anonymous: Option<NonZeroU32>,
    /// Answers to one address, and to one subject, that something is not there, a minute.
    pub misses: Option<NonZeroU32>,
}

type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, MonotonicClock, NoOpMiddleware<Instant>>;

/// Who has asked how often.
pub struct Rates {
    subjects: Option<Keyed<String>>,
    anonymous: Option<Keyed<Neighbourhood>>,
    misses: Misses<Neighbourhood>,
    subjects_misses: Misses<String>,
}

/// Answers that something is not there, and who has had too many of them.
struct Misses<K: Hash + Eq + Clone> {
    rate: Option<Keyed<K>>,
    /// Until when.
    blocked: Mutex<HashMap<K, Instant>>,
}

/// Without limits.
impl Default for Rates {
    fn default() -> Self {
        Self::new(Quotas::default())
    }
}

impl fmt::Debug for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rates")
    }
}

impl Rates {
    /// With these quotas.
    pub fn new(quotas: Quotas) -> Self {
        let by_second = |rate: NonZeroU32| Quota::per_second(rate).allow_burst(rate.saturating_mul(BURST_S));
        // A minute's worth at once, and at least one a second.
        let by_minute = |rate: NonZeroU32| Quota::per_second(rate.div_ceil(SIXTY)).allow_burst(rate);
        Self {
            subjects: quotas.subject.map(|rate| keyed(by_second(rate))),
            anonymous: quotas.anonymous.map(|rate| keyed(by_second(rate))),
            misses: Misses::new(quotas.misses.map(by_minute)),
            subjects_misses: Misses::new(quotas.misses.map(by_minute)),
        }
    }

    /// Counts a request with a good token.
    ///
    /// # Errors
    /// [`TOO_MANY`], also where the subject has missed too often.
    pub fn count_subject(&self, subject: &str) -> Result<(), Refused> {
        self.admit_subject(subject)?;
        is_within(&self.subjects, &subject.to_owned())
    }

    /// Counts a request without a good token.
    ///
    /// # Errors
    /// [`TOO_MANY`].
    pub fn count_anonymous(&self, client: Client) -> Result<(), Refused> {
        client.neighbourhood().map_or(Ok(()), |neighbourhood| is_within(&self.anonymous, &neighbourhood))
    }

    /// Counts an answer that something is not there. Whoever has had too many is asked to wait by [`Self::admit`] and
    /// [`Self::admit_subject`]. A subject is counted wherever it calls from, this machine included.
    pub fn count_miss(&self, client: Client, subject: Option<&str>) {
        if let Some(neighbourhood) = client.neighbourhood() {
            self.misses.count(neighbourhood);
        }
        if let Some(subject) = subject {
            self.subjects_misses.count(subject.to_owned());
        }
    }

    /// Whether it may ask for something that may not be there.
    ///
    /// # Errors
    /// [`TOO_MANY`].
    pub fn admit(&self, client: Client) -> Result<(), Refused> {
        client.neighbourhood().map_or(Ok(()), |neighbourhood| self.misses.admit(&neighbourhood))
    }

    /// Whether the subject may.
    ///
    /// # Errors
    /// [`TOO_MANY`].
    pub fn admit_subject(&self, subject: &str) -> Result<(), Refused> {
        self.subjects_misses.admit(subject)
    }

    /// Forgets those who have not asked lately, for ever.
    pub async fn sweep(&self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            forget(&self.subjects);
            forget(&self.anonymous);
            self.misses.forget();
            self.subjects_misses.forget();
        }
    }
}

impl<K: Hash + Eq + Clone> Misses<K> {
    fn new(quota: Option<Quota>) -> Self {
        Self { rate: quota.map(keyed), blocked: Mutex::default() }
    }

    fn count(&self, key: K) {
        if is_within(&self.rate, &key).is_err() {
            self.blocked().insert(key, Instant::now() + BLOCK);
        }
    }

    fn admit<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Result<(), Refused>
    where
        K: Borrow<Q>,
    {
        let is_blocked = self.blocked().get(key).is_some_and(|until| *until > Instant::now());
        if is_blocked { Err(TOO_MANY) } else { Ok(()) }
    }

    fn forget(&self) {
        forget(&self.rate);
        self.blocked().retain(|_, until| *until > Instant::now());
    }

    fn blocked(&self) -> std::sync::MutexGuard<'_, HashMap<K, Instant>> {
        self.blocked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keyed<K: Hash + Eq + Clone>(quota: Quota) -> Keyed<K> {
    RateLimiter::new(quota, DashMapStateStore::default(), MonotonicClock)
}

fn is_within<K: Hash + Eq + Clone>(keyed: &Option<Keyed<K>>, key: &K) -> Result<(), Refused> {
    match keyed {
        Some(keyed) => keyed.check_key(key).map_err(|_| TOO_MANY),
        None => Ok(()),
    }
}

fn forget<K: Hash + Eq + Clone>(keyed: &Option<Keyed<K>>) {
    if let Some(keyed) = keyed {
        keyed.retain_recent();
        keyed.shrink_to_fit();
    }
}
