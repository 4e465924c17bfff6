//! The signature in the query: a URL that may be sent as it is, by whoever has it, until it expires.

use super::canonical_request::encode;
use super::signature::signature;
use super::{ALGORITHM, CanonicalRequest, Credentials, Scope, Timestamp};

/// What S3 signs in a URL in place of the body's hash. The body is then held by nothing but a signed checksum header,
/// so that one must be among the headers wherever bytes are written.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The query that makes `request` good for `expires_s` seconds from `at` (S3 allows 1 to 604,800): the request's own,
/// the signature's parameters, and the signature. Headers must hold `host`; every one given is signed, and whoever
/// sends the request must send it with the same value. None of them may be `x-amz-date` or `x-amz-security-token`,
/// which stand in the query.
///
/// **Source:** S3 API reference, "Authenticating Requests: Using Query Parameters".
pub fn presign(
    request: &CanonicalRequest<'_>,
    credentials: &Credentials,
    scope: &Scope,
    at: Timestamp,
    expires_s: u32,
) -> String {
    let credential = format!("{}/{}", credentials.access_key_id, scope.on(at));
    let mut query = String::from(request.query);
    let mut add = |name: &str, value: &str| {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        query.push_str(&encode(value.as_bytes()));
    };
    add("X-Amz-Algorithm", ALGORITHM);
    add("X-Amz-Credential", &credential);
    add("X-Amz-Date", &at.to_string());
    add("X-Amz-Expires", &expires_s.to_string());
    if let Some(token) = &credentials.session_token {
        add("X-Amz-Security-Token", token);
    }
    add("X-Amz-SignedHeaders", &request.signed_headers());
    let signed = CanonicalRequest { query: &query, ..*request };
    let signature = signature(&signed, &credentials.secret_access_key, scope, at);
    format!("{query}&X-Amz-Signature={signature}")
}
