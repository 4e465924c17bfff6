//! Moments of the store's clock, as its JSON and its headers write them, to be compared with each other and with
//! nothing else: the browser's own wall clock is often wrong.

/// Whole seconds since 1970 of `2013-03-20T17:03:43.221Z`; a fraction is dropped. `None` for any other form.
pub(crate) fn from_json(text: &str) -> Option<u64> {
    let (date, time) = text.split_once('T')?;
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    seconds(number(year)?, number(month)?, number(day)?, time.strip_suffix('Z')?)
}

/// Whole seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`, the form of `Date` that servers must send.
///
/// **Source:** RFC 9110, 5.6.7.
pub(crate) fn from_header(text: &str) -> Option<u64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut words = text.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.find(month).filter(|at| month.len() == 3 && at.is_multiple_of(3))? / 3 + 1;
    seconds(number(year)?, u64::try_from(month).ok()?, number(day)?, time)
}

fn number(text: &str) -> Option<u64> {
    crate::range::parse_decimal(text).filter(|number| *number < 10_000)
}

fn seconds(year: u64, month: u64, day: u64, time: &str) -> Option<u64> {
    let mut parts = time.splitn(3, ':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let second = second.split('.').next()?;
    if year < 1970 || !(1..=12).contains(&month) {
        return None;
    }
    // Years begin in March, so that the leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    // From 0000-03-01 to 1970-01-01, and one because days are counted from 1.
    let days = days.checked_sub(719_469)?;
    Some(((days * 24 + number(hour)?) * 60 + number(minute)?) * 60 + number(second)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values by Python's `datetime`.
    #[test]
    fn both_forms_are_seconds_since_1970() {
        for (json, header, expected) in [
            ("1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("1994-11-06T08:49:37.999Z", "Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("2000-02-29T23:59:59.000Z", "Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("2000-03-01T00:00:00Z", "Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("2026-11-21T05:22:00.5Z", "Sat, 21 Nov 2026 05:22:00 GMT", 1_795_238_520),
            ("2100-12-31T12:00:01Z", "Fri, 31 Dec 2100 12:00:01 GMT", 4_133_937_601),
        ] {
            assert_eq!(from_json(json), Some(expected), "{json}");
            assert_eq!(from_header(header), Some(expected), "{header}");
        }
    }

    #[test]
    fn anything_else_is_no_moment() {
        for text in ["", "T", "2026-11-21", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z", "99999-01-01T00:00:00Z"] {
            assert_eq!(from_json(text), None, "{text}");
        }
        for text in
            ["", "Sat, ", "Sat, 21 anF 2026 05:22:00 GMT", "Sat, 21 Nov 2026", "Saturday, 21-Nov-26 05:22:00 GMT"]
        {
            assert_eq!(from_header(text), None, "{text}");
        }
    }
}
