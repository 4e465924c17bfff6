//! The driver's part, the gateway, and the network between: what becomes of each command.

use glacier_core::glacier::{Method, Response};
use glacier_core::intent::{Intent, SignedRequest};
use glacier_core::json::Json;
use glacier_core::retry::Operation;
use glacier_core::s3::CompositeChecksum;
use glacier_core::upload::{
    Command, Event, FileIdentity, HashFailure, Journal, Record, SendFailure, SignFailure, Ticket,
};
use glacier_core::{ByteRange, PartDigest, PayloadHash, TreeHash, s3};

use crate::faults::{Fault, HashFault};
use crate::refusal::{EXPIRED, S3_EXPIRED};
use crate::world::{Happening, JOURNAL_MS, SIGNATURE_MS, World};

impl World {
    pub fn perform(&mut self, command: Command) {
        match command {
            Command::HashPart { ticket, part, range } => {
                assert_eq!(self.upload.plan().range(part), Some(range));
                self.check_written(part, range);
                let ahead = self.held.len() - self.in_flight.len();
                assert!(ahead < usize::try_from(self.config.limits.hash_ahead).unwrap(), "hashed too far ahead");
                assert!(self.held.insert(part, None).is_none(), "part {part} was not released");
                self.hash(ticket, part, range);
            }
            Command::ReleasePart { part } => assert!(self.held.remove(&part).is_some(), "part {part} is not held"),
            Command::Sign { ticket, intents } => {
                assert!((1..=glacier_core::intent::MAX_INTENTS).contains(&intents.len()));
                self.signing.insert(ticket);
                self.sign(ticket, intents);
            }
            Command::Send { ticket, request } => {
                let nth = usize::try_from(request.url.parse::<u64>().unwrap()).unwrap();
                self.note_opening(ticket, nth);
                self.send(ticket, nth, None);
            }
            Command::SendPart { ticket, part, range, request } => {
                let nth = usize::try_from(request.url.parse::<u64>().unwrap()).unwrap();
                // A buffer holds what was hashed, whatever the file is by now.
                let held = self.held[&part].expect("hashed before it is sent");
                match &self.signed[nth].0 {
                    Intent::UploadMultipartPart { range: signed, tree_hash, payload_hash, .. } => {
                        assert_eq!((*signed, *tree_hash, *payload_hash), (range, held.tree_hash, held.payload_hash));
                    }
                    Intent::S3(s3::Intent::UploadPart { part_number, payload_hash, .. }) => {
                        assert_eq!((part_number.index(), *payload_hash), (part, held.payload_hash));
                    }
                    Intent::S3(s3::Intent::PutObject { size, payload_hash, tree_hash, .. }) => {
                        let signed = (0, *size, *payload_hash, *tree_hash);
                        assert_eq!(signed, (part, range.len(), held.payload_hash, held.tree_hash));
                    }
                    other => panic!("{} was signed for a part", other.op()),
                }
                self.parts_sent += 1;
                self.in_flight.insert(ticket);
                self.send(ticket, nth, Some((held, range)));
            }
            Command::Cancel { ticket } => {
                self.in_flight.remove(&ticket);
                self.signing.remove(&ticket);
                self.forget_opening(ticket);
            }
            Command::DropPart { part } => self.drop_part(part),
            Command::SaveJournal { ticket, journal } => {
                if self.journal_works {
                    self.journal = Some(kept(journal));
                    self.report(JOURNAL_MS, Event::JournalSaved { ticket });
                } else {
                    self.report(JOURNAL_MS, Event::JournalFailed { ticket });
                }
            }
            Command::DropJournal => self.journal = None,
        }
    }

    fn hash(&mut self, ticket: Ticket, part: u32, range: ByteRange) {
        let ms = 5 + self.rng.below(60);
        match self.intensities.hash_fault(&mut self.rng) {
            Some(HashFault::WorkerDied) => {
                return self.report(ms, Event::HashFailed { ticket, failure: HashFailure::WorkerDied });
            }
            Some(HashFault::Unreadable) => {
                return self.report(ms, Event::HashFailed { ticket, failure: HashFailure::Unreadable });
            }
            Some(HashFault::Stuck) => return,
            None => {}
        }
        self.report(ms / 2, Event::HashProgress { ticket, bytes: range.len() / 2 });
        let digest = self.digest(part);
        // The part is the driver's from now on; a release in between drops it and what the worker says is late.
        self.held.insert(part, Some(digest));
        self.report(ms, Event::Hashed { ticket, digest });
    }

    fn fault(&mut self, operation: Operation) -> Option<Fault> {
        let count = self.seen.entry(operation.as_str()).or_default();
        *count += 1;
        let nth = *count;
        let scripted = self.script.iter().find(|(of, at, _)| *of == operation && *at == nth);
        let fault = scripted.map(|(_, _, fault)| *fault).or_else(|| self.intensities.fault(operation, &mut self.rng));
        self.note_hindrance(fault.is_some());
        if fault.is_some() && operation.sends_bytes() {
            self.excused += 1;
        }
        fault
    }

