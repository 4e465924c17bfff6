//! One download as a page sees it: events, the promise of its end, cancellation, and going on after a reload.

mod check;
mod driver;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use glacier_core::Download as Machine;
use glacier_core::download::{Checkpoint, DownloadConfig, Event, Limits, Outcome, Source, State};
use glacier_core::error::{ErrorCode, UploadError};
use glacier_core::settings::{self, DownloadOptions, GatewaySettings};
use js_sys::{Function, Object, Promise};
use wasm_bindgen::prelude::JsValue;
use web_sys::AbortSignal;

use self::driver::Driver;
use crate::call::Failure;
use crate::clock;
use crate::connection::Connection;
use crate::ending::{self, Awaited, Waiters};
use crate::error;
use crate::events::{self, EventName, Events, Shown};
use crate::file::number;
use crate::gateway::Gateway;
use crate::hash_pool::HashPool;
use crate::json::{self, set};
use crate::listening::Listening;
use crate::sink::{Sink, Target};
use crate::task;

/// One download and who listens to it.
pub(crate) struct Download {
    driver: Rc<Driver>,
    beginning: Cell<Beginning>,
    events: Events,
    waiting: Waiters,
    following: RefCell<Option<Listening>>,
    connection: RefCell<Option<Connection>>,
    /// Itself, while it is under way: a page may well keep nothing but the promise of its end, and the garbage
    /// collector must not take the rest.
    busy: RefCell<Option<Rc<Self>>>,
    /// Told after every change, besides the page.
    changed: RefCell<Rc<dyn Fn()>>,
}

/// Whether it has begun to fetch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beginning {
    /// What an earlier visit left is hashed.
    Checking,
    /// The same, and it is to stand still then.
    CheckingPaused,
    Over,
}

impl Shown for Download {
    fn events(&self) -> &Events {
        &self.events
    }

    fn state(&self) -> &'static str {
        let state = self.driver.state();
        match state {
            State::Planned if self.beginning.get() != Beginning::Over => "checking",
            State::Planned | State::Fetching | State::Closing { .. } => "downloading",
            // Until the sink knows, the page need not.
            _ if !self.driver.is_settled() => "downloading",
            State::Paused(_) => "paused",
            State::Done(_) => "done",
            State::Failed(_) => "failed",
            State::Aborted => "aborted",
        }
    }

    fn progress(&self) -> JsValue {
        let mut progress = self.driver.with_machine(|machine| machine.progress(clock::now()));
        if self.beginning.get() != Beginning::Over {
            // What was claimed counts when it has been found, because no count goes down.
            (progress.bytes_received, progress.bytes_delivered) = (0, 0);
        }
        let object = Object::new();
        for (key, bytes) in [
            ("bytesReceived", progress.bytes_received),
            ("bytesDelivered", progress.bytes_delivered),
            ("bytesTotal", progress.bytes_total),
            ("bytesPerSecond", progress.bytes_per_second),
        ] {
            set(&object, key, &number(bytes).into());
        }
        set(&object, "etaMs", &progress.eta_ms.map_or(JsValue::NULL, |ms| number(ms).into()));
        object.into()
    }
}

/// What a page said of one download.
pub(crate) struct Wishes {
    pub(crate) options: DownloadOptions,
    pub(crate) on_progress: Option<Function>,
    pub(crate) signal: Option<AbortSignal>,
}

