//! DeleteVault: removes an empty vault.
//!
//! Idempotent. Refused unless the vault was empty at its last inventory and nothing was written since.
//!
//! **Source:** API reference, "Delete Vault (DELETE vault)".

use super::{AnswerError, Method, Request, Response, VaultName};

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName) -> Request {
    Request::without_body(Method::Delete, format!("/{account}/vaults/{vault}"))
}

/// Whether the vault is gone.
///
/// # Errors
/// [`AnswerError`] unless the answer is 204.
pub fn acknowledge(response: &Response) -> Result<(), AnswerError> {
    response.expect_status(204).map(drop)
}
