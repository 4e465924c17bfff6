//! Any number of uploads within one budget of workers, memory and requests.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use glacier_core::error::UploadError;
use glacier_core::settings::{Settings, StreamSettings, UploadOptions};
use glacier_core::upload::{
    Deadlines, Event, FileIdentity, Journal as Position, Record, State, Upload as Machine, UploadConfig,
};
use js_sys::Promise;
use wasm_bindgen::prelude::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use crate::clock::{self, Timer};
use crate::connection::Connection;
use crate::driver::{Driver, Source};
use crate::file;
use crate::gateway::Gateway;
use crate::hash_pool::HashPool;
use crate::intake::Intake;
use crate::journal::Journal;
use crate::keeping::{Kept, Search};
use crate::stream::Stream;
use crate::task;
use crate::upload::Upload;

/// The uploads of one page to one target.
pub(crate) struct Uploader {
    settings: Settings,
    gateway: Rc<Gateway>,
    pool: HashPool,
    /// What later visits go on from.
    journal: Rc<Journal>,
    uploads: RefCell<Vec<Rc<Upload>>>,
    /// How many ran when shares were last given.
    sharing: Cell<u32>,
    admission: Cell<Admission>,
    connection: RefCell<Option<Connection>>,
    /// Itself, while an upload is under way: a page may well keep nothing but the promise of its end, and the garbage
    /// collector must not take the rest.
    busy: RefCell<Option<Rc<Self>>>,
}

/// Whether [`Uploader::admit`] is under way, and was called meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Admission {
    Idle,
    Busy,
    Again,
}

impl Uploader {
    pub(crate) fn new(settings: Settings, gateway: Gateway, pool: HashPool) -> Rc<Self> {
        let uploader = Rc::new(Self {
            settings,
            gateway: Rc::new(gateway),
            pool,
            journal: Rc::default(),
            uploads: RefCell::default(),
            sharing: Cell::new(0),
            admission: Cell::new(Admission::Idle),
            connection: RefCell::default(),
            busy: RefCell::default(),
        });
        let itself: Weak<Self> = Rc::downgrade(&uploader);
        let connection = Connection::new(move |online| {
            if let Some(uploader) = itself.upgrade() {
                for upload in uploader.running() {
                    upload.driver.feed(if online { Event::Online } else { Event::Offline });
                }
            }
        });
        *uploader.connection.borrow_mut() = Some(connection);
        uploader
    }

    /// Plans the upload of a file and starts it when there is room.
    pub(crate) fn add(self: &Rc<Self>, blob: Blob, options: UploadOptions) -> Result<Rc<Upload>, UploadError> {
        let UploadOptions { target, resume } = options;
        let plan = self.settings.plan(file::size(&blob))?;
        let config = self.config(UploadConfig::new(target, plan));
        let position = Position::new(&config);
        let search = file::identity(&blob).map(|file| Search {
            journal: Rc::clone(&self.journal),
            record: self.record(file, position),
            resume,
        });
        let upload = self.upload(Machine::new(config), blob);
        if let Some(search) = search {
            upload.driver.search_first(search);
        }
        Ok(upload)
    }

    /// Goes on with an upload of an earlier visit.
    pub(crate) fn go_on(self: &Rc<Self>, kept: Kept, blob: Blob) -> Result<Rc<Upload>, UploadError> {
        let position = kept.position();
        let machine = Machine::resume(self.config(position.config()), position)?;
        let upload = self.upload(machine, blob);
        upload.driver.keep(kept);
        Ok(upload)
    }

    /// Records of uploads to the same place as these.
    pub(crate) async fn records(&self) -> Result<Vec<Record>, JsValue> {
        let mut records = self.journal.all().await?;
        let place = &self.settings.place;
        records.retain(|record| record.is_to(self.gateway.url(), place));
        Ok(records)
    }

    pub(crate) const fn journal(&self) -> &Rc<Journal> {
        &self.journal
    }

    /// Of a new upload.
    fn record(&self, file: FileIdentity, journal: Position) -> Record {
        let now = clock::wall_ms();
        let endpoint = self.gateway.url().map(str::to_owned);
        Record { id: String::new(), endpoint, file, begun_at: now, saved_at: now, journal }
    }

    /// With what all uploads have in common.
    fn config(&self, config: UploadConfig) -> UploadConfig {
        let limits = self.settings.share(&config.plan, 1).limits;
        UploadConfig { retry: self.settings.gateway.retry, limits, ..config }
    }

    fn upload(self: &Rc<Self>, machine: Machine, blob: Blob) -> Rc<Upload> {
        let source = Source::File(blob);
        let upload = Upload::new(Driver::new(machine, source, Rc::clone(&self.gateway), self.pool.clone()));
        let changed = Rc::downgrade(&upload);
        self.enlist(&upload, move || {
            if let Some(upload) = changed.upgrade() {
                upload.publish();
            }
        });
        upload
    }

