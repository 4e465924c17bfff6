//! Dates as Glacier writes them, ISO 8601 in UTC, with or without a fraction of a second, and those of headers.
//!
//! In the proleptic Gregorian calendar, as `Date` of JavaScript and RFC 3339 have it; there are no leap seconds.

mod http;

pub use http::{unix_ms_of_any_header, unix_ms_of_header};

/// Milliseconds since 1970-01-01T00:00:00Z of `YYYY-MM-DDThh:mm:ssZ` or `YYYY-MM-DDThh:mm:ss.fZ` with 1 to 9 digits of
/// fraction, of which those behind the third are dropped. Negative before 1970; `None` for any other form and for
/// days that there are not.
///
/// **Source:** API reference, "Describe Job (GET JobID)" and "Get Job Output": dates with milliseconds in the one, and
/// without in the other.
pub fn unix_ms(text: &str) -> Option<i64> {
    let (whole, fraction) = text.strip_suffix('Z')?.split_at_checked(19)?;
    let bytes = whole.as_bytes();
    let form = b"dddd-dd-ddTdd:dd:dd";
    let fits = |(byte, form): (&u8, &u8)| if *form == b'd' { byte.is_ascii_digit() } else { byte == form };
    if !bytes.iter().zip(form).all(fits) {
        return None;
    }
    let number = |at: usize| i64::from(bytes[at] - b'0') * 10 + i64::from(bytes[at + 1] - b'0');
    let (year, month, day) = (number(0) * 100 + number(2), number(5), number(8));
    let (hour, minute, second) = (number(11), number(14), number(17));
    let is_time = hour < 24 && minute < 60 && second < 60;
    if !is_time || !(1..=days_in_month(year, month)?).contains(&day) {
        return None;
    }
    let seconds = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * 1000 + milliseconds(fraction)?)
}

/// Of nothing, or `.` and digits.
fn milliseconds(fraction: &str) -> Option<i64> {
    if fraction.is_empty() {
        return Some(0);
    }
    let digits = fraction.strip_prefix('.')?.as_bytes();
    if !(1..=9).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let padded = digits.iter().chain(b"00").take(3);
    Some(padded.fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

/// `None` where there is no such month.
fn days_in_month(year: i64, month: i64) -> Option<i64> {
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        4 | 6 | 9 | 11 => Some(30),
        2 if is_leap => Some(29),
        2 => Some(28),
        1..=12 => Some(31),
        _ => None,
    }
}

/// Years are counted from March, so that the leap day is the last of its year and months need no table.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    const DAYS_IN_400_YEARS: i64 = 146_097;
    const DAYS_FROM_YEAR_0_TO_1970: i64 = 719_468;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year * 365 + year / 4 - year / 100 + day_of_year;
    era * DAYS_IN_400_YEARS + day_of_era - DAYS_FROM_YEAR_0_TO_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values from Python's `datetime`.
    #[test]
    fn dates_are_milliseconds_since_1970() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2011-12-12T14:19:01Z", 1_323_699_541_000),
            ("2012-05-15T17:21:39.339Z", 1_337_102_499_339),
            ("2024-02-29T23:59:59.9Z", 1_709_251_199_900),
            ("2024-03-01T00:00:00.05Z", 1_709_251_200_050),
            ("2026-03-20T17:03:43.221987654Z", 1_774_026_223_221),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
            ("1969-12-31T23:59:59.999Z", -1),
            ("1900-03-01T00:00:00Z", -2_203_891_200_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000),
        ] {
            assert_eq!(unix_ms(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn each_day_follows_the_day_before() {
        let mut expected = unix_ms("1599-12-31T00:00:00Z").unwrap();
        for (year, month) in (1600..2500).flat_map(|year| (1..=12).map(move |month| (year, month))) {
            for day in 1..=days_in_month(year, month).unwrap() {
                expected += 24 * 60 * 60 * 1000;
                assert_eq!(unix_ms(&format!("{year}-{month:02}-{day:02}T00:00:00Z")), Some(expected));
            }
        }
    }

    #[test]
    fn other_forms_and_days_that_there_are_not_are_refused() {
        for bad in [
            "",
            "Z",
            "2026-03-20",
            "2026-03-20T17:03:43",
            "2026-03-20T17:03:43.Z",
            "2026-03-20T17:03:43.1234567890Z",
            "2026-03-20T17:03:43.+12Z",
            "2026-03-20T17:03:43,5Z",
            "2026-03-20T17:03:43+00:00",
            "2026-03-20T17:03:43ZZ",
            "2026-03-20 17:03:43Z",
            "2026-13-20T17:03:43Z",
            "2026-00-20T17:03:43Z",
            "2026-02-29T17:03:43Z",
            "1900-02-29T17:03:43Z",
            "2026-04-31T17:03:43Z",
            "2026-03-00T17:03:43Z",
            "2026-03-20T24:00:00Z",
            "2026-03-20T17:60:43Z",
            "2026-03-20T17:03:60Z",
            "+026-03-20T17:03:43Z",
            "20260-3-20T17:03:43Z",
            "2026-03-20T17:03:4\u{663}Z",
            "\u{663}26-03-20T17:03:43Z",
        ] {
            assert_eq!(unix_ms(bad), None, "{bad:?}");
        }
    }
}
