//! What can go wrong, and how often.

use glacier_core::retry::Operation;

use crate::refusal::Refusal::{self, Answer, RetryAfter};
use crate::refusal::{S3_EXPIRED, TROUBLE};
pub use crate::rng::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Never arrives; the browser reports a network error.
    LostRequest,
    /// Carried out; the browser reports a network error.
    LostAnswer,
    /// Never arrives and nothing is reported.
    BlackHole,
    /// Carried out and nothing is reported.
    SilentAnswer,
    /// Arrives twice, the second time up to two minutes late, and both are answered.
    Duplicate,
    /// Arrives later by so many milliseconds.
    Slow(u64),
    /// Refused without being carried out.
    Refused(Refusal),
    /// A bit is flipped on the way.
    Corrupt,
    /// Carried out, but the tree hash in the answer is another.
    WrongEcho,
    /// A proxy answers 200 with a page of its own.
    Html,
}

#[derive(Clone, Copy, Debug)]
pub enum HashFault {
    WorkerDied,
    Unreadable,
    Stuck,
}

/// How often each kind happens, in 1000. All zero by default.
#[derive(Clone, Debug, Default)]
pub struct Intensities {
    pub network: u64,
    pub silence: u64,
    pub trouble: u64,
    pub odd: u64,
    pub slow: u64,
    pub sign: u64,
    pub hash: u64,
}

const S3_TROUBLE: [Refusal; 10] = [
    Answer(503, "SlowDown", "Please reduce your request rate."),
    Answer(503, "ServiceUnavailable", "busy"),
    Answer(500, "InternalError", "internal"),
    Answer(400, "RequestTimeout", "Your socket connection was not read from in time."),
    Answer(409, "OperationAborted", "A conflicting operation is in progress."),
    Answer(409, "ConditionalRequestConflict", "A conflicting operation occurred."),
    S3_EXPIRED,
    Answer(502, "", ""),
    RetryAfter(503, "7"),
    RetryAfter(429, "99999999999999999999999"),
];

const ODD: [Fault; 4] = [Fault::Duplicate, Fault::Corrupt, Fault::WrongEcho, Fault::Html];

const SIGN: [Fault; 5] = [
    Fault::LostRequest,
    Fault::BlackHole,
    Fault::Refused(Answer(500, "internal", "our fault")),
    Fault::Refused(Answer(401, "token_expired", "get another")),
    Fault::Html,
];

impl Intensities {
    /// Another mixture for every seed: some kinds not at all, some often.
    pub fn swarm(rng: &mut Rng) -> Self {
        let mut pick = |most| if rng.chance(400) { 0 } else { rng.below(most) };
        Self {
            network: pick(250),
            silence: pick(60),
            trouble: pick(250),
            odd: pick(120),
            slow: pick(60),
            sign: pick(200),
            hash: pick(80),
        }
    }

    pub fn fault(&self, operation: Operation, rng: &mut Rng) -> Option<Fault> {
        if operation == Operation::Sign {
            return rng.chance(self.sign).then(|| rng.one_of(&SIGN));
        }
        if rng.chance(self.network) {
            return Some(rng.one_of(&[Fault::LostRequest, Fault::LostAnswer]));
        }
        if rng.chance(self.silence) {
            return Some(rng.one_of(&[Fault::BlackHole, Fault::SilentAnswer]));
        }
        if rng.chance(self.trouble) {
            let is_s3 = operation.as_str().starts_with("s3:");
            let trouble: &[Refusal] = if is_s3 { &S3_TROUBLE } else { &TROUBLE };
            return Some(Fault::Refused(rng.one_of(trouble)));
        }
        if rng.chance(self.odd) {
            return Some(rng.one_of(&ODD));
        }
        // Up to ten minutes on the way: past the signature's life.
        rng.chance(self.slow).then(|| Fault::Slow(rng.below(600_000)))
    }

    pub fn hash_fault(&self, rng: &mut Rng) -> Option<HashFault> {
        if !rng.chance(self.hash) {
            return None;
        }
        Some(match rng.below(10) {
            0 => HashFault::Unreadable,
            1..4 => HashFault::Stuck,
            _ => HashFault::WorkerDied,
        })
    }
}
