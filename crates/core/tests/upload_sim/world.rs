//! The world around one upload: a virtual clock, a network with faults, a gateway, hash workers, a file that may
//! change, a user, and the driver's part. Everything follows from the seed.

use std::collections::{BTreeMap, BTreeSet};

use glacier_core::glacier::VaultName;
use glacier_core::intent::Intent;
use glacier_core::retry::Operation;
use glacier_core::upload::{Command, Event, Journal, PauseReason, State, Target, Ticket, UploadConfig};
use glacier_core::{
    Instant, Jitter, MIB, PartDigest, PartPlan, PartSize, PayloadHash, Progress, TreeHash, Upload, sha256,
};

use crate::agenda::{Agenda, Turn};
use crate::faults::{Fault, Intensities, Rng};
use crate::s3_store::S3Store;
use crate::store::Store;
use crate::writer::Writer;

/// How long a signature of the simulated gateway is good.
pub const SIGNATURE_MS: u64 = 300_000;

/// Where archives go.
pub fn to_a_vault() -> Target {
    Target::Vault { vault: VaultName::new("photos").unwrap(), description: None }
}

/// How long the driver takes to store a record.
pub const JOURNAL_MS: u64 = 3;

#[derive(Debug)]
pub enum Happening {
    /// Reaches the machine, if that life of the page is not over.
    Report(u32, Event),
    /// Reaches the store; the answer goes back as the fault says.
    Arrival {
        life: u32,
        ticket: Ticket,
        request: usize,
        body: Option<PartDigest>,
        fault: Option<Fault>,
    },
    Expiry,
    LostPart,
    FileChange,
    Crash,
    /// Somebody else stores an object of the same key.
    Occupation,
    /// A stream's writer has its turn.
    Write,
    /// Faults stop, and whoever paused or failed is resumed.
    Quiet,
}

pub struct World {
    pub now: Instant,
    pub upload: Upload,
    pub config: UploadConfig,
    pub store: Store,
    pub s3: S3Store,
    pub journal: Option<Journal>,
    /// Every command, for scenarios and for comparing two runs.
    pub trace: Vec<(Instant, Command)>,
    pub journal_works: bool,
    /// Whether a later visit only guesses that the file is the same.
    pub guesses: bool,
    /// Faults of the n-th request of an operation, counted from 1.
    pub script: Vec<(Operation, u32, Fault)>,
    pub intensities: Intensities,
    pub file_version: u32,
    /// Whoever writes, where it is a stream.
    pub writer: Option<Writer>,
    /// Somebody else was there first.
    pub occupied: bool,
    /// The store lost a part or an upload that it had.
    pub harmed: bool,
    /// SendPart commands.
    pub parts_sent: u32,
    /// Most SendPart commands that the faults so far excuse, beyond one a part.
    pub excused: u32,
    pub lifetime_ms: u64,
    pub rng: Rng,
    pub seen: BTreeMap<&'static str, u32>,
    pub signed: Vec<(Intent, Instant)>,
    agenda: Agenda<Happening>,
    pub life: u32,
    /// What the driver holds for the machine.
    pub held: BTreeMap<u32, Option<PartDigest>>,
    pub in_flight: BTreeSet<Ticket>,
    pub signing: BTreeSet<Ticket>,
    shown: Progress,
}

impl World {
    pub fn new(seed: u64, n_parts: u32) -> Self {
        let size = u64::from(n_parts) * MIB - seed % MIB;
        let plan = PartPlan::exact(size, PartSize::MIN).unwrap();
        let config = UploadConfig::new(to_a_vault(), plan);
        Self::with(seed, config)
    }

    pub fn with(seed: u64, config: UploadConfig) -> Self {
        Self {
            now: Instant(1_000),
            upload: Upload::new(config.clone()),
            config,
            store: Store::default(),
            s3: S3Store::default(),
            journal: None,
            trace: Vec::new(),
            journal_works: true,
            guesses: false,
            script: Vec::new(),
            intensities: Intensities::default(),
            file_version: 0,
            writer: None,
            occupied: false,
            harmed: false,
            parts_sent: 0,
            excused: 0,
            lifetime_ms: SIGNATURE_MS,
            rng: Rng(seed),
            seen: BTreeMap::new(),
            signed: Vec::new(),
            agenda: Agenda::new(),
            life: 0,
            held: BTreeMap::new(),
            in_flight: BTreeSet::new(),
            signing: BTreeSet::new(),
            shown: Progress::default(),
        }
    }

    pub fn n_parts(&self) -> u32 {
        self.upload.plan().n_parts()
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
        self.agenda.enter(self.now + ms, happening);
    }

    pub fn user(&mut self, ms: u64, event: Event) {
        let life = self.life;
        self.at(ms, Happening::Report(life, event));
    }

    pub fn report(&mut self, ms: u64, event: Event) {
        self.user(ms, event);
    }

    /// Gives the machine an event now and does what it asks.
    pub fn tell(&mut self, event: Event) {
        self.settle(&event);
        self.note_known(&event);
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
            let timeout = self.upload.poll_timeout();
            match self.agenda.turn(&mut self.now, timeout, end) {
                None => return,
                Some(Turn::Timeout) => self.step(Upload::handle_timeout),
                Some(Turn::Happening(happening)) => self.happen(happening),
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
                if self.store.expire() || self.s3.expire() {
                    self.harmed = true;
                    self.excused += self.n_parts() * 2;
                }
            }
            Happening::LostPart => {
                let nth = usize::try_from(self.rng.below(64)).unwrap();
                if self.store.lose_part(nth) || self.s3.lose_part(nth) {
                    self.harmed = true;
                    self.excused += 1;
                }
            }
            Happening::FileChange => {
                self.file_version += 1;
                // A page that is opened again before a part's hash was recorded sends the file as it is now.
                self.excused += self.n_parts();
            }
            Happening::Crash => self.crash(),
            Happening::Occupation => self.occupied |= self.s3.occupy(),
            Happening::Write => self.write(),
            Happening::Quiet => {
                self.intensities = Intensities::default();
                match self.upload.state() {
                    State::Failed(error) if error.retryable => self.tell(Event::Resume),
                    State::Paused(PauseReason::User) => self.tell(Event::Resume),
                    _ => {}
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
        let upload = match self.journal.clone() {
            Some(journal) if self.guesses => Upload::resume_guessed(self.config.clone(), journal).unwrap(),
            Some(journal) => Upload::resume(self.config.clone(), journal).unwrap(),
            None => Upload::new(self.config.clone()),
        };
        self.visit(upload);
        self.tell(Event::Start);
    }

    /// Another page, of which nobody of before knows anything.
    pub fn visit(&mut self, upload: Upload) {
        self.life += 1;
        self.excused += self.config.limits.in_flight;
        self.held.clear();
        self.in_flight.clear();
        self.signing.clear();
        self.shown = Progress::default();
        self.upload = upload;
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
        self.check_stream();
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
}
