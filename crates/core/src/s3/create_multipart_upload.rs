//! CreateMultipartUpload: opens an upload. The gateway answers 201 with the upload's handle.
//!
//! Not idempotent: each opens another. One whose answer was lost holds no bytes, and a lifecycle rule of the bucket
//! removes it.

use super::UploadHandle;
use crate::glacier::{AnswerError, Response, field};

/// The gateway's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Created {
    /// Names the upload from now on.
    pub upload: UploadHandle,
}

/// Reads the answer.
///
/// # Errors
/// [`AnswerError`] unless the answer is 201 with a handle.
pub fn read(response: &Response) -> Result<UploadHandle, AnswerError> {
    let upload = field::required(response.expect_json(201)?, "upload")?;
    UploadHandle::new(upload).map_err(|_| AnswerError::Unreadable { name: "upload" })
}
