//! Core's errors as JavaScript throws them.

use glacier_core::error::UploadError;
use js_sys::Object;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use web_sys::DomException;

use crate::json::set;

#[wasm_bindgen(raw_module = "./error.js")]
extern "C" {
    /// The class pages catch. Defined in JavaScript, because a class of Rust cannot extend `Error`.
    #[wasm_bindgen(js_name = UploadError)]
    type JsUploadError;

    #[wasm_bindgen(constructor, js_class = "UploadError")]
    fn new(message: &str, details: &Object) -> JsUploadError;
}

/// The error as an `UploadError` of JavaScript, with `cause` if something was thrown.
pub(crate) fn to_js(error: &UploadError, cause: &JsValue) -> JsValue {
    let details = Object::new();
    set(&details, "code", &error.code.as_str().into());
    set(&details, "hint", &error.hint.as_str().into());
    set(&details, "retryable", &error.retryable.into());
    let texts = [("serviceCode", &error.service_code), ("requestId", &error.request_id)];
    for (key, text) in texts {
        if let Some(text) = text {
            set(&details, key, &text.as_str().into());
        }
    }
    if let Some(status) = error.status {
        set(&details, "status", &status.into());
    }
    if let Some(part_number) = error.part_number {
        set(&details, "partNumber", &part_number.into());
    }
    if !cause.is_undefined() {
        set(&details, "cause", cause);
    }
    JsUploadError::new(&error.message, &details).into()
}

/// The standard error of a cancellation, of an upload, say.
pub(crate) fn aborted(what: &str) -> JsValue {
    let message = format!("the {what} was aborted");
    DomException::new_with_message_and_name(&message, "AbortError").map_or_else(|error| error, JsValue::from)
}
