//! What the driver reports, one report at a time.

use super::parts::Step;
use super::stage::{CallStep, Opened, Phase, Stage};
use super::{HashFailure, Purpose, SendFailure, Signing, Ticket, Upload};
use crate::clock::{Instant, Jitter};
use crate::error::{ErrorCode, UploadError};
use crate::glacier::{AnswerError, Response};
use crate::intent::SignedRequest;
use crate::retry::fault::{Fault, Tries};
use crate::retry::{Operation, Verdict};
use crate::s3::upload_part::Acknowledgement;
use crate::tree_hash::{PartDigest, TreeHash};

impl Upload {
    pub(super) fn hash_progress(&mut self, ticket: Ticket, bytes: u64, now: Instant) {
        let Some((_, active)) = self.parts.hashing(ticket) else { return };
        let len = active.range.len();
        if let Step::Hashing { bytes: so_far, .. } = &mut active.step
            && bytes > *so_far
        {
            *so_far = bytes.min(len);
            self.hash_due = now + self.config.deadlines.stall_ms;
        }
    }

    pub(super) fn hashed(&mut self, ticket: Ticket, digest: &PartDigest, now: Instant) {
        let Some((part, active)) = self.parts.hashing(ticket) else { return };
        active.step = Step::Hashed(*digest);
        self.hash_due = now + self.config.deadlines.stall_ms;
        self.worker_failures = 0;
        if !self.parts.note_hash(part, digest) {
            let error =
                UploadError::new(ErrorCode::FileChanged, "The file's bytes are not those that were read before");
            return self.fail(error.in_part(Some(part)), now);
        }
        let Some(record) = self.parts.record(part) else { return };
        if record.remembered.is_some_and(|remembered| remembered != digest.tree_hash) {
            if !self.guessed {
                return self.fail(other_file().in_part(Some(part)), now);
            }
            self.parts.forget_remembered();
        }
        if matches!(self.phase, Phase::Running(Stage::Recheck { .. }) | Phase::Paused(_, Stage::Recheck { .. })) {
            return self.release(part);
        }
        let is_listed =
            matches!(self.phase, Phase::Running(Stage::Transfer { .. }) | Phase::Paused(_, Stage::Transfer { .. }));
        let Some(record) = self.parts.record(part) else { return };
        if record.confirmed {
            // Read a second time, and the same.
            self.release(part);
        } else if is_listed && record.rereads == 0 && record.stored.is_some_and(|stored| stored.is(digest)) {
            self.confirm(part);
        }
    }

    /// The file of the record that was resumed was read to its end.
    pub(super) fn rechecked(&mut self, tree_hash: TreeHash, opened: Opened, now: Instant) {
        let is_same = self.parts.tree_hash() == Some(tree_hash);
        if !is_same && !self.guessed {
            return self.fail(other_file(), now);
        }
        // Read again where the store does not agree about the whole.
        self.parts.read_all();
        if is_same {
            self.complete_again(opened, tree_hash);
        } else {
            self.begin_anew();
        }
    }

    pub(super) fn hash_failed(&mut self, ticket: Ticket, failure: HashFailure, now: Instant) {
        let Some((part, _)) = self.parts.hashing(ticket) else { return };
        self.release(part);
        self.parts.waiting.insert(part, ());
        let (code, words) = match failure {
            HashFailure::WorkerDied => {
                return self.worker_failed("The worker that hashed the file stopped", Some(part), now);
            }
            HashFailure::Changed => (ErrorCode::FileChanged, "The file was modified after it was chosen"),
            HashFailure::ShortRead => {
                (ErrorCode::FileChanged, "The file has become shorter than it was when it was chosen")
            }
            HashFailure::Unreadable => (ErrorCode::FileUnreadable, "The file cannot be read"),
        };
        let retryable = code == ErrorCode::FileUnreadable;
        self.fail(UploadError::new(code, words).retryable(retryable).in_part(Some(part)), now);
    }

    pub(super) fn end_signing(&mut self, ticket: Ticket) -> Option<Signing> {
        self.sign.open.take_if(|signing| signing.ticket == ticket)
    }

