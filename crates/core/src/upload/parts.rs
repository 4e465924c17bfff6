//! Which part is where.

mod known;

use litemap::LiteMap;

use super::Ticket;
use crate::clock::Instant;
use crate::intent::SignedRequest;
use crate::plan::{PartPlan, PlanError};
use crate::range::ByteRange;
use crate::retry::fault::Tries;
use crate::s3::CompositeChecksum;
use crate::tree_hash::{self, PartDigest, TreeHash};
pub(super) use known::{Held, Record};

/// All parts of an upload. Every part is either waiting, active, or confirmed and neither.
#[derive(Debug)]
pub(super) struct Parts {
    /// Of a stream that is still open: the most it may become.
    plan: PartPlan,
    data: Data,
    /// One a part whose bytes are there.
    records: Vec<Record>,
    /// To be hashed.
    pub(super) waiting: LiteMap<u32, ()>,
    /// Held by the driver, at most `in_flight + hash_ahead`.
    pub(super) active: LiteMap<u32, Active>,
    /// Bytes of parts hashed at least once.
    pub(super) bytes_hashed: u64,
    /// Bytes of confirmed parts.
    pub(super) bytes_confirmed: u64,
    pub(super) n_hashed: u32,
    pub(super) n_confirmed: u32,
    /// Bytes of parts that were sent and that the store may hold: its answer did not say.
    bytes_unseen: u64,
    pub(super) n_unseen: u32,
}

