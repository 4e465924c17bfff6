//! What can go wrong on the way to a piece, and how often.

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
    /// Refused: status, code, message.
    Answer(u16, &'static str, &'static str),
    /// Refused with `Retry-After`.
    RetryAfter(u16, &'static str),
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

const TROUBLE: [Fault; 8] = [
    Fault::Answer(500, "ServiceUnavailableException", "internal"),
    Fault::Answer(502, "", ""),
    Fault::Answer(503, "ServiceUnavailableException", "busy"),
    Fault::Answer(400, "ThrottlingException", "Rate exceeded"),
    Fault::Answer(408, "RequestTimeoutException", "too slow"),
    Fault::Answer(429, "", ""),
    Fault::RetryAfter(503, "7"),
    Fault::RetryAfter(429, "99999999999999999999999"),
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
    Fault::Answer(500, "internal", "our fault"),
    Fault::Answer(401, "token_expired", "get another"),
    Fault::Html,
];

fn one_of(rng: &mut Rng, faults: &[Fault]) -> Option<Fault> {
    let nth = rng.below(u64::try_from(faults.len()).unwrap());
    Some(faults[usize::try_from(nth).unwrap()])
}

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
            return one_of(rng, &[Fault::Lost, Fault::Broken]);
        }
        if rng.chance(self.silence) {
            return one_of(rng, &[Fault::BlackHole, Fault::Stuck]);
        }
        if rng.chance(self.trouble) {
            return one_of(rng, &TROUBLE);
        }
        if rng.chance(self.odd) {
            return one_of(rng, &ODD);
        }
        // Up to ten minutes on the way: past the signature's life and every deadline.
        rng.chance(self.slow).then(|| Fault::Slow(rng.below(600_000)))
    }

    pub fn of_sign(&self, rng: &mut Rng) -> Option<Fault> {
        if rng.chance(self.sign) { one_of(rng, &SIGN) } else { None }
    }
}
