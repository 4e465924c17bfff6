//! Where an upload is, inside: each state owns what it needs.

use super::parts::Held;
use super::{Outcome, PauseReason, StoreUpload, Ticket};
use crate::clock::Instant;
use crate::error::UploadError;
use crate::retry::Operation;
use crate::retry::fault::Tries;
use crate::tree_hash::TreeHash;

/// Whether the machine moves, and towards what.
#[derive(Debug)]
pub(super) enum Phase {
    Planned(Stage),
    Running(Stage),
    Paused(PauseReason, Stage),
    Aborting(Abort),
    Done(Outcome),
    /// The stage is where a retryable failure goes on from.
    Failed(UploadError, Stage),
    Aborted,
}

impl Phase {
    /// The request without a body that this phase is about, and what it asks.
    pub(super) fn call(&self) -> Option<(&Call, Operation)> {
        match self {
            Self::Running(stage) => stage.call(),
            Self::Aborting(abort) => Some((&abort.call, abort.operation())),
            _ => None,
        }
    }

    /// The upload at the store that this phase is about.
    pub(super) fn opened(&self) -> Option<&Opened> {
        match self {
            Self::Running(stage) => stage.opened(),
            Self::Aborting(abort) => abort.opened.as_ref(),
            _ => None,
        }
    }

    pub(super) fn call_mut(&mut self) -> Option<(&mut Call, Operation)> {
        match self {
            Self::Running(stage) => stage.call_mut(),
            Self::Aborting(abort) => {
                let operation = abort.operation();
                Some((&mut abort.call, operation))
            }
            _ => None,
        }
    }
}

/// What is to be reached next. Survives pauses and failures.
#[derive(Debug)]
pub(super) enum Stage {
    /// Open an upload at the store.
    Initiate { call: Call },
    /// Learn whether the file is the one that an earlier visit was completing: all of it is read.
    Recheck { opened: Opened, tree_hash: TreeHash },
    /// Learn which parts the store holds.
    List(Listing),
    /// Send the parts.
    Transfer { opened: Opened },
    /// Send an object of one part, which no upload is opened for.
    Put(Put),
    /// Make the archive.
    Complete(Completion),
}

impl Stage {
    pub(super) fn opened(&self) -> Option<&Opened> {
        match self {
            Self::Initiate { .. } | Self::Put(_) => None,
            Self::List(listing) => Some(&listing.opened),
            Self::Recheck { opened, .. } | Self::Transfer { opened } => Some(opened),
            Self::Complete(completion) => Some(&completion.opened),
        }
    }

    pub(super) fn call(&self) -> Option<(&Call, Operation)> {
        match self {
            Self::Initiate { call } => Some((call, Operation::InitiateMultipartUpload)),
            Self::List(listing) => Some((&listing.call, Operation::ListParts)),
            Self::Recheck { .. } | Self::Transfer { .. } => None,
            Self::Put(put) => put.looking.as_ref().map(|looking| (&looking.call, Operation::S3HeadObject)),
            Self::Complete(completion) => Some((&completion.call, Operation::CompleteMultipartUpload)),
        }
    }

    pub(super) fn call_mut(&mut self) -> Option<(&mut Call, Operation)> {
        match self {
            Self::Initiate { call } => Some((call, Operation::InitiateMultipartUpload)),
            Self::List(listing) => Some((&mut listing.call, Operation::ListParts)),
            Self::Recheck { .. } | Self::Transfer { .. } => None,
            Self::Put(put) => put.looking.as_mut().map(|looking| (&mut looking.call, Operation::S3HeadObject)),
            Self::Complete(completion) => Some((&mut completion.call, Operation::CompleteMultipartUpload)),
        }
    }
}

/// An upload at the store.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    pub(super) id: StoreUpload,
    /// CompleteMultipartUpload was sent with this tree hash and what became of it is not known. From then on "no such
    /// upload" may mean that the archive exists, and nothing may be uploaded again.
    pub(super) maybe_complete: Option<TreeHash>,
}

#[derive(Debug)]
pub(super) struct Listing {
    pub(super) opened: Opened,
    pub(super) call: Call,
    pub(super) marker: Option<String>,
    /// So far, in order of part.
    pub(super) stored: Vec<(u32, Held)>,
    /// So far. Bounded, because a marker that leads in a circle must end.
    pub(super) pages: u32,
    /// Not to begin with: the store did not agree about the whole, so that parts that were acknowledged are in question, or
    /// the page may not see its acknowledgements.
    pub(super) repair: bool,
}

impl Listing {
    pub(super) fn new(opened: Opened, repair: bool) -> Self {
        Self { opened, call: Call::default(), marker: None, stored: Vec::new(), pages: 0, repair }
    }
}

/// One request that makes the object.
#[derive(Debug, Default)]
pub(super) struct Put {
    /// The request was sent and what became of it is not known. From then on an object that is there may be ours.
    pub(super) doubt: bool,
    /// [`doubt`](Self::doubt) before the request in flight was sent: what a definite refusal falls back to.
    pub(super) doubt_before: bool,
    /// What is there has to be looked at first.
    pub(super) looking: Option<Looking>,
}

/// Whether the object that is there is ours.
#[derive(Debug)]
pub(super) struct Looking {
    pub(super) call: Call,
    /// S3 refused to overwrite it. If not, S3 says that it stored it, and not what.
    pub(super) refused: bool,
}

#[derive(Debug)]
pub(super) struct Completion {
    pub(super) opened: Opened,
    pub(super) tree_hash: TreeHash,
    pub(super) call: Call,
    /// The intent is being stored; nothing is sent before that ended or its time is over.
    pub(super) saving: Option<(Ticket, Instant)>,
    /// [`Opened::maybe_complete`] before the request in flight was sent: what a definite refusal falls back to.
    pub(super) doubt_before: Option<TreeHash>,
}

/// Removing the upload at the store: best effort, bounded in time.
#[derive(Debug)]
pub(super) struct Abort {
    /// `None` while the answer to InitiateMultipartUpload is awaited, so that the upload it opens is not left behind.
    pub(super) opened: Option<Opened>,
    pub(super) call: Call,
    pub(super) until: Instant,
    /// The upload was not there to be removed although CompleteMultipartUpload may have been carried out: repeating
    /// that tells which, because it cannot make anything of an upload that is gone.
    pub(super) asking: bool,
    /// The failure that the removal follows from; `None` where the user gave up.
    pub(super) because: Option<UploadError>,
}

impl Abort {
    const fn operation(&self) -> Operation {
        match (&self.opened, self.asking) {
            (None, _) => Operation::InitiateMultipartUpload,
            (Some(_), true) => Operation::CompleteMultipartUpload,
            (Some(_), false) => Operation::AbortMultipartUpload,
        }
    }
}

/// One request without a body, from being wanted to being answered.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) step: CallStep,
    pub(super) tries: Tries,
}

#[derive(Debug, Default)]
pub(super) enum CallStep {
    /// To be signed.
    #[default]
    Wanted,
    /// To be signed, but not before.
    Waiting(Instant),
    Signing,
    Sending {
        ticket: Ticket,
        due: Instant,
    },
}
