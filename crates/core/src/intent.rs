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
mod refusal;
mod signed_request;
#[cfg(all(test, feature = "serde"))]
mod tests;

pub use refusal::{Refusal, RefusalCode};
pub use signed_request::{SignedRequest, read_requests, read_signed, sign_body};

use crate::glacier::describe_job::JobStatus;
use crate::glacier::initiate_job::JobParameters;
use crate::glacier::{
    ArchiveId, Description, JobId, Request, UploadId, VaultName, abort_multipart_upload, complete_multipart_upload,
    create_vault, delete_archive, delete_vault, describe_job, describe_vault, get_job_output, initiate_job,
    initiate_multipart_upload, list_jobs, list_multipart_uploads, list_parts, list_vaults, upload_multipart_part,
};
use crate::json::Json;
use crate::part::PartSize;
use crate::range::ByteRange;
use crate::sha256::PayloadHash;
use crate::tree_hash::{PartDigest, TreeHash};

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
pub enum Intent {
    /// Open an upload.
    InitiateMultipartUpload {
        /// Where to.
        vault: VaultName,
        /// Of all parts but the last.
        part_size: PartSize,
        /// Bytes in the whole archive: checked against the token's limit before a byte is sent.
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
}

/// Names of all operations there are intents for, in AWS's words.
pub const OPERATIONS: [&str; 15] = [
    "InitiateMultipartUpload",
    "UploadMultipartPart",
    "ListParts",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
    "ListMultipartUploads",
    "DeleteArchive",
    "CreateVault",
    "DescribeVault",
    "ListVaults",
    "DeleteVault",
    "InitiateJob",
    "DescribeJob",
    "ListJobs",
    "GetJobOutput",
];

impl Intent {
    /// The operation's name in AWS's words, which is also the JSON's `op`.
    pub const fn op(&self) -> &'static str {
        match self {
            Self::InitiateMultipartUpload { .. } => "InitiateMultipartUpload",
            Self::UploadMultipartPart { .. } => "UploadMultipartPart",
            Self::ListParts { .. } => "ListParts",
            Self::CompleteMultipartUpload { .. } => "CompleteMultipartUpload",
            Self::AbortMultipartUpload { .. } => "AbortMultipartUpload",
            Self::ListMultipartUploads { .. } => "ListMultipartUploads",
            Self::DeleteArchive { .. } => "DeleteArchive",
            Self::CreateVault { .. } => "CreateVault",
            Self::DescribeVault { .. } => "DescribeVault",
            Self::ListVaults { .. } => "ListVaults",
            Self::DeleteVault { .. } => "DeleteVault",
            Self::InitiateJob { .. } => "InitiateJob",
            Self::DescribeJob { .. } => "DescribeJob",
            Self::ListJobs { .. } => "ListJobs",
            Self::GetJobOutput { .. } => "GetJobOutput",
        }
    }

    /// The vault it touches. `None` for ListVaults, which shows all of the account's.
    pub const fn vault(&self) -> Option<&VaultName> {
        match self {
            Self::InitiateMultipartUpload { vault, .. }
            | Self::UploadMultipartPart { vault, .. }
            | Self::ListParts { vault, .. }
            | Self::CompleteMultipartUpload { vault, .. }
            | Self::AbortMultipartUpload { vault, .. }
            | Self::ListMultipartUploads { vault, .. }
            | Self::DeleteArchive { vault, .. }
            | Self::CreateVault { vault }
            | Self::DescribeVault { vault }
            | Self::DeleteVault { vault }
            | Self::InitiateJob { vault, .. }
            | Self::DescribeJob { vault, .. }
            | Self::ListJobs { vault, .. }
            | Self::GetJobOutput { vault, .. } => Some(vault),
            Self::ListVaults { .. } => None,
        }
    }

    /// How many bytes of archive it means to store: the whole size, or the end of the part's range.
    pub const fn archive_len(&self) -> Option<u64> {
        match self {
            Self::InitiateMultipartUpload { size, .. } | Self::CompleteMultipartUpload { size, .. } => Some(*size),
            Self::UploadMultipartPart { range, .. } => Some(range.end()),
            _ => None,
        }
    }

