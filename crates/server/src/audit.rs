//! What was signed for whom: a line of the log for each batch, and the counts.

use std::collections::BTreeMap;

use glacier_core::Intent;

use crate::app::Gateway;
use crate::error::RequestId;
use crate::token::Claims;

/// Notes that these intents were signed. Names operations, vaults and buckets; nothing that could be used, such as IDs of
/// uploads and signatures, and no keys of objects, which are as private as names of files.
pub(crate) fn signed(gateway: &Gateway, id: Option<&RequestId>, claims: &Claims, intents: &[Intent]) {
    for intent in intents {
        gateway.watch.metrics.signed(intent.op());
    }
    tracing::info!(
        target: "audit",
        request_id = id.map(|id| id.0.as_str()),
        subject = claims.sub,
        token = claims.jti,
        signed = summary(intents),
        "signed"
    );
}

/// As `UploadMultipartPart photos 12, ListVaults 1`.
fn summary(intents: &[Intent]) -> String {
    let mut counts = BTreeMap::<String, usize>::new();
    for intent in intents {
        let place = match intent {
            Intent::S3(intent) => intent.place().map(|(bucket, _)| bucket.to_string()),
            _ => intent.vault().map(ToString::to_string),
        };
        let place = place.map_or(String::new(), |place| format!(" {place}"));
        *counts.entry(format!("{}{place}", intent.op())).or_default() += 1;
    }
    counts.iter().map(|(what, count)| format!("{what} {count}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_batch_is_counted_by_operation_and_place() {
        let intents = serde_json::json!([
            { "op": "ListParts", "vault": "photos", "uploadId": "canary" },
            { "op": "ListParts", "vault": "films", "uploadId": "canary" },
            { "op": "ListVaults" },
            { "op": "s3:HeadObject", "bucket": "pictures", "key": "canary" },
            { "op": "ListParts", "vault": "photos", "uploadId": "canary" },
            { "op": "s3:ListParts", "upload": "canary" }
        ]);
        let intents: Vec<Intent> = serde_json::from_value(intents).unwrap();
        let expected = "ListParts films 1, ListParts photos 2, ListVaults 1, s3:HeadObject pictures 1, s3:ListParts 1";
        assert_eq!(summary(&intents), expected);
    }
}
