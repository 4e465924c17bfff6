//! The time, as an argument: expiries are tested by turning the clock.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use glacier_core::sigv4::Timestamp;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

/// ISO 8601 in UTC with milliseconds, the form of dates in Glacier's JSON.
const ISO_MILLISECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// The same without milliseconds, the form of dates in inventories.
const ISO_SECONDS: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// The part of a date that has to be there.
const ISO_BARE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

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

/// `2013-03-20T17:03:43Z`; what is less than a second is left out.
pub(crate) fn iso_seconds(ms: i64) -> String {
    format(ms, ISO_SECONDS)
}

/// Reads ISO 8601, to milliseconds: with or without a fraction of a second, then `Z`, a numeric offset, or `UTC` or
/// nothing at all (which boto 2 sends, and which mean the same).
pub(crate) fn parse_iso(text: &str) -> Option<i64> {
    let (bare, rest) = text.split_at_checked(19)?;
    // The parser would take a signed year.
    if !bare.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let seconds = PrimitiveDateTime::parse(bare, ISO_BARE).ok()?.assume_utc().unix_timestamp();
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()),
        None => ("0", rest),
    };
    if fraction.is_empty() {
        return None;
    }
    let milliseconds: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let offset_minutes = match zone {
        "" | "Z" | "UTC" => 0,
        numeric => parse_offset(numeric)?,
    };
    Some((seconds - offset_minutes * 60) * 1000 + milliseconds)
}

/// Minutes of `+01:30` or `+0130`.
fn parse_offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let digits = rest.replacen(':', "", usize::from(rest.as_bytes().get(2) == Some(&b':')));
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i64, i64) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// As many milliseconds, or as many as fit.
pub(crate) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
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
    fn dates_are_read_in_every_form_that_is_seen() {
        let noon = 1_767_268_800_000;
        for (text, ms) in [
            ("2026-01-01T12:00:00Z", noon),
            ("2026-01-01T12:00:00", noon),
            ("2026-01-01T12:00:00UTC", noon),
            ("2026-01-01T12:00:00.1Z", noon + 100),
            ("2026-01-01T12:00:00.123456789Z", noon + 123),
            ("2026-01-01T13:30:00+01:30", noon),
            ("2026-01-01T04:00:00.000-0800", noon),
        ] {
            assert_eq!(parse_iso(text), Some(ms), "{text}");
        }
        assert_eq!(iso_seconds(noon + 999), "2026-01-01T12:00:00Z");
        for bad in [
            "",
            "2026",
            "2026-01-01",
            "2026-01-01 12:00:00Z",
            "2026-02-30T12:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T12:00:00.Z",
            "2026-01-01T12:00:00z",
            "2026-01-01T12:00:00+1",
            "2026-01-01T12:00:00+25:00",
            "-026-01-01T12:00:00Z",
            "2026-01-01T12:00:00Z ",
            "1767268800",
            "2026-01-01T12:00:0\u{663}",
        ] {
            assert_eq!(parse_iso(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn dates_have_the_forms_of_the_service() {
        let clock = Clock::from_fn(|| UNIX_EPOCH + Duration::from_millis(1_363_799_023_221));
        assert_eq!(iso(clock.now_ms()), "2013-03-20T17:03:43.221Z");
        assert_eq!(clock.http_date(), "Wed, 20 Mar 2013 17:03:43 GMT");
        assert_eq!(clock.timestamp().to_string(), "20130320T170343Z");
    }
}
