//! The gateway's answers, called without a socket.
#![expect(clippy::unwrap_used, reason = "tests")]

mod authorization;
mod limits;
mod secrets;
mod setting;

use accept::Peer;
use http::Request;
use serde_json::json;

use glacier_core::sigv4::Timestamp;
use setting::{HOST, NOW, batch, claims, intent, key, post, setting, setting_with};

#[tokio::test]
async fn bad_bodies_have_their_own_status() {
    let setting = setting();
    let token = key().mint(&claims()).unwrap();
    let list = intent("ListParts", "photos", 1);
    let mut extra = list.clone();
    extra["x-amz-date"] = "20260101T000000Z".into();
    for (body, status, code) in [
        (String::new(), 400, "malformed_json"),
        ("{\"intents\":".into(), 400, "malformed_json"),
        (format!("{{\"x\":{}", "[".repeat(200_000)), 400, "malformed_json"),
        ("{}".into(), 422, "invalid_request"),
        (batch(&[]), 422, "invalid_request"),
        (batch(&[extra]), 422, "invalid_request"),
        (r#"{"to_sign":"AWS4-HMAC-SHA256"}"#.into(), 422, "invalid_request"),
        (batch(&vec![list.clone(); 101]), 413, "too_large"),
        (" ".repeat((256 << 10) + 1), 413, "too_large"),
        (batch(&vec![list; 100]), 200, ""),
    ] {
        let shown: String = body.chars().take(80).collect();
        let answer = setting.sign(&token, body).await;
        assert_eq!((answer.status, answer.json()["code"].as_str().unwrap_or("")), (status, code), "{shown}");
        assert!(!answer.body.contains("AWS4-HMAC-SHA256") || status == 200);
    }
}

#[tokio::test]
async fn a_body_that_is_not_said_to_be_json_is_refused() {
    let setting = setting();
    let token = key().mint(&claims()).unwrap();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""] {
        let request = Request::post("/v1/sign")
            .header("host", HOST)
            .header("content-type", kind)
            .header("authorization", format!("Bearer {token}"));
        let answer = setting.send(request.body(batch(&[intent("ListParts", "photos", 1)])).unwrap()).await;
        assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (415, "unsupported_media_type"), "{kind}");
    }
}

#[tokio::test]
async fn only_our_hosts_are_answered_on_every_route() {
    let setting = setting();
    for path in ["/", "/healthz", "/v1/sign", "/v1/dev-token", "/123456789012/vaults", "/-/vaults/photos"] {
        for host in ["attacker.test:8080", "127.0.0.1.nip.io:8080", "localhost", "localhost:8081", ""] {
            let answer = setting.send(Request::get(path).header("host", host).body("").unwrap()).await;
            assert_eq!(answer.status, 421, "{host} {path}");
        }
        let answer = setting.send(Request::get(path).body("").unwrap()).await;
        assert_eq!(answer.status, 421, "no host, {path}");
        let two = Request::get(path).header("host", HOST).header("host", HOST);
        assert_eq!(setting.send(two.body("").unwrap()).await.status, 421, "two hosts, {path}");
        let answer = setting.send(Request::get(path).header("host", "upload.example.com").body("").unwrap()).await;
        assert_ne!(answer.status, 421, "{path}");
    }
}

