//! What the browser means to do with objects.

use std::num::NonZeroU32;

use super::{
    BucketName, CompositeChecksum, ContentType, KeyPrefix, Metadata, ObjectKey, ObjectTags, PartNumber, StorageClass,
    UploadHandle, VersionId,
};
use crate::glacier::initiate_job::Tier;
use crate::json::Json;
use crate::part::PartSize;
use crate::range::ByteRange;
use crate::sha256::PayloadHash;
use crate::tree_hash::TreeHash;

/// Names of all operations there are intents for: AWS's words, after `s3:` as in IAM, because some are Glacier's too.
pub const OPERATIONS: [&str; 11] = [
    "s3:PutObject",
    "s3:CreateMultipartUpload",
    "s3:UploadPart",
    "s3:ListParts",
    "s3:CompleteMultipartUpload",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploads",
    "s3:HeadObject",
    "s3:RestoreObject",
    "s3:GetObject",
    "s3:DeleteObject",
];

/// An intent about objects; as JSON like every [`Intent`](crate::Intent), with `op` from [`OPERATIONS`].
///
/// PutObject, UploadPart and GetObject become presigned URLs of the bucket; all others go to the gateway itself, whose
/// answer the module of the operation reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "op", rename_all_fields = "camelCase", deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "S3Intent"))]
pub enum Intent {
    /// Store an object in one request.
    #[cfg_attr(feature = "serde", serde(rename = "s3:PutObject"))]
    PutObject {
        /// Where to.
        bucket: BucketName,
        /// Its name.
        key: ObjectKey,
        /// Bytes in it, at most [`MAX_PART_LEN`](super::MAX_PART_LEN).
        #[cfg_attr(feature = "schema", schemars(range(max = super::MAX_PART_LEN)))]
        size: u64,
        /// Of all of it; S3 refuses any other bytes.
        payload_hash: PayloadHash,
        /// Of all of it; kept as metadata.
        tree_hash: TreeHash,
        /// Where it is kept.
        storage_class: StorageClass,
        /// What it is.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        content_type: Option<ContentType>,
        /// Kept with it.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        metadata: Option<Metadata>,
        /// Kept with it.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        tags: Option<ObjectTags>,
        /// Whether an object of that name may be there before. If absent it may not.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
        overwrite: bool,
    },
    /// Open an upload.
    #[cfg_attr(feature = "serde", serde(rename = "s3:CreateMultipartUpload"))]
    CreateMultipartUpload {
        /// Where to.
        bucket: BucketName,
        /// The object's name.
        key: ObjectKey,
        /// Bytes in the object: parts are signed for no more. For a stream, whose length is not known yet, the most it
        /// may become.
        #[cfg_attr(feature = "schema", schemars(range(max = super::MAX_OBJECT_LEN)))]
        size: u64,
        /// Of all parts but the last, at least [`MIN_PART_LEN`](super::MIN_PART_LEN).
        part_size: PartSize,
        /// Where the object is kept.
        storage_class: StorageClass,
        /// What the object is.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        content_type: Option<ContentType>,
        /// Kept with the object.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        metadata: Option<Metadata>,
        /// Kept with the object.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        tags: Option<ObjectTags>,
        /// Whether an object of that name may be there before. If absent it may not.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
        overwrite: bool,
    },
    /// Send one part.
    #[cfg_attr(feature = "serde", serde(rename = "s3:UploadPart"))]
    UploadPart {
        /// As returned by CreateMultipartUpload.
        upload: UploadHandle,
        /// Which. Its length follows from what the upload was opened with.
        part_number: PartNumber,
        /// Of the part's bytes; S3 refuses any others.
        payload_hash: PayloadHash,
        /// Bytes in the part, of a stream, whose last part may be shorter than the plan has it. Absent where the plan
        /// is right.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        #[cfg_attr(feature = "schema", schemars(range(max = super::MAX_PART_LEN)))]
        size: Option<u64>,
    },
    /// See which parts S3 holds.
    #[cfg_attr(feature = "serde", serde(rename = "s3:ListParts"))]
    ListParts {
        /// As returned by CreateMultipartUpload.
        upload: UploadHandle,
        /// Where the page begins; absent for the first.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        marker: Option<String>,
    },
    /// Make the object.
    #[cfg_attr(feature = "serde", serde(rename = "s3:CompleteMultipartUpload"))]
    CompleteMultipartUpload {
        /// As returned by CreateMultipartUpload.
        upload: UploadHandle,
        /// Bytes in the whole object: of a stream fewer than it was opened for.
        #[cfg_attr(feature = "schema", schemars(range(max = super::MAX_OBJECT_LEN)))]
        size: u64,
        /// Over all parts; the gateway compares it with the one over the parts that S3 lists.
        checksum: CompositeChecksum,
        /// Of the whole object; kept as a tag.
        tree_hash: TreeHash,
    },
    /// Remove the upload and its parts.
    #[cfg_attr(feature = "serde", serde(rename = "s3:AbortMultipartUpload"))]
    AbortMultipartUpload {
        /// As returned by CreateMultipartUpload.
        upload: UploadHandle,
    },
    /// See which uploads are neither completed nor aborted.
    #[cfg_attr(feature = "serde", serde(rename = "s3:ListMultipartUploads"))]
    ListMultipartUploads {
        /// Where.
        bucket: BucketName,
        /// What their keys begin with.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        prefix: Option<KeyPrefix>,
        /// Where the page begins; absent for the first.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        marker: Option<String>,
    },
    /// See what an object is and whether it can be read.
    #[cfg_attr(feature = "serde", serde(rename = "s3:HeadObject"))]
    HeadObject {
        /// Where.
        bucket: BucketName,
        /// Which.
        key: ObjectKey,
        /// Absent for the latest.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        version_id: Option<VersionId>,
    },
    /// Have a copy of an archived object made that can be read for a while.
    #[cfg_attr(feature = "serde", serde(rename = "s3:RestoreObject"))]
    RestoreObject {
        /// Where.
        bucket: BucketName,
        /// Which.
        key: ObjectKey,
        /// Absent for the latest.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        version_id: Option<VersionId>,
        /// For how many days. Absent for an object of INTELLIGENT_TIERING, which has none to keep: it moves back for good.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        days: Option<NonZeroU32>,
        /// How fast. Expedited is not to be had of DEEP_ARCHIVE.
        tier: Tier,
    },
    /// Download an object, or some of it.
    #[cfg_attr(feature = "serde", serde(rename = "s3:GetObject"))]
    GetObject {
        /// Where.
        bucket: BucketName,
        /// Which.
        key: ObjectKey,
        /// Absent for the latest.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        version_id: Option<VersionId>,
        /// Which bytes; absent for all.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        range: Option<ByteRange>,
    },
    /// Remove an object, or one version of it.
    #[cfg_attr(feature = "serde", serde(rename = "s3:DeleteObject"))]
    DeleteObject {
        /// Where.
        bucket: BucketName,
        /// Which.
        key: ObjectKey,
        /// Absent for the latest.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        version_id: Option<VersionId>,
    },
}

