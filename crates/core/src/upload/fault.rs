//! What is done about what goes wrong.

use super::parts::Step;
use super::stage::{CallStep, Listing, Phase, Stage};
use super::{Command, Purpose, Signing, Upload};
use crate::clock::{Instant, Jitter};
use crate::error::{ErrorCode, UploadError};
use crate::retry::fault::{Fault, Next, weigh};
use crate::retry::{Operation, Verdict};

/// Times the store is asked what it holds because it did not agree about the whole.
const MAX_REPAIRS: u32 = 2;

impl Upload {
    /// A stranger at the very first request is a wrong address and no passing trouble.
    fn judge_stranger(&self, fault: &mut Fault) {
        let is_first = matches!(self.phase, Phase::Running(Stage::Initiate { .. } | Stage::Put(_)));
        let first_contact = is_first && !self.reinitiated;
        if first_contact && fault.verdict == Verdict::Retry(ErrorCode::NotOurServer) {
            fault.verdict = Verdict::GiveUp(ErrorCode::NotOurServer);
        }
    }

    /// A batch was not signed.
    pub(super) fn sign_fault(&mut self, signing: Signing, mut fault: Fault, now: Instant, jitter: Jitter) {
        for purpose in signing.purposes {
            match purpose {
                Purpose::Call => {
                    if let Some((call, _)) = self.phase.call_mut() {
                        call.step = CallStep::Wanted;
                    }
                }
                Purpose::Part(part) => {
                    if let Some(active) = self.parts.active.get_mut(&part)
                        && let Step::Signing(digest) = active.step
                    {
                        active.step = Step::Hashed(digest);
                    }
                }
            }
        }
        self.judge_stranger(&mut fault);
        match weigh(&self.config.retry, &mut self.sign.tries, &fault, now, jitter) {
            Next::Now => {}
            Next::At(at) => self.sign.not_before = Some(at),
            Next::Fail(code, retryable) => self.fail(fault.into_error(code, retryable), now),
            Next::Else(_) => self.fail(fault.into_error(ErrorCode::SignFailed, false), now),
        }
    }

    /// The request without a body failed.
    pub(super) fn call_fault(&mut self, operation: Operation, mut fault: Fault, now: Instant, jitter: Jitter) {
        self.judge_stranger(&mut fault);
        if operation == Operation::InitiateMultipartUpload && matches!(self.phase, Phase::Aborting(_)) {
            // No upload was opened, or none that could be named.
            return self.finish_abort(now);
        }
        if operation == Operation::S3HeadObject && fault.verdict == Verdict::Fatal(ErrorCode::ObjectNotFound) {
            return self.put_again(now);
        }
        if fault.verdict == Verdict::Gone && operation == Operation::CompleteMultipartUpload {
            self.not_completed();
        }
        let Some((call, _)) = self.phase.call_mut() else { return };
        call.step = CallStep::Wanted;
        match weigh(&self.config.retry, &mut call.tries, &fault, now, jitter) {
            Next::Now => {}
            Next::At(at) => call.step = CallStep::Waiting(at),
            Next::Fail(ErrorCode::ChecksumMismatchWhole, _) => {
                self.fail(fault.into_error(ErrorCode::ChecksumMismatchWhole, false), now);
            }
            Next::Fail(code, retryable) => self.fail(fault.into_error(code, retryable), now),
            Next::Else(_) if matches!(self.phase, Phase::Aborting(_)) => self.finish_abort(now),
            Next::Else(Verdict::Repair) => self.repair(fault, now),
            Next::Else(Verdict::Gone) if operation != Operation::InitiateMultipartUpload => self.gone(fault, now),
            Next::Else(_) => self.fail(fault.into_error(ErrorCode::Refused, false), now),
        }
    }

    /// "No such upload" to CompleteMultipartUpload is the one answer that proves that this request made nothing. After any
    /// other refusal a proxy's second copy of the request may still arrive, and be carried out once the parts are repaired.
    fn not_completed(&mut self) {
        let is_object = self.config.target.object().is_some();
        match &mut self.phase {
            // Of an object the gateway says so only after it has looked for it, so that no earlier request made it either.
            Phase::Running(Stage::Complete(completion)) => {
                completion.opened.maybe_complete = completion.doubt_before.filter(|_| !is_object);
            }
            Phase::Aborting(abort) if is_object => {
                if let Some(opened) = &mut abort.opened {
                    opened.maybe_complete = None;
                }
            }
            _ => {}
        }
    }

    /// A part was not sent, or not acknowledged.
    pub(super) fn part_fault(&mut self, part: u32, mut fault: Fault, now: Instant, jitter: Jitter) {
        let Some(active) = self.parts.active.get_mut(&part) else { return };
        let Some(digest) = active.step.digest() else { return };
        if let (Verdict::SlowDown(_), Step::Sending { started, .. }) = (fault.verdict, &active.step) {
            self.window.narrow(*started, now);
        }
        active.step = Step::Hashed(digest);
        match weigh(&self.config.retry, &mut active.tries, &fault, now, jitter) {
            Next::Now => {}
            Next::At(at) => active.step = Step::Waiting(digest, at),
            Next::Fail(code, retryable) => {
                let error = fault.into_error(code, retryable).in_part(Some(part));
                let error = if code == ErrorCode::Network { self.hint_at_cors(error) } else { error };
                self.fail(error, now);
            }
            Next::Else(Verdict::Reread) => {
                if !self.may_reread(part) {
                    fault.message.insert_str(0, "The part did not arrive as it was read. ");
                    let error = fault.into_error(ErrorCode::ChecksumMismatchPart, true);
                    return self.fail(error.in_part(Some(part)), now);
                }
                self.release(part);
                self.parts.waiting.insert(part, ());
            }
            Next::Else(_) => self.gone(fault, now),
        }
    }

