//! ListMultipartUploads: the uploads of a vault that are neither completed nor aborted.
//!
//! Up to 50 a page, in no order; follow the marker until there is none.
//!
//! **Source:** API reference, "List Multipart Uploads (GET multipart-uploads)".

use super::{AnswerError, Method, Request, Response, UploadId, VaultName, field};
use crate::json::Json;
use crate::part::PartSize;

/// One upload in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadInProgress {
    /// What names it.
    pub upload_id: UploadId,
    /// Of every part but the last.
    pub part_size: PartSize,
    /// What will be kept with the archive. Not a [`Description`](super::Description): other clients have written
    /// what they liked.
    pub description: Option<String>,
    /// UTC, with milliseconds.
    pub creation_date: String,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In no order.
    pub uploads: Vec<UploadInProgress>,
    /// Where the next page begins, or `None` after the last.
    pub marker: Option<String>,
}

/// The request for the page that begins at `marker`. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName, marker: Option<&str>) -> Request {
    Request::without_body(Method::Get, format!("/{account}/vaults/{vault}/multipart-uploads")).query("marker", marker)
}

/// Reads a page.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with every field in its form.
pub fn read(response: &Response) -> Result<Page, AnswerError> {
    let body = response.expect_json(200)?;
    Ok(Page { uploads: field::items(body, "UploadsList", read_upload)?, marker: field::optional(body, "Marker") })
}

fn read_upload(upload: &Json) -> Result<UploadInProgress, AnswerError> {
    let unreadable = |name| AnswerError::Unreadable { name };
    let id = field::required(upload, "MultipartUploadId")?;
    let part_size = field::required_number(upload, "PartSizeInBytes")?;
    Ok(UploadInProgress {
        upload_id: UploadId::new(id).map_err(|_| unreadable("MultipartUploadId"))?,
        part_size: PartSize::from_bytes(part_size).map_err(|_| unreadable("PartSizeInBytes"))?,
        description: field::optional(upload, "ArchiveDescription"),
        creation_date: field::required(upload, "CreationDate")?.to_owned(),
    })
}
