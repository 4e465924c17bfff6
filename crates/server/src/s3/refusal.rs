//! How a refusal that has to do with a store becomes the page's.
//!
//! The store's own code is kept wherever S3 documents it, because pages and their authors know what to do about
//! `NoSuchUpload` or `InvalidObjectState`; its words are not, because they may repeat what was sent, and belong in the log.

use std::borrow::Cow;

use axum::response::Response;
use glacier_core::intent::RefusalCode;
use glacier_core::sigv4::SignatureError;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::cors::Missing;
use super::document::StoreError;
use crate::aws_credentials::NoCredentials;
use crate::error::{Refused, RequestId, json};
use crate::upstream::UpstreamError;

/// Seconds to wait after a store that has too much to do.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("2");

/// Why something about S3 is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct S3Refused {
    status: StatusCode,
    code: Cow<'static, str>,
    message: Cow<'static, str>,
    cors_rules: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'r> {
    code: &'r str,
    message: &'r str,
    request_id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    intent: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cors_rules: Option<&'r str>,
}

impl S3Refused {
    fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code: code.into(), message: message.into(), cors_rules: None }
    }

    /// With a code of the gateway's own.
    pub(crate) fn gateway(code: RefusalCode, message: &'static str) -> Self {
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let name = match serde_json::to_value(code) {
            Ok(serde_json::Value::String(name)) => name,
            _ => String::new(),
        };
        Self { status, code: name.into(), message: message.into(), cors_rules: None }
    }

    /// An upload that is not there, or is somebody else's, or never was: always the same answer.
    pub(crate) fn no_such_upload() -> Self {
        Self::documented(StatusCode::NOT_FOUND, "NoSuchUpload")
    }

    /// The object is there already.
    pub(super) fn exists() -> Self {
        Self::documented(StatusCode::PRECONDITION_FAILED, "PreconditionFailed")
    }

    /// Parts are missing, or are not of the plan's length.
    pub(super) fn parts_differ() -> Self {
        Self::documented(StatusCode::BAD_REQUEST, "InvalidPart")
    }

    /// What the store has is not what was sent.
    pub(super) fn other_bytes() -> Self {
        Self::documented(StatusCode::BAD_REQUEST, "BadDigest")
    }

    /// The store keeps no checksums of parts.
    pub(super) fn no_checksums() -> Self {
        let message =
            "the store keeps no SHA-256 checksums of parts, without which nothing can be proved; use one that does";
        Self::gateway(RefusalCode::ChecksumsNotKept, message)
    }

    /// The bucket's rules do not let the page in.
    pub(super) fn cors(missing: &Missing, rules: String) -> Self {
        Self { cors_rules: Some(rules), ..Self::gateway(RefusalCode::CorsNotAllowed, missing.message()) }
    }

    /// A signed request of ours that is not good, or no longer. In Glacier's words, which the page knows how to read.
    pub(super) fn signature(error: &SignatureError) -> Self {
        let message = Cow::Owned(error.to_string());
        Self { message, ..Self::new(StatusCode::FORBIDDEN, "InvalidSignatureException", "") }
    }

    /// The store gave no answer, or none that makes sense.
    pub(super) fn unavailable(message: &'static str) -> Self {
        Self::gateway(RefusalCode::Unavailable, message)
    }

    /// A refusal of the store.
    pub(super) fn store(status: StatusCode, error: &StoreError) -> Self {
        tracing::warn!(status = status.as_u16(), code = error.code, words = error.message, "the store refused");
        if status.is_redirection() {
            return Self::setup("the bucket is in another region than the gateway was told");
        }
        match error.code.as_str() {
            code if CREDENTIALS.contains(&code) => {
                Self::setup("the store does not accept the gateway's credentials; its operator should run `check`")
            }
            // The next attempt is signed anew.
            "ExpiredToken" | "RequestTimeTooSkewed" | "RequestExpired" => {
                Self::unavailable("the gateway's signature was out of date; try again")
            }
            "SlowDown" | "ServiceUnavailable" | "Throttling" | "RequestTimeout" | "OperationAborted" => {
                Self::documented(StatusCode::SERVICE_UNAVAILABLE, "SlowDown")
            }
            code => match DOCUMENTED.iter().find(|(known, _, _)| *known == code) {
                Some((known, status, _)) => {
                    Self::documented(StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST), known)
                }
                None if status == StatusCode::FORBIDDEN => {
                    Self::setup("the store does not let the gateway do this; its operator should run `check`")
                }
                None if status == StatusCode::NOT_FOUND => Self::documented(StatusCode::NOT_FOUND, "NoSuchKey"),
                None if status == StatusCode::PRECONDITION_FAILED => Self::exists(),
                None if status == StatusCode::NOT_IMPLEMENTED => {
                    Self::documented(StatusCode::NOT_IMPLEMENTED, "NotImplemented")
                }
                None if status.is_client_error() => Self::new(
                    StatusCode::BAD_REQUEST,
                    "InvalidRequest",
                    "the store refused the request; the gateway's log has its words",
                ),
                None => Self::unavailable("the store is in trouble; try again"),
            },
        }
    }

    /// Nothing that the page does will help.
    fn setup(message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", message)
    }

    fn documented(status: StatusCode, code: &'static str) -> Self {
        let words = DOCUMENTED.iter().find(|(known, _, _)| *known == code);
        Self::new(status, code, words.map_or("the store refused the request", |(_, _, message)| message))
    }

    /// S3's or the gateway's code.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// The answer; `intent` says which of a batch.
    pub(crate) fn into_response(self, id: &RequestId, intent: Option<usize>) -> Response {
        let body = Body {
            code: &self.code,
            message: &self.message,
            request_id: &id.0,
            intent,
            cors_rules: self.cors_rules.as_deref(),
        };
        let mut response = json(self.status, &body);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}