    /// Whether the part may be read and sent once more because it did not arrive. Counts.
    pub(super) fn may_reread(&mut self, part: u32) -> bool {
        let most = self.config.retry.max_rereads;
        let Some(record) = self.parts.record(part).filter(|record| record.rereads < most) else { return false };
        record.rereads += 1;
        true
    }

    /// A browser does not tell a bucket whose rules keep the page out from a network that is down. As long as nothing got
    /// through, both are likely.
    fn hint_at_cors(&self, error: UploadError) -> UploadError {
        if self.config.target.object().is_none() || self.parts.n_confirmed + self.parts.n_unseen > 0 {
            return error;
        }
        error.hint(
            "Check the connection. If it works, the bucket's CORS rules do not let this page in: they must allow its \
             origin, the method PUT and the header x-amz-checksum-sha256.",
        )
    }

    /// The store does not agree about the whole: which parts does it hold?
    fn repair(&mut self, fault: Fault, now: Instant) {
        let Phase::Running(stage @ Stage::Complete(_)) = &mut self.phase else { return };
        self.repairs += 1;
        if self.repairs > MAX_REPAIRS {
            return self.fail(fault.into_error(ErrorCode::ChecksumMismatchWhole, false), now);
        }
        if let Some(opened) = stage.opened().cloned() {
            *stage = Stage::List(Listing::new(opened, true));
        }
    }

    /// The store has no such upload.
    fn gone(&mut self, fault: Fault, now: Instant) {
        let Phase::Running(stage) = &mut self.phase else { return };
        let maybe_complete = stage.opened().and_then(|opened| opened.maybe_complete);
        match (maybe_complete, &stage) {
            (Some(_), Stage::Complete(_)) => {
                // Completed so long ago that the store has forgotten, or expired without. Sending everything again
                // could store the archive twice.
                let error = fault.into_error(ErrorCode::UploadExpired, false).hint(
                    "The archive may exist or not: look for it in the vault's inventory before you upload the file again.",
                );
                self.fail(error, now);
            }
            // The answer that was lost may have been yes. Repeating the question brings the same archive.
            (Some(tree_hash), _) => self.ask_again(tree_hash),
            (None, _) if self.parts.is_stream() && self.parts.n_confirmed > 0 => {
                let error = fault.into_error(ErrorCode::UploadExpired, false).hint(
                    "What was stored of the stream is gone, and so are its bytes here: record or generate them again.",
                );
                self.fail(error, now);
            }
            (None, _) => {
                let again = !self.reinitiated;
                self.begin_anew();
                self.reinitiated = true;
                if again {
                    let (_, save) = self.save_journal(now);
                    self.outbox.push_back(save);
                } else {
                    self.fail(fault.into_error(ErrorCode::UploadExpired, true), now);
                }
            }
        }
    }

    /// No hash came and none moved.
    pub(super) fn hashing_stalled(&mut self, now: Instant) {
        let hashing = |step: &Step| matches!(step, Step::Hashing { .. });
        let stuck: Vec<u32> =
            self.parts.active.iter().filter(|(_, active)| hashing(&active.step)).map(|(part, _)| *part).collect();
        for part in &stuck {
            self.release(*part);
            self.parts.waiting.insert(*part, ());
        }
        self.worker_failed("No byte of the file was hashed in time", stuck.first().copied(), now);
    }

    /// A worker stopped; the part is to be hashed again.
    pub(super) fn worker_failed(&mut self, message: &str, part: Option<u32>, now: Instant) {
        self.worker_failures += 1;
        if self.worker_failures > self.config.retry.max_rereads {
            self.fail(UploadError::new(ErrorCode::WorkerFailed, message).retryable(true).in_part(part), now);
        }
    }

    /// Stops with an error. Acknowledged parts are kept at the store, but for a stream's that cannot go on.
    pub(super) fn fail(&mut self, error: UploadError, now: Instant) {
        if matches!(self.phase, Phase::Aborting(_)) {
            return self.finish_abort(now);
        }
        if !matches!(self.phase, Phase::Running(_) | Phase::Paused(..)) {
            return;
        }
        // Of a stream nobody can begin again with what has gone by, so nothing of it is left lying in the store. Where
        // the store says that there is no upload, there is nothing to remove and perhaps an archive.
        if self.parts.is_stream() && !error.retryable && error.code != ErrorCode::UploadExpired {
            return self.remove(Some(error), now);
        }
        self.suspend(false);
        // Nothing can go on from a record of an upload that is gone for good, and the user has been told. Kept, it
        // would end the next try in the same way.
        let is_gone = error.code == ErrorCode::UploadExpired && !error.retryable;
        if let Phase::Running(stage) | Phase::Paused(_, stage) = std::mem::replace(&mut self.phase, Phase::Aborted) {
            self.phase = Phase::Failed(error, stage);
        }
        let (_, save) = self.save_journal(now);
        self.outbox.push_back(if is_gone { Command::DropJournal } else { save });
    }

    /// The part's bytes are not needed any more.
    pub(super) fn release(&mut self, part: u32) {
        if self.parts.active.remove(&part).is_some() {
            self.outbox.push_back(Command::ReleasePart { part });
        }
    }
}
