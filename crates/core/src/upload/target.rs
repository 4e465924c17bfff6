//! Where an upload goes: all that differs from store to store.

use super::parts::Held;
use crate::glacier::{
    AnswerError, ArchiveId, Description, Response, UploadId, VaultName, abort_multipart_upload,
    complete_multipart_upload, initiate_multipart_upload, list_parts, upload_multipart_part,
};
use crate::intent::Intent;
use crate::plan::PartPlan;
use crate::range::ByteRange;
use crate::retry::Operation;
use crate::s3::upload_part::Acknowledgement;
use crate::s3::{
    self, BucketName, CompositeChecksum, ContentType, Metadata, ObjectChecksum, ObjectKey, ObjectTags, PartNumber,
    StorageClass, UploadHandle, VersionId,
};
use crate::tree_hash::{PartDigest, TreeHash};

/// What an upload makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An archive of Glacier.
    Vault {
        /// Where to.
        vault: VaultName,
        /// Kept with the archive.
        description: Option<Description>,
    },
    /// An object of S3.
    Object(Box<ObjectTarget>),
}

/// An object of S3 that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectTarget {
    /// Where to.
    pub bucket: BucketName,
    /// Its name.
    pub key: ObjectKey,
    /// Where it is kept.
    pub storage_class: StorageClass,
    /// What it is.
    pub content_type: Option<ContentType>,
    /// Kept with it.
    pub metadata: Option<Metadata>,
    /// Kept with it.
    pub tags: Option<ObjectTags>,
    /// Whether an object of that name may be there before.
    pub overwrite: bool,
}

/// An upload at the store, as the store names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUpload {
    /// Of Glacier.
    Vault {
        /// Where.
        vault: VaultName,
        /// As InitiateMultipartUpload returned it.
        upload_id: UploadId,
    },
    /// Of S3.
    Object(UploadHandle),
}

/// What came of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// An archive, named by the store.
    Archive(ArchiveId),
    /// An object.
    Object(StoredObject),
}

/// An object of S3 that was made. S3's checksum of it is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// Where.
    pub bucket: BucketName,
    /// Its name.
    pub key: ObjectKey,
    /// In a bucket that keeps versions, where the page may see it.
    pub version_id: Option<VersionId>,
    /// Without quotes, where the page may see it.
    pub etag: Option<String>,
    /// S3's own.
    pub checksum: ObjectChecksum,
    /// Whether the tree hash is kept with the object.
    pub tree_hash_kept: bool,
}

/// One page of the parts that the store holds.
pub(super) struct Page {
    /// Counted from 0.
    pub(super) parts: Vec<(u32, Held)>,
    pub(super) marker: Option<String>,
}

impl Target {
    /// The object, where it is one.
    pub fn object(&self) -> Option<&ObjectTarget> {
        match self {
            Self::Vault { .. } => None,
            Self::Object(object) => Some(object),
        }
    }

    /// Whether a file cut like that goes in one request. S3 stores no second object where one is repeated, as Glacier
    /// would.
    pub(super) fn is_put(&self, plan: &PartPlan) -> bool {
        self.object().is_some() && plan.n_parts() == 1
    }

    /// The name, in the words of the store, of what this machine calls `operation` in Glacier's.
    pub(super) const fn named(&self, operation: Operation) -> Operation {
        if matches!(self, Self::Vault { .. }) {
            return operation;
        }
        match operation {
            Operation::InitiateMultipartUpload => Operation::S3CreateMultipartUpload,
            Operation::UploadMultipartPart => Operation::S3UploadPart,
            Operation::ListParts => Operation::S3ListParts,
            Operation::CompleteMultipartUpload => Operation::S3CompleteMultipartUpload,
            Operation::AbortMultipartUpload => Operation::S3AbortMultipartUpload,
            other => other,
        }
    }

