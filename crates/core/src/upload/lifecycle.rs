//! From one state to the next.

use super::parts::{Held, Step};
use super::stage::{Call, CallStep, Completion, Listing, Opened, Phase, Stage};
use super::target::Page;
use super::{Command, Outcome, PauseReason, StoreUpload, Stored, Upload};
use crate::clock::{Instant, Jitter};
use crate::error::{ErrorCode, UploadError};
use crate::glacier::{AnswerError, Response};
use crate::intent::SignedRequest;
use crate::retry::Operation;
use crate::retry::fault::{Fault, Tries};
use crate::tree_hash::TreeHash;

impl Upload {
    pub(super) fn start(&mut self) {
        if matches!(self.phase, Phase::Planned(_)) {
            self.go();
        }
    }

    pub(super) fn resume_now(&mut self) {
        match &self.phase {
            Phase::Paused(PauseReason::User, _) => self.go(),
            Phase::Failed(error, _) if error.retryable => self.go(),
            _ => {}
        }
    }

    pub(super) fn online(&mut self) {
        self.offline = false;
        if matches!(self.phase, Phase::Paused(PauseReason::Offline, _)) {
            self.go();
        }
    }

    pub(super) fn pause(&mut self, reason: PauseReason, now: Instant) {
        if !matches!(self.phase, Phase::Running(_) | Phase::Paused(PauseReason::Offline, _)) {
            return;
        }
        // Without network nothing was done wrong, and it may be back in a second: what is hashed is kept.
        self.suspend(reason == PauseReason::Offline);
        match std::mem::replace(&mut self.phase, Phase::Aborted) {
            Phase::Running(stage) | Phase::Paused(_, stage) => self.phase = Phase::Paused(reason, stage),
            other => self.phase = other,
        }
        if self.journal_dirty {
            let (_, save) = self.save_journal(now);
            self.outbox.push_back(save);
        }
    }

    /// Runs the stage that was waiting, with all budgets full.
    fn go(&mut self) {
        let (Phase::Planned(mut stage) | Phase::Paused(_, mut stage) | Phase::Failed(_, mut stage)) =
            std::mem::replace(&mut self.phase, Phase::Aborted)
        else {
            return;
        };
        if let Some((call, _)) = stage.call_mut() {
            *call = Call::default();
        }
        for (_, active) in &mut self.parts.active {
            active.tries = Tries::default();
        }
        self.sign.tries = Tries::default();
        self.sign.not_before = None;
        self.parts.forget_rereads();
        (self.worker_failures, self.repairs, self.reinitiated) = (0, 0, false);
        self.phase = if self.offline { Phase::Paused(PauseReason::Offline, stage) } else { Phase::Running(stage) };
    }

    /// Stops everything in flight. The buffers of parts that were hashed are kept or given back.
    pub(super) fn suspend(&mut self, keep_buffers: bool) {
        self.speed.stop();
        self.sign.not_before = None;
        if let Some(signing) = self.sign.open.take() {
            self.outbox.push_back(Command::Cancel { ticket: signing.ticket });
        }
        if let Some((call, _)) = self.phase.call_mut() {
            if let CallStep::Sending { ticket, .. } = call.step {
                self.outbox.push_back(Command::Cancel { ticket });
            }
            call.step = CallStep::Wanted;
        }
        let parts: Vec<u32> = self.parts.active.keys().copied().collect();
        for part in parts {
            if let Some(active) = self.parts.active.get_mut(&part) {
                if let Step::Sending { ticket, .. } = active.step {
                    self.outbox.push_back(Command::Cancel { ticket });
                }
                if let Some(digest) = active.step.digest() {
                    active.step = Step::Hashed(digest);
                }
            }
            if !keep_buffers {
                self.release(part);
                self.parts.waiting.insert(part, ());
            }
        }
    }

    /// Sends the request without a body, now that it is signed.
    pub(super) fn send_call(&mut self, request: SignedRequest, now: Instant) {
        let ticket = self.ticket();
        let deadlines = self.config.deadlines;
        let Some((call, operation)) = self.phase.call_mut() else { return };
        let patience = match operation {
            Operation::CompleteMultipartUpload => deadlines.complete_ms,
            _ => deadlines.answer_ms,
        };
        call.step = CallStep::Sending { ticket, due: now + patience };
        if let Phase::Running(Stage::Complete(completion)) = &mut self.phase {
            completion.doubt_before = completion.opened.maybe_complete;
            completion.opened.maybe_complete = Some(completion.tree_hash);
        }
        self.outbox.push_back(Command::Send { ticket, request });
    }

