//! Refusals: Glacier's codes, with the messages that tools look for.
//!
//! The body is `{"code", "message", "type"}` with lower-case keys, and clients read the code from it. One function for
//! each situation; a message quotes what was sent only where the service's own message does, and then cut short.
//!
//! **Source:** developer guide, "Error Responses"; messages without a public source are ours and say what to do.

mod jobs;
mod settings;

use glacier_core::ByteRange;
use glacier_core::glacier::{InvalidName, MAX_PARTS, UploadId};
use glacier_core::sigv4::SignatureError;
use http::StatusCode;

pub(crate) use jobs::*;
pub(crate) use settings::*;

/// An answer other than success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) message: String,
}

/// Glacier's codes, as far as the operations here use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    AccessDenied,
    BadRequest,
    InsufficientCapacity,
    InsufficientStorage,
    InvalidParameterValue,
    InvalidSignature,
    LimitExceeded,
    MissingAuthenticationToken,
    MissingParameterValue,
    PolicyEnforced,
    RequestTimeout,
    ResourceNotFound,
    Serialization,
    ServiceUnavailable,
    Throttling,
    UnrecognizedClient,
}

impl Code {
    /// The code on the wire.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDeniedException",
            Self::BadRequest => "BadRequest",
            Self::InsufficientCapacity => "InsufficientCapacityException",
            Self::InsufficientStorage => "InsufficientStorageException",
            Self::InvalidParameterValue => "InvalidParameterValueException",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::LimitExceeded => "LimitExceededException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::MissingParameterValue => "MissingParameterValueException",
            Self::PolicyEnforced => "PolicyEnforcedException",
            Self::RequestTimeout => "RequestTimeoutException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::Serialization => "SerializationException",
            Self::ServiceUnavailable => "ServiceUnavailableException",
            Self::Throttling => "ThrottlingException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
        }
    }

    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest
            | Self::InvalidParameterValue
            | Self::LimitExceeded
            | Self::MissingAuthenticationToken
            | Self::MissingParameterValue
            | Self::PolicyEnforced
            | Self::Serialization
            | Self::UnrecognizedClient => StatusCode::BAD_REQUEST,
            Self::AccessDenied | Self::InvalidSignature => StatusCode::FORBIDDEN,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::ResourceNotFound => StatusCode::NOT_FOUND,
            // The guide's number; the SDKs' model says 400, and takes either.
            Self::InsufficientCapacity => StatusCode::SERVICE_UNAVAILABLE,
            // Not one of Glacier's, whose disks are never full.
            Self::InsufficientStorage => StatusCode::INSUFFICIENT_STORAGE,
            Self::ServiceUnavailable => StatusCode::INTERNAL_SERVER_ERROR,
            // The service's is 400, which tells a client that knows no codes to give up.
            Self::Throttling => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// Whose fault it is.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::InsufficientCapacity | Self::InsufficientStorage | Self::ServiceUnavailable => "Server",
            _ => "Client",
        }
    }
}

fn refusal(code: Code, message: impl Into<String>) -> Refusal {
    Refusal { code, message: message.into() }
}

fn invalid(message: impl Into<String>) -> Refusal {
    refusal(Code::InvalidParameterValue, message)
}

/// A value of the client's as a message may quote it.
fn quoted(value: &str) -> String {
    const LONGEST: usize = 128;
    let mut shown: String = value.chars().take(LONGEST).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    shown
}

// --- Who asks ---

pub(crate) fn signature(error: &SignatureError) -> Refusal {
    let code = match error {
        SignatureError::Missing => Code::MissingAuthenticationToken,
        SignatureError::UnknownKey => Code::UnrecognizedClient,
        _ => Code::InvalidSignature,
    };
    refusal(code, error.to_string())
}

pub(crate) fn payload_hash_mismatch(given: &str, computed: &str) -> Refusal {
    let message = format!(
        "The value passed in as x-amz-content-sha256 does not match the computed payload hash. \
         Computed digest: {computed} expected hash: {given}"
    );
    refusal(Code::InvalidSignature, message)
}

pub(crate) fn foreign_account() -> Refusal {
    let message = "The account in the path is not the account of the credentials; use its 12 digits or '-'";
    refusal(Code::AccessDenied, message)
}

