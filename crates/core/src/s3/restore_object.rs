//! RestoreObject: has a copy of an archived object made that can be read for some days.
//!
//! The gateway answers 202 where the work begins, and 200 where the copy is there already and is kept longer. What
//! INTELLIGENT_TIERING has put away makes no copy: the object itself moves back, and S3 refuses to be told of days.
//!
//! **Source:** S3 API reference, "RestoreObject"; user guide, "Archive retrieval options" and "Working with archived
//! objects", on Intelligent-Tiering.

use std::num::NonZeroU32;

use super::Intent;
use crate::download::ObjectSource;
use crate::error::{ErrorCode, UploadError};
use crate::glacier::initiate_job::Tier;
use crate::glacier::{AnswerError, Response};

/// How it is to be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoreOptions {
    /// How long the copy is kept, where one is made.
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
    let makes_copy = object.head.storage_class != "INTELLIGENT_TIERING";
    Ok(Some(Intent::RestoreObject {
        bucket: object.bucket.clone(),
        key: object.key.clone(),
        version_id: object.seen_version().cloned(),
        days: makes_copy.then_some(options.days),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glacier::Date;
    use crate::s3::head_object::{ObjectHead, Restore};
    use crate::s3::{BucketName, ObjectKey};

    fn object(storage_class: &str, archived: bool, restore: Option<Restore>) -> ObjectSource {
        ObjectSource {
            bucket: BucketName::new("photos").unwrap(),
            key: ObjectKey::new("a").unwrap(),
            version_id: None,
            head: ObjectHead {
                size: 5,
                storage_class: storage_class.into(),
                etag: "e".into(),
                version_id: None,
                last_modified: Date::new("2026-03-20T17:03:43Z").unwrap(),
                content_type: None,
                checksum: None,
                part_size: None,
                tree_hash: None,
                metadata: Vec::new(),
                restore,
                archived,
            },
        }
    }

    fn asked(object: &ObjectSource, tier: Tier) -> Result<Option<Option<u32>>, ErrorCode> {
        let options = RestoreOptions { days: NonZeroU32::new(3).unwrap(), tier };
        match intent(object, options) {
            Ok(Some(Intent::RestoreObject { days, tier: said, .. })) => {
                assert_eq!(said, tier);
                Ok(Some(days.map(NonZeroU32::get)))
            }
            Ok(other) => Ok(other.map(|other| panic!("{other:?}"))),
            Err(error) => Err(error.code),
        }
    }

    #[test]
    fn only_what_is_archived_is_restored_and_a_copy_that_is_there_is_kept_longer() {
        let copy = Some(Restore { ongoing: false, expiry: None });
        assert_eq!(asked(&object("GLACIER_IR", false, None), Tier::Bulk), Ok(None));
        assert_eq!(asked(&object("GLACIER", true, None), Tier::Bulk), Ok(Some(Some(3))));
        assert_eq!(asked(&object("DEEP_ARCHIVE", true, copy), Tier::Standard), Ok(Some(Some(3))));
    }

    #[test]
    fn what_intelligent_tiering_put_away_moves_back_for_good() {
        assert_eq!(asked(&object("INTELLIGENT_TIERING", true, None), Tier::Expedited), Ok(Some(None)));
        assert_eq!(asked(&object("INTELLIGENT_TIERING", false, None), Tier::Standard), Ok(None));
    }

    #[test]
    fn deep_archive_has_no_fast_tier() {
        assert_eq!(asked(&object("DEEP_ARCHIVE", true, None), Tier::Expedited), Err(ErrorCode::InvalidOption));
        assert_eq!(asked(&object("GLACIER", true, None), Tier::Expedited), Ok(Some(Some(3))));
    }
}
