//! What page and worker say to each other: two message types, each an array that begins with its kind and the number
//! of the task. Files go across as handles and hashes as bytes; the bytes of a file never do.

use glacier_core::glacier::{Method, Response};
use glacier_core::{ByteRange, PartDigest, PayloadHash, SignedRequest, TreeHash};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::{JsCast, JsValue};
use web_sys::Blob;

use crate::{file, json};

/// Numbers the tasks of one page. A worker's buffer is known by the number of the task that hashed it.
pub(crate) type TaskId = u32;

/// From the page.
pub(crate) enum Order {
    /// Read and hash a range; keep the bytes for sending if `keep`.
    Hash { task: TaskId, blob: Blob, range: ByteRange, keep: bool },
    /// The same without the payload hash, and nothing is kept.
    HashTree { task: TaskId, blob: Blob, range: ByteRange },
    /// Send the bytes kept by the task `hashed`, or a slice of the file where none were kept.
    Send { task: TaskId, hashed: TaskId, blob: Blob, range: ByteRange, request: SignedRequest },
    /// Stop that task. It still answers.
    Cancel { task: TaskId },
    /// Drop the bytes kept by the task `hashed`.
    Release { hashed: TaskId },
}

/// From a worker.
pub(crate) enum Report {
    /// So many bytes of the task are hashed or handed to the network.
    Progress { task: TaskId, bytes: u64 },
    /// Hash is done.
    Hashed { task: TaskId, digest: PartDigest },
    /// The store (or whoever stands there) answered.
    Answered { task: TaskId, response: Response },
    /// No answer came.
    Failed { task: TaskId, failure: TaskFailure },
}

/// Why a task has no result.
#[derive(Clone, Debug)]
pub(crate) enum TaskFailure {
    /// The browser says that the file changed or is gone.
    FileChanged(String),
    /// Fewer or more bytes than the range has.
    ShortRead,
    /// The browser cannot read the file.
    FileUnreadable(String),
    /// The network failed, and browsers do not say how.
    Network,
    /// As asked by [`Order::Cancel`].
    Cancelled,
    /// The worker itself failed.
    Worker(String),
}

impl Order {
    pub(crate) fn to_js(&self) -> JsValue {
        match self {
            Self::Hash { task, blob, range, keep } => array([
                "hash".into(),
                (*task).into(),
                blob.into(),
                file::number(range.start()).into(),
                file::number(range.end()).into(),
                (*keep).into(),
            ]),
            Self::HashTree { task, blob, range } => array([
                "tree".into(),
                (*task).into(),
                blob.into(),
                file::number(range.start()).into(),
                file::number(range.end()).into(),
            ]),
            Self::Send { task, hashed, blob, range, request } => array([
                "send".into(),
                (*task).into(),
                blob.into(),
                file::number(range.start()).into(),
                file::number(range.end()).into(),
                (*hashed).into(),
                request.method.as_str().into(),
                request.url.as_str().into(),
                request
                    .headers
                    .iter()
                    .map(|(name, value)| array([name.into(), value.into()]))
                    .collect::<Array>()
                    .into(),
            ]),
            Self::Cancel { task } => array(["cancel".into(), (*task).into()]),
            Self::Release { hashed } => array(["release".into(), (*hashed).into()]),
        }
    }

    /// `None` for anything no page of this version sends.
    pub(crate) fn from_js(message: &JsValue) -> Option<Self> {
        let message: &Array = message.dyn_ref()?;
        let task = task(message)?;
        let blob = || message.get(2).dyn_into::<Blob>().ok();
        let range = || ByteRange::new(file::exact(message.get(3).as_f64()?)?, file::exact(message.get(4).as_f64()?)?);
        Some(match message.get(0).as_string()?.as_str() {
            "hash" => Self::Hash { task, blob: blob()?, range: range()?, keep: message.get(5).is_truthy() },
            "tree" => Self::HashTree { task, blob: blob()?, range: range()? },
            "send" => Self::Send {
                task,
                blob: blob()?,
                range: range()?,
                hashed: number(&message.get(5))?,
                request: SignedRequest {
                    method: Method::from_name(&message.get(6).as_string()?)?,
                    url: message.get(7).as_string()?,
                    headers: pairs(&message.get(8))?,
                    body: None,
                    expires_in_ms: 0,
                },
            },
            "cancel" => Self::Cancel { task },
            "release" => Self::Release { hashed: task },
            _ => return None,
        })
    }
}