    /// Opens an upload of data that is yet to be written.
    pub(crate) fn stream(self: &Rc<Self>, settings: StreamSettings) -> Rc<Stream> {
        let StreamSettings { target, plan } = settings;
        let mut config = UploadConfig::new(target, plan);
        config.retry = self.settings.gateway.retry;
        config.limits = self.settings.share_for_stream(&plan, self.sharing.get() + 1).limits;
        let source = Source::Stream(Intake::default());
        let driver = Driver::new(Machine::stream(config), source, Rc::clone(&self.gateway), self.pool.clone());
        let stream = Stream::new(Upload::new(driver));
        let changed = Rc::downgrade(&stream);
        self.enlist(&stream.upload, move || {
            if let Some(stream) = changed.upgrade() {
                stream.upload.publish();
                stream.wake();
            }
        });
        stream
    }

    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes an upload among those that share the budget. `changed` is called whenever it has changed.
    fn enlist(self: &Rc<Self>, upload: &Rc<Upload>, changed: impl Fn() + 'static) {
        let uploader = Rc::downgrade(self);
        upload.driver.on_change(move || {
            changed();
            if let Some(uploader) = uploader.upgrade() {
                uploader.admit();
            }
        });
        self.uploads.borrow_mut().push(Rc::clone(upload));
        *self.busy.borrow_mut() = Some(Rc::clone(self));
        // Not inside this call: the page has yet to put its listeners on.
        let uploader = Rc::clone(self);
        task::spawn(async move { uploader.admit() });
    }

    /// Aborts what is not over and stops the workers.
    pub(crate) fn close(self: &Rc<Self>) -> Promise {
        *self.connection.borrow_mut() = None;
        let ends: js_sys::Array = self.all().iter().map(|upload| upload.abort()).collect();
        let uploader = Rc::clone(self);
        task::promise(async move {
            let _ = JsFuture::from(Promise::all_settled(&ends)).await;
            uploader.pool.close();
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Starts what there is room for, and shares the budget among what runs.
    fn admit(self: &Rc<Self>) {
        // What is started or given another share changes, and every change comes back here.
        if self.admission.replace(Admission::Again) != Admission::Idle {
            return;
        }
        while self.admission.replace(Admission::Busy) == Admission::Again {
            self.admit_once();
        }
        self.admission.set(Admission::Idle);
        let over = |state| matches!(state, State::Done(_) | State::Failed(_) | State::Aborted);
        let busy = !self.all().iter().all(|upload| over(upload.driver.state()));
        let itself = busy.then(|| Rc::clone(self));
        // Dropped outside the borrow: it may be the last.
        let before = self.busy.replace(itself);
        drop(before);
    }

    fn admit_once(self: &Rc<Self>) {
        self.uploads.borrow_mut().retain(|upload| !matches!(upload.driver.state(), State::Done(_) | State::Aborted));
        let max_running = usize::try_from(self.settings.max_running()).unwrap_or(usize::MAX);
        let mut running = self.running();
        let mut starting = self.all();
        starting.retain(|upload| matches!(upload.driver.state(), State::Planned) && !upload.driver.is_searching());
        // Streams take nobody's place and wait for none: one that nothing is written to would keep files waiting for
        // ever, and whoever writes to two in turn would wait for one that has not begun.
        let is_file = |upload: &Rc<Upload>| upload.driver.intake().is_none();
        let mut room = max_running.saturating_sub(running.iter().filter(|upload| is_file(upload)).count());
        starting.retain(|upload| {
            let fits = !is_file(upload) || room > 0;
            room = room.saturating_sub(usize::from(is_file(upload)));
            fits
        });
        running.extend(starting.iter().cloned());
        let sharing = u32::try_from(running.len()).unwrap_or(u32::MAX);
        if self.sharing.replace(sharing) != sharing || !starting.is_empty() {
            for upload in &running {
                let plan = upload.driver.with_machine(|machine| *machine.plan());
                upload.driver.set_share(match upload.driver.intake() {
                    None => self.settings.share(&plan, sharing),
                    Some(_) => self.settings.share_for_stream(&plan, sharing),
                });
            }
        }
        for upload in starting {
            match upload.driver.to_search() {
                None => upload.driver.feed(Event::Start),
                Some(search) => self.search(upload, search),
            }
        }
    }

    /// Looks for a record, then starts; without one where the browser does not say whether there is one.
    fn search(self: &Rc<Self>, upload: Rc<Upload>, search: Search) {
        let (late, uploader) = (Rc::clone(&upload), Rc::clone(self));
        let patience_ms = i32::try_from(Deadlines::default().journal_ms).unwrap_or(i32::MAX);
        upload.driver.begin_search(Timer::after(patience_ms, move || {
            let (late, uploader) = (Rc::clone(&late), Rc::clone(&uploader));
            // Out of the timer's own callback, which the start drops.
            task::spawn(async move { uploader.start_with(&late, None) });
        }));
        let uploader = Rc::clone(self);
        task::spawn(async move { uploader.start_with(&upload, search.find().await) });
    }

    /// Starts from the record that was found, if one was.
    fn start_with(&self, upload: &Rc<Upload>, found: Option<Kept>) {
        let is_awaited = upload.driver.is_searching();
        upload.driver.end_search();
        if !is_awaited {
            // It started without, or somebody gave up meanwhile.
            return;
        }
        if let Some(kept) = found {
            let position = kept.position();
            let (plan, config) = (position.plan, self.config(position.config()));
            if position.is_begun()
                && let Ok(machine) = Machine::resume_guessed(config, position)
            {
                upload.driver.replace(machine);
                // Its parts may be of another size than those of today.
                upload.driver.set_share(self.settings.share(&plan, self.sharing.get()));
            }
            upload.driver.keep(kept);
        }
        upload.driver.feed(Event::Start);
    }

    fn all(&self) -> Vec<Rc<Upload>> {
        self.uploads.borrow().clone()
    }

    fn running(&self) -> Vec<Rc<Upload>> {
        let mut uploads = self.all();
        uploads.retain(|upload| {
            upload.driver.is_searching()
                || matches!(
                    upload.driver.state(),
                    State::Initiating
                        | State::Transferring
                        | State::Completing
                        | State::Paused(glacier_core::upload::PauseReason::Offline)
                )
        });
        uploads
    }
}
