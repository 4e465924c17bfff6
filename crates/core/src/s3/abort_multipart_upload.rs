//! AbortMultipartUpload: removes an upload and its parts. The gateway answers 204, also for one that is gone.

use crate::glacier::{AnswerError, Response};

/// Whether the upload is gone.
///
/// # Errors
/// [`AnswerError`] unless the answer is 204.
pub fn read(response: &Response) -> Result<(), AnswerError> {
    response.expect_status(204).map(drop)
}
