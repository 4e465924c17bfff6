//! CompleteVaultLock: makes a lock on trial final. Nobody can take it away any more.
//!
//! Idempotent with the right ID. Another ID is refused with 400 while a lock is on trial and with 403 once one is final;
//! without any lock the answer is 404.
//!
//! **Source:** API reference, "Complete Vault Lock (POST lockId)".

use super::{AnswerError, LockId, Method, Request, Response, VaultName};

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName, lock_id: &LockId) -> Request {
    Request::without_body(Method::Post, format!("/{account}/vaults/{vault}/lock-policy/{lock_id}"))
}

/// Whether the lock is final.
///
/// # Errors
/// [`AnswerError`] unless the answer is 204.
pub fn acknowledge(response: &Response) -> Result<(), AnswerError> {
    response.expect_status(204).map(drop)
}
