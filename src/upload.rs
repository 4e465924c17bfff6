//! One upload as a page sees it: events, the promise of its end, cancellation.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use glacier_core::clock::Instant;
use glacier_core::upload::{Event, State};
use js_sys::{Function, Object, Promise};
use wasm_bindgen::prelude::{Closure, JsCast, JsValue};
use web_sys::AbortSignal;

use crate::clock::{self, Timer};
use crate::driver::Driver;
use crate::error;
use crate::file::number;
use crate::json::{self, set};

/// Least time between two progress events. A page cannot show more, and thousands of files must not freeze it.
const PROGRESS_INTERVAL_MS: u64 = 100;

/// One upload and who listens to it.
pub(crate) struct Upload {
    pub(crate) driver: Rc<Driver>,
    listeners: RefCell<Vec<Listener>>,
    next_listener: Cell<u32>,
    waiting: RefCell<Vec<Waiter>>,
    shown_state: Cell<&'static str>,
    shown_progress: Cell<Option<Instant>>,
    trailing: RefCell<Option<Timer>>,
    signals: RefCell<Vec<Signal>>,
}

struct Listener {
    id: u32,
    event: EventName,
    callback: Function,
}

/// The events of a page's `on`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventName {
    Progress,
    State,
}

struct Waiter {
    for_what: Awaited,
    resolve: Function,
    reject: Function,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// `done()`: the archive, or why there is none.
    Outcome,
    /// `abort()`: that it is over, however.
    End,
}

struct Signal {
    signal: AbortSignal,
    callback: Closure<dyn FnMut()>,
}

impl Drop for Signal {
    fn drop(&mut self) {
        let _ = self.signal.remove_event_listener_with_callback("abort", self.callback.as_ref().unchecked_ref());
    }
}

impl Upload {
    pub(crate) fn new(driver: Rc<Driver>) -> Rc<Self> {
        Rc::new(Self {
            driver,
            listeners: RefCell::default(),
            next_listener: Cell::new(0),
            waiting: RefCell::default(),
            shown_state: Cell::new("queued"),
            shown_progress: Cell::new(None),
            trailing: RefCell::default(),
            signals: RefCell::default(),
        })
    }

    /// The state in the page's words.
    pub(crate) fn state(&self) -> &'static str {
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

