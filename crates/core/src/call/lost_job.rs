//! The answer to InitiateJob was lost: which of the vault's jobs is it, if there is one?

use crate::date::unix_ms;
use crate::glacier::describe_job::{Action, InventoryParameters, JobDescription, JobStatus};
use crate::glacier::initiate_job::{InventoryFormat, JobParameters, Tier};
use crate::glacier::{JobId, list_jobs};

/// How far the two moments may seem apart: one is in whole seconds, and an answer takes its time.
const SLACK_MS: u64 = 5_000;
/// More pages than any vault has: a day's jobs at one a second. A marker that leads in a circle must end.
const MAX_PAGES: u32 = 2_000;

/// The search, page by page.
#[derive(Debug, Default)]
pub(super) struct Search {
    pub(super) marker: Option<String>,
    pages: u32,
    found: Option<JobId>,
}

/// How the search goes on.
pub(super) enum Found {
    /// With the page at [`Search::marker`].
    More,
    /// It is this job, or there is none.
    End(Option<JobId>),
}

impl Search {
    /// Takes a page, which the store answered at `store_now` (milliseconds since 1970, where it said), `elapsed_ms` after
    /// the job was first asked for. Of several jobs that it could be, the last is taken.
    pub(super) fn page(
        &mut self,
        wanted: &JobParameters,
        page: list_jobs::Page,
        store_now: Option<i64>,
        elapsed_ms: u64,
    ) -> Found {
        let mut jobs = page.jobs;
        jobs.retain(|job| is_like(wanted, job) && is_new(job, store_now, elapsed_ms));
        self.found = jobs.pop().map(|job| job.job_id).or(self.found.take());
        self.pages += 1;
        self.marker = page.marker.filter(|_| self.pages < MAX_PAGES);
        if self.marker.is_some() { Found::More } else { Found::End(self.found.take()) }
    }
}

/// Whether a job may have been made since. Both moments are the store's. Where it does not tell its time, a job that
/// is not done is as good as a new one: it will bring the same bytes, and for as long.
fn is_new(job: &JobDescription, store_now: Option<i64>, elapsed_ms: u64) -> bool {
    match (store_now, unix_ms(&job.creation_date)) {
        (Some(now), Some(created)) => created.saturating_add_unsigned(elapsed_ms.saturating_add(SLACK_MS)) >= now,
        _ => job.status == JobStatus::InProgress,
    }
}

/// Whether a job is what was asked for.
fn is_like(wanted: &JobParameters, job: &JobDescription) -> bool {
    let same = |wanted: Option<&str>, found: &Option<String>| wanted.unwrap_or("") == found.as_deref().unwrap_or("");
    match wanted {
        JobParameters::ArchiveRetrieval { archive_id, range, tier, description, sns_topic } => {
            let same_range = match (range, job.range) {
                (None, None) => true,
                (None, Some(found)) => found.start() == 0 && Some(found.len()) == job.archive_size,
                (Some(range), found) => found == Some(*range),
            };
            job.action == Action::ArchiveRetrieval
                && job.archive_id.as_ref() == Some(archive_id)
                && same_range
                && job.tier.is_none_or(|found| found == tier.unwrap_or(Tier::Standard))
                && same(description.as_ref().map(|text| text.as_str()), &job.description)
                && same(sns_topic.as_ref().map(|text| text.as_str()), &job.sns_topic)
        }
        JobParameters::InventoryRetrieval {
            format,
            start_date,
            end_date,
            limit,
            marker: _,
            description,
            sns_topic,
        } => {
            let none =
                InventoryParameters { format: None, start_date: None, end_date: None, limit: None, marker: None };
            let found = job.inventory.as_ref().unwrap_or(&none);
            let same_date = |wanted: Option<&str>, found: &Option<String>| {
                wanted.and_then(unix_ms) == found.as_deref().and_then(unix_ms)
            };
            let json = InventoryFormat::Json;
            job.action == Action::InventoryRetrieval
                && format.unwrap_or(json) == found.format.unwrap_or(json)
                && same_date(start_date.as_ref().map(|date| date.as_str()), &found.start_date)
                && same_date(end_date.as_ref().map(|date| date.as_str()), &found.end_date)
                && limit.map(std::num::NonZeroU64::get) == found.limit
                && same(description.as_ref().map(|text| text.as_str()), &job.description)
                && same(sns_topic.as_ref().map(|text| text.as_str()), &job.sns_topic)
        }
    }
}

/// Whether it can be told which job it is. Of an inventory that goes on where another ended it cannot: a description
/// shows where the next one goes on, not where this one began.
pub(super) const fn is_recognisable(wanted: &JobParameters) -> bool {
    !matches!(wanted, JobParameters::InventoryRetrieval { marker: Some(_), .. })
}
