//! One file to one archive: the state machine.
//!
//! [`Upload`] is a value. It decides, and a driver does: [`poll_command`](Upload::poll_command) says what is to be
//! done, [`handle_event`](Upload::handle_event) takes what came of it, [`poll_timeout`](Upload::poll_timeout) says
//! when to call [`handle_timeout`](Upload::handle_timeout) if nothing comes.
mod config;
mod journal;
mod message;

pub use config::{Deadlines, Limits, UploadConfig};
pub use journal::Journal;
pub use message::{Command, Event, HashFailure, SendFailure, SignFailure, Ticket};

use crate::error::UploadError;
use crate::glacier::ArchiveId;
use crate::tree_hash::TreeHash;

/// A stored archive. The store's tree hash is equal to `tree_hash`, which was computed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What names the archive from now on.
    pub archive_id: ArchiveId,
    /// Of the whole archive.
    pub tree_hash: TreeHash,
    /// Bytes in the archive.
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
