//! The driver's part, the gateway, the store and the network between: what becomes of each command.

use glacier_core::download::{Command, Event, SinkOrder, Source};
use glacier_core::glacier::{Method, Response};
use glacier_core::intent::{Intent, SignedRequest};
use glacier_core::upload::{SignFailure, Ticket};
use glacier_core::{ByteRange, Instant, PayloadHash, TreeHash, s3};

use crate::faults::Fault;
use crate::refusal::{EXPIRED, S3_EXPIRED, refusal};
use crate::world::{Happening, SIGNATURE_MS, World};

/// The plain hash of the bytes that have this tree hash: as symbolic as they are.
pub fn plain_hash_of(tree_hash: TreeHash) -> PayloadHash {
    PayloadHash::of(tree_hash.as_bytes())
}

impl World {
    pub fn perform(&mut self, command: Command) {
        match command {
            Command::Sign { ticket, intents } => {
                assert!((1..=glacier_core::intent::MAX_INTENTS).contains(&intents.len()));
                self.signing.insert(ticket);
                self.sign(ticket, intents);
            }
            Command::FetchRange { ticket, range, request, plain_hash } => {
                let (intent, signed_at, lifetime_ms) = self.signed[request.url.parse::<usize>().unwrap()].clone();
                let (signed, is_there) = match intent {
                    Intent::GetJobOutput { range: Some(signed), job_id, .. } => (signed, job_id == self.job_id),
                    Intent::S3(s3::Intent::GetObject { range: Some(signed), .. }) => (signed, self.is_readable),
                    _ => panic!("another request was signed"),
                };
                assert_eq!(signed, self.in_source(range));
                assert!(self.now.since(signed_at) <= lifetime_ms / 5 * 4, "signed too long ago");
                assert!(range.is_tree_hash_aligned(self.download.len()), "{range:?}");
                assert!(self.in_flight.insert(ticket, range).is_none());
                self.fetched += 1;
                self.fetch(ticket, range, is_there, (signed_at, plain_hash));
            }
            Command::Deliver { ticket, range } => {
                assert_eq!(self.held.get(&ticket).map(|(held, _)| *held), Some(range), "held as it is delivered");
                if self.config.order == SinkOrder::InOrder {
                    assert!(self.writing.is_empty(), "a stream is written to by one");
                    assert_eq!(range.start(), self.sink.end, "in order");
                }
                assert!(self.writing.insert(ticket));
                let ms = 1 + self.rng.below(self.sink_ms);
                let well = !self.rng.chance(self.intensities.sink);
                let life = self.life;
                self.at(ms, Happening::Written(life, ticket, well));
            }
            Command::Close { ticket } => {
                assert!(self.in_flight.is_empty() && self.writing.is_empty() && self.held.is_empty());
                let well = !self.rng.chance(self.intensities.sink);
                self.report(5, if well { Event::Closed { ticket } } else { Event::CloseFailed { ticket } });
            }
            Command::Discard { ticket } => {
                if self.writing.remove(&ticket) {
                    assert!(matches!(self.download.state(), glacier_core::download::State::Aborted));
                }
                assert!(self.held.remove(&ticket).is_some(), "discarded once, and what there is");
            }
            Command::Cancel { ticket } => {
                let was_fetching = self.in_flight.remove(&ticket).is_some();
                assert!(was_fetching | self.signing.remove(&ticket), "cancelled while under way");
            }
        }
    }

    fn sign(&mut self, ticket: Ticket, intents: Vec<Intent>) {
        let ms = 2 + self.rng.below(80);
        let event = match self.intensities.of_sign(&mut self.rng) {
            Some(Fault::BlackHole) => return,
            Some(Fault::Refused(refusal)) => Event::SignRefused { ticket, response: refusal.response() },
            Some(Fault::Html) => {
                Event::SignRefused { ticket, response: Response { status: 200, ..Response::default() } }
            }
            Some(_) => Event::SignFailed { ticket, failure: SignFailure::Network },
            None => {
                let requests = intents.into_iter().map(|intent| {
                    self.signed.push((intent, self.now + ms, self.lifetime_ms));
                    SignedRequest {
                        method: Method::Get,
                        url: (self.signed.len() - 1).to_string(),
                        headers: Vec::new(),
                        body: None,
                        expires_in_ms: self.lifetime_ms,
                    }
                });
                Event::Signed { ticket, requests: requests.collect() }
            }
        };
        self.report(ms, event);
    }

