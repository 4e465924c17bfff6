//! GetJobOutput: bytes of what a job made.
//!
//! Safe to repeat. Answers 404 once the output is gone, a day after the job was done.
//!
//! **Source:** API reference, "Get Job Output (GET output)".

use super::{AnswerError, JobId, Method, Request, Response, VaultName, header};
use crate::range::{ByteRange, parse_decimal};
use crate::tree_hash::TreeHash;

/// The request for `range` of the output, counted from the output's first byte and not the archive's. `account` is
/// twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName, job_id: &JobId, range: Option<ByteRange>) -> Request {
    let mut request = Request::without_body(Method::Get, format!("/{account}/vaults/{vault}/jobs/{job_id}/output"));
    request.headers.extend(range.map(|range| (header::RANGE, format!("bytes={}", range.inclusive()))));
    request
}

/// Whether an answer brings the bytes of `range` of an output of `total` bytes, of which `len` arrived, and the tree
/// hash the store has for them, where it has one. 200 instead of 206 will do where everything was asked for.
///
/// # Errors
/// [`AnswerError`] for every other answer: a range that the server or a cache ignored or cut is not believed.
pub fn check(response: &Response, range: ByteRange, total: u64, len: u64) -> Result<Option<TreeHash>, AnswerError> {
    let is_everything = range.start() == 0 && range.end() == total;
    if !(is_everything && response.status == 200) {
        response.expect_status(206)?;
        let given = response.required_header(header::CONTENT_RANGE)?;
        if read_content_range(given) != Some((range, total)) {
            return Err(AnswerError::OtherRange { wanted: range.inclusive() });
        }
    }
    if len != range.len() {
        return Err(AnswerError::OtherRange { wanted: range.inclusive() });
    }
    Ok(response.header(header::TREE_HASH).map(TreeHash::from_hex).transpose()?)
}

/// Reads the answer's `Content-Range: bytes a-b/total`.
pub(crate) fn read_content_range(text: &str) -> Option<(ByteRange, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    Some((ByteRange::parse_inclusive(range)?, parse_decimal(total)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::MIB;

    fn answer(status: u16, content_range: &str, tree_hash: &str) -> Response {
        let mut headers = Vec::new();
        if !content_range.is_empty() {
            headers.push((header::CONTENT_RANGE.to_owned(), content_range.to_owned()));
        }
        if !tree_hash.is_empty() {
            headers.push((header::TREE_HASH.to_owned(), tree_hash.to_owned()));
        }
        Response { status, headers, body: None }
    }

    #[test]
    fn only_the_very_bytes_that_were_asked_for_are_taken() {
        let range = ByteRange::new(MIB, 2 * MIB).unwrap();
        let (total, hash) = (4 * MIB, "ab".repeat(32));
        let good = "bytes 1048576-2097151/4194304";
        let found = check(&answer(206, good, &hash), range, total, MIB).unwrap();
        assert_eq!(found, TreeHash::from_hex(&hash).ok());
        assert_eq!(check(&answer(206, good, ""), range, total, MIB), Ok(None));
        for (status, given, len) in [
            (200, good, MIB),
            (200, "", 4 * MIB),
            (206, "", MIB),
            (206, "bytes 1048576-2097151/*", MIB),
            (206, "bytes 1048576-2097151/4194305", MIB),
            (206, "bytes 0-1048575/4194304", MIB),
            (206, "bytes 1048576-2097150/4194304", MIB),
            (206, good, MIB - 1),
            (206, good, MIB + 1),
            (206, good, 0),
            (204, good, MIB),
        ] {
            assert!(check(&answer(status, given, &hash), range, total, len).is_err(), "{status} {given:?} {len}");
        }
        assert!(check(&answer(206, good, "AB"), range, total, MIB).is_err());
        let refused = check(&answer(404, "", ""), range, total, 0).unwrap_err();
        assert!(matches!(refused, AnswerError::Refused(_)));
    }

    #[test]
    fn a_server_without_ranges_will_do_for_everything_at_once() {
        let everything = ByteRange::new(0, 7).unwrap();
        assert_eq!(check(&answer(200, "", ""), everything, 7, 7), Ok(None));
        assert!(check(&answer(200, "", ""), everything, 7, 6).is_err());
        assert!(check(&answer(200, "", ""), everything, 8, 7).is_err());
        assert_eq!(check(&answer(206, "bytes 0-6/7", ""), everything, 7, 7), Ok(None));
    }
}