    fn sign(&mut self, ticket: Ticket, intents: Vec<Intent>) {
        let ms = 2 + self.rng.below(80);
        let event = match self.fault(Operation::Sign) {
            Some(Fault::BlackHole | Fault::SilentAnswer) => return,
            Some(Fault::Refused(refusal)) => Event::SignRefused { ticket, response: refusal.response() },
            Some(Fault::Html) => {
                Event::SignRefused { ticket, response: Response { status: 200, ..Response::default() } }
            }
            Some(Fault::LostRequest | Fault::LostAnswer) => Event::SignFailed { ticket, failure: SignFailure::Network },
            _ => {
                let requests = intents.into_iter().map(|intent| {
                    self.signed.push((intent, self.now + ms));
                    SignedRequest {
                        method: Method::Put,
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

    fn send(&mut self, ticket: Ticket, request: usize, part: Option<(PartDigest, ByteRange)>) {
        let operation = operation_of(&self.signed[request].0);
        let fault = self.fault(operation);
        let ms = 10 + self.rng.below(400);
        if let Some((_, range)) = part {
            self.report(ms / 3, Event::Sent { ticket, bytes: range.len() / 3 });
        }
        let corrupt = PartDigest {
            payload_hash: PayloadHash::from_bytes([0xbd; 32]),
            tree_hash: TreeHash::from_bytes([0xbd; 32]),
        };
        let body = part.map(|(digest, _)| if fault == Some(Fault::Corrupt) { corrupt } else { digest });
        let life = self.life;
        match fault {
            Some(Fault::LostRequest) => {
                self.report(ms, Event::SendFailed { ticket, failure: SendFailure::Network });
                return;
            }
            Some(Fault::BlackHole) => return,
            Some(Fault::Duplicate) => {
                let late = ms + self.rng.below(120_000);
                self.at(late, Happening::Arrival { life, ticket, request, body, fault: None });
            }
            _ => {}
        }
        if let Some((_, range)) = part {
            self.report(ms, Event::Sent { ticket, bytes: range.len() });
        }
        let slow = if let Some(Fault::Slow(slow)) = fault { slow } else { 0 };
        self.at(ms + slow, Happening::Arrival { life, ticket, request, body, fault });
    }

    pub fn arrive(
        &mut self,
        life: u32,
        ticket: Ticket,
        request: usize,
        body: Option<PartDigest>,
        fault: Option<Fault>,
    ) {
        let (intent, signed_at) = self.signed[request].clone();
        let mut response = match fault {
            Some(Fault::Refused(refusal)) => refusal.response(),
            Some(Fault::Html) => Response { status: 200, ..Response::default() },
            _ if self.now.since(signed_at) > SIGNATURE_MS => {
                let is_presigned = operation_of(&intent).sends_bytes() && matches!(intent, Intent::S3(_));
                if is_presigned { S3_EXPIRED } else { EXPIRED }.response()
            }
            _ => match &intent {
                Intent::S3(intent) => self.s3.handle(intent, body),
                intent => self.store.handle(intent, body.map(|digest| digest.tree_hash)),
            },
        };
        if fault == Some(Fault::WrongEcho) {
            for (_, value) in response.headers.iter_mut().filter(|(name, _)| name == "x-amz-sha256-tree-hash") {
                *value = "0".repeat(64);
            }
            for (_, value) in response.headers.iter_mut().filter(|(name, _)| name == "x-amz-checksum-sha256") {
                *value = s3::checksum_header(&PayloadHash::from_bytes([0; 32]));
            }
            if let Some(Json::Object(members)) = &mut response.body {
                let other = CompositeChecksum::of_parts([PayloadHash::from_bytes([0; 32])]).unwrap();
                for (_, value) in members.iter_mut().filter(|(name, _)| name == "checksum") {
                    *value = Json::Text(other.to_string());
                }
            }
        }
        let back = 5 + self.rng.below(100);
        let event = match fault {
            Some(Fault::LostAnswer) => Event::SendFailed { ticket, failure: SendFailure::Network },
            Some(Fault::SilentAnswer) => return,
            _ => Event::Answered { ticket, response },
        };
        self.at(back, Happening::Report(life, event));
    }

    /// Ends of requests, as the driver sees them, free what it counts.
    pub fn settle(&mut self, event: &Event) {
        match event {
            Event::Answered { ticket, .. } | Event::SendFailed { ticket, .. } => {
                self.in_flight.remove(ticket);
            }
            Event::Signed { ticket, .. } | Event::SignRefused { ticket, .. } | Event::SignFailed { ticket, .. } => {
                self.signing.remove(ticket);
            }
            _ => {}
        }
    }
}

fn operation_of(intent: &Intent) -> Operation {
    match intent {
        Intent::InitiateMultipartUpload { .. } => Operation::InitiateMultipartUpload,
        Intent::UploadMultipartPart { .. } => Operation::UploadMultipartPart,
        Intent::ListParts { .. } => Operation::ListParts,
        Intent::CompleteMultipartUpload { .. } => Operation::CompleteMultipartUpload,
        Intent::AbortMultipartUpload { .. } => Operation::AbortMultipartUpload,
        Intent::S3(intent) => Operation::from_name(intent.op()).unwrap(),
        other => panic!("an upload has no use for {}", other.op()),
    }
}

/// As the next visit finds it.
fn kept(journal: Journal) -> Journal {
    let file = FileIdentity { name: "film.mov".into(), size: journal.plan.size(), last_modified: 1 };
    let record = Record { id: "a".into(), endpoint: None, file, begun_at: 1, saved_at: 1, journal };
    Record::read(&record.to_json()).expect("what was written is read").journal
}
