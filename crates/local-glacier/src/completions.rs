//! Who is told, in this process, that jobs have ended: every job, whether or not a topic is set.
//!
//! A hint and no record. Whoever listens too slowly misses some and learns that it did; nobody can keep a job waiting.
//! What must arrive goes through a topic, or is asked for.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::auth::Authority;
use crate::jobs::JobDocument;
use crate::store::{Job, JobState, Store};

/// Most completions kept for listeners that are behind.
const MAX_BEHIND: usize = 256;

/// A job that has ended, well or not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobCompletion {
    /// Name of the vault.
    pub vault: String,
    /// What DescribeJob answers: JSON in one line.
    pub description: String,
}

/// Tells the listeners. Clones tell the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Completions(broadcast::Sender<Arc<JobCompletion>>);

impl Completions {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(MAX_BEHIND))
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<JobCompletion>> {
        self.0.subscribe()
    }

    /// Tells of those jobs, by row, that have ended. To be called after the commit.
    pub(crate) fn tell(&self, store: &Store, authority: &Authority, sequences: &[i64]) {
        if self.0.receiver_count() == 0 {
            return;
        }
        match store.jobs_by_row(sequences) {
            Ok(jobs) => jobs.into_iter().filter(|job| job.state != JobState::InProgress).for_each(|job| {
                self.tell_one(job, authority);
            }),
            // The jobs have ended all the same.
            Err(error) => tracing::error!(%error, "listeners were not told of jobs that ended"),
        }
    }

    fn tell_one(&self, job: Job, authority: &Authority) {
        let vault = job.vault.clone();
        // Texts, numbers and nothing else: JSON has a form for each.
        let Ok(description) = serde_json::to_string(&JobDocument::new(job, authority)) else { return };
        drop(self.0.send(Arc::new(JobCompletion { vault, description }))); // nobody may be left to hear it
    }
}
