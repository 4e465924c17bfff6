//! The gateway contract: what the browser says it intends, and the signed request it gets back.
//!
//! `POST /v1/sign` takes `{"intents": [Intent, …]}` (1 to [`MAX_INTENTS`]) and answers `{"requests": [SignedRequest,
//! …]}` in the same order, or a [`Refusal`] for the whole batch. An intent is typed by operation and names nothing
//! that is signed verbatim: host, path, headers, date and expiry are the gateway's. That is the security boundary:
//! a signer that takes strings from a page signs whatever a page was made to ask for.
//!
//! Any back end may take the gateway's place by answering the same JSON.

#[cfg(feature = "serde")]
mod encoding;
mod json;
mod operation;
mod refusal;
mod request;
mod signed_request;
#[cfg(all(test, feature = "serde"))]
mod tests;

pub use operation::OPERATIONS;
pub use refusal::{Refusal, RefusalCode};
pub use signed_request::{SignedRequest, read_requests, read_signed, sign_body};

use crate::glacier::describe_job::JobStatus;
use crate::glacier::initiate_job::JobParameters;
use crate::glacier::{
    ArchiveId, Description, JobId, LockId, NotificationEvents, PolicyText, RetrievalRule, SnsTopic, TagKeys, Tags,
    UploadId, VaultName,
};
use crate::part::PartSize;
use crate::range::ByteRange;
use crate::s3;
use crate::sha256::PayloadHash;
use crate::tree_hash::TreeHash;

/// Most intents in one batch. Bounds what a stolen token can harvest at once.
pub const MAX_INTENTS: usize = 100;

