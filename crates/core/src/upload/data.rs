//! Data that arrives while it is uploaded: a stream, of which nobody knows how long it becomes.
//!
//! Every part stands alone, and its number follows from where it begins. So nothing has to be known of what comes after
//! a full part to send it, and one that is exactly full when the data ends simply was the last. What has to wait is the
//! first request: an upload is opened when the first part is full or the data has ended, so that a stream that ends
//! without a byte was never heard of.

use super::stage::{Call, Phase, Stage};
use super::{Limits, NotData, Upload, UploadConfig};
use crate::clock::Instant;
use crate::error::{ErrorCode, UploadError};
use crate::part::MIB;
use crate::tree_hash::TreeHash;

/// What a stream's driver may take now, and where it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intake {
    /// The part that the next byte belongs to, counted from 0.
    pub part: u32,
    /// Bytes until that part is full, at least 1.
    pub missing: u64,
    /// Most bytes to take now, at most `missing`. At 0 the writer waits until the next event.
    pub room: u64,
}

impl Upload {
    /// A new upload of a stream. The plan is for the most that it may become; [`Event::Written`](super::Event::Written)
    /// and [`Event::Ended`](super::Event::Ended) say what it does become. Bytes that the store has acknowledged are
    /// given up, so a stream ends where a file would be read again, and no later visit can go on with one.
    pub fn stream(config: UploadConfig) -> Self {
        let parts = super::parts::Parts::open(config.plan);
        Self { parts, ..Self::at(config, Stage::Initiate { call: Call::default() }) }
    }

    /// Where the next bytes of a stream belong, and how many of them there is room for: no more than
    /// `in_flight + hash_ahead` parts are held at once, the one that is being filled included. `None` where nothing is
    /// taken: the stream has ended, or the upload is over.
    pub fn intake(&self) -> Option<Intake> {
        if !self.parts.is_open() || !self.takes_data() {
            return None;
        }
        let (len, part_len) = (self.parts.len(), self.parts.plan().part_size().bytes());
        let Limits { in_flight, hash_ahead } = self.config.limits;
        let most = part_len.saturating_mul(u64::from(in_flight.max(1)) + u64::from(hash_ahead.max(1)));
        let missing = part_len - len % part_len;
        let held = len - self.parts.bytes_confirmed;
        let part = u32::try_from(len / part_len).unwrap_or(u32::MAX);
        Some(Intake { part, missing, room: most.saturating_sub(held).min(missing) })
    }

    /// Bytes of the stream taken so far, or in the file.
    pub fn bytes_written(&self) -> u64 {
        self.parts.len()
    }

    /// Tree hash of the whole parts hashed so far without a gap, and of all bytes in the end. `None` before the first.
    pub fn current_tree_hash(&self) -> Option<TreeHash> {
        self.parts.tree_hash_so_far()
    }

    fn takes_data(&self) -> bool {
        match &self.phase {
            Phase::Planned(_) | Phase::Running(_) | Phase::Paused(..) => true,
            Phase::Failed(error, _) => error.retryable,
            Phase::Aborting(_) | Phase::Done(_) | Phase::Aborted => false,
        }
    }

    pub(super) fn written(&mut self, len: u64, now: Instant) {
        if !self.takes_data() || self.parts.grow(len) {
            return;
        }
        let plan = self.parts.plan();
        let words = format!(
            "more bytes were written than the {} that the stream was opened for, in parts of {} MiB",
            plan.size(),
            plan.part_size().bytes() / MIB
        );
        let hint =
            "Open it with a larger maxSize, or with a larger partSize: the store takes 10,000 parts and no more.";
        self.remove(Some(UploadError::new(ErrorCode::FileTooLarge, words).hint(hint)), now);
    }

    pub(super) fn ended(&mut self, now: Instant) {
        if !self.takes_data() {
            return;
        }
        if let Err(error) = self.parts.end() {
            let error = UploadError::from(error).hint("Write at least one byte before the stream is closed.");
            self.remove(Some(error), now);
        }
    }

    pub(super) fn not_data(&mut self, why: NotData, now: Instant) {
        if !self.parts.is_open() || !self.takes_data() {
            return;
        }
        let words = match why {
            NotData::Kind => "a chunk written to the stream is neither a Uint8Array nor an ArrayBuffer nor a Blob",
            NotData::Detached => "a chunk written to the stream is a buffer whose bytes were handed to somebody else",
        };
        self.remove(Some(UploadError::new(ErrorCode::InvalidOption, words)), now);
    }
}