    pub(super) fn signed(&mut self, ticket: Ticket, requests: Vec<SignedRequest>, now: Instant, jitter: Jitter) {
        let Some(signing) = self.end_signing(ticket) else { return };
        if requests.len() != signing.purposes.len() {
            let words = "As many signed requests as intents were expected and another number came";
            return self.sign_fault(
                signing,
                Fault::silence(Verdict::GiveUp(ErrorCode::SignFailed), words),
                now,
                jitter,
            );
        }
        self.sign.tries = Tries::default();
        for (purpose, request) in signing.purposes.into_iter().zip(requests) {
            match purpose {
                Purpose::Call => self.send_call(request, now),
                Purpose::Part(part) => {
                    if let Some(active) = self.parts.active.get_mut(&part)
                        && let Step::Signing(digest) = active.step
                    {
                        let good_until = now + request.expires_in_ms / 5 * 4;
                        active.step = Step::Signed { digest, request, good_until };
                    }
                }
            }
        }
    }

    pub(super) fn sent(&mut self, ticket: Ticket, bytes: u64, now: Instant) {
        let stall_ms = self.config.deadlines.stall_ms;
        let Some((_, active)) = self.parts.sending(ticket) else { return };
        let range = active.range;
        let Step::Sending { sent, started, due, .. } = &mut active.step else { return };
        let started = *started;
        let bytes = bytes.min(range.len());
        if bytes <= *sent {
            return;
        }
        self.speed.add(bytes - *sent, now);
        *sent = bytes;
        *due = now + stall_ms;
        if bytes == range.len() {
            let answer_due = self.answer_due(range, started, now);
            if let Some((_, active)) = self.parts.sending(ticket)
                && let Step::Sending { due, .. } = &mut active.step
            {
                *due = answer_due;
            }
        }
    }

    pub(super) fn answered(&mut self, ticket: Ticket, response: &Response, now: Instant, jitter: Jitter) {
        if let Some(operation) = self.call_under(ticket) {
            return self.call_answered(operation, response, now, jitter);
        }
        let Some((part, active)) = self.parts.sending(ticket) else { return };
        let Step::Sending { digest, sent, .. } = active.step else { return };
        let left = active.range.len() - sent;
        if let Phase::Running(Stage::Put(_)) = self.phase {
            return self.put_answered(part, &digest, response, now, jitter);
        }
        let acknowledged = match self.phase.opened() {
            Some(opened) => opened.id.acknowledge(response, &digest),
            None => Err(AnswerError::NotGlacier { status: response.status }),
        };
        match acknowledged {
            Ok(acknowledgement) => {
                self.speed.add(left, now);
                self.window.widen();
                match acknowledgement {
                    Acknowledgement::Confirmed => self.confirm(part),
                    Acknowledgement::Unseen => {
                        self.parts.note_unseen(part);
                        self.release(part);
                    }
                }
                self.progress_made();
            }
            Err(error) => {
                let named = self.config.target.named(Operation::UploadMultipartPart);
                self.part_fault(part, Fault::answer(named, error, response), now, jitter);
            }
        }
    }

    pub(super) fn send_failed(&mut self, ticket: Ticket, failure: SendFailure, now: Instant, jitter: Jitter) {
        let fault = match failure {
            SendFailure::Network => Fault::silence(
                Verdict::Retry(ErrorCode::Network),
                "No answer came: the connection failed, or the browser may not show the answer to this page",
            ),
            // Hashing it again tells whether the file changed or cannot be read.
            SendFailure::Unreadable => Fault::silence(Verdict::Reread, "The part could not be read to be sent"),
        };
        if let Some(operation) = self.call_under(ticket) {
            self.call_fault(operation, fault, now, jitter);
        } else if let Some((part, _)) = self.parts.sending(ticket) {
            self.part_fault(part, fault, now, jitter);
        }
    }

    /// What the request without a body asks, if this is its ticket.
    fn call_under(&self, wanted: Ticket) -> Option<Operation> {
        let (call, operation) = self.phase.call()?;
        matches!(call.step, CallStep::Sending { ticket, .. } if ticket == wanted).then_some(operation)
    }

    pub(super) fn journal_ended(&mut self, ended: Ticket) {
        if let Phase::Running(Stage::Complete(completion)) | Phase::Paused(_, Stage::Complete(completion)) =
            &mut self.phase
        {
            completion.saving.take_if(|(ticket, _)| *ticket == ended);
        }
    }
}

fn other_file() -> UploadError {
    UploadError::new(ErrorCode::FileChanged, "The file's bytes are not those that were uploaded at the earlier visit")
        .hint("Choose the file that the upload was begun with; a changed or different one is a new upload.")
}
