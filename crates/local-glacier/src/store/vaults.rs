//! Vaults by name.

use glacier_core::glacier::VaultName;
use rusqlite::{Connection, OptionalExtension};

use super::{MAX_VAULTS, Store, StoreError, completion, multipart};

/// What DescribeVault and ListVaults tell. The numbers are of this moment, or of the last inventory where inventories
/// are not taken on demand.
#[derive(Clone, Debug)]
pub(crate) struct VaultDescription {
    pub(crate) name: String,
    pub(crate) created_ms: i64,
    /// When the last inventory was taken.
    pub(crate) inventory_ms: Option<i64>,
    pub(crate) archives: i64,
    pub(crate) bytes: i64,
}

/// Vaults in order of name, and whether there are more.
#[derive(Debug)]
pub(crate) struct VaultPage {
    pub(crate) vaults: Vec<VaultDescription>,
    pub(crate) more: bool,
}

impl Store {
    /// Makes a vault; does nothing where it exists.
    ///
    /// # Errors
    /// [`StoreError::TooManyVaults`] above [`MAX_VAULTS`], or [`StoreError::Failed`].
    pub fn create_vault(&self, name: &VaultName) -> Result<(), StoreError> {
        let (name, now) = (name.clone(), self.now_ms());
        self.write(move |connection| {
            if id_of(connection, &name).is_ok() {
                return Ok(());
            }
            let count: u64 = connection.query_one("SELECT count(*) FROM vaults", [], |row| row.get(0))?;
            if count >= MAX_VAULTS {
                return Err(StoreError::TooManyVaults);
            }
            connection.execute("INSERT INTO vaults (name, created) VALUES (?1, ?2)", (name.as_str(), now))?;
            Ok(())
        })
    }

    /// Removes a vault without archives and without parts of uploads in progress, and with it its jobs, tags and
    /// policies; does nothing where there is none. Where inventories are not taken on demand, the last one must know
    /// that the vault is empty.
    pub(crate) fn delete_vault(&self, name: &VaultName) -> Result<(), StoreError> {
        self.remove_expired()?;
        let name = name.clone();
        let on_demand = self.inner.pace.inventory_age.is_none();
        let files = self.write(move |connection| {
            let vault = match id_of(connection, &name) {
                Err(StoreError::VaultNotFound) => return Ok(Vec::new()),
                found => found?,
            };
            let holds_bytes: bool = connection.query_one(
                "SELECT EXISTS (SELECT 1 FROM archives WHERE vault = ?1) OR EXISTS (
                    SELECT 1 FROM uploads JOIN segments ON segments.content = uploads.content WHERE vault = ?1)",
                [vault],
                |row| row.get(0),
            )?;
            let is_seen_empty: bool = connection.query_one(
                "SELECT inventory_archives = 0 AND changed IS NULL FROM vaults WHERE id = ?1",
                [vault],
                |row| row.get(0),
            )?;
            if holds_bytes || !(on_demand || is_seen_empty) {
                return Err(StoreError::VaultNotEmpty);
            }
            multipart::remove_empty_uploads(connection, vault)?;
            connection.execute("DELETE FROM ended_uploads WHERE vault = ?1", [vault])?;
            let files = completion::remove_jobs(connection, vault)?;
            connection.execute("DELETE FROM vaults WHERE id = ?1", [vault])?;
            Ok(files)
        })?;
        self.remove_files(files);
        Ok(())
    }

    /// Tells whether a vault exists, as an error where it does not.
    pub(crate) fn expect_vault(&self, name: &VaultName) -> Result<(), StoreError> {
        self.read(|connection| id_of(connection, name).map(drop))
    }

    pub(crate) fn describe_vault(&self, name: &VaultName) -> Result<VaultDescription, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!("{} WHERE name = ?1", self.describe_sql()))?;
            let found = statement.query_one([name.as_str()], describe);
            found.optional()?.ok_or(StoreError::VaultNotFound)
        })
    }

    /// At most `limit` vaults whose names come after `after`.
    pub(crate) fn list_vaults(&self, after: Option<&VaultName>, limit: usize) -> Result<VaultPage, StoreError> {
        let after = after.map_or("", VaultName::as_str);
        let mut vaults = self.read(|connection| {
            let mut statement = connection
                .prepare_cached(&format!("{} WHERE name > ?1 ORDER BY name LIMIT ?2", self.describe_sql()))?;
            Ok(statement.query_map((after, limit + 1), describe)?.collect::<Result<Vec<_>, _>>()?)
        })?;
        let more = vaults.len() > limit;
        vaults.truncate(limit);
        Ok(VaultPage { vaults, more })
    }

    fn describe_sql(&self) -> &'static str {
        match self.inner.pace.inventory_age {
            None => "SELECT name, created, inventory, archives, bytes FROM vaults",
            Some(_) => "SELECT name, created, inventory, inventory_archives, inventory_bytes FROM vaults",
        }
    }
}

fn describe(row: &rusqlite::Row<'_>) -> rusqlite::Result<VaultDescription> {
    Ok(VaultDescription {
        name: row.get(0)?,
        created_ms: row.get(1)?,
        inventory_ms: row.get(2)?,
        archives: row.get(3)?,
        bytes: row.get(4)?,
    })
}

/// The row of a vault.
pub(super) fn id_of(connection: &Connection, name: &VaultName) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM vaults WHERE name = ?1")?;
    statement.query_one([name.as_str()], |row| row.get(0)).optional()?.ok_or(StoreError::VaultNotFound)
}
