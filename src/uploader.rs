//! Any number of uploads within one budget of workers, memory and requests.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use glacier_core::error::UploadError;
use glacier_core::glacier::Description;
use glacier_core::settings::{Settings, StreamSettings};
use glacier_core::upload::{Event, State, Upload as Machine, UploadConfig};
use js_sys::Promise;
use wasm_bindgen::prelude::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use crate::connection::Connection;
use crate::driver::{Driver, Source};
use crate::file;
use crate::gateway::Gateway;
use crate::hash_pool::HashPool;
use crate::intake::Intake;
use crate::stream::Stream;
use crate::task;
use crate::upload::Upload;

/// The uploads of one page to one target.
pub(crate) struct Uploader {
    settings: Settings,
    gateway: Rc<Gateway>,
    pool: HashPool,
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
    pub(crate) fn add(
        self: &Rc<Self>,
        blob: Blob,
        description: Option<Description>,
    ) -> Result<Rc<Upload>, UploadError> {
        let plan = self.settings.plan(file::size(&blob))?;
        let mut config = UploadConfig::new(self.settings.vault.clone(), description, plan);
        config.retry = self.settings.gateway.retry;
        config.limits = self.settings.share(&plan, 1).limits;
        let source = Source::File(blob);
        let driver = Driver::new(Machine::new(config), source, Rc::clone(&self.gateway), self.pool.clone());
        let upload = Upload::new(driver);
        let changed = Rc::downgrade(&upload);
        self.enlist(&upload, move || {
            if let Some(upload) = changed.upgrade() {
                upload.publish();
            }
        });
        Ok(upload)
    }

    /// Opens an upload of data that is yet to be written.
    pub(crate) fn stream(self: &Rc<Self>, settings: StreamSettings) -> Rc<Stream> {
        let StreamSettings { description, plan } = settings;
        let mut config = UploadConfig::new(self.settings.vault.clone(), description, plan);
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

    fn admit_once(&self) {
        self.uploads.borrow_mut().retain(|upload| !matches!(upload.driver.state(), State::Done(_) | State::Aborted));
        let max_running = usize::try_from(self.settings.max_running()).unwrap_or(usize::MAX);
        let mut running = self.running();
        let mut starting = self.all();
        starting.retain(|upload| matches!(upload.driver.state(), State::Planned));
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
            upload.driver.feed(Event::Start);
        }
    }

    fn all(&self) -> Vec<Rc<Upload>> {
        self.uploads.borrow().clone()
    }

    fn running(&self) -> Vec<Rc<Upload>> {
        let mut uploads = self.all();
        uploads.retain(|upload| {
            matches!(
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
