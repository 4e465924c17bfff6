//! Giving up: the upload is removed at the store.

use super::stage::{Abort, Call, CallStep, Completion, Phase, Stage};
use super::target::Removed;
use super::{Command, Upload};
use crate::clock::Instant;
use crate::error::{ErrorCode, UploadError};

impl Upload {
    /// The user gives up.
    pub(super) fn abort(&mut self, now: Instant) {
        self.remove(None, now);
    }

    /// Removes the upload at the store. The end is `Aborted`, or `Failed` with the error that was the cause.
    pub(super) fn remove(&mut self, because: Option<UploadError>, now: Instant) {
        if matches!(self.phase, Phase::Aborting(_) | Phase::Done(_) | Phase::Aborted) {
            return;
        }
        let until = now + self.config.deadlines.abort_ms;
        // An upload that is just being opened is known only from the answer, so that one is waited for.
        let opening = match &mut self.phase {
            Phase::Running(Stage::Initiate { call }) if matches!(call.step, CallStep::Sending { .. }) => {
                Some(std::mem::take(call))
            }
            _ => None,
        };
        self.suspend(false);
        match std::mem::replace(&mut self.phase, Phase::Aborted) {
            Phase::Planned(stage) | Phase::Running(stage) | Phase::Paused(_, stage) | Phase::Failed(_, stage) => {
                let opened = stage.opened().cloned();
                if opened.is_none() && opening.is_none() {
                    self.phase = removed_because(because);
                    return self.outbox.push_back(Command::DropJournal);
                }
                if opened.as_ref().is_none_or(|opened| opened.maybe_complete.is_none()) {
                    // At once: a page that is closed now must not go on with what the user gave up.
                    self.outbox.push_back(Command::DropJournal);
                }
                let call = opening.unwrap_or_default();
                self.phase = Phase::Aborting(Abort { opened, call, until, asking: false, because });
            }
            over => self.phase = over,
        }
    }

    /// Ends aborting, with what is known.
    pub(super) fn finish_abort(&mut self, now: Instant) {
        self.suspend(false);
        let Phase::Aborting(abort) = std::mem::replace(&mut self.phase, Phase::Aborted) else { return };
        match abort.opened.map(|opened| (opened.maybe_complete, opened)) {
            Some((Some(tree_hash), opened)) => {
                let doubt_before = opened.maybe_complete;
                let completion = Completion { opened, tree_hash, call: Call::default(), saving: None, doubt_before };
                let error = abort.because.unwrap_or_else(|| {
                    UploadError::new(
                        ErrorCode::Network,
                        "The upload was aborted while the store made the archive, and it did not answer which came \
                         first",
                    )
                    .hint("Resume to learn whether the archive exists.")
                    .retryable(true)
                });
                self.phase = Phase::Failed(error, Stage::Complete(completion));
                let (_, save) = self.save_journal(now);
                self.outbox.push_back(save);
            }
            _ => {
                self.phase = removed_because(abort.because);
                self.outbox.push_back(Command::DropJournal);
            }
        }
    }

    /// AbortMultipartUpload succeeded.
    pub(super) fn removed(&mut self, removed: Removed, now: Instant) {
        let Phase::Aborting(abort) = &mut self.phase else { return };
        let maybe_complete = abort.opened.as_ref().is_some_and(|opened| opened.maybe_complete.is_some());
        if removed == Removed::WasGone && maybe_complete {
            abort.asking = true;
            abort.call = Call::default();
            return;
        }
        if let Some(opened) = &mut abort.opened {
            opened.maybe_complete = None;
        }
        self.finish_abort(now);
    }
}

/// Nothing is left at the store, or nothing that could be reached, and nothing can go on from here.
fn removed_because(because: Option<UploadError>) -> Phase {
    because.map_or(Phase::Aborted, |error| Phase::Failed(error, Stage::Initiate { call: Call::default() }))
}
