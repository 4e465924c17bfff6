//! PutObject: stores an object in one request, straight at the bucket.
//!
//! Idempotent with `overwrite`; without it a repeat after a lost answer is refused (412), because the object is there.
//! Whether it is ours, HeadObject tells.

use super::upload_part::{self, Acknowledgement};
use super::{VersionId, header};
use crate::glacier::{AnswerError, Response};
use crate::sha256::PayloadHash;

/// What the page can see of S3's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Whether S3's checksum is ours.
    pub acknowledgement: Acknowledgement,
    /// Without quotes; `None` where the bucket's CORS rules do not expose it.
    pub etag: Option<String>,
    /// In a bucket that keeps versions.
    pub version_id: Option<VersionId>,
}

/// Reads the answer.
///
/// # Errors
/// As [`upload_part::acknowledge`].
pub fn read(response: &Response, expected: &PayloadHash) -> Result<Stored, AnswerError> {
    Ok(Stored {
        acknowledgement: upload_part::acknowledge(response, expected)?,
        etag: response.header(header::ETAG).map(|etag| etag.trim_matches('"').to_owned()),
        version_id: response.header(header::VERSION_ID).and_then(|id| VersionId::new(id).ok()),
    })
}
