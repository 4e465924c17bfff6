//! RestoreObject: has a copy of an archived object made that can be read for some days.
//!
//! The gateway answers 202 where the work begins, and 200 where the copy is there already and is kept longer.
//!
//! **Source:** S3 API reference, "RestoreObject"; user guide, "Archive retrieval options".

use std::num::NonZeroU32;

use super::Intent;
use crate::download::ObjectSource;
use crate::error::{ErrorCode, UploadError};
use crate::glacier::initiate_job::Tier;
use crate::glacier::{AnswerError, Response};

/// How it is to be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoreOptions {
    /// How long the copy is kept.
    pub days: NonZeroU32,
    /// How fast, and how dear.
    pub tier: Tier,
}

/// What is to be asked before the object can be read; `None` where it can be read without, as in every class that is no
/// archive. A copy that is there is asked for all the same: it is then kept longer.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] where the class has no such tier.
pub fn intent(object: &ObjectSource, options: RestoreOptions) -> Result<Option<Intent>, UploadError> {
    if !object.head.archived {
        return Ok(None);
    }
    if object.head.storage_class == "DEEP_ARCHIVE" && options.tier == Tier::Expedited {
        let words = "DEEP_ARCHIVE has no tier \"Expedited\"";
        return Err(UploadError::new(ErrorCode::InvalidOption, words).hint("Ask with \"Standard\" or \"Bulk\"."));
    }
    Ok(Some(Intent::RestoreObject {
        bucket: object.bucket.clone(),
        key: object.key.clone(),
        version_id: object.seen_version().cloned(),
        days: options.days,
        tier: options.tier,
    }))
}

/// The gateway's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Restoring {
    /// Whether a restore begins; if not, the object can be read now.
    pub started: bool,
}

/// Reads the answer. A refusal because it is being restored already is as good as a beginning.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 or 202 and says so in its body too.
pub fn read(response: &Response) -> Result<Restoring, AnswerError> {
    if response.service_error().code.as_deref() == Some("RestoreAlreadyInProgress") {
        return Ok(Restoring { started: true });
    }
    let expected = if response.status == 200 { 200 } else { 202 };
    let started = response.expect_json(expected)?.bool("started");
    started.map(|started| Restoring { started }).ok_or(AnswerError::Unreadable { name: "started" })
}
