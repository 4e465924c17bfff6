//! Names of S3's headers, in lower case as they are signed.

/// SHA-256 of the body, in base64. With a composite checksum `-` and the number of parts follow.
pub const CHECKSUM_SHA256: &str = "x-amz-checksum-sha256";
/// Where the object is to be kept: a [`StorageClass`](super::StorageClass).
pub const STORAGE_CLASS: &str = "x-amz-storage-class";
/// Begins the name of every header that is metadata.
pub const METADATA_PREFIX: &str = "x-amz-meta-";
/// Tags as a query: `a=b&c=d`.
pub const TAGGING: &str = "x-amz-tagging";
/// Names one version of an object, in a bucket that keeps them.
pub const VERSION_ID: &str = "x-amz-version-id";
/// S3's identifier of an object's bytes; not a checksum of them.
pub const ETAG: &str = "etag";
/// With `*`, that an object is not overwritten.
pub const IF_NONE_MATCH: &str = "if-none-match";
/// On every answer of S3.
pub const REQUEST_ID: &str = "x-amz-request-id";
/// Kind of the object.
pub const CONTENT_TYPE: &str = "content-type";
/// Bytes of the body.
pub const CONTENT_LENGTH: &str = "content-length";
