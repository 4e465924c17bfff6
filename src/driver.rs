//! Carries out what one upload's state machine commands, and feeds back what came of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use glacier_core::settings::Share;
use glacier_core::upload::{Command, Event, HashFailure, SendFailure, State, Ticket, Upload as Machine};
use glacier_core::{ByteRange, SignedRequest};
use litemap::LiteMap;
use wasm_bindgen::prelude::JsValue;
use web_sys::Blob;

use crate::clock::{self, Alarm, Timer};
use crate::fetch::{self, Canceller, NoAnswer};
use crate::gateway::{Gateway, NotSigned};
use crate::hash_pool::HashPool;
use crate::intake::Intake;
use crate::keeping::{Kept, Search};
use crate::message::{Order, Report, TaskFailure, TaskId};
use crate::task;

/// Where an upload's bytes are.
pub(crate) enum Source {
    File(Blob),
    /// What has been written and is not yet acknowledged.
    Stream(Intake),
}

impl Source {
    /// The bytes of a part: a Blob, and where in it they are.
    fn part(&self, part: u32, range: ByteRange) -> (Blob, ByteRange) {
        match self {
            Self::File(file) => (file.clone(), range),
            Self::Stream(intake) => intake.part(part, range),
        }
    }
}

/// One upload: its machine, its bytes, and what is under way for it.
pub(crate) struct Driver {
    machine: RefCell<Machine>,
    source: Source,
    gateway: Rc<Gateway>,
    pool: HashPool,
    /// Whether parts hashed from now on stay in memory.
    holds_parts: Cell<bool>,
    /// Whether their memory is used again afterwards.
    recycles: Cell<bool>,
    /// Requests under way, by the ticket that names them.
    requests: RefCell<LiteMap<Ticket, Request>>,
    /// The latest hashing task of each part: it owns the bytes, if they are kept.
    hashed_by: RefCell<LiteMap<u32, TaskId>>,
    alarm: Alarm,
    beginning: RefCell<Beginning>,
    /// What a later visit goes on from, where something can be kept.
    kept: RefCell<Option<Rc<Kept>>>,
    /// What the page's own function threw last, to be the cause of an error that follows from it.
    thrown: RefCell<JsValue>,
    /// Told after every change.
    changed: RefCell<Rc<dyn Fn()>>,
}

/// What comes before [`Event::Start`].
enum Beginning {
    /// To be looked for: an earlier visit's record of the same file.
    Search(Box<Search>),
    /// And when that takes too long.
    Searching {
        _patience: Timer,
    },
    Over,
}

enum Request {
    /// By `fetch`, on this thread.
    Small(Canceller),
    /// By a worker.
    Part(TaskId),
}

impl Driver {
    pub(crate) fn new(machine: Machine, source: Source, gateway: Rc<Gateway>, pool: HashPool) -> Rc<Self> {
        Rc::new(Self {
            machine: RefCell::new(machine),
            source,
            gateway,
            pool,
            holds_parts: Cell::new(true),
            recycles: Cell::new(false),
            requests: RefCell::default(),
            hashed_by: RefCell::default(),
            alarm: Alarm::default(),
            beginning: RefCell::new(Beginning::Over),
            kept: RefCell::default(),
            thrown: RefCell::new(JsValue::UNDEFINED),
            changed: RefCell::new(Rc::new(|| {})),
        })
    }

    /// Goes on with what is found before it starts, and keeps a record of it.
    pub(crate) fn search_first(&self, search: Search) {
        *self.beginning.borrow_mut() = Beginning::Search(Box::new(search));
    }

    /// What is to be looked for before it can start. [`Self::begin_search`] says that it is.
    pub(crate) fn to_search(&self) -> Option<Search> {
        match self.beginning.replace(Beginning::Over) {
            Beginning::Search(search) => Some(*search),
            other => {
                *self.beginning.borrow_mut() = other;
                None
            }
        }
    }

    pub(crate) fn begin_search(&self, patience: Timer) {
        *self.beginning.borrow_mut() = Beginning::Searching { _patience: patience };
    }

    /// Whether that is under way.
    pub(crate) fn is_searching(&self) -> bool {
        matches!(*self.beginning.borrow(), Beginning::Searching { .. }) && self.state() == State::Planned
    }

    /// The end of it.
    pub(crate) fn end_search(&self) {
        *self.beginning.borrow_mut() = Beginning::Over;
    }

    /// Another machine, of the same file, before it has started.
    pub(crate) fn replace(&self, machine: Machine) {
        *self.machine.borrow_mut() = machine;
    }

    /// Keeps this record from here on.
    pub(crate) fn keep(&self, kept: Kept) {
        *self.kept.borrow_mut() = Some(Rc::new(kept));
    }

    /// The record that is kept.
    pub(crate) fn kept(&self) -> Option<Rc<Kept>> {
        self.kept.borrow().clone()
    }

    /// Calls `listener` after every change, instead of the one before.
    pub(crate) fn on_change(&self, listener: impl Fn() + 'static) {
        *self.changed.borrow_mut() = Rc::new(listener);
    }

    pub(crate) fn state(&self) -> State {
        self.machine.borrow().state()
    }

    pub(crate) fn with_machine<T>(&self, read: impl FnOnce(&Machine) -> T) -> T {
        read(&self.machine.borrow())
    }

    /// What lies behind a failure, if the page or the browser threw something.
    pub(crate) fn cause(&self) -> JsValue {
        let thrown = self.thrown.borrow().clone();
        if thrown.is_undefined() { self.pool.start_error() } else { thrown }
    }

