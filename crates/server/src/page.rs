//! The page's files and the headers that fence it in.

mod embedded;

use std::path::PathBuf;

use axum::Router;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tower_http::services::ServeDir;

use embedded::Embedded;

/// All that the page may load, and from where, besides what it may connect to. WebAssembly needs `wasm-unsafe-eval`, which
/// allows nothing else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; \
style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Where the page's files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// In a folder with an `index.html`.
    Folder(PathBuf),
    /// In the program itself: see [`Page::embedded`].
    Embedded,
}

impl Page {
    /// The page that the program was built with, if it was built with one (`cargo xtask build --server`).
    pub fn embedded() -> Option<Self> {
        embedded::has_index().then_some(Self::Embedded)
    }
}

/// The page's files.
pub fn files(page: &Page) -> Router {
    match page {
        Page::Folder(folder) => Router::new().fallback_service(ServeDir::new(folder)),
        Page::Embedded => Router::new().fallback_service(ServeDir::with_backend("", Embedded::new())),
    }
}

/// Whether an answer sends the browser to another host: `//FOLDER` is sent on to `//FOLDER/`, which is no path but a host's
/// name.
///
/// **Source:** RFC 3986 section 4.2, network-path references.
pub fn leads_away(headers: &HeaderMap) -> bool {
    headers.get(header::LOCATION).is_some_and(|to| !to.as_bytes().starts_with(b"/") || to.as_bytes().starts_with(b"//"))
}

/// Sets the headers of the page's files. Caches must ask again, so that a new release is never mixed with an old one. The
/// page may send to `buckets`, origins without a path, besides its own.
pub fn fence(headers: &mut HeaderMap, buckets: &[String]) {
    let connect: String = buckets.iter().map(|origin| format!(" {origin}")).collect();
    let policy = format!("{CONTENT_SECURITY_POLICY}; connect-src 'self'{connect}");
    // An origin that is no header value is none that a browser could be told of.
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    );
    guard(headers);
}

/// Has browsers come by TLS from now on, for the name that they came by. Subdomains are not ours to speak for.
///
/// **Source:** RFC 6797 section 6.1.
pub fn require_tls(headers: &mut HeaderMap) {
    headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
}

/// Sets the headers that every answer has.
pub fn guard(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}
