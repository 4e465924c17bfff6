//! What is done about what goes wrong.

use super::parts::Step;
use super::stage::{CallStep, Listing, Phase, Stage, Tries};
use super::{Command, Signing, Target, Upload};
use crate::clock::{Instant, Jitter};
use crate::error::{ErrorCode, UploadError};
use crate::glacier::{AnswerError, Response, ServiceError};
use crate::retry::{self, Operation, RetryPolicy, Verdict};

/// Times the store is asked what it holds because it did not agree about the whole.
const MAX_REPAIRS: u32 = 2;

/// One thing that went wrong.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) verdict: Verdict,
    pub(super) message: String,
    said: Option<ServiceError>,
    retry_after_ms: Option<u64>,
}

impl Fault {
    /// No answer came.
    pub(super) fn silence(verdict: Verdict, message: &str) -> Self {
        Self { verdict, message: message.to_owned(), said: None, retry_after_ms: None }
    }

    /// An answer came that is no success of `operation`.
    pub(super) fn answer(operation: Operation, error: AnswerError, response: &Response) -> Self {
        let verdict = match &error {
            AnswerError::Refused(service) => retry::classify(operation, service),
            AnswerError::TreeHashMismatch { .. } if operation == Operation::UploadMultipartPart => Verdict::Reread,
            AnswerError::TreeHashMismatch { .. } => Verdict::Retry(ErrorCode::ChecksumMismatchWhole),
            _ => Verdict::Retry(ErrorCode::NotOurServer),
        };
        let who = if operation == Operation::Sign { "The gateway" } else { "The store" };
        Self {
            verdict,
            message: [who, " answered ", operation.as_str(), " with: ", &error.to_string()].concat(),
            said: Some(response.service_error()),
            retry_after_ms: retry::retry_after_ms(response),
        }
    }

    fn into_error(self, code: ErrorCode, retryable: bool) -> UploadError {
        let too_big = self.said.as_ref().is_some_and(|said| said.status == 413);
        let error = UploadError::new(code, self.message).retryable(retryable);
        let error = match self.said {
            Some(said) => error.said_by(said),
            None => error,
        };
        if too_big {
            return error.hint(
                "A proxy or server on the way refuses bodies of this size: raise its limit (client_max_body_size in \
                 nginx) or use a smaller part size.",
            );
        }
        error
    }
}

/// What is to become of the request.
enum Next {
    Now,
    At(Instant),
    Fail(ErrorCode, bool),
    /// It is not about the request but about the part or the upload.
    Else(Verdict),
}

fn weigh(policy: &RetryPolicy, tries: &mut Tries, fault: &Fault, now: Instant, jitter: Jitter) -> Next {
    match fault.verdict {
        Verdict::Retry(code) | Verdict::SlowDown(code) => {
            tries.failures += 1;
            tries.without_progress += 1;
            let delay_ms = policy.delay_ms(tries.failures, fault.retry_after_ms, jitter);
            tries.waited_ms = tries.waited_ms.saturating_add(delay_ms);
            if tries.without_progress >= policy.max_attempts || tries.waited_ms > policy.budget_ms {
                return Next::Fail(code, true);
            }
            Next::At(now + delay_ms)
        }
        Verdict::SignAgain(code) => {
            tries.resigns += 1;
            match tries.resigns {
                resigns if resigns > policy.max_resigns => Next::Fail(code, true),
                1 => Next::Now,
                resigns => Next::At(now + policy.delay_ms(resigns, fault.retry_after_ms, jitter)),
            }
        }
        Verdict::Authenticate(code) => {
            tries.authentications += 1;
            if tries.authentications > 1 { Next::Fail(code, true) } else { Next::Now }
        }
        Verdict::GiveUp(code) => Next::Fail(code, true),
        Verdict::Fatal(code) => Next::Fail(code, false),
        verdict @ (Verdict::Reread | Verdict::Repair | Verdict::Gone) => Next::Else(verdict),
    }
}

impl Upload {
    /// A stranger at the very first request is a wrong address and no passing trouble.
    fn judge_stranger(&self, fault: &mut Fault) {
        let first_contact = matches!(self.phase, Phase::Running(Stage::Initiate { .. })) && !self.reinitiated;
        if first_contact && fault.verdict == Verdict::Retry(ErrorCode::NotOurServer) {
            fault.verdict = Verdict::GiveUp(ErrorCode::NotOurServer);
        }
    }

    /// A batch was not signed.
    pub(super) fn sign_fault(&mut self, signing: Signing, mut fault: Fault, now: Instant, jitter: Jitter) {
        for target in signing.targets {
            match target {
                Target::Call => {
                    if let Some((call, _)) = self.phase.call_mut() {
                        call.step = CallStep::Wanted;
                    }
                }
                Target::Part(part) => {
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
        if let (Verdict::Gone, Phase::Running(Stage::Complete(completion))) = (fault.verdict, &mut self.phase) {
            // The one answer that proves that this request made nothing. After any other refusal a proxy's second
            // copy of the request may still arrive, and be carried out once the parts are repaired.
            completion.opened.maybe_complete = completion.doubt_before;
        }
        if operation == Operation::InitiateMultipartUpload && matches!(self.phase, Phase::Aborting(_)) {
            // No upload was opened, or none that could be named.
            return self.finish_abort(now);
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
            Next::Fail(code, retryable) => self.fail(fault.into_error(code, retryable).in_part(Some(part)), now),
            Next::Else(Verdict::Reread) => {
                let most = self.config.retry.max_rereads;
                let rereads = self.parts.record(part).map_or(most, |record| record.rereads);
                if rereads >= most {
                    fault.message.insert_str(0, "The part did not arrive as it was read. ");
                    let error = fault.into_error(ErrorCode::ChecksumMismatchPart, true);
                    return self.fail(error.in_part(Some(part)), now);
                }
                if let Some(record) = self.parts.record(part) {
                    record.rereads = rereads + 1;
                }
                self.release(part);
                self.parts.waiting.insert(part);
            }
            Next::Else(_) => self.gone(fault, now),
        }
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
            self.parts.waiting.insert(*part);
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

    /// Stops with an error. Acknowledged parts are kept, here and at the store.
    pub(super) fn fail(&mut self, error: UploadError, now: Instant) {
        if matches!(self.phase, Phase::Aborting(_)) {
            return self.finish_abort(now);
        }
        if !matches!(self.phase, Phase::Running(_) | Phase::Paused(..)) {
            return;
        }
        self.suspend(false);
        if let Phase::Running(stage) | Phase::Paused(_, stage) = std::mem::replace(&mut self.phase, Phase::Aborted) {
            self.phase = Phase::Failed(error, stage);
        }
        let (_, save) = self.save_journal(now);
        self.outbox.push_back(save);
    }

    /// The part's bytes are not needed any more.
    pub(super) fn release(&mut self, part: u32) {
        if self.parts.active.remove(&part).is_some() {
            self.outbox.push_back(Command::ReleasePart { part });
        }
    }
}
