//! Whether a bucket lets a page in, found out before a byte is sent.
//!
//! A browser asks the bucket for leave before it sends anything, and tells the page nothing of a refusal: it looks like
//! a network that is down. So the gateway asks first, as the browser would, and says what is missing and what to paste.
//!
//! **Source:** Fetch Standard, "CORS-preflight fetch"; S3 user guide, "Using cross-origin resource sharing".

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use glacier_core::s3::{BucketName, TREE_HASH_NAME, header as s3_header};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

/// How long leave that was given is believed.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Most answers remembered. Origins are the pages' word.
const MAX_REMEMBERED: usize = 4096;

/// Longest origin that is asked for.
const MAX_ORIGIN_LEN: usize = 300;

/// What a browser asks leave for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ask {
    pub(super) bucket: BucketName,
    /// Of the page, as its browser writes it.
    pub(super) origin: String,
    pub(super) method: &'static str,
    /// Lower-case names, sorted.
    pub(super) headers: Vec<String>,
}

/// What a bucket's rules do not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Pages of that origin, or all pages.
    Origin,
    /// The method.
    Method,
    /// At least one of the headers.
    Headers,
}

impl Missing {
    /// For people.
    pub(crate) const fn message(&self) -> &'static str {
        match self {
            Self::Origin => {
                "the bucket's CORS rules do not let pages of this origin in; give the bucket the rules in corsRules"
            }
            Self::Method => {
                "the bucket's CORS rules let this origin in but not with this method; give the bucket the rules in corsRules"
            }
            Self::Headers => {
                "the bucket's CORS rules do not allow the headers that are sent; give the bucket the rules in corsRules"
            }
        }
    }
}

impl Ask {
    /// What a page of `origin` asks before a request with these headers. `None` for an origin that no browser sends.
    pub(super) fn new<'h>(
        bucket: &BucketName,
        origin: &HeaderValue,
        method: &'static str,
        headers: impl Iterator<Item = &'h str>,
    ) -> Option<Self> {
        let origin = origin.to_str().ok().filter(|origin| origin.len() <= MAX_ORIGIN_LEN)?.to_owned();
        let mut headers: Vec<String> = headers.filter(|name| !is_safelisted(name)).map(str::to_owned).collect();
        headers.sort_unstable();
        headers.dedup();
        Some(Self { bucket: bucket.clone(), origin, method, headers })
    }

    /// The same with fewer headers.
    pub(super) fn with_headers(&self, headers: &[String]) -> Self {
        Self { headers: headers.to_vec(), ..self.clone() }
    }

    /// The same with another method and no headers.
    pub(super) fn with_method(&self, method: &'static str) -> Self {
        Self { method, headers: Vec::new(), ..self.clone() }
    }

    /// The preflight's headers.
    pub(super) fn request_headers(&self) -> Option<HeaderMap> {
        let mut map = HeaderMap::new();
        map.insert(header::ORIGIN, HeaderValue::from_str(&self.origin).ok()?);
        map.insert(header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static(self.method));
        if !self.headers.is_empty() {
            let names = HeaderValue::from_str(&self.headers.join(",")).ok()?;
            map.insert(header::ACCESS_CONTROL_REQUEST_HEADERS, names);
        }
        Some(map)
    }

    /// Whether a browser takes this answer for leave.
    pub(super) fn is_allowed(&self, status: StatusCode, answer: &HeaderMap) -> bool {
        let list = |name: HeaderName| {
            let values = answer.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).map(str::trim).collect::<Vec<_>>()
        };
        let origins = list(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        let methods = list(header::ACCESS_CONTROL_ALLOW_METHODS);
        let allowed = list(header::ACCESS_CONTROL_ALLOW_HEADERS);
        let lets_header =
            |name: &String| allowed.iter().any(|allowed| *allowed == "*" || allowed.eq_ignore_ascii_case(name));
        status.is_success()
            && (origins == ["*"] || origins == [self.origin.as_str()])
            && (matches!(self.method, "GET" | "HEAD" | "POST")
                || methods.contains(&self.method)
                || methods.contains(&"*"))
            && self.headers.iter().all(lets_header)
    }
}

/// Headers that need no leave. `range` is one of them in the only form we send, and `host` and the length are not the
/// page's to set.
///
/// **Source:** Fetch Standard, "CORS-safelisted request-header".
fn is_safelisted(name: &str) -> bool {
    matches!(name, "host" | "content-length" | "range")
}

/// The rules that let pages of `origin` do all that this library does: JSON to paste into S3's console, or to give to
/// `aws s3api put-bucket-cors` inside `{"CORSRules": …}`. `headers` are what is about to be sent.
///
/// Names of metadata are spelt out besides the pattern for all of them: Garage answers a preflight with the pattern
/// itself, in which browsers see no wildcard.
pub(crate) fn rules(origin: &str, headers: &[String]) -> String {
    let always = [
        s3_header::CONTENT_TYPE.to_owned(),
        s3_header::IF_NONE_MATCH.to_owned(),
        "range".to_owned(),
        s3_header::CHECKSUM_SHA256.to_owned(),
        format!("{}*", s3_header::METADATA_PREFIX),
        format!("{}{TREE_HASH_NAME}", s3_header::METADATA_PREFIX),
        s3_header::STORAGE_CLASS.to_owned(),
        s3_header::TAGGING.to_owned(),
    ];
    let more = headers.iter().filter(|name| !always.contains(name));
    let allowed: Vec<&String> = always.iter().chain(more).collect();
    let rules = json!([{
        "AllowedOrigins": [origin],
        "AllowedMethods": ["PUT", "GET", "HEAD"],
        "AllowedHeaders": allowed,
        "ExposeHeaders": [
            "ETag",
            "Content-Range",
            "Accept-Ranges",
            s3_header::CHECKSUM_SHA256,
            "x-amz-checksum-type",
            s3_header::VERSION_ID,
            s3_header::REQUEST_ID,
        ],
        "MaxAgeSeconds": 3000,
    }]);
    rules.to_string()
}

