//! ListJobs: the jobs of a vault, running ones and those done within the last day.
//!
//! Up to 50 a page, in order of initiation; follow the marker until there is none.
//!
//! **Source:** API reference, "List Jobs (GET jobs)".

use super::describe_job::{self, JobDescription, JobStatus};
use super::{AnswerError, Method, Request, Response, VaultName, field};

/// One page.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// In order of initiation.
    pub jobs: Vec<JobDescription>,
    /// Where the next page begins, or `None` after the last.
    pub marker: Option<String>,
}

/// The request for the page that begins at `marker`. `account` is twelve digits or `-`.
pub fn request(
    account: &str,
    vault: &VaultName,
    status: Option<JobStatus>,
    completed: Option<bool>,
    marker: Option<&str>,
) -> Request {
    Request::without_body(Method::Get, format!("/{account}/vaults/{vault}/jobs"))
        .query("completed", completed.map(|completed| if completed { "true" } else { "false" }))
        .query("marker", marker)
        .query("statuscode", status.map(JobStatus::as_str))
}

/// Reads a page.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with every field in its form.
pub fn read(response: &Response) -> Result<Page, AnswerError> {
    let body = response.expect_json(200)?;
    Ok(Page {
        jobs: field::items(body, "JobList", describe_job::read_description)?,
        marker: field::optional(body, "Marker"),
    })
}
