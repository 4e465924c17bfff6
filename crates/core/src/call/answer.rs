//! What comes back from an operation that is one request.

use crate::glacier::describe_job::{self, JobDescription};
use crate::glacier::describe_vault::{self, VaultDescription};
use crate::glacier::{
    AnswerError, JobId, Response, abort_multipart_upload, create_vault, delete_archive, delete_vault, initiate_job,
    list_jobs, list_multipart_uploads, list_parts, list_vaults,
};
use crate::intent::Intent;

/// The result of an operation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// It is as was asked.
    Done,
    /// Of a setting: it was never made.
    NotSet,
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
}

/// Reads the answer to `intent`.
pub(super) fn read(intent: &Intent, response: &Response) -> Result<Answer, AnswerError> {
    match intent {
        Intent::AbortMultipartUpload { .. } => abort_multipart_upload::acknowledge(response).map(|()| Answer::Done),
        Intent::CreateVault { .. } => create_vault::acknowledge(response).map(|()| Answer::Done),
        Intent::DeleteArchive { .. } => delete_archive::acknowledge(response).map(|()| Answer::Done),
        Intent::DeleteVault { .. } => delete_vault::acknowledge(response).map(|()| Answer::Done),
        Intent::DescribeJob { .. } => describe_job::read(response).map(|job| Answer::Job(Box::new(job))),
        Intent::DescribeVault { .. } => describe_vault::read(response).map(Answer::Vault),
        Intent::InitiateJob { .. } => initiate_job::read(response).map(Answer::JobStarted),
        Intent::ListJobs { .. } => list_jobs::read(response).map(Answer::Jobs),
        Intent::ListMultipartUploads { .. } => list_multipart_uploads::read(response).map(Answer::Uploads),
        Intent::ListParts { .. } => list_parts::read(response).map(Answer::Parts),
        Intent::ListVaults { .. } => list_vaults::read(response).map(Answer::Vaults),
        // The others carry bytes, or belong to those that do: they have machines of their own.
        _ => Err(AnswerError::NotGlacier { status: response.status }),
    }
}
