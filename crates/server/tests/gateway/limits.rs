//! How often one may ask, and who that is.

use std::num::NonZeroU32;
use std::time::Instant;

use accept::Peer;
use glacier_upload_server::client::TrustedProxies;
use glacier_upload_server::metrics::Metrics;
use glacier_upload_server::rate::{Quotas, Rates};
use glacier_upload_server::seats::Seats;
use glacier_upload_server::token::Claims;
use glacier_upload_server::watch::Watch;
use http::{Request, request};

use crate::setting::{Answered, HOST, Setting, batch, claims, intent, key, post, setting_watched, setting_with};

const PROXY: &str = "10.0.0.1:443";

/// A server behind a proxy of `10.0.0.0/8` with one of the quotas, all small.
fn limited(quotas: Quotas) -> (Setting, Metrics) {
    let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
    let metrics = Metrics::new();
    let watch = Watch { metrics: metrics.clone(), rates: Rates::new(quotas), seats: Seats::default(), proxies };
    let now = || glacier_core::sigv4::Timestamp::from_unix(crate::setting::NOW);
    (setting_watched(true, watch, now), metrics)
}

fn one() -> Option<NonZeroU32> {
    NonZeroU32::new(1)
}

fn list() -> String {
    batch(&[intent("ListParts", "photos", 1)])
}

fn from(peer: &str, forwarded: Option<&str>, request: request::Builder) -> request::Builder {
    let request = request.extension(Peer(peer.parse().unwrap()));
    match forwarded {
        Some(address) => request.header("x-forwarded-for", address),
        None => request,
    }
}

