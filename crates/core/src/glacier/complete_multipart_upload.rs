//! CompleteMultipartUpload: makes one archive of the parts.
//!
//! Idempotent for a while: a repeat after a lost answer returns the same archive ID. The store checks that there is
//! no gap, that the size is right and that the tree hash is ours.
//!
//! **Source:** API reference, "Complete Multipart Upload (POST uploadID)".

use super::{AnswerError, ArchiveId, Method, Request, Response, UploadId, VaultName, header};
use crate::tree_hash::TreeHash;

/// The request for the archive of `size` bytes with `tree_hash`. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName, upload_id: &UploadId, size: u64, tree_hash: TreeHash) -> Request {
    let path = format!("/{account}/vaults/{vault}/multipart-uploads/{upload_id}");
    let mut request = Request::without_body(Method::Post, path);
    request.headers.push((header::ARCHIVE_SIZE, size.to_string()));
    request.headers.push((header::TREE_HASH, tree_hash.to_string()));
    request
}

/// The ID of the archive, once the store's tree hash equals ours.
///
/// # Errors
/// [`AnswerError`] unless the answer is 201 with `x-amz-archive-id` and echoes `expected`.
pub fn read(response: &Response, expected: TreeHash) -> Result<ArchiveId, AnswerError> {
    let response = response.expect_status(201)?;
    let id = response.required_header(header::ARCHIVE_ID)?;
    let id = ArchiveId::new(id).map_err(|_| AnswerError::Unreadable { name: header::ARCHIVE_ID })?;
    response.expect_tree_hash(expected)?;
    Ok(id)
}
