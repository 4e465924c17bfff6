//! AbortMultipartUpload: removes an upload and its parts.
//!
//! Idempotent. Fails once the upload was completed.
//!
//! **Source:** API reference, "Abort Multipart Upload (DELETE uploadID)".

use super::{AnswerError, Method, Request, Response, UploadId, VaultName};

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName, upload_id: &UploadId) -> Request {
    Request::without_body(Method::Delete, format!("/{account}/vaults/{vault}/multipart-uploads/{upload_id}"))
}

/// Whether the upload is gone.
///
/// # Errors
/// [`AnswerError`] unless the answer is 204, or 404: an upload that is not there needs no removal.
pub fn acknowledge(response: &Response) -> Result<(), AnswerError> {
    match response.status {
        404 if response.service_error().code.as_deref() == Some("ResourceNotFoundException") => Ok(()),
        _ => response.expect_status(204).map(drop),
    }
}
