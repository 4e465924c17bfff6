//! What can go wrong on the way to a piece, and how often.

use crate::refusal::Refusal::{self, Answer, RetryAfter};
use crate::refusal::TROUBLE;
pub use crate::rng::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The browser reports a network error.
    Lost,
    /// Nothing is ever reported.
    BlackHole,
    /// Half of the bytes come, then a network error.
    Broken,
    /// Half of the bytes come, then nothing.
    Stuck,
    /// The answer takes so many milliseconds longer.
    Slow(u64),
    Refused(Refusal),
    /// A bit is flipped on the way.
    Corrupt,
    /// The header has another hash.
    WrongHeader,
    /// A proxy takes the header away.
    NoHeader,
    /// Fewer bytes than the answer says, and the browser does not mind.
    Short,
    /// A cache ignores the range and answers 200 with everything.
    Everything,
    /// The bytes next to those that were asked for, honestly labelled.
    OtherRange,
    /// The right bytes of an output of another length.
    OtherTotal,
    /// A proxy answers 200 with a page of its own.
    Html,
    /// Bytes of another archive, with their own hash.
    OtherArchive,
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
    pub sink: u64,
}

/// Of one range; found out whatever is downloaded.
pub const OF_ONE_RANGE: [Fault; 11] = [
    Fault::Lost,
    Fault::BlackHole,
    Fault::Broken,
    Fault::Stuck,
    Fault::Slow(600_000),
    Fault::Refused(RetryAfter(503, "7")),
    Fault::Short,
    Fault::Everything,
    Fault::OtherRange,
    Fault::OtherTotal,
    Fault::Html,
];

const ODD: [Fault; 8] = [
    Fault::Corrupt,
    Fault::WrongHeader,
    Fault::NoHeader,
    Fault::Short,
    Fault::Everything,
    Fault::OtherRange,
    Fault::OtherTotal,
    Fault::Html,
];

const SIGN: [Fault; 5] = [
    Fault::Lost,
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
            odd: pick(200),
            slow: pick(60),
            sign: pick(200),
            sink: pick(20),
        }
    }

    pub fn of_fetch(&self, rng: &mut Rng) -> Option<Fault> {
        if rng.chance(self.network) {
            return Some(rng.one_of(&[Fault::Lost, Fault::Broken]));
        }
        if rng.chance(self.silence) {
            return Some(rng.one_of(&[Fault::BlackHole, Fault::Stuck]));
        }
        if rng.chance(self.trouble) {
            return Some(Fault::Refused(rng.one_of(&TROUBLE)));
        }
        if rng.chance(self.odd) {
            return Some(rng.one_of(&ODD));
        }
        // Up to ten minutes on the way: past the signature's life and every deadline.
        rng.chance(self.slow).then(|| Fault::Slow(rng.below(600_000)))
    }

    pub fn of_sign(&self, rng: &mut Rng) -> Option<Fault> {
        rng.chance(self.sign).then(|| rng.one_of(&SIGN))
    }
}
