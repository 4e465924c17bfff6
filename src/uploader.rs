//! Any number of uploads within one budget of workers, memory and requests.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use glacier_core::error::UploadError;
use glacier_core::glacier::Description;
use glacier_core::settings::Settings;
use glacier_core::upload::{Event, State, UploadConfig};
use js_sys::Promise;
use wasm_bindgen::prelude::JsValue;
use web_sys::Blob;

use crate::connection::Connection;
use crate::driver::Driver;
use crate::file;
use crate::gateway::Gateway;
use crate::hash_pool::HashPool;
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
        let driver = Driver::new(config, blob, Rc::clone(&self.gateway), self.pool.clone());
        let upload = Upload::new(driver);
        let (uploader, changed) = (Rc::downgrade(self), Rc::downgrade(&upload));
        upload.driver.on_change(move || {
            if let Some(upload) = changed.upgrade() {
                upload.publish();
            }
            if let Some(uploader) = uploader.upgrade() {
                uploader.admit();
            }
        });
        self.uploads.borrow_mut().push(Rc::clone(&upload));
        *self.busy.borrow_mut() = Some(Rc::clone(self));
        // Not inside this call: the page has yet to put its listeners on.
        let uploader = Rc::clone(self);
        wasm_bindgen_futures::spawn_local(async move { uploader.admit() });
        Ok(upload)
    }

    /// Aborts what is not over and stops the workers.
    pub(crate) fn close(self: &Rc<Self>) -> Promise {
        *self.connection.borrow_mut() = None;
        let ends: js_sys::Array = self.all().iter().map(|upload| upload.abort()).collect();
        let uploader = Rc::clone(self);
        wasm_bindgen_futures::future_to_promise(async move {
            let _ = wasm_bindgen_futures::JsFuture::from(Promise::all_settled(&ends)).await;
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
        starting.truncate(max_running.saturating_sub(running.len()));
        running.extend(starting.iter().cloned());
        let sharing = u32::try_from(running.len()).unwrap_or(u32::MAX);
        if self.sharing.replace(sharing) != sharing || !starting.is_empty() {
            for upload in &running {
                let plan = upload.driver.with_machine(|machine| *machine.plan());
                upload.driver.set_share(self.settings.share(&plan, sharing));
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