impl Download {
    /// Plans the download of a job's output or of an object, takes possession of the target, and starts.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`], [`ErrorCode::JobNotReady`], [`ErrorCode::ChecksumMismatchWhole`].
    pub(crate) fn start(
        source: Source,
        target: Target,
        wishes: Wishes,
        settings: &GatewaySettings,
        (gateway, pool): (Rc<Gateway>, HashPool),
    ) -> Result<Rc<Self>, UploadError> {
        let mut config = DownloadConfig::new(source, target.order());
        wishes.options.apply(&mut config, settings)?;
        let from = wishes.options.from.as_ref();
        let machine = begin(&config, from)?;
        match (&target, from) {
            (Target::Blob, None) => settings::check_blob(machine.len())?,
            (Target::File(_), _) | (_, None) => {}
            (_, Some(_)) => {
                let message = "from goes with a FileSystemFileHandle: nothing else can be read to see what it has";
                return Err(UploadError::new(ErrorCode::InvalidOption, message));
            }
        }
        let sink = Sink::new(target, &pool, from.is_some()).map_err(|_| {
            UploadError::new(ErrorCode::InvalidOption, "The stream gives no writer: somebody else writes to it")
        })?;
        let beginning = if from.is_some() { Beginning::Checking } else { Beginning::Over };
        let download = Rc::new(Self {
            driver: Driver::new(machine, sink, gateway, pool),
            beginning: Cell::new(beginning),
            events: Events::new(if from.is_some() { "checking" } else { "downloading" }),
            waiting: Waiters::default(),
            following: RefCell::default(),
            connection: RefCell::default(),
            busy: RefCell::default(),
            changed: RefCell::new(Rc::new(|| {})),
        });
        *download.busy.borrow_mut() = Some(Rc::clone(&download));
        let changed = Rc::downgrade(&download);
        download.driver.on_change(move || {
            if let Some(download) = changed.upgrade() {
                download.publish();
            }
        });
        if let Some(on_progress) = wishes.on_progress {
            events::on(&download, EventName::Progress, on_progress);
        }
        if let Some(signal) = wishes.signal {
            let following = ending::follow(&download, &signal, |download| download.driver.feed(Event::Abort));
            *download.following.borrow_mut() = following;
        }
        let connected = Rc::downgrade(&download);
        *download.connection.borrow_mut() = Some(Connection::new(move |is_online| {
            if let Some(download) = connected.upgrade() {
                download.driver.feed(if is_online { Event::Online } else { Event::Offline });
            }
        }));
        // Not inside this call: the page has yet to put its listeners on.
        let begun = Rc::clone(&download);
        task::spawn(async move { begun.begin(config).await });
        Ok(download)
    }

    async fn begin(self: Rc<Self>, config: DownloadConfig) {
        if self.beginning.get() != Beginning::Over {
            let claimed = self.driver.with_machine(Machine::checkpoint);
            let found = check::found(&self.driver, claimed).await;
            let to_pause = self.beginning.replace(Beginning::Over) == Beginning::CheckingPaused;
            if self.driver.state() != State::Planned {
                return;
            }
            match found.map(|found| begin(&config, Some(&found))) {
                Ok(Ok(machine)) => self.driver.replace(machine),
                // Some of the ranges of a checkpoint that was good are a good one.
                Ok(Err(_)) => {}
                Err(thrown) => return self.driver.lose_sink(thrown),
            }
            if to_pause {
                self.driver.feed(Event::Start);
                return self.driver.feed(Event::Pause);
            }
        }
        self.driver.feed(Event::Start);
    }

    /// The `UploadError`, while failed.
    pub(crate) fn error(&self) -> JsValue {
        match self.driver.state() {
            State::Failed(error) if self.driver.is_settled() => error::to_js(&error, &self.driver.cause(&error)),
            _ => JsValue::UNDEFINED,
        }
    }

    /// Why there will be no more, once it has failed or was given up.
    pub(crate) fn failure(&self) -> Option<Failure> {
        match self.driver.state() {
            State::Failed(error) => {
                let cause = self.driver.cause(&error);
                Some(Failure::Error(error, cause))
            }
            State::Aborted => Some(Failure::Aborted),
            _ => None,
        }
    }

    /// What is delivered, as plain data.
    pub(crate) fn checkpoint(&self) -> JsValue {
        json::to_js(&self.driver.with_machine(Machine::checkpoint).to_json())
    }

    /// Adds a listener; the function returned removes it.
    pub(crate) fn on(self: &Rc<Self>, event: EventName, callback: Function) -> Function {
        events::on(self, event, callback)
    }