/// Where the bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Data {
    /// All are there, and can be read any number of times.
    File,
    /// So many came, and more may. What the store has acknowledged is gone here.
    Open { len: u64 },
    /// All came.
    Ended,
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
    /// Of a file.
    pub(super) fn new(plan: PartPlan) -> Self {
        let mut parts = Self::with(plan, Data::File);
        parts.add(plan.n_parts());
        parts
    }

    /// Of a stream, of which nothing is there yet and which becomes as long as `plan` at the most.
    pub(super) fn open(plan: PartPlan) -> Self {
        Self::with(plan, Data::Open { len: 0 })
    }

    fn with(plan: PartPlan, data: Data) -> Self {
        Self {
            plan,
            data,
            records: Vec::new(),
            waiting: LiteMap::new(),
            active: LiteMap::new(),
            bytes_hashed: 0,
            bytes_confirmed: 0,
            n_hashed: 0,
            n_confirmed: 0,
            bytes_unseen: 0,
            n_unseen: 0,
        }
    }

    /// The bytes of so many parts are there.
    fn add(&mut self, n_parts: u32) {
        let before = count(self.records.iter());
        self.records.resize_with(usize::try_from(n_parts).unwrap_or(0).max(self.records.len()), Record::default);
        for part in before..n_parts {
            self.waiting.insert(part, ());
        }
    }

    /// A stream has `len` bytes by now: every part that is full can be hashed. `false` where it has become too long.
    pub(super) fn grow(&mut self, len: u64) -> bool {
        let Data::Open { len: so_far } = &mut self.data else { return true };
        if len > self.plan.size() {
            return false;
        }
        *so_far = len.max(*so_far);
        let full = *so_far / self.plan.part_size().bytes();
        self.add(u32::try_from(full).unwrap_or(0));
        true
    }

    /// A stream has ended: what is left of it is the last part.
    pub(super) fn end(&mut self) -> Result<(), PlanError> {
        let Data::Open { len } = self.data else { return Ok(()) };
        self.plan = PartPlan::exact(len, self.plan.part_size())?;
        self.data = Data::Ended;
        self.add(self.plan.n_parts());
        Ok(())
    }

    /// How the bytes are cut. Of a stream that is still open: as long as it may become at the most.
    pub(super) const fn plan(&self) -> &PartPlan {
        &self.plan
    }

    /// More bytes may come.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.data, Data::Open { .. })
    }

    /// Whether the store's acknowledgement of a part is the end of its bytes here.
    pub(super) const fn is_stream(&self) -> bool {
        !matches!(self.data, Data::File)
    }

    /// Bytes that are there, or were.
    pub(super) const fn len(&self) -> u64 {
        match self.data {
            Data::Open { len } => len,
            Data::File | Data::Ended => self.plan.size(),
        }
    }

    /// Parts that are there, or were, the one that is being filled included.
    pub(super) fn n_begun(&self) -> u32 {
        u32::try_from(self.len().div_ceil(self.plan.part_size().bytes())).unwrap_or(u32::MAX)
    }

    /// Whether no part can be hashed yet.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn record(&mut self, part: u32) -> Option<&mut Record> {
        self.records.get_mut(usize::try_from(part).ok()?)
    }

    /// What the store acknowledged of the part at an earlier visit.
    pub(super) fn remembered(&self, part: u32) -> Option<TreeHash> {
        self.records.get(usize::try_from(part).ok()?)?.remembered
    }

    pub(super) fn records(&self) -> impl Iterator<Item = (u32, &Record)> {
        (0..).zip(&self.records)
    }

    /// The first waiting part, now being hashed.
    pub(super) fn start_hashing(&mut self, ticket: Ticket) -> Option<(u32, ByteRange)> {
        let (&part, ()) = self.waiting.first()?;
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

    /// Notes that the part's bytes were read and hash to `digest`. `false` where they used to hash to something else, at
    /// this visit.
    pub(super) fn note_hash(&mut self, part: u32, digest: &PartDigest) -> bool {
        let len = self.len_of(part);
        let Some(record) = self.record(part) else { return false };
        if record.digest.is_some_and(|known| known.tree_hash != digest.tree_hash) {
            return false;
        }
        record.digest = Some(*digest);
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

    /// The part was sent, and whether the store holds it is to be seen.
    pub(super) fn note_unseen(&mut self, part: u32) {
        let len = self.len_of(part);
        if let Some(record) = self.record(part).filter(|record| !record.unseen) {
            record.unseen = true;
            self.bytes_unseen += len;
            self.n_unseen += 1;
        }
    }

    /// What the store holds of the part is known now. Whether it was not before.
    pub(super) fn note_seen(&mut self, part: u32) -> bool {
        let len = self.len_of(part);
        let Some(record) = self.record(part).filter(|record| record.unseen) else { return false };
        record.unseen = false;
        self.bytes_unseen -= len;
        self.n_unseen -= 1;
        true
    }

    /// The store no longer holds the part: it has to be hashed and sent again.
    pub(super) fn note_lost(&mut self, part: u32) {
        let len = self.len_of(part);
        if let Some(record) = self.record(part).filter(|record| record.confirmed) {
            record.confirmed = false;
            self.bytes_confirmed -= len;
            self.n_confirmed -= 1;
            if !self.active.contains_key(&part) {
                self.waiting.insert(part, ());
            }
        }
    }

    /// This is another file than that of the record: what the store acknowledged of it proves nothing of this one.
    pub(super) fn forget_remembered(&mut self) {
        for record in &mut self.records {
            record.remembered = None;
        }
    }

    /// All parts are to be read, and no longer for what they were read for before.
    pub(super) fn read_all(&mut self) {
        for part in 0..count(self.records.iter()) {
            self.waiting.insert(part, ());
        }
    }

    /// The upload is gone: nothing the store ever said about a part is true any more.
    pub(super) fn forget_store(&mut self) {
        for part in 0..count(self.records.iter()) {
            self.note_lost(part);
            if self.note_seen(part) {
                self.waiting.insert(part, ());
            }
            if let Some(record) = self.record(part) {
                record.stored = None;
                record.remembered = None;
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

    /// Bytes of confirmed parts, of parts that the store may hold, and of parts on their way.
    pub(super) fn bytes_sent(&self) -> u64 {
        let on_the_way = self.active.values().map(|active| match active.step {
            Step::Sending { sent, .. } => sent,
            _ => 0,
        });
        self.bytes_confirmed + self.bytes_unseen + on_the_way.sum::<u64>()
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

    /// Whether all bytes are there, every part is confirmed and nothing is being read.
    pub(super) fn is_settled(&self) -> bool {
        !self.is_open() && self.is_idle() && self.n_unseen == 0
    }

    /// Whether no part is to be read, being read or on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.active.is_empty()
    }

    /// Of the whole archive, once every part was hashed.
    pub(super) fn tree_hash(&self) -> Option<TreeHash> {
        let parts: Option<Vec<TreeHash>> = self.records.iter().map(Record::tree_hash).collect();
        Some(tree_hash::combine(&parts?))
    }

    /// S3's checksum of the whole, once every part was hashed.
    pub(super) fn checksum(&self) -> Option<CompositeChecksum> {
        let parts: Option<Vec<_>> = self.records.iter().map(|record| record.digest).collect();
        CompositeChecksum::of_parts(parts?.iter().map(|digest| digest.payload_hash))
    }

    /// Of the parts from the first to the last before one that was not hashed yet.
    pub(super) fn tree_hash_so_far(&self) -> Option<TreeHash> {
        let parts: Vec<TreeHash> = self.records.iter().map_while(Record::tree_hash).collect();
        (!parts.is_empty()).then(|| tree_hash::combine(&parts))
    }

    fn len_of(&self, part: u32) -> u64 {
        self.plan.range(part).map_or(0, ByteRange::len)
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
