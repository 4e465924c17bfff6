//! Cutting a file into parts.

use std::fmt;

use crate::glacier::{MAX_ARCHIVE_LEN, MAX_PARTS};
use crate::part::{MIB, PartSize};
use crate::range::ByteRange;
use crate::s3;

/// The part size aimed at where the caller has no wish. Reading a file in 1 MiB pieces is bound by the browser's
/// per-read cost (292 MB/s measured, 1,150 in 8 MiB pieces, four in flight), and more than 8 MiB buys little while it
/// costs memory and work lost with a broken connection.
pub const PREFERRED_PART_SIZE: u64 = 8 * MIB;

/// How a file of a known size is cut: equal parts of one [`PartSize`], the last one shorter. Immutable for the life
/// of an upload, because the store fixes the part size when the upload is initiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartPlan {
    // Invariant: 1 <= size, and size.div_ceil(part_size) <= MAX_PARTS.
    size: u64,
    part_size: PartSize,
}

impl PartPlan {
    /// Parts of the smallest legal size, at or above `preferred`, that needs at most 10,000 of them.
    ///
    /// # Errors
    /// [`PlanError::Empty`], [`PlanError::TooLarge`].
    pub fn auto(size: u64, preferred: PartSize) -> Result<Self, PlanError> {
        check_archive_size(size)?;
        PartSize::all()
            .filter(|part_size| *part_size >= preferred)
            .find_map(|part_size| Self::exact(size, part_size).ok())
            .ok_or(PlanError::TooLarge { size })
    }

    /// Parts of exactly `part_size`, which is never overridden.
    ///
    /// # Errors
    /// [`PlanError::Empty`], [`PlanError::TooLarge`], and [`PlanError::TooManyParts`] where more than 10,000 parts of
    /// this size would be needed; it names the smallest size that fits.
    pub fn exact(size: u64, part_size: PartSize) -> Result<Self, PlanError> {
        check_archive_size(size)?;
        let parts = size.div_ceil(part_size.bytes());
        if parts > u64::from(MAX_PARTS) {
            let smallest = PartSize::all().find(|fits| size.div_ceil(fits.bytes()) <= u64::from(MAX_PARTS));
            return Err(PlanError::TooManyParts {
                size,
                part_size,
                parts,
                smallest: smallest.unwrap_or(PartSize::MAX),
            });
        }
        Ok(Self { size, part_size })
    }

    /// Parts of exactly `part_size` of an object of S3, which takes no part below [`s3::MIN_PART_LEN`] but the last. A file of
    /// one part has no other.
    ///
    /// # Errors
    /// As [`exact`](Self::exact), and [`PlanError::PartTooSmall`].
    pub fn of_object(size: u64, part_size: PartSize) -> Result<Self, PlanError> {
        if part_size.bytes() < s3::MIN_PART_LEN {
            return Err(PlanError::PartTooSmall { part_size });
        }
        Self::exact(size, part_size)
    }

    /// Bytes in the whole file, at least 1.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The size of every part but the last.
    pub const fn part_size(&self) -> PartSize {
        self.part_size
    }

    /// Number of parts, 1..=10,000.
    #[expect(clippy::cast_possible_truncation, reason = "at most MAX_PARTS by the invariant")]
    pub const fn n_parts(&self) -> u32 {
        self.size.div_ceil(self.part_size.bytes()) as u32
    }

    /// The bytes of part `index`, counted from 0, or `None` past the last part.
    pub fn range(&self, index: u32) -> Option<ByteRange> {
        let start = u64::from(index) * self.part_size.bytes();
        ByteRange::new(start, self.size.min(start + self.part_size.bytes()))
    }

    /// Which part `range` is. A listed range that ends one byte too far is accepted, because the real service has
    /// been seen to list so.
    pub(crate) fn index_of(&self, range: ByteRange) -> Option<u32> {
        let index = u32::try_from(range.start() / self.part_size.bytes()).ok()?;
        let planned = self.range(index)?;
        let fits =
            planned.start() == range.start() && (planned.end() == range.end() || planned.end() + 1 == range.end());
        fits.then_some(index)
    }

    /// All parts in order of offset.
    pub fn ranges(&self) -> impl Iterator<Item = ByteRange> + '_ {
        (0..self.n_parts()).filter_map(|index| self.range(index))
    }
}

fn check_archive_size(size: u64) -> Result<(), PlanError> {
    match size {
        0 => Err(PlanError::Empty),
        1..=MAX_ARCHIVE_LEN => Ok(()),
        _ => Err(PlanError::TooLarge { size }),
    }
}

/// Why a file cannot be cut as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// The store holds no archive of zero bytes.
    Empty,
    /// More bytes than 10,000 parts of 4 GiB.
    TooLarge {
        /// Bytes in the file.
        size: u64,
    },
    /// S3 takes no parts of that size.
    PartTooSmall {
        /// What was asked for.
        part_size: PartSize,
    },
    /// The part size asked for needs more than 10,000 parts.
    TooManyParts {
        /// Bytes in the file.
        size: u64,
        /// What was asked for.
        part_size: PartSize,
        /// How many parts that would be.
        parts: u64,
        /// The smallest part size that fits.
        smallest: PartSize,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an archive holds at least 1 byte and this file has none"),
            Self::TooLarge { size } => {
                write!(f, "{size} bytes are more than the {MAX_ARCHIVE_LEN} bytes an archive may hold")
            }
            Self::PartTooSmall { part_size } => write!(
                f,
                "S3 takes parts of 5 MiB and more, of which {} MiB is the smallest power of two, and {} MiB is less",
                s3::MIN_PART_LEN / MIB,
                part_size.bytes() / MIB
            ),
            Self::TooManyParts { size, part_size, parts, smallest } => write!(
                f,
                "{size} bytes in parts of {} MiB make {parts} parts and at most {MAX_PARTS} are allowed; \
                 the smallest part size that fits is {} MiB",
                part_size.bytes() / MIB,
                smallest.bytes() / MIB
            ),
        }
    }
}

