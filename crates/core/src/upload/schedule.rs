//! What to do next, and when to look again.

use super::parts::Step;
use super::stage::{CallStep, Opened, Phase, Stage};
use super::{Command, Journal, Purpose, Signing, Ticket, Upload};
use crate::clock::{Instant, Jitter};
use crate::error::ErrorCode;
use crate::intent::{Intent, MAX_INTENTS};
use crate::part::MIB;
use crate::range::ByteRange;
use crate::retry::fault::Fault;
use crate::retry::{Operation, Verdict};

/// Acknowledgements are gathered this long before the record is stored again, and for every acknowledged part half a
/// millisecond longer: with 10,000 parts it is 640 KB.
const JOURNAL_INTERVAL_MS: u64 = 500;

/// The slowest link that is waited for where the driver sees no bytes leave.
const SLOWEST_BYTES_PER_MS: u64 = 64;

impl Upload {
    /// The next thing to do, or `None` until something happens. Call it until it gives `None`, after every event and
    /// every timeout.
    pub fn poll_command(&mut self, now: Instant) -> Option<Command> {
        if let Some(command) = self.outbox.pop_front() {
            return Some(command);
        }
        match self.phase {
            Phase::Running(_) => self
                .next_part_to_send(now)
                .or_else(|| self.next_to_sign(now))
                .or_else(|| self.next_to_hash(now))
                .or_else(|| self.next_to_save(now)),
            Phase::Aborting(_) => self.next_to_sign(now),
            _ => None,
        }
    }

    pub(super) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn is_transferring(&self) -> bool {
        match &self.phase {
            Phase::Running(Stage::Transfer { .. }) => true,
            Phase::Running(Stage::Put(put)) => put.looking.is_none(),
            _ => false,
        }
    }

    fn next_part_to_send(&mut self, now: Instant) -> Option<Command> {
        if !self.is_transferring() || self.parts.n_sending() >= self.window.allowed() {
            return None;
        }
        let ticket = self.ticket();
        let deadlines = self.config.deadlines;
        for (part, active) in &mut self.parts.active {
            let Step::Signed { digest, good_until, .. } = &active.step else { continue };
            let digest = *digest;
            if now > *good_until {
                active.step = Step::Hashed(digest);
                continue;
            }
            let range = active.range;
            let due = if deadlines.byte_progress {
                now + deadlines.stall_ms
            } else {
                now + deadlines.answer_ms + range.len() / SLOWEST_BYTES_PER_MS
            };
            let sending = Step::Sending { digest, ticket, sent: 0, started: now, due };
            if let Step::Signed { request, .. } = std::mem::replace(&mut active.step, sending) {
                let send = Command::SendPart { ticket, part: *part, range, request };
                self.put_begins(now);
                return Some(send);
            }
        }
        None
    }

    /// From the last byte of a part to its answer. As long again as the sending took is granted on top: what has
    /// left the browser may still stand in the system's buffers, and on a slow link that is minutes.
    pub(super) fn answer_due(&self, range: ByteRange, started: Instant, now: Instant) -> Instant {
        let deadlines = &self.config.deadlines;
        let for_size = deadlines.answer_per_mib_ms.saturating_mul(range.len().div_ceil(MIB));
        now + deadlines.answer_ms.saturating_add(for_size).saturating_add(now.since(started))
    }

    /// One batch of everything that is ready to be sent. Parts are signed one windowful ahead and no more, so that
    /// no signature grows old waiting.
    fn next_to_sign(&mut self, now: Instant) -> Option<Command> {
        if self.sign.open.is_some() || self.sign.not_before.is_some() {
            return None;
        }
        let (mut purposes, mut intents) = (Vec::new(), Vec::new());
        if let Some(intent) = self.call_intent() {
            if let Some((call, _)) = self.phase.call_mut() {
                call.step = CallStep::Signing;
            }
            purposes.push(Purpose::Call);
            intents.push(intent);
        }
        if let Phase::Running(stage) = &self.phase
            && self.is_transferring()
        {
            let (is_stream, size) = (self.parts.is_stream(), self.parts.plan().size());
            let room = (self.window.allowed().saturating_mul(2)).saturating_sub(self.parts.n_signed());
            let room = usize::try_from(room).map_or(MAX_INTENTS, |room| room.min(MAX_INTENTS));
            for (part, active) in &mut self.parts.active {
                if intents.len() >= room {
                    break;
                }
                let Step::Hashed(digest) = active.step else { continue };
                let intent = match stage.opened() {
                    Some(opened) => opened.id.send(*part, active.range, &digest, is_stream),
                    None => self.config.target.object().map(|object| object.put(size, &digest)),
                };
                let Some(intent) = intent else { continue };
                active.step = Step::Signing(digest);
                purposes.push(Purpose::Part(*part));
                intents.push(intent);
            }
        }
        if intents.is_empty() {
            return None;
        }
        let ticket = self.ticket();
        self.sign.open = Some(Signing { ticket, due: now + self.config.deadlines.sign_ms, purposes });
        Some(Command::Sign { ticket, intents })
    }

