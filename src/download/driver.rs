//! Carries out what one download's state machine commands, and feeds back what came of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use glacier_core::Download as Machine;
use glacier_core::UploadError;
use glacier_core::download::{Command, Event, Limits, Source, State};
use glacier_core::error::ErrorCode;
use glacier_core::upload::{PauseReason, Ticket};
use js_sys::ArrayBuffer;
use litemap::LiteMap;
use wasm_bindgen::prelude::JsValue;

use crate::clock::{self, Alarm};
use crate::error;
use crate::fetch::Canceller;
use crate::gateway::{Gateway, NotSigned};
use crate::hash;
use crate::hash_pool::HashPool;
use crate::message::{Order, Report, TaskId};
use crate::sink::Sink;
use crate::task;

/// One download: its machine, its sink, and what is under way for it.
pub(crate) struct Driver {
    machine: RefCell<Machine>,
    sink: Sink,
    gateway: Rc<Gateway>,
    pool: HashPool,
    /// Requests under way, by the ticket that names them.
    requests: RefCell<LiteMap<Ticket, Request>>,
    /// What arrived and is not being written yet.
    held: RefCell<LiteMap<Ticket, ArrayBuffer>>,
    /// Writes under way.
    writing: Cell<u32>,
    /// How the sink was left when the download stood still last.
    left: Cell<Left>,
    /// It is being left.
    is_leaving: Cell<bool>,
    alarm: Alarm,
    /// What the page's own function threw last, to be the cause of an error that follows from it.
    thrown: RefCell<JsValue>,
    /// What the sink threw last.
    sink_thrown: RefCell<JsValue>,
    /// Told after every change.
    changed: RefCell<Rc<dyn Fn()>>,
}

enum Request {
    Sign(Canceller),
    /// By a worker.
    Fetch(TaskId),
}

/// How a sink is left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// It is not: it may be written to.
    Open,
    /// To be gone on with: a file is written out.
    Resting,
    /// For good.
    Abandoned,
}

impl Driver {
    pub(super) fn new(machine: Machine, sink: Sink, gateway: Rc<Gateway>, pool: HashPool) -> Rc<Self> {
        Rc::new(Self {
            machine: RefCell::new(machine),
            sink,
            gateway,
            pool,
            requests: RefCell::default(),
            held: RefCell::default(),
            writing: Cell::new(0),
            left: Cell::new(Left::Open),
            is_leaving: Cell::new(false),
            alarm: Alarm::default(),
            thrown: RefCell::new(JsValue::UNDEFINED),
            sink_thrown: RefCell::new(JsValue::UNDEFINED),
            changed: RefCell::new(Rc::new(|| {})),
        })
    }

    /// Calls `listener` after every change, instead of the one before.
    pub(super) fn on_change(&self, listener: impl Fn() + 'static) {
        *self.changed.borrow_mut() = Rc::new(listener);
    }

    pub(super) fn state(&self) -> State {
        self.machine.borrow().state().clone()
    }

    pub(super) fn with_machine<T>(&self, read: impl FnOnce(&Machine) -> T) -> T {
        read(&self.machine.borrow())
    }

    pub(super) const fn sink(&self) -> &Sink {
        &self.sink
    }

    pub(super) const fn pool(&self) -> &HashPool {
        &self.pool
    }

    /// What lies behind a failure, if the sink, the page or the browser threw something.
    pub(super) fn cause(&self, error: &UploadError) -> JsValue {
        if error.code == ErrorCode::SinkFailed {
            return self.sink_thrown.borrow().clone();
        }
        let thrown = self.thrown.borrow().clone();
        if thrown.is_undefined() { self.pool.start_error() } else { thrown }
    }

    /// Another machine takes the place of one that has not started.
    pub(super) fn replace(&self, machine: Machine) {
        *self.machine.borrow_mut() = machine;
    }

    /// Takes a new share of the budget.
    pub(super) fn set_limits(self: &Rc<Self>, limits: Limits) {
        self.machine.borrow_mut().set_limits(limits);
        self.pump();
    }

    /// Goes on with another job, after the first has expired.
    pub(super) fn continue_with(self: &Rc<Self>, source: Source) -> Result<(), UploadError> {
        self.machine.borrow_mut().continue_with(source)?;
        self.feed(Event::Resume);
        Ok(())
    }

    /// The sink failed outside any write.
    pub(super) fn lose_sink(self: &Rc<Self>, thrown: JsValue) {
        *self.sink_thrown.borrow_mut() = thrown;
        self.feed(Event::SinkLost);
    }

    /// Tells the machine what happened, and does what follows.
    pub(super) fn feed(self: &Rc<Self>, event: Event) {
        self.machine.borrow_mut().handle_event(event, clock::now(), clock::jitter());
        self.pump();
    }

    fn pump(self: &Rc<Self>) {
        loop {
            let command = self.machine.borrow_mut().poll_command(clock::now());
            let Some(command) = command else { break };
            self.perform(command);
        }
        self.arm_timer();
        self.leave_sink();
        let changed = Rc::clone(&self.changed.borrow());
        changed();
    }

    fn arm_timer(self: &Rc<Self>) {
        let at = self.machine.borrow().poll_timeout();
        let driver = Rc::downgrade(self);
        self.alarm.set(at, move || {
            if let Some(driver) = driver.upgrade() {
                task::spawn(async move {
                    driver.alarm.stop();
                    driver.machine.borrow_mut().handle_timeout(clock::now(), clock::jitter());
                    driver.pump();
                });
            }
        });
    }

