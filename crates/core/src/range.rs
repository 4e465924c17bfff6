//! Byte ranges, and which of them have a tree hash of their own.

use std::fmt;

use crate::part::MIB;

/// A non-empty half-open range of bytes, `start..end`.
///
/// The inclusive `a-b` of HTTP headers and Glacier's JSON is written by [`inclusive`](Self::inclusive) and read by
/// [`from_inclusive`](Self::from_inclusive), and nowhere else.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteRange {
    // Invariant: start < end.
    start: u64,
    end: u64,
}

impl ByteRange {
    /// The bytes from `start` up to but not including `end`, or `None` where that is no byte at all.
    pub const fn new(start: u64, end: u64) -> Option<Self> {
        if start < end { Some(Self { start, end }) } else { None }
    }

    /// The range that HTTP writes as `first-last`. `None` where it is reversed or reaches past `u64`.
    pub const fn from_inclusive(first: u64, last: u64) -> Option<Self> {
        match last.checked_add(1) {
            Some(end) => Self::new(first, end),
            None => None,
        }
    }

    /// Reads `a-b`, both decimal digits only (no sign, no space, no exponent).
    pub fn parse_inclusive(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        Self::from_inclusive(parse_decimal(first)?, parse_decimal(last)?)
    }

    /// Reads the request header `Content-Range: bytes a-b/*`. A decimal total after the slash is accepted and
    /// ignored, because clients in the wild send one.
    pub fn parse_content_range(text: &str) -> Option<Self> {
        let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
        if total != "*" {
            parse_decimal(total)?;
        }
        Self::parse_inclusive(range)
    }

    /// First byte.
    pub const fn start(self) -> u64 {
        self.start
    }

    /// One past the last byte.
    pub const fn end(self) -> u64 {
        self.end
    }

    /// Number of bytes, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a range is never empty")]
    pub const fn len(self) -> u64 {
        self.end - self.start
    }

    /// `a-b`, both ends included, as in `RangeInBytes`.
    pub fn inclusive(self) -> String {
        format!("{}-{}", self.start, self.end - 1)
    }

    /// `bytes a-b/*`, the `Content-Range` of UploadMultipartPart.
    pub fn content_range(self) -> String {
        format!("bytes {}-{}/*", self.start, self.end - 1)
    }

    /// Whether both ends fall on MiB borders of an archive of `archive_size` bytes; the end of the archive counts as
    /// one. What `RetrievalByteRange` must be.
    pub const fn is_mib_aligned(self, archive_size: u64) -> bool {
        self.end <= archive_size
            && self.start.is_multiple_of(MIB)
            && (self.end.is_multiple_of(MIB) || self.end == archive_size)
    }

    /// Whether the tree hash over these bytes is a node of the tree over the whole `archive_size` bytes, so that the
    /// store can vouch for it.
    ///
    /// With leaves p..q and L = q - p: a range that reaches the end must start on a multiple of the next power of two
    /// at or above L; any other must have L a power of two and start on a multiple of L. (The formula printed in AWS's
    /// guide is garbled; this one was compared with every node of every tree below 200 leaves.)
    pub const fn is_tree_hash_aligned(self, archive_size: u64) -> bool {
        if !self.is_mib_aligned(archive_size) {
            return false;
        }
        let first_leaf = self.start / MIB;
        let leaves = self.end.div_ceil(MIB) - first_leaf;
        if self.end == archive_size {
            first_leaf.is_multiple_of(leaves.next_power_of_two())
        } else {
            leaves.is_power_of_two() && first_leaf.is_multiple_of(leaves)
        }
    }

    /// The smallest MiB-aligned range of an archive of `archive_size` bytes that covers this one: what
    /// `RetrievalByteRange` has to be for these bytes to be retrieved. `None` where the archive has not that many.
    pub fn align_mib(self, archive_size: u64) -> Option<Self> {
        if self.end > archive_size {
            return None;
        }
        let end = self.end.checked_next_multiple_of(MIB).map_or(archive_size, |end| end.min(archive_size));
        Self::new(self.start - self.start % MIB, end)
    }

    /// The smallest tree-hash-aligned range of an archive of `archive_size` bytes that covers this one, so that the
    /// store vouches for what it gives. `None` where the archive has not that many bytes.
    ///
    /// Aligned ranges are the nodes of the tree, and of the nodes above both the first and the last leaf the lowest
    /// is in all the others.
    pub fn align_tree_hash(self, archive_size: u64) -> Option<Self> {
        if self.end > archive_size {
            return None;
        }
        let (first, last) = (self.start / MIB, (self.end - 1) / MIB);
        // Above the highest bit in which they differ, the two have the same ancestors. At most 44 bits: a u64 of bytes.
        let level = u64::BITS - (first ^ last).leading_zeros();
        let node = first >> level;
        let border = |node: u64| node.checked_shl(level).and_then(|leaf| leaf.checked_mul(MIB)).unwrap_or(u64::MAX);
        Self::new(border(node), border(node + 1).min(archive_size))
    }

