//! All that JavaScript can call on the page. `js/types.d.ts` is its documentation; nothing here decides anything.

use std::rc::Rc;

use glacier_core::error::{ErrorCode, UploadError};
use glacier_core::{PartSize, settings};
use js_sys::{Function, Object, Promise};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use wasm_bindgen_futures::future_to_promise;

use crate::clock;
use crate::error;
use crate::file;
use crate::hash_pool::HashPool;
use crate::json::set;
use crate::options;
use crate::tree_hash;
use crate::upload::EventName;
use crate::{upload, uploader};

/// Checks the options and makes an uploader. `spawn` is `() => Promise<Worker>`.
///
/// # Errors
/// An `UploadError` of JavaScript.
#[wasm_bindgen(js_name = createUploader, skip_typescript)]
pub fn create_uploader(options: &JsValue, spawn: Function) -> Result<Uploader, JsValue> {
    let (settings, gateway) = options::uploader(options).map_err(plain)?;
    let pool = HashPool::new(spawn, n_workers(settings.workers));
    Ok(Uploader { uploader: uploader::Uploader::new(settings, gateway, pool) })
}

/// Computes a file's tree hash. `spawn` is `() => Promise<Worker>`.
#[wasm_bindgen(js_name = treeHash, skip_typescript)]
pub fn tree_hash(blob: &JsValue, options: &JsValue, spawn: Function) -> Promise {
    let arguments = options::blob(blob).and_then(|blob| Ok((blob, options::tree_hash(options)?)));
    future_to_promise(async move {
        let (blob, (on_progress, signal)) = arguments.map_err(plain)?;
        let workers = n_workers(None);
        let pool = HashPool::new(spawn, workers);
        let hash = tree_hash::tree_hash(blob, pool.clone(), workers, on_progress, signal).await;
        pool.close();
        Ok(hash?.to_string().into())
    })
}

/// Plans the parts of a file of `size` bytes.
///
/// # Errors
/// An `UploadError` of JavaScript.
#[wasm_bindgen(js_name = planParts, skip_typescript)]
pub fn plan_parts(size: &JsValue, part_size: &JsValue) -> Result<Object, JsValue> {
    let whole = |value: &JsValue| value.as_f64().and_then(file::exact);
    let size = whole(size)
        .ok_or_else(|| plain(UploadError::new(ErrorCode::InvalidOption, "size must be a whole number of bytes")))?;
    let part_size = match part_size {
        absent if absent.is_undefined() => None,
        given => Some(PartSize::from_bytes(whole(given).unwrap_or_default()).map_err(|error| plain(error.into()))?),
    };
    let plan = settings::plan(size, part_size).map_err(plain)?;
    let last = plan.range(plan.n_parts() - 1).map_or(0, |range| range.len());
    let object = Object::new();
    set(&object, "partSize", &file::number(plan.part_size().bytes()).into());
    set(&object, "parts", &plan.n_parts().into());
    set(&object, "lastPartSize", &file::number(last).into());
    Ok(object)
}

/// Sends any number of files to one target.
#[wasm_bindgen(skip_typescript)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct Uploader {
    uploader: Rc<uploader::Uploader>,
}

#[wasm_bindgen]
impl Uploader {
    /// Adds a file.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    pub fn add(&self, blob: &JsValue, options: &JsValue) -> Result<Upload, JsValue> {
        let blob = options::blob(blob).map_err(plain)?;
        let (description, signal) = options::upload(options).map_err(plain)?;
        let upload = self.uploader.add(blob, description).map_err(plain)?;
        if let Some(signal) = signal {
            upload.follow(signal);
        }
        Ok(Upload { upload })
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

    /// Adds a listener; returns the function that removes it.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript for an event there is not.
    pub fn on(&self, event: &str, listener: Function) -> Result<Function, JsValue> {
        let event = match event {
            "progress" => EventName::Progress,
            "state" => EventName::State,
            _ => {
                let message = "there is no such event: known are \"progress\" and \"state\"";
                return Err(plain(UploadError::new(ErrorCode::InvalidOption, message)));
            }
        };
        Ok(self.upload.on(event, listener))
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

fn n_workers(wanted: Option<u32>) -> usize {
    let cores = file::whole(clock::scope().navigator().hardware_concurrency());
    usize::try_from(settings::workers(wanted, cores)).unwrap_or(1)
}

fn plain(error: UploadError) -> JsValue {
    error::to_js(&error, &JsValue::UNDEFINED)
}
