//! The tree hash of a file, computed in workers before or without an upload.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use glacier_core::error::{ErrorCode, UploadError};
use glacier_core::{PartPlan, TreeHash, settings, tree_hash};
use js_sys::{Function, Object};
use wasm_bindgen::prelude::JsValue;
use web_sys::{AbortSignal, Blob};

use crate::error;
use crate::file::{self, number};
use crate::hash_pool::HashPool;
use crate::json::set;
use crate::message::TaskFailure;

/// Ranges under way at once, per worker: one is read while another is hashed.
const READ_AHEAD: usize = 2;

/// Hashes `blob` range by range. Ranges are parts of a plan, because only such combine.
pub(crate) async fn tree_hash(
    blob: Blob,
    pool: HashPool,
    workers: usize,
    on_progress: Option<Function>,
    signal: Option<AbortSignal>,
) -> Result<TreeHash, JsValue> {
    let size = file::size(&blob);
    if size == 0 {
        return Ok(tree_hash::combine(&[]));
    }
    let plan = settings::plan(size, None).map_err(|error| error::to_js(&error, &JsValue::UNDEFINED))?;
    let watch =
        Rc::new(Watch { total: size, done: Cell::new(0), parts: RefCell::new(vec![0; parts(&plan)]), on_progress });
    let mut ranges = plan.ranges().enumerate();
    let mut under_way = VecDeque::new();
    let mut nodes = Vec::new();
    loop {
        while under_way.len() < workers * READ_AHEAD {
            let Some((part, range)) = ranges.next() else { break };
            let report = Rc::clone(&watch);
            let hash = pool.hash_tree(blob.clone(), range, move |bytes| report.show(part, bytes));
            under_way.push_back((part, range.len(), hash));
        }
        let Some((part, len, hash)) = under_way.pop_front() else { break };
        let hash = hash.end().await;
        watch.show(part, len);
        if signal.as_ref().is_some_and(AbortSignal::aborted) {
            return Err(error::aborted("computation"));
        }
        nodes.push(hash.map_err(|failure| failed(&failure, &pool))?);
    }
    Ok(tree_hash::combine(&nodes))
}

fn parts(plan: &PartPlan) -> usize {
    usize::try_from(plan.n_parts()).unwrap_or_default()
}

struct Watch {
    total: u64,
    done: Cell<u64>,
    parts: RefCell<Vec<u64>>,
    on_progress: Option<Function>,
}

impl Watch {
    fn show(&self, part: usize, bytes: u64) {
        let more = self.parts.borrow_mut().get_mut(part).map_or(0, |seen| {
            let more = bytes.saturating_sub(*seen);
            *seen += more;
            more
        });
        self.done.set(self.done.get() + more);
        if let (Some(on_progress), true) = (&self.on_progress, more > 0) {
            let progress = Object::new();
            set(&progress, "bytesHashed", &number(self.done.get()).into());
            set(&progress, "bytesTotal", &number(self.total).into());
            // What the page's own function throws does not stop the hash.
            let _ = on_progress.call1(&JsValue::UNDEFINED, &progress);
        }
    }
}

fn failed(failure: &TaskFailure, pool: &HashPool) -> JsValue {
    let error = match failure {
        TaskFailure::FileChanged(detail) => {
            UploadError::new(ErrorCode::FileChanged, message("the file changed", detail))
        }
        TaskFailure::ShortRead => UploadError::new(ErrorCode::FileChanged, "the file is shorter than it was"),
        TaskFailure::FileUnreadable(detail) => {
            UploadError::new(ErrorCode::FileUnreadable, message("the file cannot be read", detail))
        }
        TaskFailure::Network | TaskFailure::Cancelled | TaskFailure::Sink(..) => {
            UploadError::new(ErrorCode::WorkerFailed, "the hashing stopped")
        }
        TaskFailure::Worker(detail) => UploadError::new(ErrorCode::WorkerFailed, message("a worker failed", detail)),
    };
    error::to_js(&error, &pool.start_error())
}

fn message(what: &str, detail: &str) -> String {
    if detail.is_empty() { what.to_owned() } else { format!("{what}: {detail}") }
}
