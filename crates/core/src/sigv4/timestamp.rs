//! `YYYYMMDDTHHMMSSZ`, the only form of time that is signed.

use std::fmt;

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

const FORMAT: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// A moment in whole seconds since 1970, up to the end of the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    // Invariant: 0..=LAST, so that every value has a calendar date of four-digit year.
    seconds: u64,
}

/// 9999-12-31T23:59:59Z.
const LAST: u64 = 253_402_300_799;

impl Timestamp {
    /// `seconds` after 1970-01-01T00:00:00Z; moments after the year 9999 become its last second.
    pub const fn from_unix(seconds: u64) -> Self {
        Self { seconds: if seconds < LAST { seconds } else { LAST } }
    }

    /// Reads `YYYYMMDDTHHMMSSZ`.
    ///
    /// # Errors
    /// [`InvalidTimestamp`] for any other form, for dates that do not exist and for those before 1970.
    pub fn parse(text: &str) -> Result<Self, InvalidTimestamp> {
        // The length is checked because the parser would take a signed year.
        if text.len() != 16 {
            return Err(InvalidTimestamp);
        }
        let moment = PrimitiveDateTime::parse(text, FORMAT).map_err(|_| InvalidTimestamp)?.assume_utc();
        let seconds = u64::try_from(moment.unix_timestamp()).map_err(|_| InvalidTimestamp)?;
        Ok(Self::from_unix(seconds))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn as_unix(self) -> u64 {
        self.seconds
    }

    /// The day, `YYYYMMDD`, of a credential scope.
    pub fn date(self) -> String {
        let mut text = self.to_string();
        text.truncate(8);
        text
    }

    /// The moment `seconds` later.
    pub const fn plus(self, seconds: u64) -> Self {
        Self::from_unix(self.seconds.saturating_add(seconds))
    }

    /// The moment `seconds` earlier, or 1970.
    pub const fn minus(self, seconds: u64) -> Self {
        Self::from_unix(self.seconds.saturating_sub(seconds))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = i64::try_from(self.seconds).ok().and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
        // Neither can fail: the invariant keeps the moment inside the calendar.
        f.write_str(&moment.and_then(|moment| moment.format(FORMAT).ok()).ok_or(fmt::Error)?)
    }
}

/// A text that is no `YYYYMMDDTHHMMSSZ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidTimestamp;

impl fmt::Display for InvalidTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a timestamp is YYYYMMDDTHHMMSSZ, in UTC")
    }
}

impl std::error::Error for InvalidTimestamp {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_text_agree() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (1_337_905_493, "20120525T002453Z"),
            (1_767_225_600, "20260101T000000Z"),
            (1_709_164_800, "20240229T000000Z"),
            (LAST, "99991231T235959Z"),
        ] {
            assert_eq!(Timestamp::from_unix(seconds).to_string(), text);
            assert_eq!(Timestamp::parse(text).unwrap().as_unix(), seconds);
        }
        assert_eq!(Timestamp::from_unix(u64::MAX).to_string(), "99991231T235959Z");
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in [
            "",
            "20120525",
            "20120525T002453",
            "20120525T002453z",
            "2012-05-25T00:24:53Z",
            "20120230T000000Z",
            "20120525T240000Z",
            "+2012525T002453Z",
            "20120525T0024-3Z",
            "19691231T235959Z",
            " 0120525T002453Z",
            "2012052\u{663}T02453Z",
            "Fri, 25 May 2012",
        ] {
            assert_eq!(Timestamp::parse(bad), Err(InvalidTimestamp), "{bad:?}");
        }
    }
}
