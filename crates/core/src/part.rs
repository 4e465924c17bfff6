//! Part sizes: the powers of two MiB that a multipart upload may use.

use std::fmt;

/// One mebibyte, 1,048,576 bytes: the size of a tree-hash leaf and the smallest part.
/// AWS's texts say "MB" and mean this.
pub const MIB: u64 = 1 << 20;

/// The size of every part of an upload but the last: 1 MiB x 2^n with n in 0..=12 (1 MiB to 4 GiB).
///
/// Stores the exponent, so a size that is not a power of two MiB cannot be written down. It has to be one because
/// only then is a part's tree hash a node of the archive's tree (see [`crate::tree_hash::combine`]).
///
/// **Source:** Glacier API reference, InitiateMultipartUpload, `x-amz-part-size`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartSize {
    /// Invariant: 0..=12.
    exponent: u8,
}

impl PartSize {
    /// 1 MiB.
    pub const MIN: Self = Self { exponent: 0 };
    /// 4 GiB, which does not fit the 32-bit `usize` of a browser.
    pub const MAX: Self = Self { exponent: 12 };

    /// The part size of exactly `bytes` bytes.
    ///
    /// # Errors
    /// [`InvalidPartSize`] unless `bytes` is a power of two from 1 MiB to 4 GiB.
    pub const fn from_bytes(bytes: u64) -> Result<Self, InvalidPartSize> {
        if !bytes.is_power_of_two() || bytes < MIB || bytes > 4096 * MIB {
            return Err(InvalidPartSize { bytes });
        }
        #[expect(clippy::cast_possible_truncation, reason = "ilog2 of a u64 is below 64")]
        Ok(Self { exponent: (bytes.ilog2() - MIB.ilog2()) as u8 })
    }

    /// All thirteen sizes, smallest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=Self::MAX.exponent).map(|exponent| Self { exponent })
    }

    /// The size in bytes.
    pub const fn bytes(self) -> u64 {
        MIB << self.exponent
    }
}

impl fmt::Debug for PartSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartSize({} MiB)", self.bytes() / MIB)
    }
}

/// A number of bytes that is no part size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidPartSize {
    /// What was asked for.
    pub bytes: u64,
}

impl fmt::Display for InvalidPartSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes is no part size: it must be a power of two from 1 MiB to 4 GiB", self.bytes)
    }
}

impl std::error::Error for InvalidPartSize {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_thirteen_powers_of_two_are_legal() {
        let sizes: Vec<u64> = PartSize::all().map(PartSize::bytes).collect();
        assert_eq!(sizes.len(), 13);
        assert_eq!((sizes[0], sizes[12]), (1_048_576, 4_294_967_296));
        for bytes in sizes {
            assert_eq!(PartSize::from_bytes(bytes).unwrap().bytes(), bytes);
        }
    }

    #[test]
    fn other_sizes_are_refused_by_value() {
        for bytes in [0, 1, MIB - 1, MIB + 1, 3 * MIB, MIB / 2, 8192 * MIB, u64::MAX, 1 << 63] {
            assert_eq!(PartSize::from_bytes(bytes), Err(InvalidPartSize { bytes }));
        }
    }
}
