//! What is kept: vaults, archives, multipart uploads, jobs with their output, tags, policies and capacity, in a database
//! and a folder of files.
//!
//! The data folder holds `metadata.sqlite`, `files/` (the bytes of parts, archives and inventories under names of our
//! own making),
//! `incoming/` (bytes that are still arriving) and `lock`. No text of a client ever becomes part of a path.
//!
//! **Durability.** Bytes are written to `incoming/`, flushed to the disk, renamed into `files/`, the folder is flushed,
//! and then the metadata is committed (WAL, `synchronous=FULL`); only after that does a method return. If a flush
//! fails, the disk may have lost data that it calls written, and asking again would not bring it back: the store is
//! then poisoned, every later change fails, and the process should be restarted to see what is really there.
//!
//! All methods block; the API calls them on threads where that is allowed.

mod archives;
mod completion;
mod database;
mod ended;
mod failure;
mod files;
mod ids;
mod incoming;
mod inventory;
mod job;
mod jobs;
mod multipart;
mod notifications;
mod output;
mod policies;
mod provisioned_capacity;
mod retrieval_policy;
mod room;
mod tags;
mod vaults;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rusqlite::Connection;

pub use failure::{Failure, OpenError, StoreError};
pub use multipart::MAX_OPEN_UPLOADS;
pub use room::MIN_FREE;

pub(crate) use archives::StoredArchive;
pub(crate) use ids::{JobId, LockId, RequestId};
pub(crate) use incoming::Incoming;
pub(crate) use job::{
    Format, Inventory, InventoryMarker, InventoryQuery, Job, JobState, NewJob, NewTask, Retrieval, Task, Tier,
};
pub(crate) use jobs::JobFilter;
pub(crate) use multipart::Completion;
pub(crate) use notifications::{Delivery, Event, Notifications};
pub(crate) use output::OutputReader;
pub(crate) use provisioned_capacity::{CapacityUnit, MAX_UNITS};
pub(crate) use retrieval_policy::RetrievalPolicy;
pub(crate) use tags::MAX_TAGS;
pub(crate) use vaults::VaultDescription;

use crate::clock::{Clock, milliseconds};
use crate::pace::Pace;
use database::Database;
use failure::Health;
use files::Folder;

/// Most vaults of one account and region.
pub const MAX_VAULTS: u64 = 1000;

/// Where the store lives and what time it is.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The data folder; made if need be, and made private to its owner.
    pub data: PathBuf,
    /// The clock for creation dates, jobs and expiries.
    pub clock: Clock,
    /// How long jobs take.
    pub pace: Pace,
}

/// The store. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    // Order matters: the database closes before the folder gives up its lock.
    database: Database,
    folder: Folder,
    clock: Clock,
    pace: Pace,
    /// Whether any vault may have a policy, so that most stores need not look for one at each request.
    has_policies: AtomicBool,
    /// Most uploads in progress of one vault.
    max_open_uploads: AtomicU64,
}

impl Store {
    /// Opens the data folder and removes what an interrupted process left in it.
    ///
    /// # Errors
    /// [`OpenError`] where the folder is in use by another process, cannot be read or was written by a newer version.
    pub fn open(config: StoreConfig) -> Result<Self, OpenError> {
        let health = Health::default();
        let folder = Folder::open(&config.data, health.clone())?;
        let (database, known_files) = Database::open(&config.data, health)?;
        folder.sync()?;
        folder.sweep(&known_files)?;
        let has_policies = AtomicBool::new(true); // until it is known
        let max_open_uploads = AtomicU64::new(MAX_OPEN_UPLOADS);
        let inner = Inner { database, folder, clock: config.clock, pace: config.pace, has_policies, max_open_uploads };
        let store = Self { inner: Arc::new(inner) };
        store.look_for_policies().map_err(OpenError::Expiry)?;
        store.remove_expired().map_err(OpenError::Expiry)?;
        Ok(store)
    }

    /// The clock the store was opened with.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Sets how many bytes of the file system stay free for metadata: bodies that would leave less are refused.
    /// [`MIN_FREE`] unless set.
    pub fn keep_free(&self, bytes: u64) {
        self.inner.folder.room.keep_free(bytes);
    }

    /// Sets how many uploads of one vault may be in progress: more are not begun until some were completed, aborted or
    /// forgotten. [`MAX_OPEN_UPLOADS`] unless set. Of those that were aborted, and of those whose archives were deleted, as
    /// many are remembered.
    pub fn bound_open_uploads(&self, count: u64) {
        // More than the database can count to is any number.
        self.inner.max_open_uploads.store(count.min(i64::MAX.unsigned_abs()), Ordering::Relaxed);
    }

