//! Methods by their name: those of interfaces that `web-sys` has not, or not as they are today.

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::prelude::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::json;

/// Calls a method.
pub(crate) fn call(object: &JsValue, method: &str, arguments: &[&JsValue]) -> Result<JsValue, JsValue> {
    let method: Function = json::get(object, method).dyn_into()?;
    Reflect::apply(&method, object, &arguments.iter().copied().collect::<Array>())
}

/// Calls a method that gives a promise, and waits for it.
pub(crate) async fn call_async(object: &JsValue, method: &str, arguments: &[&JsValue]) -> Result<JsValue, JsValue> {
    let promise = call(object, method, arguments)?;
    JsFuture::from(Promise::resolve(&promise)).await
}
