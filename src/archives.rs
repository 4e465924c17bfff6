//! The archives that an inventory lists, as they arrive: a job is waited for, its output is downloaded in order and read
//! step by step, and where a limit cut the inventory off, the job for what follows is started.
//!
//! The download runs ahead of who reads by the few ranges that it may hold, and no further: a range keeps its place until
//! it is read.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;

use futures_channel::oneshot::Receiver;
use glacier_core::error::UploadError;
use glacier_core::inventory::{self, ArchiveEntry, InventoryReader};
use glacier_core::settings::DownloadOptions;
use js_sys::Promise;
use wasm_bindgen::prelude::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, AbortSignal, MessageChannel};

use crate::call::Failure;
use crate::download::{Download, Wishes};
use crate::job::Job;
use crate::listening::Listening;
use crate::pages::Items;
use crate::sink::{Handover, Target};
use crate::vaults::{moment, object};
use crate::{ending, file};

/// One walk through an inventory.
pub(crate) struct Archives {
    /// Whose output is read, and the marker that it was started with here.
    job: RefCell<(Rc<Job>, Option<String>)>,
    reading: RefCell<Option<Reading>>,
    /// Stops what is under way.
    stop: Option<AbortController>,
    following: RefCell<Option<Listening>>,
    is_aborted: Cell<bool>,
    is_over: Cell<bool>,
}

impl Archives {
    pub(crate) fn new(job: Rc<Job>, signal: Option<AbortSignal>) -> Rc<Self> {
        let archives = Rc::new(Self {
            job: RefCell::new((job, None)),
            reading: RefCell::default(),
            stop: AbortController::new().ok(),
            following: RefCell::default(),
            is_aborted: Cell::new(false),
            is_over: Cell::new(false),
        });
        if let Some(signal) = signal {
            let following = ending::follow(&archives, &signal, |archives| {
                archives.is_aborted.set(true);
                archives.stop();
            });
            *archives.following.borrow_mut() = following;
        }
        archives
    }

    fn stop(&self) {
        if let Some(stop) = &self.stop {
            stop.abort();
        }
    }

    fn stop_signal(&self) -> Option<AbortSignal> {
        self.stop.as_ref().map(AbortController::signal)
    }

