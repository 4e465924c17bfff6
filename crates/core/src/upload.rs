//! One file, or one stream, to one archive or object: the state machine.
//!
//! [`Upload`] is a value. It decides, and a driver does: [`poll_command`](Upload::poll_command) says what is to be
//! done, [`handle_event`](Upload::handle_event) takes what came of it, [`poll_timeout`](Upload::poll_timeout) says
//! when to call [`handle_timeout`](Upload::handle_timeout) if nothing comes. After every event and every timeout the
//! driver takes all commands there are. The machine reads no clock, draws no random number and does no I/O, so that
//! whole uploads with every fault one can think of run in a test, and the same seed gives the same upload.
//!
//! ```text
//! Planned -> Initiating -> Transferring -> Completing -> Done
//!               |  ^          |  ^            |   |
//!               v  |          v  |            v   +--> (store disagrees: ask which parts it holds, send what differs)
//!             Paused, or Failed with a retryable error     any of them --Abort--> Aborting -> Aborted (or Done)
//! ```
//!
//! **Always in parts.** A file that would fit one request is sent as one part all the same. UploadArchive, the single
//! request, stores another archive each time it is repeated, so that an answer lost on the way would either lose the
//! archive ID or store the archive twice. Every request of a multipart upload may be repeated: a part replaces
//! itself, and CompleteMultipartUpload returns the archive it made before.
//!
//! **Objects** of S3 go the same way, in S3's words: the gateway opens, lists and completes, and parts go straight to the
//! bucket. An object of one part goes in one request after all, because S3 refuses to store a second one over it. Where the
//! page may not see what the bucket acknowledges, the gateway is asked for it when all else is done.
//!
//! **Exactly once.** From the moment CompleteMultipartUpload is sent until it is answered, the archive may exist. The
//! intent is stored before ([`Journal::completing`]), the request is repeated until the store answers, and "no such
//! upload" is then not taken as a reason to send the file again.
//!
//! **Every attempt is signed anew**, just before it is sent, in batches of what is ready. A signature that has used
//! up 80 % of its life is not sent.
//!
//! **The same bytes.** A part's hash, once known, is known for good: bytes that hash to anything else are another
//! file's, and the upload ends with [`FileChanged`](crate::ErrorCode::FileChanged). A part is acknowledged only by
//! the store's own tree hash being equal, and so is the whole.

mod config;
mod data;
mod fault;
mod journal;
mod lifecycle;
mod message;
mod parts;
mod put;
mod record;
mod removal;
mod report;
mod schedule;
mod stage;
mod target;

use std::collections::VecDeque;

pub use config::{Deadlines, Limits, UploadConfig};
pub use data::Intake;
pub use journal::Journal;
pub use message::{Command, Event, HashFailure, NotData, SendFailure, SignFailure, Ticket};
pub use record::{FileIdentity, Record, Unreadable, is_outdated};
pub use target::{ObjectTarget, StoreUpload, Stored, StoredObject, Target};

use crate::clock::{Instant, Jitter};
use crate::error::UploadError;
use crate::glacier::AnswerError;
use crate::plan::PartPlan;
use crate::progress::{PartCounts, Progress, Speed};
use crate::retry::Operation;
use crate::retry::fault::{Fault, Tries};
use crate::retry::window::Window;
use crate::tree_hash::TreeHash;
use parts::Parts;
use stage::{Call, Listing, Opened, Phase, Put, Stage};

/// A stored archive or object. The store's tree hash, or S3's checksum, is equal to the one computed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What names it from now on.
    pub stored: Stored,
    /// Of the whole, computed here.
    pub tree_hash: TreeHash,
    /// Bytes in it.
    pub size: u64,
}

/// Why an upload waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseReason {
    /// [`Event::Pause`].
    User,
    /// [`Event::Offline`].
    Offline,
}

/// Where an upload is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Before [`Event::Start`].
    Planned,
    /// Opening the upload, or asking which parts the store holds; the first parts are being hashed.
    Initiating,
    /// The store has the upload; parts are hashed, signed and sent.
    Transferring,
    /// Waiting for [`Event::Resume`] or [`Event::Online`]. Nothing is in flight.
    Paused(PauseReason),
    /// All parts are acknowledged; the store checks the whole.
    Completing,
    /// Removing the upload at the store.
    Aborting,
    /// The archive exists and is ours.
    Done(Outcome),
    /// Over, unless the error is retryable and [`Event::Resume`] comes. Acknowledged parts are kept.
    Failed(UploadError),
    /// Given up.
    Aborted,
}

