//! Answers that refuse.

use crate::rate::RETRY_AFTER_S;
use axum::body::Body;
use axum::response::Response;
use glacier_core::intent::{Refusal, RefusalCode};
use http::{HeaderValue, StatusCode, header};

/// Names a request in the log and in its answer: 128 random bits in hexadecimal. Among the request's extensions.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Why a request is refused. Becomes a [`Refusal`] once the request's ID is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// For programs.
    pub code: RefusalCode,
    /// For people. Fixed words: nothing of the request.
    pub message: &'static str,
    /// Which intent of the batch.
    pub intent: Option<usize>,
}

impl Refused {
    /// A refusal of the whole request.
    pub const fn new(code: RefusalCode, message: &'static str) -> Self {
        Self { code, message, intent: None }
    }

    /// The answer.
    pub fn into_response(self, id: &RequestId) -> Response {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let is_unauthorized = status == StatusCode::UNAUTHORIZED;
        let refusal = Refusal {
            code: self.code,
            message: self.message.to_owned(),
            request_id: id.0.clone(),
            intent: self.intent,
            cors_rules: None,
        };
        let mut response = json(status, &refusal);
        response.extensions_mut().insert(self.code);
        if self.code == RefusalCode::TooManyRequests {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        if is_unauthorized {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// An answer in JSON that no cache keeps.
pub fn json(status: StatusCode, value: &impl serde::Serialize) -> Response {
    // Every value answered here is made of texts, numbers and lists, all of which JSON has a form for.
    let text = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, private"));
    response
}
