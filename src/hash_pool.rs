//! The web workers of a page, and who is doing what.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::oneshot;
use glacier_core::{ByteRange, TreeHash, settings};
use js_sys::{Function, Promise};
use litemap::LiteMap;
use wasm_bindgen::prelude::{Closure, JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ErrorEvent, MessageEvent, Worker};

use crate::file;
use crate::message::{Order, Report, TaskFailure, TaskId};
use crate::task;

/// Workers that read, hash and send. Started when the first order comes; one that dies is replaced.
#[derive(Clone)]
pub(crate) struct HashPool {
    inner: Rc<RefCell<Inner>>,
}

struct Inner {
    /// Makes a ready worker: `() => Promise<Worker>`.
    spawn: Function,
    size: usize,
    /// Workers and those on their way.
    n_started: usize,
    workers: Vec<Member>,
    tasks: LiteMap<TaskId, Task>,
    /// Where each kept buffer is.
    owners: LiteMap<TaskId, u32>,
    /// Orders given before the first worker was ready.
    waiting: Vec<(TaskId, Order)>,
    next_task: TaskId,
    next_member: u32,
    closed: bool,
    /// Whether workers may keep memory for parts to come.
    has_spares: bool,
    /// Why the last worker could not be started.
    start_error: JsValue,
}

struct Member {
    id: u32,
    worker: Worker,
    /// Sent out of its memory so far.
    sent: u64,
    /// Finishes what it has and is given nothing new.
    retiring: bool,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

/// Hears of a task's progress and end.
type Listener = Rc<dyn Fn(Report)>;

struct Task {
    /// The worker that does it, once there is one.
    member: Option<u32>,
    /// Whether the worker keeps the bytes that it hashed until they are released.
    keeps: bool,
    /// Bytes that it leaves in the worker's memory when it ends.
    leaves: u64,
    listener: Listener,
}

/// A tree hash that a worker is computing.
pub(crate) struct Hashing(oneshot::Receiver<Result<TreeHash, TaskFailure>>);

impl Hashing {
    /// Waits until it is there.
    pub(crate) async fn end(self) -> Result<TreeHash, TaskFailure> {
        self.0.await.unwrap_or(Err(TaskFailure::Cancelled))
    }
}

impl HashPool {
    pub(crate) fn new(spawn: Function, size: usize) -> Self {
        let inner = Inner {
            spawn,
            size,
            n_started: 0,
            workers: Vec::new(),
            tasks: LiteMap::new(),
            owners: LiteMap::new(),
            waiting: Vec::new(),
            next_task: 1,
            next_member: 1,
            closed: false,
            has_spares: false,
            start_error: JsValue::UNDEFINED,
        };
        Self { inner: Rc::new(RefCell::new(inner)) }
    }

    /// One worker more, beside these and not of them: it holds what the others must not lose when they are replaced.
    pub(crate) fn apart(&self) -> Self {
        Self::new(self.inner.borrow().spawn.clone(), 1)
    }

    /// Gives an order that has a result. `order` is told the task's number; `listener` hears progress and, once, the
    /// end.
    pub(crate) fn order(&self, order: impl FnOnce(TaskId) -> Order, listener: impl Fn(Report) + 'static) -> TaskId {
        let task = self.enter(Rc::new(listener));
        self.give(task, order(task));
        task
    }

    fn enter(&self, listener: Listener) -> TaskId {
        let mut inner = self.inner.borrow_mut();
        let task = inner.next_task;
        inner.next_task += 1;
        inner.tasks.insert(task, Task { member: None, keeps: false, leaves: 0, listener });
        task
    }

    fn give(&self, task: TaskId, order: Order) {
        self.start_workers();
        self.inner.borrow_mut().assign(task, order);
    }

    /// Stops a task. It still reports its end.
    pub(crate) fn cancel(&self, task: TaskId) {
        let mut inner = self.inner.borrow_mut();
        let waiting = inner.waiting.len();
        inner.waiting.retain(|(waiting, _)| *waiting != task);
        if inner.waiting.len() < waiting {
            let listener = inner.tasks.remove(&task).map(|task| task.listener);
            drop(inner);
            if let Some(listener) = listener {
                listener(Report::Failed { task, failure: TaskFailure::Cancelled });
            }
            return;
        }
        if let Some(member) = inner.tasks.get(&task).and_then(|task| task.member) {
            inner.post(member, &Order::Cancel { task });
        }
    }