pub(crate) fn origin_not_allowed() -> Refusal {
    refusal(Code::AccessDenied, "Pages of this origin may not use the store; start it with --allow-origin to let them")
}

// --- What is asked ---

pub(crate) fn no_such_operation() -> Refusal {
    refusal(Code::BadRequest, "No operation has this method and path")
}

pub(crate) fn invalid_name(error: InvalidName) -> Refusal {
    invalid(format!("Invalid name: {error}"))
}

pub(crate) fn missing(what: &str) -> Refusal {
    refusal(Code::MissingParameterValue, format!("Required parameter missing: {what}"))
}

pub(crate) fn repeated(what: &str) -> Refusal {
    invalid(format!("Given more than once: {what}"))
}

pub(crate) fn not_text(header: &str) -> Refusal {
    invalid(format!("Invalid {header}: a header is printable ASCII"))
}

pub(crate) fn wrong_api_version(given: &str) -> Refusal {
    invalid(format!("Invalid API version: {}. This is version 2012-06-01.", quoted(given)))
}

pub(crate) fn invalid_description(error: InvalidName) -> Refusal {
    invalid(format!("Invalid x-amz-archive-description: {error}"))
}

pub(crate) fn invalid_limit(given: &str) -> Refusal {
    invalid(format!("Invalid limit: {}. A limit is a whole number of at least 1.", quoted(given)))
}

pub(crate) fn invalid_marker(given: &str) -> Refusal {
    invalid(format!("Invalid marker: {}. A marker is the Marker of the page before.", quoted(given)))
}

pub(crate) fn invalid_id(what: &str, given: &str) -> Refusal {
    let given = quoted(given);
    invalid(format!("Invalid {what}: {given}. It is 1 to 256 characters of letters, digits, '-' and '_'."))
}

pub(crate) fn invalid_content_sha256(given: &str) -> Refusal {
    let given = quoted(given);
    invalid(format!(
        "Invalid x-amz-content-sha256: {given}. It is the SHA-256 of the body, 64 lower-case hexadecimal digits."
    ))
}

pub(crate) fn invalid_tree_hash(given: &str) -> Refusal {
    invalid(format!("Invalid x-amz-sha256-tree-hash: {}", quoted(given)))
}

pub(crate) fn tree_hash_mismatch(given: &str, computed: &str) -> Refusal {
    invalid(format!("Checksum mismatch: expected {}, computed {computed}", quoted(given)))
}

// --- Bodies ---

pub(crate) fn invalid_content_length(given: u64) -> Refusal {
    invalid(format!("Invalid Content-Length: {given}"))
}

pub(crate) fn unreadable_content_length(given: &str) -> Refusal {
    invalid(format!("Invalid Content-Length: {}", quoted(given)))
}

pub(crate) fn body_too_large(limit: usize) -> Refusal {
    invalid(format!("The body of this operation is at most {limit} bytes"))
}

pub(crate) fn body_incomplete() -> Refusal {
    invalid("The body is not as long as Content-Length says; send the request again")
}

pub(crate) fn body_too_slow() -> Refusal {
    refusal(Code::RequestTimeout, "The body arrived too slowly; send the request again")
}

// --- Vaults, uploads, parts ---

pub(crate) fn vault_not_found(arn: &str) -> Refusal {
    refusal(Code::ResourceNotFound, format!("Vault not found for ARN: {arn}"))
}

pub(crate) fn vault_not_empty(arn: &str) -> Refusal {
    invalid(format!("Vault not empty or recently written to: {arn}"))
}

pub(crate) fn too_many_vaults(limit: u64) -> Refusal {
    refusal(Code::LimitExceeded, format!("An account has at most {limit} vaults in a region"))
}

pub(crate) fn too_many_uploads() -> Refusal {
    let message = "The vault has as many uploads in progress as it may; complete or abort some, or try again later";
    refusal(Code::Throttling, message)
}

pub(crate) fn upload_not_found(id: &UploadId) -> Refusal {
    refusal(Code::ResourceNotFound, format!("The upload ID was not found: {id}"))
}