impl From<Refused> for S3Refused {
    fn from(refused: Refused) -> Self {
        Self::gateway(refused.code, refused.message)
    }
}

impl From<NoCredentials> for S3Refused {
    fn from(_: NoCredentials) -> Self {
        // Said in the log by the chain itself.
        Self::unavailable("the gateway has no credentials for the store just now; its operator should run `check`")
    }
}

impl From<UpstreamError> for S3Refused {
    fn from(error: UpstreamError) -> Self {
        tracing::warn!(%error, "the store did not answer");
        Self::unavailable("the store could not be reached; try again")
    }
}

/// Codes that are about the gateway and not about what the page asked for.
const CREDENTIALS: [&str; 12] = [
    "AccessDenied",
    "AccountProblem",
    "AllAccessDisabled",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "InvalidAccessKeyId",
    "InvalidPayer",
    "InvalidSecurity",
    "InvalidToken",
    "NotSignedUp",
    "SignatureDoesNotMatch",
    "UnauthorizedAccess",
];

/// S3's codes that pages may see, with the status and the words they get here.
///
/// **Source:** API reference, "Error responses".
const DOCUMENTED: [(&str, u16, &str); 26] = [
    ("BadDigest", 400, "what the store holds is not what was sent; send it again"),
    ("ConditionalRequestConflict", 409, "somebody else is storing an object of that key; try again"),
    ("EntityTooLarge", 400, "the object is larger than the store allows"),
    ("EntityTooSmall", 400, "a part is smaller than the store allows"),
    (
        "GlacierExpeditedRetrievalNotAvailable",
        503,
        "no Expedited retrieval is to be had now; try again or use Standard",
    ),
    ("InvalidArgument", 400, "the store does not take one of the values"),
    ("InvalidBucketState", 409, "the bucket's state does not allow this"),
    ("InvalidDigest", 400, "what the store holds is not what was sent; send it again"),
    ("InvalidObjectState", 403, "the object is archived; restore it first"),
    ("InvalidPart", 400, "parts are missing or differ; list them and send what differs"),
    ("InvalidPartOrder", 400, "the parts are not in order"),
    ("InvalidRange", 416, "the object does not have that range"),
    ("InvalidRequest", 400, "the store refused the request"),
    ("InvalidStorageClass", 400, "the store does not know that storage class"),
    ("InvalidTag", 400, "the store does not take those tags"),
    ("KeyTooLongError", 400, "the key is too long"),
    ("MetadataTooLarge", 400, "the metadata is too large"),
    ("MethodNotAllowed", 405, "that version of the object is a mark that it was deleted"),
    ("NoSuchBucket", 404, "there is no such bucket"),
    ("NoSuchKey", 404, "there is no such object"),
    ("NoSuchUpload", 404, "there is no such upload: it was completed, aborted, or is not yours"),
    ("NoSuchVersion", 404, "there is no such version of the object"),
    ("NotImplemented", 501, "the store cannot do this"),
    ("PreconditionFailed", 412, "there is an object of that key already; choose another, or say overwrite"),
    ("RestoreAlreadyInProgress", 409, "the object is being restored already"),
    ("SlowDown", 503, "the store has too much to do; try again more slowly"),
];

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn of_store(status: u16, code: &str) -> (u16, String) {
        let error = StoreError { code: code.into(), message: "canary".into() };
        let refused = S3Refused::store(StatusCode::from_u16(status).unwrap(), &error);
        assert!(!refused.message.contains("canary"));
        (refused.status.as_u16(), refused.code.into_owned())
    }

    #[test]
    fn codes_of_the_store_are_kept_where_they_are_documented() {
        for (status, code, expected) in [
            (404, "NoSuchUpload", (404, "NoSuchUpload")),
            (412, "PreconditionFailed", (412, "PreconditionFailed")),
            (403, "InvalidObjectState", (403, "InvalidObjectState")),
            (200, "InternalError", (503, "unavailable")),
            (500, "InternalError", (503, "unavailable")),
            (503, "SlowDown", (503, "SlowDown")),
            (200, "SlowDown", (503, "SlowDown")),
            (403, "AccessDenied", (403, "AccessDenied")),
            (403, "SignatureDoesNotMatch", (403, "AccessDenied")),
            (400, "AuthorizationHeaderMalformed", (403, "AccessDenied")),
            (403, "", (403, "AccessDenied")),
            (301, "PermanentRedirect", (403, "AccessDenied")),
            (307, "", (403, "AccessDenied")),
            (400, "ExpiredToken", (503, "unavailable")),
            (403, "RequestTimeTooSkewed", (503, "unavailable")),
            (404, "", (404, "NoSuchKey")),
            (412, "", (412, "PreconditionFailed")),
            (501, "XNotImplemented", (501, "NotImplemented")),
            (400, "SomethingNew", (400, "InvalidRequest")),
            (502, "", (503, "unavailable")),
        ] {
            let expected = (expected.0, expected.1.to_owned());
            assert_eq!(of_store(status, code), expected, "{status} {code}");
        }
    }

    #[test]
    fn the_gateways_own_codes_have_their_status() {
        let refused = S3Refused::gateway(RefusalCode::CorsNotAllowed, "no");
        assert_eq!((refused.status.as_u16(), refused.code()), (409, "cors_not_allowed"));
        assert_eq!(S3Refused::no_checksums().code(), "checksums_not_kept");
        for (code, status, message) in DOCUMENTED {
            let refused = S3Refused::documented(StatusCode::from_u16(status).unwrap(), code);
            assert_eq!((refused.code(), &*refused.message), (code, message));
        }
    }
}
