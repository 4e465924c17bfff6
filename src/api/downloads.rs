//! Downloads as JavaScript sees them.

use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

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

    /// Gives up.
    pub fn abort(&self) -> Promise {
        self.download.abort()
    }
}

/// Until jobs are there: the download of the output of a job whose description is given.
///
/// # Errors
/// An `UploadError` of JavaScript.
#[wasm_bindgen(js_name = downloadOutput, skip_typescript)]
pub fn download_output(
    options: &JsValue,
    job: &JsValue,
    to: &JsValue,
    wishes: &JsValue,
    spawn: Function,
) -> Result<Download, JsValue> {
    let (settings, gateway) = crate::options::uploader(options).map_err(plain)?;
    let pool = crate::hash_pool::HashPool::new(spawn, super::n_workers(settings.gateway.workers));
    let downloads = crate::downloads::Downloads::new(settings.gateway, Rc::new(gateway), pool);
    let target = crate::sink::Target::from_js(to).map_err(plain)?;
    let wishes = crate::options::download(wishes).map_err(plain)?;
    let job = glacier_core::glacier::describe_job::read_description(&crate::json::from_js(job))
        .map_err(|error| JsValue::from(error.to_string()))?;
    downloads.start(settings.vault, job, target, wishes).map(Download::new).map_err(plain)
}

#[wasm_bindgen]
impl Download {
    /// The same for the second job.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    #[wasm_bindgen(js_name = continueWithOutput)]
    pub fn continue_with_output(&self, job: &JsValue) -> Result<(), JsValue> {
        let job = glacier_core::glacier::describe_job::read_description(&crate::json::from_js(job))
            .map_err(|error| JsValue::from(error.to_string()))?;
        self.download.continue_with(job).map_err(plain)
    }
}