pub(crate) fn invalid_part_size(given: &str) -> Refusal {
    let given = quoted(given);
    invalid(format!(
        "Invalid part size: {given}. Part size must not be null, must be a power of two and be between 1048576 and \
         4294967296 bytes."
    ))
}

pub(crate) fn invalid_content_range(given: &str) -> Refusal {
    invalid(format!("Invalid Content-Range: {}", quoted(given)))
}

pub(crate) fn range_and_length_disagree(given: &str, content_length: u64) -> Refusal {
    invalid(format!("Content-Range: {} is incompatible with Content-Length: {content_length}", quoted(given)))
}

pub(crate) fn range_and_part_size_disagree(range: ByteRange, part_size: u64) -> Refusal {
    let range = range.content_range();
    invalid(format!(
        "Content-Range: {range} is incompatible with the part size {part_size}: a part begins at a multiple of it and \
         is not longer"
    ))
}

pub(crate) fn too_many_parts(part_number: u64) -> Refusal {
    invalid(format!(
        "This is part number {part_number} for the current multipart upload. It exceeds the limit of {MAX_PARTS} parts."
    ))
}

pub(crate) fn invalid_archive_size(given: &str) -> Refusal {
    invalid(format!("Invalid x-amz-archive-size: {}", quoted(given)))
}

pub(crate) fn archive_size_mismatch(given: u64, held: u64) -> Refusal {
    invalid(format!("Invalid x-amz-archive-size: {given}. The parts have {held} bytes together."))
}

pub(crate) fn missing_part(first_byte: u64) -> Refusal {
    invalid(format!("The upload has a gap: no part begins at byte {first_byte}"))
}

// --- JSON ---

pub(crate) fn malformed_json(reason: &str) -> Refusal {
    refusal(Code::Serialization, format!("The body is not JSON: {reason}"))
}

pub(crate) fn wrong_json_type(what: &str, expected: &str) -> Refusal {
    refusal(Code::Serialization, format!("{what} must be {expected}"))
}

// --- Our own fault ---

pub(crate) fn internal() -> Refusal {
    refusal(Code::ServiceUnavailable, "The store could not do this because of an internal error; try again later")
}

pub(crate) fn full() -> Refusal {
    let message =
        "The store's disk is full. Uploads that have all their parts can be completed; abort what is not needed";
    refusal(Code::InsufficientStorage, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::JobId;

    #[test]
    fn catalogue_messages_are_the_service_s_own() {
        for (refusal, message) in [
            (vault_not_found("arn:x"), "Vault not found for ARN: arn:x"),
            (vault_not_empty("arn:x"), "Vault not empty or recently written to: arn:x"),
            (invalid_content_length(0), "Invalid Content-Length: 0"),
            (
                invalid_part_size("3"),
                "Invalid part size: 3. Part size must not be null, must be a power of two and be between 1048576 and 4294967296 bytes.",
            ),
            (invalid_content_range("bytes 5-1/*"), "Invalid Content-Range: bytes 5-1/*"),
            (
                range_and_length_disagree("bytes 0-1048576/*", 1_048_576),
                "Content-Range: bytes 0-1048576/* is incompatible with Content-Length: 1048576",
            ),
            (
                too_many_parts(10_001),
                "This is part number 10001 for the current multipart upload. It exceeds the limit of 10000 parts.",
            ),
            (tree_hash_mismatch("a", "b"), "Checksum mismatch: expected a, computed b"),
            (invalid_tree_hash("000"), "Invalid x-amz-sha256-tree-hash: 000"),
            (job_not_found(&JobId::new("j").unwrap()), "The job ID was not found: j"),
            (job_not_ready(&JobId::new("j").unwrap()), "The job is not currently available for download: j"),
            (invalid_status_code("Done"), "The job status code is not valid: Done"),
            (policy_enforced(), "InitiateJob request denied by current data retrieval policy."),
            (missing("x-amz-sha256-tree-hash"), "Required parameter missing: x-amz-sha256-tree-hash"),
        ] {
            assert_eq!(refusal.message, message);
        }
    }

    #[test]
    fn quotes_are_cut_short_between_characters() {
        assert_eq!(quoted(&"é".repeat(200)), format!("{}…", "é".repeat(128)));
        assert_eq!(quoted("short"), "short");
    }
}
