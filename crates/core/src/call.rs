//! One intent to its answer: the state machine of every operation that is one request without bytes of a file.
//!
//! Built as [`Upload`](crate::Upload) is: [`poll_command`](Call::poll_command) says what is to be done,
//! [`handle_event`](Call::handle_event) takes what came of it, [`poll_timeout`](Call::poll_timeout) says when to call
//! [`handle_timeout`](Call::handle_timeout) if nothing comes. A call begins by itself and is over when
//! [`outcome`](Call::outcome) says so.
//!
//! ```text
//! wanted -> signing -> sending -> answered
//!   ^  waiting <- failed |  |
//!   |       |            |  +--> (no answer to InitiateJob: look through the vault's jobs for it)
//!   +-------+------------+
//! ```
//!
//! **After a lost answer** nobody knows whether the request was carried out. [`Operation::repetition`] says of every
//! operation whether it is then sent again. Where it is not, the call fails and its hint says how to find out.

mod answer;
mod listing;
mod lost_job;
mod message;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

pub use answer::Answer;
pub use listing::{List, Listing};
use lost_job::{Found, Search};
pub use message::{Command, Event, Outcome};

use crate::clock::{Instant, Jitter};
use crate::date;
use crate::error::{ErrorCode, UploadError};
use crate::glacier::{AnswerError, Response, list_jobs};
use crate::intent::{Intent, SignedRequest};
use crate::retry::fault::{Fault, Next, Tries, weigh};
use crate::retry::{Missing, Operation, Repetition, RetryPolicy, Verdict};
use crate::upload::Ticket;

/// From a Sign to its answer.
const SIGN_MS: u64 = 30_000;
/// From a Send to its answer.
const ANSWER_MS: u64 = 60_000;

/// One call. See the [module](self).
#[derive(Debug)]
pub struct Call {
    intent: Intent,
    operation: Operation,
    policy: RetryPolicy,
    step: Step,
    /// The browser says it has no network.
    offline: bool,
    /// The search for the job, while it is looked for.
    search: Option<Search>,
    /// When the request was first sent.
    first_sent: Option<Instant>,
    /// The request may have been carried out, and this is why nobody knows.
    doubt: Option<UploadError>,
    /// A gateway has answered as one.
    met_gateway: bool,
    sign_tries: Tries,
    tries: Tries,
    /// Decided, not yet taken by the driver.
    outbox: VecDeque<Command>,
    /// Given out so far.
    tickets: u64,
}

#[derive(Debug)]
enum Step {
    /// To be signed.
    Wanted,
    /// To be signed, but not before.
    Waiting(Instant),
    Signing {
        ticket: Ticket,
        due: Instant,
    },
    Sending {
        ticket: Ticket,
        due: Instant,
    },
    Over(Outcome),
}

impl Call {
    /// A call of an operation that is one request and carries no bytes of a file. Parts, job outputs and what opens
    /// and completes an upload have machines of their own, and are answered here with an error.
    pub fn new(intent: Intent, policy: RetryPolicy) -> Self {
        Self {
            // The names are the same, which a test holds.
            operation: Operation::from_name(intent.op()).unwrap_or(Operation::Sign),
            intent,
            policy,
            step: Step::Wanted,
            offline: false,
            search: None,
            first_sent: None,
            doubt: None,
            met_gateway: false,
            sign_tries: Tries::default(),
            tries: Tries::default(),
            outbox: VecDeque::new(),
            tickets: 0,
        }
    }

