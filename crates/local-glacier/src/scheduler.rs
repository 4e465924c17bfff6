//! What happens without being asked for: jobs end when they are due, inventories are written, messages are sent, and
//! what is over is removed.
//!
//! Three threads, so that a long inventory keeps no retrieval waiting, and a deaf endpoint neither. Each works, then
//! sleeps until something is due by the store's clock or somebody wakes it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::broadcast;

use crate::auth::Authority;
use crate::clock::milliseconds;
use crate::completions::{Completions, JobCompletion};
use crate::delivery::{Attempt, Courier};
use crate::store::{Delivery, Store, StoreError};

/// Longest sleep. The store's clock may be set, and need not be the machine's.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// Shortest sleep after a failure, say of a full disk.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How often to look for what is over.
const REMOVAL_GRAIN: Duration = Duration::from_mins(1);

/// Most notifications that are sent at the same time.
const DELIVERIES_AT_ONCE: usize = 8;

/// What the threads need.
#[derive(Clone, Debug)]
pub(crate) struct Works {
    pub(crate) store: Store,
    pub(crate) authority: Authority,
    pub(crate) courier: Courier,
    completions: Completions,
    /// Held by whoever does a kind of work: nothing is done twice, and what is done is done to its end.
    turns: Arc<Turns>,
}

#[derive(Debug, Default)]
struct Turns {
    retrievals: Mutex<()>,
    inventories: Mutex<()>,
    deliveries: Mutex<()>,
}

/// The threads. Dropping it ends them, and waits for that.
#[derive(Debug)]
pub(crate) struct Scheduler {
    works: Works,
    bell: Arc<Bell>,
    threads: Vec<JoinHandle<()>>,
}

/// A thread's work: does what is due, and tells when the next is.
type Work = fn(&Works, &Bell) -> Result<Option<i64>, StoreError>;

impl Scheduler {
    pub(crate) fn start(works: Works) -> Self {
        let bell = Arc::new(Bell::default());
        let mut threads = Vec::new();
        let all: [(&str, Work); 3] = [
            ("retrievals", Works::retrievals),
            ("inventories", Works::inventories),
            ("notifications", Works::deliveries),
        ];
        for (name, work) in all {
            let (works, bell) = (works.clone(), Arc::clone(&bell));
            match std::thread::Builder::new().name(name.into()).spawn(move || works.run(&bell, work)) {
                Ok(thread) => threads.push(thread),
                Err(error) => tracing::error!(%error, name, "a thread could not be started; jobs will not end"),
            }
        }
        Self { works, bell, threads }
    }

    /// Something new may be due sooner than what the threads sleep for.
    pub(crate) fn wake(&self) {
        self.bell.ring();
    }

    pub(crate) fn completions(&self) -> broadcast::Receiver<Arc<JobCompletion>> {
        self.works.completions.listen()
    }

    /// Does all that is due by the clock now, and returns when it is done.
    pub(crate) fn settle(&self) -> Result<(), StoreError> {
        self.works.retrievals(&self.bell)?;
        self.works.inventories(&self.bell)?;
        self.wake();
        Ok(())
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.bell.stop();
        for thread in self.threads.drain(..) {
            drop(thread.join()); // a panic was printed already
        }
    }
}

impl Works {
    pub(crate) fn new(store: Store, authority: Authority, courier: Courier) -> Self {
        Self { store, authority, courier, completions: Completions::new(), turns: Arc::default() }
    }

    fn run(&self, bell: &Bell, work: Work) {
        let mut seen = 0;
        while !bell.is_stopped() {
            let sleep = match work(self, bell) {
                Ok(next) => next.map_or(LONGEST_SLEEP, |next| self.until(next)),
                Err(error) => {
                    tracing::error!(%error, "what is due could not be done; it will be tried again");
                    AFTER_FAILURE
                }
            };
            bell.sleep(&mut seen, sleep);
        }
    }

    fn until(&self, due_ms: i64) -> Duration {
        let ms = due_ms.saturating_sub(self.store.clock().now_ms());
        Duration::from_millis(u64::try_from(ms).unwrap_or_default()).min(LONGEST_SLEEP)
    }

    fn retrievals(&self, bell: &Bell) -> Result<Option<i64>, StoreError> {
        let _turn = self.turns.retrievals.lock().unwrap_or_else(PoisonError::into_inner);
        self.store.finish_due_retrievals(&|ended| {
            self.completions.tell(&self.store, &self.authority, ended);
            bell.ring(); // there may be notifications to send
        })?;
        self.store.take_inventories()?;
        self.store.remove_expired()?;
        let next_look = self.store.clock().now_ms().saturating_add(milliseconds(REMOVAL_GRAIN));
        Ok(Some(self.store.next_due_ms(false)?.unwrap_or(next_look).min(next_look)))
    }

    fn inventories(&self, bell: &Bell) -> Result<Option<i64>, StoreError> {
        let _turn = self.turns.inventories.lock().unwrap_or_else(PoisonError::into_inner);
        while let [due, ..] = self.store.due_jobs(true, 1)?.as_slice() {
            let arn = self.authority.vault_arn(&due.vault);
            match self.store.finish_inventory(due, &arn, &|| bell.is_stopped()) {
                // Removed meanwhile, with its vault.
                Err(StoreError::JobNotFound) => {}
                outcome => {
                    outcome?;
                    self.completions.tell(&self.store, &self.authority, &[due.sequence]);
                }
            }
            bell.ring(); // there may be notifications to send
            if bell.is_stopped() {
                return Ok(None);
            }
        }
        self.store.next_due_ms(true)
    }

    /// Several at a time, so that one deaf endpoint does not keep all others waiting for long.
    fn deliveries(&self, bell: &Bell) -> Result<Option<i64>, StoreError> {
        let _turn = self.turns.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let due = self.store.due_deliveries(DELIVERIES_AT_ONCE)?;
            if due.is_empty() || bell.is_stopped() {
                return self.store.next_delivery_ms();
            }
            let outcomes: Vec<Result<(), StoreError>> = std::thread::scope(|scope| {
                let threads: Vec<_> = due.iter().map(|delivery| scope.spawn(|| self.deliver(delivery))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap_or(Ok(()))).collect()
            });
            outcomes.into_iter().collect::<Result<(), _>>()?;
        }
    }

    fn deliver(&self, delivery: &Delivery) -> Result<(), StoreError> {
        match self.courier.send(delivery, &self.authority) {
            Attempt::Ended => self.store.end_delivery(delivery),
            Attempt::Failed { pause } => {
                let next = self.store.clock().now_ms().saturating_add(milliseconds(pause));
                self.store.postpone_delivery(delivery, next)
            }
        }
    }
}

/// Wakes sleeping threads.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    state: Mutex<BellState>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct BellState {
    stopped: bool,
    rings: u64,
}

impl Bell {
    pub(crate) fn is_stopped(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stopped
    }

    fn ring(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).rings += 1;
        self.rung.notify_all();
    }

    fn stop(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
        self.ring();
    }

    /// Sleeps, but not through a ring: also not through one since the last sleep.
    fn sleep(&self, seen: &mut u64, at_most: Duration) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let slept = self.rung.wait_timeout_while(state, at_most, |state| state.rings == *seen && !state.stopped);
        let (state, _) = slept.unwrap_or_else(PoisonError::into_inner);
        *seen = state.rings;
    }
}