    /// Drops the bytes kept by a hashing task; with `reuse` another part is read into their memory, if more is to come.
    pub(crate) fn release(&self, hashed: TaskId, reuse: bool) {
        let mut inner = self.inner.borrow_mut();
        let Some(member) = inner.owners.remove(&hashed) else { return };
        // One that retires is given no other part.
        let reuse = reuse && inner.workers.iter().any(|worker| worker.id == member && !worker.retiring);
        inner.post(member, &if reuse { Order::Recycle { hashed } } else { Order::Release { hashed } });
        inner.has_spares |= reuse;
        inner.retire_if_done(member);
        inner.rest(hashed);
    }

    /// What was thrown when a worker could not be started, or `undefined`.
    pub(crate) fn start_error(&self) -> JsValue {
        self.inner.borrow().start_error.clone()
    }

    /// Begins the tree hash of a range, in whichever worker is free. What is returned only waits for it.
    pub(crate) fn hash_tree(&self, blob: Blob, range: ByteRange, progress: impl Fn(u64) + 'static) -> Hashing {
        let (sender, receiver) = oneshot::channel();
        let sender = RefCell::new(Some(sender));
        self.order(
            |task| Order::HashTree { task, blob, range },
            move |report| {
                let end = match report {
                    Report::Progress { bytes, .. } => return progress(bytes),
                    Report::Hashed { digest, .. } => Ok(digest.tree_hash),
                    Report::Failed { failure, .. } => Err(failure),
                    _ => Err(TaskFailure::Network),
                };
                if let Some(sender) = sender.borrow_mut().take() {
                    // Nobody waits any more where the whole was cancelled.
                    let _ = sender.send(end);
                }
            },
        );
        Hashing(receiver)
    }

    /// Stops all workers. Tasks under way report failure.
    pub(crate) fn close(&self) {
        let members = {
            let mut inner = self.inner.borrow_mut();
            inner.closed = true;
            std::mem::take(&mut inner.workers)
        };
        for member in members {
            member.worker.terminate();
        }
        self.fail_all("the uploader was closed");
    }

    fn start_workers(&self) {
        loop {
            let mut inner = self.inner.borrow_mut();
            // One more worker only while all that are there have something to do.
            let busy = inner.tasks.len() > inner.n_started;
            if inner.closed || inner.n_started >= inner.size || !busy {
                return;
            }
            inner.n_started += 1;
            let spawned = inner.spawn.call0(&JsValue::UNDEFINED);
            drop(inner);
            let pool = self.clone();
            task::spawn(async move {
                let worker = match spawned.map(|promise| promise.unchecked_into::<Promise>()) {
                    Ok(promise) => JsFuture::from(promise).await,
                    Err(error) => Err(error),
                };
                match worker {
                    Ok(worker) => pool.join(worker.unchecked_into()),
                    Err(error) => pool.could_not_start(&error),
                }
            });
        }
    }