#[tokio::test]
async fn a_dev_token_is_for_this_machine_and_this_origin() {
    let setting = setting();
    let ask = || post("/v1/dev-token");
    for (name, request) in [
        ("plain", ask()),
        ("page", ask().header("sec-fetch-site", "same-origin").header("origin", "http://localhost:8080")),
    ] {
        let answer = setting.send(request.body("{}").unwrap()).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
        let json = answer.json();
        assert_eq!(json["vault"], "photos");
        assert_eq!(json["vaults"], json!(["photos", "films"]));
        assert_eq!(json["expiresInMs"], 3_600_000);
        assert_eq!(answer.header("cache-control"), "no-store, private");
        let token = json["token"].as_str().unwrap();
        let answer = setting.sign(token, batch(&[intent("ListParts", "films", 1)])).await;
        assert_eq!(answer.status, 200);
    }
    let away = Peer("203.0.113.9:1".parse().unwrap());
    let public = Request::post("/v1/dev-token").header("host", "upload.example.com");
    for (name, request) in [
        ("other peer", ask().extension(away)),
        ("public host", public.header("content-type", "application/json")),
        ("cross site", ask().header("sec-fetch-site", "cross-site")),
        ("same site", ask().header("sec-fetch-site", "same-site")),
        ("other origin", ask().header("origin", "http://evil.test")),
        ("null origin", ask().header("origin", "null")),
        ("allowed origin", ask().header("origin", "https://app.example.com")),
        ("proxy", ask().header("x-forwarded-for", "203.0.113.9")),
    ] {
        let answer = setting.send(request.body("{}").unwrap()).await;
        assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (404, "not_found"), "{name}");
    }
    assert_eq!(setting_with(false, || Timestamp::from_unix(NOW)).send(ask().body("{}").unwrap()).await.status, 404);
    for (body, status) in [("", 400), ("[]", 422), ("{\"sub\":\"admin\"}", 422), ("null", 422)] {
        assert_eq!(setting.send(ask().body(body).unwrap()).await.status, status, "{body}");
    }
    let form = Request::post("/v1/dev-token").header("host", HOST).header("content-type", "text/plain");
    assert_eq!(setting.send(form.body("{}").unwrap()).await.status, 415);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_in_json() {
    let setting = setting();
    for (method, path, status, code) in [
        ("GET", "/v1/sign", 405, "method_not_allowed"),
        ("PUT", "/v1/sign", 405, "method_not_allowed"),
        ("GET", "/v1/dev-token", 405, "method_not_allowed"),
        ("POST", "/v1/events", 405, "method_not_allowed"),
        ("HEAD", "/v1/events", 405, ""),
        ("POST", "/v1/", 404, "not_found"),
        ("POST", "/v1/nothing", 404, "not_found"),
        ("POST", "/v1/sign/", 404, "not_found"),
        ("POST", "/v1/%73ign", 404, "not_found"),
    ] {
        let answer =
            setting.send(Request::builder().method(method).uri(path).header("host", HOST).body("").unwrap()).await;
        let found = if method == "HEAD" { String::new() } else { answer.json()["code"].as_str().unwrap().to_owned() };
        assert_eq!((answer.status, found.as_str()), (status, code), "{method} {path}");
        let allowed = if path == "/v1/events" { "GET" } else { "POST" };
        assert_eq!(answer.header("allow"), if status == 405 { allowed } else { "" }, "{method} {path}");
    }
    let head = Request::head("/v1/sign").header("host", HOST).body("").unwrap();
    assert_eq!(setting.send(head).await.status, 405);
    let override_method = post("/healthz").header("x-http-method-override", "GET").body("").unwrap();
    assert_eq!(setting.send(override_method).await.status, 405);
}

