//! The output of one job, or an object, to one sink: the state machine.
//!
//! Built as [`Upload`](crate::Upload) is: [`poll_command`](Download::poll_command) says what is to be done,
//! [`handle_event`](Download::handle_event) takes what came of it, [`poll_timeout`](Download::poll_timeout) says when
//! to call [`handle_timeout`](Download::handle_timeout) if nothing comes. After every event and every timeout the
//! driver takes all commands there are.
//!
//! ```text
//! Planned -> Fetching -> Closing -> Done
//!             |  ^  any of them --Abort--> Aborted
//!             v  |
//!           Paused, or Failed with a retryable error; JOB_EXPIRED --continue_with(new job)--> Paused
//! ```
//!
//! **In pieces** of a power of two MiB, counted from the output's first byte, so that each is a node of the tree over
//! the output. Where the store vouches for the piece, the hash of what arrived must be the store's before the sink
//! sees a byte of it; a piece that is not is fetched again. An answer with other bytes than were asked for (a cache
//! that ignores ranges, say) is never taken for the piece.
//!
//! **The whole** is put together from the hashes of what the sink has taken, and compared with the tree hash in the
//! job's description, or among what is kept with the object, before success is reported. For an object without one the
//! store's SHA-256 does, where it is over parts that the pieces can be. Where the store vouches for nothing, [`Verified`]
//! says so and why.
//!
//! **One object.** Whatever takes its place meanwhile is not mixed with it: a version is asked for by its ID, and every
//! answer's ETag is compared with the one that was looked at.
//!
//! **Back-pressure.** A piece holds its place from the request until the sink has taken it, and there are
//! [`Limits::held`] places. A sink that stops stops the download.
//!
//! **Continuing.** [`Download::delivered`] is what the sink has, with hashes; [`Download::resume`] begins from there,
//! with the same job or with another of the same archive and range.

mod checkpoint;
mod config;
mod lifecycle;
mod message;
mod nodes;
mod object;
mod pieces;
mod progress;
mod report;
mod schedule;
mod source;
mod verified;

use std::collections::VecDeque;

use litemap::LiteMap;

pub use checkpoint::Checkpoint;
pub use config::{Deadlines, DownloadConfig, Limits, SinkOrder};
pub use message::{Command, Event};
pub use object::ObjectSource;
pub use progress::DownloadProgress;
pub use source::Source;
pub use verified::{Unverifiable, Verified};

use crate::clock::{Instant, Jitter};
use crate::error::{ErrorCode, UploadError};
use crate::glacier::describe_job::{Action, JobDescription};
use crate::part::PartSize;
use crate::progress::Speed;
use crate::range::ByteRange;
use crate::retry::fault::Tries;
use crate::retry::window::Window;
use crate::sha256::PayloadHash;
use crate::tree_hash::TreeHash;
use crate::upload::{PauseReason, Ticket};
use pieces::Pieces;

/// A download that is over and well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Bytes in the output. The sink has taken them all.
    pub len: u64,
    /// Over the output, computed here.
    pub tree_hash: TreeHash,
    /// What that was compared with.
    pub verified: Verified,
}

/// Where a download is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Before [`Event::Start`].
    Planned,
    /// Pieces are fetched and delivered.
    Fetching,
    /// Waiting for [`Event::Resume`] or [`Event::Online`]. Nothing is being fetched; what was being written may still
    /// be.
    Paused(PauseReason),
    /// The sink has taken everything, and it is verified as far as can be. The sink is being closed.
    Closing {
        /// Of the Close.
        ticket: Ticket,
        /// What came of it, if the sink closes.
        outcome: Outcome,
    },
    /// Over and well.
    Done(Outcome),
    /// Over, unless the error is retryable and [`Event::Resume`] comes, or the job has expired and
    /// [`Download::continue_with`] another. Delivered pieces are kept.
    Failed(UploadError),
    /// Given up.
    Aborted,
}

