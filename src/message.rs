//! What page and worker say to each other: two message types, each an array that begins with its kind and the number
//! of the task. Files go across as handles and hashes as bytes; the bytes of a file that is uploaded never do, those of
//! a download are handed over without a copy.

use glacier_core::glacier::{Method, Response};
use glacier_core::{ByteRange, PartDigest, PayloadHash, SignedRequest, TreeHash};
use js_sys::{Array, ArrayBuffer, Uint8Array};
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
    /// Fetch a range of an output or object, hash it as it arrives, as one piece too if so told, and hand it over.
    Fetch { task: TaskId, range: ByteRange, request: SignedRequest, plain_hash: bool },
    /// Open a file of the origin's private file system for writing in place. One worker has one file.
    OpenFile { task: TaskId, handle: JsValue },
    /// Write at that offset of the open file.
    WriteFile { task: TaskId, position: u64, bytes: ArrayBuffer },
    /// Cut the open file off after so many bytes, where the number is known; write it out and close it.
    CloseFile { task: TaskId, len: Option<u64> },
    /// Stop that task. It still answers.
    Cancel { task: TaskId },
    /// Drop the bytes kept by the task `hashed`, and memory kept for another part.
    Release { hashed: TaskId },
    /// Drop those bytes, but keep their memory and read the next part into it.
    Recycle { hashed: TaskId },
}