    /// Reads on until an archive is at hand; `false` at the end of the last job's output.
    async fn read_on(&self) -> Result<bool, Failure> {
        loop {
            if self.is_over.get() {
                return Ok(false);
            }
            if self.is_aborted.get() {
                return Err(Failure::Aborted);
            }
            let step = match self.reading.borrow_mut().as_mut() {
                Some(reading) => reading.step()?,
                None => Step::Begin,
            };
            match step {
                Step::Begin => self.begin().await?,
                Step::Archive => return Ok(true),
                Step::Read => turn().await,
                // The sender is dropped only for another one.
                Step::Wait(changed) => drop(changed.await),
                Step::End => {
                    self.reading.take();
                    if !self.go_on().await? {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Waits for the job and starts to download what it made.
    async fn begin(&self) -> Result<(), Failure> {
        let job = Rc::clone(&self.job.borrow().0);
        job.done(self.stop_signal()).await?;
        if !self.is_over.get() {
            *self.reading.borrow_mut() = Some(Reading::begin(&job, self.stop_signal())?);
        }
        Ok(())
    }

    /// Starts the job for what follows, if something does.
    async fn go_on(&self) -> Result<bool, Failure> {
        let (job, began_at) = self.job.borrow().clone();
        let next = inventory::next_job(&job.description.borrow(), began_at.as_deref())?;
        let Some(parameters) = next else {
            self.end();
            return Ok(false);
        };
        let marker = job.description.borrow().inventory.as_ref().and_then(|inventory| inventory.marker.clone());
        let next = Job::start(job.vault.clone(), parameters, self.stop_signal()).await?;
        *self.job.borrow_mut() = (next, marker);
        Ok(true)
    }
}

impl Items for Archives {
    fn at_hand(&self) -> Option<JsValue> {
        if self.is_aborted.get() {
            return None;
        }
        self.reading.borrow_mut().as_mut()?.archive().map(|archive| to_js(&archive))
    }

    fn more(self: Rc<Self>) -> Pin<Box<dyn Future<Output = Result<bool, Failure>>>> {
        Box::pin(async move {
            match self.read_on().await {
                // What was under way was stopped because nothing more is wanted.
                Err(Failure::Aborted) if self.is_over.get() => Ok(false),
                read => read,
            }
        })
    }

    fn end(&self) {
        self.is_over.set(true);
        self.following.take();
        self.stop();
        if let Some(reading) = self.reading.take() {
            reading.handover.wake();
        }
    }
}

impl Drop for Archives {
    /// Nobody can ask any more.
    fn drop(&mut self) {
        self.end();
    }
}

/// The output of one job on its way.
struct Reading {
    download: Rc<Download>,
    handover: Rc<Handover>,
    reader: InventoryReader,
    /// Read already, to see whether there is one.
    next: Option<ArchiveEntry>,
    is_finished: bool,
}

/// What a look at what has arrived led to.
enum Step {
    /// There is no output yet.
    Begin,
    /// An archive is at hand.
    Archive,
    /// Bytes were read; there may be an archive among them.
    Read,
    /// Nothing more has arrived.
    Wait(Receiver<()>),
    /// The output is read to its end.
    End,
}

impl Reading {
    fn begin(job: &Job, signal: Option<AbortSignal>) -> Result<Self, UploadError> {
        let description = job.description.borrow().clone();
        let format = inventory::format(&description)?;
        let reader = match description.output_len() {
            Some(len) => InventoryReader::of_len(format, len),
            None => InventoryReader::new(format),
        };
        let handover = Rc::<Handover>::default();
        let wishes = Wishes { options: DownloadOptions::of_inventory(), on_progress: None, signal };
        let target = Target::Handover(Rc::clone(&handover));
        let download = job.vault.session.downloads.start(job.source(), target, wishes)?;
        let (ended, ending) = (JsFuture::from(download.done()), Rc::clone(&handover));
        spawn_local(async move {
            // What came of it is asked of the download itself.
            let _ = ended.await;
            ending.wake();
        });
        Ok(Self { download, handover, reader, next: None, is_finished: false })
    }

    /// The next archive, if it has arrived whole and can be read.
    fn archive(&mut self) -> Option<ArchiveEntry> {
        // An error is given again, to `step`.
        self.next.take().or_else(|| self.reader.poll_archive()?.ok())
    }

    fn step(&mut self) -> Result<Step, Failure> {
        if let Some(archive) = self.reader.poll_archive() {
            self.next = Some(archive.map_err(UploadError::from)?);
            return Ok(Step::Archive);
        }
        if self.is_finished {
            return Ok(Step::End);
        }
        if let Some(bytes) = self.handover.take() {
            self.reader.push(&bytes);
            return Ok(Step::Read);
        }
        if let Some(failure) = self.download.failure() {
            return Err(failure);
        }
        if self.handover.is_closed() {
            self.reader.finish();
            self.is_finished = true;
            return Ok(Step::Read);
        }
        Ok(Step::Wait(self.handover.changed()))
    }
}

/// An `InventoryArchive`.
fn to_js(archive: &ArchiveEntry) -> JsValue {
    object(&[
        ("archiveId", archive.archive_id.as_str().into()),
        ("description", archive.description.as_str().into()),
        ("createdAt", moment(archive.created_at_ms)),
        ("size", file::count(archive.size)),
        ("treeHash", archive.tree_hash.to_string().into()),
    ])
    .into()
}

/// Lets the browser do what else it has to do. By a message, because timers wait: 4 ms where many follow each other, and
/// a second in a page that is not looked at.
async fn turn() {
    let Ok(channel) = MessageChannel::new() else { return };
    let message = Promise::new(&mut |resolve, _| channel.port1().set_onmessage(Some(&resolve)));
    if channel.port2().post_message(&JsValue::NULL).is_ok() {
        let _ = JsFuture::from(message).await;
    }
    channel.port1().close();
}
