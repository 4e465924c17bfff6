//! RestoreObject: has a copy of an archived object made that can be read for some days.
//!
//! The gateway answers 202 where the work begins, and 200 where the copy is there already and is kept longer.

use crate::glacier::{AnswerError, Response};

/// The gateway's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Restoring {
    /// Whether a restore begins; if not, the object can be read now.
    pub started: bool,
}

/// Reads the answer.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 or 202 and says so in its body too.
pub fn read(response: &Response) -> Result<Restoring, AnswerError> {
    let expected = if response.status == 200 { 200 } else { 202 };
    let started = response.expect_json(expected)?.bool("started");
    started.map(|started| Restoring { started }).ok_or(AnswerError::Unreadable { name: "started" })
}