/// One download. See the [module](self).
#[derive(Debug)]
pub struct Download {
    config: DownloadConfig,
    /// Bytes in the output.
    len: u64,
    /// Bytes in all that the source has, of which the output may be a range.
    source_len: u64,
    /// Tree hash of the output, by the store or the caller.
    expected: Option<TreeHash>,
    state: State,
    pieces: Pieces,
    sign: SignLine,
    window: Window,
    /// Decided, not yet taken by the driver.
    outbox: VecDeque<Command>,
    /// Given out so far.
    tickets: u64,
    /// Highest count so far: what the user sees never goes down.
    received_mark: u64,
    speed: Speed,
    /// The browser says it has no network.
    offline: bool,
    /// A gateway has answered as one.
    met_gateway: bool,
    /// Bytes the sink has taken for which the store gave the same hash.
    vouched: u64,
    /// Of the pieces that this download delivered, by number, where they are wanted.
    payload_hashes: LiteMap<u64, PayloadHash>,
}

/// The way to the gateway: one batch at a time.
#[derive(Debug, Default)]
struct SignLine {
    open: Option<Signing>,
    not_before: Option<Instant>,
    tries: Tries,
}

#[derive(Debug)]
struct Signing {
    ticket: Ticket,
    due: Instant,
    pieces: Vec<u64>,
}

impl Download {
    /// A new download. Nothing happens before [`Event::Start`].
    ///
    /// # Errors
    /// [`ErrorCode::JobNotReady`] unless the job has succeeded and its description says how long the output is, or the
    /// object can be read;
    /// [`ErrorCode::ChecksumMismatchWhole`] where the caller expects another tree hash than the store.
    pub fn new(config: DownloadConfig) -> Result<Self, UploadError> {
        let source_len = config.source.len()?;
        let len = config.range().map_or(source_len, ByteRange::len);
        let by_store = config.tree_hash_by_store();
        if let (Some(by_store), Some(by_caller)) = (by_store, config.expected)
            && by_store != by_caller
        {
            let words = "The store has other bytes than were expected, by the tree hash that it has of them";
            return Err(UploadError::new(ErrorCode::ChecksumMismatchWhole, words)
                .hint("Check that the archive and range, or the object, are those that were meant."));
        }
        Ok(Self {
            len,
            source_len,
            expected: by_store.or(config.expected),
            state: State::Planned,
            pieces: Pieces::new(len, config.piece_size, config.order),
            sign: SignLine::default(),
            window: Window::new(config.limits.in_flight),
            outbox: VecDeque::new(),
            tickets: 0,
            received_mark: 0,
            speed: Speed::default(),
            offline: false,
            met_gateway: false,
            vouched: 0,
            payload_hashes: LiteMap::new(),
            config,
        })
    }

