//! GetObject: bytes of an object, straight from the bucket.
//!
//! Safe to repeat. Answers 206 to a range, 416 to one that the object does not have, and 403 where the object is archived
//! and there is no restored copy, or not any more.
//!
//! **Source:** S3 API reference, "GetObject".

use super::header;
use crate::glacier::header::CONTENT_RANGE;
use crate::glacier::{AnswerError, Response, get_job_output};
use crate::range::ByteRange;

/// Whether an answer brings the bytes of `range` of the object with that ETag, which has `total` bytes, and `len` of them
/// arrived. Headers that the bucket does not let a page see (`ExposeHeaders`) are not missed: the range was signed.
///
/// # Errors
/// [`AnswerError::ObjectChanged`] where there is another object under the name now, and [`AnswerError`] for every other
/// answer: a range that a cache ignored or cut is not believed.
pub fn check(response: &Response, range: ByteRange, total: u64, len: u64, etag: &str) -> Result<(), AnswerError> {
    if !response.is_success() {
        return Err(AnswerError::Refused(response.service_error()));
    }
    let given = response.header(header::ETAG).map(|given| given.trim_start_matches("W/").trim_matches('"'));
    if given.is_some_and(|given| given != etag) {
        return Err(AnswerError::ObjectChanged);
    }
    let wrong = || AnswerError::OtherRange { wanted: range.inclusive() };
    match (response.status, response.header(CONTENT_RANGE)) {
        (206, Some(text)) => match get_job_output::read_content_range(text) {
            Some(brought) if brought == (range, total) => {}
            // Without an ETag to go by, another length is another object.
            Some((_, other)) if other != total && given.is_none() => return Err(AnswerError::ObjectChanged),
            _ => return Err(wrong()),
        },
        (206, None) => {}
        (200, _) if range.start() == 0 && range.end() == total => {}
        (200, _) => return Err(wrong()),
        (status, _) => return Err(AnswerError::NotGlacier { status }),
    }
    if len == range.len() { Ok(()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::MIB;

    fn answer(status: u16, content_range: &str, etag: &str) -> Response {
        let headers = [(CONTENT_RANGE, content_range), (header::ETAG, etag)];
        let headers = headers.into_iter().filter(|(_, value)| !value.is_empty());
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Response { status, headers, body: None }
    }

    #[test]
    fn only_the_very_bytes_of_the_very_object_are_taken() {
        let range = ByteRange::new(MIB, 2 * MIB).unwrap();
        let total = 4 * MIB;
        let good = "bytes 1048576-2097151/4194304";
        for etag in ["\"e-2\"", "W/\"e-2\"", "e-2", ""] {
            assert_eq!(check(&answer(206, good, etag), range, total, MIB, "e-2"), Ok(()), "{etag}");
            assert_eq!(check(&answer(206, "", etag), range, total, MIB, "e-2"), Ok(()), "{etag}");
        }
        let other_range = Err(AnswerError::OtherRange { wanted: range.inclusive() });
        for (status, given, len) in [
            (200, good, MIB),
            (200, "", total),
            (206, good, MIB - 1),
            (206, good, MIB + 1),
            (206, "", MIB - 1),
            (206, "bytes 0-1048575/4194304", MIB),
            (206, "bytes 1048576-2097151/4194305", MIB),
            (206, "bytes 1048576-2097151/*", MIB),
        ] {
            let found = check(&answer(status, given, "\"e-2\""), range, total, len, "e-2");
            assert_eq!(found, other_range, "{status} {given:?} {len}");
        }
        let not_ours = check(&answer(204, good, "\"e-2\""), range, total, MIB, "e-2");
        assert_eq!(not_ours, Err(AnswerError::NotGlacier { status: 204 }));
        let refused = check(&answer(404, "", ""), range, total, 0, "e-2").unwrap_err();
        assert!(matches!(refused, AnswerError::Refused(_)));
        let everything = ByteRange::new(0, 7).unwrap();
        assert_eq!(check(&answer(200, "", "\"e-2\""), everything, 7, 7, "e-2"), Ok(()));
    }

    #[test]
    fn another_object_under_the_name_is_found_out() {
        let range = ByteRange::new(MIB, 2 * MIB).unwrap();
        let changed = Err(AnswerError::ObjectChanged);
        let good = "bytes 1048576-2097151/4194304";
        assert_eq!(check(&answer(206, good, "\"e-3\""), range, 4 * MIB, MIB, "e-2"), changed);
        assert_eq!(check(&answer(200, "", "\"e-3\""), range, 4 * MIB, 9, "e-2"), changed);
        let longer = "bytes 1048576-2097151/4194305";
        assert_eq!(check(&answer(206, longer, ""), range, 4 * MIB, MIB, "e-2"), changed);
    }
}