    fn fetch(&mut self, ticket: Ticket, range: ByteRange, is_there: bool, (signed_at, plain_hash): (Instant, bool)) {
        let is_object = matches!(self.config.source, Source::Object(_));
        let scripted = self.script.iter().find(|(nth, _)| *nth == self.fetched).map(|(_, fault)| *fault);
        let mut fault = scripted.or_else(|| self.intensities.of_fetch(&mut self.rng));
        if fault == Some(Fault::Corrupt) && !self.is_vouched() && scripted.is_none() {
            // Nobody could find out.
            fault = Some(Fault::Broken);
        }
        let ms = 10 + self.rng.below(400) + if let Some(Fault::Slow(slow)) = fault { slow } else { 0 };
        let refused = match fault {
            Some(Fault::Lost) => return self.report(ms, Event::FetchFailed { ticket }),
            Some(Fault::BlackHole) => return,
            Some(Fault::Refused(refusal)) => Some(refusal.response()),
            _ if (self.now + ms / 2).since(signed_at) > SIGNATURE_MS => {
                Some(if is_object { S3_EXPIRED } else { EXPIRED }.response())
            }
            _ if !is_there && is_object => Some(refusal(403, "InvalidObjectState", "archived")),
            _ if !is_there => Some(refusal(404, "ResourceNotFoundException", "The job ID was not found: job")),
            _ => None,
        };
        if let Some(response) = refused {
            return self.report(ms, Event::Answered { ticket, response });
        }
        self.report(ms / 2, Event::Received { ticket, bytes: range.len() / 2 });
        match fault {
            Some(Fault::Broken) => return self.report(ms, Event::FetchFailed { ticket }),
            Some(Fault::Stuck) => return,
            _ => {}
        }
        self.report(ms, Event::Received { ticket, bytes: range.len() });
        let event = self.answer(ticket, range, fault, plain_hash);
        self.report(ms + 1, event);
    }

    fn answer(&self, ticket: Ticket, range: ByteRange, fault: Option<Fault>, plain_hash: bool) -> Event {
        let total = self.source_len();
        let other = TreeHash::from_bytes([0xbd; 32]);
        let truth = self.hash(range);
        let (mut status, mut len, mut tree_hash) = (206, range.len(), truth);
        let range = self.in_source(range);
        let mut content_range = Some(format!("bytes {}/{total}", range.inclusive()));
        let mut reported = self.is_vouched().then_some(truth);
        match fault {
            Some(Fault::Corrupt) => tree_hash = other,
            Some(Fault::WrongHeader) => reported = Some(other),
            Some(Fault::NoHeader) => reported = None,
            Some(Fault::OtherArchive) => (tree_hash, reported) = (other, Some(other)),
            Some(Fault::Short) => (len, tree_hash) = (len - 1, other),
            Some(Fault::Everything) => {
                // The driver stops reading past the range.
                (status, content_range, len, tree_hash) = (200, None, (len + 1).min(total), other);
            }
            Some(Fault::OtherRange) => {
                content_range = Some(format!("bytes {}-{}/{total}", range.start() + 1, range.end()));
                tree_hash = other;
            }
            Some(Fault::OtherTotal) => content_range = Some(format!("bytes {}/{}", range.inclusive(), total + 1)),
            Some(Fault::Html) => {
                (status, content_range, reported, len, tree_hash) = (200, None, None, 70, other);
            }
            _ => {}
        }
        if len == total && status == 200 {
            // The range was everything, and everything came.
            tree_hash = truth;
        }
        let mut headers: Vec<_> = content_range.map(|value| ("content-range".to_owned(), value)).into_iter().collect();
        headers.extend(reported.map(|hash| ("x-amz-sha256-tree-hash".to_owned(), hash.to_string())));
        if !self.etag.is_empty() {
            headers.push(("etag".to_owned(), format!("\"{}\"", self.etag)));
        }
        if !self.shows_headers {
            headers.clear();
        }
        let payload_hash = plain_hash.then(|| plain_hash_of(tree_hash));
        Event::Fetched { ticket, response: Response { status, headers, body: None }, len, tree_hash, payload_hash }
    }

    /// Ends of requests, as the driver sees them.
    pub fn settle(&mut self, event: &Event) {
        match event {
            Event::Closed { .. } => self.sink.closed += 1,
            Event::CloseFailed { .. } => self.sink.close_failures += 1,
            Event::Answered { ticket, .. } | Event::FetchFailed { ticket } => {
                self.in_flight.remove(ticket);
            }
            Event::Fetched { ticket, tree_hash, .. } => {
                // After a Cancel nothing is kept; what is said of it all the same comes too late.
                if let Some(range) = self.in_flight.remove(ticket) {
                    self.held.insert(*ticket, (range, *tree_hash));
                }
            }
            Event::Signed { ticket, .. } | Event::SignRefused { ticket, .. } | Event::SignFailed { ticket, .. } => {
                self.signing.remove(ticket);
            }
            _ => {}
        }
    }
}
