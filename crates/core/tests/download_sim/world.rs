//! The world around one download: a virtual clock, a store, a gateway, a network with faults, a sink and a user.
//! Everything follows from the seed. Bytes are symbolic: of a range the world knows the tree hash.

use std::collections::{BTreeMap, BTreeSet};

use glacier_core::download::{Command, DownloadConfig, Event, SinkOrder, Source, State};
use glacier_core::error::ErrorCode;
use glacier_core::glacier::describe_job::{Action, JobDescription, JobStatus};
use glacier_core::glacier::{ArchiveId, JobId, VaultName};
use glacier_core::intent::Intent;
use glacier_core::upload::{PauseReason, Ticket};
use glacier_core::{ByteRange, Download, Instant, Jitter, MIB, TreeHash, sha256, tree_hash};

use crate::agenda::{Agenda, Turn};
use crate::faults::{Fault, Intensities, Rng};

/// How long a signature of the simulated gateway is good.
pub const SIGNATURE_MS: u64 = 300_000;

#[derive(Debug)]
pub enum Happening {
    /// Reaches the machine, if that life of the page is not over.
    Report(u32, Event),
    /// The sink has taken the bytes, or failed to.
    Written(u32, Ticket, bool),
    /// The store forgets the job; another one of the same range succeeds.
    Expiry,
    /// The page is gone without a word, and opened again.
    Crash,
    /// Faults stop, and whoever paused or failed is resumed.
    Quiet,
}

/// What the bytes were written to.
#[derive(Debug, Default)]
pub struct Sink {
    pub written: BTreeMap<u64, (ByteRange, TreeHash)>,
    /// One write at a time, and each where the one before ended.
    pub end: u64,
    pub failures: u32,
    pub closed: u32,
    pub close_failures: u32,
}

pub struct World {
    pub now: Instant,
    pub download: Download,
    pub config: DownloadConfig,
    pub rng: Rng,
    /// Every command, for scenarios and for comparing two runs.
    pub trace: Vec<(Instant, Command)>,
    /// Faults of the n-th FetchRange, counted from 1.
    pub script: Vec<(u32, Fault)>,
    pub intensities: Intensities,
    pub lifetime_ms: u64,
    /// Longest write.
    pub sink_ms: u64,
    pub sink: Sink,
    pub fetched: u32,
    /// When, and for how many milliseconds.
    pub signed: Vec<(Intent, Instant, u64)>,
    pub in_flight: BTreeMap<Ticket, ByteRange>,
    /// Kept by the driver: which bytes, and their hash.
    pub held: BTreeMap<Ticket, (ByteRange, TreeHash)>,
    pub writing: BTreeSet<Ticket>,
    pub signing: BTreeSet<Ticket>,
    pub life: u32,
    /// Job IDs the store has.
    pub job_id: JobId,
    /// Of the object under the name now.
    pub etag: String,
    /// The bucket lets the page see headers of its answers.
    pub shows_headers: bool,
    /// The object, or its restored copy.
    pub is_readable: bool,
    jobs: u32,
    /// What the page stored of the download.
    saved: Vec<(ByteRange, TreeHash)>,
    agenda: Agenda<Happening>,
    shown: (u64, u64),
}

/// An archive of seven MiB more than the output, and a job for the range.
pub fn job(id: &str, range: ByteRange, archive_size: u64) -> JobDescription {
    let is_aligned = range.is_tree_hash_aligned(archive_size);
    let tree_hash = is_aligned.then(|| hash_of(range.len(), ByteRange::new(0, range.len()).unwrap()));
    JobDescription {
        job_id: JobId::new(id).unwrap(),
        action: Action::ArchiveRetrieval,
        vault_arn: "arn".into(),
        creation_date: "2026-03-20T17:03:43.221Z".into(),
        status: JobStatus::Succeeded,
        status_message: None,
        completion_date: None,
        description: None,
        sns_topic: None,
        archive_id: ArchiveId::new("archive").ok(),
        archive_size: Some(archive_size),
        archive_tree_hash: None,
        range: Some(range),
        tree_hash,
        tier: None,
        inventory_size: None,
        inventory: None,
        job_output_path: None,
        output_location: None,
        select_parameters: None,
    }
}

