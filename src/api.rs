//! All that JavaScript can call on the page. `js/index.d.ts` is its documentation; nothing here decides anything.

pub mod buckets;
pub mod downloads;
pub mod job;
pub mod object;
pub mod pages;
pub mod ranges;
pub mod stream;
pub mod unfinished;
pub mod uploads;
pub mod vault;
pub mod vaults;

use glacier_core::error::{ErrorCode, UploadError};
use glacier_core::{PartSize, settings};
use js_sys::{Function, Object, Promise};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::clock;
use crate::error;
use crate::file;
use crate::hash_pool::HashPool;
use crate::json::set;
use crate::options;
use crate::session::Session;
use crate::task;
use crate::tree_hash;
use crate::uploader;

/// Checks the options and makes an uploader. `spawn` is `() => Promise<Worker>`.
///
/// # Errors
/// An `UploadError` of JavaScript.
#[wasm_bindgen(js_name = createUploader, skip_typescript)]
pub fn create_uploader(options: &JsValue, spawn: Function) -> Result<uploads::Uploader, JsValue> {
    let (settings, gateway) = options::uploader(options).map_err(plain)?;
    let pool = HashPool::new(spawn, n_workers(settings.gateway.workers));
    Ok(uploads::Uploader::new(uploader::Uploader::new(settings, gateway, pool)))
}

/// Checks the options and makes a way to the vaults. `spawn` is `() => Promise<Worker>`.
///
/// # Errors
/// An `UploadError` of JavaScript.
#[wasm_bindgen(js_name = createVaults, skip_typescript)]
pub fn create_vaults(options: &JsValue, spawn: Function) -> Result<vaults::Vaults, JsValue> {
    let (settings, gateway) = options::vaults(options).map_err(plain)?;
    let pool = HashPool::new(spawn, n_workers(settings.gateway.workers));
    Ok(vaults::Vaults::new(Session::new(settings, gateway, pool)))
}

/// Checks the options and makes a way to buckets. `spawn` is `() => Promise<Worker>`.
///
/// # Errors
/// An `UploadError` of JavaScript.
#[wasm_bindgen(js_name = createBuckets, skip_typescript)]
pub fn create_buckets(options: &JsValue, spawn: Function) -> Result<buckets::Buckets, JsValue> {
    let (settings, gateway) = options::buckets(options).map_err(plain)?;
    let pool = HashPool::new(spawn, n_workers(settings.gateway.workers));
    Ok(buckets::Buckets::new(Session::new(settings, gateway, pool)))
}

/// Computes a file's tree hash. `spawn` is `() => Promise<Worker>`.
#[wasm_bindgen(js_name = treeHash, skip_typescript)]
pub fn tree_hash(blob: &JsValue, options: &JsValue, spawn: Function) -> Promise {
    let arguments = options::blob(blob).and_then(|blob| Ok((blob, options::tree_hash(options)?)));
    task::promise(async move {
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

fn n_workers(wanted: Option<u32>) -> usize {
    let cores = file::whole(clock::scope().navigator().hardware_concurrency());
    usize::try_from(settings::workers(wanted, cores)).unwrap_or(1)
}

fn plain(error: UploadError) -> JsValue {
    error::to_js(&error, &JsValue::UNDEFINED)
}