impl Report {
    pub(crate) fn to_js(&self) -> JsValue {
        match self {
            Self::Progress { task, bytes } => array(["progress".into(), (*task).into(), file::number(*bytes).into()]),
            Self::Hashed { task, digest } => array([
                "hashed".into(),
                (*task).into(),
                Uint8Array::from(digest.payload_hash.as_bytes().as_slice()).into(),
                Uint8Array::from(digest.tree_hash.as_bytes().as_slice()).into(),
            ]),
            Self::Answered { task, response } => array([
                "answered".into(),
                (*task).into(),
                response.status.into(),
                response
                    .headers
                    .iter()
                    .map(|(name, value)| array([name.into(), value.into()]))
                    .collect::<Array>()
                    .into(),
                response.body.as_ref().map_or(JsValue::UNDEFINED, json::to_js),
            ]),
            Self::Failed { task, failure } => {
                let (kind, detail) = match failure {
                    TaskFailure::FileChanged(detail) => ("changed", detail.as_str()),
                    TaskFailure::ShortRead => ("short", ""),
                    TaskFailure::FileUnreadable(detail) => ("unreadable", detail.as_str()),
                    TaskFailure::Network => ("network", ""),
                    TaskFailure::Cancelled => ("cancelled", ""),
                    TaskFailure::Worker(detail) => ("worker", detail.as_str()),
                };
                array(["failed".into(), (*task).into(), kind.into(), detail.into()])
            }
        }
    }

    /// `None` for anything no worker of this version sends.
    pub(crate) fn from_js(message: &JsValue) -> Option<Self> {
        let message: &Array = message.dyn_ref()?;
        let task = task(message)?;
        Some(match message.get(0).as_string()?.as_str() {
            "progress" => Self::Progress { task, bytes: file::exact(message.get(2).as_f64()?)? },
            "hashed" => Self::Hashed {
                task,
                digest: PartDigest {
                    payload_hash: PayloadHash::from_bytes(bytes(&message.get(2))?),
                    tree_hash: TreeHash::from_bytes(bytes(&message.get(3))?),
                },
            },
            "answered" => Self::Answered {
                task,
                response: Response {
                    status: u16::try_from(number(&message.get(2))?).ok()?,
                    headers: pairs(&message.get(3))?,
                    body: Some(message.get(4)).filter(|body| !body.is_undefined()).map(|body| json::from_js(&body)),
                },
            },
            "failed" => {
                let detail = message.get(3).as_string().unwrap_or_default();
                let failure = match message.get(2).as_string()?.as_str() {
                    "changed" => TaskFailure::FileChanged(detail),
                    "short" => TaskFailure::ShortRead,
                    "unreadable" => TaskFailure::FileUnreadable(detail),
                    "network" => TaskFailure::Network,
                    "cancelled" => TaskFailure::Cancelled,
                    _ => TaskFailure::Worker(detail),
                };
                Self::Failed { task, failure }
            }
            _ => return None,
        })
    }

    pub(crate) fn task(&self) -> TaskId {
        match self {
            Self::Progress { task, .. }
            | Self::Hashed { task, .. }
            | Self::Answered { task, .. }
            | Self::Failed { task, .. } => *task,
        }
    }
}

fn array<const N: usize>(items: [JsValue; N]) -> JsValue {
    items.into_iter().collect::<Array>().into()
}

fn task(message: &Array) -> Option<TaskId> {
    number(&message.get(1))
}

fn number(value: &JsValue) -> Option<u32> {
    u32::try_from(file::exact(value.as_f64()?)?).ok()
}

fn bytes(value: &JsValue) -> Option<[u8; 32]> {
    let view: &Uint8Array = value.dyn_ref()?;
    view.to_vec().try_into().ok()
}

fn pairs(value: &JsValue) -> Option<Vec<(String, String)>> {
    let pairs: &Array = value.dyn_ref()?;
    pairs
        .iter()
        .map(|pair| {
            let pair: Array = pair.dyn_into().ok()?;
            Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
        })
        .collect()
}
