//! Carries out what the machine of the gateway's event stream commands, and tells those who wait.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use glacier_core::event_stream::{Command, Event, EventStream, job_id};
use glacier_core::glacier::{JobId, VaultName};
use glacier_core::job_watch::Event as WatchEvent;
use glacier_core::retry::RetryPolicy;
use glacier_core::upload::Ticket;

use crate::clock::{self, Alarm};
use crate::connection::Connection;
use crate::fetch::{self, Canceller};
use crate::gateway::Gateway;
use crate::json;
use crate::mailbox::Address;
use crate::task;
use crate::waiting::Heard;

/// The stream that all who wait for jobs of one `createVaults` share.
pub(crate) struct EventFeed {
    machine: RefCell<EventStream>,
    gateway: Rc<Gateway>,
    watchers: RefCell<Vec<Watcher>>,
    next_watcher: Cell<u32>,
    under_way: RefCell<Option<(Ticket, Canceller)>>,
    alarm: Alarm,
    /// As the watchers were told last.
    told_open: Cell<bool>,
    /// Listened to while somebody waits.
    connection: RefCell<Option<Connection>>,
}

struct Watcher {
    id: u32,
    job_id: JobId,
    address: Address<Heard>,
}

/// Somebody waits, until it is dropped.
pub(crate) struct Watching {
    source: Rc<EventFeed>,
    vault: VaultName,
    id: u32,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.source.watchers.borrow_mut().retain(|watcher| watcher.id != self.id);
        if self.source.watchers.borrow().is_empty() {
            let connection = self.source.connection.take();
            drop(connection);
        }
        self.source.feed(Event::Leave(self.vault.clone()));
    }
}

impl EventFeed {
    pub(crate) fn new(gateway: Rc<Gateway>, policy: RetryPolicy) -> Rc<Self> {
        Rc::new(Self {
            machine: RefCell::new(EventStream::new(policy)),
            gateway,
            watchers: RefCell::default(),
            next_watcher: Cell::new(0),
            under_way: RefCell::default(),
            alarm: Alarm::default(),
            told_open: Cell::new(false),
            connection: RefCell::default(),
        })
    }

    /// Tells `address` of that job, until what is returned is dropped.
    pub(crate) fn watch(self: &Rc<Self>, vault: VaultName, job_id: JobId, address: Address<Heard>) -> Watching {
        let id = self.next_watcher.get();
        self.next_watcher.set(id.wrapping_add(1));
        if self.told_open.get() {
            address.tell(Ok(WatchEvent::HintsBegin));
        }
        self.watchers.borrow_mut().push(Watcher { id, job_id, address });
        if self.connection.borrow().is_none() {
            let source = Rc::downgrade(self);
            let connection = Connection::new(move |online| {
                if let (true, Some(source)) = (online, source.upgrade()) {
                    source.feed(Event::Online);
                }
            });
            *self.connection.borrow_mut() = Some(connection);
        }
        self.feed(Event::Want(vault.clone()));
        Watching { source: Rc::clone(self), vault, id }
    }

    fn feed(self: &Rc<Self>, event: Event) {
        self.machine.borrow_mut().handle_event(event, clock::now(), clock::jitter());
        self.pump();
    }

    fn pump(self: &Rc<Self>) {
        loop {
            let command = self.machine.borrow_mut().poll_command(clock::now());
            match command {
                None => break,
                Some(Command::Open { ticket, vaults }) => self.open(ticket, &vaults),
                Some(Command::Close { ticket }) => {
                    let closed = self.under_way.borrow_mut().take_if(|(current, _)| *current == ticket);
                    if let Some((_, canceller)) = closed {
                        canceller.cancel();
                    }
                }
                Some(Command::Job { data }) => {
                    let about = json::parse(&data).and_then(|data| job_id(&data));
                    for watcher in
                        self.watchers.borrow().iter().filter(|watcher| about.as_ref() == Some(&watcher.job_id))
                    {
                        watcher.address.tell(Ok(WatchEvent::Hint));
                    }
                }
            }
        }
        let is_open = self.machine.borrow().is_open();
        if self.told_open.replace(is_open) != is_open {
            for watcher in self.watchers.borrow().iter() {
                watcher.address.tell(Ok(if is_open { WatchEvent::HintsBegin } else { WatchEvent::HintsEnd }));
            }
        }
        self.arm_timer();
    }

    fn arm_timer(self: &Rc<Self>) {
        let at = self.machine.borrow().poll_timeout();
        let source = Rc::downgrade(self);
        self.alarm.set(at, move || {
            if let Some(source) = source.upgrade() {
                task::spawn(async move {
                    source.alarm.stop();
                    source.machine.borrow_mut().handle_timeout(clock::now(), clock::jitter());
                    source.pump();
                });
            }
        });
    }

    fn open(self: &Rc<Self>, ticket: Ticket, vaults: &[VaultName]) {
        let canceller = Canceller::new();
        *self.under_way.borrow_mut() = Some((ticket, canceller.clone()));
        let source = Rc::clone(self);
        let vaults = vaults.to_vec();
        task::spawn(async move {
            source.read(ticket, &vaults, &canceller).await;
            source.feed(Event::Ended { ticket });
        });
    }

    /// Reads the stream to its end, whatever that is.
    async fn read(self: &Rc<Self>, ticket: Ticket, vaults: &[VaultName], canceller: &Canceller) {
        let Ok(request) = self.gateway.events_request(vaults).await else { return };
        let Ok(mut answer) = fetch::open(&request, None, canceller).await else { return };
        self.feed(Event::Opened { ticket, response: answer.head });
        while let Ok(Some(chunk)) = answer.body.chunk().await {
            self.feed(Event::Data { ticket, bytes: chunk.to_vec() });
        }
    }
}
