//! What an intent is about: what a policy asks of it.

use super::Intent;
use crate::glacier::VaultName;

/// Names of all of Glacier's operations there are intents for, in AWS's words. Those of S3 are
/// [`s3::OPERATIONS`](crate::s3::OPERATIONS).
pub const OPERATIONS: [&str; 32] = [
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
    "AddTagsToVault",
    "ListTagsForVault",
    "RemoveTagsFromVault",
    "SetVaultNotifications",
    "GetVaultNotifications",
    "DeleteVaultNotifications",
    "SetVaultAccessPolicy",
    "GetVaultAccessPolicy",
    "DeleteVaultAccessPolicy",
    "InitiateVaultLock",
    "CompleteVaultLock",
    "AbortVaultLock",
    "GetVaultLock",
    "GetDataRetrievalPolicy",
    "SetDataRetrievalPolicy",
    "ListProvisionedCapacity",
    "PurchaseProvisionedCapacity",
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
            Self::AddTagsToVault { .. } => "AddTagsToVault",
            Self::ListTagsForVault { .. } => "ListTagsForVault",
            Self::RemoveTagsFromVault { .. } => "RemoveTagsFromVault",
            Self::SetVaultNotifications { .. } => "SetVaultNotifications",
            Self::GetVaultNotifications { .. } => "GetVaultNotifications",
            Self::DeleteVaultNotifications { .. } => "DeleteVaultNotifications",
            Self::SetVaultAccessPolicy { .. } => "SetVaultAccessPolicy",
            Self::GetVaultAccessPolicy { .. } => "GetVaultAccessPolicy",
            Self::DeleteVaultAccessPolicy { .. } => "DeleteVaultAccessPolicy",
            Self::InitiateVaultLock { .. } => "InitiateVaultLock",
            Self::CompleteVaultLock { .. } => "CompleteVaultLock",
            Self::AbortVaultLock { .. } => "AbortVaultLock",
            Self::GetVaultLock { .. } => "GetVaultLock",
            Self::GetDataRetrievalPolicy { .. } => "GetDataRetrievalPolicy",
            Self::SetDataRetrievalPolicy(_) => "SetDataRetrievalPolicy",
            Self::ListProvisionedCapacity { .. } => "ListProvisionedCapacity",
            Self::PurchaseProvisionedCapacity { .. } => "PurchaseProvisionedCapacity",
            Self::S3(intent) => intent.op(),
        }
    }

    /// The vault it touches. `None` for ListVaults, which shows all of the account's, and for the retrieval policy and
    /// capacity, which are the account's; and for all of S3's, which touch a [place](crate::s3::Intent::place).
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
            | Self::GetJobOutput { vault, .. }
            | Self::AddTagsToVault { vault, .. }
            | Self::ListTagsForVault { vault }
            | Self::RemoveTagsFromVault { vault, .. }
            | Self::SetVaultNotifications { vault, .. }
            | Self::GetVaultNotifications { vault }
            | Self::DeleteVaultNotifications { vault }
            | Self::SetVaultAccessPolicy { vault, .. }
            | Self::GetVaultAccessPolicy { vault }
            | Self::DeleteVaultAccessPolicy { vault }
            | Self::InitiateVaultLock { vault, .. }
            | Self::CompleteVaultLock { vault, .. }
            | Self::AbortVaultLock { vault }
            | Self::GetVaultLock { vault } => Some(vault),
            Self::ListVaults { .. }
            | Self::GetDataRetrievalPolicy { .. }
            | Self::SetDataRetrievalPolicy(_)
            | Self::ListProvisionedCapacity { .. }
            | Self::PurchaseProvisionedCapacity { .. }
            | Self::S3(_) => None,
        }
    }

    /// How many bytes of archive or object it means to store: the whole size, or the end of the part's range.
    pub const fn archive_len(&self) -> Option<u64> {
        match self {
            Self::InitiateMultipartUpload { size, .. } | Self::CompleteMultipartUpload { size, .. } => Some(*size),
            Self::UploadMultipartPart { range, .. } => Some(range.end()),
            Self::S3(intent) => intent.object_len(),
            _ => None,
        }
    }
}
