//! Uploads as JavaScript sees them.

use std::rc::Rc;

use js_sys::{Array, Function, Promise};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::plain;
use super::stream::{ArchiveSink, ArchiveWriter};
use super::unfinished::UnfinishedUpload;
use crate::events::{EventName, Shown};
use crate::unfinished::Unfinished;
use crate::{options, task, upload, uploader};

/// Sends any number of files to one target.
#[wasm_bindgen(skip_typescript)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct Uploader {
    uploader: Rc<uploader::Uploader>,
}

impl Uploader {
    pub(super) const fn new(uploader: Rc<uploader::Uploader>) -> Self {
        Self { uploader }
    }
}

#[wasm_bindgen]
impl Uploader {
    /// Adds a file.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    pub fn add(&self, blob: &JsValue, options: &JsValue) -> Result<Upload, JsValue> {
        let blob = options::blob(blob).map_err(plain)?;
        let (options, signal) = options::upload(options, self.uploader.settings(), &blob).map_err(plain)?;
        let upload = self.uploader.add(blob, options).map_err(plain)?;
        if let Some(signal) = signal {
            upload.follow(signal);
        }
        Ok(Upload::new(upload))
    }

    /// The promise of an array of `UnfinishedUpload`.
    pub fn unfinished(&self) -> Promise {
        let uploader = Rc::clone(&self.uploader);
        task::promise(async move {
            let unfinished = Unfinished::of(uploader).await;
            let all: Array = unfinished.into_iter().map(UnfinishedUpload::describe).collect();
            Ok(all.into())
        })
    }

    /// Opens an archive for data of unknown length.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    pub fn stream(&self, options: &JsValue) -> Result<ArchiveWriter, JsValue> {
        let (settings, signal) = options::stream(options, self.uploader.settings()).map_err(plain)?;
        let stream = self.uploader.stream(settings);
        if let Some(signal) = signal {
            stream.upload.follow(signal);
        }
        Ok(ArchiveWriter::new(ArchiveSink::new(stream)))
    }

    /// Aborts what is running and stops the workers.
    pub fn close(&self) -> Promise {
        self.uploader.close()
    }
}

/// One file on its way.
#[wasm_bindgen(skip_typescript)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct Upload {
    upload: Rc<upload::Upload>,
}

impl Upload {
    pub(super) const fn new(upload: Rc<upload::Upload>) -> Self {
        Self { upload }
    }
}

#[wasm_bindgen]
impl Upload {
    /// One of `UploadState`.
    #[wasm_bindgen(getter)]
    pub fn state(&self) -> String {
        self.upload.state().to_owned()
    }

    /// A `Progress`.
    #[wasm_bindgen(getter)]
    pub fn progress(&self) -> JsValue {
        self.upload.progress()
    }

    /// The `UploadError`, while failed.
    #[wasm_bindgen(getter)]
    pub fn error(&self) -> JsValue {
        self.upload.error()
    }

    /// Whether a later visit could go on with it.
    #[wasm_bindgen(getter)]
    pub fn resumable(&self) -> bool {
        self.upload.is_resumable()
    }

    /// Adds a listener; returns the function that removes it.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript for an event there is not.
    pub fn on(&self, event: &str, listener: Function) -> Result<Function, JsValue> {
        Ok(self.upload.on(EventName::from_name(event).map_err(plain)?, listener))
    }

    /// The promise of the archive.
    pub fn done(&self) -> Promise {
        self.upload.done()
    }

    /// Stops sending.
    pub fn pause(&self) {
        self.upload.driver.feed(glacier_core::upload::Event::Pause);
    }

    /// Goes on.
    pub fn resume(&self) {
        self.upload.driver.feed(glacier_core::upload::Event::Resume);
    }

    /// Gives up.
    pub fn abort(&self) -> Promise {
        self.upload.abort()
    }
}
