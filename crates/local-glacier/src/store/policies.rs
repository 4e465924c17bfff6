//! A vault's access policy and its lock.
//!
//! The lock is in progress for a day, in which it may be aborted or completed; once completed it stays as long as the
//! vault. Its policy counts from the beginning.

use std::sync::atomic::Ordering;
use std::time::Duration;

use glacier_core::glacier::{ArchiveId, VaultName};
use rusqlite::{Connection, OptionalExtension};

use super::{LockId, Store, StoreError, ids, milliseconds, tags, vaults};

/// How long a lock that is not completed lasts.
const LOCK_EXPIRY: Duration = Duration::from_hours(24);

/// A lock as GetVaultLock tells it.
#[derive(Clone, Debug)]
pub(crate) struct VaultLock {
    pub(crate) policy: String,
    pub(crate) created_ms: i64,
    /// When it goes unless it is completed; `None`: it is locked.
    pub(crate) expires_ms: Option<i64>,
    id: String,
}

/// What policies say of a vault, and what they are to be judged by.
#[derive(Clone, Debug, Default)]
pub(crate) struct VaultPolicies {
    pub(crate) access: Option<String>,
    pub(crate) lock: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
    /// Of the archive in question, if there is one.
    pub(crate) archive_created_ms: Option<i64>,
}

impl Store {
    /// `false`: no vault has a policy or a lock.
    pub(crate) fn has_policies(&self) -> bool {
        self.inner.has_policies.load(Ordering::Acquire)
    }

    /// Finds out whether any vault has one.
    pub(super) fn look_for_policies(&self) -> Result<(), StoreError> {
        let found = self.read(|connection| {
            let question = "SELECT EXISTS (SELECT 1 FROM access_policies) OR EXISTS (SELECT 1 FROM locks)";
            Ok(connection.query_one(question, [], |row| row.get(0))?)
        })?;
        self.inner.has_policies.store(found, Ordering::Release);
        Ok(())
    }

    pub(crate) fn set_access_policy(&self, vault: &VaultName, policy: String) -> Result<(), StoreError> {
        self.inner.has_policies.store(true, Ordering::Release);
        let vault = vault.clone();
        self.write(move |connection| {
            let vault = vaults::id_of(connection, &vault)?;
            let mut put =
                connection.prepare_cached("INSERT OR REPLACE INTO access_policies (vault, policy) VALUES (?1, ?2)")?;
            put.execute((vault, policy))?;
            Ok(())
        })
    }

    pub(crate) fn access_policy(&self, vault: &VaultName) -> Result<String, StoreError> {
        self.read(|connection| {
            let vault = vaults::id_of(connection, vault)?;
            access_policy_of(connection, vault)?.ok_or(StoreError::NotSet)
        })
    }

    pub(crate) fn delete_access_policy(&self, vault: &VaultName) -> Result<(), StoreError> {
        let vault = vault.clone();
        self.write(move |connection| {
            let vault = vaults::id_of(connection, &vault)?;
            connection.execute("DELETE FROM access_policies WHERE vault = ?1", [vault])?;
            Ok(())
        })
    }

    /// Begins a lock, unless there is one.
    pub(crate) fn initiate_lock(&self, vault: &VaultName, policy: String) -> Result<String, StoreError> {
        self.inner.has_policies.store(true, Ordering::Release);
        let (vault, now) = (vault.clone(), self.now_ms());
        let id = ids::lock_id()?;
        self.write(move |connection| {
            let vault = vaults::id_of(connection, &vault)?;
            match lock_of(connection, vault, now)? {
                Some(VaultLock { expires_ms: Some(_), .. }) => return Err(StoreError::LockInProgress),
                Some(_) => return Err(StoreError::Locked),
                None => {}
            }
            connection.execute(
                "INSERT OR REPLACE INTO locks (vault, lock_id, policy, created, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
                (vault, &id, policy, now, now.saturating_add(milliseconds(LOCK_EXPIRY))),
            )?;
            Ok(id)
        })
    }

    /// Makes a lock final. Asked again with the same ID, does nothing.
    pub(crate) fn complete_lock(&self, vault: &VaultName, id: &LockId) -> Result<(), StoreError> {
        let (vault, id, now) = (vault.clone(), id.clone(), self.now_ms());
        self.write(move |connection| {
            let vault = vaults::id_of(connection, &vault)?;
            let lock = lock_of(connection, vault, now)?.ok_or(StoreError::NotSet)?;
            match (lock.id == id.as_str(), lock.expires_ms) {
                (true, None) => Ok(()),
                (false, None) => Err(StoreError::Locked),
                (false, Some(_)) => Err(StoreError::WrongLockId),
                (true, Some(_)) => {
                    connection.execute("UPDATE locks SET expires = NULL WHERE vault = ?1", [vault])?;
                    Ok(())
                }
            }
        })
    }

    /// Removes a lock that is in progress; does nothing where there is none.
    pub(crate) fn abort_lock(&self, vault: &VaultName) -> Result<(), StoreError> {
        let (vault, now) = (vault.clone(), self.now_ms());
        self.write(move |connection| {
            let vault = vaults::id_of(connection, &vault)?;
            if let Some(VaultLock { expires_ms: None, .. }) = lock_of(connection, vault, now)? {
                return Err(StoreError::Locked);
            }
            connection.execute("DELETE FROM locks WHERE vault = ?1", [vault])?;
            Ok(())
        })
    }

    pub(crate) fn vault_lock(&self, vault: &VaultName) -> Result<VaultLock, StoreError> {
        let now = self.now_ms();
        self.read(|connection| {
            let vault = vaults::id_of(connection, vault)?;
            lock_of(connection, vault, now)?.ok_or(StoreError::NotSet)
        })
    }

    /// The policies of a vault; none where there is no vault, whose absence is for others to tell.
    pub(crate) fn policies(&self, vault: &VaultName, archive: Option<&ArchiveId>) -> Result<VaultPolicies, StoreError> {
        let now = self.now_ms();
        self.read(|connection| {
            let vault = match vaults::id_of(connection, vault) {
                Err(StoreError::VaultNotFound) => return Ok(VaultPolicies::default()),
                found => found?,
            };
            let access = access_policy_of(connection, vault)?;
            let lock = lock_of(connection, vault, now)?.map(|lock| lock.policy);
            if access.is_none() && lock.is_none() {
                return Ok(VaultPolicies::default());
            }
            let archive_created_ms = match archive {
                Some(id) => created(connection, vault, id)?,
                None => None,
            };
            Ok(VaultPolicies { access, lock, tags: tags::tags_of(connection, vault)?, archive_created_ms })
        })
    }
}

fn access_policy_of(connection: &Connection, vault: i64) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT policy FROM access_policies WHERE vault = ?1")?;
    Ok(statement.query_one([vault], |row| row.get(0)).optional()?)
}

/// The lock, unless it has expired.
fn lock_of(connection: &Connection, vault: i64, now: i64) -> Result<Option<VaultLock>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT lock_id, policy, created, expires FROM locks WHERE vault = ?1 AND (expires IS NULL OR expires > ?2)",
    )?;
    let found = statement.query_one((vault, now), |row| {
        Ok(VaultLock { id: row.get(0)?, policy: row.get(1)?, created_ms: row.get(2)?, expires_ms: row.get(3)? })
    });
    Ok(found.optional()?)
}

fn created(connection: &Connection, vault: i64, archive: &ArchiveId) -> Result<Option<i64>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT created FROM archives WHERE archive_id = ?1 AND vault = ?2")?;
    Ok(statement.query_one((archive.as_str(), vault), |row| row.get(0)).optional()?)
}
