//! What to do next, and when to look again.

use super::pieces::Step;
use super::{Command, Download, Signing, State};
use crate::clock::{Instant, Jitter};
use crate::error::ErrorCode;
use crate::intent::MAX_INTENTS;
use crate::retry::Verdict;
use crate::retry::fault::Fault;
use crate::upload::Ticket;

impl Download {
    /// The next thing to do, or `None` until something happens. Call it until it gives `None`, after every event and
    /// every timeout.
    pub fn poll_command(&mut self, now: Instant) -> Option<Command> {
        if let Some(command) = self.outbox.pop_front() {
            return Some(command);
        }
        if self.state != State::Fetching {
            return None;
        }
        self.next_to_deliver().or_else(|| self.next_to_fetch(now)).or_else(|| self.next_to_sign(now))
    }

    pub(super) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn next_to_deliver(&mut self) -> Option<Command> {
        let active = self.pieces.deliverable()?;
        let Step::Fetched(held) = active.step else { return None };
        active.step = Step::Delivering(held);
        Some(Command::Deliver { ticket: held.ticket, range: active.range })
    }

    fn next_to_fetch(&mut self, now: Instant) -> Option<Command> {
        if self.pieces.n_fetching() >= self.window.allowed() {
            return None;
        }
        let ticket = self.ticket();
        let due = now + self.config.deadlines.answer_ms;
        let plain_hash = self.wants_payload_hashes();
        for (_, active) in &mut self.pieces.active {
            let Step::Signed { good_until, .. } = &active.step else { continue };
            if now > *good_until {
                active.step = Step::Wanted;
                continue;
            }
            let fetching = Step::Fetching { ticket, received: 0, started: now, due };
            if let Step::Signed { request, .. } = std::mem::replace(&mut active.step, fetching) {
                return Some(Command::FetchRange { ticket, range: active.range, request, plain_hash });
            }
        }
        None
    }

    /// One batch of everything that has a place. Pieces are signed one windowful ahead and no more, so that no
    /// signature grows old waiting.
    fn next_to_sign(&mut self, now: Instant) -> Option<Command> {
        if self.sign.open.is_some() || self.sign.not_before.is_some() {
            return None;
        }
        let held = usize::try_from(self.config.limits.held.max(1)).unwrap_or(usize::MAX);
        while self.pieces.active.len() < held && self.pieces.begin_next() {}
        let room = self.window.allowed().saturating_sub(self.pieces.n_signed());
        let room = usize::try_from(room).map_or(MAX_INTENTS, |room| room.min(MAX_INTENTS));
        let (mut pieces, mut intents) = (Vec::new(), Vec::new());
        for (piece, active) in &mut self.pieces.active {
            if intents.len() >= room {
                break;
            }
            let Step::Wanted = active.step else { continue };
            active.step = Step::Signing;
            pieces.push(*piece);
            intents.push(self.config.source.intent(self.config.in_source(active.range)));
        }
        if intents.is_empty() {
            return None;
        }
        let ticket = self.ticket();
        self.sign.open = Some(Signing { ticket, due: now + self.config.deadlines.sign_ms, pieces });
        Some(Command::Sign { ticket, intents })
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.state != State::Fetching {
            return None;
        }
        let of_pieces = self.pieces.active.values().filter_map(|active| match active.step {
            Step::Fetching { due, .. } | Step::Waiting(due) => Some(due),
            _ => None,
        });
        let of_signing = self.sign.open.as_ref().map(|signing| signing.due);
        of_pieces.chain(of_signing).chain(self.sign.not_before).min()
    }

    /// Time has come: waits end, and what stood still too long is cancelled and tried again. Harmless when called
    /// early or for nothing.
    pub fn handle_timeout(&mut self, now: Instant, jitter: Jitter) {
        if self.state != State::Fetching {
            return;
        }
        self.sign.not_before.take_if(|not_before| *not_before <= now);
        for (_, active) in &mut self.pieces.active {
            if matches!(active.step, Step::Waiting(until) if until <= now) {
                active.step = Step::Wanted;
            }
        }
        if let Some(signing) = self.sign.open.take_if(|signing| signing.due <= now) {
            self.outbox.push_back(Command::Cancel { ticket: signing.ticket });
            let fault = Fault::silence(Verdict::Retry(ErrorCode::Stalled), "The gateway did not answer in time");
            self.sign_fault(signing, fault, now, jitter);
        }
        let stalled = |step: &Step| matches!(step, Step::Fetching { due, .. } if *due <= now);
        let stalled: Vec<u64> =
            self.pieces.active.iter().filter(|(_, active)| stalled(&active.step)).map(|(piece, _)| *piece).collect();
        for piece in stalled {
            // A failure of one piece may have stopped all the others.
            if let Some(Step::Fetching { ticket, received, .. }) =
                self.pieces.active.get(&piece).map(|active| &active.step)
            {
                let words = if *received == 0 { "No answer came in time" } else { "The answer stood still" };
                self.outbox.push_back(Command::Cancel { ticket: *ticket });
                self.piece_fault(piece, Fault::silence(Verdict::Retry(ErrorCode::Stalled), words), now, jitter);
            }
        }
    }
}
