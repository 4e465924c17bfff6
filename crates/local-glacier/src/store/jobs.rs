//! Jobs: asked for, listed, described.

use glacier_core::glacier::{ArchiveId, Description, VaultName};
use glacier_core::{ByteRange, TreeHash};
use rusqlite::{Connection, OptionalExtension, named_params};

use super::job::{InventoryQuery, JOB, Job, JobState, NewJob, NewTask, Tier, job};
use super::{JobId, Store, StoreError, ids, milliseconds, output, retrieval_policy, vaults};
use crate::topic::TopicArn;

/// Jobs in order of initiation, and the sequence of the next one.
#[derive(Debug)]
pub(crate) struct JobPage {
    pub(crate) jobs: Vec<Job>,
    pub(crate) next: Option<i64>,
}

/// Which jobs to list. `None`: all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct JobFilter {
    pub(crate) state: Option<JobState>,
    pub(crate) completed: Option<bool>,
}

/// A job's row before it is written.
struct Plan<'a> {
    vault: i64,
    id: &'a JobId,
    description: Option<&'a str>,
    topic: Option<&'a str>,
    now: i64,
    due: i64,
}

/// The archive a retrieval is of.
struct Found {
    content: i64,
    description: Option<String>,
    size: u64,
    tree_hash: TreeHash,
}

impl Store {
    /// Begins a job.
    pub(crate) fn initiate_job(&self, vault: &VaultName, new: NewJob) -> Result<JobId, StoreError> {
        let (vault, now, pace) = (vault.clone(), self.now_ms(), self.inner.pace);
        let id = ids::job_id()?;
        let delay = match &new.task {
            NewTask::Retrieval { tier, .. } => pace.retrieval(*tier),
            NewTask::Inventory(_) => pace.inventory,
        };
        self.write(move |connection| {
            let plan = Plan {
                vault: vaults::id_of(connection, &vault)?,
                id: &id,
                description: new.description.as_ref().map(Description::as_str),
                topic: new.topic.as_ref().map(TopicArn::as_str),
                now,
                due: now.saturating_add(milliseconds(delay)),
            };
            match &new.task {
                NewTask::Retrieval { archive, range, tier } => {
                    let found = find_archive(connection, plan.vault, archive)?;
                    let range = check_range(*range, found.size)?;
                    retrieval_policy::admit(connection, &pace, *tier, range.len(), now)?;
                    insert_retrieval(connection, &plan, archive, &found, range, *tier)?;
                }
                NewTask::Inventory(query) => insert_inventory(connection, &plan, query)?,
            }
            Ok(id)
        })
    }

    pub(crate) fn describe_job(&self, vault: &VaultName, id: &JobId) -> Result<Job, StoreError> {
        let now = self.now_ms();
        self.read(|connection| find_job(connection, vault, id, now))
    }

    /// At most `limit` jobs from the one with sequence `from` on.
    pub(crate) fn list_jobs(
        &self,
        vault: &VaultName,
        filter: JobFilter,
        from: i64,
        limit: usize,
    ) -> Result<JobPage, StoreError> {
        let now = self.now_ms();
        self.read(|connection| {
            let vault = vaults::id_of(connection, vault)?;
            let mut statement = connection.prepare_cached(&format!(
                "{JOB} WHERE jobs.vault = :vault AND jobs.id >= :from AND (forget IS NULL OR forget > :now)
                 AND (:state IS NULL OR state = :state) AND (:completed IS NULL OR (state <> 0) = :completed)
                 ORDER BY jobs.id LIMIT :limit"
            ))?;
            let parameters = named_params! {
                ":vault": vault,
                ":from": from,
                ":now": now,
                ":state": filter.state.map(JobState::number),
                ":completed": filter.completed,
                ":limit": limit + 1,
            };
            let mut jobs = statement.query_map(parameters, job)?.collect::<Result<Vec<_>, _>>()?;
            let next = jobs.get(limit).map(|next| next.sequence);
            jobs.truncate(limit);
            Ok(JobPage { jobs, next })
        })
    }
}

