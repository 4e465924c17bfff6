//! What stores, gateways and whatever stands before them refuse with.

use glacier_core::glacier::Response;
use glacier_core::json::Json;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Status, code, message; without a body where there is no code.
    Answer(u16, &'static str, &'static str),
    /// Status and `Retry-After`.
    RetryAfter(u16, &'static str),
}

use Refusal::{Answer, RetryAfter};

/// Of a store that has troubles, or of a proxy before it; all worth another try.
pub const TROUBLE: [Refusal; 9] = [
    Answer(500, "ServiceUnavailableException", "internal"),
    Answer(502, "", ""),
    Answer(503, "ServiceUnavailableException", "busy"),
    Answer(504, "", ""),
    Answer(400, "ThrottlingException", "Rate exceeded"),
    Answer(408, "RequestTimeoutException", "too slow"),
    Answer(429, "", ""),
    RetryAfter(503, "7"),
    RetryAfter(429, "99999999999999999999999"),
];

/// How Glacier refuses what was signed too long ago, and how S3 does.
pub const EXPIRED: Refusal =
    Answer(403, "InvalidSignatureException", "Signature expired: a is now earlier than b (c - 5 min.)");
pub const S3_EXPIRED: Refusal = Answer(403, "AccessDenied", "Request has expired");

impl Refusal {
    pub fn response(self) -> Response {
        match self {
            Answer(status, code, message) => refusal(status, code, message),
            RetryAfter(status, seconds) => {
                let mut response = refusal(status, "ServiceUnavailableException", "busy");
                response.headers.push(("retry-after".into(), seconds.into()));
                response
            }
        }
    }
}

pub fn refusal(status: u16, code: &str, message: &str) -> Response {
    let body = Json::object([("code", Json::Text(code.into())), ("message", Json::Text(message.into()))]);
    let body = (!code.is_empty()).then_some(body);
    Response { status, headers: vec![("x-amzn-requestid".into(), "request-1".into())], body }
}
