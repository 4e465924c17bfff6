//! Refusals as answers, grouped by their status.

use glacier_core::intent::RefusalCode;
use http::StatusCode;
use serde_json::{Map, Value, json};

/// One answer for each status that `codes` have.
pub(super) fn by_status(codes: &[RefusalCode]) -> Map<String, Value> {
    let mut statuses: Vec<u16> = codes.iter().map(|code| code.status()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    let of = |status| codes.iter().filter(|code| code.status() == status).copied().collect::<Vec<_>>();
    statuses.into_iter().map(|status| (status.to_string(), answer(status, &of(status)))).collect()
}

fn answer(status: u16, codes: &[RefusalCode]) -> Value {
    let names = Value::from_iter(codes.iter().map(|code| serde_json::to_value(code).unwrap_or_default()));
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut headers = json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } });
    if status == StatusCode::UNAUTHORIZED {
        headers["www-authenticate"] = json!({ "required": true, "schema": { "const": "Bearer" } });
    }
    json!({
        "description": reason,
        "headers": headers,
        "content": { "application/json": { "schema": {
            "$ref": "#/components/schemas/Refusal",
            "properties": { "code": { "enum": names } },
        } } },
    })
}
