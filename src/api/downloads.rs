//! Downloads as JavaScript sees them.

use std::rc::Rc;

use glacier_core::error::{ErrorCode, UploadError};
use js_sys::{Function, Promise};
use wasm_bindgen::convert::TryFromJsValue;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::job::Job;
use super::plain;
use crate::download;
use crate::events::{EventName, Shown};

/// The output of one job on its way.
#[wasm_bindgen(skip_typescript)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct Download {
    download: Rc<download::Download>,
}

impl Download {
    pub(super) const fn new(download: Rc<download::Download>) -> Self {
        Self { download }
    }
}

#[wasm_bindgen]
impl Download {
    /// One of `DownloadState`.
    #[wasm_bindgen(getter)]
    pub fn state(&self) -> String {
        self.download.state().to_owned()
    }

    /// A `DownloadProgress`.
    #[wasm_bindgen(getter)]
    pub fn progress(&self) -> JsValue {
        self.download.progress()
    }

    /// The `UploadError`, while failed.
    #[wasm_bindgen(getter)]
    pub fn error(&self) -> JsValue {
        self.download.error()
    }

    /// A `DownloadCheckpoint`.
    #[wasm_bindgen(getter)]
    pub fn checkpoint(&self) -> JsValue {
        self.download.checkpoint()
    }

    /// Adds a listener; returns the function that removes it.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript for an event there is not.
    pub fn on(&self, event: &str, listener: Function) -> Result<Function, JsValue> {
        Ok(self.download.on(EventName::from_name(event).map_err(plain)?, listener))
    }

    /// The promise of what comes of it.
    pub fn done(&self) -> Promise {
        self.download.done()
    }

    /// Stops fetching.
    pub fn pause(&self) {
        self.download.pause();
    }

    /// Goes on.
    pub fn resume(&self) {
        self.download.resume();
    }

    /// Goes on with another job.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    #[wasm_bindgen(js_name = continueWith)]
    pub fn continue_with(&self, job: &JsValue) -> Result<(), JsValue> {
        // Not by the signature: wasm-bindgen's own check throws an Error without a code.
        let source = Job::try_from_js_value_ref(job)
            .map(|job| job.source())
            .ok_or_else(|| plain(UploadError::new(ErrorCode::InvalidOption, "continueWith takes a Job")))?;
        self.download.continue_with(source).map_err(plain)
    }

    /// Gives up.
    pub fn abort(&self) -> Promise {
        self.download.abort()
    }
}