/// What the browser means to do next. As JSON: an object with `op` and the fields below in camel case; sizes are
/// numbers of bytes, hashes lower-case hex, ranges inclusive text as in `RangeInBytes` (`"0-1048575"`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "op", rename_all_fields = "camelCase", deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Intent {
    /// Open an upload.
    InitiateMultipartUpload {
        /// Where to.
        vault: VaultName,
        /// Of all parts but the last.
        part_size: PartSize,
        /// Bytes in the whole archive: checked against the token's limit before a byte is sent. For a stream, whose
        /// length is not known yet, the most it may become.
        #[cfg_attr(feature = "serde", serde(deserialize_with = "encoding::archive_len"))]
        #[cfg_attr(feature = "schema", schemars(range(max = crate::glacier::MAX_ARCHIVE_LEN)))]
        size: u64,
        /// Kept with the archive.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        description: Option<Description>,
    },
    /// Send one part.
    UploadMultipartPart {
        /// The upload's vault.
        vault: VaultName,
        /// As returned by InitiateMultipartUpload.
        upload_id: UploadId,
        /// Which bytes of the archive.
        range: ByteRange,
        /// Of the part's bytes; the signature holds for no others.
        payload_hash: PayloadHash,
        /// Of the part's bytes.
        tree_hash: TreeHash,
    },
    /// See which parts the store holds.
    ListParts {
        /// The upload's vault.
        vault: VaultName,
        /// As returned by InitiateMultipartUpload.
        upload_id: UploadId,
        /// Where the page begins; absent for the first.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        marker: Option<String>,
    },
    /// Make the archive.
    CompleteMultipartUpload {
        /// The upload's vault.
        vault: VaultName,
        /// As returned by InitiateMultipartUpload.
        upload_id: UploadId,
        /// Bytes in the whole archive.
        #[cfg_attr(feature = "serde", serde(deserialize_with = "encoding::archive_len"))]
        #[cfg_attr(feature = "schema", schemars(range(max = crate::glacier::MAX_ARCHIVE_LEN)))]
        size: u64,
        /// Of the whole archive.
        tree_hash: TreeHash,
    },
    /// Remove the upload and its parts.
    AbortMultipartUpload {
        /// The upload's vault.
        vault: VaultName,
        /// As returned by InitiateMultipartUpload.
        upload_id: UploadId,
    },
    /// See which uploads are neither completed nor aborted.
    ListMultipartUploads {
        /// Where.
        vault: VaultName,
        /// Where the page begins; absent for the first.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        marker: Option<String>,
    },
    /// Remove an archive.
    DeleteArchive {
        /// Where it is.
        vault: VaultName,
        /// Which.
        archive_id: ArchiveId,
    },
    /// Make a vault.
    CreateVault {
        /// Its name.
        vault: VaultName,
    },
    /// See what the vault's last inventory counted.
    DescribeVault {
        /// Which.
        vault: VaultName,
    },
    /// See which vaults there are.
    ListVaults {
        /// Where the page begins; absent for the first.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        marker: Option<String>,
    },
    /// Remove an empty vault.
    DeleteVault {
        /// Which.
        vault: VaultName,
    },
    /// Ask for an archive or an inventory.
    InitiateJob {
        /// Whose.
        vault: VaultName,
        /// What is asked for. The gateway makes the request's body of it.
        job: JobParameters,
    },
    /// See how far a job is.
    DescribeJob {
        /// The job's vault.
        vault: VaultName,
        /// As returned by InitiateJob.
        job_id: JobId,
    },
    /// See which jobs there are.
    ListJobs {
        /// Where.
        vault: VaultName,
        /// Only jobs that are so far.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        status_code: Option<JobStatus>,
        /// Only jobs that are done, or only those that are not.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        completed: Option<bool>,
        /// Where the page begins; absent for the first.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        marker: Option<String>,
    },
    /// Download what a job made.
    GetJobOutput {
        /// The job's vault.
        vault: VaultName,
        /// As returned by InitiateJob.
        job_id: JobId,
        /// Which bytes of the output, counted from its first; absent for all of it.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        range: Option<ByteRange>,
    },
    /// Give a vault tags, or tags there other values.
    AddTagsToVault {
        /// Which.
        vault: VaultName,
        /// 1 to 10.
        tags: Tags,
    },
    /// See a vault's tags.
    ListTagsForVault {
        /// Which.
        vault: VaultName,
    },
    /// Take tags off a vault.
    RemoveTagsFromVault {
        /// Which.
        vault: VaultName,
        /// 1 to 10.
        tag_keys: TagKeys,
    },
    /// Have a topic told when the vault's jobs are done.
    SetVaultNotifications {
        /// Which.
        vault: VaultName,
        /// Which.
        sns_topic: SnsTopic,
        /// Of what.
        events: NotificationEvents,
    },
    /// See which topic is told of what.
    GetVaultNotifications {
        /// Which.
        vault: VaultName,
    },
    /// Have nobody told any more.
    DeleteVaultNotifications {
        /// Which.
        vault: VaultName,
    },
    /// Say who may do what with a vault.
    SetVaultAccessPolicy {
        /// Which.
        vault: VaultName,
        /// JSON text.
        policy: PolicyText,
    },
    /// See who may do what with a vault.
    GetVaultAccessPolicy {
        /// Which.
        vault: VaultName,
    },
    /// Leave a vault to its account.
    DeleteVaultAccessPolicy {
        /// Which.
        vault: VaultName,
    },
    /// Put a lock on trial for a day.
    InitiateVaultLock {
        /// Which.
        vault: VaultName,
        /// JSON text.
        policy: PolicyText,
    },
    /// Make the lock on trial final.
    CompleteVaultLock {
        /// Which.
        vault: VaultName,
        /// As returned by InitiateVaultLock.
        lock_id: LockId,
    },
    /// Take the lock on trial away.
    AbortVaultLock {
        /// Which.
        vault: VaultName,
    },
    /// See a vault's lock.
    GetVaultLock {
        /// Which.
        vault: VaultName,
    },
    // The ones without fields have braces, because serde lets a variant without them bring any field it likes.
    /// See how much the account may retrieve.
    GetDataRetrievalPolicy {},
    /// Limit how much the account may retrieve. As JSON the rule's own fields, `strategy` and `bytesPerHour`.
    SetDataRetrievalPolicy(RetrievalRule),
    /// See the account's units of capacity for Expedited retrievals.
    ListProvisionedCapacity {},
    /// Buy a unit of capacity for Expedited retrievals.
    PurchaseProvisionedCapacity {},
    /// Do something with objects of S3. As JSON the [intent](s3::Intent)'s own fields.
    // Last, as serde wants it. Each of the two enums refuses what is the other's, because their names differ.
    #[cfg_attr(feature = "serde", serde(untagged))]
    S3(s3::Intent),
}

impl From<s3::Intent> for Intent {
    fn from(intent: s3::Intent) -> Self {
        Self::S3(intent)
    }
}