/// The job, unless it is in another vault or its day is over.
pub(super) fn find_job(connection: &Connection, vault: &VaultName, id: &JobId, now: i64) -> Result<Job, StoreError> {
    let vault = vaults::id_of(connection, vault)?;
    let mut statement = connection.prepare_cached(&format!(
        "{JOB} WHERE jobs.job_id = ?1 AND jobs.vault = ?2 AND (forget IS NULL OR forget > ?3)"
    ))?;
    statement.query_one((id.as_str(), vault, now), job).optional()?.ok_or(StoreError::JobNotFound)
}

fn find_archive(connection: &Connection, vault: i64, id: &ArchiveId) -> Result<Found, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT content, description, size, tree_hash FROM archives WHERE archive_id = ?1 AND vault = ?2",
    )?;
    let found = statement.query_one((id.as_str(), vault), |row| {
        Ok(Found {
            content: row.get(0)?,
            description: row.get(1)?,
            size: row.get(2)?,
            tree_hash: TreeHash::from_bytes(row.get(3)?),
        })
    });
    found.optional()?.ok_or(StoreError::ArchiveNotFound)
}

/// The range to retrieve: the whole, or one whose ends fall on MiB or on the end of the archive.
fn check_range(asked: Option<ByteRange>, size: u64) -> Result<ByteRange, StoreError> {
    let range = asked.or(ByteRange::new(0, size));
    range.filter(|range| range.is_mib_aligned(size)).ok_or(StoreError::RangeNotAligned { size })
}

fn insert_retrieval(
    connection: &Connection,
    plan: &Plan<'_>,
    archive: &ArchiveId,
    found: &Found,
    range: ByteRange,
    tier: Tier,
) -> Result<(), StoreError> {
    let aligned = range.is_tree_hash_aligned(found.size);
    let tree_hash = match aligned {
        true => Some(output::tree_hash_of(connection, found.content, range)?),
        false => None,
    };
    connection
        .prepare_cached(
            "INSERT INTO jobs (job_id, vault, message, description, topic, created, due, is_inventory, archive_id,
                archive_description, archive_size, archive_tree_hash, first_byte, end_byte, tree_hash, tier)
             VALUES (:id, :vault, :message, :description, :topic, :now, :due, FALSE, :archive,
                :archive_description, :size, :archive_tree_hash, :first_byte, :end_byte, :tree_hash, :tier)",
        )?
        .execute(named_params! {
            ":id": plan.id.as_str(),
            ":vault": plan.vault,
            ":message": IN_PROGRESS,
            ":description": plan.description,
            ":topic": plan.topic,
            ":now": plan.now,
            ":due": plan.due,
            ":archive": archive.as_str(),
            ":archive_description": found.description,
            ":size": found.size,
            ":archive_tree_hash": found.tree_hash.as_bytes().as_slice(),
            ":first_byte": range.start(),
            ":end_byte": range.end(),
            ":tree_hash": tree_hash.as_ref().map(|hash| hash.as_bytes().as_slice()),
            ":tier": tier.name(),
        })?;
    Ok(())
}

fn insert_inventory(connection: &Connection, plan: &Plan<'_>, query: &InventoryQuery) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO jobs (job_id, vault, message, description, topic, created, due, is_inventory, format,
                start_date, end_date, most, marker)
             VALUES (:id, :vault, :message, :description, :topic, :now, :due, TRUE, :format,
                :start, :end, :most, :marker)",
        )?
        .execute(named_params! {
            ":id": plan.id.as_str(),
            ":vault": plan.vault,
            ":message": IN_PROGRESS,
            ":description": plan.description,
            ":topic": plan.topic,
            ":now": plan.now,
            ":due": plan.due,
            ":format": query.format.name(),
            ":start": query.start_ms,
            ":end": query.end_ms,
            ":most": query.limit,
            ":marker": query.after.map(|marker| marker.to_string()),
        })?;
    Ok(())
}

/// The service's own words.
const IN_PROGRESS: &str = "Operation in progress.";