async fn sign(setting: &Setting, peer: &str, forwarded: Option<&str>, token: Option<&str>) -> Answered {
    let mut request = from(peer, forwarded, post("/v1/sign"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    setting.send(request.body(list()).unwrap()).await
}

fn is_too_many(answer: &Answered) -> bool {
    let is_limited = answer.status == 429;
    if is_limited {
        assert_eq!((answer.json()["code"].as_str(), answer.header("retry-after")), (Some("too_many_requests"), "1"));
    }
    is_limited
}

/// How many were let in of those who share one quota of one a second and ten at once. However slow we are, no more than
/// those ten and one for each second.
struct Shared {
    begun: Instant,
    admitted: usize,
}

impl Shared {
    fn new() -> Self {
        Self { begun: Instant::now(), admitted: 0 }
    }

    /// Asks until it is too often. Whoever had a quota of his own would have ten at once again.
    async fn exhaust(&mut self, ask: impl AsyncFnMut(usize) -> Answered) {
        self.admitted += exhaust(ask).await;
        let most = 10 + self.begun.elapsed().as_secs() + 1;
        assert!((10..=most).contains(&(self.admitted as u64)), "{} of at most {most}", self.admitted);
    }
}

/// Asks until it is too often. A quota of one a second and ten at once runs out as soon as we are faster than that.
async fn exhaust(mut ask: impl AsyncFnMut(usize) -> Answered) -> usize {
    for count in 0..100_000 {
        if is_too_many(&ask(count).await) {
            return count;
        }
    }
    panic!("never too often");
}

#[tokio::test]
async fn a_subject_has_one_quota_whatever_its_tokens_and_addresses() {
    let (setting, metrics) = limited(Quotas { subject: one(), ..Quotas::default() });
    let token = |sub: &str, jti: usize| {
        key().mint(&Claims { sub: sub.into(), jti: Some(jti.to_string()), ..claims() }).unwrap()
    };
    let ask = async |count: usize| {
        let address = format!("198.51.100.{}", count % 200);
        sign(&setting, PROXY, Some(&address), Some(&token("user-7", count))).await
    };
    Shared::new().exhaust(ask).await;
    assert!(metrics.text().contains("glacier_upload_refusals_total{code=\"too_many_requests\"} 1\n"));
    assert_eq!(sign(&setting, PROXY, None, Some(&token("user-8", 0))).await.status, 200);
    // Those without a token are not counted together with anybody.
    assert_eq!(sign(&setting, PROXY, None, None).await.status, 401);
    // Streams of events are of the same quota.
    let mut shared = Shared::new();
    shared.exhaust(async |_| sign(&setting, PROXY, None, Some(&token("user-9", 0))).await).await;
    let listen = async |_| {
        // Of a vault that is not the token's: a stream that is opened does not end.
        let request = Request::get("/v1/events?vault=elsewhere").header("host", HOST);
        let request = from(PROXY, None, request).header("authorization", format!("Bearer {}", token("user-9", 1)));
        setting.send(request.body("").unwrap()).await
    };
    shared.exhaust(listen).await;
}

#[tokio::test]
async fn strangers_have_a_quota_for_each_subscriber() {
    let (setting, _) = limited(Quotas { anonymous: one(), ..Quotas::default() });
    let expired = key().mint(&Claims { iat: 1, exp: 2, ..claims() }).unwrap();
    let forged = format!("{}A", key().mint(&claims()).unwrap());
    let tokens = [None, Some("x"), Some(expired.as_str()), Some(forged.as_str())];
    // One subscriber has 2^64 addresses, and may spell the token in as many ways.
    let mut shared = Shared::new();
    let ask = async |count: usize| {
        let address = format!("2001:db8:0:7::{count:x}");
        sign(&setting, PROXY, Some(&address), tokens[count % tokens.len()]).await
    };
    shared.exhaust(ask).await;
    shared.exhaust(async |_| sign(&setting, PROXY, Some("2001:db8:0:7:ffff::1"), None).await).await;
    assert_eq!(sign(&setting, PROXY, Some("2001:db8:0:8::1"), None).await.status, 401);
    // Nobody with a token suffers for them.
    let token = key().mint(&claims()).unwrap();
    assert_eq!(sign(&setting, PROXY, Some("2001:db8:0:7::1"), Some(&token)).await.status, 200);
}

#[tokio::test]
async fn only_a_trusted_proxy_says_where_a_request_comes_from() {
    let (setting, _) = limited(Quotas { anonymous: one(), ..Quotas::default() });
    // Who is no proxy of ours has its own quota, whatever it sends.
    let mut shared = Shared::new();
    let ask = async |count: usize| {
        let forged = format!("198.51.100.{}", count % 200);
        sign(&setting, "192.0.2.1:4711", Some(&forged), None).await
    };
    shared.exhaust(ask).await;
    // By a new connection.
    shared.exhaust(async |_| sign(&setting, "192.0.2.1:4712", None, None).await).await;
    assert_eq!(sign(&setting, PROXY, Some("198.51.100.1"), None).await.status, 401);
    // And cannot spend another's.
    exhaust(async |_| sign(&setting, PROXY, Some("6.6.6.6, 203.0.113.1"), None).await).await;
    assert_eq!(sign(&setting, PROXY, Some("6.6.6.6"), None).await.status, 401);
}

#[tokio::test]
async fn who_misses_too_often_has_to_wait() {
    let (setting, _) = limited(Quotas { misses: NonZeroU32::new(10), ..Quotas::default() });
    let miss = async |address: &str, count: usize| {
        let request = from(PROXY, Some(address), post(&format!("/v1/uploads/{count:032x}")));
        setting.send(request.body("{}").unwrap()).await
    };
    let count = exhaust(async |count| miss(&format!("2001:db8:0:7::{count:x}"), count).await).await;
    assert!(count >= 10, "ten a minute at once: {count}");
    assert_eq!(miss("2001:db8:0:8::1", 0).await.status, 404);
    // What cannot be missed is not held back.
    let page = from(PROXY, Some("2001:db8:0:7::1"), Request::get("/").header("host", HOST));
    assert_eq!(setting.send(page.body("").unwrap()).await.status, 200);
}

#[tokio::test]
async fn this_machine_is_nobody_in_particular() {
    let (setting, _) = limited(Quotas { anonymous: one(), misses: one(), subject: None });
    for count in 0..100 {
        assert_eq!(sign(&setting, "127.0.0.1:9", None, None).await.status, 401, "{count}");
        let miss = from("[::1]:9", None, post("/v1/none")).body("{}").unwrap();
        assert_eq!(setting.send(miss).await.status, 404, "{count}");
    }
}

#[tokio::test]
async fn what_happens_is_counted_and_nothing_else_is_told() {
    let (setting, metrics) = limited(Quotas::default());
    let token = key().mint(&claims()).unwrap();
    let intents = [
        intent("ListParts", "photos", 1),
        intent("ListParts", "photos", 1),
        intent("AbortMultipartUpload", "photos", 1),
    ];
    assert_eq!(setting.sign(&token, batch(&intents)).await.status, 200);
    assert_eq!(setting.sign("canary-token", batch(&intents)).await.status, 401);
    let store = Request::get("/123456789012/vaults/canary").header("host", HOST).body("").unwrap();
    assert_eq!(setting.send(store).await.status, 400);
    assert_eq!(setting.send(post("/v1/canary").body("{}").unwrap()).await.status, 404);
    let text = metrics.text();
    for line in [
        "glacier_upload_requests_total{route=\"/v1/sign\",status=\"200\"} 1",
        "glacier_upload_requests_total{route=\"/v1/sign\",status=\"401\"} 1",
        "glacier_upload_requests_total{route=\"store\",status=\"400\"} 1",
        "glacier_upload_requests_total{route=\"/v1\",status=\"404\"} 1",
        "glacier_upload_signed_intents_total{op=\"ListParts\"} 2",
        "glacier_upload_signed_intents_total{op=\"AbortMultipartUpload\"} 1",
        "glacier_upload_refusals_total{code=\"token_invalid\"} 1",
        "glacier_upload_refusals_total{code=\"not_found\"} 1",
        "glacier_upload_requests_in_flight{route=\"/v1/sign\"} 0",
        "glacier_upload_request_duration_seconds_count{route=\"/v1/sign\"} 2",
        &format!("glacier_upload_received_bytes_total{{route=\"/v1/sign\"}} {}", batch(&intents).len()),
        "glacier_upload_panics_total 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|printed| printed == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("canary") && !text.contains("photos") && !text.contains("user-7"), "{text}");
}

#[tokio::test]
async fn metrics_are_not_for_the_public() {
    let setting = setting_with(true, || glacier_core::sigv4::Timestamp::from_unix(crate::setting::NOW));
    for path in ["/metrics", "/metrics/", "/v1/metrics", "/debug", "/debug/pprof/", "/profile", "/%6detrics"] {
        let answer = setting.send(Request::get(path).header("host", HOST).body("").unwrap()).await;
        assert!(answer.status == 404 || answer.status == 400, "{path}: {}", answer.status);
        assert!(!answer.body.contains("glacier_upload"), "{path}");
    }
    for path in ["/healthz", "/readyz"] {
        let answer = setting.send(Request::get(path).header("host", HOST).body("").unwrap()).await;
        assert_eq!(answer.status, 200, "{path}");
        let head = setting.send(Request::head(path).header("host", HOST).body("").unwrap()).await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
    }
}