    /// Opens an upload.
    pub(super) fn open(&self, plan: &PartPlan) -> Intent {
        let (size, part_size) = (plan.size(), plan.part_size());
        match self {
            Self::Vault { vault, description } => Intent::InitiateMultipartUpload {
                vault: vault.clone(),
                part_size,
                size,
                description: description.clone(),
            },
            Self::Object(object) => Intent::S3(s3::Intent::CreateMultipartUpload {
                bucket: object.bucket.clone(),
                key: object.key.clone(),
                size,
                part_size,
                storage_class: object.storage_class,
                content_type: object.content_type.clone(),
                metadata: object.metadata.clone(),
                tags: object.tags.clone(),
                overwrite: object.overwrite,
            }),
        }
    }

    /// The upload that was opened.
    pub(super) fn read_opened(&self, response: &Response) -> Result<StoreUpload, AnswerError> {
        match self {
            Self::Vault { vault, .. } => initiate_multipart_upload::read(response)
                .map(|upload_id| StoreUpload::Vault { vault: vault.clone(), upload_id }),
            Self::Object(_) => s3::create_multipart_upload::read(response).map(StoreUpload::Object),
        }
    }

    /// Whether an upload of the record can be one to here.
    pub(super) fn has(&self, upload: &StoreUpload) -> bool {
        match (self, upload) {
            (Self::Vault { vault, .. }, StoreUpload::Vault { vault: of, .. }) => vault == of,
            (Self::Object(_), StoreUpload::Object(_)) => true,
            _ => false,
        }
    }
}

impl ObjectTarget {
    /// Stores all of it in one request.
    pub(super) fn put(&self, size: u64, digest: &PartDigest) -> Intent {
        Intent::S3(s3::Intent::PutObject {
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            size,
            payload_hash: digest.payload_hash,
            tree_hash: digest.tree_hash,
            storage_class: self.storage_class,
            content_type: self.content_type.clone(),
            metadata: self.metadata.clone(),
            tags: self.tags.clone(),
            overwrite: self.overwrite,
        })
    }

    /// Looks at what is there.
    pub(super) fn head(&self) -> Intent {
        Intent::S3(s3::Intent::HeadObject { bucket: self.bucket.clone(), key: self.key.clone(), version_id: None })
    }

    /// What was made, by its checksum. What the page may not see of it is left open.
    pub(super) fn stored(&self, checksum: ObjectChecksum) -> StoredObject {
        StoredObject {
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            version_id: None,
            etag: None,
            checksum,
            tree_hash_kept: true,
        }
    }
}

impl StoreUpload {
    /// What the store calls it.
    pub fn name(&self) -> &str {
        match self {
            Self::Vault { upload_id, .. } => upload_id.as_str(),
            Self::Object(handle) => handle.as_str(),
        }
    }

    /// Sends a part. `is_stream` is whether the store does not know from the upload how long the part is.
    pub(super) fn send(&self, part: u32, range: ByteRange, digest: &PartDigest, is_stream: bool) -> Option<Intent> {
        Some(match self {
            Self::Vault { vault, upload_id } => Intent::UploadMultipartPart {
                vault: vault.clone(),
                upload_id: upload_id.clone(),
                range,
                payload_hash: digest.payload_hash,
                tree_hash: digest.tree_hash,
            },
            Self::Object(upload) => Intent::S3(s3::Intent::UploadPart {
                upload: upload.clone(),
                part_number: PartNumber::from_index(part)?,
                payload_hash: digest.payload_hash,
                size: is_stream.then(|| range.len()),
            }),
        })
    }

    /// What the store's answer to a part says of it.
    pub(super) fn acknowledge(&self, response: &Response, digest: &PartDigest) -> Result<Acknowledgement, AnswerError> {
        match self {
            Self::Vault { .. } => {
                upload_multipart_part::acknowledge(response, digest.tree_hash).map(|()| Acknowledgement::Confirmed)
            }
            Self::Object(_) => s3::upload_part::acknowledge(response, &digest.payload_hash),
        }
    }

    /// Asks which parts the store holds.
    pub(super) fn list(&self, marker: Option<String>) -> Intent {
        match self {
            Self::Vault { vault, upload_id } => {
                Intent::ListParts { vault: vault.clone(), upload_id: upload_id.clone(), marker }
            }
            Self::Object(upload) => Intent::S3(s3::Intent::ListParts { upload: upload.clone(), marker }),
        }
    }

