//! What the driver reports, one report at a time, and what is done about what went wrong.

use super::pieces::{Held, Step};
use super::{Command, Download, Signing, SinkOrder, State};
use crate::clock::{Instant, Jitter};
use crate::error::{ErrorCode, UploadError};
use crate::glacier::{AnswerError, Response};
use crate::intent::SignedRequest;
use crate::retry::fault::{Fault, Next, Tries, weigh};
use crate::retry::{Operation, Verdict};
use crate::sha256::PayloadHash;
use crate::tree_hash::TreeHash;
use crate::upload::{SignFailure, Ticket};

impl Download {
    fn end_signing(&mut self, ticket: Ticket) -> Option<Signing> {
        self.sign.open.take_if(|signing| signing.ticket == ticket)
    }

    pub(super) fn signed(&mut self, ticket: Ticket, requests: Vec<SignedRequest>, now: Instant, jitter: Jitter) {
        let Some(signing) = self.end_signing(ticket) else { return };
        if requests.len() != signing.pieces.len() {
            let words = "As many signed requests as intents were expected and another number came";
            let fault = Fault::silence(Verdict::GiveUp(ErrorCode::SignFailed), words);
            return self.sign_fault(signing, fault, now, jitter);
        }
        self.met_gateway = true;
        self.sign.tries = Tries::default();
        for (piece, request) in signing.pieces.into_iter().zip(requests) {
            if let Some(active) = self.pieces.active.get_mut(&piece)
                && let Step::Signing = active.step
            {
                let good_until = now + request.expires_in_ms / 5 * 4;
                active.step = Step::Signed { request, good_until };
            }
        }
    }

    pub(super) fn sign_refused(&mut self, ticket: Ticket, response: &Response, now: Instant, jitter: Jitter) {
        let Some(signing) = self.end_signing(ticket) else { return };
        let error = AnswerError::Refused(response.service_error());
        self.sign_fault(signing, Fault::answer(Operation::Sign, error, response), now, jitter);
    }

    pub(super) fn sign_failed(&mut self, ticket: Ticket, failure: SignFailure, now: Instant, jitter: Jitter) {
        let Some(signing) = self.end_signing(ticket) else { return };
        self.sign_fault(signing, Fault::not_signed(failure), now, jitter);
    }

    /// A batch was not signed.
    pub(super) fn sign_fault(&mut self, signing: Signing, mut fault: Fault, now: Instant, jitter: Jitter) {
        for piece in signing.pieces {
            if let Some(active) = self.pieces.active.get_mut(&piece)
                && let Step::Signing = active.step
            {
                active.step = Step::Wanted;
            }
        }
        if !self.met_gateway && fault.verdict == Verdict::Retry(ErrorCode::NotOurServer) {
            // A stranger at the very first request is a wrong address and no passing trouble.
            fault.verdict = Verdict::GiveUp(ErrorCode::NotOurServer);
        }
        match weigh(&self.config.retry, &mut self.sign.tries, &fault, now, jitter) {
            Next::Now => {}
            Next::At(at) => self.sign.not_before = Some(at),
            Next::Fail(code, retryable) => self.fail(fault.into_error(code, retryable)),
            Next::Else(_) => self.fail(fault.into_error(ErrorCode::SignFailed, false)),
        }
    }

    pub(super) fn received(&mut self, wanted: Ticket, bytes: u64, now: Instant) {
        let stall_ms = self.config.deadlines.stall_ms;
        let Some((_, active)) = self.pieces.fetching(wanted) else { return };
        let bytes = bytes.min(active.range.len());
        if let Step::Fetching { received, due, .. } = &mut active.step
            && bytes > *received
        {
            self.speed.add(bytes - *received, now);
            *received = bytes;
            *due = now + stall_ms;
        }
    }

