//! S3's objects, as far as page and gateway have to agree on them: limits, names, header names, intents and answers.
//!
//! The page never speaks S3's XML. It sends bytes straight to the bucket, with URLs that the gateway presigned, and
//! everything else to the gateway, which asks S3 and answers in the JSON of the types here. One file an operation.
//!
//! **Source:** Amazon S3 API reference and user guide.

pub mod abort_multipart_upload;
mod attributes;
mod checksum;
pub mod complete_multipart_upload;
pub mod create_multipart_upload;
pub mod delete_object;
pub mod error_body;
pub mod get_object;
pub mod head_object;
pub mod header;
mod intent;
pub mod list_multipart_uploads;
pub mod list_parts;
mod name;
mod part_number;
pub mod put_object;
pub mod restore_object;
#[cfg(all(test, feature = "serde"))]
mod tests;
pub mod upload_part;

pub use attributes::{InvalidAttribute, Metadata, ObjectTags, StorageClass};
pub use checksum::{CompositeChecksum, ObjectChecksum, checksum_header, read_checksum_header};
pub use intent::{Intent, Kept, OPERATIONS};
pub use name::{
    BucketName, ContentType, InvalidName, KeyPrefix, MetadataName, MetadataValue, ObjectKey, TagKey, TagValue,
    UploadHandle, VersionId,
};
pub use part_number::PartNumber;

use crate::part::MIB;

/// Where the gateway takes what it does itself: the signed request of every intent that is not sent straight to the
/// bucket is `POST` of the intent's own JSON to this path.
pub const GATEWAY_PATH: &str = "/v1/s3";

/// Most parts in one upload. **Source:** user guide, "Amazon S3 multipart upload limits".
pub const MAX_PARTS: u32 = 10_000;

/// Most bytes in one part, and in one PutObject: 5 GiB. **Source:** as [`MAX_PARTS`].
pub const MAX_PART_LEN: u64 = 5 * 1024 * MIB;

/// Most bytes in one object: 10,000 parts of 5 GiB. Of ours at most 10,000 parts of 4 GiB, the largest power of two.
/// **Source:** as [`MAX_PARTS`].
pub const MAX_OBJECT_LEN: u64 = MAX_PARTS as u64 * MAX_PART_LEN;

/// Fewest bytes in a part that is not the last of its upload. S3 wants 5 MiB; parts are powers of two, so that their
/// tree hashes combine, and the next is 8 MiB. **Source:** as [`MAX_PARTS`].
pub const MIN_PART_LEN: u64 = 8 * MIB;

/// Name of the metadata, or of the tag, that an object's SHA-256 tree hash is kept under.
pub const TREE_HASH_NAME: &str = "sha256-tree-hash";

/// Most bytes of an object's metadata, names and values together, that a page may give: S3's 2 KiB without the tree
/// hash's name and its 64 digits. **Source:** user guide, "Working with object metadata".
pub const MAX_METADATA_LEN: usize = 2048 - TREE_HASH_NAME.len() - 64;

/// Most tags of an object that a page may give: S3's ten without the tree hash's. **Source:** user guide, "Categorizing
/// your storage using tags".
pub const MAX_TAGS: usize = 10 - 1;
