//! Archives, and the contents they share with the uploads they were made of.

use glacier_core::TreeHash;
use glacier_core::glacier::{ArchiveId, Description, VaultName};
use rusqlite::{Connection, OptionalExtension, params};

use super::incoming::Segment;
use super::{Incoming, Store, StoreError, completion, ended, ids, vaults};

/// An archive that is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredArchive {
    pub(crate) id: ArchiveId,
    pub(crate) tree_hash: TreeHash,
}

impl Store {
    /// Makes an archive of the bytes of one request, which must have been checked.
    pub(crate) fn put_archive(
        &self,
        vault: &VaultName,
        description: Option<Description>,
        bytes: Incoming,
    ) -> Result<StoredArchive, StoreError> {
        let (vault, now) = (vault.clone(), self.now_ms());
        let id = ids::archive_id()?;
        self.write_with_file(bytes, move |connection, segment| {
            let vault = vaults::id_of(connection, &vault)?;
            let content = new_content(connection)?;
            put_segment(connection, content, 0, segment)?;
            let archive = StoredArchive { id, tree_hash: segment.tree_hash };
            let described = NewArchive { vault, content, description, size: segment.len, created_ms: now };
            insert_archive(connection, &archive, &described)?;
            Ok(archive)
        })
    }

    /// Removes an archive; does nothing where there is none.
    pub(crate) fn delete_archive(&self, vault: &VaultName, id: &ArchiveId) -> Result<(), StoreError> {
        let (vault, id, now) = (vault.clone(), id.clone(), self.now_ms());
        let on_demand = self.inner.pace.inventory_age.is_none();
        let most = self.max_notes();
        let files = self.write(move |connection| {
            let vault = vaults::id_of(connection, &vault)?;
            if !on_demand {
                note_deletion(connection, vault, &id, now)?;
            }
            let mut statement = connection
                .prepare_cached("DELETE FROM archives WHERE archive_id = ?1 AND vault = ?2 RETURNING content")?;
            let content = statement.query_one((id.as_str(), vault), |row| row.get(0)).optional()?;
            if content.is_some() {
                ended::note_deleted(connection, vault, &id, most)?;
            }
            match content {
                // What a job gives out stays until the job is forgotten.
                Some(content) if completion::is_needed(connection, content)? => Ok(Vec::new()),
                Some(content) => delete_content(connection, content),
                None => Ok(Vec::new()),
            }
        })?;
        self.remove_files(files);
        Ok(())
    }
}

/// Keeps what the inventory of the day still lists.
fn note_deletion(connection: &Connection, vault: i64, id: &ArchiveId, now: i64) -> Result<(), StoreError> {
    let mut note = connection.prepare_cached(
        "INSERT INTO deleted_archives (vault, sequence, archive_id, description, created, size, tree_hash, deleted)
         SELECT vault, rowid, archive_id, description, created, size, tree_hash, ?3 FROM archives
         WHERE archive_id = ?1 AND vault = ?2",
    )?;
    if note.execute((id.as_str(), vault, now))? > 0 {
        let mut change =
            connection.prepare_cached("UPDATE vaults SET changed = coalesce(changed, ?2) WHERE id = ?1")?;
        change.execute((vault, now))?;
    }
    Ok(())
}

/// What an archive has besides its ID and hash.
pub(super) struct NewArchive {
    pub(super) vault: i64,
    pub(super) content: i64,
    pub(super) description: Option<Description>,
    /// Bytes.
    pub(super) size: u64,
    pub(super) created_ms: i64,
}

pub(super) fn insert_archive(
    connection: &Connection,
    archive: &StoredArchive,
    new: &NewArchive,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO archives (archive_id, vault, content, description, created, size, tree_hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let description = new.description.as_ref().map(Description::as_str);
    let tree_hash = archive.tree_hash.as_bytes().as_slice();
    let values = params![archive.id.as_str(), new.vault, new.content, description, new.created_ms, new.size, tree_hash];
    statement.execute(values)?;
    Ok(())
}

/// An empty run of bytes.
pub(super) fn new_content(connection: &Connection) -> Result<i64, StoreError> {
    connection.prepare_cached("INSERT INTO contents DEFAULT VALUES")?.execute([])?;
    Ok(connection.last_insert_rowid())
}

/// Puts bytes at `first_byte`. Gives the file that was there before, which is to be removed after the commit.
pub(super) fn put_segment(
    connection: &Connection,
    content: i64,
    first_byte: u64,
    segment: &Segment,
) -> Result<Option<String>, StoreError> {
    let mut find = connection.prepare_cached("SELECT file FROM segments WHERE content = ?1 AND first_byte = ?2")?;
    let replaced = find.query_one((content, first_byte), |row| row.get(0)).optional()?;
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO segments (content, first_byte, len, file, tree_hash, leaves)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let tree_hash = segment.tree_hash.as_bytes().as_slice();
    put.execute((content, first_byte, segment.len, &segment.file, tree_hash, &segment.leaves))?;
    Ok(replaced)
}

/// Removes a run of bytes. Gives its files, which are to be removed after the commit.
pub(super) fn delete_content(connection: &Connection, content: i64) -> Result<Vec<String>, StoreError> {
    let files = connection
        .prepare_cached("DELETE FROM segments WHERE content = ?1 RETURNING file")?
        .query_map([content], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    connection.prepare_cached("DELETE FROM contents WHERE id = ?1")?.execute([content])?;
    Ok(files)
}
