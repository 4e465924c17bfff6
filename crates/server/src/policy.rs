//! Whether a token allows an intent.

use glacier_core::Intent;
use glacier_core::glacier::MAX_PARTS;
use glacier_core::intent::RefusalCode;
use glacier_core::s3;

use crate::grant;
use crate::token::Claims;

/// Checks one intent.
///
/// # Errors
/// [`RefusalCode::OperationDenied`], [`RefusalCode::LimitExceeded`], or [`RefusalCode::InvalidRequest`] for what no token
/// could allow, with words for people.
pub fn check(claims: &Claims, intent: &Intent) -> Result<(), (RefusalCode, &'static str)> {
    // Some touch no vault: whoever may use ListVaults sees the names of all, and the retrieval policy and capacity are the
    // account's.
    if intent.vault().is_some_and(|vault| !claims.allows_vault(vault)) {
        return Err((RefusalCode::OperationDenied, "the token is not good for this vault; get one that names it"));
    }
    if let Intent::S3(intent) = intent
        && intent.place().is_some_and(|(bucket, key)| !claims.allows_object(bucket, key))
    {
        // An upload's handle says the place of the others, and nobody opens one here.
        let message = "the token is not good for this bucket and key; get one that names them";
        return Err((RefusalCode::OperationDenied, message));
    }
    if !claims.ops.iter().any(|granted| grant::allows(granted, intent.op())) {
        return Err((RefusalCode::OperationDenied, "the token does not allow this operation; get one that does"));
    }
    if intent.archive_len().is_some_and(|len| len > claims.max_archive_bytes) {
        return Err((RefusalCode::LimitExceeded, "the archive or object is larger than the token allows"));
    }
    let (part_len, part_count) = parts(intent);
    if part_len > claims.max_part_bytes.unwrap_or(u64::MAX) {
        return Err((RefusalCode::LimitExceeded, "the parts are larger than the token allows"));
    }
    if part_count > u64::from(MAX_PARTS) {
        return Err((RefusalCode::InvalidRequest, "an upload has at most 10,000 parts; begin it with larger ones"));
    }
    if part_count > claims.max_parts.unwrap_or(u64::MAX) {
        return Err((RefusalCode::LimitExceeded, "the upload has more parts than the token allows"));
    }
    Ok(())
}

/// The length of the parts and their number, as far as an intent says; otherwise none.
fn parts(intent: &Intent) -> (u64, u64) {
    match intent {
        Intent::InitiateMultipartUpload { part_size, size, .. } => {
            (part_size.bytes(), size.div_ceil(part_size.bytes()).max(1))
        }
        Intent::UploadMultipartPart { range, .. } => (range.len(), 1),
        Intent::S3(s3::Intent::CreateMultipartUpload { part_size, size, .. }) => {
            (part_size.bytes(), size.div_ceil(part_size.bytes()).max(1))
        }
        Intent::S3(s3::Intent::PutObject { size, .. }) => (*size, 1),
        _ => (0, 0),
    }
}
