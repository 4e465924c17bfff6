//! What comes back from an operation that is one request.

use crate::glacier::describe_job::{self, JobDescription};
use crate::glacier::describe_vault::{self, VaultDescription};
use crate::glacier::get_vault_lock::{self, VaultLock};
use crate::glacier::get_vault_notifications::{self, VaultNotifications};
use crate::glacier::list_provisioned_capacity::{self, ProvisionedCapacity};
use crate::glacier::{
    AnswerError, JobId, Response, RetrievalRule, abort_multipart_upload, abort_vault_lock, add_tags_to_vault,
    complete_vault_lock, create_vault, delete_archive, delete_vault, delete_vault_access_policy,
    delete_vault_notifications, get_data_retrieval_policy, get_vault_access_policy, initiate_job, initiate_vault_lock,
    list_jobs, list_multipart_uploads, list_parts, list_tags_for_vault, list_vaults, purchase_provisioned_capacity,
    remove_tags_from_vault, set_data_retrieval_policy, set_vault_access_policy, set_vault_notifications,
};
use crate::intent::Intent;
use crate::s3;
use crate::s3::head_object::ObjectHead;
use crate::s3::restore_object::Restoring;

/// The result of an operation. What was never set is `None`.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is as was asked.
    Done,
    /// DescribeVault.
    Vault(VaultDescription),
    /// A page of ListVaults.
    Vaults(list_vaults::Page),
    /// A page of ListMultipartUploads.
    Uploads(list_multipart_uploads::Page),
    /// A page of ListParts.
    Parts(list_parts::Page),
    /// InitiateJob.
    JobStarted(JobId),
    /// DescribeJob.
    Job(Box<JobDescription>),
    /// A page of ListJobs.
    Jobs(list_jobs::Page),
    /// ListTagsForVault: keys and values, in order of key.
    Tags(Vec<(String, String)>),
    /// GetVaultNotifications.
    Notifications(Option<VaultNotifications>),
    /// GetVaultAccessPolicy: JSON text.
    AccessPolicy(Option<String>),
    /// GetVaultLock.
    Lock(Option<VaultLock>),
    /// InitiateVaultLock and PurchaseProvisionedCapacity: what names that which was made.
    Id(String),
    /// GetDataRetrievalPolicy.
    RetrievalRule(RetrievalRule),
    /// ListProvisionedCapacity.
    Capacity(Vec<ProvisionedCapacity>),
    /// HeadObject.
    Object(Box<ObjectHead>),
    /// RestoreObject.
    Restoring(Restoring),
    /// A page of a bucket's ListMultipartUploads.
    ObjectUploads(s3::list_multipart_uploads::Page),
}

/// Reads the answer to `intent`.
pub(super) fn read(intent: &Intent, response: &Response) -> Result<Answer, AnswerError> {
    let done = |acknowledged: Result<(), AnswerError>| acknowledged.map(|()| Answer::Done);
    match intent {
        Intent::CreateVault { .. } => done(create_vault::acknowledge(response)),
        Intent::DescribeVault { .. } => describe_vault::read(response).map(Answer::Vault),
        Intent::ListVaults { .. } => list_vaults::read(response).map(Answer::Vaults),
        Intent::DeleteVault { .. } => done(delete_vault::acknowledge(response)),
        Intent::DeleteArchive { .. } => done(delete_archive::acknowledge(response)),

        Intent::ListMultipartUploads { .. } => list_multipart_uploads::read(response).map(Answer::Uploads),
        Intent::ListParts { .. } => list_parts::read(response).map(Answer::Parts),
        Intent::AbortMultipartUpload { .. } => done(abort_multipart_upload::acknowledge(response)),

        Intent::InitiateJob { .. } => initiate_job::read(response).map(Answer::JobStarted),
        Intent::DescribeJob { .. } => describe_job::read(response).map(|job| Answer::Job(Box::new(job))),
        Intent::ListJobs { .. } => list_jobs::read(response).map(Answer::Jobs),

        Intent::AddTagsToVault { .. } => done(add_tags_to_vault::acknowledge(response)),
        Intent::ListTagsForVault { .. } => list_tags_for_vault::read(response).map(Answer::Tags),
        Intent::RemoveTagsFromVault { .. } => done(remove_tags_from_vault::acknowledge(response)),

        Intent::SetVaultNotifications { .. } => done(set_vault_notifications::acknowledge(response)),
        Intent::GetVaultNotifications { .. } => get_vault_notifications::read(response).map(Answer::Notifications),
        Intent::DeleteVaultNotifications { .. } => done(delete_vault_notifications::acknowledge(response)),

        Intent::SetVaultAccessPolicy { .. } => done(set_vault_access_policy::acknowledge(response)),
        Intent::GetVaultAccessPolicy { .. } => get_vault_access_policy::read(response).map(Answer::AccessPolicy),
        Intent::DeleteVaultAccessPolicy { .. } => done(delete_vault_access_policy::acknowledge(response)),

        Intent::InitiateVaultLock { .. } => initiate_vault_lock::read(response).map(|id| Answer::Id(id.to_string())),
        Intent::CompleteVaultLock { .. } => done(complete_vault_lock::acknowledge(response)),
        Intent::AbortVaultLock { .. } => done(abort_vault_lock::acknowledge(response)),
        Intent::GetVaultLock { .. } => get_vault_lock::read(response).map(Answer::Lock),

        Intent::GetDataRetrievalPolicy {} => get_data_retrieval_policy::read(response).map(Answer::RetrievalRule),
        Intent::SetDataRetrievalPolicy(_) => done(set_data_retrieval_policy::acknowledge(response)),
        Intent::ListProvisionedCapacity {} => list_provisioned_capacity::read(response).map(Answer::Capacity),
        Intent::PurchaseProvisionedCapacity {} => purchase_provisioned_capacity::read(response).map(Answer::Id),

        Intent::S3(s3::Intent::HeadObject { .. }) => {
            s3::head_object::read(response).map(|head| Answer::Object(Box::new(head)))
        }
        Intent::S3(s3::Intent::RestoreObject { .. }) => s3::restore_object::read(response).map(Answer::Restoring),
        Intent::S3(s3::Intent::ListMultipartUploads { .. }) => {
            s3::list_multipart_uploads::read(response).map(Answer::ObjectUploads)
        }
        Intent::S3(s3::Intent::AbortMultipartUpload { .. }) => done(s3::abort_multipart_upload::read(response)),
        Intent::S3(s3::Intent::DeleteObject { .. }) => done(s3::delete_object::read(response)),

        // These carry bytes, or belong to those that do: they have machines of their own.
        Intent::InitiateMultipartUpload { .. }
        | Intent::UploadMultipartPart { .. }
        | Intent::CompleteMultipartUpload { .. }
        | Intent::GetJobOutput { .. }
        | Intent::S3(_) => Err(AnswerError::NotGlacier { status: response.status }),
    }
}
