//! Which pages of other origins may call the gateway and the embedded store: those named at start, and no others.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

/// Headers a page may send.
const ALLOWED_HEADERS: &str = "authorization, content-type, content-range, range, x-amz-archive-description, \
x-amz-archive-size, x-amz-content-sha256, x-amz-date, x-amz-glacier-version, x-amz-part-size, x-amz-security-token, x-amz-sha256-tree-hash, \
x-amz-subject";

/// Headers a page may read.
const EXPOSED_HEADERS: &str = "content-range, date, location, retry-after, x-amz-archive-id, x-amz-job-id, x-amz-multipart-upload-id, \
x-amz-sha256-tree-hash, x-amzn-errortype, x-amzn-requestid, x-request-id";

const METHODS: &str = "GET, POST, PUT, DELETE";

/// How long a browser may remember a preflight, in seconds.
const MAX_AGE: &str = "600";

/// An origin that cannot be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidOrigin;

/// Origins that may call, exactly as browsers write them.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins(Vec<HeaderValue>);

impl AllowedOrigins {
    /// Checks the list.
    ///
    /// # Errors
    /// For `*`, `null` and everything else that is not `scheme://host` or `scheme://host:port` in lower case, because
    /// it would never be equal to what a browser sends, or equal to too much.
    pub fn new(origins: &[String]) -> Result<Self, InvalidOrigin> {
        let check = |origin: &String| {
            let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            let authority: http::uri::Authority = rest.and_then(|rest| rest.parse().ok()).ok_or(InvalidOrigin)?;
            let legal = rest.is_some_and(|rest| !rest.contains(['*', '@', '/', ' ']));
            let is_lower = !origin.bytes().any(|byte| byte.is_ascii_uppercase());
            let has_host = !authority.host().is_empty() && !origin.ends_with([':', '.']);
            if legal && is_lower && has_host {
                HeaderValue::from_str(origin).map_err(|_| InvalidOrigin)
            } else {
                Err(InvalidOrigin)
            }
        };
        origins.iter().map(check).collect::<Result<_, _>>().map(Self)
    }

    /// The origin to name in the answer, if the request's is one of the list.
    pub fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (Some(origin), None) if self.0.contains(origin) => Some(origin.clone()),
            _ => None,
        }
    }
}

/// Whether a browser asks for permission rather than for the thing itself.
pub fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight from an allowed origin, or from any other.
pub fn preflight(origin: Option<HeaderValue>) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    match origin {
        Some(_) => {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
        None => *response.status_mut() = StatusCode::FORBIDDEN,
    }
    mark(response.headers_mut(), origin);
    response
}

/// Lets the allowed origin read an answer, and nobody else, whatever the handler said.
pub fn mark(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    for name in [header::ACCESS_CONTROL_ALLOW_ORIGIN, header::ACCESS_CONTROL_ALLOW_CREDENTIALS] {
        headers.remove(name);
    }
    let vary: HeaderName = header::VARY;
    if !headers.get_all(&vary).iter().any(|value| value.as_bytes().eq_ignore_ascii_case(b"origin")) {
        headers.append(vary, HeaderValue::from_static("Origin"));
    }
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_exact() {
        for good in ["https://app.example.com", "http://localhost:5173", "https://a:8443"] {
            assert!(AllowedOrigins::new(&[good.into()]).is_ok(), "{good}");
        }
        for bad in [
            "*",
            "null",
            "",
            "https://*",
            "https://*.example.com",
            "app.example.com",
            "https://app.example.com/",
            "https://App.example.com",
            "https://user@app.example.com",
            "https://app.example.com.",
            "https://a:",
            "file://",
        ] {
            assert!(AllowedOrigins::new(&[bad.into()]).is_err(), "{bad}");
        }
    }
}
