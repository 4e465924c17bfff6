//! Which piece is where.

use litemap::LiteMap;

use super::SinkOrder;
use super::nodes::Nodes;
use crate::clock::Instant;
use crate::intent::SignedRequest;
use crate::part::PartSize;
use crate::range::ByteRange;
use crate::retry::fault::Tries;
use crate::sha256::PayloadHash;
use crate::tree_hash::TreeHash;
use crate::upload::Ticket;

/// All pieces of an output. Every piece is delivered, active, put back, or not yet begun.
///
/// A piece that fails stays active and keeps its place. Pieces become active in order, so that the one a stream waits
/// for always has a place, however many of those after it are held.
#[derive(Debug)]
pub(super) struct Pieces {
    len: u64,
    size: PartSize,
    order: SinkOrder,
    /// What the sink has.
    pub(super) delivered: Nodes,
    /// By index, at most [`Limits::held`](super::Limits::held).
    pub(super) active: LiteMap<u64, Active>,
    /// Begun and given up for now; before any that was never begun.
    put_back: LiteMap<u64, ()>,
    /// The first that was never begun.
    fresh: u64,
}

/// A piece that has a place.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) range: ByteRange,
    pub(super) step: Step,
    pub(super) tries: Tries,
    /// Times it did not arrive as the store says it is.
    pub(super) refetches: u32,
}

#[derive(Debug)]
pub(super) enum Step {
    /// To be signed.
    Wanted,
    /// To be signed, but not before.
    Waiting(Instant),
    Signing,
    /// To be sent, and until then only.
    Signed {
        request: SignedRequest,
        good_until: Instant,
    },
    Fetching {
        ticket: Ticket,
        received: u64,
        started: Instant,
        due: Instant,
    },
    /// Held, and as the store says it is, if the store says so.
    Fetched(Held),
    Delivering(Held),
}

/// Bytes the driver holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) ticket: Ticket,
    pub(super) tree_hash: TreeHash,
    /// Where it was wanted.
    pub(super) payload_hash: Option<PayloadHash>,
    /// The store gave the same hash.
    pub(super) vouched: bool,
}

impl Pieces {
    pub(super) fn new(len: u64, size: PartSize, order: SinkOrder) -> Self {
        Self {
            len,
            size,
            order,
            delivered: Nodes::new(len),
            active: LiteMap::new(),
            put_back: LiteMap::new(),
            fresh: 0,
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.len.div_ceil(self.size.bytes())
    }

    fn range(&self, piece: u64) -> Option<ByteRange> {
        let start = piece.checked_mul(self.size.bytes())?;
        ByteRange::new(start, start.saturating_add(self.size.bytes()).min(self.len))
    }

    /// Forgets what the sink has but not in whole pieces, and for a stream what does not follow on its beginning.
    pub(super) fn keep_whole_pieces(&mut self) {
        let mut so_far = 0;
        let in_order = self.order == SinkOrder::InOrder;
        let kept: Vec<ByteRange> = self
            .delivered
            .iter()
            .map(|(range, _)| range)
            .filter(|node| {
                let first = self.range(node.start() / self.size.bytes());
                let whole = first.is_some_and(|piece| node.covers(piece));
                let follows = !in_order || node.start() == so_far;
                if whole && follows {
                    so_far = node.end();
                }
                whole && follows
            })
            .collect();
        self.delivered.retain(|range| kept.contains(&range));
    }

    /// For a stream: where the next byte goes.
    pub(super) fn position(&self) -> u64 {
        match self.order {
            SinkOrder::InOrder => self.delivered.known(),
            SinkOrder::Any => 0,
        }
    }

    /// Gives a place to the next piece, if there is one.
    pub(super) fn begin_next(&mut self) -> bool {
        if let Some((&piece, ())) = self.put_back.first() {
            self.put_back.remove(&piece);
            return self.begin(piece);
        }
        while let Some(range) = self.range(self.fresh) {
            match self.delivered.covering(range) {
                // At least one piece further.
                Some(node) => self.fresh = node.end().div_ceil(self.size.bytes()).max(self.fresh + 1),
                None => {
                    self.fresh += 1;
                    return self.begin(self.fresh - 1);
                }
            }
        }
        false
    }

    fn begin(&mut self, piece: u64) -> bool {
        let Some(range) = self.range(piece) else { return false };
        let active = Active { range, step: Step::Wanted, tries: Tries::default(), refetches: 0 };
        self.active.insert(piece, active);
        true
    }

    /// Takes a piece its place.
    pub(super) fn put_back(&mut self, piece: u64) {
        if self.active.remove(&piece).is_some() {
            self.put_back.insert(piece, ());
        }
    }

    pub(super) fn fetching(&mut self, wanted: Ticket) -> Option<(u64, &mut Active)> {
        self.find(|step| matches!(step, Step::Fetching { ticket, .. } if *ticket == wanted))
    }

    pub(super) fn delivering(&mut self, wanted: Ticket) -> Option<(u64, &mut Active)> {
        self.find(|step| matches!(step, Step::Delivering(held) if held.ticket == wanted))
    }

    /// The piece that the sink may be given now.
    pub(super) fn deliverable(&mut self) -> Option<&mut Active> {
        let position = self.position();
        let any = self.order == SinkOrder::Any;
        let may = |active: &Active| any || active.range.start() == position;
        self.active
            .iter_mut()
            .map(|(_, active)| active)
            .find(|active| matches!(active.step, Step::Fetched(_)) && may(active))
    }

    fn find(&mut self, is_wanted: impl Fn(&Step) -> bool) -> Option<(u64, &mut Active)> {
        self.active.iter_mut().find(|(_, active)| is_wanted(&active.step)).map(|(piece, active)| (*piece, active))
    }

    fn n(&self, is_counted: impl Fn(&Step) -> bool) -> u32 {
        let n = self.active.values().filter(|active| is_counted(&active.step)).count();
        u32::try_from(n).unwrap_or(u32::MAX)
    }

    pub(super) fn n_fetching(&self) -> u32 {
        self.n(|step| matches!(step, Step::Fetching { .. }))
    }

    /// Signed or being signed, and not sent.
    pub(super) fn n_signed(&self) -> u32 {
        self.n(|step| matches!(step, Step::Signing | Step::Signed { .. }))
    }

    /// Bytes delivered, held, or arrived of those being fetched.
    pub(super) fn received(&self) -> u64 {
        let of_active = self.active.values().map(|active| match &active.step {
            Step::Fetching { received, .. } => *received,
            Step::Fetched(_) | Step::Delivering(_) => active.range.len(),
            _ => 0,
        });
        self.delivered.known() + of_active.sum::<u64>()
    }
}
