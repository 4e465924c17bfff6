//! From one state to the next.

use super::pieces::Step;
use super::{Command, Download, Outcome, Source, State, Verified};
use crate::error::{ErrorCode, UploadError};
use crate::retry::fault::Tries;
use crate::upload::{PauseReason, Ticket};

/// Of what turned out to be wrong at the end.
pub(super) const DISCARD_HINT: &str =
    "Do not use what was written. Download it again; if it happens again, tell whoever runs the server.";

impl Download {
    /// Runs, with all budgets full.
    pub(super) fn go(&mut self) {
        for (_, active) in &mut self.pieces.active {
            (active.tries, active.refetches) = (Tries::default(), 0);
        }
        self.sign.tries = Tries::default();
        self.sign.not_before = None;
        self.state = if self.offline { State::Paused(PauseReason::Offline) } else { State::Fetching };
    }

    pub(super) fn pause(&mut self, reason: PauseReason) {
        if matches!(self.state, State::Fetching | State::Paused(PauseReason::Offline)) {
            // Without network nothing was done wrong, and it may be back in a second: what is held is kept.
            self.suspend(reason == PauseReason::Offline);
            self.state = State::Paused(reason);
        }
    }

    pub(super) fn abort(&mut self) {
        if matches!(self.state, State::Done(_) | State::Aborted) {
            return;
        }
        self.suspend(false);
        for active in self.pieces.active.values() {
            if let Step::Delivering(held) = active.step {
                self.outbox.push_back(Command::Discard { ticket: held.ticket });
            }
        }
        self.pieces.active.clear();
        self.state = State::Aborted;
    }

    /// Stops with an error. What is delivered is kept.
    pub(super) fn fail(&mut self, error: UploadError) {
        if matches!(self.state, State::Fetching | State::Paused(_)) {
            self.suspend(false);
            self.state = State::Failed(error);
        }
    }

    /// Stops everything in flight. What is being written is written to its end; what is held besides is kept or let
    /// go.
    pub(super) fn suspend(&mut self, keep_held: bool) {
        self.speed.stop();
        self.sign.not_before = None;
        if let Some(signing) = self.sign.open.take() {
            self.outbox.push_back(Command::Cancel { ticket: signing.ticket });
        }
        let pieces: Vec<u64> = self.pieces.active.keys().copied().collect();
        for piece in pieces {
            match self.pieces.active.get(&piece).map(|active| &active.step) {
                Some(Step::Delivering(_)) => continue,
                Some(Step::Fetched(_)) if keep_held => continue,
                Some(Step::Fetched(held)) => self.outbox.push_back(Command::Discard { ticket: held.ticket }),
                Some(Step::Fetching { ticket, .. }) => self.outbox.push_back(Command::Cancel { ticket: *ticket }),
                _ => {}
            }
            self.pieces.put_back(piece);
        }
    }

    /// Closes the sink when it has everything.
    pub(super) fn advance(&mut self) {
        if self.state != State::Fetching {
            return;
        }
        let Some(tree_hash) = self.pieces.delivered.root() else { return };
        if self.expected.is_some_and(|expected| expected != tree_hash) {
            let words = "Every byte arrived, and the tree hash over all of them is not the one that was expected";
            return self.fail(UploadError::new(ErrorCode::ChecksumMismatchWhole, words).hint(DISCARD_HINT));
        }
        let verified = match (self.expected, &self.config.source) {
            (Some(_), _) => Verified::Whole,
            (None, _) if self.config.range().is_some() => Verified::part(self.vouched == self.len),
            (None, Source::Job { job, .. }) => Verified::without_whole(job, self.vouched == self.len),
            (None, Source::Object(object)) => match object.verify(self.config.piece_size, &self.payload_hashes) {
                Ok(verified) => verified,
                Err(error) => return self.fail(error),
            },
        };
        let ticket = self.ticket();
        self.state = State::Closing { ticket, outcome: Outcome { len: self.len, tree_hash, verified } };
        self.outbox.push_back(Command::Close { ticket });
    }

    pub(super) fn closed(&mut self, wanted: Ticket) {
        if let State::Closing { ticket, outcome } = self.state
            && ticket == wanted
        {
            self.state = State::Done(outcome);
        }
    }

    pub(super) fn not_closed(&mut self, wanted: Ticket) {
        if matches!(self.state, State::Closing { ticket, .. } if ticket == wanted) {
            self.sink_lost();
        }
    }

    /// Over whatever other error there is, which might have been retryable.
    pub(super) fn sink_lost(&mut self) {
        if matches!(self.state, State::Done(_) | State::Aborted) {
            return;
        }
        self.suspend(false);
        let words = "What the bytes were written to did not keep them";
        let hint = "Check the free space and that the file may be written, then download again; into a file, from the \
                    checkpoint: what is not as it was is found out.";
        self.state = State::Failed(UploadError::new(ErrorCode::SinkFailed, words).hint(hint));
    }
}