#[tokio::test]
async fn the_page_is_fenced_in() {
    let setting = setting();
    let page = setting.send(Request::get("/").header("host", HOST).body("").unwrap()).await;
    assert_eq!((page.status, page.body.as_str()), (200, "<!doctype html>"));
    assert_eq!(
        page.header("content-security-policy"),
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; \
         img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; connect-src 'self'"
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-cache"),
    ] {
        assert_eq!(page.header(name), value, "{name}");
    }
    let wasm = setting.send(Request::get("/a.wasm").header("host", HOST).body("").unwrap()).await;
    assert_eq!(wasm.header("content-type"), "application/wasm");
    for path in ["/../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt", "/a%00", "/nothing"] {
        let answer = setting.send(Request::get(path).header("host", HOST).body("").unwrap()).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.body.contains("outside"));
        assert!(!answer.header("content-security-policy").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn other_origins_get_nothing_unless_named() {
    let setting = setting();
    for path in ["/v1/sign", "/123456789012/vaults/photos/multipart-uploads"] {
        let preflight = |origin: &str| {
            Request::options(path)
                .header("host", HOST)
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .body("")
                .unwrap()
        };
        let allowed = setting.send(preflight("https://app.example.com")).await;
        assert_eq!(allowed.status, 204);
        assert_eq!(allowed.header("access-control-allow-origin"), "https://app.example.com");
        assert!(allowed.header("access-control-allow-headers").contains("x-amz-sha256-tree-hash"));
        assert_eq!(allowed.header("vary"), "Origin");
        for origin in [
            "https://app.example.com.evil.test",
            "http://app.example.com",
            "https://app.example.com:444",
            "https://APP.example.com",
            "https://app.example.com.",
            "https://user@app.example.com",
            "null",
            "*",
        ] {
            let refused = setting.send(preflight(origin)).await;
            assert_eq!(refused.status, 403, "{origin}");
            assert_eq!(refused.header("access-control-allow-origin"), "", "{origin}");
            assert_eq!(refused.header("access-control-allow-methods"), "", "{origin}");
            let answer = setting.send(post(path).header("origin", origin).body("{}").unwrap()).await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
            assert_eq!(answer.header("vary"), "Origin");
        }
        let answer = setting.send(post(path).header("origin", "https://app.example.com").body("{}").unwrap()).await;
        assert_eq!(answer.header("access-control-allow-origin"), "https://app.example.com");
        assert!(answer.header("access-control-expose-headers").contains("x-amz-archive-id"));
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
}

#[tokio::test]
async fn a_signed_request_is_for_the_intent_the_host_and_a_few_minutes() {
    let setting = setting();
    let token = key().mint(&claims()).unwrap();
    let mut initiate = intent("InitiateMultipartUpload", "photos", 5);
    initiate["description"] = "two  spaces".into();
    let mut list = intent("ListParts", "photos", 1);
    list["marker"] = "a/b c".into();
    let answer = setting.sign(&token, batch(&[initiate, list])).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store, private"));
    let json = answer.json();
    let first = &json["requests"][0];
    assert_eq!(first["method"], "POST");
    assert_eq!(first["url"], "/123456789012/vaults/photos/multipart-uploads");
    assert_eq!(first["expiresInMs"], 240_000);
    let headers = first["headers"].as_object().unwrap();
    assert_eq!(headers["x-amz-date"], "20270115T080000Z");
    assert_eq!(headers["x-amz-archive-description"], "two  spaces");
    let authorization = headers["authorization"].as_str().unwrap();
    assert!(
        authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDGATEWAY/20270115/us-east-1/glacier/aws4_request")
    );
    assert!(authorization.contains("SignedHeaders=host;"), "{authorization}");
    assert!(!headers.contains_key("host"));
    assert_eq!(json["requests"][1]["url"], "/123456789012/vaults/photos/multipart-uploads/u?marker=a%2Fb%20c");
}

#[tokio::test]
async fn the_store_believes_nobody_without_a_signature() {
    let setting = setting();
    let request =
        Request::get("/123456789012/vaults").header("host", HOST).header("x-amz-glacier-version", "2012-06-01");
    let answer = setting.send(request.body("").unwrap()).await;
    assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (400, "MissingAuthenticationTokenException"));
    assert!(!answer.header("x-amzn-requestid").is_empty());
    assert!(!answer.header("x-request-id").is_empty());
}

#[cfg(feature = "bench-sink")]
#[tokio::test]
async fn the_benchmarks_sinks_read_a_body_to_its_end() {
    for path in ["/bench/sink", "/bench/file"] {
        let request = Request::put(path).header("host", HOST).body(vec![7; 3 << 20]).unwrap();
        assert_eq!(setting().send(request).await.status, 204, "{path}");
    }
}

#[cfg(not(feature = "bench-sink"))]
#[tokio::test]
async fn the_benchmarks_sink_is_not_there() {
    let request = Request::put("/bench/sink").header("host", HOST).body("").unwrap();
    assert_eq!(setting().send(request).await.status, 405);
}