    /// A page of them. What is there in another length than planned is not there.
    pub(super) fn read_page(&self, response: &Response, plan: &PartPlan) -> Result<Page, AnswerError> {
        let unreadable = |name| AnswerError::Unreadable { name };
        match self {
            Self::Vault { .. } => {
                let page = list_parts::read(response)?;
                if page.part_size != plan.part_size() {
                    return Err(unreadable("PartSizeInBytes"));
                }
                let part = |(range, hash)| {
                    plan.index_of(range).map(|part| (part, Held::Tree(hash))).ok_or(unreadable("Parts"))
                };
                Ok(Page { parts: page.parts.into_iter().map(part).collect::<Result<_, _>>()?, marker: page.marker })
            }
            Self::Object(_) => {
                let page = s3::list_parts::read(response)?;
                let part = |part: s3::list_parts::Part| {
                    let index = part.part_number.index();
                    let is_whole = plan.range(index).is_some_and(|range| range.len() == part.size);
                    part.payload_hash.filter(|_| is_whole).map(|hash| (index, Held::Payload(hash)))
                };
                Ok(Page { parts: page.parts.into_iter().filter_map(part).collect(), marker: page.marker })
            }
        }
    }

    /// Makes one of all parts. `None` where S3's checksum of it cannot be told, because not all parts were read.
    pub(super) fn complete(
        &self,
        size: u64,
        tree_hash: TreeHash,
        checksum: Option<CompositeChecksum>,
    ) -> Option<Intent> {
        Some(match self {
            Self::Vault { vault, upload_id } => {
                Intent::CompleteMultipartUpload { vault: vault.clone(), upload_id: upload_id.clone(), size, tree_hash }
            }
            Self::Object(upload) => Intent::S3(s3::Intent::CompleteMultipartUpload {
                upload: upload.clone(),
                size,
                checksum: checksum?,
                tree_hash,
            }),
        })
    }

    /// What was made, if it is what was meant.
    pub(super) fn read_completed(
        &self,
        response: &Response,
        size: u64,
        tree_hash: TreeHash,
        checksum: Option<CompositeChecksum>,
    ) -> Result<Stored, AnswerError> {
        match self {
            Self::Vault { .. } => complete_multipart_upload::read(response, tree_hash).map(Stored::Archive),
            Self::Object(_) => {
                let checksum = checksum.ok_or(AnswerError::OtherObject)?;
                let made = s3::complete_multipart_upload::read(response, &checksum, size)?;
                Ok(Stored::Object(StoredObject {
                    bucket: made.bucket,
                    key: made.key,
                    version_id: made.version_id,
                    etag: Some(made.etag),
                    checksum: ObjectChecksum::Composite(made.checksum),
                    tree_hash_kept: made.tree_hash_kept,
                }))
            }
        }
    }

    /// Removes the upload.
    pub(super) fn abort(&self) -> Intent {
        match self {
            Self::Vault { vault, upload_id } => {
                Intent::AbortMultipartUpload { vault: vault.clone(), upload_id: upload_id.clone() }
            }
            Self::Object(upload) => Intent::S3(s3::Intent::AbortMultipartUpload { upload: upload.clone() }),
        }
    }

    /// Whether the upload was there to be removed, as far as the answer tells.
    pub(super) fn read_aborted(&self, response: &Response) -> Result<Removed, AnswerError> {
        match self {
            Self::Vault { .. } => {
                abort_multipart_upload::acknowledge(response)?;
                Ok(if response.status == 404 { Removed::WasGone } else { Removed::Now })
            }
            // S3 removes what is not there as gladly.
            Self::Object(_) => s3::abort_multipart_upload::read(response).map(|()| Removed::WasGone),
        }
    }
}

/// What an answer to AbortMultipartUpload tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removed {
    /// It was there, and is not any more.
    Now,
    /// It was not there, or nobody knows whether it was.
    WasGone,
}
