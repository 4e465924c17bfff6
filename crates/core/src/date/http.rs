//! Dates in headers, in the three forms there are.

use super::unix_ms;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Milliseconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`, the form of the header `Date` that servers must send.
///
/// **Source:** RFC 9110, 5.6.7.
pub fn unix_ms_of_header(text: &str) -> Option<i64> {
    let mut words = text.split_once(", ")?.1.strip_suffix(" GMT")?.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    at(year, month, day, time)
}

/// Milliseconds since 1970 of a date in the form of [`unix_ms_of_header`], or in one of the two that must be understood
/// although nobody should send them: `Sunday, 06-Nov-94 08:49:37 GMT`, whose year is the one that is no more than fifty
/// years after `now_ms`, and `Sun Nov  6 08:49:37 1994`.
///
/// **Source:** RFC 9110, 5.6.7: IMF-fixdate, rfc850-date and asctime-date.
pub fn unix_ms_of_any_header(text: &str, now_ms: i64) -> Option<i64> {
    unix_ms_of_header(text).or_else(|| of_rfc850(text, now_ms)).or_else(|| of_asctime(text))
}

fn of_rfc850(text: &str, now_ms: i64) -> Option<i64> {
    let (weekday, rest) = text.split_once(", ")?;
    let (date, time) = rest.strip_suffix(" GMT")?.split_once(' ')?;
    let mut parts = date.split('-');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if !DAYS.contains(&weekday) || parts.next().is_some() || year.len() != 2 {
        return None;
    }
    let latest = now_ms.checked_add(FIFTY_YEARS_MS)?;
    // The latest that is not too late. A 29th of February is none in every century.
    let mut dates = (0..100).rev().filter_map(|century| at(&format!("{century:02}{year}"), month, day, time));
    dates.find(|date| *date <= latest)
}

/// With a leap day in four.
const FIFTY_YEARS_MS: i64 = (50 * 365 + 50 / 4) * 24 * 60 * 60 * 1000;

fn of_asctime(text: &str) -> Option<i64> {
    let (weekday, rest) = text.split_at_checked(3)?;
    if !DAYS.iter().any(|day| day.starts_with(weekday)) || rest.len() != 21 {
        return None;
    }
    let month = rest.get(1..4)?;
    // A day of one digit has a blank before it.
    let day = rest.get(5..7)?.replace(' ', "0");
    let (time, year) = rest.get(8..)?.split_once(' ')?;
    let is_spaced = [0, 4, 7].iter().all(|blank| rest.as_bytes().get(*blank) == Some(&b' '));
    if is_spaced { at(year, month, &day, time) } else { None }
}

fn at(year: &str, month: &str, day: &str, time: &str) -> Option<i64> {
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    unix_ms(&format!("{year}-{month:02}-{day}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T05:22:00Z.
    const NOW: i64 = 1_795_238_520_000;

    /// Expected values by Python's `datetime`.
    #[test]
    fn a_header_is_a_date_too() {
        for (header, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777_000),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799_000),
            ("Sat, 21 Nov 2026 05:22:00 GMT", NOW),
            ("Fri, 31 Dec 2100 12:00:01 GMT", 4_133_937_601_000),
        ] {
            assert_eq!(unix_ms_of_header(header), Some(expected), "{header}");
            assert_eq!(unix_ms_of_any_header(header, NOW), Some(expected), "{header}");
        }
        for text in ["", "Sat, ", "Sat, 21 Nov 2026", "Sat, 31 Nov 2026 05:22:00 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"]
        {
            assert_eq!(unix_ms_of_header(text), None, "{text}");
        }
    }

    /// RFC 9110's own three are one moment; the others by Python's `datetime`.
    #[test]
    fn the_two_old_forms_are_understood() {
        for (header, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777_000),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777_000),
            ("Sun Nov  6 08:49:37 1994", 784_111_777_000),
            ("Saturday, 21-Nov-26 05:22:00 GMT", NOW),
            ("Sat Nov 21 05:22:00 2026", NOW),
            ("Tuesday, 29-Feb-00 23:59:59 GMT", 951_868_799_000),
            ("Tue Feb 29 23:59:59 2000", 951_868_799_000),
            // Forty-nine years from now, and forty-nine years ago.
            ("Thursday, 21-Nov-75 05:22:00 GMT", 3_341_539_320_000),
            ("Monday, 21-Nov-77 05:22:00 GMT", 248_937_720_000),
        ] {
            assert_eq!(unix_ms_of_any_header(header, NOW), Some(expected), "{header}");
        }
        for text in [
            "",
            "Sun",
            "Sun, 06-Nov-94 08:49:37 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37",
            "Sunday, 31-Nov-94 08:49:37 GMT",
            "Sunday, 06-Nov-9\u{663} 08:49:37 GMT",
            "Sunday, 06-Nov-+1 08:49:37 GMT",
            "Sunday, 06-Nov-94-1 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "Sun Nov  6 08:49:37 1994 GMT",
            "Sun Nov 31 08:49:37 1994",
            "Sun Nov  6 24:49:37 1994",
            "S\u{fc}n Nov 6 08:49:37 1994",
            "Sun Nov  6 08:49:37 199\u{e9}",
            "Son Nov  6 08:49:37 1994",
            "1994-11-06T08:49:37Z",
            "784111777",
        ] {
            assert_eq!(unix_ms_of_any_header(text, NOW), None, "{text}");
        }
        for now in [i64::MIN, -1, 0, i64::MAX] {
            assert_eq!(unix_ms_of_any_header("Sun Nov  6 08:49:37 1994", now), Some(784_111_777_000));
            let _ = unix_ms_of_any_header("Sunday, 06-Nov-94 08:49:37 GMT", now);
        }
    }
}
