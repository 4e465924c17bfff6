//! What the machine asks of its driver, and what the driver reports back.

use super::Journal;
use crate::glacier::Response;
use crate::intent::{Intent, SignedRequest};
use crate::range::ByteRange;
use crate::tree_hash::PartDigest;

/// Names one thing the driver was asked to do, so that its end can be told from the end of an earlier try. Never used
/// twice by one upload. Reports with the ticket of something cancelled or already over are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What the driver is to do. The driver decides nothing: it starts what it is told and reports how it ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Read these bytes of the file or stream, hash them, keep them (or be able to read the very same again) until
    /// [`ReleasePart`](Self::ReleasePart). Ends in [`Event::Hashed`] or [`Event::HashFailed`].
    HashPart {
        /// For the report.
        ticket: Ticket,
        /// Counted from 0.
        part: u32,
        /// Which bytes of the file.
        range: ByteRange,
    },
    /// Have these intents signed, in this order, by the gateway or the page's own function. Headers such as a bearer
    /// token are asked for afresh each time. Ends in [`Event::Signed`], [`Event::SignRefused`] or
    /// [`Event::SignFailed`].
    Sign {
        /// For the report.
        ticket: Ticket,
        /// 1 to [`MAX_INTENTS`](crate::intent::MAX_INTENTS).
        intents: Vec<Intent>,
    },
    /// Send a request without a body. Ends in [`Event::Answered`] or [`Event::SendFailed`].
    Send {
        /// For the report.
        ticket: Ticket,
        /// As it is, once.
        request: SignedRequest,
    },
    /// Send a part: the body is the very bytes that were hashed. Report [`Event::Sent`] as bytes leave, at least
    /// every few seconds. Ends in [`Event::Answered`] or [`Event::SendFailed`].
    SendPart {
        /// For the report.
        ticket: Ticket,
        /// Counted from 0.
        part: u32,
        /// Which bytes of the file.
        range: ByteRange,
        /// As it is, once.
        request: SignedRequest,
    },
    /// Stop that Sign, Send or SendPart now. No report is wanted.
    Cancel {
        /// Of what is to stop.
        ticket: Ticket,
    },
    /// The part's bytes are no longer needed; if it is still being hashed, stop. No report is wanted. Follows every
    /// `HashPart` exactly once.
    ReleasePart {
        /// Counted from 0.
        part: u32,
    },
    /// The store has acknowledged that part of a stream: its bytes are never asked for again. No report is wanted.
    DropPart {
        /// Counted from 0.
        part: u32,
    },
    /// Store this record durably in place of the one before. Answer with [`Event::JournalSaved`] or
    /// [`Event::JournalFailed`]; a driver without a place to keep it answers `JournalFailed` at once.
    SaveJournal {
        /// For the report.
        ticket: Ticket,
        /// All that a later visit needs.
        journal: Journal,
    },
    /// The upload is over: forget the record. No report is wanted. May come twice.
    DropJournal,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Begin. Until then nothing is asked of the driver.
    Start,

    /// A stream's driver has so many bytes by now, counted from the first. Every part of them that is full can be
    /// hashed from here on. See [`Upload::intake`](super::Upload::intake).
    Written {
        /// Of the stream so far.
        bytes: u64,
    },
    /// A stream has no more bytes than it was said to have: what is left is its last part.
    Ended,
    /// A stream was given what it cannot take. It ends, and what was stored is removed.
    NotData(NotData),

    /// Some of a part was hashed.
    HashProgress {
        /// Of the HashPart.
        ticket: Ticket,
        /// Of the part so far.
        bytes: u64,
    },
    /// A part was hashed.
    Hashed {
        /// Of the HashPart.
        ticket: Ticket,
        /// Both hashes of its bytes.
        digest: PartDigest,
    },
    /// A part could not be hashed.
    HashFailed {
        /// Of the HashPart.
        ticket: Ticket,
        /// Why.
        failure: HashFailure,
    },

    /// The intents were signed.
    Signed {
        /// Of the Sign.
        ticket: Ticket,
        /// One an intent, in the same order.
        requests: Vec<SignedRequest>,
    },
    /// The gateway answered, but not with signed requests: a refusal, another status, or a body that is not the
    /// contract's JSON (then without a body, whatever its status).
    SignRefused {
        /// Of the Sign.
        ticket: Ticket,
        /// The answer.
        response: Response,
    },
    /// No answer of the gateway, or the page's own function failed.
    SignFailed {
        /// Of the Sign.
        ticket: Ticket,
        /// Why.
        failure: SignFailure,
    },

    /// So many bytes of a part have left.
    Sent {
        /// Of the SendPart.
        ticket: Ticket,
        /// Of this request so far.
        bytes: u64,
    },
    /// An answer came, of whatever status.
    Answered {
        /// Of the Send or SendPart.
        ticket: Ticket,
        /// The answer.
        response: Response,
    },
    /// No answer came.
    SendFailed {
        /// Of the Send or SendPart.
        ticket: Ticket,
        /// Why.
        failure: SendFailure,
    },

    /// The record is stored.
    JournalSaved {
        /// Of the SaveJournal.
        ticket: Ticket,
    },
    /// The record is not stored. The upload goes on without.
    JournalFailed {
        /// Of the SaveJournal.
        ticket: Ticket,
    },

    /// The user: stop sending, keep what is acknowledged.
    Pause,
    /// The user: go on, after a pause or a retryable failure.
    Resume,
    /// The user: give up and remove the upload at the store. Also after a failure. Where CompleteMultipartUpload has
    /// already been sent it may be too late; the end is then `Done` all the same, because the archive exists.
    Abort,
    /// The browser says it has no network.
    Offline,
    /// The browser says it has network again.
    Online,
}

/// Why a stream could not take what it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotData {
    /// Something that is no bytes.
    Kind,
    /// A buffer that was handed to somebody else.
    Detached,
}

/// Why a part could not be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashFailure {
    /// The browser noticed that the file was modified since it was chosen.
    Changed,
    /// The file cannot be read: removed, permission lost, disk error.
    Unreadable,
    /// Fewer bytes than the range has: the file was cut, and some browsers say nothing.
    ShortRead,
    /// The worker stopped. The driver has started another.
    WorkerDied,
}

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignFailure {
    /// The gateway could not be reached.
    Network,
    /// The page's own function threw an error or returned something that is not signed requests.
    Callback,
    /// The page's function that gives headers threw an error.
    Headers,
}

/// Why no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendFailure {
    /// No connection, a lost one, or an answer the browser does not let a page see (CORS): it does not say which.
    Network,
    /// The bytes to send could not be read.
    Unreadable,
}
