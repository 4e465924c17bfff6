//! Inventories: lists of a vault's archives, written to a file as they are read from the database, so that their length
//! does not matter to memory.

use std::io::{self, Write};
use std::time::Duration;

use glacier_core::TreeHash;
use rusqlite::{Connection, OptionalExtension, named_params};
use serde::Serialize;

use super::completion::complete;
use super::failure::while_doing;
use super::job::{Format, Inventory, InventoryMarker, InventoryQuery, Job, JobState, Task};
use super::{Incoming, Store, StoreError, milliseconds};
use crate::clock::{iso, iso_seconds};

/// A vault's first inventory is taken this long after its first archive, where inventories are not taken on demand.
/// **Source:** developer guide, "Downloading a Vault Inventory": half a day to a day.
const FIRST_INVENTORY: Duration = Duration::from_hours(12);
/// Bytes that wait before they are written.
const BUFFER_LEN: usize = 64 << 10;
/// After how many archives to look whether the process is to end.
const STOP_GRAIN: u64 = 1000;

impl Store {
    /// Writes the output of an inventory that is due, and ends its job.
    ///
    /// Archives that come or go meanwhile do not matter: it is of one moment. Where `stop` says so, leaves the job as
    /// it is, to be finished later.
    pub(crate) fn finish_inventory(
        &self,
        due: &Job,
        vault_arn: &str,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), StoreError> {
        let Task::Inventory(Inventory { query, .. }) = &due.task else { return Ok(()) };
        let (job, now) = (due.clone(), self.now_ms());
        let on_demand = self.inner.pace.inventory_age.is_none();
        let Some(date) = self.inventory_date(due, now)? else {
            return self.write(move |connection| {
                let message =
                    "No inventory of the vault has been taken yet; ask again half a day after its first archive.";
                if is_in_progress(connection, &job)? {
                    complete(connection, &job, JobState::Failed, message, now)?;
                }
                Ok(())
            });
        };
        let mut document = Document::new(self.incoming()?, query.format);
        let next = self.inner.database.read_long(|connection| {
            let as_of = if on_demand { i64::MAX } else { date };
            document.begin(vault_arn, date)?;
            let next = write_archives(connection, due, query, as_of, &mut document, stop)?;
            document.end()?;
            Ok(next)
        })?;
        let Some(next) = next else { return Ok(()) };
        self.write_with_file(document.incoming, move |connection, segment| {
            if !is_in_progress(connection, &job)? {
                return Err(StoreError::JobNotFound); // removed with its vault: the file goes
            }
            connection.execute(
                "UPDATE jobs SET next_marker = ?2, file = ?3, size = ?4 WHERE id = ?1",
                (job.sequence, next.marker.map(|marker| marker.to_string()), &segment.file, segment.len),
            )?;
            if on_demand {
                connection.execute(
                    "UPDATE vaults SET inventory = ?2, inventory_archives = archives, inventory_bytes = bytes
                     WHERE name = ?1",
                    (&job.vault, date),
                )?;
            }
            complete(connection, &job, JobState::Succeeded, "Succeeded", now)
        })
    }

    /// The moment an inventory tells of: now, or when the last one was taken; `None` if none was.
    fn inventory_date(&self, due: &Job, now: i64) -> Result<Option<i64>, StoreError> {
        if self.inner.pace.inventory_age.is_none() {
            return Ok(Some(now));
        }
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT inventory FROM vaults WHERE name = ?1")?;
            Ok(statement.query_one([&due.vault], |row| row.get(0)).optional()?.flatten())
        })
    }

    /// Takes the inventories of the day, where inventories are not taken on demand: notes the numbers and forgets
    /// archives that were deleted before.
    pub(crate) fn take_inventories(&self) -> Result<(), StoreError> {
        let Some(age) = self.inner.pace.inventory_age else { return Ok(()) };
        let now = self.now_ms();
        let (first, again) = (now - milliseconds(FIRST_INVENTORY), now - milliseconds(age));
        let any: bool = self.read(|connection| {
            let mut statement =
                connection.prepare_cached(&format!("SELECT EXISTS (SELECT 1 FROM vaults WHERE {STALE})"))?;
            Ok(statement.query_one((first, again), |row| row.get(0))?)
        })?;
        if !any {
            return Ok(());
        }
        self.write(move |connection| {
            connection.execute(
                &format!(
                    "UPDATE vaults SET inventory = ?3, inventory_archives = archives, inventory_bytes = bytes, changed = NULL
                     WHERE {STALE}"
                ),
                (first, again, now),
            )?;
            connection.execute(
                "DELETE FROM deleted_archives WHERE deleted <= (SELECT inventory FROM vaults WHERE id = vault)",
                [],
            )?;
            Ok(())
        })
    }
}

/// Vaults that changed and whose last inventory is old enough. ?1 and ?2: the moments before which it is.
const STALE: &str = "changed IS NOT NULL AND ((inventory IS NULL AND changed <= ?1) OR inventory <= ?2)";

fn is_in_progress(connection: &Connection, job: &Job) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM jobs WHERE id = ?1 AND state = 0)")?;
    Ok(statement.query_one([job.sequence], |row| row.get(0))?)
}

/// Where the next inventory goes on.
struct Next {
    marker: Option<InventoryMarker>,
}

