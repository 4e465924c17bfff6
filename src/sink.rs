//! Where a download goes. Each kind takes the bytes of a range and says when it has them.

mod blob;
mod file;
mod handover;
mod stream;

use std::rc::Rc;

use glacier_core::ByteRange;
use glacier_core::download::SinkOrder;
use glacier_core::error::{ErrorCode, UploadError};
use js_sys::ArrayBuffer;
use wasm_bindgen::prelude::JsValue;
use web_sys::Blob;

use self::blob::BlobSink;
use self::file::FileSink;
pub(crate) use self::handover::Handover;
use self::stream::StreamSink;
use crate::hash_pool::HashPool;
use crate::json;

/// What a page gave to be written to.
pub(crate) enum Target {
    /// Nothing: the bytes become a `Blob`.
    Blob,
    /// A `FileSystemFileHandle`.
    File(JsValue),
    /// A `FileSystemWritableFileStream`.
    FileStream(JsValue),
    /// Another `WritableStream`.
    Stream(JsValue),
    /// None that a page could give: what is downloaded is read here.
    Handover(Rc<Handover>),
}

impl Target {
    /// Known by what it can do and not by its class, which every window and frame has its own of.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] for what is none of the kinds, and for a stream that somebody else writes to.
    pub(crate) fn from_js(value: &JsValue) -> Result<Self, UploadError> {
        let can = |method| json::get(value, method).is_function();
        let is_file = json::get(value, "kind").as_string().as_deref() == Some("file");
        if value.is_undefined() {
            return Ok(Self::Blob);
        }
        if is_file && can("getFile") && (can("createWritable") || can("createSyncAccessHandle")) {
            return Ok(Self::File(value.clone()));
        }
        if !can("getWriter") {
            let message = "A download goes into a FileSystemFileHandle, a FileSystemWritableFileStream or another \
                           WritableStream, and this is none of them";
            return Err(UploadError::new(ErrorCode::InvalidOption, message));
        }
        if json::get(value, "locked").is_truthy() {
            let message = "The stream is locked: somebody else writes to it";
            return Err(
                UploadError::new(ErrorCode::InvalidOption, message).hint("Release its writer, or give another.")
            );
        }
        let can_seek = can("seek") && can("truncate") && can("write");
        Ok(if can_seek { Self::FileStream(value.clone()) } else { Self::Stream(value.clone()) })
    }

    /// How it takes bytes.
    pub(crate) fn order(&self) -> SinkOrder {
        match self {
            Self::Blob | Self::File(_) | Self::FileStream(_) => SinkOrder::Any,
            Self::Stream(_) | Self::Handover(_) => SinkOrder::InOrder,
        }
    }
}

/// What is being written to.
pub(crate) enum Sink {
    Blob(BlobSink),
    Stream(StreamSink),
    File(Rc<FileSink>),
    Handover(Rc<Handover>),
}

impl Sink {
    /// Takes possession of the target. `keep` says that a file has something of the output already.
    ///
    /// # Errors
    /// What a stream throws that gives no writer.
    pub(crate) fn new(target: Target, pool: &HashPool, keep: bool) -> Result<Self, JsValue> {
        Ok(match target {
            Target::Blob => Self::Blob(BlobSink::default()),
            Target::File(handle) => Self::File(Rc::new(FileSink::new(handle, pool.clone(), keep))),
            Target::FileStream(stream) => Self::Stream(StreamSink::at_any_position(&stream)?),
            Target::Stream(stream) => Self::Stream(StreamSink::in_order(&stream)?),
            Target::Handover(handover) => Self::Handover(handover),
        })
    }

    /// Writes `bytes`, which are of that range of the output, and lets go of them.
    pub(crate) async fn write(&self, range: ByteRange, bytes: ArrayBuffer) -> Result<(), JsValue> {
        match self {
            Self::Blob(blob) => blob.write(range, &bytes),
            Self::Stream(stream) => stream.write(range, bytes).await,
            Self::File(file) => file.write(range, bytes).await,
            Self::Handover(handover) => handover.write(bytes).await,
        }
    }

    /// Whether the end of what is being written has to be waited for before anything else.
    pub(crate) const fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Writes out what a file has, and closes it until something is written again.
    pub(crate) async fn rest(&self) -> Result<(), JsValue> {
        match self {
            Self::Blob(_) | Self::Stream(_) | Self::Handover(_) => Ok(()),
            Self::File(file) => file.rest().await,
        }
    }

    /// Ends well, with `len` bytes.
    pub(crate) async fn close(&self, len: u64) -> Result<(), JsValue> {
        match self {
            Self::Blob(blob) => blob.close(),
            Self::Stream(stream) => stream.close(len).await,
            Self::File(file) => file.close(len).await,
            Self::Handover(handover) => {
                handover.close();
                Ok(())
            }
        }
    }

    /// Ends badly: a stream is aborted with the reason, and a file keeps what it has, unless that is `wrong` and can
    /// still be thrown away.
    pub(crate) async fn abandon(&self, reason: &JsValue, wrong: bool) {
        match self {
            Self::Blob(blob) => blob.clear(),
            Self::Stream(stream) => stream.abort(reason),
            Self::File(file) => file.abandon(reason, wrong).await,
            Self::Handover(handover) => handover.clear(),
        }
    }

    /// The bytes, where no target was given and the end was well.
    pub(crate) fn blob(&self) -> Option<Blob> {
        match self {
            Self::Blob(blob) => blob.whole(),
            Self::Stream(_) | Self::File(_) | Self::Handover(_) => None,
        }
    }

    /// The file as it is now, to be read.
    pub(crate) async fn read(&self) -> Result<Blob, JsValue> {
        match self {
            Self::File(file) => file.read().await,
            Self::Blob(_) | Self::Stream(_) | Self::Handover(_) => Err(JsValue::UNDEFINED),
        }
    }
}
