//! Names of Glacier's headers, in lower case as they are signed.

/// Required on every request: [`API_VERSION`](super::API_VERSION).
pub const VERSION: &str = "x-amz-glacier-version";
/// Time of signing, `YYYYMMDDTHHMMSSZ`.
pub const DATE: &str = "x-amz-date";
/// Plain SHA-256 of the body.
pub const CONTENT_SHA256: &str = "x-amz-content-sha256";
/// Tree hash of the body, or of the whole archive on CompleteMultipartUpload.
pub const TREE_HASH: &str = "x-amz-sha256-tree-hash";
/// Free text kept with an archive.
pub const ARCHIVE_DESCRIPTION: &str = "x-amz-archive-description";
/// Size of every part but the last, decimal bytes.
pub const PART_SIZE: &str = "x-amz-part-size";
/// Size of the whole archive, decimal bytes.
pub const ARCHIVE_SIZE: &str = "x-amz-archive-size";
/// Answer of InitiateMultipartUpload.
pub const MULTIPART_UPLOAD_ID: &str = "x-amz-multipart-upload-id";
/// Answer of UploadArchive and CompleteMultipartUpload.
pub const ARCHIVE_ID: &str = "x-amz-archive-id";
/// Session token of temporary credentials.
pub const SECURITY_TOKEN: &str = "x-amz-security-token";
/// On every answer of the store.
pub const REQUEST_ID: &str = "x-amzn-requestid";
/// Which bytes of the archive a part is: `bytes a-b/*`.
pub const CONTENT_RANGE: &str = "content-range";
/// Which bytes of a job's output are wanted: `bytes=a-b`.
pub const RANGE: &str = "range";
/// Kind of a body.
pub const CONTENT_TYPE: &str = "content-type";
/// Answer of InitiateJob.
pub const JOB_ID: &str = "x-amz-job-id";
/// Answer of InitiateVaultLock.
pub const LOCK_ID: &str = "x-amz-lock-id";
/// Answer of PurchaseProvisionedCapacity.
pub const CAPACITY_ID: &str = "x-amz-capacity-id";
