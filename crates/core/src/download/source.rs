//! What is downloaded: the output of a job, or an object.

use super::ObjectSource;
use crate::error::{ErrorCode, UploadError};
use crate::glacier::describe_job::{JobDescription, JobStatus};
use crate::glacier::{AnswerError, Response, VaultName, get_job_output};
use crate::intent::Intent;
use crate::range::ByteRange;
use crate::retry::Operation;
use crate::s3;
use crate::tree_hash::TreeHash;

/// What is downloaded.
#[derive(Clone, Debug)]
pub enum Source {
    /// The output of a job.
    Job {
        /// The job's vault.
        vault: VaultName,
        /// One that has succeeded.
        job: Box<JobDescription>,
    },
    /// An object that can be read.
    Object(Box<ObjectSource>),
}

impl Source {
    /// How many bytes there are, where they can be had.
    pub(super) fn len(&self) -> Result<u64, UploadError> {
        match self {
            Self::Job { job, .. } => output_len(job),
            Self::Object(object) => object.len(),
        }
    }

    /// Tree hash of all bytes, by the store.
    pub(super) fn tree_hash(&self) -> Option<TreeHash> {
        match self {
            Self::Job { job, .. } => job.output_tree_hash(),
            Self::Object(object) => object.head.tree_hash,
        }
    }

    /// What names these very bytes among all that have been under the same name.
    pub(super) fn etag(&self) -> Option<&str> {
        match self {
            Self::Job { .. } => None,
            Self::Object(object) => Some(&object.head.etag),
        }
    }

    /// For the bytes of `range`.
    pub(super) fn intent(&self, range: ByteRange) -> Intent {
        match self {
            Self::Job { vault, job } => {
                Intent::GetJobOutput { vault: vault.clone(), job_id: job.job_id.clone(), range: Some(range) }
            }
            Self::Object(object) => Intent::S3(object.intent(range)),
        }
    }

    /// What [`intent`](Self::intent) asks for.
    pub(super) const fn operation(&self) -> Operation {
        match self {
            Self::Job { .. } => Operation::GetJobOutput,
            Self::Object(_) => Operation::S3GetObject,
        }
    }

    /// Whether an answer brings the bytes of `range` of `total`, of which `len` arrived, and the store's tree hash of
    /// them, where it has one.
    pub(super) fn check(
        &self,
        response: &Response,
        range: ByteRange,
        total: u64,
        len: u64,
    ) -> Result<Option<TreeHash>, AnswerError> {
        match self {
            Self::Job { .. } => get_job_output::check(response, range, total, len),
            Self::Object(object) => {
                s3::get_object::check(response, range, total, len, &object.head.etag).map(|()| None)
            }
        }
    }
}

fn output_len(job: &JobDescription) -> Result<u64, UploadError> {
    let not_ready = |words: &str| Err(UploadError::new(ErrorCode::JobNotReady, words));
    match (job.status, job.output_len()) {
        (JobStatus::InProgress, _) => not_ready("The job is not done"),
        (JobStatus::Failed, _) => not_ready("The job has failed, so that there is nothing to download"),
        (JobStatus::Succeeded, Some(len)) if len > 0 => Ok(len),
        (JobStatus::Succeeded, _) => not_ready("The job's description does not say how many bytes its output has"),
    }
}
