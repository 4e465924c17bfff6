//! The metadata: one thread that writes, one connection that reads.
//!
//! Changes that wait at the same time are committed together, so that ten thousand parts do not cost ten thousand
//! flushes of the log. Each is a savepoint of its own: one that is refused takes nothing with it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::failure::Health;
use super::{Failure, OpenError, StoreError};

/// The schema's version, kept in `user_version`.
const SCHEMA_VERSION: i64 = 3;
/// What leads from each version to the next, beginning with an empty database.
const MIGRATIONS: [&str; 3] = [include_str!("schema.sql"), include_str!("schema_2.sql"), include_str!("schema_3.sql")];

const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Most changes in one commit: bounds how long the first of them waits for the last.
const MAX_BATCH: usize = 64;

#[derive(Debug)]
pub(super) struct Database {
    reader: Mutex<Connection>,
    /// `None` only while dropping.
    changes: Option<mpsc::Sender<Change>>,
    writer: Option<JoinHandle<()>>,
    path: PathBuf,
}

/// Runs inside the transaction (or learns that there is none) and gives back what to do after the commit.
type Change = Box<dyn FnOnce(Result<&Connection, Failure>) -> Reply + Send>;
type Reply = Box<dyn FnOnce(Result<(), Failure>) + Send>;

impl Database {
    /// Opens `metadata.sqlite` in `root`. Also gives the names of all files that it knows.
    pub(super) fn open(root: &Path, health: Health) -> Result<(Self, HashSet<String>), OpenError> {
        let path = root.join("metadata.sqlite");
        let connection = connect(&path)?;
        make_schema(&connection)?;
        let known_files = connection
            .prepare("SELECT file FROM segments UNION ALL SELECT file FROM jobs WHERE file IS NOT NULL")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<HashSet<String>, _>>()?;
        let reader = Mutex::new(connect(&path)?);
        let (changes, queue) = mpsc::channel();
        let writer = std::thread::Builder::new()
            .name("metadata".into())
            .spawn(move || write_changes(&connection, &queue, &health))
            .map_err(|reason| OpenError::Folder { path: path.clone(), reason })?;
        Ok((Self { reader, changes: Some(changes), writer: Some(writer), path }, known_files))
    }

    /// As [`read`](Self::read), on a connection of its own: for questions that take so long that others would wait.
    pub(super) fn read_long<T>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut reader = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        reader.busy_timeout(BUSY_TIMEOUT)?;
        let snapshot = reader.transaction()?;
        question(&snapshot)
    }

    pub(super) fn read<T>(&self, question: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        // A reader that panicked changed nothing.
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = reader.transaction()?;
        question(&snapshot)
    }

    pub(super) fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, outcome) = mpsc::sync_channel(1);
        let task: Change = Box::new(move |transaction| {
            let done = transaction.map_err(StoreError::Failed).and_then(|connection| in_savepoint(connection, change));
            Box::new(move |committed| {
                let told = answer.send(match done {
                    Ok(value) => committed.map(|()| value).map_err(StoreError::Failed),
                    refused => refused,
                });
                drop(told); // whoever asked may have gone
            })
        });
        let changes = self.changes.as_ref().ok_or(Failure::ThreadGone)?;
        changes.send(task).map_err(|_| Failure::ThreadGone)?;
        outcome.recv().map_err(|_| Failure::ThreadGone)?
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The writer ends when nobody can send to it; waiting for that closes the file before the folder is unlocked.
        self.changes = None;
        if let Some(writer) = self.writer.take() {
            drop(writer.join());
        }
    }
}

fn connect(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

fn make_schema(connection: &Connection) -> Result<(), OpenError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(found).ok().filter(|done| *done <= MIGRATIONS.len());
    let due = &MIGRATIONS[done.ok_or(OpenError::NewerSchema { found })?..];
    if due.is_empty() {
        return Ok(());
    }
    // One transaction: an interrupted change of version is none.
    let steps = due.concat();
    let outcome = connection.execute_batch(&format!("BEGIN; {steps} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"));
    if outcome.is_err() && !connection.is_autocommit() {
        drop(connection.execute_batch("ROLLBACK"));
    }
    Ok(outcome?)
}

fn in_savepoint<T>(
    connection: &Connection,
    change: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.execute_batch("SAVEPOINT change")?;
    let done = change(connection);
    if done.is_err() {
        connection.execute_batch("ROLLBACK TO change")?;
    }
    connection.execute_batch("RELEASE change")?;
    done
}

fn write_changes(connection: &Connection, queue: &mpsc::Receiver<Change>, health: &Health) {
    while let Ok(first) = queue.recv() {
        let batch: Vec<Change> = std::iter::once(first).chain(queue.try_iter().take(MAX_BATCH - 1)).collect();
        let transaction = health.check().and_then(|()| begin(connection));
        let replies: Vec<Reply> = batch.into_iter().map(|change| change(transaction.clone())).collect();
        let committed = transaction.and_then(|connection| commit(connection, health));
        if committed.is_err() && !connection.is_autocommit() {
            drop(connection.execute_batch("ROLLBACK"));
        }
        for reply in replies {
            reply(committed.clone());
        }
    }
}

fn begin(connection: &Connection) -> Result<&Connection, Failure> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| Failure::Database(Arc::new(error)))?;
    Ok(connection)
}

fn commit(connection: &Connection, health: &Health) -> Result<(), Failure> {
    connection.execute_batch("COMMIT").map_err(|error| match error.sqlite_error_code() {
        // Nothing of it counts, and what was committed before is untouched.
        Some(ErrorCode::DiskFull) => Failure::Full,
        code => {
            let failure = Failure::Commit { reason: Arc::new(error) };
            if code == Some(ErrorCode::SystemIoFailure) {
                health.poison(&failure);
            }
            failure
        }
    })
}
