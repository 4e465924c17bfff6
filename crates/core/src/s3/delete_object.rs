//! DeleteObject: removes an object, or one version of it. The gateway answers 204, also for one that is not there.

use crate::glacier::{AnswerError, Response};

/// Whether the object is gone.
///
/// # Errors
/// [`AnswerError`] unless the answer is 204.
pub fn read(response: &Response) -> Result<(), AnswerError> {
    response.expect_status(204).map(drop)
}
