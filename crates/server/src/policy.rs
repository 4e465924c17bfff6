//! Whether a token allows an intent.

use glacier_core::Intent;
use glacier_core::intent::RefusalCode;

use crate::grant;
use crate::token::Claims;

/// Checks one intent.
///
/// # Errors
/// [`RefusalCode::OperationDenied`] or [`RefusalCode::LimitExceeded`], with words for people.
pub fn check(claims: &Claims, intent: &Intent) -> Result<(), (RefusalCode, &'static str)> {
    // Some touch no vault: whoever may use ListVaults sees the names of all, and the retrieval policy and capacity are the
    // account's.
    if intent.vault().is_some_and(|vault| !claims.vaults.contains(vault)) {
        return Err((RefusalCode::OperationDenied, "the token is not good for this vault; get one that names it"));
    }
    if !claims.ops.iter().any(|granted| grant::allows(granted, intent.op())) {
        return Err((RefusalCode::OperationDenied, "the token does not allow this operation; get one that does"));
    }
    if intent.archive_len().is_some_and(|len| len > claims.max_archive_bytes) {
        return Err((RefusalCode::LimitExceeded, "the archive is larger than the token allows"));
    }
    Ok(())
}
