//! Which ranges of an archive can be verified.

use glacier_core::settings::RangeInArchive;
use js_sys::Object;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::plain;
use crate::file;
use crate::json::{from_js, set};

/// Whether the store has a tree hash of a range of an archive of `size` bytes.
///
/// # Errors
/// An `UploadError` of JavaScript.
#[wasm_bindgen(js_name = isTreeHashAligned, skip_typescript)]
pub fn is_tree_hash_aligned(range: &JsValue, size: &JsValue) -> Result<bool, JsValue> {
    Ok(read(range, size)?.is_tree_hash_aligned())
}

/// The smallest range around one of which the store has a tree hash.
///
/// # Errors
/// An `UploadError` of JavaScript.
#[wasm_bindgen(js_name = alignRange, skip_typescript)]
pub fn align_range(range: &JsValue, size: &JsValue) -> Result<Object, JsValue> {
    let aligned = read(range, size)?.align_tree_hash();
    let object = Object::new();
    set(&object, "start", &file::number(aligned.start()).into());
    set(&object, "end", &file::number(aligned.end()).into());
    Ok(object)
}

fn read(range: &JsValue, size: &JsValue) -> Result<RangeInArchive, JsValue> {
    RangeInArchive::read(&from_js(range), &from_js(size)).map_err(plain)
}
