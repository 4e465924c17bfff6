//! What to do about a request that failed: the policy as data, and one table of what answers mean.

mod after;
pub(crate) mod fault;
mod operation;
mod s3;
pub(crate) mod window;

pub use after::retry_after_ms;
pub use operation::{Missing, Operation, Repetition};

use crate::clock::Jitter;
use crate::error::ErrorCode;
use crate::glacier::ServiceError;

/// When a failed request is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Failures of one request in a row, without any progress of the upload between them, after which the upload
    /// fails (and can be resumed). Progress of any part resets the count: the way to the store works.
    pub max_attempts: u32,
    /// Step of the first wait. Each wait is a random part of its step ("full jitter"), because many pages that lost
    /// the same server must not come back at the same moment.
    pub base_ms: u64,
    /// The step doubles with every failure up to this.
    pub cap_ms: u64,
    /// Milliseconds one request may wait between its attempts, without any progress of the upload, after which the
    /// upload fails although attempts are left, as with a server that asks for five minutes each time.
    pub budget_ms: u64,
    /// Most that a server's `Retry-After` is obeyed. More would look like a hang, and a hostile value would be one.
    pub retry_after_cap_ms: u64,
    /// Times a request whose signature had expired is signed again before the clock of the signer is blamed.
    pub max_resigns: u32,
    /// Times a part that did not arrive as it was hashed is read, hashed and sent again.
    pub max_rereads: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 8,
            base_ms: 250,
            cap_ms: 30_000,
            budget_ms: 10 * 60_000,
            retry_after_cap_ms: 300_000,
            max_resigns: 3,
            max_rereads: 3,
        }
    }
}

impl RetryPolicy {
    /// How long to wait after the `failures`-th failure in a row (counted from 1). A server that named a time is
    /// obeyed within the cap.
    pub fn delay_ms(&self, failures: u32, retry_after_ms: Option<u64>, jitter: Jitter) -> u64 {
        if let Some(asked) = retry_after_ms {
            return asked.min(self.retry_after_cap_ms);
        }
        let doubled = self.base_ms.saturating_mul(1 << failures.saturating_sub(1).min(32));
        jitter.of(doubled.min(self.cap_ms))
    }
}

/// What an answer that is no success calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Wait and try again; when the budget is over, fail with this code.
    Retry(ErrorCode),
    /// As [`Retry`](Self::Retry), and send fewer parts at once.
    SlowDown(ErrorCode),
    /// Get another signature and try again, a bounded number of times; then fail with this code.
    SignAgain(ErrorCode),
    /// Ask the gateway once more, with fresh headers; then fail with this code.
    Authenticate(ErrorCode),
    /// The part did not arrive as it was hashed: read, hash and send it again. Or the piece of a job's output did not
    /// arrive as the store says it is: fetch it again.
    Reread,
    /// The store does not agree about the whole: ask it which parts it holds and send what differs.
    Repair,
    /// The store has no such upload or job any more: see [`Operation::missing`].
    Gone,
    /// Fail; trying again later may help.
    GiveUp(ErrorCode),
    /// Fail; trying again would not help.
    Fatal(ErrorCode),
}

