//! DeleteVaultAccessPolicy: leaves a vault to its account.
//!
//! Idempotent.
//!
//! **Source:** API reference, "Delete Vault Access Policy (DELETE access-policy)".

use super::{AnswerError, Method, Request, Response, VaultName};

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName) -> Request {
    Request::without_body(Method::Delete, format!("/{account}/vaults/{vault}/access-policy"))
}

/// Whether none is set any more.
///
/// # Errors
/// [`AnswerError`] unless the answer is 204, or 404 because none was set.
pub fn acknowledge(response: &Response) -> Result<(), AnswerError> {
    response.expect_no_setting()
}
