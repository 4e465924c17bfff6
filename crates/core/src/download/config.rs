//! What a download is told when it is made.

use super::Source;
use crate::error::{ErrorCode, UploadError};
use crate::part::{MIB, PartSize};
use crate::range::ByteRange;
use crate::retry::RetryPolicy;
use crate::tree_hash::TreeHash;

/// One output or object to one sink.
#[derive(Clone, Debug)]
pub struct DownloadConfig {
    /// What is downloaded.
    pub source: Source,
    // Invariant: inside of the source, and less than all of it.
    range: Option<ByteRange>,
    /// Of the output, where the caller knows it from elsewhere: the tree that was computed at upload, say. The only
    /// way to verify an output that is not tree-hash-aligned, or an object that the store has no hash of.
    pub expected: Option<TreeHash>,
    /// How the sink takes bytes.
    pub order: SinkOrder,
    /// Bytes in every request but the last. A power of two MiB, because only then is a piece a node of the output's
    /// tree, for which the store has a hash.
    pub piece_size: PartSize,
    /// How much at once.
    pub limits: Limits,
    /// When a request is tried again.
    pub retry: RetryPolicy,
    /// When a request is taken for dead.
    pub deadlines: Deadlines,
}

/// Bytes in a piece where the caller has no wish: as many as an upload prefers in a part.
const PREFERRED_PIECE_SIZE: u64 = 8 * MIB;

impl DownloadConfig {
    /// With the defaults for everything else.
    pub fn new(source: Source, order: SinkOrder) -> Self {
        Self {
            source,
            range: None,
            expected: None,
            order,
            piece_size: PartSize::from_bytes(PREFERRED_PIECE_SIZE).unwrap_or(PartSize::MIN),
            limits: Limits::default(),
            retry: RetryPolicy::default(),
            deadlines: Deadlines::default(),
        }
    }

    /// Downloads these bytes of the source and no others. They then are the output: they are counted from the first of
    /// them on.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidRange`] where the source has not that many bytes, and [`ErrorCode::JobNotReady`] where nobody
    /// knows yet.
    pub fn only(&mut self, range: ByteRange) -> Result<(), UploadError> {
        let len = self.source.len()?;
        if range.end() > len {
            let words = format!("the range ends at {} and what is downloaded at {len}", range.end());
            return Err(UploadError::new(ErrorCode::InvalidRange, words));
        }
        self.range = Some(range).filter(|range| range.len() < len);
        Ok(())
    }

    /// Which bytes of the source, where not all of them.
    pub const fn range(&self) -> Option<ByteRange> {
        self.range
    }

    /// Tree hash of the output, by the store.
    pub(super) fn tree_hash_by_store(&self) -> Option<TreeHash> {
        if self.range.is_some() { None } else { self.source.tree_hash() }
    }

    /// Where these bytes of the output are in the source.
    pub(super) fn in_source(&self, range: ByteRange) -> ByteRange {
        let first = self.range.map_or(0, ByteRange::start);
        // Both are inside of the source, so that nothing is beyond u64.
        ByteRange::new(first + range.start(), first + range.end()).unwrap_or(range)
    }
}

/// How a sink takes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkOrder {
    /// One piece after the other from the first byte on, as a stream does.
    InOrder,
    /// At any offset, several at once, and again if need be, as a file does.
    Any,
}

/// How much at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pieces being fetched. At least 1; browsers open six connections to a host over HTTP/1.1.
    pub in_flight: u32,
    /// Pieces held: being fetched, waiting for their turn, or being written. At least 1. Times the size of a piece it
    /// bounds the memory, however slow the sink is.
    pub held: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { in_flight: 4, held: 8 }
    }
}

/// When a request is taken for dead, in milliseconds. Writing has no deadline: a sink may be as slow as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// From the request to the answer's first byte.
    pub answer_ms: u64,
    /// From one byte to the next, and from the last one to the report of its hash.
    pub stall_ms: u64,
    /// From a Sign to its answer.
    pub sign_ms: u64,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { answer_ms: 60_000, stall_ms: 30_000, sign_ms: 30_000 }
    }
}