/// What PutObject and CreateMultipartUpload say alike of the object that they make. Each has fields of its own for it,
/// because unknown fields are refused, which serde does not support beside flattened ones.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'i> {
    /// Where it is kept.
    pub storage_class: StorageClass,
    /// What it is.
    pub content_type: Option<&'i ContentType>,
    /// Kept with it.
    pub metadata: Option<&'i Metadata>,
    /// Kept with it.
    pub tags: Option<&'i ObjectTags>,
    /// Whether an object of that name may be there before.
    pub overwrite: bool,
}

impl Intent {
    /// The operation's name, which is also the JSON's `op`.
    pub const fn op(&self) -> &'static str {
        match self {
            Self::PutObject { .. } => "s3:PutObject",
            Self::CreateMultipartUpload { .. } => "s3:CreateMultipartUpload",
            Self::UploadPart { .. } => "s3:UploadPart",
            Self::ListParts { .. } => "s3:ListParts",
            Self::CompleteMultipartUpload { .. } => "s3:CompleteMultipartUpload",
            Self::AbortMultipartUpload { .. } => "s3:AbortMultipartUpload",
            Self::ListMultipartUploads { .. } => "s3:ListMultipartUploads",
            Self::HeadObject { .. } => "s3:HeadObject",
            Self::RestoreObject { .. } => "s3:RestoreObject",
            Self::GetObject { .. } => "s3:GetObject",
            Self::DeleteObject { .. } => "s3:DeleteObject",
        }
    }

    /// The bucket, and the key or the prefix of keys, that it touches. `None` where the upload's handle says it.
    pub fn place(&self) -> Option<(&BucketName, &str)> {
        match self {
            Self::PutObject { bucket, key, .. }
            | Self::CreateMultipartUpload { bucket, key, .. }
            | Self::HeadObject { bucket, key, .. }
            | Self::RestoreObject { bucket, key, .. }
            | Self::GetObject { bucket, key, .. }
            | Self::DeleteObject { bucket, key, .. } => Some((bucket, key.as_str())),
            Self::ListMultipartUploads { bucket, prefix, .. } => {
                Some((bucket, prefix.as_ref().map_or("", KeyPrefix::as_str)))
            }
            Self::UploadPart { .. }
            | Self::ListParts { .. }
            | Self::CompleteMultipartUpload { .. }
            | Self::AbortMultipartUpload { .. } => None,
        }
    }

    /// The upload it is about.
    pub const fn upload(&self) -> Option<&UploadHandle> {
        match self {
            Self::UploadPart { upload, .. }
            | Self::ListParts { upload, .. }
            | Self::CompleteMultipartUpload { upload, .. }
            | Self::AbortMultipartUpload { upload } => Some(upload),
            _ => None,
        }
    }

    /// How the object that it makes is to be kept.
    pub fn kept(&self) -> Option<Kept<'_>> {
        match self {
            Self::PutObject { storage_class, content_type, metadata, tags, overwrite, .. }
            | Self::CreateMultipartUpload { storage_class, content_type, metadata, tags, overwrite, .. } => {
                Some(Kept {
                    storage_class: *storage_class,
                    content_type: content_type.as_ref(),
                    metadata: metadata.as_ref(),
                    tags: tags.as_ref(),
                    overwrite: *overwrite,
                })
            }
            _ => None,
        }
    }

    /// How many bytes it means to store.
    pub const fn object_len(&self) -> Option<u64> {
        match self {
            Self::PutObject { size, .. }
            | Self::CreateMultipartUpload { size, .. }
            | Self::CompleteMultipartUpload { size, .. } => Some(*size),
            _ => None,
        }
    }

    /// The JSON form, for the browser. The servers encode by `serde`; a test holds the two together.
    pub fn to_json(&self) -> Json {
        let mut members = vec![("op", text(&self.op()))];
        members.extend(self.upload().map(|upload| ("upload", text(upload))));
        if let Some((bucket, place)) = self.place() {
            members.push(("bucket", text(bucket)));
            let is_list = matches!(self, Self::ListMultipartUploads { .. });
            members.extend((!is_list).then(|| ("key", text(&place))));
        }
        match self {
            Self::PutObject { size, payload_hash, tree_hash, .. } => {
                members.push(("size", Json::Number(*size)));
                members.push(("payloadHash", text(payload_hash)));
                members.push(("treeHash", text(tree_hash)));
            }
            Self::CreateMultipartUpload { size, part_size, .. } => {
                members.push(("size", Json::Number(*size)));
                members.push(("partSize", Json::Number(part_size.bytes())));
            }
            Self::UploadPart { upload: _, part_number, payload_hash, size } => {
                members.push(("partNumber", Json::Number((*part_number).into())));
                members.push(("payloadHash", text(payload_hash)));
                members.extend(size.map(|size| ("size", Json::Number(size))));
            }
            Self::ListParts { upload: _, marker } => members.extend(optional("marker", marker)),
            Self::CompleteMultipartUpload { upload: _, size, checksum, tree_hash } => {
                members.push(("size", Json::Number(*size)));
                members.push(("checksum", text(checksum)));
                members.push(("treeHash", text(tree_hash)));
            }
            Self::AbortMultipartUpload { upload: _ } => {}
            Self::ListMultipartUploads { bucket: _, prefix, marker } => {
                members.extend(optional("prefix", prefix));
                members.extend(optional("marker", marker));
            }
            Self::HeadObject { bucket: _, key: _, version_id }
            | Self::DeleteObject { bucket: _, key: _, version_id } => {
                members.extend(optional("versionId", version_id));
            }
            Self::RestoreObject { bucket: _, key: _, version_id, days, tier } => {
                members.extend(optional("versionId", version_id));
                members.extend(days.map(|days| ("days", Json::Number(days.get().into()))));
                members.push(("tier", text(&tier.as_str())));
            }
            Self::GetObject { bucket: _, key: _, version_id, range } => {
                members.extend(optional("versionId", version_id));
                members.extend(range.map(|range| ("range", text(&range.inclusive()))));
            }
        }
        if let Some(kept) = self.kept() {
            members.extend(kept.members());
        }
        Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}

impl Kept<'_> {
    fn members(&self) -> impl Iterator<Item = Member> {
        let Self { storage_class, content_type, metadata, tags, overwrite } = *self;
        [
            Some(("storageClass", text(&storage_class.as_str()))),
            content_type.map(|kind| ("contentType", text(kind))),
            metadata.map(|metadata| ("metadata", metadata.to_json())),
            tags.map(|tags| ("tags", tags.to_json())),
            overwrite.then_some(("overwrite", Json::Bool(true))),
        ]
        .into_iter()
        .flatten()
    }
}

type Member = (&'static str, Json);

fn text(value: &dyn ToString) -> Json {
    Json::Text(value.to_string())
}

fn optional(key: &'static str, value: &Option<impl ToString>) -> Option<Member> {
    value.as_ref().map(|value| (key, text(value)))
}
