//! Whoever writes to a stream: slow or in bursts, to the end or not.

use std::collections::BTreeSet;

use glacier_core::upload::{Command, Event, Intake, NotData, State, Ticket, UploadConfig};
use glacier_core::{ByteRange, Instant, Intent, Upload, s3};

use crate::world::{Happening, World};

/// What the writer does in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    Closes,
    /// Its source fails: it gives the stream up.
    Aborts,
    /// Writes something that is no bytes.
    Blunders,
}

#[derive(Debug)]
pub struct Writer {
    /// Bytes it means to write.
    pub wanted: u64,
    pub finish: Finish,
    /// Most bytes of one write, and longest wait between two.
    pub chunk: u64,
    pub gap_ms: u64,
    /// Bytes that the machine was told of.
    pub written: u64,
    pub ended: bool,
    /// Times there was no room.
    pub waited: u32,
    /// Parts whose bytes are gone, and how many bytes they had.
    pub dropped: BTreeSet<u32>,
    pub bytes_dropped: u64,
    /// Requests that open an upload, whose answer the machine waits for.
    pub opening: BTreeSet<Ticket>,
    /// Uploads that the machine knows of.
    pub known: BTreeSet<String>,
    /// Something went wrong on the way while the upload was being removed.
    pub hindered: bool,
}

impl Writer {
    pub fn new(wanted: u64, finish: Finish) -> Self {
        Self {
            wanted,
            finish,
            chunk: 400_000,
            gap_ms: 40,
            written: 0,
            ended: false,
            waited: 0,
            dropped: BTreeSet::new(),
            bytes_dropped: 0,
            opening: BTreeSet::new(),
            known: BTreeSet::new(),
            hindered: false,
        }
    }
}

impl World {
    /// A stream instead of a file. The plan of `config` is for the most that it may become.
    pub fn stream(seed: u64, config: UploadConfig, writer: Writer) -> Self {
        let mut world = Self::with(seed, config);
        world.upload = Upload::stream(world.config.clone());
        world.writer = Some(writer);
        world.at(0, Happening::Write);
        world
    }

    pub fn writer(&mut self) -> &mut Writer {
        self.writer.as_mut().unwrap()
    }

    /// Writes once, as much as the machine has room for, and comes back until there is no more to write.
    pub fn write(&mut self) {
        let Some(Intake { part, missing, room }) = self.upload.intake() else { return };
        let part_len = self.config.plan.part_size().bytes();
        let writer = self.writer.as_mut().unwrap();
        assert_eq!((u64::from(part), missing), (writer.written / part_len, part_len - writer.written % part_len));
        assert!(room <= missing);
        if writer.written == writer.wanted {
            writer.ended = writer.finish == Finish::Closes;
            let event = match writer.finish {
                Finish::Closes => Event::Ended,
                Finish::Aborts => Event::Abort,
                Finish::Blunders => Event::NotData(NotData::Kind),
            };
            return self.tell(event);
        }
        let chunk = (1 + self.rng.below(writer.chunk)).min(writer.wanted - writer.written).min(room);
        writer.waited += u32::from(chunk == 0);
        writer.written += chunk;
        let (written, again) = (writer.written, self.rng.below(writer.gap_ms + 1) + if chunk == 0 { 50 } else { 0 });
        if chunk > 0 {
            self.tell(Event::Written { bytes: written });
        }
        self.at(again, Happening::Write);
    }

    /// What is hashed is there: a full part, or the rest of a stream that has ended.
    pub fn check_written(&self, part: u32, range: ByteRange) {
        let Some(writer) = &self.writer else { return };
        let is_full = range.len() == self.config.plan.part_size().bytes();
        assert!(range.end() <= writer.written && (is_full || writer.ended), "{range:?} is not there yet");
        assert!(!writer.dropped.contains(&part), "part {part} is gone");
    }

    pub fn drop_part(&mut self, part: u32) {
        let range = self.upload.plan().range(part).unwrap();
        let is_there = self.store.has_part(range.start()) || self.s3.has_part(part);
        assert!(self.harmed || is_there, "part {part} is dropped and was not stored");
        let writer = self.writer();
        assert!(writer.dropped.insert(part), "part {part} was dropped before");
        writer.bytes_dropped += range.len();
    }

    pub fn note_opening(&mut self, ticket: Ticket, request: usize) {
        let opens = matches!(
            self.signed[request].0,
            Intent::InitiateMultipartUpload { .. } | Intent::S3(s3::Intent::CreateMultipartUpload { .. })
        );
        if let Some(writer) = self.writer.as_mut().filter(|_| opens) {
            writer.opening.insert(ticket);
        }
    }

    pub fn forget_opening(&mut self, ticket: Ticket) {
        if let Some(writer) = &mut self.writer {
            writer.opening.remove(&ticket);
        }
    }

    /// The machine is about to learn an upload's name.
    pub fn note_known(&mut self, event: &Event) {
        let (Some(writer), Event::Answered { ticket, response }) = (&mut self.writer, event) else { return };
        if writer.opening.remove(ticket) {
            let id = response.headers.iter().find(|(name, _)| name == "x-amz-multipart-upload-id");
            writer.known.extend(id.map(|(_, id)| id.clone()));
            let handle = response.body.as_ref().and_then(|body| body.text("upload"));
            writer.known.extend(handle.map(str::to_owned));
        }
    }

    pub fn note_hindrance(&mut self, is_fault: bool) {
        let is_removing = is_fault && self.upload.state() == State::Aborting;
        if let Some(writer) = self.writer.as_mut().filter(|_| is_removing) {
            writer.hindered = true;
        }
    }

    /// What must always hold of a stream.
    pub fn check_stream(&self) {
        let Some(writer) = &self.writer else { return };
        let limits = self.config.limits;
        let most = u64::from(limits.in_flight + limits.hash_ahead) * self.config.plan.part_size().bytes();
        let held = writer.written - writer.bytes_dropped;
        assert!(held <= most, "{held} bytes are held and {most} allowed");
        let over = matches!(self.upload.state(), State::Failed(_) | State::Aborted | State::Aborting);
        assert!(over || self.upload.bytes_written() == writer.written);
        assert!(self.upload.progress(self.now).eta_ms.is_none() || writer.ended);
        if writer.written == 0 {
            assert!(self.signed.is_empty(), "asked for something with no byte at hand");
        }
    }

    /// The end of a stream's upload: what the machine knows of at the store is complete or gone.
    pub fn assert_nothing_left(&self, state: &State) {
        let Some(writer) = &self.writer else { return };
        let left: Vec<&String> =
            writer.known.iter().filter(|id| self.store.is_open(id) || self.s3.is_open(id)).collect();
        assert!(left.is_empty() || writer.hindered, "{left:?} are left behind in {state:?}");
    }

    /// Whether that was ever to be signed.
    pub fn asked(&self, op: &str) -> bool {
        let is_wanted = |intent: &Intent| intent.op() == op;
        self.trace
            .iter()
            .any(|(_, command)| matches!(command, Command::Sign { intents, .. } if intents.iter().any(is_wanted)))
    }

    /// Until the state is `wanted`.
    pub fn run_to(&mut self, wanted: impl Fn(&State) -> bool) {
        for _ in 0..10_000_000 {
            if wanted(&self.upload.state()) {
                return;
            }
            self.run_until(Instant(self.now.0 + 1));
        }
        panic!("never came to pass in {:?}", self.upload.state());
    }
}
