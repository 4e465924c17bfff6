//! Notes of uploads that have ended, for a client who lost the answer.
//!
//! Completing an upload again gives the same archive for ninety days, so that nobody who asks again makes a second one;
//! such a note is kept for as long as there is its archive, whatever else is noted. The others are a courtesy: of uploads
//! that were aborted, and of those whose archives were deleted. They are *spent*, and one vault keeps no more of them than
//! the last so many, because they cost whoever makes them nothing else: a loop of beginning and aborting would fill the
//! disk.

use std::sync::atomic::Ordering;
use std::time::Duration;

use glacier_core::TreeHash;
use glacier_core::glacier::{ArchiveId, UploadId, VaultName};
use rusqlite::{Connection, OptionalExtension};

use super::archives::StoredArchive;
use super::multipart::Completion;
use super::{Store, StoreError, milliseconds, vaults};

/// How long the archive ID of a completed upload is told again.
const COMPLETED_MEMORY: Duration = Duration::from_hours(90 * 24);
/// How long aborting an aborted upload succeeds, unless too many were aborted since.
const ABORTED_MEMORY: Duration = Duration::from_hours(24);

impl Store {
    /// Most spent notes of one vault: as many as uploads may be in progress in it, so that whoever aborts all of them may
    /// do so twice.
    pub(super) fn max_notes(&self) -> i64 {
        i64::try_from(self.inner.max_open_uploads.load(Ordering::Relaxed)).unwrap_or(i64::MAX)
    }
}

pub(super) fn note_completed(
    connection: &Connection,
    vault: i64,
    id: &UploadId,
    archive: &StoredArchive,
    size: u64,
    now: i64,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO ended_uploads (upload_id, vault, forget, archive_id, size, tree_hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (
            id.as_str(),
            vault,
            now + milliseconds(COMPLETED_MEMORY),
            archive.id.as_str(),
            size,
            archive.tree_hash.as_bytes().as_slice(),
        ),
    )?;
    Ok(())
}

/// Notes that an upload was aborted, in the place of the oldest spent note where there are `most`.
pub(super) fn note_aborted(
    connection: &Connection,
    vault: i64,
    id: &UploadId,
    now: i64,
    most: i64,
) -> Result<(), StoreError> {
    let spent = next_spent(connection, vault)?;
    connection.execute(
        "INSERT INTO ended_uploads (upload_id, vault, forget, spent) VALUES (?1, ?2, ?3, ?4)",
        (id.as_str(), vault, now + milliseconds(ABORTED_MEMORY), spent),
    )?;
    drop_oldest(connection, vault, spent, most)
}

/// Notes that an archive is gone. If an upload became it, what is known of that is spent.
pub(super) fn note_deleted(
    connection: &Connection,
    vault: i64,
    archive: &ArchiveId,
    most: i64,
) -> Result<(), StoreError> {
    let spent = next_spent(connection, vault)?;
    let mut statement =
        connection.prepare_cached("UPDATE ended_uploads SET spent = ?3 WHERE archive_id = ?1 AND vault = ?2")?;
    match statement.execute((archive.as_str(), vault, spent))? {
        0 => Ok(()),
        _ => drop_oldest(connection, vault, spent, most),
    }
}

/// Spent notes are numbered in each vault, so that nobody has to count them.
fn next_spent(connection: &Connection, vault: i64) -> Result<i64, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT coalesce(max(spent), 0) + 1 FROM ended_uploads WHERE vault = ?1")?;
    Ok(statement.query_one([vault], |row| row.get(0))?)
}

fn drop_oldest(connection: &Connection, vault: i64, newest: i64, most: i64) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("DELETE FROM ended_uploads WHERE vault = ?1 AND spent <= ?2")?;
    statement.execute((vault, newest.saturating_sub(most)))?;
    Ok(())
}

/// Removes the notes whose time is over.
pub(super) fn forget(connection: &Connection, now: i64) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM ended_uploads WHERE forget < ?1")?.execute([now])?;
    Ok(())
}

/// The archive that an upload became, for a client who asks again with the same claim.
pub(super) fn completed(
    connection: &Connection,
    vault: &VaultName,
    id: &UploadId,
    claim: &Completion,
    now: i64,
) -> Result<StoredArchive, StoreError> {
    let Some(Ended { archive: Some(archive), size }) = ended(connection, vault, id, now)? else {
        return Err(StoreError::UploadNotFound);
    };
    if size != claim.size {
        return Err(StoreError::ArchiveSizeMismatch { held: size });
    }
    if archive.tree_hash.to_string() != claim.tree_hash {
        return Err(StoreError::TreeHashMismatch { computed: archive.tree_hash });
    }
    Ok(archive)
}

/// Whether the upload was aborted, and not completed or never begun.
pub(super) fn was_aborted(
    connection: &Connection,
    vault: &VaultName,
    id: &UploadId,
    now: i64,
) -> Result<bool, StoreError> {
    Ok(ended(connection, vault, id, now)?.is_some_and(|ended| ended.archive.is_none()))
}

/// What became of an upload; `archive` is `None` for an aborted one.
struct Ended {
    archive: Option<StoredArchive>,
    size: u64,
}

fn ended(connection: &Connection, vault: &VaultName, id: &UploadId, now: i64) -> Result<Option<Ended>, StoreError> {
    let vault = vaults::id_of(connection, vault)?;
    let mut statement = connection.prepare_cached(
        "SELECT archive_id, tree_hash, size FROM ended_uploads WHERE upload_id = ?1 AND vault = ?2 AND forget >= ?3",
    )?;
    let found = statement.query_one((id.as_str(), vault, now), |row| {
        let archive_id: Option<String> = row.get(0)?;
        let tree_hash: Option<[u8; 32]> = row.get(1)?;
        let archive = archive_id.and_then(|text| ArchiveId::new(text).ok()).zip(tree_hash.map(TreeHash::from_bytes));
        let size: Option<u64> = row.get(2)?;
        Ok(Ended {
            archive: archive.map(|(id, tree_hash)| StoredArchive { id, tree_hash }),
            size: size.unwrap_or_default(),
        })
    });
    Ok(found.optional()?)
}
