//! Refusals as answers, grouped by their status.

use std::collections::BTreeMap;

use glacier_core::intent::RefusalCode;
use http::StatusCode;
use serde_json::{Map, Value, json};

/// One answer for each status that the gateway's `codes` and the `store`'s have.
pub(super) fn by_status(codes: &[RefusalCode], store: &[(&str, u16)]) -> Map<String, Value> {
    let mut statuses: BTreeMap<u16, Vec<Value>> = BTreeMap::new();
    for code in codes {
        statuses.entry(code.status()).or_default().push(serde_json::to_value(code).unwrap_or_default());
    }
    for (code, status) in store {
        statuses.entry(*status).or_default().push((*code).into());
    }
    statuses.into_iter().map(|(status, codes)| (status.to_string(), answer(status, codes))).collect()
}

fn answer(status: u16, codes: Vec<Value>) -> Value {
    let status = StatusCode::from_u16(status).unwrap_or_default();
    let mut headers = json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } });
    if status == StatusCode::UNAUTHORIZED {
        headers["www-authenticate"] = json!({ "required": true, "schema": { "const": "Bearer" } });
    }
    json!({
        "description": status.canonical_reason(),
        "headers": headers,
        "content": { "application/json": { "schema": {
            "$ref": "#/components/schemas/Refusal",
            "properties": { "code": { "enum": codes } },
        } } },
    })
}