    fn perform(self: &Rc<Self>, command: Command) {
        match command {
            Command::Sign { ticket, intents } => {
                let canceller = Canceller::new();
                self.requests.borrow_mut().insert(ticket, Request::Sign(canceller.clone()));
                let driver = Rc::clone(self);
                task::spawn(async move {
                    let signed = driver.gateway.sign(&intents, &canceller).await;
                    driver.requests.borrow_mut().remove(&ticket);
                    *driver.thrown.borrow_mut() = JsValue::UNDEFINED;
                    driver.feed(match signed {
                        Ok(requests) => Event::Signed { ticket, requests },
                        Err(NotSigned::Refused(response)) => Event::SignRefused { ticket, response },
                        Err(NotSigned::Failed(failure, thrown)) => {
                            *driver.thrown.borrow_mut() = thrown;
                            Event::SignFailed { ticket, failure }
                        }
                        Err(NotSigned::Cancelled) => return,
                    });
                });
            }
            Command::FetchRange { ticket, range, request, plain_hash } => {
                self.fetch(ticket, |task| Order::Fetch { task, range, request, plain_hash });
            }
            Command::Deliver { ticket, range } => {
                let bytes = self.held.borrow_mut().remove(&ticket);
                self.writing.set(self.writing.get() + 1);
                let driver = Rc::clone(self);
                task::spawn(async move {
                    let written = match bytes {
                        Some(bytes) => driver.sink.write(range, bytes).await,
                        // Fetched is reported after the buffer is put there, so that this does not happen.
                        None => Err(JsValue::UNDEFINED),
                    };
                    driver.writing.set(driver.writing.get() - 1);
                    driver.feed(match written {
                        Ok(()) => Event::Delivered { ticket },
                        Err(thrown) => {
                            *driver.sink_thrown.borrow_mut() = thrown;
                            Event::DeliverFailed { ticket }
                        }
                    });
                });
            }
            Command::Close { ticket } => {
                let len = self.machine.borrow().len();
                let driver = Rc::clone(self);
                task::spawn(async move {
                    let closed = driver.sink.close(len).await;
                    driver.feed(match closed {
                        Ok(()) => Event::Closed { ticket },
                        Err(thrown) => {
                            *driver.sink_thrown.borrow_mut() = thrown;
                            Event::CloseFailed { ticket }
                        }
                    });
                });
            }
            Command::Discard { ticket } => {
                // What is being written is let go of when that ends.
                if let Some(bytes) = self.held.borrow_mut().remove(&ticket) {
                    hash::free(&bytes);
                }
            }
            Command::Cancel { ticket } => {
                let request = self.requests.borrow_mut().remove(&ticket);
                match request {
                    Some(Request::Sign(canceller)) => canceller.cancel(),
                    Some(Request::Fetch(task)) => self.pool.cancel(task),
                    None => {}
                }
            }
        }
    }

    fn fetch(self: &Rc<Self>, ticket: Ticket, order: impl FnOnce(TaskId) -> Order) {
        let driver = Rc::downgrade(self);
        let task = self.pool.order(order, move |report| {
            let Some(driver) = driver.upgrade() else { return };
            let is_progress = matches!(report, Report::Progress { .. });
            let is_wanted = if is_progress {
                driver.requests.borrow().contains_key(&ticket)
            } else {
                driver.requests.borrow_mut().remove(&ticket).is_some()
            };
            match report {
                Report::Fetched { bytes, .. } if !is_wanted => hash::free(&bytes),
                _ if !is_wanted => {}
                Report::Progress { bytes, .. } => driver.feed(Event::Received { ticket, bytes }),
                Report::Fetched { response, len, tree_hash, payload_hash, bytes, .. } => {
                    driver.held.borrow_mut().insert(ticket, bytes);
                    driver.feed(Event::Fetched { ticket, response, len, tree_hash, payload_hash });
                }
                Report::Answered { response, .. } => driver.feed(Event::Answered { ticket, response }),
                _ => driver.feed(Event::FetchFailed { ticket }),
            }
        });
        self.requests.borrow_mut().insert(ticket, Request::Fetch(task));
    }

    /// How the sink is to be left in the state the download is in.
    fn to_be_left(&self) -> Left {
        match self.machine.borrow().state() {
            State::Paused(PauseReason::User) => Left::Resting,
            State::Failed(error) if error.retryable || error.code == ErrorCode::JobExpired => Left::Resting,
            State::Failed(_) | State::Aborted => Left::Abandoned,
            _ => Left::Open,
        }
    }

    /// Whether a pause or an end has reached the sink: a file is written out and its lock given back.
    pub(super) fn is_settled(&self) -> bool {
        self.left.get() == self.to_be_left()
    }

    fn leave_sink(self: &Rc<Self>) {
        let wanted = self.to_be_left();
        if wanted == Left::Open && !self.is_leaving.get() {
            self.left.set(Left::Open);
        }
        let is_busy = self.sink.is_file() && self.writing.get() > 0;
        if self.is_leaving.get() || is_busy || self.is_settled() {
            return;
        }
        let reason = match self.machine.borrow().state() {
            State::Failed(error) => error::to_js(error, &self.cause(error)),
            _ => error::aborted("download"),
        };
        if !self.sink.is_file() {
            // At once: whoever sees the new state sees what it means for the sink.
            self.left.set(wanted);
        }
        self.is_leaving.set(true);
        let driver = Rc::clone(self);
        task::spawn(async move {
            let wrong = driver.with_machine(|machine| {
                machine.error().is_some_and(|error| error.code == ErrorCode::ChecksumMismatchWhole)
            });
            let rested = match wanted {
                Left::Resting => driver.sink.rest().await,
                _ => {
                    driver.sink.abandon(&reason, wrong).await;
                    Ok(())
                }
            };
            driver.is_leaving.set(false);
            driver.left.set(wanted);
            match rested {
                Ok(()) => driver.pump(),
                Err(thrown) => driver.lose_sink(thrown),
            }
        });
    }
}