    /// A file for so many bytes that are about to arrive, if there is room for them.
    pub(crate) fn incoming_of(&self, len: u64) -> Result<Incoming, Failure> {
        self.inner.folder.incoming_of(len)
    }

    /// A file for bytes of our own making.
    pub(crate) fn incoming(&self) -> Result<Incoming, Failure> {
        self.inner.folder.incoming()
    }

    fn now_ms(&self) -> i64 {
        self.inner.clock.now_ms()
    }

    /// Reads the last committed state.
    fn read<T>(&self, question: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.inner.database.read(question)
    }

    /// Makes a change that is durable when this returns, or no change at all.
    fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner.database.write(change)
    }

    /// Makes a change that puts `incoming` in the store.
    fn write_with_file<T: Send + 'static>(
        &self,
        incoming: Incoming,
        change: impl FnOnce(&Connection, &incoming::Segment) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stored = self.inner.folder.keep(incoming)?;
        let segment = stored.segment.clone();
        let outcome = self.write(move |connection| change(connection, &segment));
        match &outcome {
            Ok(_) => stored.committed(),
            // It is not known whether the commit reached the disk. If it did not, opening the store removes the file.
            Err(StoreError::Failed(Failure::Poisoned | Failure::Commit { .. } | Failure::ThreadGone)) => {
                stored.committed()
            }
            Err(_) => {}
        }
        outcome
    }

    /// Removes files that no metadata names any more. One that stays behind (a disk error, the end of the process) goes
    /// when the store is opened again.
    fn remove_files(&self, names: Vec<String>) {
        let removal = self.inner.folder.removal(names);
        if removal.len() <= MAX_FILES_REMOVED_WHILE_WAITING {
            return removal.run();
        }
        // The files of ten thousand parts take a disk many seconds, and a client would give up waiting.
        let thread = std::thread::Builder::new().name("removal".into());
        if let Err(error) = thread.spawn(move || removal.run()) {
            tracing::warn!(%error, "files without an archive stay until the store is opened again");
        }
    }
}

const MAX_FILES_REMOVED_WHILE_WAITING: usize = 64;

#[cfg(test)]
mod tests {
    use glacier_core::glacier::VaultName;

    use super::*;

    fn open(data: &std::path::Path) -> Store {
        Store::open(StoreConfig { data: data.to_owned(), clock: Clock::system(), pace: Pace::default() }).unwrap()
    }

    #[test]
    fn after_a_failed_flush_nothing_is_acknowledged_until_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (before, after) = (VaultName::new("before").unwrap(), VaultName::new("after").unwrap());
        let store = open(folder.path());
        store.create_vault(&before).unwrap();
        let mut arriving = store.incoming().unwrap();
        arriving.write(b"bytes").unwrap();

        store.inner.folder.poison_for_test();
        assert!(matches!(store.create_vault(&after), Err(StoreError::Failed(Failure::Poisoned))));
        assert!(matches!(store.put_archive(&before, None, arriving), Err(StoreError::Failed(Failure::Poisoned))));
        assert!(matches!(store.incoming(), Err(Failure::Poisoned)));
        assert!(store.describe_vault(&before).is_ok(), "what is committed can still be read");

        drop(store);
        let store = open(folder.path());
        assert!(matches!(store.describe_vault(&after), Err(StoreError::VaultNotFound)));
        store.create_vault(&after).unwrap();
    }

    #[test]
    fn a_refused_change_takes_nothing_with_it_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        std::thread::scope(|scope| {
            for number in 0..40 {
                let store = &store;
                scope.spawn(move || {
                    let outcome = store.write(move |connection| {
                        connection
                            .execute("INSERT INTO vaults (name, created) VALUES (?1, 0)", [format!("v{number}")])?;
                        if number % 2 == 0 { Ok(()) } else { Err(StoreError::VaultNotEmpty) }
                    });
                    assert_eq!(outcome.is_ok(), number % 2 == 0);
                });
            }
        });
        let names: Vec<String> =
            store.list_vaults(None, 100).unwrap().vaults.into_iter().map(|vault| vault.name).collect();
        assert_eq!(names.len(), 20);
        assert!(names.iter().all(|name| name[1..].parse::<u32>().unwrap() % 2 == 0), "{names:?}");
    }
}