    /// The request without a body was answered.
    pub(super) fn call_answered(&mut self, operation: Operation, response: &Response, now: Instant, jitter: Jitter) {
        if let Some((call, _)) = self.phase.call_mut() {
            call.step = CallStep::Wanted;
        }
        let read = match operation {
            Operation::InitiateMultipartUpload => {
                self.config.target.read_opened(response).map(|id| self.opened(id, now))
            }
            Operation::S3HeadObject => crate::s3::head_object::read(response).map(|head| self.looked(head, now)),
            Operation::ListParts => self.read_page(response).and_then(|page| self.listed(page, now)),
            Operation::CompleteMultipartUpload => self.read_completed(response),
            _ => self.read_aborted(response, now),
        };
        match read {
            Ok(()) => self.progress_made(),
            Err(error) => {
                let named = self.config.target.named(operation);
                self.call_fault(operation, Fault::answer(named, error, response), now, jitter);
            }
        }
    }

    fn read_page(&self, response: &Response) -> Result<Page, AnswerError> {
        match self.phase.opened() {
            Some(opened) => opened.id.read_page(response, self.parts.plan()),
            None => Err(AnswerError::NotGlacier { status: response.status }),
        }
    }

    fn read_completed(&mut self, response: &Response) -> Result<(), AnswerError> {
        let (Some(opened), Some(tree_hash)) = (self.phase.opened(), self.completing()) else { return Ok(()) };
        let size = self.parts.plan().size();
        let stored = opened.id.read_completed(response, size, tree_hash, self.parts.checksum())?;
        self.done(stored, tree_hash);
        Ok(())
    }

    fn read_aborted(&mut self, response: &Response, now: Instant) -> Result<(), AnswerError> {
        let Some(opened) = self.phase.opened() else { return Ok(()) };
        let removed = opened.id.read_aborted(response)?;
        self.removed(removed, now);
        Ok(())
    }

    fn completing(&self) -> Option<TreeHash> {
        match &self.phase {
            Phase::Running(Stage::Complete(completion)) => Some(completion.tree_hash),
            Phase::Aborting(abort) => abort.opened.as_ref()?.maybe_complete,
            _ => None,
        }
    }

    /// InitiateMultipartUpload succeeded.
    fn opened(&mut self, id: StoreUpload, now: Instant) {
        let opened = Opened { id, maybe_complete: None };
        match &mut self.phase {
            Phase::Running(stage) => {
                *stage = Stage::Transfer { opened };
                let (_, save) = self.save_journal(now);
                self.outbox.push_back(save);
            }
            Phase::Aborting(abort) => abort.opened = Some(opened),
            _ => {}
        }
    }

    /// A page of ListParts.
    fn listed(&mut self, page: Page, now: Instant) -> Result<(), AnswerError> {
        let Phase::Running(Stage::List(listing)) = &mut self.phase else { return Ok(()) };
        listing.stored.extend(page.parts);
        listing.pages += 1;
        if let Some(marker) = page.marker {
            listing.marker = Some(marker);
            listing.call = Call::default();
            // At least one part a page; more pages than parts go in a circle.
            let in_a_circle = listing.pages > self.parts.plan().n_parts();
            return if in_a_circle { Err(AnswerError::Unreadable { name: "Parts" }) } else { Ok(()) };
        }
        let opened = listing.opened.clone();
        let mut stored = vec![None; usize::try_from(self.parts.plan().n_parts()).unwrap_or(0)];
        for (part, held) in std::mem::take(&mut listing.stored) {
            if let Some(slot) = usize::try_from(part).ok().and_then(|part| stored.get_mut(part)) {
                *slot = Some(held);
            }
        }
        self.phase = Phase::Running(Stage::Transfer { opened });
        for (part, stored) in (0..).zip(stored) {
            self.settle_stored(part, stored, now);
            if !matches!(self.phase, Phase::Running(_)) {
                break;
            }
        }
        Ok(())
    }

    /// What the store holds of a part is known now.
    fn settle_stored(&mut self, part: u32, stored: Option<Held>, now: Instant) {
        let was_unseen = self.parts.note_seen(part);
        let Some(record) = self.parts.record(part) else { return };
        record.stored = stored;
        record.remembered.take_if(|remembered| match stored {
            Some(Held::Tree(hash)) => hash != *remembered,
            // S3 keeps another hash, which says nothing of this one.
            Some(Held::Payload(_)) => false,
            None => true,
        });
        let is_ours = record.digest.is_some_and(|digest| stored.is_some_and(|stored| stored.is(&digest)));
        if was_unseen {
            if is_ours { self.confirm(part) } else { self.send_again(part, now) }
        } else if record.confirmed && !is_ours {
            if self.parts.is_stream() {
                return self.fail(lost_for_good(part), now);
            }
            self.parts.note_lost(part);
        } else if let Some(Step::Hashed(digest)) = self.parts.active.get(&part).map(|active| &active.step)
            && stored.is_some_and(|stored| stored.is(digest))
        {
            self.confirm(part);
        }
    }

