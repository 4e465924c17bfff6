//! What a job is: what was asked, what came of it, and its row.

use glacier_core::glacier::{ArchiveId, Description};
use glacier_core::range::parse_decimal;
use glacier_core::{ByteRange, TreeHash};
use rusqlite::Row;

use crate::topic::TopicArn;

/// How fast a retrieval is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    Expedited,
    Standard,
    Bulk,
}

impl Tier {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Expedited => "Expedited",
            Self::Standard => "Standard",
            Self::Bulk => "Bulk",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Expedited, Self::Standard, Self::Bulk].into_iter().find(|tier| tier.name() == name)
    }
}

/// The form of an inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Json,
}

impl Format {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Csv, Self::Json].into_iter().find(|format| format.name() == name)
    }
}

/// Where an inventory goes on: after the archive with that date and row. Opaque to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InventoryMarker {
    pub(super) created_ms: i64,
    pub(super) sequence: i64,
}

impl InventoryMarker {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let number = |digits| parse_decimal(digits).and_then(|number| i64::try_from(number).ok());
        let (created, sequence) = text.split_once('_')?;
        Some(Self { created_ms: number(created)?, sequence: number(sequence)? })
    }
}

impl std::fmt::Display for InventoryMarker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}", self.created_ms, self.sequence)
    }
}

/// Which archives an inventory is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InventoryQuery {
    pub(crate) format: Format,
    /// Archives created then or later; milliseconds since 1970.
    pub(crate) start_ms: Option<i64>,
    /// Archives created before that.
    pub(crate) end_ms: Option<i64>,
    /// Most archives, at least 1.
    pub(crate) limit: Option<u64>,
    pub(crate) after: Option<InventoryMarker>,
}

/// A job that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewJob {
    pub(crate) description: Option<Description>,
    pub(crate) topic: Option<TopicArn>,
    pub(crate) task: NewTask,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NewTask {
    Retrieval {
        archive: ArchiveId,
        /// `None`: the whole.
        range: Option<ByteRange>,
        tier: Tier,
    },
    Inventory(InventoryQuery),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobState {
    InProgress,
    Succeeded,
    Failed,
}

impl JobState {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::InProgress, Self::Succeeded, Self::Failed].into_iter().find(|state| state.name() == name)
    }

    /// In the table of jobs.
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::InProgress => 0,
            Self::Succeeded => 1,
            Self::Failed => 2,
        }
    }

    const fn from_number(number: i64) -> Self {
        match number {
            0 => Self::InProgress,
            1 => Self::Succeeded,
            _ => Self::Failed,
        }
    }
}

/// A job, in whatever state.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Row, in order of initiation.
    pub(crate) sequence: i64,
    pub(crate) id: String,
    pub(crate) vault: String,
    pub(crate) state: JobState,
    pub(crate) message: String,
    pub(crate) description: Option<String>,
    pub(crate) topic: Option<String>,
    pub(crate) created_ms: i64,
    pub(crate) completed_ms: Option<i64>,
    pub(crate) task: Task,
}

#[derive(Clone, Debug)]
pub(crate) enum Task {
    Retrieval(Retrieval),
    Inventory(Inventory),
}

#[derive(Clone, Debug)]
pub(crate) struct Retrieval {
    pub(crate) archive_id: String,
    pub(crate) archive_description: Option<String>,
    /// Bytes of the whole archive.
    pub(crate) archive_size: u64,
    pub(crate) archive_tree_hash: TreeHash,
    /// What is retrieved of it.
    pub(crate) range: ByteRange,
    /// Of the range, where it is tree-hash aligned.
    pub(crate) tree_hash: Option<TreeHash>,
    pub(crate) tier: String,
    /// Where the bytes are, once succeeded.
    pub(super) content: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Inventory {
    pub(crate) query: InventoryQuery,
    /// Where the next inventory is to go on; `None` at the end and before this one is done.
    pub(crate) next: Option<String>,
    /// Bytes of the document, once succeeded.
    pub(crate) size: Option<u64>,
    pub(super) file: Option<String>,
}

/// Columns for [`job`]; needs `vaults` joined.
pub(super) const JOB: &str = "SELECT jobs.*, vaults.name AS vault_name FROM jobs JOIN vaults ON vaults.id = jobs.vault";

pub(super) fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    let is_inventory: bool = row.get("is_inventory")?;
    Ok(Job {
        sequence: row.get("id")?,
        id: row.get("job_id")?,
        vault: row.get("vault_name")?,
        state: JobState::from_number(row.get("state")?),
        message: row.get("message")?,
        description: row.get("description")?,
        topic: row.get("topic")?,
        created_ms: row.get("created")?,
        completed_ms: row.get("completed")?,
        task: if is_inventory { Task::Inventory(inventory(row)?) } else { Task::Retrieval(retrieval(row)?) },
    })
}

fn retrieval(row: &Row<'_>) -> rusqlite::Result<Retrieval> {
    let range = ByteRange::new(row.get("first_byte")?, row.get("end_byte")?);
    let tree_hash: Option<[u8; 32]> = row.get("tree_hash")?;
    Ok(Retrieval {
        archive_id: row.get("archive_id")?,
        archive_description: row.get("archive_description")?,
        archive_size: row.get("archive_size")?,
        archive_tree_hash: TreeHash::from_bytes(row.get("archive_tree_hash")?),
        range: range.ok_or(rusqlite::Error::IntegralValueOutOfRange(0, 0))?, // only whole ranges are written
        tree_hash: tree_hash.map(TreeHash::from_bytes),
        tier: row.get("tier")?,
        content: row.get("content")?,
    })
}

fn inventory(row: &Row<'_>) -> rusqlite::Result<Inventory> {
    let format: String = row.get("format")?;
    let marker: Option<String> = row.get("marker")?;
    let query = InventoryQuery {
        format: Format::from_name(&format).unwrap_or(Format::Json),
        start_ms: row.get("start_date")?,
        end_ms: row.get("end_date")?,
        limit: row.get("most")?,
        after: marker.as_deref().and_then(InventoryMarker::parse),
    };
    Ok(Inventory { query, next: row.get("next_marker")?, size: row.get("size")?, file: row.get("file")? })
}
