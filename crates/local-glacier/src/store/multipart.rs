//! Multipart uploads: opened, filled, listed, and ended in one of three ways.
//!
//! An upload that was completed or aborted leaves a note ([`ended`]); one that expired leaves none.

use std::sync::atomic::Ordering;
use std::time::Duration;

use glacier_core::glacier::{Description, UploadId, VaultName};
use glacier_core::tree_hash::combine;
use glacier_core::{ByteRange, PartSize, TreeHash};
use rusqlite::{Connection, OptionalExtension, Row};

use super::archives::{NewArchive, StoredArchive, delete_content, insert_archive, new_content, put_segment};
use super::{Incoming, Store, StoreError, completion, ended, ids, milliseconds, retrieval_policy, vaults};

/// Uploads of one vault that may be in progress, unless set otherwise. Each is a row of up to 1.2 kB, which nothing else
/// bounds, so a vault full of them is a fifth of the room that is kept for metadata.
pub const MAX_OPEN_UPLOADS: u64 = 10_000;
/// An upload without a part or a list for this long is removed.
pub(crate) const IDLE_EXPIRY: Duration = Duration::from_hours(24);
/// A list counts as activity, but is written down only when the last activity is older than this.
const ACTIVITY_GRAIN: Duration = Duration::from_hours(1);

/// An upload in progress.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    /// Row, in order of creation.
    pub(crate) sequence: i64,
    pub(crate) id: String,
    pub(crate) part_size: u64,
    pub(crate) description: Option<String>,
    pub(crate) created_ms: i64,
    vault: i64,
    content: i64,
    active_ms: i64,
}

/// Uploads in order of creation, and whether there are more.
#[derive(Debug)]
pub(crate) struct UploadPage {
    pub(crate) uploads: Vec<Upload>,
    pub(crate) more: bool,
}

/// Parts in order of range, and the first byte of the next one.
#[derive(Debug)]
pub(crate) struct PartPage {
    pub(crate) upload: Upload,
    pub(crate) parts: Vec<(ByteRange, TreeHash)>,
    pub(crate) next: Option<u64>,
}

/// What CompleteMultipartUpload claims of the archive.
#[derive(Clone, Debug)]
pub(crate) struct Completion {
    /// Bytes.
    pub(crate) size: u64,
    /// As sent: a claim may be well-formed and yet be no tree hash.
    pub(crate) tree_hash: String,
}

impl Store {
    pub(crate) fn initiate_upload(
        &self,
        vault: &VaultName,
        part_size: PartSize,
        description: Option<Description>,
    ) -> Result<UploadId, StoreError> {
        self.remove_expired()?;
        let (vault, now) = (vault.clone(), self.now_ms());
        let id = ids::upload_id()?;
        let most = self.inner.max_open_uploads.load(Ordering::Relaxed);
        self.write(move |connection| {
            let vault = vaults::id_of(connection, &vault)?;
            let mut statement =
                connection.prepare_cached("SELECT count(*) FROM (SELECT 1 FROM uploads WHERE vault = ?1 LIMIT ?2)")?;
            let open: u64 = statement.query_one((vault, most), |row| row.get(0))?;
            if open >= most {
                return Err(StoreError::TooManyUploads);
            }
            let content = new_content(connection)?;
            connection.execute(
                "INSERT INTO uploads (upload_id, vault, content, description, part_size, created, active)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
                (id.as_str(), vault, content, description.as_ref().map(Description::as_str), part_size.bytes(), now),
            )?;
            Ok(id)
        })
    }

    /// The part size of an upload in progress.
    pub(crate) fn part_size(&self, vault: &VaultName, id: &UploadId) -> Result<PartSize, StoreError> {
        let now = self.now_ms();
        let bytes = self.read(|connection| Ok(in_progress(connection, vault, id, now)?.part_size))?;
        PartSize::from_bytes(bytes).map_err(|_| StoreError::UploadNotFound) // only legal ones are written
    }

    /// Puts a part, whose bytes must have been checked, in the place of whatever was there.
    pub(crate) fn put_part(
        &self,
        vault: &VaultName,
        id: &UploadId,
        first_byte: u64,
        bytes: Incoming,
    ) -> Result<(), StoreError> {
        let (vault, id, now) = (vault.clone(), id.clone(), self.now_ms());
        let replaced = self.write_with_file(bytes, move |connection, segment| {
            let upload = in_progress(connection, &vault, &id, now)?;
            touch(connection, &upload, now)?;
            put_segment(connection, upload.content, first_byte, segment)
        })?;
        self.remove_files(replaced.into_iter().collect());
        Ok(())
    }