/// One upload. See the [module](self).
#[derive(Debug)]
pub struct Upload {
    config: UploadConfig,
    phase: Phase,
    parts: Parts,
    sign: SignLine,
    window: Window,
    /// Decided, not yet taken by the driver.
    outbox: VecDeque<Command>,
    /// Given out so far.
    tickets: u64,
    /// Highest counts so far: what the user sees never goes down.
    marks: Marks,
    speed: Speed,
    /// The browser says it has no network.
    offline: bool,
    journal_dirty: bool,
    journal_saved: Instant,
    /// When hashing is taken for dead. Any byte hashed puts it off, because parts wait for workers in turn.
    hash_due: Instant,
    /// In a row.
    worker_failures: u32,
    /// All parts were confirmed once and are read a second time.
    rereading: bool,
    /// The upload expired once and was begun anew.
    reinitiated: bool,
    /// That the file is the one of the record is a guess: other bytes are sent in place of those that the store has.
    guessed: bool,
    repairs: u32,
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
    purposes: Vec<Purpose>,
}

/// Whose request an intent is.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    Call,
    Part(u32),
}

#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    hashed: u64,
    sent: u64,
    confirmed: u64,
}

impl Upload {
    /// A new upload. Nothing happens before [`Event::Start`].
    pub fn new(config: UploadConfig) -> Self {
        let stage = Self::first_stage(&config);
        Self::at(config, stage)
    }

    /// An object of one part is sent at once, unless all of it is to be read a second time before it is made.
    fn first_stage(config: &UploadConfig) -> Stage {
        if config.target.is_put(&config.plan) && !config.reread {
            Stage::Put(Put::default())
        } else {
            Stage::Initiate { call: Call::default() }
        }
    }

    /// An upload that an earlier visit began, of the same file, as its owner says. Asks the store which parts it holds;
    /// each is skipped only after the local bytes were hashed to the same. Where the record says that
    /// CompleteMultipartUpload may have been sent, the file is read and that is repeated instead.
    ///
    /// Bytes that hash to something else than the record says end it with
    /// [`FileChanged`](crate::ErrorCode::FileChanged), and the record stays as it is.
    ///
    /// # Errors
    /// [`FileChanged`](crate::ErrorCode::FileChanged) where the file has another size,
    /// [`InvalidOption`](crate::ErrorCode::InvalidOption) where the record
    /// belongs to another upload.
    pub fn resume(config: UploadConfig, journal: Journal) -> Result<Self, UploadError> {
        Self::go_on(config, journal, false)
    }

