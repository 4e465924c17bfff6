//! SetVaultAccessPolicy: says who may do what with a vault.
//!
//! Idempotent: replaces what was set before.
//!
//! **Source:** API reference, "Set Vault Access Policy (PUT access-policy)".

use super::{AnswerError, Method, PolicyText, Request, Response, VaultName};

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName, policy: &PolicyText) -> Request {
    Request::with_json(Method::Put, format!("/{account}/vaults/{vault}/access-policy"), &policy.to_body())
}

/// Whether it is set.
///
/// # Errors
/// [`AnswerError`] unless the answer is 204.
pub fn acknowledge(response: &Response) -> Result<(), AnswerError> {
    response.expect_status(204).map(drop)
}
