//! Operations on jobs, but for their output.
//!
//! **Source:** API reference, "Job Operations".

use glacier_core::glacier::VaultName;
use glacier_core::range::parse_decimal;
use serde::Serialize;

use crate::answer::Answer;
use crate::auth::Authority;
use crate::clock::{iso, iso_seconds};
use crate::error::{self, Refusal};
use crate::glacier::Glacier;
use crate::head::Head;
use crate::job_request;
use crate::store::{Inventory, Job, JobFilter, JobId, JobState, NewTask, Retrieval, StoreError, Task};

/// Most jobs on a page, and as many if no limit is given.
const MAX_PAGE: usize = 50;

const JOB_ID: &str = "x-amz-job-id";

/// A job in JSON, also in notifications. Every key is there in every job: boto 2 fails where one is missing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct JobDocument {
    job_id: String,
    job_description: Option<String>,
    action: &'static str,
    archive_id: Option<String>,
    #[serde(rename = "VaultARN")]
    vault_arn: String,
    creation_date: String,
    completed: bool,
    status_code: &'static str,
    status_message: String,
    archive_size_in_bytes: Option<u64>,
    inventory_size_in_bytes: Option<u64>,
    #[serde(rename = "SNSTopic")]
    sns_topic: Option<String>,
    completion_date: Option<String>,
    #[serde(rename = "SHA256TreeHash")]
    tree_hash: Option<String>,
    #[serde(rename = "ArchiveSHA256TreeHash")]
    archive_tree_hash: Option<String>,
    retrieval_byte_range: Option<String>,
    tier: Option<String>,
    inventory_retrieval_parameters: Option<InventoryParameters>,
    // Of select jobs, of which there are none.
    job_output_path: Option<()>,
    select_parameters: Option<()>,
    output_location: Option<()>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct InventoryParameters {
    format: &'static str,
    start_date: Option<String>,
    end_date: Option<String>,
    limit: Option<String>,
    /// Where the next inventory is to go on; null at the end.
    marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct JobList {
    job_list: Vec<JobDocument>,
    marker: Option<String>,
}

impl Glacier {
    pub(crate) async fn initiate_job(&self, vault: VaultName, body: &[u8]) -> Result<Answer, Refusal> {
        let new = job_request::parse(body)?;
        let archive = match &new.task {
            NewTask::Retrieval { archive, .. } => Some(archive.clone()),
            NewTask::Inventory(_) => None,
        };
        self.authorize("InitiateJob", &vault, archive.as_ref()).await?;
        let asked = match &new.task {
            NewTask::Retrieval { range: Some(range), .. } => range.inclusive(),
            _ => String::new(),
        };
        let name = vault.clone();
        let initiated = self.blocking(move |store| store.initiate_job(&name, new)).await;
        let id = initiated.map_err(|error| match (error, &archive) {
            (StoreError::ArchiveNotFound, Some(id)) => error::archive_not_found(id),
            (StoreError::RangeNotAligned { size }, _) => error::retrieval_range_not_aligned(&asked, size),
            (StoreError::PolicyEnforced, _) => error::policy_enforced(),
            (StoreError::InsufficientCapacity, _) => error::insufficient_capacity(),
            (other, _) => self.refusal(other, &vault, None),
        })?;
        self.scheduler.wake();
        Ok(Answer::accepted(format!("{}/jobs/{id}", self.vault_path(&vault))).with_name(JOB_ID, id.to_string()))
    }

    pub(crate) async fn list_jobs(&self, vault: VaultName, head: &Head<'_>) -> Result<Answer, Refusal> {
        let limit = head.limit(MAX_PAGE)?;
        let filter = read_filter(head)?;
        let from = match head.parameter("marker")? {
            Some(marker) => {
                let number = parse_decimal(&marker).and_then(|number| i64::try_from(number).ok());
                number.ok_or_else(|| error::invalid_marker(&marker))?
            }
            None => 0,
        };
        let name = vault.clone();
        let listed = self.blocking(move |store| store.list_jobs(&name, filter, from, limit)).await;
        let page = listed.map_err(|error| self.refusal(error, &vault, None))?;
        let job_list = page.jobs.into_iter().map(|job| JobDocument::new(job, &self.authority)).collect();
        Ok(Answer::json(&JobList { job_list, marker: page.next.map(|sequence| sequence.to_string()) }))
    }

    pub(crate) async fn describe_job(&self, vault: VaultName, id: JobId) -> Result<Answer, Refusal> {
        let (name, job_id) = (vault.clone(), id.clone());
        let described = self.blocking(move |store| store.describe_job(&name, &job_id)).await;
        let job = described.map_err(|error| self.job_refusal(error, &vault, &id))?;
        Ok(Answer::json(&JobDocument::new(job, &self.authority)))
    }

    pub(crate) fn job_refusal(&self, error: StoreError, vault: &VaultName, id: &JobId) -> Refusal {
        match error {
            StoreError::JobNotFound => error::job_not_found(id),
            StoreError::JobNotReady => error::job_not_ready(id),
            other => self.refusal(other, vault, None),
        }
    }
}

fn read_filter(head: &Head<'_>) -> Result<JobFilter, Refusal> {
    let state = match head.parameter("statuscode")? {
        Some(text) => Some(JobState::from_name(&text).ok_or_else(|| error::invalid_status_code(&text))?),
        None => None,
    };
    let completed = match head.parameter("completed")?.as_deref() {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(other) => return Err(error::invalid_completed(other)),
    };
    Ok(JobFilter { state, completed })
}

impl JobDocument {
    pub(crate) fn new(job: Job, authority: &Authority) -> Self {
        let state = job.state;
        let mut document = Self {
            job_id: job.id,
            job_description: job.description,
            action: "",
            archive_id: None,
            vault_arn: authority.vault_arn(&job.vault),
            creation_date: iso(job.created_ms),
            completed: state != JobState::InProgress,
            status_code: state.name(),
            status_message: job.message,
            archive_size_in_bytes: None,
            inventory_size_in_bytes: None,
            sns_topic: job.topic,
            completion_date: job.completed_ms.map(iso),
            tree_hash: None,
            archive_tree_hash: None,
            retrieval_byte_range: None,
            tier: None,
            inventory_retrieval_parameters: None,
            job_output_path: None,
            select_parameters: None,
            output_location: None,
        };
        match job.task {
            Task::Retrieval(retrieval) => document.tell_retrieval(retrieval, state),
            Task::Inventory(inventory) => document.tell_inventory(inventory),
        }
        document
    }

    fn tell_retrieval(&mut self, retrieval: Retrieval, state: JobState) {
        let is_whole = retrieval.range.len() == retrieval.archive_size;
        self.action = "ArchiveRetrieval";
        self.archive_id = Some(retrieval.archive_id);
        self.archive_size_in_bytes = Some(retrieval.archive_size);
        self.archive_tree_hash = Some(retrieval.archive_tree_hash.to_string());
        self.retrieval_byte_range = Some(retrieval.range.inclusive());
        // The reference: null for a whole archive while in progress.
        self.tree_hash = retrieval
            .tree_hash
            .filter(|_| !(is_whole && state == JobState::InProgress))
            .map(|tree_hash| tree_hash.to_string());
        self.tier = Some(retrieval.tier);
    }

    fn tell_inventory(&mut self, inventory: Inventory) {
        let query = inventory.query;
        self.action = "InventoryRetrieval";
        self.inventory_size_in_bytes = inventory.size;
        self.inventory_retrieval_parameters = Some(InventoryParameters {
            format: query.format.name(),
            start_date: query.start_ms.map(iso_of_query),
            end_date: query.end_ms.map(iso_of_query),
            limit: query.limit.map(|limit| limit.to_string()),
            marker: inventory.next,
        });
    }
}

/// A date as it was asked for: to the second, unless it was more exact.
fn iso_of_query(ms: i64) -> String {
    if ms % 1000 == 0 { iso_seconds(ms) } else { iso(ms) }
}