    /// What the request without a body is to be, if one is to be signed now.
    fn call_intent(&self) -> Option<Intent> {
        let (call, operation) = self.phase.call()?;
        if !matches!(call.step, CallStep::Wanted) {
            return None;
        }
        let size = self.parts.plan().size();
        Some(match (&self.phase, operation) {
            (Phase::Aborting(abort), _) => {
                let Opened { id, maybe_complete } = abort.opened.as_ref()?;
                match (operation, maybe_complete) {
                    (Operation::CompleteMultipartUpload, Some(tree_hash)) => {
                        return id.complete(size, *tree_hash, self.parts.checksum());
                    }
                    _ => id.abort(),
                }
            }
            // A stream that turns out to be empty must leave nothing behind.
            (Phase::Running(Stage::Initiate { .. }), _) if self.parts.is_empty() => return None,
            (Phase::Running(Stage::Initiate { .. }), _) => self.config.target.open(self.parts.plan()),
            (Phase::Running(Stage::Put(_)), _) => self.config.target.object()?.head(),
            (Phase::Running(Stage::List(listing)), _) => listing.opened.id.list(listing.marker.clone()),
            (Phase::Running(Stage::Complete(completion)), _) if completion.saving.is_none() => {
                return completion.opened.id.complete(size, completion.tree_hash, self.parts.checksum());
            }
            _ => return None,
        })
    }

    fn next_to_hash(&mut self, now: Instant) -> Option<Command> {
        let limits = self.config.limits;
        let (in_flight, hash_ahead) = (limits.in_flight.max(1), limits.hash_ahead.max(1));
        let active = u32::try_from(self.parts.active.len()).unwrap_or(u32::MAX);
        let is_time = matches!(&self.phase, Phase::Running(stage) if !matches!(stage, Stage::Complete(_)));
        if !is_time || self.parts.n_ahead() >= hash_ahead || active >= in_flight.saturating_add(hash_ahead) {
            return None;
        }
        if !self.parts.is_hashing() {
            self.hash_due = now + self.config.deadlines.stall_ms;
        }
        let ticket = self.ticket();
        let (part, range) = self.parts.start_hashing(ticket)?;
        Some(Command::HashPart { ticket, part, range })
    }

    fn next_to_save(&mut self, now: Instant) -> Option<Command> {
        let is_due = self.journal_due().is_some_and(|due| due <= now);
        is_due.then(|| self.save_journal(now).1)
    }

    /// When the record is to be stored again.
    fn journal_due(&self) -> Option<Instant> {
        let wait = JOURNAL_INTERVAL_MS + u64::from(self.parts.n_confirmed / 2);
        self.journal_dirty.then(|| self.journal_saved + wait)
    }

    /// The record as of now, to be stored.
    pub(super) fn save_journal(&mut self, now: Instant) -> (Ticket, Command) {
        self.journal_dirty = false;
        self.journal_saved = now;
        let ticket = self.ticket();
        let journal = self.journal();
        (ticket, Command::SaveJournal { ticket, journal })
    }

