//! One upload as a page sees it: events, the promise of its end, cancellation.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use glacier_core::s3::{VersionId, header};
use glacier_core::upload::{Event, State, Stored};
use js_sys::{Function, Object, Promise};
use wasm_bindgen::prelude::JsValue;
use web_sys::AbortSignal;

use crate::clock;
use crate::driver::Driver;
use crate::ending::{self, Awaited, Waiters};
use crate::error;
use crate::events::{self, EventName, Events, Shown};
use crate::file::number;
use crate::json::set;
use crate::listening::Listening;

/// One upload and who listens to it.
pub(crate) struct Upload {
    pub(crate) driver: Rc<Driver>,
    events: Events,
    waiting: Waiters,
    following: RefCell<Vec<Listening>>,
    /// Whether the page has aborted it.
    gave_up: Cell<bool>,
}

impl Shown for Upload {
    fn events(&self) -> &Events {
        &self.events
    }

    fn state(&self) -> &'static str {
        match self.driver.state() {
            State::Planned => "queued",
            State::Initiating | State::Transferring => {
                let sent = self.driver.with_machine(|machine| machine.progress(clock::now()).bytes_sent);
                if sent == 0 { "hashing" } else { "uploading" }
            }
            State::Paused(_) => "paused",
            State::Completing => "completing",
            State::Aborting => "aborting",
            State::Done(_) => "done",
            State::Failed(_) => "failed",
            State::Aborted => "aborted",
        }
    }

    fn progress(&self) -> JsValue {
        let progress = self.driver.with_machine(|machine| machine.progress(clock::now()));
        let parts = Object::new();
        for (key, count) in [
            ("total", progress.parts.total),
            ("hashed", progress.parts.hashed),
            ("inFlight", progress.parts.in_flight),
            ("confirmed", progress.parts.confirmed),
        ] {
            set(&parts, key, &count.into());
        }
        let object = Object::new();
        for (key, bytes) in [
            ("bytesHashed", progress.bytes_hashed),
            ("bytesSent", progress.bytes_sent),
            ("bytesConfirmed", progress.bytes_confirmed),
            ("bytesTotal", progress.bytes_total),
            ("bytesPerSecond", progress.bytes_per_second),
        ] {
            set(&object, key, &number(bytes).into());
        }
        set(&object, "etaMs", &progress.eta_ms.map_or(JsValue::NULL, |ms| number(ms).into()));
        set(&object, "parts", &parts);
        object.into()
    }
}

impl Upload {
    pub(crate) fn new(driver: Rc<Driver>) -> Rc<Self> {
        Rc::new(Self {
            driver,
            events: Events::new("queued"),
            waiting: Waiters::default(),
            following: RefCell::default(),
            gave_up: Cell::new(false),
        })
    }

    pub(crate) fn error(&self) -> JsValue {
        match self.driver.state() {
            State::Failed(error) => error::to_js(&error, &self.driver.cause()),
            _ => JsValue::UNDEFINED,
        }
    }

    /// Whether a later visit could go on with it.
    pub(crate) fn is_resumable(&self) -> bool {
        self.driver.kept().is_some_and(|kept| kept.is_saved())
    }

    /// Adds a listener; the function returned removes it.
    pub(crate) fn on(self: &Rc<Self>, event: EventName, callback: Function) -> Function {
        events::on(self, event, callback)
    }

    /// The promise of the archive.
    pub(crate) fn done(&self) -> Promise {
        self.wait(Awaited::Outcome)
    }

    /// Gives up; the promise settles when that is over.
    pub(crate) fn abort(&self) -> Promise {
        self.gave_up.set(false);
        let end = self.wait(Awaited::End);
        self.gave_up.set(true);
        self.driver.feed(Event::Abort);
        end
    }

    /// Aborts when `signal` does, now if it already has.
    pub(crate) fn follow(self: &Rc<Self>, signal: AbortSignal) {
        let following = ending::follow(self, &signal, |upload| upload.driver.feed(Event::Abort));
        self.following.borrow_mut().extend(following);
    }

    /// Shows what changed to whoever listens.
    pub(crate) fn publish(self: &Rc<Self>) {
        let is_over = self.is_over();
        events::publish(self, is_over);
        if is_over {
            self.settle();
        }
    }

    /// Whether nothing came of it because somebody gave up.
    pub(crate) fn is_aborted(&self) -> bool {
        matches!(self.driver.state(), State::Aborted)
    }

    fn is_over(&self) -> bool {
        matches!(self.driver.state(), State::Done(_) | State::Failed(_) | State::Aborted)
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
        // The failure that was there before is no end for who asks to abort, and the one that comes of it is.
        let is_end = !matches!(state, State::Failed(_)) || self.gave_up.get();
        if is_end {
            self.following.borrow_mut().clear();
        }
        if !matches!(&state, State::Failed(error) if error.retryable)
            && let Some(kept) = self.driver.kept()
        {
            kept.release();
        }
        let outcome = match &state {
            State::Done(outcome) => {
                let made = Object::new();
                match &outcome.stored {
                    Stored::Archive(archive_id) => set(&made, "archiveId", &archive_id.as_str().into()),
                    Stored::Object(object) => {
                        let version_id = object.version_id.as_ref().map(VersionId::as_str);
                        set(&made, "bucket", &object.bucket.as_str().into());
                        set(&made, "key", &object.key.as_str().into());
                        set(&made, "versionId", &version_id.map_or(JsValue::NULL, JsValue::from));
                        set(&made, header::ETAG, &object.etag.as_deref().map_or(JsValue::NULL, JsValue::from));
                        set(&made, "checksum", &object.checksum.to_string().into());
                        set(&made, "treeHashKept", &object.tree_hash_kept.into());
                    }
                }
                set(&made, "treeHash", &outcome.tree_hash.to_string().into());
                set(&made, "size", &number(outcome.size).into());
                Ok(made.into())
            }
            State::Failed(_) => Err(self.error()),
            _ => Err(error::aborted("upload")),
        };
        self.waiting.settle(&outcome, is_end);
    }
}
