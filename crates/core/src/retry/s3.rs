//! What S3's refusals mean. Its codes are other words than Glacier's.

use super::{Operation, Verdict};
use crate::error::ErrorCode;
use crate::glacier::ServiceError;

/// The table; `None` for what says nothing of S3.
///
/// **Source:** S3 API reference, "Error responses", "List of error codes".
pub(super) fn classify(operation: Operation, error: &ServiceError) -> Option<Verdict> {
    use ErrorCode as E;
    use Operation as O;
    use Verdict as V;

    let says = |words: &str| error.message.as_deref().is_some_and(|message| message.contains(words));
    Some(match (error.status, error.code.as_deref().unwrap_or("")) {
        (_, "SlowDown" | "ServiceUnavailable" | "503 SlowDown") => V::SlowDown(E::RateLimited),
        (_, "InternalError") => V::Retry(E::Server),
        (_, "RequestTimeout") => V::SlowDown(E::Stalled),
        // The connection broke, and S3 says so of the half that it has.
        (_, "IncompleteBody") => V::Retry(E::Network),
        // Something else is being done to the same key at this moment.
        (_, "OperationAborted" | "ConditionalRequestConflict") => V::Retry(E::Server),

        // What S3 calls a presigned URL whose time is over.
        (_, "AccessDenied") if says("expired") => V::SignAgain(E::ClockSkew),
        (_, "RequestTimeTooSkewed") => V::SignAgain(E::ClockSkew),
        (_, "ExpiredToken" | "TokenRefreshRequired") => V::SignAgain(E::AuthExpired),
        (_, "SignatureDoesNotMatch") => V::SignAgain(E::SignFailed),
        (_, "InvalidAccessKeyId" | "InvalidToken" | "AuthorizationHeaderMalformed") => V::Fatal(E::SignFailed),
        (_, "AccessDenied" | "AllAccessDisabled" | "AccountProblem") => V::Fatal(E::AuthDenied),
        // A refusal whose words were lost on the way, or are hidden from the page: most likely the URL's time is over.
        (403, "") if matches!(operation, O::S3UploadPart | O::S3PutObject | O::S3GetObject) => {
            V::SignAgain(E::AuthDenied)
        }

        (_, "NoSuchUpload") => V::Gone,
        (_, "NoSuchBucket") => V::Fatal(E::BucketNotFound),
        (_, "NoSuchKey" | "NoSuchVersion") => V::Fatal(E::ObjectNotFound),
        (412, _) if matches!(operation, O::S3PutObject | O::S3CompleteMultipartUpload) => V::Fatal(E::ObjectExists),
        (_, "PreconditionFailed") => V::Fatal(E::ObjectExists),
        // It could be read when the download began: the restored copy has had its days.
        (_, "InvalidObjectState") if operation == O::S3GetObject => V::Gone,
        (_, "InvalidObjectState") => V::Fatal(E::Refused),
        // Every range is inside the object that was looked at.
        (416, _) if operation == O::S3GetObject => V::Fatal(E::ObjectChanged),
        // A version that marks a deletion.
        (405, "MethodNotAllowed") if matches!(operation, O::S3GetObject | O::S3HeadObject) => {
            V::Fatal(E::ObjectNotFound)
        }
        // With status 503, which is otherwise passing trouble.
        (_, "GlacierExpeditedRetrievalNotAvailable") => V::GiveUp(E::ExpeditedUnavailable),

        (_, "BadDigest" | "XAmzContentChecksumMismatch" | "XAmzContentSHA256Mismatch") if operation.sends_bytes() => {
            V::Reread
        }
        (_, "BadDigest" | "InvalidPart" | "InvalidPartOrder" | "EntityTooSmall")
            if operation == O::S3CompleteMultipartUpload =>
        {
            V::Repair
        }
        (_, "EntityTooLarge" | "EntityTooSmall" | "QuotaExceeded") => V::Fatal(E::LimitExceeded),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(operation: Operation, status: u16, code: &str, message: &str) -> Verdict {
        let code = (!code.is_empty()).then(|| code.to_owned());
        let error = ServiceError { status, code, message: Some(message.to_owned()), request_id: None };
        super::super::classify(operation, &error)
    }

    #[test]
    fn every_refusal_of_s3_has_its_verdict() {
        use ErrorCode as E;
        use Operation as O;
        use Verdict as V;
        for (operation, status, code, message, expected) in [
            (O::S3UploadPart, 503, "SlowDown", "Please reduce your request rate.", V::SlowDown(E::RateLimited)),
            (O::S3UploadPart, 503, "ServiceUnavailable", "", V::SlowDown(E::RateLimited)),
            (O::S3UploadPart, 500, "InternalError", "", V::Retry(E::Server)),
            (O::S3UploadPart, 400, "RequestTimeout", "", V::SlowDown(E::Stalled)),
            (O::S3UploadPart, 400, "IncompleteBody", "", V::Retry(E::Network)),
            (O::S3PutObject, 409, "ConditionalRequestConflict", "", V::Retry(E::Server)),
            (O::S3UploadPart, 403, "AccessDenied", "Request has expired", V::SignAgain(E::ClockSkew)),
            (O::S3UploadPart, 403, "AccessDenied", "Access Denied", V::Fatal(E::AuthDenied)),
            (O::S3UploadPart, 403, "RequestTimeTooSkewed", "", V::SignAgain(E::ClockSkew)),
            (O::S3UploadPart, 400, "ExpiredToken", "The provided token has expired.", V::SignAgain(E::AuthExpired)),
            (O::S3UploadPart, 403, "SignatureDoesNotMatch", "", V::SignAgain(E::SignFailed)),
            (O::S3UploadPart, 403, "InvalidAccessKeyId", "", V::Fatal(E::SignFailed)),
            (O::S3UploadPart, 403, "", "", V::SignAgain(E::AuthDenied)),
            (O::S3HeadObject, 403, "", "", V::Fatal(E::AuthDenied)),
            (O::S3UploadPart, 404, "NoSuchUpload", "", V::Gone),
            (O::S3CompleteMultipartUpload, 404, "NoSuchUpload", "", V::Gone),
            (O::S3CreateMultipartUpload, 404, "NoSuchBucket", "", V::Fatal(E::BucketNotFound)),
            (O::S3HeadObject, 404, "NoSuchKey", "", V::Fatal(E::ObjectNotFound)),
            (O::S3PutObject, 412, "PreconditionFailed", "", V::Fatal(E::ObjectExists)),
            (O::S3PutObject, 412, "", "", V::Fatal(E::ObjectExists)),
            (O::S3CompleteMultipartUpload, 412, "PreconditionFailed", "", V::Fatal(E::ObjectExists)),
            (O::S3GetObject, 403, "InvalidObjectState", "", V::Gone),
            (O::S3RestoreObject, 403, "InvalidObjectState", "", V::Fatal(E::Refused)),
            (O::S3GetObject, 416, "InvalidRange", "", V::Fatal(E::ObjectChanged)),
            (O::S3GetObject, 416, "", "", V::Fatal(E::ObjectChanged)),
            (O::S3GetObject, 404, "NoSuchVersion", "", V::Fatal(E::ObjectNotFound)),
            (O::S3GetObject, 405, "MethodNotAllowed", "", V::Fatal(E::ObjectNotFound)),
            (O::S3GetObject, 403, "AccessDenied", "Request has expired", V::SignAgain(E::ClockSkew)),
            (O::S3GetObject, 403, "", "", V::SignAgain(E::AuthDenied)),
            (O::S3RestoreObject, 503, "GlacierExpeditedRetrievalNotAvailable", "", V::GiveUp(E::ExpeditedUnavailable)),
            (O::S3UploadPart, 400, "BadDigest", "", V::Reread),
            (O::S3PutObject, 400, "XAmzContentChecksumMismatch", "", V::Reread),
            (O::S3CompleteMultipartUpload, 400, "BadDigest", "", V::Repair),
            (O::S3CompleteMultipartUpload, 400, "InvalidPart", "", V::Repair),
            (O::S3CompleteMultipartUpload, 400, "InvalidPartOrder", "", V::Repair),
            (O::S3CompleteMultipartUpload, 400, "EntityTooSmall", "", V::Repair),
            (O::S3PutObject, 400, "EntityTooLarge", "", V::Fatal(E::LimitExceeded)),
            (O::S3UploadPart, 400, "InvalidRequest", "", V::Fatal(E::Refused)),
            (O::S3UploadPart, 501, "NotImplemented", "", V::Fatal(E::Server)),
            (O::Sign, 409, "cors_not_allowed", "", V::Fatal(E::CorsNotAllowed)),
            (O::S3CreateMultipartUpload, 409, "cors_not_allowed", "", V::Fatal(E::CorsNotAllowed)),
            (O::Sign, 501, "not_configured", "", V::Fatal(E::Refused)),
            (O::S3CreateMultipartUpload, 501, "checksums_not_kept", "", V::Fatal(E::Refused)),
            // Glacier knows none of these.
            (O::UploadMultipartPart, 403, "", "", V::Fatal(E::AuthDenied)),
        ] {
            assert_eq!(verdict(operation, status, code, message), expected, "{operation:?} {status} {code}");
        }
    }
}
