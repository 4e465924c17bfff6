//! CompleteMultipartUpload: makes one object of the parts. The gateway answers 200.
//!
//! The gateway lists the parts, compares their lengths and checksums with the intent, and asks S3 to complete only if
//! all agree, so that the page needs no ETags. A repeat after a lost answer finds the object that was made.

use super::{BucketName, CompositeChecksum, ObjectKey, VersionId};
use crate::glacier::{AnswerError, Response, field};

/// The gateway's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct Completed {
    /// Where.
    pub bucket: BucketName,
    /// The object's name.
    pub key: ObjectKey,
    /// In a bucket that keeps versions.
    pub version_id: Option<VersionId>,
    /// Without quotes.
    pub etag: String,
    /// S3's own.
    pub checksum: CompositeChecksum,
    /// Bytes in the object.
    pub size: u64,
    /// Whether the tree hash is kept with the object; not where the store knows no tags.
    pub tree_hash_kept: bool,
}

/// The object, once S3's checksum and size equal ours.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with every field in its form and echoes `expected` and `size`.
pub fn read(response: &Response, expected: &CompositeChecksum, size: u64) -> Result<Completed, AnswerError> {
    let body = response.expect_json(200)?;
    let unreadable = |name| AnswerError::Unreadable { name };
    let checksum = field::required(body, "checksum")?;
    let checksum = CompositeChecksum::parse(checksum).ok_or(unreadable("checksum"))?;
    let completed = Completed {
        bucket: BucketName::new(field::required(body, "bucket")?).map_err(|_| unreadable("bucket"))?,
        key: ObjectKey::new(field::required(body, "key")?).map_err(|_| unreadable("key"))?,
        version_id: field::parsed(body, "versionId", |text| VersionId::new(text).ok())?,
        etag: field::required(body, "etag")?.to_owned(),
        checksum,
        size: field::required_number(body, "size")?,
        tree_hash_kept: body.bool("treeHashKept").ok_or(unreadable("treeHashKept"))?,
    };
    if completed.checksum == *expected && completed.size == size {
        Ok(completed)
    } else {
        Err(AnswerError::OtherObject)
    }
}