/// Writes the archives that are asked for. `None`: told to stop.
fn write_archives(
    connection: &Connection,
    due: &Job,
    query: &InventoryQuery,
    as_of: i64,
    document: &mut Document,
    stop: &dyn Fn() -> bool,
) -> Result<Option<Next>, StoreError> {
    let vault: Option<i64> =
        connection.query_one("SELECT id FROM vaults WHERE name = ?1", [&due.vault], |row| row.get(0)).optional()?;
    let limit = query.limit.unwrap_or(u64::MAX);
    let mut statement = connection.prepare(ARCHIVES)?;
    let mut rows = statement.query(named_params! {
        ":vault": vault,
        ":as_of": as_of,
        ":start": query.start_ms.unwrap_or(i64::MIN).max(query.after.map_or(i64::MIN, |after| after.created_ms)),
        ":end": query.end_ms.unwrap_or(i64::MAX),
        ":after_date": query.after.map_or(i64::MIN, |after| after.created_ms),
        ":after_sequence": query.after.map_or(i64::MIN, |after| after.sequence),
        ":limit": i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1),
    })?;
    let (mut written, mut last) = (0, None);
    while let Some(row) = rows.next()? {
        if written == limit {
            return Ok(Some(Next { marker: last }));
        }
        if written % STOP_GRAIN == 0 && stop() {
            return Ok(None);
        }
        let (sequence, created_ms) = (row.get(0)?, row.get(3)?);
        let description: Option<String> = row.get(2)?;
        document.add(&Entry {
            archive_id: row.get(1)?,
            archive_description: description.unwrap_or_default(),
            creation_date: iso(created_ms),
            size: row.get(4)?,
            tree_hash: TreeHash::from_bytes(row.get(5)?).to_string(),
        })?;
        last = Some(InventoryMarker { created_ms, sequence });
        written += 1;
    }
    Ok(Some(Next { marker: None }))
}

/// Both halves come out of an index in order, and are merged.
const ARCHIVES: &str = "
    SELECT rowid AS sequence, archive_id, description, created, size, tree_hash FROM archives
    WHERE vault = :vault AND created >= :start AND created < :end AND created <= :as_of
        AND (created > :after_date OR rowid > :after_sequence)
    UNION ALL
    SELECT sequence, archive_id, description, created, size, tree_hash FROM deleted_archives
    WHERE vault = :vault AND created >= :start AND created < :end AND created <= :as_of AND deleted > :as_of
        AND (created > :after_date OR sequence > :after_sequence)
    ORDER BY created, sequence LIMIT :limit";

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    archive_id: String,
    archive_description: String,
    creation_date: String,
    size: u64,
    #[serde(rename = "SHA256TreeHash")]
    tree_hash: String,
}

/// An inventory's document on its way to the disk.
struct Document {
    incoming: Incoming,
    buffer: Vec<u8>,
    format: Format,
    is_first: bool,
}

impl Document {
    fn new(incoming: Incoming, format: Format) -> Self {
        Self { incoming, buffer: Vec::with_capacity(BUFFER_LEN + 4096), format, is_first: true }
    }

    fn begin(&mut self, vault_arn: &str, date: i64) -> Result<(), StoreError> {
        match self.format {
            Format::Csv => {
                self.buffer.extend_from_slice(b"ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash\n");
            }
            // Neither text has a character that JSON would escape.
            Format::Json => {
                let date = iso_seconds(date);
                let begin = format!(r#"{{"VaultARN":"{vault_arn}","InventoryDate":"{date}","ArchiveList":["#);
                self.buffer.extend_from_slice(begin.as_bytes());
            }
        }
        Ok(())
    }

    fn add(&mut self, entry: &Entry) -> Result<(), StoreError> {
        match self.format {
            Format::Csv => write_csv(&mut self.buffer, entry),
            Format::Json => {
                if !self.is_first {
                    self.buffer.push(b',');
                }
                serde_json::to_writer(&mut self.buffer, entry).map_err(io::Error::from)
            }
        }
        .map_err(while_doing("writing an inventory"))?;
        self.is_first = false;
        if self.buffer.len() >= BUFFER_LEN {
            self.flush()?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), StoreError> {
        if self.format == Format::Json {
            self.buffer.extend_from_slice(b"]}");
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.incoming.write(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// A line of CSV as the service writes it: the description always in quotes, a quote inside as `\"`, and a backslash as
/// it is. That is ambiguous where a description has a backslash before a quote; readers take the other four columns,
/// whose alphabets are fixed, from both ends, and what is left is the description.
fn write_csv(to: &mut Vec<u8>, entry: &Entry) -> io::Result<()> {
    let Entry { archive_id, archive_description, creation_date, size, tree_hash } = entry;
    let description = archive_description.replace('"', "\\\"");
    writeln!(to, "{archive_id},\"{description}\",{creation_date},{size},{tree_hash}")
}

#[cfg(test)]
mod tests {
    use glacier_core::hex;

    use super::*;

    #[test]
    fn csv_quotes_descriptions_as_the_service_does() {
        let line = |description: &str| {
            let mut line = Vec::new();
            let entry = Entry {
                archive_id: "ID".into(),
                archive_description: description.into(),
                creation_date: "2026-01-01T12:00:00.000Z".into(),
                size: 7,
                tree_hash: hex::encode(&[0xab; 2]),
            };
            write_csv(&mut line, &entry).unwrap();
            String::from_utf8(line).unwrap()
        };
        for (description, written) in [
            ("", r#""""#),
            ("plain", r#""plain""#),
            ("a,b", r#""a,b""#),
            (r#"say "hi""#, r#""say \"hi\"""#),
            (r#"a,1\"2"#, r#""a,1\\"2""#),
            (r"back\slash", r#""back\slash""#),
        ] {
            assert_eq!(line(description), format!("ID,{written},2026-01-01T12:00:00.000Z,7,abab\n"), "{description:?}");
        }
    }
}
