//! A download into a file that the page has a handle of.
//!
//! A file of the origin's private file system is written in place by a worker of its own. Any other, which browsers
//! let nobody write in place, gets a copy that takes its place when it is closed: at the end, and at every pause,
//! because nothing else of it outlives the page.

use std::cell::Cell;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::lock::Mutex;
use glacier_core::ByteRange;
use js_sys::{ArrayBuffer, Object};
use wasm_bindgen::prelude::{JsCast, JsValue};
use web_sys::{Blob, DomException};

use super::stream::StreamSink;
use crate::dynamic::call_async;
use crate::hash_pool::HashPool;
use crate::json::{self, set};
use crate::message::{Order, Report, TaskFailure, TaskId};

/// One file, open from the first write to the next rest.
pub(crate) struct FileSink {
    handle: JsValue,
    pool: HashPool,
    /// Whether what is in the file counts.
    keep: Cell<bool>,
    /// Held while it is being opened or closed.
    open: Mutex<Option<Rc<Open>>>,
}

enum Open {
    /// By the one worker of that pool, which has the file's lock.
    InPlace(HashPool),
    /// By way of a copy.
    Copy(StreamSink),
}

impl FileSink {
    pub(super) fn new(handle: JsValue, pool: HashPool, keep: bool) -> Self {
        Self { handle, pool, keep: Cell::new(keep), open: Mutex::new(None) }
    }

    pub(super) async fn write(&self, range: ByteRange, bytes: ArrayBuffer) -> Result<(), JsValue> {
        match &*self.opened().await? {
            Open::InPlace(worker) => {
                order(worker, |task| Order::WriteFile { task, position: range.start(), bytes }).await.map_err(thrown)
            }
            Open::Copy(stream) => stream.write(range, bytes).await,
        }
    }

    pub(super) async fn rest(&self) -> Result<(), JsValue> {
        let mut open = self.open.lock().await;
        let Some(opened) = open.take() else { return Ok(()) };
        match &*opened {
            Open::InPlace(worker) => close_in_place(worker, None).await,
            Open::Copy(stream) => stream.close_as_it_is().await,
        }
    }

    pub(super) async fn close(&self, len: u64) -> Result<(), JsValue> {
        // Also where nothing was left to write: what is beyond the end is cut off all the same.
        let opened = self.opened().await?;
        self.open.lock().await.take();
        match &*opened {
            Open::InPlace(worker) => close_in_place(worker, Some(len)).await,
            Open::Copy(stream) => stream.close(len).await,
        }
    }

    pub(super) async fn abandon(&self, reason: &JsValue, wrong: bool) {
        let mut open = self.open.lock().await;
        let Some(opened) = open.take() else { return };
        match &*opened {
            // It ended badly already, and the error that is told is that one.
            Open::InPlace(worker) => drop(close_in_place(worker, None).await),
            Open::Copy(stream) if wrong => stream.abort(reason),
            Open::Copy(stream) => drop(stream.close_as_it_is().await),
        }
    }

    pub(super) async fn read(&self) -> Result<Blob, JsValue> {
        call_async(&self.handle, "getFile", &[]).await.map(JsCast::unchecked_into)
    }

    async fn opened(&self) -> Result<Rc<Open>, JsValue> {
        let mut open = self.open.lock().await;
        if let Some(opened) = &*open {
            return Ok(Rc::clone(opened));
        }
        let opened = Rc::new(self.begin().await?);
        self.keep.set(true);
        *open = Some(Rc::clone(&opened));
        Ok(opened)
    }

    async fn begin(&self) -> Result<Open, JsValue> {
        let worker = self.pool.apart();
        let handle = self.handle.clone();
        match order(&worker, |task| Order::OpenFile { task, handle }).await {
            Ok(()) => return Ok(Open::InPlace(worker)),
            Err(failure) => {
                worker.close();
                if !is_elsewhere(&failure) || !json::get(&self.handle, "createWritable").is_function() {
                    return Err(thrown(failure));
                }
            }
        }
        let options = Object::new();
        set(&options, "keepExistingData", &self.keep.get().into());
        let stream = call_async(&self.handle, "createWritable", &[&options]).await?;
        StreamSink::at_any_position(&stream).map(Open::Copy)
    }
}

/// Whether the file is none that can be written in place: it is outside the private file system, or the browser has
/// no such access, or what the page gave cannot be handed to a worker.
fn is_elsewhere(failure: &TaskFailure) -> bool {
    match failure {
        TaskFailure::Sink(name, _) => matches!(name.as_str(), "InvalidStateError" | "TypeError" | "NotSupportedError"),
        TaskFailure::Worker(_) => true,
        _ => false,
    }
}

async fn close_in_place(worker: &HashPool, len: Option<u64>) -> Result<(), JsValue> {
    let closed = order(worker, |task| Order::CloseFile { task, len }).await.map_err(thrown);
    worker.close();
    closed
}

async fn order(worker: &HashPool, order: impl FnOnce(TaskId) -> Order) -> Result<(), TaskFailure> {
    let (sender, receiver) = oneshot::channel();
    let sender = Cell::new(Some(sender));
    worker.order(order, move |report| {
        let end = match report {
            Report::Failed { failure, .. } => Err(failure),
            _ => Ok(()),
        };
        if let Some(sender) = sender.take() {
            // Whoever ordered it waits for it below.
            let _ = sender.send(end);
        }
    });
    receiver.await.unwrap_or(Err(TaskFailure::Cancelled))
}

/// As the page would have seen it, had the worker been the page.
fn thrown(failure: TaskFailure) -> JsValue {
    let (name, message) = match failure {
        TaskFailure::Sink(name, message) => (name, message),
        TaskFailure::Worker(message) => ("OperationError".to_owned(), message),
        _ => ("OperationError".to_owned(), "the worker that writes the file stopped".to_owned()),
    };
    DomException::new_with_message_and_name(&message, &name).map_or_else(|error| error, JsValue::from)
}
