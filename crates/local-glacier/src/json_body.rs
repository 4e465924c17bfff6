//! The JSON that operations take: an object, of which unknown fields are ignored and `null` is the same as nothing.

use serde_json::{Map, Value};

use crate::error::{self, Refusal};

/// The fields of an object.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    fields: &'a Map<String, Value>,
}

/// Reads a body.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Refusal> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| error::malformed_json(&error.to_string()))?;
    if value.is_object() { Ok(value) } else { Err(error::wrong_json_type("The body", "an object")) }
}

impl<'a> Fields<'a> {
    /// The fields of a body that was [`parse`]d.
    pub(crate) fn of(value: &'a Value) -> Result<Self, Refusal> {
        Self::of_named(value, "The body")
    }

    /// The fields of a value inside a body, which a message calls `name`.
    pub(crate) fn of_named(value: &'a Value, name: &str) -> Result<Self, Refusal> {
        let fields = value.as_object().ok_or_else(|| error::wrong_json_type(name, "an object"))?;
        Ok(Self { fields })
    }

    /// The field, unless it is absent or null.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| error::wrong_json_type(name, "a string"))
    }

    pub(crate) fn required_text(&self, name: &str) -> Result<&'a str, Refusal> {
        self.text(name)?.ok_or_else(|| error::missing(name))
    }

    pub(crate) fn object(&self, name: &str) -> Result<Option<Fields<'a>>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let fields = value.as_object().ok_or_else(|| error::wrong_json_type(name, "an object"))?;
        Ok(Some(Fields { fields }))
    }

    pub(crate) fn required_object(&self, name: &str) -> Result<Fields<'a>, Refusal> {
        self.object(name)?.ok_or_else(|| error::missing(name))
    }

    pub(crate) fn required_list(&self, name: &str) -> Result<&'a [Value], Refusal> {
        let value = self.get(name).ok_or_else(|| error::missing(name))?;
        value.as_array().map(Vec::as_slice).ok_or_else(|| error::wrong_json_type(name, "a list"))
    }

    /// A list of strings.
    pub(crate) fn required_texts(&self, name: &str) -> Result<Vec<&'a str>, Refusal> {
        let texts = self.required_list(name)?.iter().map(Value::as_str).collect::<Option<_>>();
        texts.ok_or_else(|| error::wrong_json_type(name, "a list of strings"))
    }

    /// Names and values in order of name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value))
    }
}
