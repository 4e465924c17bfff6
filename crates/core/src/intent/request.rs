//! The request an intent stands for.

use super::Intent;
use crate::glacier::{
    Request, abort_multipart_upload, abort_vault_lock, add_tags_to_vault, complete_multipart_upload,
    complete_vault_lock, create_vault, delete_archive, delete_vault, delete_vault_access_policy,
    delete_vault_notifications, describe_job, describe_vault, get_data_retrieval_policy, get_job_output,
    get_vault_access_policy, get_vault_lock, get_vault_notifications, initiate_job, initiate_multipart_upload,
    initiate_vault_lock, list_jobs, list_multipart_uploads, list_parts, list_provisioned_capacity, list_tags_for_vault,
    list_vaults, purchase_provisioned_capacity, remove_tags_from_vault, set_data_retrieval_policy,
    set_vault_access_policy, set_vault_notifications, upload_multipart_part,
};
use crate::tree_hash::PartDigest;

impl Intent {
    /// The request that does it in the Glacier account `account` (twelve digits or `-`), or `None` where it is about S3.
    pub fn glacier_request(&self, account: &str) -> Option<Request> {
        Some(match self {
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
            Self::AddTagsToVault { vault, tags } => add_tags_to_vault::request(account, vault, tags),
            Self::ListTagsForVault { vault } => list_tags_for_vault::request(account, vault),
            Self::RemoveTagsFromVault { vault, tag_keys } => remove_tags_from_vault::request(account, vault, tag_keys),
            Self::SetVaultNotifications { vault, sns_topic, events } => {
                set_vault_notifications::request(account, vault, sns_topic, events)
            }
            Self::GetVaultNotifications { vault } => get_vault_notifications::request(account, vault),
            Self::DeleteVaultNotifications { vault } => delete_vault_notifications::request(account, vault),
            Self::SetVaultAccessPolicy { vault, policy } => set_vault_access_policy::request(account, vault, policy),
            Self::GetVaultAccessPolicy { vault } => get_vault_access_policy::request(account, vault),
            Self::DeleteVaultAccessPolicy { vault } => delete_vault_access_policy::request(account, vault),
            Self::InitiateVaultLock { vault, policy } => initiate_vault_lock::request(account, vault, policy),
            Self::CompleteVaultLock { vault, lock_id } => complete_vault_lock::request(account, vault, lock_id),
            Self::AbortVaultLock { vault } => abort_vault_lock::request(account, vault),
            Self::GetVaultLock { vault } => get_vault_lock::request(account, vault),
            Self::GetDataRetrievalPolicy {} => get_data_retrieval_policy::request(account),
            Self::SetDataRetrievalPolicy(rule) => set_data_retrieval_policy::request(account, *rule),
            Self::ListProvisionedCapacity {} => list_provisioned_capacity::request(account),
            Self::PurchaseProvisionedCapacity {} => purchase_provisioned_capacity::request(account),
            Self::S3(_) => return None,
        })
    }
}
