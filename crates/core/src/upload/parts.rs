//! Which part is where.

use std::collections::{BTreeMap, BTreeSet};

use super::Ticket;
use crate::clock::Instant;
use crate::intent::SignedRequest;
use crate::plan::PartPlan;
use crate::range::ByteRange;
use crate::retry::fault::Tries;
use crate::tree_hash::{self, PartDigest, TreeHash};

/// All parts of an upload. Every part is either waiting, active, or confirmed and neither.
#[derive(Debug)]
pub(super) struct Parts {
    plan: PartPlan,
    records: Vec<Record>,
    /// To be hashed.
    pub(super) waiting: BTreeSet<u32>,
    /// Held by the driver, at most `in_flight + hash_ahead`.
    pub(super) active: BTreeMap<u32, Active>,
    /// Bytes of parts hashed at least once.
    pub(super) bytes_hashed: u64,
    /// Bytes of confirmed parts.
    pub(super) bytes_confirmed: u64,
    pub(super) n_hashed: u32,
    pub(super) n_confirmed: u32,
}

/// What is known of one part, whether or not its bytes are at hand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Record {
    /// From the first hashing on, here or at an earlier visit. Bytes that hash to anything else are another file's.
    pub(super) tree_hash: Option<TreeHash>,
    /// What ListParts says the store holds. Believed only when the local bytes hash to the same.
    pub(super) stored: Option<TreeHash>,
    pub(super) hashed: bool,
    pub(super) confirmed: bool,
    /// Times it was read again because it did not arrive as it was hashed.
    pub(super) rereads: u32,
}

/// A part whose bytes the driver holds or is reading.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) range: ByteRange,
    pub(super) step: Step,
    pub(super) tries: Tries,
}

#[derive(Debug)]
pub(super) enum Step {
    Hashing {
        ticket: Ticket,
        bytes: u64,
    },
    /// To be signed.
    Hashed(PartDigest),
    /// To be signed, but not before.
    Waiting(PartDigest, Instant),
    Signing(PartDigest),
    /// To be sent, and until then only.
    Signed {
        digest: PartDigest,
        request: SignedRequest,
        good_until: Instant,
    },
    Sending {
        digest: PartDigest,
        ticket: Ticket,
        sent: u64,
        started: Instant,
        due: Instant,
    },
}

impl Step {
    pub(super) const fn digest(&self) -> Option<PartDigest> {
        match self {
            Self::Hashing { .. } => None,
            Self::Hashed(digest)
            | Self::Waiting(digest, _)
            | Self::Signing(digest)
            | Self::Signed { digest, .. }
            | Self::Sending { digest, .. } => Some(*digest),
        }
    }

    pub(super) const fn is_sending(&self) -> bool {
        matches!(self, Self::Sending { .. })
    }
}

impl Parts {
    pub(super) fn new(plan: PartPlan) -> Self {
        let n_parts = plan.n_parts();
        Self {
            plan,
            records: (0..n_parts).map(|_| Record::default()).collect(),
            waiting: (0..n_parts).collect(),
            active: BTreeMap::new(),
            bytes_hashed: 0,
            bytes_confirmed: 0,
            n_hashed: 0,
            n_confirmed: 0,
        }
    }

    pub(super) fn record(&mut self, part: u32) -> Option<&mut Record> {
        self.records.get_mut(usize::try_from(part).ok()?)
    }

    pub(super) fn records(&self) -> impl Iterator<Item = (u32, &Record)> {
        (0..).zip(&self.records)
    }

    /// Which part `range` is. A listed range that ends one byte too far is accepted, because the real service has
    /// been seen to list so.
    pub(super) fn index_of(&self, range: ByteRange) -> Option<u32> {
        let index = u32::try_from(range.start() / self.plan.part_size().bytes()).ok()?;
        let planned = self.plan.range(index)?;
        let fits =
            planned.start() == range.start() && (planned.end() == range.end() || planned.end() + 1 == range.end());
        fits.then_some(index)
    }

    /// The first waiting part, now being hashed.
    pub(super) fn start_hashing(&mut self, ticket: Ticket) -> Option<(u32, ByteRange)> {
        let part = *self.waiting.first()?;
        let range = self.plan.range(part)?;
        self.waiting.remove(&part);
        let step = Step::Hashing { ticket, bytes: 0 };
        self.active.insert(part, Active { range, step, tries: Tries::default() });
        Some((part, range))
    }

    /// The part that is being hashed under that ticket.
    pub(super) fn hashing(&mut self, wanted: Ticket) -> Option<(u32, &mut Active)> {
        self.find(|step| matches!(step, Step::Hashing { ticket, .. } if *ticket == wanted))
    }

