//! Between JavaScript's values and core's [`Json`], and between both and text by the browser's own parser.

use glacier_core::json::{Json, with_long_integers_as_text};
use js_sys::{Array, Date, JSON, Object, Reflect};
use wasm_bindgen::prelude::{JsCast, JsValue};

use crate::file;

/// Deeper than anything in the contract, shallow enough for the stack.
const MAX_DEPTH: u32 = 16;

/// The plain data in a value. A `Date` becomes its text in ISO 8601. Functions, symbols and everything below [`MAX_DEPTH`] become `null`.
pub(crate) fn from_js(value: &JsValue) -> Json {
    from_js_at(value, 0)
}

fn from_js_at(value: &JsValue, depth: u32) -> Json {
    if let Some(text) = value.as_string() {
        return Json::Text(text);
    }
    if let Some(number) = value.as_f64() {
        return file::exact(number).map_or(Json::Null, Json::Number);
    }
    if let Some(bool) = value.as_bool() {
        return Json::Bool(bool);
    }
    if depth == MAX_DEPTH {
        return Json::Null;
    }
    if let Some(items) = value.dyn_ref::<Array>() {
        return Json::List(items.iter().map(|item| from_js_at(&item, depth + 1)).collect());
    }
    if let Some(date) = value.dyn_ref::<Date>() {
        // One that is no date has no text.
        return if date.get_time().is_nan() { Json::Null } else { Json::Text(date.to_iso_string().into()) };
    }
    match value.dyn_ref::<Object>() {
        Some(object) if !value.is_function() => {
            let entries = Object::entries(object);
            let members = entries.iter().filter_map(|entry| {
                let entry: Array = entry.unchecked_into();
                Some((entry.get(0).as_string()?, from_js_at(&entry.get(1), depth + 1)))
            });
            Json::Object(members.collect())
        }
        _ => Json::Null,
    }
}

/// The value as JavaScript has it.
pub(crate) fn to_js(json: &Json) -> JsValue {
    match json {
        Json::Null => JsValue::NULL,
        Json::Bool(bool) => (*bool).into(),
        Json::Number(number) => file::number(*number).into(),
        Json::Text(text) => text.into(),
        Json::List(items) => items.iter().map(to_js).collect::<Array>().into(),
        Json::Object(members) => {
            let object = Object::new();
            for (key, value) in members {
                set(&object, key, &to_js(value));
            }
            object.into()
        }
    }
}

/// Parses JSON text; `None` where it is not JSON. Whole numbers that JavaScript cannot be sure to keep become text.
pub(crate) fn parse(text: &str) -> Option<Json> {
    JSON::parse(&with_long_integers_as_text(text)).ok().map(|value| from_js(&value))
}

/// Writes JSON text.
pub(crate) fn stringify(json: &Json) -> String {
    JSON::stringify(&to_js(json)).map(String::from).unwrap_or_default()
}

/// Sets a property of an object we made. It is a plain object, so this cannot fail.
pub(crate) fn set(object: &Object, key: &str, value: &JsValue) {
    let _ = Reflect::set(object, &key.into(), value);
}

/// A property of a value; `undefined` where there is none or the value is no object.
pub(crate) fn get(value: &JsValue, key: &str) -> JsValue {
    Reflect::get(value, &key.into()).unwrap_or(JsValue::UNDEFINED)
}
