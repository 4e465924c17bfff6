//! GetVaultAccessPolicy: who may do what with a vault.
//!
//! **Source:** API reference, "Get Vault Access Policy (GET access-policy)".

use super::{AnswerError, Method, Request, Response, VaultName, field};

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName) -> Request {
    Request::without_body(Method::Get, format!("/{account}/vaults/{vault}/access-policy"))
}

/// The policy's JSON text as it was set; `None` where none is.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with a policy, or 404 because none is set.
pub fn read(response: &Response) -> Result<Option<String>, AnswerError> {
    let Some(body) = response.expect_setting()? else { return Ok(None) };
    Ok(Some(field::required(body, "Policy")?.to_owned()))
}