    /// The promise of what comes of it.
    pub(crate) fn done(&self) -> Promise {
        self.wait(Awaited::Outcome)
    }

    /// Stops fetching.
    pub(crate) fn pause(&self) {
        match self.beginning.get() {
            Beginning::Over => self.driver.feed(Event::Pause),
            _ => self.beginning.set(Beginning::CheckingPaused),
        }
    }

    /// Goes on.
    pub(crate) fn resume(self: &Rc<Self>) {
        match self.beginning.get() {
            Beginning::Over => {
                self.stay();
                self.driver.feed(Event::Resume);
            }
            _ => self.beginning.set(Beginning::Checking),
        }
    }

    /// Goes on with another job, after the first has expired.
    pub(crate) fn continue_with(self: &Rc<Self>, source: Source) -> Result<(), UploadError> {
        self.driver.continue_with(source)?;
        self.stay();
        Ok(())
    }

    /// Gives up; the promise settles when that is over.
    pub(crate) fn abort(&self) -> Promise {
        let end = self.wait(Awaited::End);
        self.driver.feed(Event::Abort);
        end
    }

    /// Calls `listener` after every change, instead of the one before: it may run now, or no more.
    pub(crate) fn on_running(&self, listener: impl Fn() + 'static) {
        *self.changed.borrow_mut() = Rc::new(listener);
    }

    /// Takes a new share of the budget.
    pub(crate) fn share(&self, limits: impl FnOnce(&Machine) -> Limits) {
        let limits = self.driver.with_machine(limits);
        self.driver.set_limits(limits);
    }

    /// Whether it takes its share of the budget.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.driver.state(), State::Planned | State::Fetching | State::Closing { .. })
    }

    fn stay(self: &Rc<Self>) {
        if !self.is_over() {
            *self.busy.borrow_mut() = Some(Rc::clone(self));
        }
    }

    fn publish(self: &Rc<Self>) {
        let is_over = self.is_over();
        events::publish(self, is_over);
        if is_over {
            self.settle();
            // Dropped outside the borrow: it may be the last.
            let itself = self.busy.take();
            drop(itself);
        }
        let changed = Rc::clone(&self.changed.borrow());
        changed();
    }

    fn is_over(&self) -> bool {
        matches!(self.driver.state(), State::Done(_) | State::Failed(_) | State::Aborted) && self.is_settled()
    }

    fn is_settled(&self) -> bool {
        self.driver.is_settled()
    }

    fn wait(&self, for_what: Awaited) -> Promise {
        let promise = self.waiting.wait(for_what);
        if self.is_over() {
            self.settle();
        }
        promise
    }

    fn settle(&self) {
        let state = self.driver.state();
        // A failure is no end for who asked to abort: that comes next.
        let is_end = !matches!(state, State::Failed(_));
        if is_end {
            *self.following.borrow_mut() = None;
            *self.connection.borrow_mut() = None;
        }
        let outcome = match &state {
            State::Done(outcome) => Ok(self.downloaded(outcome)),
            State::Failed(_) => Err(self.error()),
            _ => Err(error::aborted("download")),
        };
        self.waiting.settle(&outcome, is_end);
    }

    fn downloaded(&self, outcome: &Outcome) -> JsValue {
        let object = Object::new();
        set(&object, "size", &number(outcome.len).into());
        set(&object, "treeHash", &outcome.tree_hash.to_string().into());
        set(&object, "verified", &outcome.verified.as_str().into());
        if let Some(why) = outcome.verified.why() {
            set(&object, "why", &why.to_string().into());
        }
        if let Some(blob) = self.driver.sink().blob() {
            set(&object, "blob", &blob);
        }
        object.into()
    }
}

fn begin(config: &DownloadConfig, from: Option<&Checkpoint>) -> Result<Machine, UploadError> {
    match from {
        Some(from) => Machine::resume_from(config.clone(), from),
        None => Machine::new(config.clone()),
    }
}
