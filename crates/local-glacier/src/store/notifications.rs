//! Who is told of completed jobs, and the messages that are on their way there.
//!
//! A message is noted in the change that completes its job, so none is lost with the process.

use glacier_core::glacier::VaultName;
use rusqlite::{Connection, OptionalExtension};

use super::job::{JOB, Job, Task, job};
use super::{Failure, Store, StoreError, ids, vaults};
use crate::topic::TopicArn;

/// What a vault announces, and where.
#[derive(Clone, Debug)]
pub(crate) struct Notifications {
    pub(crate) topic: TopicArn,
    pub(crate) events: Vec<Event>,
}

/// A kind of completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    ArchiveRetrievalCompleted,
    InventoryRetrievalCompleted,
}

impl Event {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ArchiveRetrievalCompleted => "ArchiveRetrievalCompleted",
            Self::InventoryRetrievalCompleted => "InventoryRetrievalCompleted",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::ArchiveRetrievalCompleted, Self::InventoryRetrievalCompleted]
            .into_iter()
            .find(|event| event.name() == name)
    }

    const fn of(task: &Task) -> Self {
        match task {
            Task::Retrieval(_) => Self::ArchiveRetrievalCompleted,
            Task::Inventory(_) => Self::InventoryRetrievalCompleted,
        }
    }
}

/// A message to one topic, with the job it is about.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    sequence: i64,
    pub(crate) topic: String,
    pub(crate) message_id: String,
    /// Failed ones so far.
    pub(crate) attempts: u32,
    pub(crate) job: Job,
}

impl Store {
    pub(crate) fn set_notifications(&self, vault: &VaultName, new: Notifications) -> Result<(), StoreError> {
        let vault = vault.clone();
        self.write(move |connection| {
            let vault = vaults::id_of(connection, &vault)?;
            let events: Vec<&str> = new.events.iter().map(|event| event.name()).collect();
            connection.execute(
                "INSERT OR REPLACE INTO notifications (vault, topic, events) VALUES (?1, ?2, ?3)",
                (vault, new.topic.as_str(), events.join(",")),
            )?;
            Ok(())
        })
    }

    pub(crate) fn notifications(&self, vault: &VaultName) -> Result<Notifications, StoreError> {
        self.read(|connection| {
            let vault = vaults::id_of(connection, vault)?;
            of_vault(connection, vault)?.ok_or(StoreError::NotSet)
        })
    }

    pub(crate) fn delete_notifications(&self, vault: &VaultName) -> Result<(), StoreError> {
        let vault = vault.clone();
        self.write(move |connection| {
            let vault = vaults::id_of(connection, &vault)?;
            connection.execute("DELETE FROM notifications WHERE vault = ?1", [vault])?;
            Ok(())
        })
    }

    /// The seed of the key that signs messages: made once, and kept as long as the data folder.
    pub(crate) fn notification_seed(&self) -> Result<[u8; 32], StoreError> {
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh).map_err(|_| Failure::Random)?;
        self.write(move |connection| {
            connection
                .execute("INSERT OR IGNORE INTO notification_key (id, seed) VALUES (1, ?1)", [fresh.as_slice()])?;
            Ok(connection.query_one("SELECT seed FROM notification_key", [], |row| row.get(0))?)
        })
    }

    /// At most `limit` messages that are to be sent now.
    pub(crate) fn due_deliveries(&self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let now = self.now_ms();
        self.read(|connection| {
            let mut due = connection.prepare_cached(
                "SELECT id, job, topic, message_id, attempts FROM deliveries WHERE next <= ?1 ORDER BY next, id LIMIT ?2",
            )?;
            let mut find = connection.prepare_cached(&format!("{JOB} WHERE jobs.id = ?1"))?;
            let mut deliveries = Vec::new();
            let mut rows = due.query((now, limit))?;
            while let Some(row) = rows.next()? {
                let sequence: i64 = row.get(1)?;
                deliveries.push(Delivery {
                    sequence: row.get(0)?,
                    topic: row.get(2)?,
                    message_id: row.get(3)?,
                    attempts: row.get(4)?,
                    job: find.query_one([sequence], job)?,
                });
            }
            Ok(deliveries)
        })
    }

    pub(crate) fn next_delivery_ms(&self) -> Result<Option<i64>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT min(next) FROM deliveries")?;
            Ok(statement.query_one([], |row| row.get(0))?)
        })
    }

    /// The message was taken, or never will be.
    pub(crate) fn end_delivery(&self, delivery: &Delivery) -> Result<(), StoreError> {
        let sequence = delivery.sequence;
        self.write(move |connection| {
            connection.execute("DELETE FROM deliveries WHERE id = ?1", [sequence])?;
            Ok(())
        })
    }

    /// The message is to be sent again at `next_ms`.
    pub(crate) fn postpone_delivery(&self, delivery: &Delivery, next_ms: i64) -> Result<(), StoreError> {
        let sequence = delivery.sequence;
        self.write(move |connection| {
            let mut statement =
                connection.prepare_cached("UPDATE deliveries SET attempts = attempts + 1, next = ?2 WHERE id = ?1")?;
            statement.execute((sequence, next_ms))?;
            Ok(())
        })
    }
}

fn of_vault(connection: &Connection, vault: i64) -> Result<Option<Notifications>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT topic, events FROM notifications WHERE vault = ?1")?;
    let found: Option<(String, String)> =
        statement.query_one([vault], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.and_then(|(topic, events)| {
        let topic = TopicArn::new(&topic).ok()?; // only legal ones are written
        Some(Notifications { topic, events: events.split(',').filter_map(Event::from_name).collect() })
    }))
}

/// Notes the messages about a completed job: one for the job's topic, one for the vault's.
pub(super) fn announce(connection: &Connection, completed: &Job, now: i64) -> Result<(), StoreError> {
    let mut find = connection.prepare_cached("SELECT vault FROM jobs WHERE id = ?1")?;
    let vault = of_vault(connection, find.query_one([completed.sequence], |row| row.get(0))?)?;
    let event = Event::of(&completed.task);
    let vault_topic = vault.filter(|vault| vault.events.contains(&event)).map(|vault| vault.topic.as_str().to_owned());
    for topic in completed.topic.iter().chain(&vault_topic) {
        connection
            .prepare_cached("INSERT INTO deliveries (job, topic, message_id, next) VALUES (?1, ?2, ?3, ?4)")?
            .execute((completed.sequence, topic, ids::message_id()?, now))?;
    }
    Ok(())
}
