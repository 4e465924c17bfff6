//! HeadObject: what an object is and whether it can be read. The gateway answers 200.

use super::{ObjectChecksum, VersionId};
use crate::glacier::describe_job::JobStatus;
use crate::glacier::{AnswerError, Date, Response, field};
use crate::json::Json;
use crate::tree_hash::TreeHash;

/// The gateway's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct ObjectHead {
    /// Bytes in the object.
    pub size: u64,
    /// Where it is kept, in S3's word: not only a [`StorageClass`](super::StorageClass), for others may have stored it.
    pub storage_class: String,
    /// Without quotes.
    pub etag: String,
    /// In a bucket that keeps versions.
    pub version_id: Option<VersionId>,
    /// When it was made.
    pub last_modified: Date,
    /// What kind of bytes it is of, as whoever stored it said.
    pub content_type: Option<String>,
    /// S3's SHA-256, where it keeps one. As JSON `checksum` and `checksumType`.
    #[cfg_attr(feature = "serde", serde(flatten, with = "checksum_and_type"))]
    pub checksum: Option<ObjectChecksum>,
    /// Bytes in the first of the parts that a composite checksum is over, where the gateway says.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub part_size: Option<u64>,
    /// Of the metadata or the tag of that name, where there is one.
    pub tree_hash: Option<TreeHash>,
    /// Names in lower case, without `x-amz-meta-`, and without the tree hash.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_object"))]
    pub metadata: Vec<(String, String)>,
    /// Where a restore was asked for.
    pub restore: Option<Restore>,
    /// Whether it must be restored before it can be read. Stays true while a restored copy is there.
    pub archived: bool,
}

impl ObjectHead {
    /// Whether its bytes can be had now.
    pub const fn is_readable(&self) -> bool {
        matches!(self.restore_status(), JobStatus::Succeeded)
    }

    /// Its restore as a job: one that needs none has succeeded, and one that is neither there nor being made has failed.
    pub const fn restore_status(&self) -> JobStatus {
        match self.restore {
            _ if !self.archived => JobStatus::Succeeded,
            Some(Restore { ongoing: true, .. }) => JobStatus::InProgress,
            Some(Restore { ongoing: false, .. }) => JobStatus::Succeeded,
            None => JobStatus::Failed,
        }
    }
}

/// How far a restore is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Restore {
    /// It is being made; if not, it is there.
    pub ongoing: bool,
    /// Until when the copy can be read.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub expiry: Option<Date>,
}

/// Reads the answer.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with every field in its form.
pub fn read(response: &Response) -> Result<ObjectHead, AnswerError> {
    let body = response.expect_json(200)?;
    let unreadable = |name| AnswerError::Unreadable { name };
    let checksum = field::parsed(body, "checksum", ObjectChecksum::parse)?;
    if checksum.is_some_and(|checksum| body.text("checksumType") != Some(checksum.kind())) {
        return Err(unreadable("checksumType"));
    }
    let Some(Json::Object(metadata)) = body.get("metadata") else { return Err(unreadable("metadata")) };
    let pair = |(name, value): &(String, Json)| match value {
        Json::Text(value) => Some((name.clone(), value.clone())),
        _ => None,
    };
    let mut metadata = metadata.iter().map(pair).collect::<Option<Vec<_>>>().ok_or(unreadable("metadata"))?;
    // A browser puts names that look like numbers first.
    metadata.sort_unstable();
    Ok(ObjectHead {
        size: field::required_number(body, "size")?,
        storage_class: field::required(body, "storageClass")?.to_owned(),
        etag: field::required(body, "etag")?.to_owned(),
        version_id: field::parsed(body, "versionId", |text| VersionId::new(text).ok())?,
        last_modified: read_date(body, "lastModified")?.ok_or(unreadable("lastModified"))?,
        content_type: field::optional(body, "contentType"),
        checksum,
        part_size: body.number("partSize"),
        tree_hash: field::parsed(body, "treeHash", |text| TreeHash::from_hex(text).ok())?,
        metadata,
        restore: match body.get("restore") {
            None | Some(Json::Null) => None,
            Some(restore) => Some(Restore {
                ongoing: restore.bool("ongoing").ok_or(unreadable("restore"))?,
                expiry: read_date(restore, "expiry")?,
            }),
        },
        archived: body.bool("archived").ok_or(unreadable("archived"))?,
    })
}

fn read_date(object: &Json, name: &'static str) -> Result<Option<Date>, AnswerError> {
    field::parsed(object, name, |text| Date::new(text).ok())
}

#[cfg(feature = "serde")]
fn as_object<S: serde::Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

#[cfg(feature = "serde")]
mod checksum_and_type {
    use serde::{Serialize, Serializer};

    use crate::s3::ObjectChecksum;

    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Form {
        checksum: Option<ObjectChecksum>,
        checksum_type: Option<&'static str>,
    }

    pub(super) fn serialize<S: Serializer>(
        checksum: &Option<ObjectChecksum>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let checksum_type = checksum.as_ref().map(ObjectChecksum::kind);
        Form { checksum: *checksum, checksum_type }.serialize(serializer)
    }
}
