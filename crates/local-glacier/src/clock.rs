//! The time, as an argument: expiries are tested by turning the clock.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use glacier_core::sigv4::Timestamp;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// ISO 8601 in UTC with milliseconds, the form of dates in Glacier's JSON.
const ISO_MILLISECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// The form of the header `Date`.
const HTTP_DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// Tells the time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::from_fn(SystemTime::now)
    }

    /// A clock of your own.
    pub fn from_fn(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Milliseconds since 1970; 0 before it.
    pub(crate) fn now_ms(&self) -> i64 {
        let since = (self.0)().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    pub(crate) fn timestamp(&self) -> Timestamp {
        Timestamp::from_unix(u64::try_from(self.now_ms()).unwrap_or_default() / 1000)
    }

    /// Now, for the header `Date`.
    pub(crate) fn http_date(&self) -> String {
        format(self.now_ms(), HTTP_DATE)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// `2013-03-20T17:03:43.221Z`.
pub(crate) fn iso(ms: i64) -> String {
    format(ms, ISO_MILLISECONDS)
}

/// A moment outside the calendar, which only a broken clock can give, becomes 1970.
fn format(ms: i64, form: &[BorrowedFormatItem<'_>]) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .format(form)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_the_forms_of_the_service() {
        let clock = Clock::from_fn(|| UNIX_EPOCH + Duration::from_millis(1_363_799_023_221));
        assert_eq!(iso(clock.now_ms()), "2013-03-20T17:03:43.221Z");
        assert_eq!(clock.http_date(), "Wed, 20 Mar 2013 17:03:43 GMT");
        assert_eq!(clock.timestamp().to_string(), "20130320T170343Z");
    }
}