    fn journal(&self) -> Journal {
        let stage = match &self.phase {
            Phase::Planned(stage) | Phase::Running(stage) | Phase::Paused(_, stage) | Phase::Failed(_, stage) => {
                Some(stage)
            }
            Phase::Aborting(_) | Phase::Done(_) | Phase::Aborted => None,
        };
        let completing = match stage {
            Some(Stage::Complete(completion)) => Some(completion.tree_hash),
            Some(Stage::Put(put)) if put.doubt => self.parts.tree_hash_so_far().or(self.parts.remembered(0)),
            Some(stage) => stage.opened().and_then(|opened| opened.maybe_complete),
            None => None,
        };
        let acknowledged = self.parts.records().filter_map(|(part, record)| {
            let tree_hash = if record.confirmed { record.tree_hash() } else { record.remembered };
            Some((part, tree_hash?))
        });
        Journal {
            target: self.config.target.clone(),
            plan: *self.parts.plan(),
            upload: stage.and_then(Stage::opened).map(|opened| opened.id.clone()),
            acknowledged: acknowledged.collect(),
            completing,
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let mut next = None;
        let mut consider = |due: Instant| next = Some(next.map_or(due, |next: Instant| next.min(due)));
        match &self.phase {
            Phase::Running(Stage::Complete(completion)) => {
                if let Some((_, due)) = completion.saving {
                    consider(due);
                }
            }
            Phase::Running(_) => {
                if let Some(due) = self.journal_due() {
                    consider(due);
                }
            }
            Phase::Aborting(abort) => consider(abort.until),
            _ => return None,
        }
        if let Some(signing) = &self.sign.open {
            consider(signing.due);
        }
        if let Some(not_before) = self.sign.not_before {
            consider(not_before);
        }
        if let Some(CallStep::Sending { due, .. } | CallStep::Waiting(due)) =
            self.phase.call().map(|(call, _)| &call.step)
        {
            consider(*due);
        }
        for active in self.parts.active.values() {
            match active.step {
                Step::Sending { due, .. } | Step::Waiting(_, due) => consider(due),
                Step::Hashing { .. } => consider(self.hash_due),
                _ => {}
            }
        }
        next
    }

    /// Time has come: waits end, and what stood still too long is cancelled and tried again. Harmless when called
    /// early or for nothing.
    pub fn handle_timeout(&mut self, now: Instant, jitter: Jitter) {
        if !matches!(self.phase, Phase::Running(_) | Phase::Aborting(_)) {
            return;
        }
        self.end_waits(now);
        if let Some(signing) = self.sign.open.take_if(|signing| signing.due <= now) {
            self.outbox.push_back(Command::Cancel { ticket: signing.ticket });
            let fault = Fault::silence(Verdict::Retry(ErrorCode::Stalled), "The gateway did not answer in time");
            self.sign_fault(signing, fault, now, jitter);
        }
        if let Some((call, operation)) = self.phase.call_mut()
            && let CallStep::Sending { ticket, due } = call.step
            && due <= now
        {
            call.step = CallStep::Wanted;
            self.outbox.push_back(Command::Cancel { ticket });
            let fault = Fault::silence(Verdict::Retry(ErrorCode::Stalled), "The store did not answer in time");
            self.call_fault(operation, fault, now, jitter);
        }
        let stalled = |step: &Step| matches!(step, Step::Sending { due, .. } if *due <= now);
        let stalled: Vec<u32> =
            self.parts.active.iter().filter(|(_, active)| stalled(&active.step)).map(|(part, _)| *part).collect();
        for part in stalled {
            // A failure of one part may have stopped all the others.
            if let Some(Step::Sending { ticket, sent, .. }) = self.parts.active.get(&part).map(|active| &active.step) {
                let (ticket, sent) = (*ticket, *sent);
                self.outbox.push_back(Command::Cancel { ticket });
                let words = if self.parts.plan().range(part).is_some_and(|range| range.len() == sent) {
                    "The part was sent and no answer came in time"
                } else {
                    "No byte of the part left in time"
                };
                self.part_fault(part, Fault::silence(Verdict::Retry(ErrorCode::Stalled), words), now, jitter);
            }
        }
        if self.parts.is_hashing() && self.hash_due <= now {
            self.hashing_stalled(now);
        }
        if matches!(&self.phase, Phase::Aborting(abort) if abort.until <= now) {
            self.finish_abort(now);
        }
        self.advance(now);
        self.raise_marks();
    }

    fn end_waits(&mut self, now: Instant) {
        self.sign.not_before.take_if(|not_before| *not_before <= now);
        if let Some((call, _)) = self.phase.call_mut()
            && matches!(call.step, CallStep::Waiting(until) if until <= now)
        {
            call.step = CallStep::Wanted;
        }
        if let Phase::Running(Stage::Complete(completion)) = &mut self.phase {
            // No answer about the record: the upload goes on without it.
            completion.saving.take_if(|(_, due)| *due <= now);
        }
        for (_, active) in &mut self.parts.active {
            if let Step::Waiting(digest, until) = active.step
                && until <= now
            {
                active.step = Step::Hashed(digest);
            }
        }
    }
}