    pub(crate) fn progress(&self) -> JsValue {
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

    pub(crate) fn error(&self) -> JsValue {
        match self.driver.state() {
            State::Failed(error) => error::to_js(&error, &self.driver.cause()),
            _ => JsValue::UNDEFINED,
        }
    }

    /// Adds a listener; the function returned removes it.
    pub(crate) fn on(self: &Rc<Self>, event: EventName, callback: Function) -> Function {
        let id = self.next_listener.get();
        self.next_listener.set(id + 1);
        self.listeners.borrow_mut().push(Listener { id, event, callback });
        let upload = Rc::downgrade(self);
        let off = Closure::<dyn FnMut()>::new(move || {
            if let Some(upload) = upload.upgrade() {
                upload.listeners.borrow_mut().retain(|listener| listener.id != id);
            }
        });
        off.into_js_value().unchecked_into()
    }

    /// The promise of the archive.
    pub(crate) fn done(&self) -> Promise {
        self.wait(Awaited::Outcome)
    }

    /// Gives up; the promise settles when that is over.
    pub(crate) fn abort(&self) -> Promise {
        let end = self.wait(Awaited::End);
        self.driver.feed(Event::Abort);
        end
    }

    /// Aborts when `signal` does, now if it already has.
    pub(crate) fn follow(self: &Rc<Self>, signal: AbortSignal) {
        if signal.aborted() {
            self.driver.feed(Event::Abort);
            return;
        }
        let upload: Weak<Self> = Rc::downgrade(self);
        let callback = Closure::<dyn FnMut()>::new(move || {
            if let Some(upload) = upload.upgrade() {
                upload.driver.feed(Event::Abort);
            }
        });
        let listening = signal.add_event_listener_with_callback("abort", callback.as_ref().unchecked_ref());
        if listening.is_ok() {
            self.signals.borrow_mut().push(Signal { signal, callback });
        }
    }

    /// Shows what changed to whoever listens.
    pub(crate) fn publish(self: &Rc<Self>) {
        let state = self.state();
        let new_state = state != self.shown_state.replace(state);
        let over = matches!(self.driver.state(), State::Done(_) | State::Failed(_) | State::Aborted);
        if new_state || over {
            self.show_progress();
        } else {
            self.show_progress_soon();
        }
        if new_state {
            self.emit(EventName::State, &state.into());
        }
        if over {
            self.settle();
        }
    }

    fn show_progress_soon(self: &Rc<Self>) {
        let now = clock::now();
        let wait = self.shown_progress.get().map_or(0, |shown| PROGRESS_INTERVAL_MS.saturating_sub(now.since(shown)));
        if wait == 0 {
            return self.show_progress();
        }
        if self.trailing.borrow().is_some() {
            return;
        }
        let upload = Rc::downgrade(self);
        let timer = Timer::after(i32::try_from(wait).unwrap_or(0), move || {
            if let Some(upload) = upload.upgrade() {
                // Out of the timer's own callback, which showing drops.
                wasm_bindgen_futures::spawn_local(async move { upload.show_progress() });
            }
        });
        *self.trailing.borrow_mut() = Some(timer);
    }

    fn show_progress(&self) {
        *self.trailing.borrow_mut() = None;
        self.shown_progress.set(Some(clock::now()));
        if self.listeners.borrow().iter().any(|listener| listener.event == EventName::Progress) {
            self.emit(EventName::Progress, &self.progress());
        }
    }

    fn emit(&self, event: EventName, detail: &JsValue) {
        // A copy: a listener may add or remove listeners.
        let callbacks: Vec<Function> = {
            let listeners = self.listeners.borrow();
            listeners.iter().filter(|listener| listener.event == event).map(|one| one.callback.clone()).collect()
        };
        for callback in callbacks {
            if let Err(thrown) = callback.call1(&JsValue::UNDEFINED, detail) {
                report(&thrown);
            }
        }
    }

    fn wait(&self, for_what: Awaited) -> Promise {
        let promise = Promise::new(&mut |resolve, reject| {
            self.waiting.borrow_mut().push(Waiter { for_what, resolve, reject });
        });
        if matches!(self.driver.state(), State::Done(_) | State::Failed(_) | State::Aborted) {
            self.settle();
        }
        promise
    }

    fn settle(&self) {
        let state = self.driver.state();
        if !matches!(state, State::Failed(_)) {
            self.signals.borrow_mut().clear();
        }
        // A retryable failure is no end for who asked to abort.
        let ended: Vec<Waiter> = {
            let mut waiting = self.waiting.borrow_mut();
            let (ended, rest) = std::mem::take(&mut *waiting)
                .into_iter()
                .partition(|waiter| waiter.for_what == Awaited::Outcome || !matches!(state, State::Failed(_)));
            *waiting = rest;
            ended
        };
        for waiter in ended {
            let settled = match (&state, waiter.for_what) {
                (_, Awaited::End) => waiter.resolve.call0(&JsValue::UNDEFINED),
                (State::Done(outcome), Awaited::Outcome) => {
                    let archive = Object::new();
                    set(&archive, "archiveId", &outcome.archive_id.as_str().into());
                    set(&archive, "treeHash", &outcome.tree_hash.to_string().into());
                    set(&archive, "size", &number(outcome.size).into());
                    waiter.resolve.call1(&JsValue::UNDEFINED, &archive)
                }
                (State::Failed(_), Awaited::Outcome) => waiter.reject.call1(&JsValue::UNDEFINED, &self.error()),
                (_, Awaited::Outcome) => waiter.reject.call1(&JsValue::UNDEFINED, &error::aborted("upload")),
            };
            // The functions of a promise do not throw.
            drop(settled);
        }
    }
}

/// What a listener throws is the page's own error: it is shown where the page's errors are, and the upload goes on.
fn report(thrown: &JsValue) {
    let scope = clock::scope();
    if let Ok(report_error) = json::get(&scope, "reportError").dyn_into::<Function>() {
        let _ = report_error.call1(&scope, thrown);
    }
}
