//! UploadPart: stores one part, straight at the bucket.
//!
//! Idempotent: the same number again replaces what was there. The checksum's header is signed, so that S3 refuses bytes
//! of another hash.

use super::{header, read_checksum_header};
use crate::glacier::{AnswerError, Response};
use crate::sha256::PayloadHash;

/// What an answer of S3 to bytes says about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// S3's checksum is ours.
    Confirmed,
    /// The page may not see the checksum: the bucket's CORS rules do not expose its header, or the store sends none.
    Unseen,
}

/// Whether S3 holds bytes of the hash we computed.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200, and where it brings another checksum.
pub fn acknowledge(response: &Response, expected: &PayloadHash) -> Result<Acknowledgement, AnswerError> {
    let Some(text) = response.expect_status(200)?.header(header::CHECKSUM_SHA256) else {
        return Ok(Acknowledgement::Unseen);
    };
    let name = header::CHECKSUM_SHA256;
    match read_checksum_header(text).ok_or(AnswerError::Unreadable { name })? {
        reported if reported == *expected => Ok(Acknowledgement::Confirmed),
        reported => Err(AnswerError::ChecksumMismatch { computed: *expected, reported }),
    }
}