    /// What was sent of a part did not get there, though nobody said so.
    fn send_again(&mut self, part: u32, now: Instant) {
        if self.may_reread(part) {
            self.parts.waiting.insert(part, ());
        } else {
            let words = "The store said that it had stored the part, and does not hold it";
            let error = UploadError::new(ErrorCode::ChecksumMismatchPart, words).retryable(true);
            self.fail(error.in_part(Some(part)), now);
        }
    }

    /// The store holds the part as it was hashed.
    pub(super) fn confirm(&mut self, part: u32) {
        self.parts.note_confirmed(part);
        self.release(part);
        if self.parts.is_stream() {
            self.outbox.push_back(Command::DropPart { part });
        }
        self.journal_dirty = true;
    }

    /// Something got through: the way to the store works.
    pub(super) fn progress_made(&mut self) {
        for (_, active) in &mut self.parts.active {
            active.tries.progress();
        }
    }

    /// Goes on to the next stage when this one is finished.
    pub(super) fn advance(&mut self, now: Instant) {
        if !self.parts.is_settled() {
            return self.look_for_unseen();
        }
        let opened = match &self.phase {
            Phase::Running(Stage::Transfer { opened }) => opened,
            Phase::Running(Stage::Recheck { opened, tree_hash }) => {
                return self.rechecked(*tree_hash, opened.clone(), now);
            }
            _ => return,
        };
        if self.config.reread && !self.rereading && !self.parts.is_stream() {
            self.rereading = true;
            return self.parts.read_all();
        }
        let Some(tree_hash) = self.parts.tree_hash() else { return };
        let opened = opened.clone();
        let doubt_before = opened.maybe_complete;
        let completion = Completion { opened, tree_hash, call: Call::default(), saving: None, doubt_before };
        self.phase = Phase::Running(Stage::Complete(completion));
        let (ticket, save) = self.save_journal(now);
        let due = now + self.config.deadlines.journal_ms;
        if let Phase::Running(Stage::Complete(completion)) = &mut self.phase {
            completion.saving = Some((ticket, due));
        }
        self.outbox.push_back(save);
    }

    /// Asks the store for the parts of which the page may not see the acknowledgement, as late as that can be: when
    /// nothing else is to be done, or a stream waits for room.
    fn look_for_unseen(&mut self) {
        let Phase::Running(Stage::Transfer { opened }) = &self.phase else { return };
        let can_take_more = self.intake().is_some_and(|intake| intake.room > 0);
        if self.parts.n_unseen > 0 && self.parts.is_idle() && !can_take_more {
            self.phase = Phase::Running(Stage::List(Listing::new(opened.clone(), true)));
        }
    }

    /// The upload is gone and CompleteMultipartUpload may have been carried out: repeat it.
    pub(super) fn ask_again(&mut self, tree_hash: TreeHash) {
        self.suspend(false);
        let Phase::Running(stage) = &self.phase else { return };
        if let Some(opened) = stage.opened().cloned() {
            self.complete_again(opened, tree_hash);
        }
    }

    pub(super) fn complete_again(&mut self, opened: Opened, tree_hash: TreeHash) {
        let doubt_before = opened.maybe_complete;
        let completion = Completion { opened, tree_hash, call: Call::default(), saving: None, doubt_before };
        self.phase = Phase::Running(Stage::Complete(completion));
    }

    /// The upload is gone: from zero, with another one.
    pub(super) fn begin_anew(&mut self) {
        self.suspend(true);
        self.parts.forget_store();
        (self.rereading, self.repairs) = (false, 0);
        let first = Self::first_stage(&self.config);
        if let Phase::Running(stage) = &mut self.phase {
            // A stream has no other, whatever it was planned for.
            *stage = if self.parts.is_stream() { Stage::Initiate { call: Call::default() } } else { first };
        }
    }

    /// The store has it, and its hash is ours.
    pub(super) fn done(&mut self, stored: Stored, tree_hash: TreeHash) {
        self.suspend(false);
        self.phase = Phase::Done(Outcome { stored, tree_hash, size: self.parts.plan().size() });
        self.outbox.push_back(Command::DropJournal);
    }
}

/// The store acknowledged a part of a stream and has it no longer.
fn lost_for_good(part: u32) -> UploadError {
    let words = "The store no longer has a part that it had acknowledged, and the stream's bytes are gone";
    UploadError::new(ErrorCode::ChecksumMismatchWhole, words)
        .hint("Record or generate the data again; if it happens again, tell whoever runs the server.")
        .in_part(Some(part))
}