    /// A download that an earlier visit began: the sink has these ranges already, of these tree hashes, as
    /// [`delivered`](Self::delivered) gave them. Ranges that are not in whole pieces are fetched again; for a sink in
    /// order that is everything after [`position`](Self::position), where it is to be cut off before
    /// [`Event::Start`].
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`ErrorCode::InvalidOption`] where the ranges are not of this output.
    pub fn resume(config: DownloadConfig, delivered: &[(ByteRange, TreeHash)]) -> Result<Self, UploadError> {
        let mut download = Self::new(config)?;
        for (range, tree_hash) in delivered {
            if !download.pieces.delivered.insert(*range, *tree_hash) {
                let words = format!("The range {} is no tree-hash-aligned part of this output", range.inclusive());
                return Err(UploadError::new(ErrorCode::InvalidOption, words)
                    .hint("Give the ranges as the download reported them, each once, or start from the beginning."));
            }
        }
        download.pieces.keep_whole_pieces();
        download.received_mark = download.pieces.received();
        Ok(download)
    }

    /// As [`resume`](Self::resume), from what [`checkpoint`](Self::checkpoint) gave.
    ///
    /// # Errors
    /// As [`resume`](Self::resume), also where the checkpoint is of an output of another length;
    /// [`ErrorCode::ObjectChanged`] where it is of another object.
    pub fn resume_from(config: DownloadConfig, checkpoint: &Checkpoint) -> Result<Self, UploadError> {
        let download = Self::resume(config, &checkpoint.delivered)?;
        if checkpoint.len != download.len {
            let words = format!("from is of an output of {} bytes, and this one has {}", checkpoint.len, download.len);
            return Err(UploadError::new(ErrorCode::InvalidOption, words).hint(
                "Give the checkpoint of a download of the same archive and range, or start from the beginning.",
            ));
        }
        if let (Some(now), Some(then)) = (download.config.source.etag(), checkpoint.etag.as_deref())
            && now != then
        {
            let words = "The object is another one than the checkpoint is of";
            return Err(UploadError::new(ErrorCode::ObjectChanged, words));
        }
        if checkpoint.range != download.config.range() {
            let words = "from is of another range than is to be downloaded";
            return Err(UploadError::new(ErrorCode::InvalidOption, words)
                .hint("Give the range that the checkpoint is of, or leave from out to start from the beginning."));
        }
        Ok(download)
    }

    /// Goes on with another job of the same archive and range, or the same object restored again, after the first has
    /// expired. The download is then paused; [`Event::Resume`] starts it.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] where this download has not failed with [`ErrorCode::JobExpired`] or the job is
    /// another's, [`ErrorCode::JobNotReady`] where it has not succeeded. The download is then as it was.
    pub fn continue_with(&mut self, source: Source) -> Result<(), UploadError> {
        let is_expired = matches!(&self.state, State::Failed(error) if error.code == ErrorCode::JobExpired);
        if !is_expired {
            let words = "The download has not lost its job";
            return Err(UploadError::new(ErrorCode::InvalidOption, words).hint("Resume it with the job it has."));
        }
        let is_same = source.len()? == self.source_len
            && match (&source, &self.config.source) {
                (Source::Job { job, .. }, Source::Job { job: before, .. }) => is_same_output(job, before),
                (Source::Object(object), Source::Object(before)) => object.is_same(before),
                _ => false,
            }
            && (self.config.range().is_some()
                || source.tree_hash().is_none_or(|hash| self.expected.is_none_or(|expected| expected == hash)));
        if !is_same {
            let words = "The job is not of the same bytes of the same archive or object";
            return Err(UploadError::new(ErrorCode::InvalidOption, words)
                .hint("Start a retrieval of the same archive and range, or a download of its own for this job."));
        }
        self.config.source = source;
        self.expected = self.expected.or(self.config.tree_hash_by_store());
        self.state = State::Paused(PauseReason::User);
        Ok(())
    }

    /// What is downloaded.
    pub const fn source(&self) -> &Source {
        &self.config.source
    }

    /// Whether the store's checksum is over the pieces, and there is nothing better.
    fn wants_payload_hashes(&self) -> bool {
        match &self.config.source {
            Source::Object(object) if self.config.range().is_none() => {
                self.expected.is_none() && object.lines_up(self.config.piece_size)
            }
            _ => false,
        }
    }

    /// Bytes in every request but the last.
    pub const fn range_size(&self) -> PartSize {
        self.config.piece_size
    }

    /// Bytes in the output: at least 1 of a job's.
    #[expect(clippy::len_without_is_empty, reason = "it is how much there is to do, and nothing that is filled")]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// What the sink has taken, to be kept for another visit.
    pub fn checkpoint(&self) -> Checkpoint {
        let etag = self.config.source.etag().map(str::to_owned);
        Checkpoint { len: self.len, delivered: self.delivered(), etag, range: self.config.range() }
    }

    /// What the sink has taken, with tree hashes: all that [`resume`](Self::resume) needs. Few ranges however many
    /// pieces, because neighbours are put together.
    pub fn delivered(&self) -> Vec<(ByteRange, TreeHash)> {
        self.pieces.delivered.iter().collect()
    }

    /// For a sink in order: how many bytes it has taken. 0 for any other.
    pub fn position(&self) -> u64 {
        self.pieces.position()
    }

    /// Another share of what the driver has, from the next command on. What is under way is not stopped.
    pub fn set_limits(&mut self, limits: Limits) {
        self.config.limits = limits;
        self.window.set_most(limits.in_flight);
    }

    /// Where the download is.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// What came of it, once it is done.
    pub const fn outcome(&self) -> Option<&Outcome> {
        match &self.state {
            State::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// What went wrong, while it is failed.
    pub const fn error(&self) -> Option<&UploadError> {
        match &self.state {
            State::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// How far it is as of `now`.
    pub fn progress(&self, now: Instant) -> DownloadProgress {
        let is_done = matches!(self.state, State::Closing { .. } | State::Done(_));
        let left = self.len.saturating_sub(self.pieces.received());
        DownloadProgress {
            bytes_received: self.received_mark,
            bytes_delivered: self.pieces.delivered.known(),
            bytes_total: self.len,
            bytes_per_second: if is_done { 0 } else { self.speed.per_second(now) },
            eta_ms: if is_done { Some(0) } else { self.speed.eta_ms(left, now) },
            pieces_total: self.pieces.count(),
            pieces_in_flight: self.pieces.n_fetching(),
            pieces_held: u32::try_from(self.pieces.active.len()).unwrap_or(u32::MAX),
        }
    }

    /// Takes what happened. Events that come too late, twice or for nothing are ignored.
    pub fn handle_event(&mut self, event: Event, now: Instant, jitter: Jitter) {
        match event {
            Event::Start if self.state == State::Planned => self.go(),
            Event::Start => {}
            Event::Pause => self.pause(PauseReason::User),
            Event::Resume => match &self.state {
                State::Paused(PauseReason::User) => self.go(),
                State::Failed(error) if error.retryable => self.go(),
                _ => {}
            },
            Event::Abort => self.abort(),
            Event::Offline => {
                self.offline = true;
                if self.state == State::Fetching {
                    self.pause(PauseReason::Offline);
                }
            }
            Event::Online => {
                self.offline = false;
                if self.state == State::Paused(PauseReason::Offline) {
                    self.go();
                }
            }

            Event::Signed { ticket, requests } => self.signed(ticket, requests, now, jitter),
            Event::SignRefused { ticket, response } => self.sign_refused(ticket, &response, now, jitter),
            Event::SignFailed { ticket, failure } => self.sign_failed(ticket, failure, now, jitter),

            Event::Received { ticket, bytes } => self.received(ticket, bytes, now),
            Event::Fetched { ticket, response, len, tree_hash, payload_hash } => {
                self.fetched(ticket, &response, (len, tree_hash, payload_hash), now, jitter);
            }
            Event::Answered { ticket, response } => self.refused(ticket, &response, now, jitter),
            Event::FetchFailed { ticket } => self.fetch_failed(ticket, now, jitter),

            Event::Delivered { ticket } => self.taken(ticket),
            Event::DeliverFailed { ticket } => self.not_taken(ticket),
            Event::Closed { ticket } => self.closed(ticket),
            Event::CloseFailed { ticket } => self.not_closed(ticket),
            Event::SinkLost => self.sink_lost(),
        }
        self.advance();
        self.received_mark = self.received_mark.max(self.pieces.received());
    }
}

/// Whether the job retrieves the same bytes of the same archive as the one before, as far as descriptions say.
fn is_same_output(job: &JobDescription, before: &JobDescription) -> bool {
    job.action == Action::ArchiveRetrieval
        && (job.action, &job.archive_id) == (before.action, &before.archive_id)
        && job.range.map_or(0, ByteRange::start) == before.range.map_or(0, ByteRange::start)
}
