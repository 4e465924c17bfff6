//! What runs in a web worker: reads, hashes, sends, fetches and writes as the page orders.

use std::cell::RefCell;
use std::rc::Rc;

use glacier_core::glacier::Response;
use glacier_core::{ByteRange, SignedRequest};
use js_sys::ArrayBuffer;
use litemap::LiteMap;
use wasm_bindgen::prelude::{JsCast, JsValue, wasm_bindgen};
use web_sys::{Blob, DedicatedWorkerGlobalScope, DomException};

use crate::arriving::{Arrived, Arriving};
use crate::clock;
use crate::fetch::{self, Canceller, NoAnswer, Sending};
use crate::file::{self, ReadError};
use crate::hash;
use crate::message::{Order, Report, TaskFailure, TaskId};
use crate::open_file::OpenFile;
use crate::task;

/// Least time between two progress reports of a task. WebKit fires an event for every 8 KiB sent.
const REPORT_INTERVAL_MS: u64 = 100;

/// One worker's state: what it holds and what it is doing.
#[wasm_bindgen(skip_typescript)]
#[derive(Clone, Default)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct WorkerSession {
    held: Rc<RefCell<Held>>,
}

#[derive(Default)]
struct Held {
    /// Parts read and hashed, by the task that did it, until they are released.
    buffers: LiteMap<TaskId, ArrayBuffer>,
    /// Memory of a part that is no longer needed, for the next one.
    spare: Option<ArrayBuffer>,
    /// Parts being sent.
    sending: LiteMap<TaskId, Sending>,
    /// Hashing tasks that must not keep or report their result.
    cancelled: LiteMap<TaskId, ()>,
    /// Hashing tasks that run.
    hashing: LiteMap<TaskId, ()>,
    /// Ranges being fetched.
    fetching: LiteMap<TaskId, Canceller>,
    /// The file being written.
    file: Option<OpenFile>,
}

impl Held {
    /// Memory of exactly that length.
    fn take_spare(&mut self, len: u64) -> Option<ArrayBuffer> {
        self.spare.take_if(|spare| u64::from(spare.byte_length()) == len)
    }

    /// One at a time.
    fn keep_spare(&mut self, buffer: ArrayBuffer) {
        if let Some(before) = self.spare.replace(buffer) {
            hash::free(&before);
        }
    }
}

#[wasm_bindgen]
impl WorkerSession {
    /// A session that holds nothing.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one message of the page. What cannot be read is ignored: it is not ours.
    pub fn receive(&self, message: JsValue) {
        let session = self.clone();
        match Order::from_js(&message) {
            Some(Order::Hash { task, blob, range, keep }) => task::spawn(session.hash(task, blob, range, keep)),
            Some(Order::HashTree { task, blob, range }) => task::spawn(session.hash_tree(task, blob, range)),
            Some(Order::Send { task, hashed, blob, range, request }) => {
                session.send(task, hashed, &blob, range, &request);
            }
            Some(Order::Fetch { task, range, request, plain_hash }) => {
                task::spawn(session.fetch(task, range, request, plain_hash));
            }
            Some(Order::OpenFile { task, handle }) => task::spawn(session.open(task, handle)),
            Some(Order::WriteFile { task, position, bytes }) => session.write(task, position, &bytes),
            Some(Order::CloseFile { task, len }) => session.close(task, len),
            Some(Order::Cancel { task }) => session.cancel(task),
            Some(Order::Release { hashed }) => {
                let bytes = session.release(hashed);
                let spare = session.held.borrow_mut().spare.take();
                for buffer in [bytes, spare].into_iter().flatten() {
                    hash::free(&buffer);
                }
            }
            Some(Order::Recycle { hashed }) => {
                if let Some(buffer) = session.release(hashed) {
                    session.held.borrow_mut().keep_spare(buffer);
                }
            }
            None => {}
        }
    }
}