    pub(super) fn fetched(
        &mut self,
        ticket: Ticket,
        response: &Response,
        (len, tree_hash, payload_hash): (u64, TreeHash, Option<PayloadHash>),
        now: Instant,
        jitter: Jitter,
    ) {
        let total = self.source_len;
        let Some((piece, active)) = self.pieces.fetching(ticket) else { return };
        let Step::Fetching { received, .. } = active.step else { return };
        let range = active.range;
        let read = match self.config.source.check(response, self.config.in_source(range), total, len) {
            Ok(Some(reported)) if reported != tree_hash => {
                Err(AnswerError::TreeHashMismatch { computed: tree_hash, reported })
            }
            read => read,
        };
        match read {
            Ok(reported) => {
                active.step = Step::Fetched(Held { ticket, tree_hash, payload_hash, vouched: reported.is_some() });
                self.speed.add(range.len() - received, now);
                self.window.widen();
                for (_, active) in &mut self.pieces.active {
                    active.tries.progress();
                }
            }
            Err(error) => {
                self.outbox.push_back(Command::Discard { ticket });
                let changed = error == AnswerError::ObjectChanged;
                let fault = if matches!(response.status, 200 | 206) && len < range.len() && !changed {
                    let words = "The answer ended before all the bytes had come that were asked for";
                    Fault::silence(Verdict::Retry(ErrorCode::Network), words)
                } else {
                    Fault::answer(self.config.source.operation(), error, response)
                };
                self.piece_fault(piece, fault, now, jitter);
            }
        }
    }

    /// An answer without bytes.
    pub(super) fn refused(&mut self, ticket: Ticket, response: &Response, now: Instant, jitter: Jitter) {
        let Some((piece, _)) = self.pieces.fetching(ticket) else { return };
        let error = match response.status {
            status @ 200..=399 => AnswerError::NotGlacier { status },
            _ => AnswerError::Refused(response.service_error()),
        };
        self.piece_fault(piece, Fault::answer(self.config.source.operation(), error, response), now, jitter);
    }

    pub(super) fn fetch_failed(&mut self, ticket: Ticket, now: Instant, jitter: Jitter) {
        let Some((piece, _)) = self.pieces.fetching(ticket) else { return };
        let words = "No answer came, or it broke off: the connection failed, or the browser may not show the answer to \
                     this page";
        self.piece_fault(piece, Fault::silence(Verdict::Retry(ErrorCode::Network), words), now, jitter);
    }

    /// A piece did not arrive.
    pub(super) fn piece_fault(&mut self, piece: u64, mut fault: Fault, now: Instant, jitter: Jitter) {
        let Some(active) = self.pieces.active.get_mut(&piece) else { return };
        if let (Verdict::SlowDown(_), Step::Fetching { started, .. }) = (fault.verdict, &active.step) {
            self.window.narrow(*started, now);
        }
        active.step = Step::Wanted;
        let number = u32::try_from(piece).ok();
        match weigh(&self.config.retry, &mut active.tries, &fault, now, jitter) {
            Next::Now => {}
            Next::At(at) => active.step = Step::Waiting(at),
            Next::Fail(code, retryable) => self.fail(fault.into_error(code, retryable).in_part(number)),
            Next::Else(Verdict::Reread) if active.refetches < self.config.retry.max_rereads => active.refetches += 1,
            Next::Else(Verdict::Reread) => {
                fault.message.insert_str(0, "The range did not arrive as the store says it is. ");
                self.fail(fault.into_error(ErrorCode::ChecksumMismatchRange, true).in_part(number));
            }
            Next::Else(Verdict::Gone) => self.fail(fault.into_error(ErrorCode::JobExpired, false)),
            Next::Else(_) => self.fail(fault.into_error(ErrorCode::Refused, false)),
        }
    }

    pub(super) fn taken(&mut self, ticket: Ticket) {
        let Some((piece, active)) = self.pieces.delivering(ticket) else { return };
        let Step::Delivering(held) = active.step else { return };
        let range = active.range;
        self.pieces.active.remove(&piece);
        if self.pieces.delivered.insert(range, held.tree_hash) {
            self.vouched += if held.vouched { range.len() } else { 0 };
            if let Some(hash) = held.payload_hash {
                self.payload_hashes.insert(piece, hash);
            }
        }
    }

    pub(super) fn not_taken(&mut self, ticket: Ticket) {
        let Some((piece, _)) = self.pieces.delivering(ticket) else { return };
        self.pieces.put_back(piece);
        // Nobody knows how much of it a stream has taken.
        let retryable = self.config.order == SinkOrder::Any;
        let words = "What the bytes are written to did not take them";
        if !matches!(self.state, State::Done(_) | State::Aborted) {
            // Also over another error, which might have been retryable.
            self.suspend(false);
            self.state = State::Failed(UploadError::new(ErrorCode::SinkFailed, words).retryable(retryable));
        }
    }
}
