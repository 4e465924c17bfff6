//! How much may be retrieved, and how fast: the account's data retrieval policy and its Expedited capacity.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};

use super::job::Tier;
use super::{Pace, Store, StoreError, milliseconds, provisioned_capacity};

/// What the policy limits is counted over this time.
const HOUR: Duration = Duration::from_hours(1);
/// The free tier is counted over this time.
const MONTH: Duration = Duration::from_hours(30 * 24);
/// Bytes that are free in a month. **Source:** developer guide, "Data Retrieval Policies": 10 GB.
pub(crate) const FREE_BYTES_A_MONTH: u64 = 10 << 30;

/// A limit for retrievals at the Standard tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetrievalPolicy {
    None,
    FreeTier,
    /// At least 1.
    BytesPerHour(u64),
}

impl RetrievalPolicy {
    pub(crate) const fn strategy(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::FreeTier => "FreeTier",
            Self::BytesPerHour(_) => "BytesPerHour",
        }
    }
}

impl Store {
    pub(crate) fn set_retrieval_policy(&self, policy: RetrievalPolicy) -> Result<(), StoreError> {
        self.write(move |connection| {
            let bytes_per_hour = match policy {
                RetrievalPolicy::BytesPerHour(bytes) => Some(bytes),
                RetrievalPolicy::None | RetrievalPolicy::FreeTier => None,
            };
            connection.execute(
                "INSERT OR REPLACE INTO retrieval_policy (id, strategy, bytes_per_hour) VALUES (1, ?1, ?2)",
                (policy.strategy(), bytes_per_hour),
            )?;
            Ok(())
        })
    }

    pub(crate) fn retrieval_policy(&self) -> Result<RetrievalPolicy, StoreError> {
        self.read(policy)
    }
}

fn policy(connection: &Connection) -> Result<RetrievalPolicy, StoreError> {
    let mut statement = connection.prepare_cached("SELECT strategy, bytes_per_hour FROM retrieval_policy")?;
    let found: Option<(String, Option<u64>)> =
        statement.query_one([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(match found {
        Some((_, Some(bytes))) => RetrievalPolicy::BytesPerHour(bytes),
        Some((strategy, None)) if strategy == "FreeTier" => RetrievalPolicy::FreeTier,
        _ => RetrievalPolicy::None,
    })
}

/// Lets a retrieval of that many bytes begin, or says why not. A Standard one is counted.
pub(super) fn admit(connection: &Connection, pace: &Pace, tier: Tier, bytes: u64, now: i64) -> Result<(), StoreError> {
    match tier {
        Tier::Bulk => Ok(()),
        Tier::Expedited => admit_expedited(connection, pace, now),
        Tier::Standard => admit_standard(connection, bytes, now),
    }
}

fn admit_standard(connection: &Connection, bytes: u64, now: i64) -> Result<(), StoreError> {
    let (limit, over) = match policy(connection)? {
        RetrievalPolicy::None => (u64::MAX, HOUR),
        RetrievalPolicy::BytesPerHour(limit) => (limit, HOUR),
        RetrievalPolicy::FreeTier => (FREE_BYTES_A_MONTH, MONTH),
    };
    let mut sum = connection.prepare_cached("SELECT coalesce(sum(bytes), 0) FROM retrievals WHERE at > ?1")?;
    let begun: u64 = sum.query_one([now.saturating_sub(milliseconds(over))], |row| row.get(0))?;
    if begun.saturating_add(bytes) > limit {
        return Err(StoreError::PolicyEnforced);
    }
    connection.prepare_cached("INSERT INTO retrievals (at, bytes) VALUES (?1, ?2)")?.execute((now, bytes))?;
    Ok(())
}

/// Expedited retrievals are limited only where the store is told to be: what is allowed without capacity, and three
/// more in five minutes for each unit that was purchased.
fn admit_expedited(connection: &Connection, pace: &Pace, now: i64) -> Result<(), StoreError> {
    let Some(on_demand) = pace.expedited_per_5_min else { return Ok(()) };
    let units = provisioned_capacity::live_units(connection, now)?;
    let mut count = connection.prepare_cached("SELECT count(*) FROM jobs WHERE tier = 'Expedited' AND created > ?1")?;
    let begun: u64 = count.query_one([now.saturating_sub(5 * 60 * 1000)], |row| row.get(0))?;
    if begun < u64::from(on_demand) + 3 * units { Ok(()) } else { Err(StoreError::InsufficientCapacity) }
}

/// Forgets retrievals that no policy counts any more.
pub(super) fn forget_retrievals(connection: &Connection, now: i64) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("DELETE FROM retrievals WHERE at <= ?1")?;
    statement.execute([now.saturating_sub(milliseconds(MONTH))])?;
    Ok(())
}
