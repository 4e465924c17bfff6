//! The end of jobs: they are finished when due, and a day later forgotten with their output.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};

use super::archives::delete_content;
use super::job::{JOB, Job, JobState, Task, job};
use super::{Store, StoreError, milliseconds, notifications};

/// How long a job and its output live after completion.
pub(crate) const RETENTION: Duration = Duration::from_hours(24);

/// Most retrievals finished in one commit.
const MAX_BATCH: usize = 100;

impl Store {
    /// Finishes retrievals that are due. Their bytes are here already: what they wait for is the clock.
    /// Calls `ended` with the rows of each batch once its end is durable.
    pub(crate) fn finish_due_retrievals(&self, ended: &dyn Fn(&[i64])) -> Result<(), StoreError> {
        loop {
            let now = self.now_ms();
            if self.due_jobs(false, 1)?.is_empty() {
                return Ok(());
            }
            let batch = self.write(move |connection| {
                let batch = select_due(connection, false, now, MAX_BATCH)?;
                for due in &batch {
                    finish_retrieval(connection, due, now)?;
                }
                Ok(batch.iter().map(|due| due.sequence).collect::<Vec<i64>>())
            })?;
            ended(&batch);
        }
    }

    /// The jobs in these rows, but for those that are gone.
    pub(crate) fn jobs_by_row(&self, sequences: &[i64]) -> Result<Vec<Job>, StoreError> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(&format!("{JOB} WHERE jobs.id = ?1"))?;
            let found = sequences.iter().map(|sequence| find.query_one([sequence], job).optional());
            Ok(found.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        })
    }

    /// At most `limit` jobs whose work ends now, the longest due first.
    pub(crate) fn due_jobs(&self, inventories: bool, limit: usize) -> Result<Vec<Job>, StoreError> {
        let now = self.now_ms();
        self.read(|connection| select_due(connection, inventories, now, limit))
    }

    /// When the next job of that kind is due; `None` where there is none.
    pub(crate) fn next_due_ms(&self, inventories: bool) -> Result<Option<i64>, StoreError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT min(due) FROM jobs WHERE is_inventory = ?1 AND state = 0")?;
            Ok(statement.query_one([inventories], |row| row.get(0))?)
        })
    }
}

fn select_due(connection: &Connection, inventories: bool, now: i64, limit: usize) -> Result<Vec<Job>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "{JOB} WHERE is_inventory = ?1 AND state = 0 AND due <= ?2 ORDER BY due, jobs.id LIMIT ?3"
    ))?;
    Ok(statement.query_map((inventories, now, limit), job)?.collect::<Result<_, _>>()?)
}

/// Gives the job the archive's bytes to keep, if the archive is still there.
fn finish_retrieval(connection: &Connection, due: &Job, now: i64) -> Result<(), StoreError> {
    let Task::Retrieval(retrieval) = &due.task else { return Ok(()) };
    let mut find = connection.prepare_cached("SELECT content FROM archives WHERE archive_id = ?1")?;
    let content: Option<i64> = find.query_one([&retrieval.archive_id], |row| row.get(0)).optional()?;
    match content {
        Some(content) => {
            connection
                .prepare_cached("UPDATE jobs SET content = ?2 WHERE id = ?1")?
                .execute((due.sequence, content))?;
            complete(connection, due, JobState::Succeeded, "Succeeded", now)
        }
        None => {
            let message = "The archive was deleted before the job was done; retrieve another one.";
            complete(connection, due, JobState::Failed, message, now)
        }
    }
}

/// Ends a job, and announces it.
pub(super) fn complete(
    connection: &Connection,
    due: &Job,
    state: JobState,
    message: &str,
    now: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE jobs SET state = ?2, message = ?3, completed = ?4, forget = ?5 WHERE id = ?1")?
        .execute((due.sequence, state.number(), message, now, now.saturating_add(milliseconds(RETENTION))))?;
    notifications::announce(connection, due, now)
}

/// Removes jobs whose day is over. Gives the files of their output that nothing else needs.
pub(super) fn forget_jobs(connection: &Connection, now: i64) -> Result<Vec<String>, StoreError> {
    let due = connection
        .prepare_cached("DELETE FROM jobs WHERE forget <= ?1 RETURNING content, file")?
        .query_map([now], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(Option<i64>, Option<String>)>, _>>()?;
    release(connection, due)
}

/// Removes all jobs of a vault. Gives the files of their output that nothing else needs.
pub(super) fn remove_jobs(connection: &Connection, vault: i64) -> Result<Vec<String>, StoreError> {
    let all = connection
        .prepare_cached("DELETE FROM jobs WHERE vault = ?1 RETURNING content, file")?
        .query_map([vault], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(Option<i64>, Option<String>)>, _>>()?;
    release(connection, all)
}

fn release(connection: &Connection, jobs: Vec<(Option<i64>, Option<String>)>) -> Result<Vec<String>, StoreError> {
    let mut files = Vec::new();
    for (content, file) in jobs {
        files.extend(file);
        if let Some(content) = content
            && !is_needed(connection, content)?
        {
            files.extend(delete_content(connection, content)?);
        }
    }
    Ok(files)
}

/// Whether an archive has this content, or the output of a job is made of it.
pub(super) fn is_needed(connection: &Connection, content: i64) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM archives WHERE content = ?1) OR EXISTS (SELECT 1 FROM jobs WHERE content = ?1)",
    )?;
    Ok(statement.query_one([content], |row| row.get(0))?)
}