    /// At most `limit` parts that begin at `from` or later.
    pub(crate) fn list_parts(
        &self,
        vault: &VaultName,
        id: &UploadId,
        from: u64,
        limit: usize,
    ) -> Result<PartPage, StoreError> {
        let now = self.now_ms();
        let page = self.read(|connection| {
            let upload = in_progress(connection, vault, id, now)?;
            let mut statement = connection.prepare_cached(
                "SELECT first_byte, len, tree_hash FROM segments WHERE content = ?1 AND first_byte >= ?2
                 ORDER BY first_byte LIMIT ?3",
            )?;
            let rows = statement.query_map((upload.content, from, limit + 1), part)?;
            let mut parts = rows.collect::<Result<Vec<_>, _>>()?;
            let next = parts.get(limit).map(|(range, _)| range.start());
            parts.truncate(limit);
            Ok(PartPage { upload, parts, next })
        })?;
        if now - page.upload.active_ms > milliseconds(ACTIVITY_GRAIN) {
            let upload = page.upload.clone();
            self.write(move |connection| touch(connection, &upload, now))?;
        }
        Ok(page)
    }

    /// At most `limit` uploads of a vault that were opened after the one with `sequence`.
    pub(crate) fn list_uploads(
        &self,
        vault: &VaultName,
        sequence: i64,
        limit: usize,
    ) -> Result<UploadPage, StoreError> {
        let now = self.now_ms();
        self.read(|connection| {
            let vault = vaults::id_of(connection, vault)?;
            let mut statement = connection.prepare_cached(&format!(
                "{UPLOAD} WHERE vault = ?1 AND id > ?2 AND active >= ?3 ORDER BY id LIMIT ?4"
            ))?;
            let rows = statement.query_map((vault, sequence, oldest_activity(now), limit + 1), upload)?;
            let mut uploads = rows.collect::<Result<Vec<_>, _>>()?;
            let more = uploads.len() > limit;
            uploads.truncate(limit);
            Ok(UploadPage { uploads, more })
        })
    }

    /// Makes one archive of the parts, without copying a byte. Asked again, gives the same archive.
    pub(crate) fn complete_upload(
        &self,
        vault: &VaultName,
        id: &UploadId,
        claim: Completion,
    ) -> Result<StoredArchive, StoreError> {
        let (vault, id, now) = (vault.clone(), id.clone(), self.now_ms());
        let archive_id = ids::archive_id()?;
        self.write(move |connection| {
            let upload = match in_progress(connection, &vault, &id, now) {
                Err(StoreError::UploadNotFound) => return ended::completed(connection, &vault, &id, &claim, now),
                found => found?,
            };
            let parts = all_parts(connection, &upload)?;
            let tree_hash = check_claim(&parts, &claim)?;
            let archive = StoredArchive { id: archive_id, tree_hash };
            let description = upload.description.and_then(|text| Description::new(text).ok());
            let new = NewArchive {
                vault: upload.vault,
                content: upload.content,
                description,
                size: claim.size,
                created_ms: now,
            };
            insert_archive(connection, &archive, &new)?;
            connection.execute("DELETE FROM uploads WHERE id = ?1", [upload.sequence])?;
            ended::note_completed(connection, upload.vault, &id, &archive, claim.size, now)?;
            Ok(archive)
        })
    }

    /// Removes an upload and its parts. Asked again, does nothing, for as long as there is a note of it.
    pub(crate) fn abort_upload(&self, vault: &VaultName, id: &UploadId) -> Result<(), StoreError> {
        let (vault, id, now) = (vault.clone(), id.clone(), self.now_ms());
        let most = self.max_notes();
        let files = self.write(move |connection| {
            let upload = match in_progress(connection, &vault, &id, now) {
                Err(StoreError::UploadNotFound) => {
                    let was_aborted = ended::was_aborted(connection, &vault, &id, now)?;
                    return if was_aborted { Ok(Vec::new()) } else { Err(StoreError::UploadNotFound) };
                }
                found => found?,
            };
            ended::note_aborted(connection, upload.vault, &id, now, most)?;
            remove_upload(connection, &upload)
        })?;
        self.remove_files(files);
        Ok(())
    }

