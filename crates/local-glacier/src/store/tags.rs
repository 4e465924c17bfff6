//! Tags of vaults.

use glacier_core::glacier::VaultName;
use rusqlite::Connection;

use super::{Store, StoreError, vaults};

/// Most tags of a vault.
pub(crate) const MAX_TAGS: u64 = 50;

impl Store {
    /// Adds tags; values of keys that are there already are replaced. All or none.
    pub(crate) fn add_tags(&self, vault: &VaultName, tags: Vec<(String, String)>) -> Result<(), StoreError> {
        let vault = vault.clone();
        self.write(move |connection| {
            let vault = vaults::id_of(connection, &vault)?;
            let mut put =
                connection.prepare_cached("INSERT OR REPLACE INTO tags (vault, key, value) VALUES (?1, ?2, ?3)")?;
            for (key, value) in &tags {
                put.execute((vault, key, value))?;
            }
            let mut count = connection.prepare_cached("SELECT count(*) FROM tags WHERE vault = ?1")?;
            let held: u64 = count.query_one([vault], |row| row.get(0))?;
            if held > MAX_TAGS { Err(StoreError::TooManyTags) } else { Ok(()) }
        })
    }

    /// Removes tags; does nothing about keys that are not there.
    pub(crate) fn remove_tags(&self, vault: &VaultName, keys: Vec<String>) -> Result<(), StoreError> {
        let vault = vault.clone();
        self.write(move |connection| {
            let vault = vaults::id_of(connection, &vault)?;
            let mut remove = connection.prepare_cached("DELETE FROM tags WHERE vault = ?1 AND key = ?2")?;
            for key in &keys {
                remove.execute((vault, key))?;
            }
            Ok(())
        })
    }

    /// In order of key.
    pub(crate) fn list_tags(&self, vault: &VaultName) -> Result<Vec<(String, String)>, StoreError> {
        self.read(|connection| tags_of(connection, vaults::id_of(connection, vault)?))
    }
}

pub(super) fn tags_of(connection: &Connection, vault: i64) -> Result<Vec<(String, String)>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT key, value FROM tags WHERE vault = ?1 ORDER BY key")?;
    Ok(statement.query_map([vault], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
}
