//! CreateVault: makes a vault.
//!
//! Idempotent: creating what exists changes nothing and succeeds.
//!
//! **Source:** API reference, "Create Vault (PUT vault)".

use super::{AnswerError, Method, Request, Response, VaultName};

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName) -> Request {
    Request::without_body(Method::Put, format!("/{account}/vaults/{vault}"))
}

/// Whether the vault exists now.
///
/// # Errors
/// [`AnswerError`] unless the answer is 201.
pub fn acknowledge(response: &Response) -> Result<(), AnswerError> {
    response.expect_status(201).map(drop)
}
