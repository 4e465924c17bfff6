//! InitiateVaultLock: puts a lock policy on trial for 24 hours.
//!
//! Not idempotent, and not to be repeated after a lost answer: while the first is on trial a second is refused (403), and
//! the ID that completes it is only in the answer that was lost. AbortVaultLock makes a new start possible.
//!
//! **Source:** API reference, "Initiate Vault Lock (POST lock-policy)". The `PUT` in its example is an error of the
//! reference.

use super::{AnswerError, LockId, Method, PolicyText, Request, Response, VaultName, header};

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName, policy: &PolicyText) -> Request {
    Request::with_json(Method::Post, format!("/{account}/vaults/{vault}/lock-policy"), &policy.to_body())
}

/// The ID of the lock on trial, which CompleteVaultLock needs.
///
/// # Errors
/// [`AnswerError`] unless the answer is 201 with `x-amz-lock-id`.
pub fn read(response: &Response) -> Result<LockId, AnswerError> {
    let id = response.expect_status(201)?.required_header(header::LOCK_ID)?;
    LockId::new(id).map_err(|_| AnswerError::Unreadable { name: header::LOCK_ID })
}