pub fn output_of(job: JobDescription) -> Source {
    Source::Job { vault: VaultName::new("photos").unwrap(), job: Box::new(job) }
}

pub fn job_of(config: &mut DownloadConfig) -> &mut JobDescription {
    match &mut config.source {
        Source::Job { job, .. } => job,
        Source::Object(_) => panic!("an object is no job"),
    }
}

/// The true hash of `range` of an output of `len` bytes.
pub fn hash_of(len: u64, range: ByteRange) -> TreeHash {
    let leaves = range.start() / MIB..range.end().div_ceil(MIB);
    let leaf = |n: u64| TreeHash::from_bytes(sha256::digest(&[n.to_be_bytes(), len.to_be_bytes()].concat()));
    tree_hash::combine(&leaves.map(leaf).collect::<Vec<_>>())
}

impl World {
    pub fn new(seed: u64, source: Source, order: SinkOrder) -> Self {
        let (job_id, etag) = match &source {
            Source::Job { job, .. } => (job.job_id.clone(), String::new()),
            Source::Object(object) => (JobId::new("none").unwrap(), object.head.etag.clone()),
        };
        let mut config = DownloadConfig::new(source, order);
        config.piece_size = glacier_core::PartSize::MIN;
        Self {
            now: Instant(1_000),
            download: Download::new(config.clone()).unwrap(),
            config,
            rng: Rng(seed),
            trace: Vec::new(),
            script: Vec::new(),
            intensities: Intensities::default(),
            lifetime_ms: SIGNATURE_MS,
            sink_ms: 20,
            sink: Sink::default(),
            fetched: 0,
            signed: Vec::new(),
            in_flight: BTreeMap::new(),
            held: BTreeMap::new(),
            writing: BTreeSet::new(),
            signing: BTreeSet::new(),
            life: 0,
            job_id,
            etag,
            shows_headers: true,
            is_readable: true,
            jobs: 1,
            saved: Vec::new(),
            agenda: Agenda::new(),
            shown: (0, 0),
        }
    }

    /// Begins anew with the configuration as it is now.
    pub fn configure(&mut self, change: impl FnOnce(&mut DownloadConfig)) {
        change(&mut self.config);
        self.download = Download::new(self.config.clone()).unwrap();
    }

    pub fn is_vouched(&self) -> bool {
        let on_a_border = self.config.range().is_none_or(|range| range.start().is_multiple_of(MIB));
        matches!(&self.config.source, Source::Job { job, .. } if job.is_tree_hash_aligned() && on_a_border)
    }

    /// Where these bytes of the output are in what the store has.
    pub fn in_source(&self, range: ByteRange) -> ByteRange {
        let first = self.config.range().map_or(0, ByteRange::start);
        ByteRange::new(first + range.start(), first + range.end()).unwrap()
    }

    /// Bytes in all that the store has.
    pub fn source_len(&self) -> u64 {
        match &self.config.source {
            Source::Job { job, .. } => job.output_len().unwrap(),
            Source::Object(object) => object.head.size,
        }
    }

    pub fn hash(&self, range: ByteRange) -> TreeHash {
        hash_of(self.download.len(), range)
    }

    pub fn at(&mut self, ms: u64, happening: Happening) {
        self.agenda.enter(self.now + ms, happening);
    }

    pub fn report(&mut self, ms: u64, event: Event) {
        let life = self.life;
        self.at(ms, Happening::Report(life, event));
    }

    /// Gives the machine an event now and does what it asks.
    pub fn tell(&mut self, event: Event) {
        self.settle(&event);
        self.step(|download, now, jitter| download.handle_event(event, now, jitter));
    }

    /// Runs until nothing more happens by itself.
    pub fn run(&mut self) -> State {
        self.tell(Event::Start);
        self.run_on()
    }

    pub fn run_on(&mut self) -> State {
        self.run_until(Instant(u64::MAX));
        self.download.state().clone()
    }

