//! The world around one upload: a virtual clock, a network with faults, a gateway, hash workers, a file that may
//! change, a user, and the driver's part. Everything follows from the seed.

use std::collections::{BTreeMap, BTreeSet};

use glacier_core::glacier::{Method, Response, VaultName};
use glacier_core::intent::{Intent, SignedRequest};
use glacier_core::retry::Operation;
use glacier_core::upload::{
    Command, Event, HashFailure, Journal, PauseReason, SendFailure, SignFailure, State, Ticket, UploadConfig,
};
use glacier_core::{
    ByteRange, Instant, Jitter, MIB, PartDigest, PartPlan, PartSize, PayloadHash, Progress, TreeHash, Upload, sha256,
};

use crate::faults::{Fault, HashFault, Intensities, Rng};
use crate::store::{Store, refusal};

/// How long a signature of the simulated gateway is good.
pub const SIGNATURE_MS: u64 = 300_000;

#[derive(Debug)]
pub enum Happening {
    /// Reaches the machine, if that life of the page is not over.
    Report(u32, Event),
    /// Reaches the store; the answer goes back as the fault says.
    Arrival {
        life: u32,
        ticket: Ticket,
        request: usize,
        body: Option<TreeHash>,
        fault: Option<Fault>,
    },
    Expiry,
    LostPart,
    FileChange,
    Crash,
    /// Faults stop, and whoever paused or failed is resumed.
    Quiet,
}

pub struct World {
    pub now: Instant,
    pub upload: Upload,
    pub config: UploadConfig,
    pub store: Store,
    pub journal: Option<Journal>,
    /// Every command, for scenarios and for comparing two runs.
    pub trace: Vec<(Instant, Command)>,
    pub journal_works: bool,
    /// Faults of the n-th request of an operation, counted from 1.
    pub script: Vec<(Operation, u32, Fault)>,
    pub intensities: Intensities,
    pub file_version: u32,
    /// SendPart commands.
    pub parts_sent: u32,
    /// Most SendPart commands that the faults so far excuse, beyond one a part.
    pub excused: u32,
    pub lifetime_ms: u64,
    rng: Rng,
    seen: BTreeMap<&'static str, u32>,
    signed: Vec<(Intent, Instant)>,
    agenda: BTreeMap<(Instant, u64), Happening>,
    sequence: u64,
    life: u32,
    /// What the driver holds for the machine.
    held: BTreeMap<u32, Option<PartDigest>>,
    in_flight: BTreeSet<Ticket>,
    signing: BTreeSet<Ticket>,
    shown: Progress,
}

impl World {
    pub fn new(seed: u64, n_parts: u32) -> Self {
        let size = u64::from(n_parts) * MIB - seed % MIB;
        let plan = PartPlan::exact(size, PartSize::MIN).unwrap();
        let config = UploadConfig::new(VaultName::new("photos").unwrap(), None, plan);
        Self::with(seed, config)
    }

    pub fn with(seed: u64, config: UploadConfig) -> Self {
        Self {
            now: Instant(1_000),
            upload: Upload::new(config.clone()),
            config,
            store: Store::default(),
            journal: None,
            trace: Vec::new(),
            journal_works: true,
            script: Vec::new(),
            intensities: Intensities::default(),
            file_version: 0,
            parts_sent: 0,
            excused: 0,
            lifetime_ms: SIGNATURE_MS,
            rng: Rng(seed),
            seen: BTreeMap::new(),
            signed: Vec::new(),
            agenda: BTreeMap::new(),
            sequence: 0,
            life: 0,
            held: BTreeMap::new(),
            in_flight: BTreeSet::new(),
            signing: BTreeSet::new(),
            shown: Progress::default(),
        }
    }

    pub fn n_parts(&self) -> u32 {
        self.config.plan.n_parts()
    }

    pub fn digest(&self, part: u32) -> PartDigest {
        let tag = |kind: u8| [&part.to_be_bytes()[..], &self.file_version.to_be_bytes(), &[kind]].concat();
        PartDigest { payload_hash: PayloadHash::of(&tag(0)), tree_hash: TreeHash::from_bytes(sha256::digest(&tag(1))) }
    }

    pub fn tree_hash(&self) -> TreeHash {
        let parts: Vec<TreeHash> = (0..self.n_parts()).map(|part| self.digest(part).tree_hash).collect();
        glacier_core::tree_hash::combine(&parts)
    }