    /// Removes uploads that were idle for a day, jobs that were completed a day ago, and notes that are due to be
    /// forgotten. Also done when the store is opened and whenever an upload is initiated; a server does it now and then
    /// for the disk's sake.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn remove_expired(&self) -> Result<(), StoreError> {
        let now = self.now_ms();
        let due: bool = self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM uploads WHERE active < ?1)
                     OR EXISTS (SELECT 1 FROM ended_uploads WHERE forget < ?2)
                     OR EXISTS (SELECT 1 FROM jobs WHERE forget <= ?2)",
            )?;
            Ok(statement.query_one((oldest_activity(now), now), |row| row.get(0))?)
        })?;
        if !due {
            return Ok(());
        }
        let files = self.write(move |connection| {
            ended::forget(connection, now)?;
            let expired = connection
                .prepare(&format!("{UPLOAD} WHERE active < ?1"))?
                .query_map([oldest_activity(now)], upload)?
                .collect::<Result<Vec<_>, _>>()?;
            let mut files = completion::forget_jobs(connection, now)?;
            retrieval_policy::forget_retrievals(connection, now)?;
            for upload in expired {
                files.extend(remove_upload(connection, &upload)?);
            }
            Ok(files)
        })?;
        self.remove_files(files);
        Ok(())
    }
}

const UPLOAD: &str = "SELECT id, upload_id, vault, content, description, part_size, created, active FROM uploads";

fn upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
    Ok(Upload {
        sequence: row.get(0)?,
        id: row.get(1)?,
        vault: row.get(2)?,
        content: row.get(3)?,
        description: row.get(4)?,
        part_size: row.get(5)?,
        created_ms: row.get(6)?,
        active_ms: row.get(7)?,
    })
}

fn part(row: &Row<'_>) -> rusqlite::Result<(ByteRange, TreeHash)> {
    let (first_byte, len): (u64, u64) = (row.get(0)?, row.get(1)?);
    let range = ByteRange::new(first_byte, first_byte.saturating_add(len));
    let range = range.ok_or(rusqlite::Error::IntegralValueOutOfRange(1, 0))?; // the schema has no empty segment
    Ok((range, TreeHash::from_bytes(row.get(2)?)))
}

/// The upload, unless it is in another vault, ended or expired.
fn in_progress(connection: &Connection, vault: &VaultName, id: &UploadId, now: i64) -> Result<Upload, StoreError> {
    let vault = vaults::id_of(connection, vault)?;
    let mut statement =
        connection.prepare_cached(&format!("{UPLOAD} WHERE upload_id = ?1 AND vault = ?2 AND active >= ?3"))?;
    let found = statement.query_one((id.as_str(), vault, oldest_activity(now)), upload);
    found.optional()?.ok_or(StoreError::UploadNotFound)
}

fn touch(connection: &Connection, upload: &Upload, now: i64) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("UPDATE uploads SET active = max(active, ?2) WHERE id = ?1")?;
    statement.execute((upload.sequence, now))?;
    Ok(())
}

fn remove_upload(connection: &Connection, upload: &Upload) -> Result<Vec<String>, StoreError> {
    connection.execute("DELETE FROM uploads WHERE id = ?1", [upload.sequence])?;
    delete_content(connection, upload.content)
}

/// Removes the uploads of a vault, none of which has a part.
pub(super) fn remove_empty_uploads(connection: &Connection, vault: i64) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(&format!("{UPLOAD} WHERE vault = ?1"))?;
    for found in statement.query_map([vault], upload)? {
        remove_upload(connection, &found?)?;
    }
    Ok(())
}

fn all_parts(connection: &Connection, upload: &Upload) -> Result<Vec<(ByteRange, TreeHash)>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT first_byte, len, tree_hash FROM segments WHERE content = ?1 ORDER BY first_byte")?;
    Ok(statement.query_map([upload.content], part)?.collect::<Result<_, _>>()?)
}

/// The tree hash of the whole, once it is sure that the parts are the archive that was claimed.
fn check_claim(parts: &[(ByteRange, TreeHash)], claim: &Completion) -> Result<TreeHash, StoreError> {
    let mut held = 0;
    for (range, _) in parts {
        if range.start() != held {
            return Err(StoreError::MissingPart { first_byte: held });
        }
        held = range.end();
    }
    if held == 0 {
        return Err(StoreError::MissingPart { first_byte: 0 });
    }
    if held != claim.size {
        return Err(StoreError::ArchiveSizeMismatch { held });
    }
    let nodes: Vec<TreeHash> = parts.iter().map(|(_, tree_hash)| *tree_hash).collect();
    let computed = combine(&nodes);
    if computed.to_string() == claim.tree_hash { Ok(computed) } else { Err(StoreError::TreeHashMismatch { computed }) }
}

/// An upload whose last activity is before this has expired.
fn oldest_activity(now: i64) -> i64 {
    now.saturating_sub(milliseconds(IDLE_EXPIRY))
}
