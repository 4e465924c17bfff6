//! The gateway's stream of events, `GET {endpoint}/events?vault=NAME…`: when it is opened, for which vaults, and what
//! is done when it breaks. One stream serves all that wait at the same time.
//!
//! Built as [`Upload`](crate::Upload) is. A stream is a convenience: whoever waits for a job asks for it too
//! ([`job_watch`](crate::job_watch)), so that a gateway without events, a proxy that holds them back or a token that
//! may not see them costs seconds and no failure. `event: job` carries the description of a job that is done, as
//! DescribeJob has it.

mod parser;

use std::collections::VecDeque;

use litemap::LiteMap;

use crate::clock::{Instant, Jitter};
use crate::glacier::{JobId, Response, VaultName};
use crate::json::Json;
use crate::retry::RetryPolicy;
use crate::upload::Ticket;
use parser::Parser;

/// Without a byte. The gateway sends a comment every 15 s.
const SILENCE_MS: u64 = 45_000;
/// From the request to the answer's headers.
const ANSWER_MS: u64 = 30_000;
/// A stream that lasted so long counts as a good one: what follows is the first failure.
const GOOD_MS: u64 = 10_000;

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Open the stream of these vaults, with headers asked for afresh. Ends in [`Event::Ended`]; before,
    /// [`Event::Opened`] and [`Event::Data`].
    Open {
        /// For the reports.
        ticket: Ticket,
        /// In order of name, at least one.
        vaults: Vec<VaultName>,
    },
    /// Close that stream. No report is wanted.
    Close {
        /// Of the Open.
        ticket: Ticket,
    },
    /// The data of an event about a job, JSON text: see [`job_id`].
    Job {
        /// As it came.
        data: String,
    },
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Somebody waits for a job in this vault.
    Want(VaultName),
    /// Somebody does not any more.
    Leave(VaultName),
    /// Status and headers came.
    Opened {
        /// Of the Open.
        ticket: Ticket,
        /// Without a body.
        response: Response,
    },
    /// Some of the body came.
    Data {
        /// Of the Open.
        ticket: Ticket,
        /// As they came.
        bytes: Vec<u8>,
    },
    /// The stream, or the attempt to open it, is over.
    Ended {
        /// Of the Open.
        ticket: Ticket,
    },
    /// The browser says it has network again.
    Online,
}

/// The stream. See the [module](self).
#[derive(Debug)]
pub struct EventStream {
    policy: RetryPolicy,
    /// How many wait in each vault.
    wanted: LiteMap<VaultName, u32>,
    step: Step,
    /// In a row.
    failures: u32,
    outbox: VecDeque<Command>,
    tickets: u64,
}

#[derive(Debug)]
enum Step {
    /// To be opened as soon as somebody waits.
    Closed,
    /// To be opened then.
    Waiting(Instant),
    Opening {
        ticket: Ticket,
        due: Instant,
    },
    Open {
        ticket: Ticket,
        since: Instant,
        due: Instant,
        parser: Parser,
    },
    /// Not to be opened again: the gateway has no events, or not for this token. Or it was tried too often, which is
    /// forgotten when nobody waits any more.
    Off {
        for_good: bool,
    },
}

impl EventStream {
    /// A stream that is opened when somebody waits.
    pub const fn new(policy: RetryPolicy) -> Self {
        Self { policy, wanted: LiteMap::new(), step: Step::Closed, failures: 0, outbox: VecDeque::new(), tickets: 0 }
    }

    /// Whether what happens is told at this moment.
    pub const fn is_open(&self) -> bool {
        matches!(self.step, Step::Open { .. })
    }

