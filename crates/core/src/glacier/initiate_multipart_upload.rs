//! InitiateMultipartUpload: opens an upload and fixes its part size.
//!
//! Not idempotent: each success opens another upload. Repeating it after a lost answer is safe all the same, because
//! an upload without parts holds nothing and the store removes it after a day without activity.
//!
//! **Source:** API reference, "Initiate Multipart Upload (POST multipart-uploads)".

use super::{AnswerError, Description, Method, Request, Response, UploadId, VaultName, header};
use crate::part::PartSize;

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName, part_size: PartSize, description: Option<&Description>) -> Request {
    let path = format!("/{account}/vaults/{vault}/multipart-uploads");
    let mut request = Request::without_body(Method::Post, path);
    request.headers.push((header::PART_SIZE, part_size.bytes().to_string()));
    if let Some(description) = description {
        request.headers.push((header::ARCHIVE_DESCRIPTION, description.as_str().to_owned()));
    }
    request
}

/// The ID of the upload that was opened.
///
/// # Errors
/// [`AnswerError`] unless the answer is 201 with `x-amz-multipart-upload-id`.
pub fn read(response: &Response) -> Result<UploadId, AnswerError> {
    let id = response.expect_status(201)?.required_header(header::MULTIPART_UPLOAD_ID)?;
    UploadId::new(id).map_err(|_| AnswerError::Unreadable { name: header::MULTIPART_UPLOAD_ID })
}
