//! The schemas, from the types.

use glacier_core::Intent;
use glacier_core::intent::{MAX_INTENTS, Refusal};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::{dev_token, sign, sns};

/// Where a document keeps its schemas.
const PLACE: &str = "/components/schemas";

/// What is sent to a gateway.
pub(super) fn of_requests() -> Map<String, Value> {
    let mut generator = settings().for_deserialize().into_generator();
    generator.subschema_for::<Intent>();
    generator.subschema_for::<sns::Document>();
    let mut schemas = generator.take_definitions(true);
    split_intents(&mut schemas);
    let batch = json!({
        "type": "object",
        "description": "What is intended, in the order in which the requests are wanted.",
        "properties": { "intents": {
            "type": "array",
            "items": { "$ref": reference("Intent") },
            "minItems": 1,
            "maxItems": MAX_INTENTS,
        } },
        "required": ["intents"],
        "additionalProperties": false,
    });
    schemas.insert("Batch".to_owned(), batch);
    schemas.values_mut().for_each(in_words_for_everybody);
    schemas
}

/// What a gateway answers.
pub(super) fn of_answers() -> Map<String, Value> {
    let mut generator = settings().for_serialize().into_generator();
    generator.subschema_for::<sign::Answer>();
    generator.subschema_for::<dev_token::Answer<'_>>();
    generator.subschema_for::<Refusal>();
    let mut schemas = generator.take_definitions(true);
    schemas.values_mut().for_each(without_null);
    schemas.values_mut().for_each(in_words_for_everybody);
    schemas
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = PLACE.into())
}

fn reference(name: &str) -> String {
    format!("#{PLACE}/{name}")
}

/// Gives every intent a schema of its own, named after its operation, instead of one that is as long as all of them.
fn split_intents(schemas: &mut Map<String, Value>) {
    let mut mapping = Map::new();
    let mut left = variants(schemas, "Intent");
    while let Some(mut variant) = left.pop() {
        let other = variant.as_object_mut().and_then(|variant| variant.remove("$ref"));
        if let Some(other) = other.as_ref().and_then(Value::as_str).and_then(|name| name.rsplit('/').next()) {
            let more = variants(schemas, other);
            if !more.is_empty() {
                // Intents of another type.
                left.extend(more);
                continue;
            }
            // An intent that is another type's fields beside `op`.
            merge(&mut variant, schemas.remove(other).unwrap_or_default());
            variant["additionalProperties"] = false.into();
        }
        let op = variant["properties"]["op"]["const"].as_str().unwrap_or_default().to_owned();
        // Names of components have no colons.
        let name = op.replace(':', ".");
        mapping.insert(op, reference(&name).into());
        schemas.insert(name, variant);
    }
    let intent = json!({
        "description": "What a page means to do next.",
        "oneOf": mapping.values().map(|name| json!({ "$ref": name })).collect::<Value>(),
        "discriminator": { "propertyName": "op", "mapping": mapping },
    });
    schemas.insert("Intent".to_owned(), intent);
}

/// Takes apart the schema of a type that is one of several; empty where it is not.
fn variants(schemas: &mut Map<String, Value>, name: &str) -> Vec<Value> {
    if schemas.get(name).is_none_or(|schema| schema.get("oneOf").or(schema.get("anyOf")).is_none()) {
        return Vec::new();
    }
    let mut variants = Vec::new();
    for several in ["oneOf", "anyOf"] {
        if let Some(Value::Array(schemas)) = schemas.get_mut(name).and_then(|schema| schema.get_mut(several)) {
            variants.append(schemas);
        }
    }
    schemas.remove(name);
    variants
}

/// Adds the members of `from`; of what both have, the members or the items.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match into.get_mut(&key) {
                    Some(known) => merge(known, value),
                    None => drop(into.insert(key, value)),
                }
            }
        }
        (Value::Array(into), Value::Array(from)) => into.extend(from),
        _ => {}
    }
}

/// What is not there is left out of an answer, and never `null`.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    members.insert("type".to_owned(), only);
                }
            }
            members.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// Makes of comments for whoever reads the source descriptions for whoever does not: no breaks of lines, no links into
/// the source.
fn in_words_for_everybody(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = without_links(&text.replace('\n', " "));
            }
            members.values_mut().for_each(in_words_for_everybody);
        }
        Value::Array(items) => items.iter_mut().for_each(in_words_for_everybody),
        _ => {}
    }
}

/// ``[`Tier::Bulk`](path)`` and ``[`Tier::Bulk`]`` become `` `Bulk` ``.
fn without_links(text: &str) -> String {
    let mut parts = text.split("[`");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("`]").unwrap_or((part, ""));
        let rest = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest);
        plain.push_str(&format!("`{}`{rest}", name.rsplit("::").next().unwrap_or(name)));
    }
    plain
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeSet;

    use glacier_core::intent::OPERATIONS;
    use glacier_core::s3;

    use super::*;

    #[test]
    fn every_operation_has_a_schema_of_its_own_that_takes_no_other_field() {
        let schemas = of_requests();
        let named: BTreeSet<&str> =
            schemas["Intent"]["discriminator"]["mapping"].as_object().unwrap().keys().map(String::as_str).collect();
        let every: Vec<&str> = OPERATIONS.into_iter().chain(s3::OPERATIONS).collect();
        assert_eq!(named, every.iter().copied().collect());
        for op in every {
            let schema = &schemas[&op.replace(':', ".")];
            assert_eq!(schema["properties"]["op"]["const"], op);
            assert_eq!(schema["additionalProperties"], false, "{op}");
        }
        let rule = &schemas["SetDataRetrievalPolicy"];
        assert_eq!(rule["required"], json!(["op", "strategy"]));
        assert_eq!(rule["properties"]["bytesPerHour"]["minimum"], 1);
        assert!(rule["then"].is_object());
    }

    #[test]
    fn descriptions_lead_nowhere_in_the_source() {
        assert_eq!(without_links("Absent for [`Tier::Bulk`]."), "Absent for `Bulk`.");
        assert_eq!(without_links("over [`MAX`](super::MAX) of `it`"), "over `MAX` of `it`");
    }
}