    /// The next thing to do, or `None` until something happens. Call it until it gives `None`, after every event and
    /// every timeout.
    pub fn poll_command(&mut self, now: Instant) -> Option<Command> {
        if let Some(command) = self.outbox.pop_front() {
            return Some(command);
        }
        if self.wanted.is_empty() || !matches!(self.step, Step::Closed) {
            return None;
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.step = Step::Opening { ticket, due: now + ANSWER_MS };
        Some(Command::Open { ticket, vaults: self.wanted.keys().cloned().collect() })
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called if nothing happens before.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.step {
            Step::Waiting(at) | Step::Opening { due: at, .. } | Step::Open { due: at, .. } => Some(at),
            Step::Closed | Step::Off { .. } => None,
        }
    }

    /// Time has come. Harmless when called early or for nothing.
    pub fn handle_timeout(&mut self, now: Instant, jitter: Jitter) {
        match self.step {
            Step::Waiting(at) if at <= now => self.step = Step::Closed,
            Step::Opening { due, .. } | Step::Open { due, .. } if due <= now => {
                self.close();
                self.broken(None, now, jitter);
            }
            _ => {}
        }
    }

    /// Takes what happened. Events of streams that are closed are ignored.
    pub fn handle_event(&mut self, event: Event, now: Instant, jitter: Jitter) {
        match event {
            Event::Want(vault) => {
                if let Some(waiting) = self.wanted.get_mut(&vault) {
                    *waiting += 1;
                } else {
                    self.wanted.insert(vault, 1);
                    // The stream that is open does not tell of this vault.
                    self.close();
                }
            }
            Event::Leave(vault) => {
                if let Some(waiting) = self.wanted.get_mut(&vault) {
                    *waiting -= 1;
                    if *waiting == 0 {
                        self.wanted.remove(&vault);
                    }
                }
                if self.wanted.is_empty() {
                    self.close();
                    self.failures = 0;
                    if !matches!(self.step, Step::Off { for_good: true }) {
                        self.step = Step::Closed;
                    }
                }
            }
            Event::Opened { ticket, response } if self.is_current(ticket) => {
                let kind = response.header("content-type").unwrap_or("");
                if response.status == 200 && kind.starts_with("text/event-stream") {
                    let parser = Parser::default();
                    self.step = Step::Open { ticket, since: now, due: now + SILENCE_MS, parser };
                } else {
                    self.close();
                    self.broken(Some(response.status), now, jitter);
                }
            }
            Event::Data { ticket, bytes } if self.is_current(ticket) => {
                if let Step::Open { due, parser, .. } = &mut self.step {
                    *due = now + SILENCE_MS;
                    let messages = parser.push(&bytes).into_iter().filter(|message| message.event == "job");
                    self.outbox.extend(messages.map(|message| Command::Job { data: message.data }));
                }
            }
            Event::Ended { ticket } if self.is_current(ticket) => self.broken(None, now, jitter),
            Event::Online => {
                if let Step::Waiting(_) = self.step {
                    self.step = Step::Closed;
                }
            }
            _ => {}
        }
    }

    fn is_current(&self, wanted: Ticket) -> bool {
        matches!(self.step, Step::Opening { ticket, .. } | Step::Open { ticket, .. } if ticket == wanted)
    }

    fn close(&mut self) {
        if let Step::Opening { ticket, .. } | Step::Open { ticket, .. } = self.step {
            self.outbox.push_back(Command::Close { ticket });
            self.step = Step::Closed;
        }
    }

    /// The stream broke, or was answered with another status than one that opens it.
    fn broken(&mut self, status: Option<u16>, now: Instant, jitter: Jitter) {
        if matches!(self.step, Step::Open { since, .. } if now.since(since) >= GOOD_MS) {
            self.failures = 0;
        }
        self.failures += 1;
        // A token may be renewed, and trouble may pass; anything else will be the same next time.
        let passes = status.is_none_or(|status| matches!(status, 401 | 408 | 425 | 429 | 500..=599));
        self.step = if !passes || self.failures >= self.policy.max_attempts {
            Step::Off { for_good: !passes }
        } else {
            Step::Waiting(now + self.policy.delay_ms(self.failures, None, jitter))
        };
    }
}

/// The job that an event is about, from its data.
pub fn job_id(data: &Json) -> Option<JobId> {
    JobId::new(data.text("JobId")?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(name: &str) -> VaultName {
        VaultName::new(name).unwrap()
    }

    fn jitter() -> Jitter {
        Jitter::new(0.5)
    }

    fn answer(status: u16, kind: &str) -> Response {
        Response { status, headers: vec![("content-type".into(), kind.into())], body: None }
    }

    fn names(names: &[&str]) -> Vec<VaultName> {
        names.iter().map(|name| vault(name)).collect()
    }

    /// Takes all commands; gives the ticket and vaults of the Open among them, and the others.
    fn commands(stream: &mut EventStream, now: Instant) -> (Option<(Ticket, Vec<VaultName>)>, Vec<Command>) {
        let (mut open, mut others) = (None, Vec::new());
        while let Some(command) = stream.poll_command(now) {
            match command {
                Command::Open { ticket, vaults } => assert!(open.replace((ticket, vaults)).is_none()),
                other => others.push(other),
            }
        }
        (open, others)
    }

    fn opened(name: &str, now: Instant) -> (EventStream, Ticket) {
        let mut stream = EventStream::new(RetryPolicy::default());
        stream.handle_event(Event::Want(vault(name)), now, jitter());
        let (ticket, _) = commands(&mut stream, now).0.unwrap();
        stream.handle_event(Event::Opened { ticket, response: answer(200, "text/event-stream") }, now, jitter());
        assert!(stream.is_open());
        (stream, ticket)
    }

    #[test]
    fn nothing_is_opened_while_nobody_waits_and_nothing_stays_open() {
        let now = Instant(0);
        let mut idle = EventStream::new(RetryPolicy::default());
        assert_eq!((commands(&mut idle, now), idle.poll_timeout()), ((None, vec![]), None));
        let (mut stream, ticket) = opened("a", now);
        stream.handle_event(Event::Want(vault("a")), now, jitter());
        stream.handle_event(Event::Leave(vault("a")), now, jitter());
        assert!(stream.is_open());
        stream.handle_event(Event::Leave(vault("a")), now, jitter());
        assert_eq!(commands(&mut stream, now), (None, vec![Command::Close { ticket }]));
        assert_eq!(stream.poll_timeout(), None);
    }

    #[test]
    fn another_vault_opens_a_stream_of_both() {
        let now = Instant(0);
        let (mut stream, ticket) = opened("b", now);
        stream.handle_event(Event::Want(vault("a")), now, jitter());
        let (open, others) = commands(&mut stream, now);
        assert_eq!(others, [Command::Close { ticket }]);
        assert_eq!(open.unwrap().1, names(&["a", "b"]));
        // The stream of both tells of one as well.
        stream.handle_event(Event::Leave(vault("b")), now, jitter());
        assert_eq!(commands(&mut stream, now), (None, vec![]));
    }

    #[test]
    fn events_about_jobs_are_told_and_no_others() {
        let now = Instant(0);
        let (mut stream, ticket) = opened("a", now);
        let bytes = b": beat\n\nevent: other\ndata: 1\n\nevent: job\ndata: {\"JobId\":\"j\"}\n\n".to_vec();
        stream.handle_event(Event::Data { ticket, bytes }, now, jitter());
        assert_eq!(commands(&mut stream, now).1, [Command::Job { data: "{\"JobId\":\"j\"}".into() }]);
        assert_eq!(job_id(&Json::object([("JobId", Json::Text("j".into()))])).unwrap().as_str(), "j");
        assert_eq!(job_id(&Json::object([("JobId", Json::Text("../j".into()))])), None);
    }

    #[test]
    fn silence_is_death_and_a_heartbeat_is_life() {
        let now = Instant(0);
        let (mut stream, ticket) = opened("a", now);
        assert_eq!(stream.poll_timeout(), Some(Instant(45_000)));
        stream.handle_event(Event::Data { ticket, bytes: b":\n".to_vec() }, Instant(15_000), jitter());
        stream.handle_timeout(Instant(45_000), jitter());
        assert!(stream.is_open());
        stream.handle_timeout(Instant(60_000), jitter());
        assert!(!stream.is_open());
        assert_eq!(commands(&mut stream, Instant(60_000)), (None, vec![Command::Close { ticket }]));
        let again = stream.poll_timeout().unwrap();
        assert_eq!(again.since(Instant(60_000)), 125);
        stream.handle_timeout(again, jitter());
        assert!(commands(&mut stream, again).0.is_some());
        // What the dead one still says is not heard.
        stream.handle_event(Event::Opened { ticket, response: answer(200, "text/event-stream") }, again, jitter());
        assert!(!stream.is_open());
    }

    #[test]
    fn a_gateway_without_events_is_not_asked_again() {
        let now = Instant(0);
        for response in [answer(404, "application/json"), answer(403, ""), answer(200, "text/html")] {
            let mut stream = EventStream::new(RetryPolicy::default());
            stream.handle_event(Event::Want(vault("a")), now, jitter());
            let (ticket, _) = commands(&mut stream, now).0.unwrap();
            stream.handle_event(Event::Opened { ticket, response }, now, jitter());
            assert_eq!(commands(&mut stream, now), (None, vec![Command::Close { ticket }]));
            stream.handle_event(Event::Leave(vault("a")), now, jitter());
            stream.handle_event(Event::Want(vault("b")), now, jitter());
            assert_eq!((commands(&mut stream, now), stream.poll_timeout()), ((None, vec![]), None));
        }
    }

    #[test]
    fn a_stream_that_breaks_again_and_again_is_left_until_somebody_begins_to_wait() {
        let mut now = Instant(0);
        let mut stream = EventStream::new(RetryPolicy::default());
        stream.handle_event(Event::Want(vault("a")), now, jitter());
        let mut attempts = 0;
        while let Some((ticket, _)) = commands(&mut stream, now).0 {
            attempts += 1;
            match attempts % 3 {
                0 => stream.handle_event(Event::Opened { ticket, response: answer(503, "") }, now, jitter()),
                1 => stream.handle_event(Event::Ended { ticket }, now, jitter()),
                _ => {
                    let response = answer(200, "text/event-stream; charset=utf-8");
                    stream.handle_event(Event::Opened { ticket, response }, now, jitter());
                    stream.handle_event(Event::Ended { ticket }, now + 100, jitter());
                }
            }
            let Some(due) = stream.poll_timeout() else { break };
            now = due;
            stream.handle_timeout(now, jitter());
        }
        assert_eq!(attempts, 8);
        stream.handle_event(Event::Leave(vault("a")), now, jitter());
        stream.handle_event(Event::Want(vault("a")), now, jitter());
        assert!(commands(&mut stream, now).0.is_some());
    }
}