impl WorkerSession {
    async fn hash(self, task: TaskId, blob: Blob, range: ByteRange, keep: bool) {
        self.held.borrow_mut().hashing.insert(task, ());
        let progress = throttled(task);
        let hashed = if keep {
            let spare = self.held.borrow_mut().take_spare(range.len());
            hash::resident(&blob, range, spare, progress).await.map(|(digest, buffer)| (digest, Some(buffer)))
        } else {
            hash::streamed(&blob, range, progress).await.map(|digest| (digest, None))
        };
        let mut held = self.held.borrow_mut();
        held.hashing.remove(&task);
        if held.cancelled.remove(&task).is_some() {
            return report(&Report::Failed { task, failure: TaskFailure::Cancelled });
        }
        match hashed {
            Ok((digest, buffer)) => {
                if let Some(buffer) = buffer {
                    held.buffers.insert(task, buffer);
                }
                report(&Report::Hashed { task, digest });
            }
            Err(error) => report(&Report::Failed { task, failure: failure(&error) }),
        }
    }

    async fn hash_tree(self, task: TaskId, blob: Blob, range: ByteRange) {
        self.held.borrow_mut().hashing.insert(task, ());
        let hashed = hash::tree(&blob, range, throttled(task)).await;
        let mut held = self.held.borrow_mut();
        held.hashing.remove(&task);
        let cancelled = held.cancelled.remove(&task).is_some();
        report(&match hashed {
            _ if cancelled => Report::Failed { task, failure: TaskFailure::Cancelled },
            Ok(digest) => Report::Hashed { task, digest },
            Err(error) => Report::Failed { task, failure: failure(&error) },
        });
    }

    fn send(&self, task: TaskId, hashed: TaskId, blob: &Blob, range: ByteRange, request: &SignedRequest) {
        let kept = self.held.borrow().buffers.get(&hashed).cloned();
        let body: Result<JsValue, JsValue> = match kept {
            Some(buffer) => Ok(buffer.into()),
            None => file::slice(blob, range).map(Into::into),
        };
        let held = Rc::clone(&self.held);
        let (slice, progress) = (blob.clone(), throttled(task));
        let is_kept = matches!(&body, Ok(body) if body.is_instance_of::<ArrayBuffer>());
        let end = move |ended: Result<_, NoAnswer>| {
            task::spawn(async move {
                // The request is dropped here and not inside its own event.
                held.borrow_mut().sending.remove(&task);
                if is_kept {
                    hash::count_in(range.len());
                }
                report(&match ended {
                    Ok(response) => Report::Answered { task, response },
                    Err(NoAnswer::Cancelled) => Report::Failed { task, failure: TaskFailure::Cancelled },
                    Err(NoAnswer::Network) => Report::Failed { task, failure: network_or_file(&slice, range).await },
                });
            });
        };
        match body.and_then(|body| Sending::begin(request, &body, progress, end)) {
            Ok(sending) => {
                self.held.borrow_mut().sending.insert(task, sending);
            }
            Err(error) => report(&Report::Failed { task, failure: TaskFailure::Worker(describe(&error)) }),
        }
    }

    async fn fetch(self, task: TaskId, range: ByteRange, request: SignedRequest, plain_hash: bool) {
        let canceller = Canceller::new();
        self.held.borrow_mut().fetching.insert(task, canceller.clone());
        let fetched = fetch_range(&request, (range, plain_hash), &canceller, throttled(task)).await;
        self.held.borrow_mut().fetching.remove(&task);
        report(&match fetched {
            Ok((response, Some(Arrived { len, tree_hash, payload_hash, bytes }))) => {
                Report::Fetched { task, response, len, tree_hash, payload_hash, bytes }
            }
            Ok((response, None)) => Report::Answered { task, response },
            Err(NotFetched::NoAnswer(NoAnswer::Cancelled)) => Report::Failed { task, failure: TaskFailure::Cancelled },
            Err(NotFetched::NoAnswer(NoAnswer::Network)) => Report::Failed { task, failure: TaskFailure::Network },
            Err(NotFetched::Browser(error)) => Report::Failed { task, failure: TaskFailure::Worker(describe(&error)) },
        });
    }

    async fn open(self, task: TaskId, handle: JsValue) {
        let opened = OpenFile::open(&handle).await;
        report(&stored(task, opened.map(|file| self.held.borrow_mut().file = Some(file))));
    }

    fn write(&self, task: TaskId, position: u64, bytes: &ArrayBuffer) {
        let written = match &self.held.borrow().file {
            Some(file) => file.write(position, bytes),
            None => Err(JsValue::UNDEFINED),
        };
        hash::free(bytes);
        report(&stored(task, written));
    }