/// Which buckets gave leave lately. Refusals are not remembered: whoever has just pasted the rules tries again at once.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<HashMap<Ask, Instant>>);

impl Memory {
    /// Whether leave for `ask` was given not long before `now`.
    pub(super) fn has(&self, ask: &Ask, now: Instant) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(ask).is_some_and(|at| is_fresh(*at, now))
    }

    /// Remembers that leave was given.
    pub(super) fn keep(&self, ask: Ask, now: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED {
            known.retain(|_, at| is_fresh(*at, now));
        }
        if known.len() < MAX_REMEMBERED {
            known.insert(ask, now);
        }
    }
}

fn is_fresh(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) < REMEMBERED
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const ORIGIN: &str = "https://app.example";

    fn ask(headers: &[&str]) -> Ask {
        let bucket = BucketName::new("photos").unwrap();
        Ask::new(&bucket, &HeaderValue::from_static(ORIGIN), "PUT", headers.iter().copied()).unwrap()
    }

    fn answer(origin: &str, methods: &str, headers: &str) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin),
            (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, headers),
        ] {
            if !value.is_empty() {
                map.insert(name, HeaderValue::from_str(value).unwrap());
            }
        }
        map
    }

    #[test]
    fn a_browser_names_the_headers_that_need_leave_sorted_and_once() {
        let ask = ask(&["x-amz-storage-class", "host", "if-none-match", "content-length", "range", "if-none-match"]);
        assert_eq!(ask.headers, ["if-none-match", "x-amz-storage-class"]);
        let headers = ask.request_headers().unwrap();
        assert_eq!(headers["access-control-request-headers"], "if-none-match,x-amz-storage-class");
        assert_eq!(headers["origin"], ORIGIN);
        assert_eq!(headers["access-control-request-method"], "PUT");
    }

    #[test]
    fn leave_is_what_a_browser_takes_for_it() {
        let sum = ask(&["x-amz-checksum-sha256"]);
        for (origin, methods, headers) in [
            (ORIGIN, "PUT", "x-amz-checksum-sha256"),
            (ORIGIN, "GET, PUT, HEAD", "Range, X-Amz-Checksum-SHA256"),
            ("*", "*", "*"),
        ] {
            assert!(sum.is_allowed(StatusCode::OK, &answer(origin, methods, headers)), "{origin} {methods} {headers}");
        }
        for (status, origin, methods, headers) in [
            (403, ORIGIN, "PUT", "x-amz-checksum-sha256"),
            (301, ORIGIN, "PUT", "x-amz-checksum-sha256"),
            (200, "", "PUT", "x-amz-checksum-sha256"),
            (200, "https://other.example", "PUT", "x-amz-checksum-sha256"),
            (200, "https://app.example, https://other.example", "PUT", "x-amz-checksum-sha256"),
            (200, ORIGIN, "GET", "x-amz-checksum-sha256"),
            (200, ORIGIN, "put", "x-amz-checksum-sha256"),
            (200, ORIGIN, "PUT", "x-amz-checksum-sha1"),
            (200, ORIGIN, "PUT", "x-amz-*"),
            (200, ORIGIN, "PUT", ""),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert!(
                !sum.is_allowed(status, &answer(origin, methods, headers)),
                "{status} {origin} {methods} {headers}"
            );
        }
    }

    #[test]
    fn the_rules_to_paste_are_json_that_names_the_origin() {
        let sent = ["x-amz-meta-author".to_owned(), "x-amz-tagging".into()];
        let rules: serde_json::Value = serde_json::from_str(&rules(ORIGIN, &sent)).unwrap();
        let headers: Vec<&str> =
            rules[0]["AllowedHeaders"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        for name in ["x-amz-meta-*", "x-amz-meta-sha256-tree-hash", "x-amz-meta-author", "x-amz-tagging"] {
            assert_eq!(headers.iter().filter(|header| **header == name).count(), 1, "{name}");
        }
        assert_eq!(rules[0]["AllowedOrigins"], json!([ORIGIN]));
        assert_eq!(rules[0]["AllowedMethods"], json!(["PUT", "GET", "HEAD"]));
    }

    #[test]
    fn leave_is_remembered_for_a_minute_and_a_refusal_for_seconds() {
        let (memory, begun) = (Memory::default(), Instant::now());
        let after = |seconds| begun + Duration::from_secs(seconds);
        memory.keep(ask(&[]), begun);
        assert!(memory.has(&ask(&[]), after(59)));
        assert!(!memory.has(&ask(&[]), after(60)));
        assert!(!memory.has(&ask(&["if-none-match"]), begun));
        assert!(memory.has(&ask(&["range"]), begun), "no leave is needed for a range");
    }

    #[test]
    fn made_up_origins_do_not_fill_the_memory() {
        let (memory, begun) = (Memory::default(), Instant::now());
        let made_up = |number: usize| Ask { origin: format!("https://{number}.example"), ..ask(&[]) };
        for number in 0..MAX_REMEMBERED + 10 {
            memory.keep(made_up(number), begun);
        }
        assert_eq!(memory.0.lock().unwrap().len(), MAX_REMEMBERED);
        memory.keep(ask(&[]), begun + REMEMBERED);
        assert!(memory.has(&ask(&[]), begun + REMEMBERED));
        let long = HeaderValue::from_str(&"o".repeat(301)).unwrap();
        assert!(Ask::new(&ask(&[]).bucket, &long, "PUT", [].into_iter()).is_none());
    }
}
