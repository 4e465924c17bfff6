//! AddTagsToVault: gives a vault tags.
//!
//! Idempotent: a key that is there already gets the new value. A vault has at most 50 tags
//! ([`MAX_TAGS`](super::MAX_TAGS)); a request that would make it more changes nothing.
//!
//! **Source:** API reference, "Add Tags To Vault (POST tags add)".

use super::{AnswerError, Method, Request, Response, Tags, VaultName};
use crate::json::Json;

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName, tags: &Tags) -> Request {
    let body = Json::object([("Tags", tags.to_json())]);
    Request::with_json(Method::Post, format!("/{account}/vaults/{vault}/tags"), &body).query("operation", Some("add"))
}

/// Whether the vault has the tags.
///
/// # Errors
/// [`AnswerError`] unless the answer is 204.
pub fn acknowledge(response: &Response) -> Result<(), AnswerError> {
    response.expect_status(204).map(drop)
}