    /// What is written to, where it is a stream.
    pub(crate) fn intake(&self) -> Option<&Intake> {
        match &self.source {
            Source::File(_) => None,
            Source::Stream(intake) => Some(intake),
        }
    }

    /// Takes a new share of the uploader's budget.
    pub(crate) fn set_share(self: &Rc<Self>, share: Share) {
        self.holds_parts.set(share.keep);
        self.recycles.set(share.recycle);
        self.machine.borrow_mut().set_limits(share.limits);
        self.pump();
    }

    /// Tells the machine what happened, and does what follows.
    pub(crate) fn feed(self: &Rc<Self>, event: Event) {
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
            Command::HashPart { ticket, part, range } => {
                let driver = Rc::downgrade(self);
                let (blob, range) = self.source.part(part, range);
                let keep = self.holds_parts.get();
                let task = self.pool.order(
                    |task| Order::Hash { task, blob, range, keep },
                    move |report| {
                        if let Some(driver) = driver.upgrade() {
                            driver.feed(hash_event(ticket, report));
                        }
                    },
                );
                self.hashed_by.borrow_mut().insert(part, task);
            }
            Command::Sign { ticket, intents } => {
                let canceller = self.small_request(ticket);
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
            Command::Send { ticket, request } => self.send(ticket, request),
            Command::SendPart { ticket, part, range, request } => {
                let hashed = self.hashed_by.borrow().get(&part).copied().unwrap_or_default();
                let driver = Rc::downgrade(self);
                let (blob, range) = self.source.part(part, range);
                let task = self.pool.order(
                    |task| Order::Send { task, hashed, blob, range, request },
                    move |report| {
                        if let Some(driver) = driver.upgrade() {
                            if !matches!(report, Report::Progress { .. }) {
                                driver.requests.borrow_mut().remove(&ticket);
                            }
                            driver.feed(send_event(ticket, report));
                        }
                    },
                );
                self.requests.borrow_mut().insert(ticket, Request::Part(task));
            }
            Command::Cancel { ticket } => {
                let request = self.requests.borrow_mut().remove(&ticket);
                match request {
                    Some(Request::Small(canceller)) => canceller.cancel(),
                    Some(Request::Part(task)) => self.pool.cancel(task),
                    None => {}
                }
            }
            Command::ReleasePart { part } => {
                let task = self.hashed_by.borrow_mut().remove(&part);
                if let Some(task) = task {
                    self.pool.cancel(task);
                    self.pool.release(task, self.recycles.get());
                }
            }
            Command::DropPart { part } => {
                if let Source::Stream(intake) = &self.source {
                    intake.drop_part(part);
                }
            }
            Command::SaveJournal { ticket, journal } => {
                let (driver, kept) = (Rc::clone(self), self.kept());
                // Also where it is known at once: the answer is an event of its own, not inside this call.
                task::spawn(async move {
                    let is_saved = match kept {
                        Some(kept) => kept.save(journal).await,
                        None => false,
                    };
                    driver.feed(if is_saved {
                        Event::JournalSaved { ticket }
                    } else {
                        Event::JournalFailed { ticket }
                    });
                });
            }
            Command::DropJournal => {
                // It keeps the lock until it is done.
                if let Some(kept) = self.kept() {
                    task::spawn(async move { kept.forget().await });
                }
            }
        }
    }

    fn send(self: &Rc<Self>, ticket: Ticket, request: SignedRequest) {
        let canceller = self.small_request(ticket);
        let driver = Rc::clone(self);
        task::spawn(async move {
            let answer = fetch::send(&request, request.body.as_deref(), &canceller).await;
            driver.requests.borrow_mut().remove(&ticket);
            driver.feed(match answer {
                Ok(response) => Event::Answered { ticket, response },
                Err(NoAnswer::Network) => Event::SendFailed { ticket, failure: SendFailure::Network },
                Err(NoAnswer::Cancelled) => return,
            });
        });
    }

    fn small_request(&self, ticket: Ticket) -> Canceller {
        let canceller = Canceller::new();
        self.requests.borrow_mut().insert(ticket, Request::Small(canceller.clone()));
        canceller
    }
}

fn hash_event(ticket: Ticket, report: Report) -> Event {
    match report {
        Report::Progress { bytes, .. } => Event::HashProgress { ticket, bytes },
        Report::Hashed { digest, .. } => Event::Hashed { ticket, digest },
        Report::Failed { failure, .. } => Event::HashFailed {
            ticket,
            failure: match failure {
                TaskFailure::FileChanged(_) => HashFailure::Changed,
                TaskFailure::FileUnreadable(_) => HashFailure::Unreadable,
                TaskFailure::ShortRead => HashFailure::ShortRead,
                _ => HashFailure::WorkerDied,
            },
        },
        _ => Event::HashFailed { ticket, failure: HashFailure::WorkerDied },
    }
}

fn send_event(ticket: Ticket, report: Report) -> Event {
    match report {
        Report::Progress { bytes, .. } => Event::Sent { ticket, bytes },
        Report::Answered { response, .. } => Event::Answered { ticket, response },
        Report::Failed { failure, .. } => Event::SendFailed {
            ticket,
            failure: match failure {
                TaskFailure::FileChanged(_) | TaskFailure::FileUnreadable(_) | TaskFailure::ShortRead => {
                    SendFailure::Unreadable
                }
                _ => SendFailure::Network,
            },
        },
        _ => Event::SendFailed { ticket, failure: SendFailure::Network },
    }
}