    fn join(&self, worker: Worker) {
        let mut inner = self.inner.borrow_mut();
        if inner.closed {
            worker.terminate();
            return;
        }
        let id = inner.next_member;
        inner.next_member += 1;
        // Weak, because the pool owns them: what nobody uses any more ends, with its workers.
        let pool = Rc::downgrade(&self.inner);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let (Some(inner), Some(report)) = (pool.upgrade(), Report::from_js(&event.data())) {
                Self { inner }.take(id, report);
            }
        });
        let pool = Rc::downgrade(&self.inner);
        let on_error = Closure::<dyn FnMut(ErrorEvent)>::new(move |event: ErrorEvent| {
            if let Some(inner) = pool.upgrade() {
                Self { inner }.lose(id, &event.message());
            }
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        let member = Member { id, worker, sent: 0, retiring: false, _on_message: on_message, _on_error: on_error };
        inner.workers.push(member);
        for (task, order) in std::mem::take(&mut inner.waiting) {
            inner.assign(task, order);
        }
    }

    fn could_not_start(&self, error: &JsValue) {
        let alone = {
            let mut inner = self.inner.borrow_mut();
            inner.n_started -= 1;
            inner.start_error = error.clone();
            inner.n_started == 0
        };
        if alone {
            let message = crate::json::get(error, "message").as_string().unwrap_or_default();
            self.fail_all(&message);
        }
    }

    fn take(&self, member: u32, report: Report) {
        let mut inner = self.inner.borrow_mut();
        let task = report.task();
        let listener = match &report {
            Report::Progress { .. } => inner.tasks.get(&task).map(|task| Rc::clone(&task.listener)),
            _ => inner.tasks.remove(&task).map(|ended| {
                if ended.keeps && matches!(report, Report::Hashed { .. }) {
                    inner.owners.insert(task, member);
                }
                inner.age(member, ended.leaves);
                ended.listener
            }),
        };
        drop(inner);
        if let Some(listener) = listener {
            listener(report);
        }
        self.inner.borrow_mut().rest(task);
    }

    /// A worker died. Its tasks fail (and are done again by another), and what it kept is read again when sent.
    fn lose(&self, member: u32, message: &str) {
        let lost = {
            let mut inner = self.inner.borrow_mut();
            let Some(at) = inner.workers.iter().position(|candidate| candidate.id == member) else {
                return;
            };
            let lost = inner.workers.swap_remove(at);
            lost.worker.terminate();
            if !lost.retiring {
                inner.n_started -= 1;
            }
            inner.owners.retain(|_, owner| *owner != member);
            inner.take_tasks(|task| task.member == Some(member))
        };
        fail(lost, message);
    }

    fn fail_all(&self, message: &str) {
        let all = {
            let mut inner = self.inner.borrow_mut();
            inner.waiting.clear();
            inner.take_tasks(|_| true)
        };
        fail(all, message);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for member in &self.workers {
            member.worker.terminate();
        }
    }
}

impl Inner {
    fn assign(&mut self, task: TaskId, order: Order) {
        let owner = match &order {
            Order::Send { hashed, .. } => self.owners.get(hashed).copied(),
            _ => None,
        };
        let load = |id| self.tasks.values().filter(|task| task.member == Some(id)).count();
        let hired = self.workers.iter().filter(|member| !member.retiring).map(|member| member.id);
        let Some(member) = owner.or_else(|| hired.min_by_key(|id| load(*id))) else {
            self.waiting.push((task, order));
            return;
        };
        if let Some(task) = self.tasks.get_mut(&task) {
            task.member = Some(member);
            task.keeps = matches!(order, Order::Hash { keep: true, .. });
            if let Order::Send { range, blob, .. } = &order {
                // A Blob that is one part was made of a stream's bytes, and a worker's handle of it keeps them as well.
                let is_in_memory = owner.is_some() || file::size(blob) == range.len();
                task.leaves = if is_in_memory { range.len() } else { 0 };
            }
        }
        if !self.post(member, &order) {
            let listener = self.tasks.remove(&task).map(|task| task.listener);
            // Not inside the call that gives the order.
            task::spawn(async move {
                let failure = TaskFailure::Worker("what it was ordered cannot be handed over".to_owned());
                if let Some(listener) = listener {
                    listener(Report::Failed { task, failure });
                }
            });
        }
    }

    /// Counts what a task left in a worker's memory, and retires the worker when that is enough.
    fn age(&mut self, member: u32, left: u64) {
        if let Some(worker) = self.workers.iter_mut().find(|candidate| candidate.id == member) {
            worker.sent += left;
            if worker.sent >= settings::WORKER_LIFE && !worker.retiring {
                worker.retiring = true;
                // Makes room for another, which the next order starts.
                self.n_started -= 1;
            }
        }
        self.retire_if_done(member);
    }

    fn retire_if_done(&mut self, member: u32) {
        let busy = self.tasks.values().any(|task| task.member == Some(member))
            || self.owners.values().any(|owner| *owner == member);
        let retired = self.workers.iter().position(|worker| worker.id == member && worker.retiring);
        if let (false, Some(at)) = (busy, retired) {
            self.workers.swap_remove(at).worker.terminate();
        }
    }

    /// Has memory that is kept for parts to come given back where none is to come: parts are hashed ahead, so that something
    /// is under way or kept as long as there are more. A page that is done with a file may stay open for days.
    fn rest(&mut self, last: TaskId) {
        if self.has_spares && self.tasks.is_empty() && self.owners.is_empty() {
            self.has_spares = false;
            for worker in &self.workers {
                self.post(worker.id, &Order::Release { hashed: last });
            }
        }
    }

    /// `false` where a value can be neither cloned nor handed over. Blobs, numbers, texts and buffers all can; what a
    /// page gave as a file handle may be anything.
    fn post(&self, member: u32, order: &Order) -> bool {
        self.workers
            .iter()
            .find(|candidate| candidate.id == member)
            .is_none_or(|member| member.worker.post_message_with_transfer(&order.to_js(), &order.transfers()).is_ok())
    }

    fn take_tasks(&mut self, which: impl Fn(&Task) -> bool) -> Vec<(TaskId, Listener)> {
        let ids: Vec<TaskId> = self.tasks.iter().filter(|(_, task)| which(task)).map(|(id, _)| *id).collect();
        ids.into_iter().filter_map(|id| Some((id, self.tasks.remove(&id)?.listener))).collect()
    }
}

fn fail(tasks: Vec<(TaskId, Listener)>, message: &str) {
    for (task, listener) in tasks {
        listener(Report::Failed { task, failure: TaskFailure::Worker(message.to_owned()) });
    }
}