    /// How it ended, once it has.
    pub const fn outcome(&self) -> Option<&Outcome> {
        match &self.step {
            Step::Over(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// The next thing to do, or `None` until something happens. Call it until it gives `None`, after every event and
    /// every timeout.
    pub fn poll_command(&mut self, now: Instant) -> Option<Command> {
        if let Some(command) = self.outbox.pop_front() {
            return Some(command);
        }
        if self.offline || !matches!(self.step, Step::Wanted) {
            return None;
        }
        let ticket = self.ticket();
        self.step = Step::Signing { ticket, due: now + SIGN_MS };
        Some(Command::Sign { ticket, intents: [self.current()] })
    }

    /// What is asked now: what was wanted, or the list in which it is looked for.
    fn current(&self) -> Intent {
        match (&self.search, self.intent.vault()) {
            (Some(search), Some(vault)) => Intent::ListJobs {
                vault: vault.clone(),
                status_code: None,
                completed: None,
                marker: search.marker.clone(),
            },
            _ => self.intent.clone(),
        }
    }

    const fn current_operation(&self) -> Operation {
        if self.search.is_some() { Operation::ListJobs } else { self.operation }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called if nothing happens before.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.step {
            Step::Waiting(at) | Step::Signing { due: at, .. } | Step::Sending { due: at, .. } => Some(at),
            Step::Wanted | Step::Over(_) => None,
        }
    }

    /// Time has come: a wait ends, or what stood still too long is cancelled and judged. Harmless when called early or
    /// for nothing.
    pub fn handle_timeout(&mut self, now: Instant, jitter: Jitter) {
        match self.step {
            Step::Waiting(at) if at <= now => self.step = Step::Wanted,
            Step::Signing { ticket, due } if due <= now => {
                self.outbox.push_back(Command::Cancel { ticket });
                let words = "The gateway did not answer in time";
                self.sign_fault(Fault::silence(Verdict::Retry(ErrorCode::Stalled), words), now, jitter);
            }
            Step::Sending { ticket, due } if due <= now => {
                self.outbox.push_back(Command::Cancel { ticket });
                let words = "The store did not answer in time";
                self.fault(Fault::silence(Verdict::Retry(ErrorCode::Stalled), words), true, now, jitter);
            }
            _ => {}
        }
    }

    /// Takes what happened. Events that come too late, twice or for nothing are ignored.
    pub fn handle_event(&mut self, event: Event, now: Instant, jitter: Jitter) {
        match event {
            Event::Signed { ticket, requests } if self.is_signing(ticket) => {
                match <[SignedRequest; 1]>::try_from(requests) {
                    Ok([request]) => self.send(request, now),
                    Err(_) => {
                        let words = "One signed request was expected and another number came";
                        self.sign_fault(Fault::silence(Verdict::GiveUp(ErrorCode::SignFailed), words), now, jitter);
                    }
                }
            }
            Event::SignRefused { ticket, response } if self.is_signing(ticket) => {
                let error = AnswerError::Refused(response.service_error());
                self.sign_fault(Fault::answer(Operation::Sign, error, &response), now, jitter);
            }
            Event::SignFailed { ticket, failure } if self.is_signing(ticket) => {
                self.sign_fault(Fault::not_signed(failure), now, jitter);
            }
            Event::Answered { ticket, response } if self.is_sending(ticket) => self.answered(&response, now, jitter),
            Event::SendFailed { ticket } if self.is_sending(ticket) => {
                let words =
                    "No answer came: the connection failed, or the browser may not show the answer to this page";
                self.fault(Fault::silence(Verdict::Retry(ErrorCode::Network), words), true, now, jitter);
            }
            Event::Abort => {
                if let Step::Signing { ticket, .. } | Step::Sending { ticket, .. } = self.step {
                    self.outbox.push_back(Command::Cancel { ticket });
                }
                if self.outcome().is_none() {
                    self.step = Step::Over(Outcome::Aborted);
                }
            }
            Event::Offline => self.offline = true,
            Event::Online => {
                self.offline = false;
                if let Step::Waiting(_) = self.step {
                    self.step = Step::Wanted;
                }
            }
            _ => {}
        }
    }

    fn is_signing(&self, wanted: Ticket) -> bool {
        matches!(self.step, Step::Signing { ticket, .. } if ticket == wanted)
    }

    fn is_sending(&self, wanted: Ticket) -> bool {
        matches!(self.step, Step::Sending { ticket, .. } if ticket == wanted)
    }

    fn send(&mut self, request: SignedRequest, now: Instant) {
        (self.met_gateway, self.sign_tries) = (true, Tries::default());
        let ticket = self.ticket();
        self.step = Step::Sending { ticket, due: now + ANSWER_MS };
        if self.search.is_none() {
            self.first_sent.get_or_insert(now);
        }
        self.outbox.push_back(Command::Send { ticket, request });
    }

    fn answered(&mut self, response: &Response, now: Instant, jitter: Jitter) {
        let read = match self.search {
            Some(_) => self.looked(response, now),
            None => answer::read(&self.intent, response).map(Some),
        };
        match read {
            Ok(Some(answer)) => self.step = Step::Over(Outcome::Answered(answer)),
            Ok(None) => self.step = Step::Wanted,
            Err(error) => {
                // A code is the store's own word that it did not; below 500 at least.
                let doubtful = response.status >= 500 || response.service_error().code.is_none();
                self.fault(Fault::answer(self.current_operation(), error, response), doubtful, now, jitter);
            }
        }
    }

    /// A page of the vault's jobs came. `None` where another request is to follow.
    fn looked(&mut self, response: &Response, now: Instant) -> Result<Option<Answer>, AnswerError> {
        let page = list_jobs::read(response)?;
        let (Some(search), Intent::InitiateJob { job, .. }) = (&mut self.search, &self.intent) else { return Ok(None) };
        let store_now = response.header("date").and_then(date::unix_ms_of_header);
        let elapsed_ms = self.first_sent.map_or(0, |sent| now.since(sent));
        Ok(match search.page(job, page, store_now, elapsed_ms) {
            Found::More => None,
            Found::End(Some(job_id)) => Some(Answer::JobStarted(job_id)),
            Found::End(None) => {
                // It did not arrive, so that it may be sent.
                (self.search, self.doubt) = (None, None);
                None
            }
        })
    }

    /// The intent was not signed.
    fn sign_fault(&mut self, mut fault: Fault, now: Instant, jitter: Jitter) {
        if !self.met_gateway && fault.verdict == Verdict::Retry(ErrorCode::NotOurServer) {
            // A stranger at the very first request is a wrong address and no passing trouble.
            fault.verdict = Verdict::GiveUp(ErrorCode::NotOurServer);
        }
        match weigh(&self.policy, &mut self.sign_tries, &fault, now, jitter) {
            Next::Now => self.step = Step::Wanted,
            Next::At(at) => self.step = Step::Waiting(at),
            Next::Fail(code, retryable) => self.fail(fault.into_error(code, retryable)),
            Next::Else(_) => self.fail(fault.into_error(ErrorCode::SignFailed, false)),
        }
    }

    /// The request was not answered well. `doubtful` is whether it may have been carried out all the same.
    fn fault(&mut self, fault: Fault, doubtful: bool, now: Instant, jitter: Jitter) {
        let is_final = !matches!(fault.verdict, Verdict::Retry(_) | Verdict::SlowDown(_));
        if doubtful && !is_final && self.search.is_none() {
            let code = fault.code();
            match (self.operation.repetition(), &self.intent) {
                (Repetition::LookFirst, Intent::InitiateJob { job, .. }) if lost_job::is_recognisable(job) => {
                    self.search = Some(Search::default());
                    self.doubt = Some(fault.clone().into_error(code, false));
                }
                (Repetition::Never, _) => {
                    self.doubt = Some(fault.clone().into_error(code, false));
                    return self.fail(fault.into_error(code, false));
                }
                _ => {}
            }
        }
        match weigh(&self.policy, &mut self.tries, &fault, now, jitter) {
            Next::Now => self.step = Step::Wanted,
            Next::At(at) => self.step = Step::Waiting(at),
            Next::Fail(code, retryable) => self.fail(fault.into_error(code, retryable)),
            Next::Else(Verdict::Gone) => match self.current_operation().missing() {
                // S3's code for it is only ever about an upload.
                _ if matches!(self.intent, Intent::S3(_)) => {
                    self.fail(fault.into_error(ErrorCode::UploadExpired, false));
                }
                Missing::Upload => self.fail(fault.into_error(ErrorCode::UploadExpired, false)),
                _ => self.fail(fault.into_error(ErrorCode::JobExpired, false)),
            },
            Next::Else(_) => self.fail(fault.into_error(ErrorCode::Refused, false)),
        }
    }

    fn fail(&mut self, error: UploadError) {
        let error = match self.doubt.take() {
            // What went wrong with looking for it is no answer to what was asked.
            Some(doubt) => doubt.hint(match self.operation {
                Operation::PurchaseProvisionedCapacity => {
                    "It may have been bought: look through provisionedCapacity() before you buy another."
                }
                Operation::InitiateVaultLock => {
                    "The lock may be on trial: see lock(). Its ID was in the answer that was lost, so abortLock() and \
                     begin again."
                }
                _ => "The job may have been started: look through jobs() before you start another.",
            }),
            None => error,
        };
        self.step = Step::Over(Outcome::Failed(error));
    }
}
