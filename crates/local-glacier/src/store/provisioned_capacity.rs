//! Provisioned capacity: units for Expedited retrievals, each good for a month.

use rusqlite::Connection;
use time::{Month, OffsetDateTime};

use super::{Store, StoreError, ids};

/// Most units of an account at a time.
pub(crate) const MAX_UNITS: u64 = 2;

/// A unit of capacity.
#[derive(Clone, Debug)]
pub(crate) struct CapacityUnit {
    pub(crate) id: String,
    pub(crate) started_ms: i64,
    pub(crate) expires_ms: i64,
}

impl Store {
    /// Buys a unit for a month. Gives its ID.
    pub(crate) fn purchase_capacity(&self) -> Result<String, StoreError> {
        let now = self.now_ms();
        let id = ids::capacity_id()?;
        self.write(move |connection| {
            connection.execute("DELETE FROM capacity_units WHERE expires <= ?1", [now])?;
            if live_units(connection, now)? >= MAX_UNITS {
                return Err(StoreError::TooMuchCapacity);
            }
            connection.execute(
                "INSERT INTO capacity_units (capacity_id, started, expires) VALUES (?1, ?2, ?3)",
                (&id, now, a_month_later(now)),
            )?;
            Ok(id)
        })
    }

    /// The units that have not expired, oldest first.
    pub(crate) fn list_capacity(&self) -> Result<Vec<CapacityUnit>, StoreError> {
        let now = self.now_ms();
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT capacity_id, started, expires FROM capacity_units WHERE expires > ?1 ORDER BY started, rowid",
            )?;
            let rows = statement.query_map([now], |row| {
                Ok(CapacityUnit { id: row.get(0)?, started_ms: row.get(1)?, expires_ms: row.get(2)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

pub(super) fn live_units(connection: &Connection, now: i64) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM capacity_units WHERE expires > ?1")?;
    Ok(statement.query_one([now], |row| row.get(0))?)
}

/// The same moment of the next month, to the second; of a day that month does not have, its last day.
///
/// **Source:** API reference, PurchaseProvisionedCapacity.
fn a_month_later(ms: i64) -> i64 {
    let Ok(start) = OffsetDateTime::from_unix_timestamp(ms / 1000) else { return ms };
    let year = if start.month() == Month::December { start.year() + 1 } else { start.year() };
    let month = start.month().next();
    let day = start.day().min(month.length(year));
    let later = time::Date::from_calendar_date(year, month, day).map(|date| start.replace_date(date));
    later.map_or(ms, |later| later.unix_timestamp() * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{iso, parse_iso};

    #[test]
    fn a_unit_ends_on_the_same_day_of_the_next_month_or_its_last() {
        for (start, end) in [
            ("2026-01-15T10:11:12.345Z", "2026-02-15T10:11:12.000Z"),
            ("2026-08-31T00:00:00Z", "2026-09-30T00:00:00.000Z"),
            ("2026-01-31T23:59:59Z", "2026-02-28T23:59:59.000Z"),
            ("2028-01-30T23:59:59Z", "2028-02-29T23:59:59.000Z"),
            ("2026-12-31T12:00:00Z", "2027-01-31T12:00:00.000Z"),
        ] {
            assert_eq!(iso(a_month_later(parse_iso(start).unwrap())), end);
        }
    }
}