    /// The request that does it in a Glacier vault of `account` (twelve digits or `-`).
    pub fn glacier_request(&self, account: &str) -> Request {
        match self {
            Self::InitiateMultipartUpload { vault, part_size, size: _, description } => {
                initiate_multipart_upload::request(account, vault, *part_size, description.as_ref())
            }
            Self::UploadMultipartPart { vault, upload_id, range, payload_hash, tree_hash } => {
                let digest = PartDigest { payload_hash: *payload_hash, tree_hash: *tree_hash };
                upload_multipart_part::request(account, vault, upload_id, *range, &digest)
            }
            Self::ListParts { vault, upload_id, marker } => {
                list_parts::request(account, vault, upload_id, marker.as_deref())
            }
            Self::CompleteMultipartUpload { vault, upload_id, size, tree_hash } => {
                complete_multipart_upload::request(account, vault, upload_id, *size, *tree_hash)
            }
            Self::AbortMultipartUpload { vault, upload_id } => {
                abort_multipart_upload::request(account, vault, upload_id)
            }
            Self::ListMultipartUploads { vault, marker } => {
                list_multipart_uploads::request(account, vault, marker.as_deref())
            }
            Self::DeleteArchive { vault, archive_id } => delete_archive::request(account, vault, archive_id),
            Self::CreateVault { vault } => create_vault::request(account, vault),
            Self::DescribeVault { vault } => describe_vault::request(account, vault),
            Self::ListVaults { marker } => list_vaults::request(account, marker.as_deref()),
            Self::DeleteVault { vault } => delete_vault::request(account, vault),
            Self::InitiateJob { vault, job } => initiate_job::request(account, vault, job),
            Self::DescribeJob { vault, job_id } => describe_job::request(account, vault, job_id),
            Self::ListJobs { vault, status_code, completed, marker } => {
                list_jobs::request(account, vault, *status_code, *completed, marker.as_deref())
            }
            Self::GetJobOutput { vault, job_id, range } => get_job_output::request(account, vault, job_id, *range),
        }
    }

    /// The JSON form, for the browser. The servers encode by `serde`; a test holds the two together.
    pub fn to_json(&self) -> Json {
        let mut members = vec![("op", Json::Text(self.op().into()))];
        members.extend(self.vault().map(|vault| ("vault", Json::Text(vault.to_string()))));
        let text = |value: &Option<String>| value.clone().map(Json::Text);
        match self {
            Self::InitiateMultipartUpload { vault: _, part_size, size, description } => {
                members.push(("partSize", Json::Number(part_size.bytes())));
                members.push(("size", Json::Number(*size)));
                if let Some(description) = description {
                    members.push(("description", Json::Text(description.to_string())));
                }
            }
            Self::UploadMultipartPart { vault: _, upload_id, range, payload_hash, tree_hash } => {
                members.push(("uploadId", Json::Text(upload_id.to_string())));
                members.push(("range", Json::Text(range.inclusive())));
                members.push(("payloadHash", Json::Text(payload_hash.to_string())));
                members.push(("treeHash", Json::Text(tree_hash.to_string())));
            }
            Self::ListParts { vault: _, upload_id, marker } => {
                members.push(("uploadId", Json::Text(upload_id.to_string())));
                members.extend(text(marker).map(|marker| ("marker", marker)));
            }
            Self::CompleteMultipartUpload { vault: _, upload_id, size, tree_hash } => {
                members.push(("uploadId", Json::Text(upload_id.to_string())));
                members.push(("size", Json::Number(*size)));
                members.push(("treeHash", Json::Text(tree_hash.to_string())));
            }
            Self::AbortMultipartUpload { vault: _, upload_id } => {
                members.push(("uploadId", Json::Text(upload_id.to_string())));
            }
            Self::ListMultipartUploads { vault: _, marker } | Self::ListVaults { marker } => {
                members.extend(text(marker).map(|marker| ("marker", marker)));
            }
            Self::DeleteArchive { vault: _, archive_id } => {
                members.push(("archiveId", Json::Text(archive_id.to_string())));
            }
            Self::CreateVault { vault: _ } | Self::DescribeVault { vault: _ } | Self::DeleteVault { vault: _ } => {}
            Self::InitiateJob { vault: _, job } => members.push(("job", job.to_json())),
            Self::DescribeJob { vault: _, job_id } => members.push(("jobId", Json::Text(job_id.to_string()))),
            Self::ListJobs { vault: _, status_code, completed, marker } => {
                members.extend(status_code.map(|status| ("statusCode", Json::Text(status.as_str().into()))));
                members.extend(completed.map(|completed| ("completed", Json::Bool(completed))));
                members.extend(text(marker).map(|marker| ("marker", marker)));
            }
            Self::GetJobOutput { vault: _, job_id, range } => {
                members.push(("jobId", Json::Text(job_id.to_string())));
                members.extend(range.map(|range| ("range", Json::Text(range.inclusive()))));
            }
        }
        Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}
