//! RemoveTagsFromVault: takes tags off a vault.
//!
//! Idempotent: keys that are not there are no error.
//!
//! **Source:** API reference, "Remove Tags From Vault (POST tags remove)". Its example has `TagsKeys`, which is an error
//! of the reference.

use super::{AnswerError, Method, Request, Response, TagKeys, VaultName};
use crate::json::Json;

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName, tag_keys: &TagKeys) -> Request {
    let body = Json::object([("TagKeys", tag_keys.to_json())]);
    Request::with_json(Method::Post, format!("/{account}/vaults/{vault}/tags"), &body)
        .query("operation", Some("remove"))
}

/// Whether the vault is without the tags.
///
/// # Errors
/// [`AnswerError`] unless the answer is 204.
pub fn acknowledge(response: &Response) -> Result<(), AnswerError> {
    response.expect_status(204).map(drop)
}
