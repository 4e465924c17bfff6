//! Which web pages may use the store directly. None, unless the operator names their origins.
//!
//! The answer repeats the configured text and never what was sent, there is no wildcard, and cookies play no part.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderMap, HeaderValue, ORIGIN, VARY,
};

use crate::answer::Answer;
use crate::error;

/// Origins that are let in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cors {
    origins: Vec<Origin>,
}

/// Scheme, host and, where it is not the default, port: `https://app.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl Origin {
    /// Reads an origin as a browser sends it.
    ///
    /// # Errors
    /// [`InvalidOrigin`] for `*`, `null`, and everything with a path, a user, upper case or a final dot.
    pub fn new(text: &str) -> Result<Self, InvalidOrigin> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(InvalidOrigin)?;
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:[]".contains(&byte);
        if host.is_empty() || host.ends_with('.') || !host.bytes().all(legal) {
            return Err(InvalidOrigin);
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| InvalidOrigin)
    }
}

impl std::str::FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        Self::new(text)
    }
}

/// A text that is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidOrigin;

impl std::fmt::Display for InvalidOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an origin is http:// or https:// with a host in lower case and perhaps a port, and nothing else")
    }
}

impl std::error::Error for InvalidOrigin {}

impl Cors {
    pub(crate) fn new(origins: Vec<Origin>) -> Self {
        Self { origins }
    }

    fn allowed(&self, request: &HeaderMap) -> Option<&HeaderValue> {
        let origin = request.get(ORIGIN)?;
        self.origins.iter().map(|Origin(allowed)| allowed).find(|allowed| *allowed == origin)
    }

    /// The answer to a preflight, which carries no signature.
    pub(crate) fn preflight(&self, request: &HeaderMap) -> Answer {
        if self.allowed(request).is_none() {
            return Answer::refusal(&error::origin_not_allowed());
        }
        Answer::no_content()
            .with(ACCESS_CONTROL_ALLOW_METHODS, "GET, PUT, POST, DELETE".into())
            .with(ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS.into())
            .with(ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS.to_string())
    }

    /// What every answer tells a browser.
    pub(crate) fn mark(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        if self.origins.is_empty() {
            return;
        }
        answer.insert(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.allowed(request) {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
        }
    }
}

/// All that clients send, SDKs in browsers included.
const ALLOWED_HEADERS: &str = "authorization, content-type, content-range, range, x-amz-date, x-amz-glacier-version, \
     x-amz-content-sha256, x-amz-sha256-tree-hash, x-amz-archive-description, x-amz-part-size, x-amz-archive-size, \
     x-amz-security-token, x-amz-user-agent, amz-sdk-invocation-id, amz-sdk-request";

/// All that the API answers.
const EXPOSED_HEADERS: &str = "location, date, x-amzn-requestid, x-amz-archive-id, x-amz-sha256-tree-hash, \
     x-amz-multipart-upload-id, x-amz-job-id, x-amz-job-output-path, x-amz-archive-description, x-amz-lock-id, \
     x-amz-capacity-id, content-range, accept-ranges, content-length";

/// Chromium's cap. All parts of an upload share one URL, so one preflight serves them all.
const MAX_AGE_SECONDS: u32 = 7200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_exact() {
        for good in ["https://app.example.com", "http://127.0.0.1:8080", "http://[::1]:8080"] {
            assert!(Origin::new(good).is_ok(), "{good}");
        }
        for bad in [
            "*",
            "null",
            "",
            "https://",
            "https://*",
            "https://a/",
            "https://A",
            "https://u@a",
            "ftp://a",
            "https://a.",
            "https://a,https://b",
            "a",
            "https://a\r\nx: y",
        ] {
            assert_eq!(Origin::new(bad), Err(InvalidOrigin), "{bad:?}");
        }
    }
}
