//! Ranges as programs in JavaScript write them: `{ start, end }`, half open, as `Blob.slice` has them.

use super::strict::check_keys;
use crate::error::{ErrorCode, UploadError};
use crate::json::Json;
use crate::range::ByteRange;

const RANGE_KEYS: &[&str] = &["start", "end"];

/// A range inside of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeInArchive {
    // Invariant: range.end() <= archive_size.
    range: ByteRange,
    archive_size: u64,
}

impl RangeInArchive {
    /// Reads a range and the size of the archive it is of.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidRange`] unless both are what they should be, and the range has at least one byte and all of
    /// its bytes are in the archive.
    pub fn read(range: &Json, archive_size: &Json) -> Result<Self, UploadError> {
        let Json::Number(archive_size) = *archive_size else {
            return Err(invalid("the size must be a whole number of bytes"));
        };
        let range = byte_range(range)?;
        if range.end() > archive_size {
            let message = format!("the range ends at {} and the archive at {archive_size}", range.end());
            return Err(invalid(message));
        }
        Ok(Self { range, archive_size })
    }

    /// Whether the store has a tree hash of exactly these bytes.
    pub fn is_tree_hash_aligned(self) -> bool {
        self.range.is_tree_hash_aligned(self.archive_size)
    }

    /// The smallest range around this one of which the store has a tree hash.
    pub fn align_tree_hash(self) -> ByteRange {
        // There always is one, because the range is inside of the archive.
        self.range.align_tree_hash(self.archive_size).unwrap_or(self.range)
    }
}

/// Reads a range.
///
/// # Errors
/// [`ErrorCode::InvalidRange`] unless it is an object of two whole numbers, `start` below `end`, and nothing else.
pub fn byte_range(range: &Json) -> Result<ByteRange, UploadError> {
    check_keys(range, "range.", RANGE_KEYS, &[])
        .map_err(|error| UploadError { code: ErrorCode::InvalidRange, ..error })?;
    let (Some(start), Some(end)) = (range.number("start"), range.number("end")) else {
        return Err(invalid("range.start and range.end must be whole numbers of bytes"));
    };
    ByteRange::new(start, end).ok_or_else(|| invalid(format!("there is no byte from {start} up to {end}")))
}

fn invalid(message: impl Into<String>) -> UploadError {
    UploadError::new(ErrorCode::InvalidRange, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::MIB;

    fn range(start: Json, end: Json) -> Json {
        Json::object([("start", start), ("end", end)])
    }

    #[test]
    fn ranges_in_an_archive_are_judged_and_aligned() {
        let read =
            |start, end| RangeInArchive::read(&range(Json::Number(start), Json::Number(end)), &Json::Number(7 * MIB));
        assert!(read(4 * MIB, 7 * MIB).unwrap().is_tree_hash_aligned());
        assert!(!read(MIB, 3 * MIB).unwrap().is_tree_hash_aligned());
        assert_eq!(read(MIB + 5, 2 * MIB + 1).unwrap().align_tree_hash(), ByteRange::new(0, 4 * MIB).unwrap());
        assert_eq!(read(5 * MIB, 7 * MIB).unwrap().align_tree_hash(), ByteRange::new(4 * MIB, 7 * MIB).unwrap());
    }

    #[test]
    fn what_is_no_range_in_the_archive_is_refused() {
        let number = Json::Number;
        for (range, size, message) in [
            (Json::Null, number(9), "range must be an object"),
            (range(Json::Null, number(5)), number(9), "range.start and range.end must be whole numbers of bytes"),
            (
                range(number(0), Json::Text("5".into())),
                number(9),
                "range.start and range.end must be whole numbers of bytes",
            ),
            (
                Json::object([("start", number(0))]),
                number(9),
                "range.start and range.end must be whole numbers of bytes",
            ),
            (Json::object([("begin", number(0))]), number(9), "there is no option \"range.begin\""),
            (range(number(5), number(5)), number(9), "there is no byte from 5 up to 5"),
            (range(number(6), number(5)), number(9), "there is no byte from 6 up to 5"),
            (range(number(0), number(10)), number(9), "the range ends at 10 and the archive at 9"),
            (range(number(0), number(1)), number(0), "the range ends at 1 and the archive at 0"),
            (range(number(0), number(1)), Json::Null, "the size must be a whole number of bytes"),
        ] {
            let error = RangeInArchive::read(&range, &size).unwrap_err();
            assert_eq!((error.code, error.message.as_str()), (ErrorCode::InvalidRange, message));
        }
    }
}
