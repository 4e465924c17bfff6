//! How long a server asks to be left alone.

use crate::date::{unix_ms_of_any_header, unix_ms_of_header};
use crate::glacier::Response;

/// The answer's `Retry-After` in milliseconds: a number of seconds, or a date, of which the time from the answer's own
/// `Date` is taken, because both are by the server's clock and the browser's may be wrong. 0 where that date is over.
///
/// `None`, and then the usual wait is taken, for anything else, and for a date in an answer without one.
///
/// **Source:** RFC 9110, 10.2.3 and 5.6.7.
pub fn retry_after_ms(response: &Response) -> Option<u64> {
    let text = response.header("retry-after")?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a u64 has are a number all the same.
        return Some(text.parse().map_or(u64::MAX, |seconds: u64| seconds.saturating_mul(1000)));
    }
    let now_ms = unix_ms_of_header(response.header("date")?.trim())?;
    let then_ms = unix_ms_of_any_header(text, now_ms)?;
    Some(u64::try_from(then_ms.saturating_sub(now_ms)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(retry_after: &str, date: Option<&str>) -> Option<u64> {
        let date = date.map(|date| ("date".to_owned(), date.to_owned()));
        let headers = date.into_iter().chain([("retry-after".to_owned(), retry_after.to_owned())]).collect();
        retry_after_ms(&Response { headers, ..Response::default() })
    }

    const NOW: Option<&str> = Some("Sun, 06 Nov 1994 08:49:07 GMT");

    #[test]
    fn a_number_is_of_seconds() {
        for (text, expected) in [
            ("0", Some(0)),
            ("120", Some(120_000)),
            ("007", Some(7_000)),
            (" 7 ", Some(7_000)),
            ("18446744073709551615", Some(u64::MAX)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("\u{663}", None),
            ("", None),
        ] {
            assert_eq!(read(text, None), expected, "{text:?}");
            assert_eq!(read(text, NOW), expected, "{text:?}");
        }
        assert_eq!(retry_after_ms(&Response::default()), None);
    }

    /// The first three are RFC 9110's own forms of one date.
    #[test]
    fn a_date_is_so_much_after_the_answers_own() {
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30_000)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(30_000)),
            ("Sun Nov  6 08:49:37 1994", Some(30_000)),
            (" Sun, 06 Nov 1994 08:49:37 GMT ", Some(30_000)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:06 GMT", Some(0)),
            ("Mon, 07 Nov 1994 08:49:07 GMT", Some(86_400_000)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(252_618_189_052_000)),
            ("tomorrow", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("1994-11-06T08:49:37Z", None),
        ] {
            assert_eq!(read(text, NOW), expected, "{text:?}");
            assert_eq!(read(text, None), None, "{text:?}: nobody knows what time it is there");
            for no_date in ["", "now", "784111747", "Sunday, 06-Nov-94 08:49:07 GMT"] {
                assert_eq!(read(text, Some(no_date)), None, "{text:?} {no_date:?}");
            }
        }
    }
}