    /// The bytes this range and `other` have in common.
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// Whether every byte of `other` is in this range.
    pub const fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

impl fmt::Debug for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// A decimal number of digits only. `u64::from_str` alone would let `+1` through.
pub fn parse_decimal(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_inclusive_and_the_range_is_not() {
        let range = ByteRange::new(0, MIB).unwrap();
        assert_eq!(range.content_range(), "bytes 0-1048575/*");
        assert_eq!(ByteRange::parse_content_range("bytes 0-1048575/*"), Some(range));
        assert_eq!(ByteRange::parse_content_range("bytes 0-8388607/110100813").unwrap().len(), 8 * MIB);
        assert_eq!(ByteRange::parse_inclusive(&range.inclusive()), Some(range));
    }

    #[test]
    fn lies_in_content_range_are_refused() {
        let too_big = format!("bytes 0-{}/*", u64::MAX);
        for bad in [
            "",
            "bytes",
            "bytes ",
            "bytes=0-1/*",
            "items 0-1/*",
            "bytes */*",
            "bytes 5-1/*",
            "bytes 0-1",
            "bytes -1-5/*",
            "bytes 0-+1/*",
            "bytes 0-1e6/*",
            "bytes 0x0-0x10/*",
            "bytes 0-\u{663}/*",
            "bytes 0-1/**",
            "bytes 0-1/-1",
            "bytes  0-1/*",
            "bytes 0 - 1/*",
            "bytes 0-99999999999999999999999999/*",
            "bytes 0-1/*\0",
            &too_big,
        ] {
            assert_eq!(ByteRange::parse_content_range(bad), None, "{bad:?}");
        }
    }

    /// Every node of the tree over `leaves` leaves as (first leaf, one past the last), built level by level as the
    /// definition says.
    fn nodes(leaves: u64) -> std::collections::HashSet<(u64, u64)> {
        let mut level: Vec<(u64, u64)> = (0..leaves).map(|leaf| (leaf, leaf + 1)).collect();
        let mut all: std::collections::HashSet<_> = level.iter().copied().collect();
        while level.len() > 1 {
            level = level.chunks(2).map(|pair| (pair[0].0, pair[pair.len() - 1].1)).collect();
            all.extend(level.iter().copied());
        }
        all
    }

    #[test]
    fn tree_hash_alignment_is_exactly_being_a_node() {
        for leaves in 1..200 {
            let size = leaves * MIB - 7;
            let nodes = nodes(leaves);
            for first in 0..leaves {
                for last in first + 1..=leaves {
                    let range = ByteRange::new(first * MIB, (last * MIB).min(size)).unwrap();
                    assert_eq!(
                        range.is_tree_hash_aligned(size),
                        nodes.contains(&(first, last)),
                        "{first}..{last} of {leaves}"
                    );
                }
            }
        }
    }

    /// Borders and what is next to them, of an archive of so many bytes.
    fn interesting(size: u64) -> Vec<u64> {
        (0..=size.div_ceil(MIB))
            .flat_map(|leaf| [(leaf * MIB).saturating_sub(1), leaf * MIB, leaf * MIB + 1, leaf * MIB + MIB / 2])
            .chain([size - 1, size])
            .filter(|at| *at <= size)
            .collect()
    }

    #[test]
    fn aligning_finds_the_smallest_of_all_covering_ranges() {
        for (leaves, short) in (1..=17).flat_map(|leaves| [(leaves, 0), (leaves, 7), (leaves, MIB - 1)]) {
            let size = leaves * MIB - short;
            let bytes = |(first, last): (u64, u64)| ByteRange::new(first * MIB, (last * MIB).min(size)).unwrap();
            let aligned: Vec<ByteRange> = nodes(leaves).into_iter().map(bytes).collect();
            let mib: Vec<ByteRange> =
                (0..leaves).flat_map(|first| (first + 1..=leaves).map(move |last| (first, last))).map(bytes).collect();
            let smallest = |all: &[ByteRange], wanted: ByteRange| {
                all.iter().copied().filter(|range| range.covers(wanted)).min_by_key(|range| range.len())
            };
            for start in interesting(size) {
                for end in interesting(size) {
                    let Some(wanted) = ByteRange::new(start, end) else { continue };
                    assert_eq!(wanted.align_tree_hash(size), smallest(&aligned, wanted), "{wanted:?} of {size}");
                    assert_eq!(wanted.align_mib(size), smallest(&mib, wanted), "{wanted:?} of {size}");
                }
            }
        }
    }

    #[test]
    fn aligning_knows_what_there_is_not_and_the_largest_numbers() {
        let range = |start, end| ByteRange::new(start, end).unwrap();
        assert_eq!(range(0, 11).align_tree_hash(10), None);
        assert_eq!(range(0, 11).align_mib(10), None);
        let most = u64::MAX;
        assert_eq!(range(5, most).align_mib(most), ByteRange::new(0, most));
        assert_eq!(range(5, most).align_tree_hash(most), ByteRange::new(0, most));
        assert_eq!(range(most - 1, most).align_mib(most).unwrap().end(), most);
        assert_eq!(range(most - 1, most).align_tree_hash(most).unwrap().len(), MIB - 1);
    }

    #[test]
    fn ranges_off_the_mib_borders_are_not_aligned() {
        let size = 6 * MIB + MIB / 2;
        for (start, end) in [(1, MIB), (0, MIB - 1), (0, size + 1), (MIB, size - 1)] {
            let range = ByteRange::new(start, end).unwrap();
            assert!(!range.is_mib_aligned(size) && !range.is_tree_hash_aligned(size), "{range:?}");
        }
    }
}
