//! One thing that went wrong, and what it calls for after all that went wrong before.

use super::{Operation, RetryPolicy, Verdict, classify, retry_after_ms};
use crate::clock::{Instant, Jitter};
use crate::error::{ErrorCode, UploadError};
use crate::glacier::{AnswerError, Response, ServiceError};
use crate::upload::SignFailure;

/// What went wrong with one request so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tries {
    /// In a row: the exponent of the next wait.
    pub(crate) failures: u32,
    /// Without any progress of the transfer between them: what the budget counts.
    pub(crate) without_progress: u32,
    /// Milliseconds, as `without_progress`.
    pub(crate) waited_ms: u64,
    /// For a signature that was out of date.
    pub(crate) resigns: u32,
    /// For a token that was not accepted.
    pub(crate) authentications: u32,
}

impl Tries {
    /// Some part or piece got through: the way works, only this request did not.
    pub(crate) fn progress(&mut self) {
        *self = Self { failures: self.failures, ..Self::default() };
    }
}

/// One thing that went wrong.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) verdict: Verdict,
    pub(crate) message: String,
    said: Option<ServiceError>,
    retry_after_ms: Option<u64>,
    /// What the bucket lacks, as the text to give it.
    cors_rules: Option<String>,
}

impl Fault {
    /// No answer came.
    pub(crate) fn silence(verdict: Verdict, message: &str) -> Self {
        Self { verdict, message: message.to_owned(), said: None, retry_after_ms: None, cors_rules: None }
    }

    /// The gateway did not answer.
    pub(crate) fn not_signed(failure: SignFailure) -> Self {
        let (code, words) = match failure {
            SignFailure::Network => (ErrorCode::Network, "The gateway could not be reached"),
            SignFailure::Callback => (ErrorCode::SignFailed, "The page's sign function failed"),
            SignFailure::Headers => (ErrorCode::SignFailed, "The page's function for headers failed"),
        };
        Self::silence(Verdict::Retry(code), words)
    }

    /// An answer came that is no success of `operation`.
    pub(crate) fn answer(operation: Operation, error: AnswerError, response: &Response) -> Self {
        let verdict = match &error {
            AnswerError::Refused(service) => classify(operation, service),
            AnswerError::TreeHashMismatch { .. }
                if matches!(operation, Operation::UploadMultipartPart | Operation::GetJobOutput) =>
            {
                Verdict::Reread
            }
            AnswerError::ChecksumMismatch { .. } => Verdict::Reread,
            AnswerError::TreeHashMismatch { .. } | AnswerError::OtherObject => {
                Verdict::Retry(ErrorCode::ChecksumMismatchWhole)
            }
            AnswerError::ObjectChanged => Verdict::Fatal(ErrorCode::ObjectChanged),
            _ => Verdict::Retry(ErrorCode::NotOurServer),
        };
        let who = if operation == Operation::Sign { "The gateway" } else { "The store" };
        Self {
            verdict,
            message: [who, " answered ", operation.as_str(), " with: ", &error.to_string()].concat(),
            said: Some(response.service_error()),
            retry_after_ms: retry_after_ms(response),
            cors_rules: response.body.as_ref().and_then(|body| body.text("corsRules")).map(str::to_owned),
        }
    }

    /// The code of a failure that is about the request.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self.verdict {
            Verdict::Retry(code)
            | Verdict::SlowDown(code)
            | Verdict::SignAgain(code)
            | Verdict::Authenticate(code)
            | Verdict::GiveUp(code)
            | Verdict::Fatal(code) => code,
            Verdict::Reread | Verdict::Repair | Verdict::Gone => ErrorCode::Refused,
        }
    }

    pub(crate) fn into_error(self, code: ErrorCode, retryable: bool) -> UploadError {
        let too_big = self.said.as_ref().is_some_and(|said| said.status == 413);
        let error = UploadError::new(code, self.message).retryable(retryable);
        let error = match self.said {
            Some(said) => error.said_by(said),
            None => error,
        };
        if let (ErrorCode::CorsNotAllowed, Some(rules)) = (code, self.cors_rules) {
            return error.hint(format!("Give the bucket these CORS rules (Permissions, CORS): {rules}"));
        }
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
#[derive(Debug)]
pub(crate) enum Next {
    Now,
    At(Instant),
    Fail(ErrorCode, bool),
    /// It is not about the request but about the part, the piece or the whole.
    Else(Verdict),
}

pub(crate) fn weigh(policy: &RetryPolicy, tries: &mut Tries, fault: &Fault, now: Instant, jitter: Jitter) -> Next {
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
