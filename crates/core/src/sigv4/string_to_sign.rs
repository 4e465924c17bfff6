//! Step 2: the canonical request bound to a moment, a region and a service.

use super::{ALGORITHM, CanonicalRequest, Timestamp};

/// The region and service that a signature is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// `us-east-1`, …
    pub region: String,
    /// [`GLACIER`](super::GLACIER).
    pub service: &'static str,
}

impl Scope {
    /// The credential scope on the day of `at`: `YYYYMMDD/region/service/aws4_request`.
    pub fn on(&self, at: Timestamp) -> String {
        format!("{}/{}/{}/{TERMINATOR}", at.date(), self.region, self.service)
    }
}

/// Last word of a credential scope.
pub(super) const TERMINATOR: &str = "aws4_request";

/// The string to sign.
pub fn string_to_sign(request: &CanonicalRequest<'_>, scope: &Scope, at: Timestamp) -> String {
    format!("{ALGORITHM}\n{at}\n{}\n{}", scope.on(at), request.hash())
}