    /// The part that is being sent under that ticket.
    pub(super) fn sending(&mut self, wanted: Ticket) -> Option<(u32, &mut Active)> {
        self.find(|step| matches!(step, Step::Sending { ticket, .. } if *ticket == wanted))
    }

    fn find(&mut self, is_wanted: impl Fn(&Step) -> bool) -> Option<(u32, &mut Active)> {
        self.active.iter_mut().find(|(_, active)| is_wanted(&active.step)).map(|(part, active)| (*part, active))
    }

    pub(super) fn n_sending(&self) -> u32 {
        count(self.active.values().filter(|active| active.step.is_sending()))
    }

    /// Being hashed, or hashed and not being sent.
    pub(super) fn n_ahead(&self) -> u32 {
        count(self.active.values().filter(|active| !active.step.is_sending()))
    }

    /// Signed, being signed, or being sent.
    pub(super) fn n_signed(&self) -> u32 {
        let signed =
            |active: &&Active| matches!(active.step, Step::Signing(_) | Step::Signed { .. } | Step::Sending { .. });
        count(self.active.values().filter(signed))
    }

    pub(super) fn is_hashing(&self) -> bool {
        self.active.values().any(|active| matches!(active.step, Step::Hashing { .. }))
    }

    /// Notes that the part's bytes were read and hash to `digest`. `false` where they used to hash to something else.
    pub(super) fn note_hash(&mut self, part: u32, digest: &PartDigest) -> bool {
        let len = self.len_of(part);
        let Some(record) = self.record(part) else { return false };
        if record.tree_hash.is_some_and(|known| known != digest.tree_hash) {
            return false;
        }
        record.tree_hash = Some(digest.tree_hash);
        if !record.hashed {
            record.hashed = true;
            self.bytes_hashed += len;
            self.n_hashed += 1;
        }
        true
    }

    pub(super) fn note_confirmed(&mut self, part: u32) {
        let len = self.len_of(part);
        if let Some(record) = self.record(part).filter(|record| !record.confirmed) {
            record.confirmed = true;
            self.bytes_confirmed += len;
            self.n_confirmed += 1;
        }
    }

    /// The store no longer holds the part: it has to be hashed and sent again.
    pub(super) fn note_lost(&mut self, part: u32) {
        let len = self.len_of(part);
        if let Some(record) = self.record(part).filter(|record| record.confirmed) {
            record.confirmed = false;
            self.bytes_confirmed -= len;
            self.n_confirmed -= 1;
            if !self.active.contains_key(&part) {
                self.waiting.insert(part);
            }
        }
    }

    /// The upload is gone: nothing the store ever said about a part is true any more.
    pub(super) fn forget_store(&mut self) {
        for part in 0..self.plan.n_parts() {
            self.note_lost(part);
            if let Some(record) = self.record(part) {
                record.stored = None;
                record.rereads = 0;
            }
        }
    }

    /// The user wants another try: what was counted before is forgiven.
    pub(super) fn forget_rereads(&mut self) {
        for record in &mut self.records {
            record.rereads = 0;
        }
    }

    /// Bytes of confirmed parts and of parts on their way.
    pub(super) fn bytes_sent(&self) -> u64 {
        let on_the_way = self.active.values().map(|active| match active.step {
            Step::Sending { sent, .. } => sent,
            _ => 0,
        });
        self.bytes_confirmed + on_the_way.sum::<u64>()
    }

    /// Bytes hashed at least once, the unfinished parts included.
    pub(super) fn bytes_hashed(&self) -> u64 {
        let unfinished = self.active.iter().map(|(part, active)| match active.step {
            Step::Hashing { bytes, .. } if !self.is_hashed(*part) => bytes,
            _ => 0,
        });
        self.bytes_hashed + unfinished.sum::<u64>()
    }

    fn is_hashed(&self, part: u32) -> bool {
        usize::try_from(part).ok().and_then(|part| self.records.get(part)).is_some_and(|record| record.hashed)
    }

    /// Whether every part is confirmed and nothing is being read.
    pub(super) fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.active.is_empty()
    }

    /// Of the whole archive, once every part was hashed.
    pub(super) fn tree_hash(&self) -> Option<TreeHash> {
        let parts: Option<Vec<TreeHash>> = self.records.iter().map(|record| record.tree_hash).collect();
        Some(tree_hash::combine(&parts?))
    }

    fn len_of(&self, part: u32) -> u64 {
        self.plan.range(part).map_or(0, ByteRange::len)
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
