//! ListMultipartUploads: which uploads are neither completed nor aborted, up to 1,000 a page. The gateway answers 200.

use super::{ObjectKey, UploadHandle};
use crate::glacier::{AnswerError, Date, Response, field};
use crate::json::Json;

/// The gateway's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Page {
    /// In order of key.
    pub uploads: Vec<Upload>,
    /// Where the next page begins, or `None` after the last.
    pub marker: Option<String>,
}

/// One unfinished upload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct Upload {
    /// What the object would be called.
    pub key: ObjectKey,
    /// When it was opened.
    pub initiated: Date,
    /// Where the object would be kept, in S3's word.
    pub storage_class: String,
    /// With which it can be aborted, and nothing else: it does not say how long the parts are.
    pub upload: UploadHandle,
}

/// Reads a page.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with every field in its form.
pub fn read(response: &Response) -> Result<Page, AnswerError> {
    let body = response.expect_json(200)?;
    Ok(Page { uploads: field::items(body, "uploads", read_upload)?, marker: field::optional(body, "marker") })
}

fn read_upload(upload: &Json) -> Result<Upload, AnswerError> {
    let unreadable = |name| AnswerError::Unreadable { name };
    Ok(Upload {
        key: ObjectKey::new(field::required(upload, "key")?).map_err(|_| unreadable("key"))?,
        initiated: Date::new(field::required(upload, "initiated")?).map_err(|_| unreadable("initiated"))?,
        storage_class: field::required(upload, "storageClass")?.to_owned(),
        upload: UploadHandle::new(field::required(upload, "upload")?).map_err(|_| unreadable("upload"))?,
    })
}
