//! DeleteArchive: removes an archive.
//!
//! Idempotent: an archive that is not there is deleted successfully. A retrieval that succeeded before stays
//! downloadable.
//!
//! **Source:** API reference, "Delete Archive (DELETE archive)".

use super::{AnswerError, ArchiveId, Method, Request, Response, VaultName};

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName, archive_id: &ArchiveId) -> Request {
    Request::without_body(Method::Delete, format!("/{account}/vaults/{vault}/archives/{archive_id}"))
}

/// Whether the archive is gone.
///
/// # Errors
/// [`AnswerError`] unless the answer is 204.
pub fn acknowledge(response: &Response) -> Result<(), AnswerError> {
    response.expect_status(204).map(drop)
}
