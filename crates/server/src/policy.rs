//! Whether a token allows an intent.

use glacier_core::Intent;
use glacier_core::intent::RefusalCode;

use crate::token::Claims;

/// Checks one intent.
///
/// # Errors
/// [`RefusalCode::OperationDenied`] or [`RefusalCode::LimitExceeded`], with words for people.
pub fn check(claims: &Claims, intent: &Intent) -> Result<(), (RefusalCode, &'static str)> {
    // Some touch no vault: whoever may use ListVaults sees the names of all, and the retrieval policy and capacity are the
    // account's.
    if intent.vault().is_some_and(|vault| !claims.vaults.contains(vault)) {
        return Err((RefusalCode::OperationDenied, "the token is not good for this vault; get one that names it"));
    }
    if !claims.ops.iter().any(|op| op == intent.op()) {
        return Err((RefusalCode::OperationDenied, "the token does not allow this operation; get one that does"));
    }
    if intent.archive_len().is_some_and(|len| len > claims.max_archive_bytes) {
        return Err((RefusalCode::LimitExceeded, "the archive is larger than the token allows"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use glacier_core::glacier::VaultName;
    use serde_json::{Value, json};

    use super::*;
    use crate::token::{OPERATIONS, UPLOAD_OPERATIONS};

    fn code(ops: &[&str], intent: &Value) -> Option<RefusalCode> {
        let claims = Claims {
            sub: "user-7".into(),
            vaults: vec![VaultName::new("photos").unwrap()],
            ops: ops.iter().map(|op| (*op).to_owned()).collect(),
            max_archive_bytes: 0,
            iat: 0,
            exp: 1,
        };
        check(&claims, &serde_json::from_value(intent.clone()).unwrap()).err().map(|(code, _)| code)
    }

    /// Getting back and clearing up take a token that names the operation; one for uploads does not.
    #[test]
    fn operations_beyond_uploads_are_granted_by_name_and_vault() {
        let beyond = [
            json!({ "op": "ListVaults" }),
            json!({ "op": "CreateVault", "vault": "photos" }),
            json!({ "op": "DescribeVault", "vault": "photos" }),
            json!({ "op": "DeleteVault", "vault": "photos" }),
            json!({ "op": "ListMultipartUploads", "vault": "photos" }),
            json!({ "op": "DeleteArchive", "vault": "photos", "archiveId": "a" }),
            json!({ "op": "InitiateJob", "vault": "photos", "job": { "type": "archive-retrieval", "archiveId": "a" } }),
            json!({ "op": "DescribeJob", "vault": "photos", "jobId": "j" }),
            json!({ "op": "ListJobs", "vault": "photos", "completed": true }),
            json!({ "op": "GetJobOutput", "vault": "photos", "jobId": "j", "range": "0-1048575" }),
            json!({ "op": "AddTagsToVault", "vault": "photos", "tags": { "a": "b" } }),
            json!({ "op": "ListTagsForVault", "vault": "photos" }),
            json!({ "op": "RemoveTagsFromVault", "vault": "photos", "tagKeys": ["a"] }),
            json!({
                "op": "SetVaultNotifications", "vault": "photos", "snsTopic": "arn:aws:sns:us-east-1:123456789012:done",
                "events": ["ArchiveRetrievalCompleted"],
            }),
            json!({ "op": "GetVaultNotifications", "vault": "photos" }),
            json!({ "op": "DeleteVaultNotifications", "vault": "photos" }),
            json!({ "op": "SetVaultAccessPolicy", "vault": "photos", "policy": "{}" }),
            json!({ "op": "GetVaultAccessPolicy", "vault": "photos" }),
            json!({ "op": "DeleteVaultAccessPolicy", "vault": "photos" }),
            json!({ "op": "InitiateVaultLock", "vault": "photos", "policy": "{}" }),
            json!({ "op": "CompleteVaultLock", "vault": "photos", "lockId": "l" }),
            json!({ "op": "AbortVaultLock", "vault": "photos" }),
            json!({ "op": "GetVaultLock", "vault": "photos" }),
            json!({ "op": "GetDataRetrievalPolicy" }),
            json!({ "op": "SetDataRetrievalPolicy", "strategy": "BytesPerHour", "bytesPerHour": 1 }),
            json!({ "op": "ListProvisionedCapacity" }),
            json!({ "op": "PurchaseProvisionedCapacity" }),
        ];
        assert_eq!(beyond.len() + UPLOAD_OPERATIONS.len(), OPERATIONS.len());
        for intent in beyond {
            let op = intent["op"].as_str().unwrap();
            let all_others: Vec<&str> = OPERATIONS.into_iter().filter(|other| *other != op).collect();
            assert_eq!(code(&UPLOAD_OPERATIONS, &intent), Some(RefusalCode::OperationDenied), "{op}");
            assert_eq!(code(&all_others, &intent), Some(RefusalCode::OperationDenied), "{op}");
            assert_eq!(code(&[op], &intent), None, "{op}");
            if intent.get("vault").is_some() {
                let mut elsewhere = intent.clone();
                elsewhere["vault"] = "films".into();
                assert_eq!(code(&[op], &elsewhere), Some(RefusalCode::OperationDenied), "{op}");
            }
        }
    }
}