    fn close(&self, task: TaskId, len: Option<u64>) {
        let file = self.held.borrow_mut().file.take();
        report(&stored(task, file.map_or(Err(JsValue::UNDEFINED), |file| file.close(len))));
    }

    fn cancel(&self, task: TaskId) {
        let mut held = self.held.borrow_mut();
        if let Some(fetching) = held.fetching.get(&task) {
            fetching.cancel();
        }
        if held.hashing.contains_key(&task) {
            held.cancelled.insert(task, ());
        }
        // Taken out first: the abort event runs before `cancel` returns and must find the session free.
        let sending = held.sending.remove(&task);
        drop(held);
        if let Some(sending) = sending {
            sending.cancel();
        }
    }

    /// What that task kept, which is nobody's now.
    fn release(&self, hashed: TaskId) -> Option<ArrayBuffer> {
        let mut held = self.held.borrow_mut();
        if held.hashing.contains_key(&hashed) {
            held.cancelled.insert(hashed, ());
        }
        held.buffers.remove(&hashed)
    }
}

/// A failed request may be the file's fault: browsers give a network error where a slice cannot be read. One byte
/// tells.
async fn network_or_file(blob: &Blob, range: ByteRange) -> TaskFailure {
    match ByteRange::new(range.start(), range.start() + 1) {
        Some(first) => match file::read(blob, first).await {
            Ok(_) => TaskFailure::Network,
            Err(error) => failure(&error),
        },
        None => TaskFailure::Network,
    }
}

fn failure(error: &ReadError) -> TaskFailure {
    match error {
        ReadError::Length => TaskFailure::ShortRead,
        ReadError::Browser(error) => match error.dyn_ref::<DomException>().map(DomException::name).as_deref() {
            // Chromium's answer when the file was written to since it was picked. A file removed is a NotFoundError.
            Some("NotReadableError") => TaskFailure::FileChanged(describe(error)),
            _ => TaskFailure::FileUnreadable(describe(error)),
        },
    }
}

/// Why a range was not fetched.
enum NotFetched {
    NoAnswer(NoAnswer),
    Browser(JsValue),
}

/// The answer, and the bytes of one that has them.
type Answered = (Response, Option<Arrived>);

async fn fetch_range(
    request: &SignedRequest,
    (range, plain_hash): (ByteRange, bool),
    canceller: &Canceller,
    mut progress: impl FnMut(u64),
) -> Result<Answered, NotFetched> {
    let mut answer = fetch::open(request, None, canceller).await.map_err(NotFetched::NoAnswer)?;
    if !answer.head.is_success() {
        answer.head.body = answer.body.read_json().await.map_err(NotFetched::NoAnswer)?;
        return Ok((answer.head, None));
    }
    let mut arriving = Arriving::new(range.len()).map_err(NotFetched::Browser)?;
    progress(0);
    while let Some(chunk) = answer.body.chunk().await.map_err(NotFetched::NoAnswer)? {
        if !arriving.push(&chunk).await.map_err(NotFetched::Browser)? {
            break;
        }
        progress(arriving.len());
    }
    Ok((answer.head, Some(arriving.finish(plain_hash).await.map_err(NotFetched::Browser)?)))
}

fn stored(task: TaskId, result: Result<(), JsValue>) -> Report {
    match result {
        Ok(()) => Report::Stored { task },
        Err(error) => {
            let name = crate::json::get(&error, "name").as_string().unwrap_or_default();
            Report::Failed { task, failure: TaskFailure::Sink(name, describe(&error)) }
        }
    }
}

fn describe(error: &JsValue) -> String {
    crate::json::get(error, "message").as_string().unwrap_or_default()
}

fn throttled(task: TaskId) -> impl FnMut(u64) + 'static {
    let mut last = None;
    move |bytes| {
        let now = clock::now();
        if last.is_none_or(|last| now.since(last) >= REPORT_INTERVAL_MS) {
            last = Some(now);
            report(&Report::Progress { task, bytes });
        }
    }
}

fn report(report: &Report) {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    // Fails only where a value cannot be cloned, and all of ours can.
    let _ = scope.post_message_with_transfer(&report.to_js(), &report.transfers());
}
