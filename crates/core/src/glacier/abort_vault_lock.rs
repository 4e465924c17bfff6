//! AbortVaultLock: takes a lock on trial away.
//!
//! Idempotent. Refused with 403 once the lock is final.
//!
//! **Source:** API reference, "Abort Vault Lock (DELETE lock-policy)".

use super::{AnswerError, Method, Request, Response, VaultName};

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName) -> Request {
    Request::without_body(Method::Delete, format!("/{account}/vaults/{vault}/lock-policy"))
}

/// Whether no lock is on trial any more.
///
/// # Errors
/// [`AnswerError`] unless the answer is 204, or 404 because there was none.
pub fn acknowledge(response: &Response) -> Result<(), AnswerError> {
    response.expect_no_setting()
}