/// The table. `operation` asked, and the answer was `error` (of a status that is not the operation's success).
///
/// By status *and* code, because Glacier says "slow down" with status 400, where most refusals are final.
/// **Source:** API reference, "Error Responses"; the gateway's own codes are [`crate::intent::RefusalCode`]. S3's codes
/// have a table of their own.
pub fn classify(operation: Operation, error: &ServiceError) -> Verdict {
    use ErrorCode as E;
    use Operation as O;
    use Verdict as V;

    if let Some(verdict) = s3::classify(operation, error) {
        return verdict;
    }
    let says = |words: &str| error.message.as_deref().is_some_and(|message| message.contains(words));
    match (error.status, error.code.as_deref().unwrap_or("")) {
        // Codes that mean the same under every status they have been seen with.
        (_, "ThrottlingException" | "TooManyRequestsException" | "SlowDown") => V::SlowDown(E::RateLimited),
        (_, "RequestTimeoutException" | "RequestTimeout") => V::SlowDown(E::Stalled),
        (_, "ServiceUnavailableException" | "InsufficientCapacityException" | "InternalFailure") => V::Retry(E::Server),
        (_, "NoLongerSupportedException") => V::Fatal(E::VaultsClosed),
        (_, "LimitExceededException" | "limit_exceeded") => V::Fatal(E::LimitExceeded),
        (_, "PolicyEnforcedException") => V::Fatal(E::Refused),
        (_, "AccessDeniedException" | "operation_denied") => V::Fatal(E::AuthDenied),
        (_, "cors_not_allowed") => V::Fatal(E::CorsNotAllowed),
        (_, "not_configured" | "checksums_not_kept") => V::Fatal(E::Refused),
        (_, "ExpiredTokenException") => V::SignAgain(E::AuthExpired),
        (_, "UnrecognizedClientException" | "MissingAuthenticationTokenException") => V::Fatal(E::SignFailed),
        (_, "InvalidSignatureException") if says("expired") || says("not yet current") => V::SignAgain(E::ClockSkew),
        // The service also says so when the body is not the one that was signed.
        (_, "InvalidSignatureException") if operation == O::UploadMultipartPart && says("payload") => V::Reread,
        (_, "InvalidSignatureException") => V::SignAgain(E::SignFailed),
        (421, _) | (_, "misdirected_request" | "not_found" | "method_not_allowed") => V::Fatal(E::NotOurServer),

        (401, "token_missing") => V::Authenticate(E::AuthMissing),
        (401, "token_invalid") => V::Authenticate(E::AuthDenied),
        (401, _) => V::Authenticate(E::AuthExpired),
        (403, _) => V::Fatal(E::AuthDenied),

        (404, "ResourceNotFoundException") => match operation.missing() {
            _ if says("Vault not found") => V::Fatal(E::VaultNotFound),
            Missing::Archive => V::Fatal(E::ArchiveNotFound),
            Missing::Vault if operation == O::Sign => V::Gone,
            Missing::Vault => V::Fatal(E::VaultNotFound),
            Missing::Job | Missing::Upload => V::Gone,
        },

        (408, _) => V::SlowDown(E::Stalled),
        (413, _) => V::Fatal(E::Refused),
        (425, _) => V::Retry(E::Server),
        (429, _) => V::SlowDown(E::RateLimited),

        (400, "InvalidParameterValueException") => match operation {
            O::UploadMultipartPart if says("hecksum") || says("tree-hash") || says("content-sha256") => V::Reread,
            O::CompleteMultipartUpload => V::Repair,
            O::InitiateJob if says("Range") || says("range") => V::Fatal(E::InvalidRange),
            O::GetJobOutput if says("not currently available") => V::Fatal(E::JobNotReady),
            _ => V::Fatal(E::Refused),
        },

        (503, _) => V::SlowDown(E::Server),
        // Not implemented, HTTP version: the same next time.
        (501 | 505, _) => V::Fatal(E::Server),
        // The store's disk is full; a wait of seconds changes nothing.
        (507, _) => V::GiveUp(E::Server),
        // Network authentication required: a captive portal.
        (511, _) => V::GiveUp(E::NotOurServer),
        (500..=599, _) => V::Retry(E::Server),

        // A refusal without a code is nobody's we know. So is a success of the wrong kind.
        (_, "") => V::Retry(E::NotOurServer),
        (400..=499, _) => V::Fatal(E::Refused),
        _ => V::Retry(E::NotOurServer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::RefusalCode;

    /// Those with rules of their own.
    const OPERATIONS: [Operation; 7] = [
        Operation::Sign,
        Operation::InitiateMultipartUpload,
        Operation::UploadMultipartPart,
        Operation::ListParts,
        Operation::CompleteMultipartUpload,
        Operation::AbortMultipartUpload,
        Operation::GetJobOutput,
    ];

    #[test]
    fn not_found_means_what_the_operation_asked_for() {
        use ErrorCode as E;
        let none = |operation| verdict(operation, 404, "ResourceNotFoundException", "Not found: x");
        for operation in Operation::ALL {
            use Operation as O;
            let expected = match operation {
                O::UploadMultipartPart | O::ListParts | O::CompleteMultipartUpload | O::AbortMultipartUpload => {
                    Verdict::Gone
                }
                O::DescribeJob | O::GetJobOutput => Verdict::Gone,
                O::InitiateJob | O::DeleteArchive => Verdict::Fatal(E::ArchiveNotFound),
                _ => Verdict::Fatal(E::VaultNotFound),
            };
            assert_eq!(none(*operation), expected, "{operation:?}");
            let words = "Vault not found for ARN: x";
            let vault = verdict(*operation, 404, "ResourceNotFoundException", words);
            assert_eq!(vault, Verdict::Fatal(E::VaultNotFound), "{operation:?}");
        }
        let words = "Invalid RetrievalByteRange: 1-2. Both ends are on MiB borders.";
        let range = verdict(Operation::InitiateJob, 400, "InvalidParameterValueException", words);
        assert_eq!(range, Verdict::Fatal(E::InvalidRange));
    }

    /// What has no rule of its own is judged as ListParts is, whose verdicts are written down above.
    #[test]
    fn all_other_answers_mean_the_same_to_every_operation() {
        for (status, code) in [
            (400, "ThrottlingException"),
            (403, "AccessDeniedException"),
            (403, "InvalidSignatureException"),
            (408, "RequestTimeoutException"),
            (500, "ServiceUnavailableException"),
            (400, "LimitExceededException"),
            (400, "PolicyEnforcedException"),
            (503, "InsufficientCapacityException"),
            (200, ""),
            (401, ""),
            (404, ""),
            (502, ""),
            (400, "SomethingNewException"),
        ] {
            for operation in Operation::ALL {
                assert_eq!(verdict(*operation, status, code, ""), verdict(Operation::ListParts, status, code, ""));
            }
        }
    }

    fn verdict(operation: Operation, status: u16, code: &str, message: &str) -> Verdict {
        let code = (!code.is_empty()).then(|| code.to_owned());
        classify(operation, &ServiceError { status, code, message: Some(message.to_owned()), request_id: None })
    }

    /// What the specification says, written down a second time: for each operation the letter of its verdict.
    /// R retry, S slow down, G sign again, A authenticate, W reread, P repair, - gone, u give up, F fatal.
    const fn letter(verdict: Verdict) -> char {
        match verdict {
            Verdict::Retry(_) => 'R',
            Verdict::SlowDown(_) => 'S',
            Verdict::SignAgain(_) => 'G',
            Verdict::Authenticate(_) => 'A',
            Verdict::Reread => 'W',
            Verdict::Repair => 'P',
            Verdict::Gone => '-',
            Verdict::GiveUp(_) => 'u',
            Verdict::Fatal(_) => 'F',
        }
    }

    #[test]
    fn every_answer_of_the_catalogue_has_its_verdict() {
        // Operations in the order of OPERATIONS: sign, initiate, part, list, complete, abort, output.
        for (status, code, message, expected) in [
            (400, "BadRequest", "", "FFFFFFF"),
            (403, "AccessDeniedException", "", "FFFFFFF"),
            (403, "ExpiredTokenException", "", "GGGGGGG"),
            (503, "InsufficientCapacityException", "", "RRRRRRR"),
            (400, "InsufficientCapacityException", "", "RRRRRRR"),
            (400, "InvalidParameterValueException", "Invalid Content-Range: x", "FFFFPFF"),
            (400, "InvalidParameterValueException", "Checksum mismatch: expected a, computed b", "FFWFPFF"),
            (400, "InvalidParameterValueException", "Invalid x-amz-sha256-tree-hash: a", "FFWFPFF"),
            (403, "InvalidSignatureException", "Signature expired: a is now earlier than b (c - 5 min.)", "GGGGGGG"),
            (403, "InvalidSignatureException", "Signature not yet current: a is still later than b", "GGGGGGG"),
            (403, "InvalidSignatureException", "The request signature we calculated does not match", "GGGGGGG"),
            (
                403,
                "InvalidSignatureException",
                "The value passed in as x-amz-content-sha256 does not match the computed payload hash.",
                "GGWGGGG",
            ),
            (400, "LimitExceededException", "", "FFFFFFF"),
            (400, "MissingAuthenticationTokenException", "", "FFFFFFF"),
            (400, "MissingParameterValueException", "", "FFFFFFF"),
            (400, "NoLongerSupportedException", "", "FFFFFFF"),
            (400, "PolicyEnforcedException", "", "FFFFFFF"),
            (408, "RequestTimeoutException", "", "SSSSSSS"),
            (404, "ResourceNotFoundException", "The upload ID was not found: x", "-F-----"),
            (404, "ResourceNotFoundException", "The job ID was not found: x", "-F-----"),
            (400, "InvalidParameterValueException", "The job is not currently available for download: x", "FFFFPFF"),
            (404, "ResourceNotFoundException", "Vault not found for ARN: x", "FFFFFFF"),
            (400, "SerializationException", "", "FFFFFFF"),
            (500, "ServiceUnavailableException", "", "RRRRRRR"),
            (503, "ServiceUnavailableException", "", "RRRRRRR"),
            (400, "ThrottlingException", "", "SSSSSSS"),
            (429, "ThrottlingException", "", "SSSSSSS"),
            (400, "UnrecognizedClientException", "", "FFFFFFF"),
            // Without a code: proxies, load balancers, servers of somebody else.
            (200, "", "", "RRRRRRR"),
            (204, "", "", "RRRRRRR"),
            (302, "", "", "RRRRRRR"),
            (400, "", "", "RRRRRRR"),
            (401, "", "", "AAAAAAA"),
            (403, "", "", "FFFFFFF"),
            (404, "", "", "RRRRRRR"),
            (405, "", "", "RRRRRRR"),
            (408, "", "", "SSSSSSS"),
            (413, "", "", "FFFFFFF"),
            (421, "", "", "FFFFFFF"),
            (425, "", "", "RRRRRRR"),
            (429, "", "", "SSSSSSS"),
            (500, "", "", "RRRRRRR"),
            (501, "", "", "FFFFFFF"),
            (502, "", "", "RRRRRRR"),
            (503, "", "", "SSSSSSS"),
            (504, "", "", "RRRRRRR"),
            (505, "", "", "FFFFFFF"),
            (507, "", "", "uuuuuuu"),
            (511, "", "", "uuuuuuu"),
            (522, "", "", "RRRRRRR"),
        ] {
            let found: String = OPERATIONS.iter().map(|op| letter(verdict(*op, status, code, message))).collect();
            assert_eq!(found, expected, "{status} {code} {message}");
        }
    }

    #[test]
    fn every_refusal_of_the_gateway_has_its_verdict() {
        use ErrorCode as E;
        for (refusal, code, expected) in [
            (RefusalCode::Internal, "internal", Verdict::Retry(E::Server)),
            (RefusalCode::InvalidRequest, "invalid_request", Verdict::Fatal(E::Refused)),
            (RefusalCode::LengthRequired, "length_required", Verdict::Fatal(E::Refused)),
            (RefusalCode::LimitExceeded, "limit_exceeded", Verdict::Fatal(E::LimitExceeded)),
            (RefusalCode::MalformedJson, "malformed_json", Verdict::Fatal(E::Refused)),
            (RefusalCode::MessageRefused, "message_refused", Verdict::Fatal(E::AuthDenied)),
            (RefusalCode::MethodNotAllowed, "method_not_allowed", Verdict::Fatal(E::NotOurServer)),
            (RefusalCode::MisdirectedRequest, "misdirected_request", Verdict::Fatal(E::NotOurServer)),
            (RefusalCode::NotFound, "not_found", Verdict::Fatal(E::NotOurServer)),
            (RefusalCode::OperationDenied, "operation_denied", Verdict::Fatal(E::AuthDenied)),
            (RefusalCode::StoreUnreachable, "store_unreachable", Verdict::Retry(E::Server)),
            (RefusalCode::TooLarge, "too_large", Verdict::Fatal(E::Refused)),
            (RefusalCode::TokenExpired, "token_expired", Verdict::Authenticate(E::AuthExpired)),
            (RefusalCode::TokenInvalid, "token_invalid", Verdict::Authenticate(E::AuthDenied)),
            (RefusalCode::TokenMissing, "token_missing", Verdict::Authenticate(E::AuthMissing)),
            (RefusalCode::TooManyStreams, "too_many_streams", Verdict::SlowDown(E::RateLimited)),
            (RefusalCode::Unavailable, "unavailable", Verdict::SlowDown(E::Server)),
            (RefusalCode::UnsupportedMediaType, "unsupported_media_type", Verdict::Fatal(E::Refused)),
        ] {
            assert_eq!(verdict(Operation::Sign, refusal.status(), code, ""), expected, "{code}");
        }
    }

    /// Whatever the server: nothing below 500 that carries an unknown code is repeated, everything has a verdict, and
    /// only UploadMultipartPart rereads and only CompleteMultipartUpload repairs.
    #[test]
    fn every_pair_of_status_and_code_is_bounded() {
        let codes = [
            "",
            "SomethingNewException",
            "InvalidParameterValueException",
            "ResourceNotFoundException",
            "limit_exceeded",
        ];
        for status in 100..=999 {
            for code in codes {
                for operation in Operation::ALL.iter().copied().chain([Operation::Sign]) {
                    let verdict = verdict(operation, status, code, "Checksum mismatch");
                    if verdict == Verdict::Reread {
                        assert_eq!(operation, Operation::UploadMultipartPart);
                    }
                    if verdict == Verdict::Repair {
                        assert_eq!(operation, Operation::CompleteMultipartUpload);
                    }
                    let unknown = code == "SomethingNewException" && (400..500).contains(&status);
                    if unknown && ![401, 408, 425, 429].contains(&status) {
                        assert!(matches!(verdict, Verdict::Fatal(_)), "{status} {operation:?}: {verdict:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn waits_double_up_to_the_cap_and_are_random_below() {
        let policy = RetryPolicy::default();
        let steps: Vec<u64> =
            (1..=9).map(|failures| policy.delay_ms(failures, None, Jitter::new(0.999_999_999))).collect();
        assert_eq!(steps, [249, 499, 999, 1_999, 3_999, 7_999, 15_999, 29_999, 29_999]);
        assert_eq!(policy.delay_ms(5, None, Jitter::new(0.0)), 0);
        assert_eq!(policy.delay_ms(u32::MAX, None, Jitter::new(0.5)), 15_000);
        assert_eq!(policy.delay_ms(1, Some(u64::MAX), Jitter::new(0.0)), 300_000);
        let extreme = RetryPolicy { base_ms: u64::MAX, cap_ms: u64::MAX, ..policy };
        assert!(extreme.delay_ms(9, None, Jitter::new(0.5)) > 0);
    }
}
