//! GetVaultLock: the lock of a vault, on trial or final.
//!
//! **Source:** API reference, "Get Vault Lock (GET lock-policy)".

use super::{AnswerError, Method, Request, Response, VaultName, field};

/// How far a lock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    /// On trial: judged already, but it can be taken away, and goes by itself after 24 hours.
    InProgress,
    /// Final.
    Locked,
}

impl LockState {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Locked => "Locked",
        }
    }

    /// The state of that name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::InProgress, Self::Locked].into_iter().find(|state| state.as_str() == name)
    }
}

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultLock {
    /// The policy's JSON text as it was set.
    pub policy: String,
    /// How far it is.
    pub state: LockState,
    /// When it was initiated, in milliseconds since 1970.
    pub created_at_ms: u64,
    /// When its trial ends, in milliseconds since 1970; `None` once it is final.
    pub expires_at_ms: Option<u64>,
}

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName) -> Request {
    Request::without_body(Method::Get, format!("/{account}/vaults/{vault}/lock-policy"))
}

/// Reads the lock; `None` where there is none.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with every field in its form, or 404 because there is no lock.
pub fn read(response: &Response) -> Result<Option<VaultLock>, AnswerError> {
    let Some(body) = response.expect_setting()? else { return Ok(None) };
    Ok(Some(VaultLock {
        policy: field::required(body, "Policy")?.to_owned(),
        state: LockState::from_name(field::required(body, "State")?)
            .ok_or(AnswerError::Unreadable { name: "State" })?,
        created_at_ms: field::required_date(body, "CreationDate")?,
        expires_at_ms: field::date(body, "ExpirationDate")?,
    }))
}