impl std::error::Error for PlanError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(size: u64, preferred_mib: u64) -> Result<u64, PlanError> {
        let preferred = PartSize::from_bytes(preferred_mib * MIB).unwrap();
        PartPlan::auto(size, preferred).map(|plan| plan.part_size().bytes() / MIB)
    }

    #[test]
    fn part_size_grows_only_when_ten_thousand_parts_are_not_enough() {
        // The table of the Glacier protocol: (largest archive, part size in MiB).
        for exponent in 0..=12 {
            let mib = 1 << exponent;
            let largest = 10_000 * mib * MIB;
            assert_eq!(auto(largest, 1), Ok(mib));
            let above = if mib == 4096 { Err(PlanError::TooLarge { size: largest + 1 }) } else { Ok(mib * 2) };
            assert_eq!(auto(largest + 1, 1), above);
        }
        // Where boto's minimum_part_size went wrong: 8 MiB for 15,000 MiB, and 10,001 parts for one byte more.
        assert_eq!(auto(15_000 * MIB, 1), Ok(2));
        assert_eq!(auto(83_886_080_001, 4), Ok(16));
    }

    #[test]
    fn a_preferred_size_is_a_floor() {
        assert_eq!(auto(1, 8), Ok(8));
        assert_eq!(auto(41_943_040_000, 4), Ok(4));
        assert_eq!(auto(41_943_040_001, 4), Ok(8));
        assert_eq!(auto(0, 8), Err(PlanError::Empty));
        assert_eq!(auto(u64::MAX, 8), Err(PlanError::TooLarge { size: u64::MAX }));
    }

    #[test]
    fn an_explicit_size_is_kept_or_refused_with_the_one_that_fits() {
        assert_eq!(PartPlan::exact(10_000 * MIB, PartSize::MIN).unwrap().n_parts(), 10_000);
        let refused = PartPlan::exact(10_000 * MIB + 1, PartSize::MIN).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "10485760001 bytes in parts of 1 MiB make 10001 parts and at most 10000 are allowed; \
             the smallest part size that fits is 2 MiB"
        );
    }

    #[test]
    fn every_explicit_size_is_kept_for_files_of_any_length() {
        for part_size in PartSize::all() {
            for size in [1, MIB, 3 * MIB, 100 * MIB + 1, 10_000 * part_size.bytes()] {
                assert_eq!(PartPlan::exact(size, part_size).unwrap().part_size(), part_size);
            }
        }
    }

    #[test]
    fn one_byte_over_ten_thousand_parts_makes_no_part_too_many() {
        let eight = PartSize::from_bytes(8 * MIB).unwrap();
        let auto = |size| PartPlan::auto(size, eight).unwrap();
        assert_eq!((auto(83_886_080_000).part_size(), auto(83_886_080_000).n_parts()), (eight, 10_000));
        assert_eq!((auto(83_886_080_001).part_size().bytes(), auto(83_886_080_001).n_parts()), (16 * MIB, 5_001));
        assert!(matches!(
            PartPlan::exact(83_886_080_001, eight),
            Err(PlanError::TooManyParts { parts: 10_001, smallest, .. }) if smallest.bytes() == 16 * MIB
        ));
    }

    #[test]
    fn refusals_say_the_numbers() {
        for (size, message) in [
            (0, "an archive holds at least 1 byte and this file has none"),
            (42_949_672_960_001, "42949672960001 bytes are more than the 42949672960000 bytes an archive may hold"),
        ] {
            assert_eq!(PartPlan::auto(size, PartSize::MIN).unwrap_err().to_string(), message);
            assert_eq!(PartPlan::exact(size, PartSize::MAX).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn parts_of_objects_are_of_eight_mib_and_more() {
        for part_size in PartSize::all() {
            let plan = PartPlan::of_object(1, part_size);
            if part_size.bytes() < 5 * MIB {
                let words = plan.unwrap_err().to_string();
                assert!(words.starts_with("S3 takes parts of 5 MiB and more, of which 8 MiB"), "{words}");
            } else {
                assert_eq!(plan, PartPlan::exact(1, part_size));
            }
        }
    }

    #[test]
    fn parts_cover_the_file_without_gap_or_overlap() {
        for (size, mib) in [(1, 1), (MIB - 1, 1), (MIB, 1), (MIB + 1, 1), (16_986_931, 4), (100 * MIB + 1, 8)] {
            let plan = PartPlan::exact(size, PartSize::from_bytes(mib * MIB).unwrap()).unwrap();
            let mut at = 0;
            for range in plan.ranges() {
                assert_eq!(range.start(), at);
                at = range.end();
            }
            assert_eq!(at, size);
            assert_eq!(plan.range(plan.n_parts()), None);
        }
    }

    #[test]
    fn the_largest_archive_is_planned_in_four_gib_parts() {
        let plan = PartPlan::auto(40_000 * 1024 * MIB, PartSize::MIN).unwrap();
        assert_eq!((plan.part_size(), plan.n_parts()), (PartSize::MAX, 10_000));
        assert_eq!(plan.range(9_999).unwrap().end(), 42_949_672_960_000);
    }
}