    /// As [`resume`](Self::resume), of a file that looks like the one of the record. Where it turns out to be another,
    /// its parts take the place of those that the store has, so that a wrong guess costs time and nothing else.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    pub fn resume_guessed(config: UploadConfig, journal: Journal) -> Result<Self, UploadError> {
        Self::go_on(config, journal, true)
    }

    fn go_on(config: UploadConfig, journal: Journal, guessed: bool) -> Result<Self, UploadError> {
        journal.check(&config)?;
        let Journal { upload, mut acknowledged, completing, .. } = journal;
        let stage = match (upload, completing) {
            (None, completing) => {
                // Of one part, the tree hash of the whole is that of the part.
                acknowledged.extend(completing.map(|tree_hash| (0, tree_hash)));
                match Self::first_stage(&config) {
                    Stage::Put(put) => Stage::Put(Put { doubt: completing.is_some(), ..put }),
                    other => other,
                }
            }
            (Some(id), None) => Stage::List(Listing::new(Opened { id, maybe_complete: None }, false)),
            (Some(id), Some(tree_hash)) => {
                Stage::Recheck { opened: Opened { id, maybe_complete: Some(tree_hash) }, tree_hash }
            }
        };
        let mut upload = Self { guessed, ..Self::at(config, stage) };
        for (part, tree_hash) in acknowledged {
            if let Some(record) = upload.parts.record(part) {
                record.remembered = Some(tree_hash);
            }
        }
        Ok(upload)
    }

    fn at(config: UploadConfig, stage: Stage) -> Self {
        Self {
            phase: Phase::Planned(stage),
            parts: Parts::new(config.plan),
            sign: SignLine::default(),
            window: Window::new(config.limits.in_flight),
            outbox: VecDeque::new(),
            tickets: 0,
            marks: Marks::default(),
            speed: Speed::default(),
            offline: false,
            journal_dirty: false,
            journal_saved: Instant::default(),
            hash_due: Instant::default(),
            worker_failures: 0,
            rereading: false,
            reinitiated: false,
            guessed: false,
            repairs: 0,
            config,
        }
    }

    /// How the file is cut. Of a stream that is still open: as long as it may become at the most.
    pub const fn plan(&self) -> &PartPlan {
        self.parts.plan()
    }

    /// Another share of what the driver has, from the next command on. What is under way is not stopped.
    pub fn set_limits(&mut self, limits: Limits) {
        self.config.limits = limits;
        self.window.set_most(limits.in_flight);
    }

    /// Where the upload is.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Planned(_) => State::Planned,
            Phase::Running(stage) => match stage {
                Stage::Initiate { .. } | Stage::Recheck { .. } => State::Initiating,
                Stage::List(listing) if !listing.repair => State::Initiating,
                Stage::List(_) | Stage::Transfer { .. } | Stage::Put(_) => State::Transferring,
                Stage::Complete(_) => State::Completing,
            },
            Phase::Paused(reason, _) => State::Paused(*reason),
            Phase::Aborting(_) => State::Aborting,
            Phase::Done(outcome) => State::Done(outcome.clone()),
            Phase::Failed(error, _) => State::Failed(error.clone()),
            Phase::Aborted => State::Aborted,
        }
    }

    /// The archive, once it exists.
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.phase {
            Phase::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// What went wrong, while the upload is failed.
    pub fn error(&self) -> Option<&UploadError> {
        match &self.phase {
            Phase::Failed(error, _) => Some(error),
            _ => None,
        }
    }

    /// How far the upload is as of `now`.
    pub fn progress(&self, now: Instant) -> Progress {
        let (total, n_parts) = (self.parts.len(), self.parts.n_begun());
        if self.outcome().is_some() {
            let parts = PartCounts { total: n_parts, hashed: n_parts, in_flight: 0, confirmed: n_parts };
            let (bytes_hashed, bytes_sent, bytes_confirmed) = (total, total, total);
            let eta_ms = Some(0);
            return Progress {
                bytes_hashed,
                bytes_sent,
                bytes_confirmed,
                bytes_total: total,
                bytes_per_second: 0,
                eta_ms,
                parts,
            };
        }
        Progress {
            bytes_hashed: self.marks.hashed,
            bytes_sent: self.marks.sent,
            bytes_confirmed: self.marks.confirmed,
            bytes_total: total,
            bytes_per_second: self.speed.per_second(now),
            eta_ms: if self.parts.is_open() {
                None
            } else {
                self.speed.eta_ms(total.saturating_sub(self.parts.bytes_sent()), now)
            },
            parts: PartCounts {
                total: n_parts,
                hashed: self.parts.n_hashed,
                in_flight: self.parts.n_sending(),
                confirmed: self.parts.n_confirmed,
            },
        }
    }

    /// Takes what happened. Events that come too late, twice or for nothing are ignored.
    pub fn handle_event(&mut self, event: Event, now: Instant, jitter: Jitter) {
        match event {
            Event::Start => self.start(),
            Event::Pause => self.pause(PauseReason::User, now),
            Event::Resume => self.resume_now(),
            Event::Abort => self.abort(now),
            Event::Offline => {
                self.offline = true;
                if matches!(self.phase, Phase::Running(_)) {
                    self.pause(PauseReason::Offline, now);
                }
            }
            Event::Online => self.online(),

            Event::Written { bytes } => self.written(bytes, now),
            Event::Ended => self.ended(now),
            Event::NotData(why) => self.not_data(why, now),

            Event::HashProgress { ticket, bytes } => self.hash_progress(ticket, bytes, now),
            Event::Hashed { ticket, digest } => self.hashed(ticket, &digest, now),
            Event::HashFailed { ticket, failure } => self.hash_failed(ticket, failure, now),

            Event::Signed { ticket, requests } => self.signed(ticket, requests, now, jitter),
            Event::SignRefused { ticket, response } => {
                if let Some(signing) = self.end_signing(ticket) {
                    let error = AnswerError::Refused(response.service_error());
                    self.sign_fault(signing, Fault::answer(Operation::Sign, error, &response), now, jitter);
                }
            }
            Event::SignFailed { ticket, failure } => {
                if let Some(signing) = self.end_signing(ticket) {
                    self.sign_fault(signing, Fault::not_signed(failure), now, jitter);
                }
            }

            Event::Sent { ticket, bytes } => self.sent(ticket, bytes, now),
            Event::Answered { ticket, response } => self.answered(ticket, &response, now, jitter),
            Event::SendFailed { ticket, failure } => self.send_failed(ticket, failure, now, jitter),

            Event::JournalSaved { ticket } | Event::JournalFailed { ticket } => self.journal_ended(ticket),
        }
        self.advance(now);
        self.raise_marks();
    }

    fn raise_marks(&mut self) {
        self.marks.hashed = self.marks.hashed.max(self.parts.bytes_hashed());
        self.marks.sent = self.marks.sent.max(self.parts.bytes_sent());
        self.marks.confirmed = self.marks.confirmed.max(self.parts.bytes_confirmed);
    }
}