    pub fn run_until(&mut self, end: Instant) {
        for _ in 0..1_000_000 {
            let timeout = self.download.poll_timeout();
            match self.agenda.turn(&mut self.now, timeout, end) {
                None => return,
                Some(Turn::Timeout) => self.step(Download::handle_timeout),
                Some(Turn::Happening(happening)) => self.happen(happening),
            }
        }
        panic!("no end in sight at {:?} in {:?}", self.now, self.download.state());
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Report(life, event) if life == self.life => self.tell(event),
            Happening::Written(life, ticket, well) if life == self.life => self.written(ticket, well),
            Happening::Report(..) | Happening::Written(..) => {}
            Happening::Expiry => {
                self.jobs += 1;
                self.job_id = JobId::new(format!("job-{}", self.jobs)).unwrap();
                self.is_readable = false;
            }
            Happening::Crash => self.crash(),
            Happening::Quiet => {
                self.intensities = Intensities::default();
                self.lifetime_ms = SIGNATURE_MS;
                match self.download.state().clone() {
                    State::Failed(error) if error.code == ErrorCode::JobExpired => {
                        self.renew();
                        self.tell(Event::Resume);
                    }
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

    /// Goes on with the job that the store has now.
    pub fn renew(&mut self) {
        self.restore();
        self.download.continue_with(self.config.source.clone()).unwrap();
    }

    /// Another job of the same bytes succeeds, or the object is restored again.
    fn restore(&mut self) {
        self.is_readable = true;
        if let Source::Job { job, .. } = &mut self.config.source {
            job.job_id = self.job_id.clone();
        }
    }

    fn written(&mut self, ticket: Ticket, well: bool) {
        self.writing.remove(&ticket);
        let Some((range, hash)) = self.held.remove(&ticket) else { return };
        if !well {
            self.sink.failures += 1;
            return self.tell(Event::DeliverFailed { ticket });
        }
        self.sink.end = range.end();
        self.sink.written.insert(range.start(), (range, hash));
        self.tell(Event::Delivered { ticket });
        self.saved = self.download.delivered();
    }

    pub fn is_over(&self) -> bool {
        match self.download.state() {
            State::Done(_) | State::Aborted => true,
            State::Failed(error) => !error.retryable && error.code != ErrorCode::JobExpired,
            _ => false,
        }
    }

    pub fn crash(&mut self) {
        if self.is_over() {
            return;
        }
        self.life += 1;
        self.held.clear();
        self.in_flight.clear();
        self.signing.clear();
        self.writing.clear();
        self.restore();
        if self.rng.chance(500) {
            // Another visit may choose another size.
            let sizes: Vec<_> = glacier_core::PartSize::all().take(4).collect();
            self.config.piece_size = self.rng.one_of(&sizes);
        }
        self.download = Download::resume(self.config.clone(), &self.saved).unwrap();
        self.shown = (0, 0);
        if self.config.order == SinkOrder::InOrder {
            // What a stream has beyond is cut off.
            self.sink.end = self.download.position();
            self.sink.written.split_off(&self.sink.end);
        }
        self.tell(Event::Start);
    }

    fn step(&mut self, step: impl FnOnce(&mut Download, Instant, Jitter)) {
        let jitter = Jitter::new(self.rng.fraction());
        step(&mut self.download, self.now, jitter);
        while let Some(command) = self.download.poll_command(self.now) {
            self.trace.push((self.now, command.clone()));
            self.perform(command);
            let limits = self.config.limits;
            let held = self.in_flight.len() + self.held.len();
            assert!(held <= usize::try_from(limits.held).unwrap(), "{held} pieces are held");
            assert!(self.in_flight.len() <= usize::try_from(limits.in_flight).unwrap(), "in flight");
            assert!(self.signing.len() <= 1, "one batch at a time");
        }
        let progress = self.download.progress(self.now);
        let shown = (progress.bytes_received, progress.bytes_delivered);
        assert!(self.shown.0 <= shown.0 && self.shown.1 <= shown.1, "{:?} then {shown:?}", self.shown);
        assert!(shown.1 <= shown.0 && shown.0 <= progress.bytes_total);
        self.shown = shown;
        if !matches!(self.download.state(), State::Fetching) {
            assert!(self.in_flight.is_empty() && self.signing.is_empty(), "nothing is under way");
        }
        if !matches!(self.download.state(), State::Fetching | State::Paused(PauseReason::Offline)) {
            assert_eq!(self.held.len(), self.writing.len(), "nothing is held but what is being written");
        }
    }
}
