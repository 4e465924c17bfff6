//! Examples: those of `docs/gateway.md`, which the tests show to be what a gateway takes.

use serde_json::{Map, Value, json};

const GATEWAY: &str = include_str!("../../../../docs/gateway.md");

/// A batch for each operation, named after it; the second and further ones of an operation are numbered.
pub(super) fn batches() -> Value {
    let mut named = Map::new();
    for intent in intents() {
        let op = intent.get("op").and_then(Value::as_str).unwrap_or_default().to_owned();
        let nth = (1..).map(|n| if n == 1 { op.clone() } else { format!("{op}{n}") });
        if let Some(name) = nth.into_iter().find(|name| !named.contains_key(name)) {
            named.insert(name, json!({ "value": { "intents": [intent] } }));
        }
    }
    named.into()
}

/// An answer to a batch of one.
pub(super) fn signed() -> Value {
    documents().find(|document| document.get("requests").is_some()).unwrap_or_default()
}

/// An answer to a request for a development token.
pub(super) fn dev_token() -> Value {
    documents().find(|document| document.get("token").is_some()).unwrap_or_default()
}

/// Every intent of every batch.
pub(super) fn intents() -> impl Iterator<Item = Value> {
    documents()
        .filter_map(|mut document| match document.get_mut("intents").map(Value::take) {
            Some(Value::Array(intents)) => Some(intents),
            _ => None,
        })
        .flatten()
}

fn documents() -> impl Iterator<Item = Value> {
    let blocks = GATEWAY.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| serde_json::from_str(block.strip_prefix("json\n")?).ok())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeSet;

    use glacier_core::Intent;
    use glacier_core::intent::{OPERATIONS, SignedRequest};
    use glacier_core::s3;

    use super::*;

    #[test]
    fn every_operation_has_an_example_that_the_gateway_reads() {
        let mut shown = BTreeSet::new();
        for intent in intents() {
            let read = serde_json::from_value::<Intent>(intent.clone());
            shown.insert(read.unwrap_or_else(|error| panic!("{intent}: {error}")).op());
        }
        assert_eq!(shown, OPERATIONS.into_iter().chain(s3::OPERATIONS).collect());
    }

    #[test]
    fn the_example_of_an_answer_is_one() {
        let requests = signed()["requests"].clone();
        assert_eq!(serde_json::from_value::<Vec<SignedRequest>>(requests).unwrap().len(), 1);
        assert!(dev_token()["vaults"].is_array());
    }
}
