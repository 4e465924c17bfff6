//! The JSON of a policy, in which no object has a name twice.
//!
//! Parsers of JSON agree on nothing about such an object, and most keep the last value. A policy with two `Effect`s, or
//! with one operator twice among its conditions, would then be judged without one of them.
//!
//! **Source:** RFC 8259, section 4, on names that are not unique; IAM refuses such a policy as well.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A value of JSON.
pub(super) struct Document(pub(super) Value);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Document(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                let name: String = name.chars().take(64).collect();
                return Err(A::Error::custom(format_args!("an object has two members of one name: {name}")));
            }
            let Document(value) = members.next_value()?;
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_as_they_are() {
        for text in ["null", "true", "7", "-7", "1.5", r#""a\"b""#, r#"[1,[2],{}]"#, r#"{"a":{"a":[null]},"b":"a"}"#] {
            let Document(read) = serde_json::from_str(text).unwrap();
            assert_eq!(read, serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn a_name_comes_once_in_an_object() {
        for text in [
            r#"{"Effect": "Deny", "Effect": "Allow"}"#,
            r#"{"Condition": {"StringEquals": {"a": "b"}, "StringEquals": {"c": "d"}}}"#,
            r#"[{"a": 1, "\u0061": 1}]"#,
        ] {
            let error = serde_json::from_str::<Document>(text).map(|_| ()).unwrap_err();
            assert!(error.to_string().starts_with("an object has two members of one name: "), "{text}: {error}");
        }
    }
}