    pub fn at(&mut self, ms: u64, happening: Happening) {
        self.sequence += 1;
        self.agenda.insert((self.now + ms, self.sequence), happening);
    }

    pub fn user(&mut self, ms: u64, event: Event) {
        let life = self.life;
        self.at(ms, Happening::Report(life, event));
    }

    fn report(&mut self, ms: u64, event: Event) {
        self.user(ms, event);
    }

    /// Gives the machine an event now and does what it asks.
    pub fn tell(&mut self, event: Event) {
        self.settle(&event);
        self.step(|upload, now, jitter| upload.handle_event(event, now, jitter));
    }

    /// Runs until nothing more happens by itself.
    pub fn run(&mut self) -> State {
        self.tell(Event::Start);
        self.run_on()
    }

    pub fn run_on(&mut self) -> State {
        self.run_until(Instant(u64::MAX));
        self.upload.state()
    }

    pub fn run_until(&mut self, end: Instant) {
        for _ in 0..2_000_000 {
            let happening = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let timeout = self.upload.poll_timeout();
            let Some(next) = happening.into_iter().chain(timeout).min() else { return };
            if next > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            if timeout.is_some_and(|timeout| timeout <= self.now) && happening.is_none_or(|at| at > self.now) {
                self.step(Upload::handle_timeout);
            } else if let Some((_, happening)) = self.agenda.pop_first() {
                self.happen(happening);
            }
        }
        panic!("no end in sight at {:?} in {:?}", self.now, self.upload.state());
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Report(life, event) if life == self.life => {
                if matches!(event, Event::Pause | Event::Offline) {
                    self.excused += self.config.limits.in_flight;
                }
                self.tell(event);
            }
            Happening::Report(..) => {}
            Happening::Arrival { life, ticket, request, body, fault } => {
                self.arrive(life, ticket, request, body, fault)
            }
            Happening::Expiry => {
                if self.store.expire() {
                    self.excused += self.n_parts() * 2;
                }
            }
            Happening::LostPart => {
                let nth = usize::try_from(self.rng.below(64)).unwrap();
                self.excused += u32::from(self.store.lose_part(nth));
            }
            Happening::FileChange => {
                self.file_version += 1;
                // A page that is opened again before a part's hash was recorded sends the file as it is now.
                self.excused += self.n_parts();
            }
            Happening::Crash => self.crash(),
            Happening::Quiet => {
                self.intensities = Intensities::default();
                if matches!(&self.upload.state(), State::Failed(error) if error.retryable) {
                    self.tell(Event::Resume);
                } else if self.upload.state() == State::Paused(PauseReason::User) {
                    self.tell(Event::Resume);
                }
                self.tell(Event::Online);
                if !self.is_over() {
                    // A failure may still come of what happened before.
                    self.at(3_600_000, Happening::Quiet);
                }
            }
        }
    }

    pub fn is_over(&self) -> bool {
        match self.upload.state() {
            State::Done(_) | State::Aborted => true,
            State::Failed(error) => !error.retryable,
            _ => false,
        }
    }

    /// The page is gone without a word, and opened again.
    pub fn crash(&mut self) {
        if self.is_over() || self.upload.state() == State::Aborting {
            return;
        }
        self.life += 1;
        self.excused += self.config.limits.in_flight;
        self.held.clear();
        self.in_flight.clear();
        self.signing.clear();
        self.shown = Progress::default();
        self.upload = match self.journal.clone() {
            Some(journal) => Upload::resume(self.config.clone(), journal).unwrap(),
            None => Upload::new(self.config.clone()),
        };
        self.tell(Event::Start);
    }

    fn step(&mut self, step: impl FnOnce(&mut Upload, Instant, Jitter)) {
        let jitter = Jitter::new(self.rng.fraction());
        let could_go_on = self.upload.error().is_none();
        step(&mut self.upload, self.now, jitter);
        if could_go_on && self.upload.error().is_some() {
            // What was in flight is cancelled.
            self.excused += self.config.limits.in_flight;
        }
        self.obey();
    }

    /// Takes and carries out all commands, and checks what must always hold.
    fn obey(&mut self) {
        while let Some(command) = self.upload.poll_command(self.now) {
            self.trace.push((self.now, command.clone()));
            self.perform(command);
            let limits = self.config.limits;
            assert!(self.held.len() <= usize::try_from(limits.in_flight + limits.hash_ahead).unwrap(), "memory");
            assert!(self.in_flight.len() <= usize::try_from(limits.in_flight).unwrap(), "in flight");
            assert!(self.signing.len() <= 1, "one batch at a time");
        }
        let shown = self.upload.progress(self.now);
        for (before, after) in [
            (self.shown.bytes_hashed, shown.bytes_hashed),
            (self.shown.bytes_sent, shown.bytes_sent),
            (self.shown.bytes_confirmed, shown.bytes_confirmed),
        ] {
            assert!(before <= after && after <= shown.bytes_total, "{:?} then {shown:?}", self.shown);
        }
        assert!(shown.bytes_confirmed <= shown.bytes_sent);
        self.shown = shown;
        if !matches!(self.upload.state(), State::Initiating | State::Transferring | State::Paused(PauseReason::Offline))
        {
            assert!(self.held.is_empty(), "parts {:?} are held in {:?}", self.held.keys(), self.upload.state());
        }
    }

    fn perform(&mut self, command: Command) {
        match command {
            Command::HashPart { ticket, part, range } => {
                assert_eq!(self.config.plan.range(part), Some(range));
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
                self.send(ticket, nth, None);
            }
            Command::SendPart { ticket, part, range, request } => {
                let nth = usize::try_from(request.url.parse::<u64>().unwrap()).unwrap();
                // A buffer holds what was hashed, whatever the file is by now.
                let held = self.held[&part].expect("hashed before it is sent");
                let Intent::UploadMultipartPart { range: signed, tree_hash, payload_hash, .. } = &self.signed[nth].0
                else {
                    panic!("another request was signed")
                };
                assert_eq!((*signed, *tree_hash, *payload_hash), (range, held.tree_hash, held.payload_hash));
                self.parts_sent += 1;
                self.in_flight.insert(ticket);
                self.send(ticket, nth, Some((held.tree_hash, range)));
            }
            Command::Cancel { ticket } => {
                self.in_flight.remove(&ticket);
                self.signing.remove(&ticket);
            }
            Command::SaveJournal { ticket, journal } => {
                if self.journal_works {
                    self.journal = Some(journal);
                    self.report(3, Event::JournalSaved { ticket });
                } else {
                    self.report(3, Event::JournalFailed { ticket });
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
        if fault.is_some() && operation == Operation::UploadMultipartPart {
            self.excused += 1;
        }
        fault
    }

    fn sign(&mut self, ticket: Ticket, intents: Vec<Intent>) {
        let ms = 2 + self.rng.below(80);
        let event = match self.fault(Operation::Sign) {
            Some(Fault::BlackHole | Fault::SilentAnswer) => return,
            Some(Fault::Answer(status, code, message)) => {
                Event::SignRefused { ticket, response: refusal(status, code, message) }
            }
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
                        expires_in_ms: self.lifetime_ms,
                    }
                });
                Event::Signed { ticket, requests: requests.collect() }
            }
        };
        self.report(ms, event);
    }

    fn send(&mut self, ticket: Ticket, request: usize, part: Option<(TreeHash, ByteRange)>) {
        let operation = operation_of(&self.signed[request].0);
        let fault = self.fault(operation);
        let ms = 10 + self.rng.below(400);
        if let Some((_, range)) = part {
            self.report(ms / 3, Event::Sent { ticket, bytes: range.len() / 3 });
        }
        let body = part.map(|(tree_hash, _)| if fault == Some(Fault::Corrupt) { self.tree_hash() } else { tree_hash });
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

    fn arrive(&mut self, life: u32, ticket: Ticket, request: usize, body: Option<TreeHash>, fault: Option<Fault>) {
        let (intent, signed_at) = self.signed[request].clone();
        let mut response = match fault {
            Some(Fault::Answer(status, code, message)) => refusal(status, code, message),
            Some(Fault::RetryAfter(status, seconds)) => {
                let mut response = refusal(status, "ServiceUnavailableException", "busy");
                response.headers.push(("retry-after".into(), seconds.into()));
                response
            }
            Some(Fault::Html) => Response { status: 200, ..Response::default() },
            _ if self.now.since(signed_at) > SIGNATURE_MS => {
                refusal(403, "InvalidSignatureException", "Signature expired: a is now earlier than b (c - 5 min.)")
            }
            _ => self.store.handle(&intent, body),
        };
        if fault == Some(Fault::WrongEcho) {
            for (_, value) in response.headers.iter_mut().filter(|(name, _)| name == "x-amz-sha256-tree-hash") {
                *value = "0".repeat(64);
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
    fn settle(&mut self, event: &Event) {
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
    }
}