/// From a worker.
pub(crate) enum Report {
    /// So many bytes of the task are hashed or handed to the network.
    Progress { task: TaskId, bytes: u64 },
    /// Hash is done.
    Hashed { task: TaskId, digest: PartDigest },
    /// Fetch is done: status and headers, how many bytes came (at most one more than asked for), their tree hash, their
    /// plain one if that was wanted, and the buffer that they are in.
    Fetched {
        task: TaskId,
        response: Response,
        len: u64,
        tree_hash: TreeHash,
        payload_hash: Option<PayloadHash>,
        bytes: ArrayBuffer,
    },
    /// OpenFile, WriteFile or CloseFile is done.
    Stored { task: TaskId },
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
    /// The file that is written refuses: the error's name and its message.
    Sink(String, String),
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
                list(&request.headers),
            ]),
            Self::Fetch { task, range, request, plain_hash } => array([
                "fetch".into(),
                (*task).into(),
                JsValue::UNDEFINED,
                file::number(range.start()).into(),
                file::number(range.end()).into(),
                (*plain_hash).into(),
                request.method.as_str().into(),
                request.url.as_str().into(),
                list(&request.headers),
            ]),
            Self::OpenFile { task, handle } => array(["open".into(), (*task).into(), handle.clone()]),
            Self::WriteFile { task, position, bytes } => {
                array(["write".into(), (*task).into(), bytes.into(), file::number(*position).into()])
            }
            Self::CloseFile { task, len } => {
                let len = len.map_or(JsValue::UNDEFINED, |len| file::number(len).into());
                array(["close".into(), (*task).into(), len])
            }
            Self::Cancel { task } => array(["cancel".into(), (*task).into()]),
            Self::Release { hashed } => array(["release".into(), (*hashed).into()]),
            Self::Recycle { hashed } => array(["recycle".into(), (*hashed).into()]),
        }
    }

    /// What is handed over with it, and no longer here afterwards.
    pub(crate) fn transfers(&self) -> Array {
        match self {
            Self::WriteFile { bytes, .. } => Array::of1(bytes),
            _ => Array::new(),
        }
    }

    /// `None` for anything no page of this version sends.
    pub(crate) fn from_js(message: &JsValue) -> Option<Self> {
        let message: &Array = message.dyn_ref()?;
        let task = task(message)?;
        let blob = || message.get(2).dyn_into::<Blob>().ok();
        let range = || ByteRange::new(file::exact(message.get(3).as_f64()?)?, file::exact(message.get(4).as_f64()?)?);
        let request = || {
            Some(SignedRequest {
                method: Method::from_name(&message.get(6).as_string()?)?,
                url: message.get(7).as_string()?,
                headers: pairs(&message.get(8))?,
                body: None,
                expires_in_ms: 0,
            })
        };
        Some(match message.get(0).as_string()?.as_str() {
            "hash" => Self::Hash { task, blob: blob()?, range: range()?, keep: message.get(5).is_truthy() },
            "tree" => Self::HashTree { task, blob: blob()?, range: range()? },
            "send" => Self::Send {
                task,
                blob: blob()?,
                range: range()?,
                hashed: number(&message.get(5))?,
                request: request()?,
            },
            "fetch" => {
                Self::Fetch { task, range: range()?, request: request()?, plain_hash: message.get(5).is_truthy() }
            }
            "open" => Self::OpenFile { task, handle: message.get(2) },
            "write" => Self::WriteFile {
                task,
                bytes: message.get(2).dyn_into().ok()?,
                position: file::exact(message.get(3).as_f64()?)?,
            },
            "close" => Self::CloseFile { task, len: message.get(2).as_f64().and_then(file::exact) },
            "cancel" => Self::Cancel { task },
            "release" => Self::Release { hashed: task },
            "recycle" => Self::Recycle { hashed: task },
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
                list(&response.headers),
                response.body.as_ref().map_or(JsValue::UNDEFINED, json::to_js),
            ]),
            Self::Fetched { task, response, len, tree_hash, payload_hash, bytes } => array([
                "fetched".into(),
                (*task).into(),
                response.status.into(),
                list(&response.headers),
                file::number(*len).into(),
                Uint8Array::from(tree_hash.as_bytes().as_slice()).into(),
                bytes.into(),
                payload_hash.map_or(JsValue::UNDEFINED, |hash| Uint8Array::from(hash.as_bytes().as_slice()).into()),
            ]),
            Self::Stored { task } => array(["stored".into(), (*task).into()]),
            Self::Failed { task, failure } => {
                let (kind, detail, more) = match failure {
                    TaskFailure::FileChanged(detail) => ("changed", detail.as_str(), ""),
                    TaskFailure::ShortRead => ("short", "", ""),
                    TaskFailure::FileUnreadable(detail) => ("unreadable", detail.as_str(), ""),
                    TaskFailure::Network => ("network", "", ""),
                    TaskFailure::Cancelled => ("cancelled", "", ""),
                    TaskFailure::Sink(name, detail) => ("sink", detail.as_str(), name.as_str()),
                    TaskFailure::Worker(detail) => ("worker", detail.as_str(), ""),
                };
                array(["failed".into(), (*task).into(), kind.into(), detail.into(), more.into()])
            }
        }
    }

    /// What is handed over with it, and no longer here afterwards.
    pub(crate) fn transfers(&self) -> Array {
        match self {
            Self::Fetched { bytes, .. } => Array::of1(bytes),
            _ => Array::new(),
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
            "fetched" => Self::Fetched {
                task,
                response: Response {
                    status: u16::try_from(number(&message.get(2))?).ok()?,
                    headers: pairs(&message.get(3))?,
                    body: None,
                },
                len: file::exact(message.get(4).as_f64()?)?,
                tree_hash: TreeHash::from_bytes(bytes(&message.get(5))?),
                bytes: message.get(6).dyn_into().ok()?,
                payload_hash: bytes(&message.get(7)).map(PayloadHash::from_bytes),
            },
            "stored" => Self::Stored { task },
            "failed" => {
                let detail = message.get(3).as_string().unwrap_or_default();
                let failure = match message.get(2).as_string()?.as_str() {
                    "changed" => TaskFailure::FileChanged(detail),
                    "short" => TaskFailure::ShortRead,
                    "unreadable" => TaskFailure::FileUnreadable(detail),
                    "network" => TaskFailure::Network,
                    "cancelled" => TaskFailure::Cancelled,
                    "sink" => TaskFailure::Sink(message.get(4).as_string().unwrap_or_default(), detail),
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
            | Self::Fetched { task, .. }
            | Self::Stored { task }
            | Self::Failed { task, .. } => *task,
        }
    }
}

fn array<const N: usize>(items: [JsValue; N]) -> JsValue {
    items.into_iter().collect::<Array>().into()
}

fn list(headers: &[(String, String)]) -> JsValue {
    headers.iter().map(|(name, value)| array([name.into(), value.into()])).collect::<Array>().into()
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
