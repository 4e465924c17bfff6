//! What a hostile page can make a visitor's browser send.

use serde_json::json;

use crate::case::{Case, batch, list_parts};
use crate::wire::Request;

/// Origins that look like `https://app.example.com` or like nobody.
const STRANGERS: [&str; 14] = [
    "https://evil.test",
    "https://app.example.com.evil.test",
    "https://evilapp.example.com",
    "https://app.example.com@evil.test",
    "http://app.example.com",
    "https://app.example.com:444",
    "https://app.example.com:443",
    "https://APP.example.com",
    "https://app.example.com.",
    "https://app.example.com/",
    "https://user@app.example.com",
    "null",
    "*",
    "",
];

#[test]
fn a24_what_a_form_can_send_is_no_json() {
    let case = Case::new("A24");
    let token = case.token(&["demo"], &["upload"]);
    let body = batch(&[list_parts("demo")]);
    for kind in [
        "text/plain",
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "text/json",
        "application/jsonp",
        "application/json-patch+json",
        "application/vnd.api+json",
        "text/plain, application/json",
        "application/json, text/plain",
        "application /json",
        "*/*",
    ] {
        for path in ["/v1/sign", "/v1/dev-token"] {
            let request = Request::post(path).header("content-type", kind).body(body.clone());
            case.refused(&request.header("authorization", &format!("Bearer {token}")), 415, "unsupported_media_type");
        }
    }
    let request = Request::post("/v1/sign").body(body.clone()).header("authorization", &format!("Bearer {token}"));
    case.refused(&request, 415, "unsupported_media_type");
    let twice = case.sign(&token, body.clone()).header("content-type", "text/plain");
    case.refused(&twice, 415, "unsupported_media_type");
    let answer = case.send(
        &case.sign(&token, body).without("content-type").header("content-type", "Application/JSON; charset=utf-8"),
    );
    assert_eq!(answer.status, 200);
    case.end();
}

#[test]
fn a27_only_named_origins_may_read_and_none_is_a_pattern() {
    let case = Case::with("A27", &["--allow-origin", "https://app.example.com"]);
    let paths = ["/v1/sign", "/v1/events?vault=demo", "/123456789012/vaults/demo/multipart-uploads"];
    for path in paths {
        let preflight = |origin: &str| {
            Request::new("OPTIONS", path)
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization, content-type")
        };
        let allowed = case.send(&preflight("https://app.example.com"));
        assert_eq!(
            (allowed.status, allowed.header("access-control-allow-origin").as_str()),
            (204, "https://app.example.com")
        );
        for origin in STRANGERS {
            let refused = case.send(&preflight(origin));
            assert_eq!(refused.status, 403, "{origin}");
            let plain = case.send(&Request::post(path).header("origin", origin).json("{}"));
            for answer in [refused, plain] {
                for name in ["origin", "credentials", "methods", "headers", "private-network"] {
                    assert_eq!(answer.header(&format!("access-control-allow-{name}")), "", "{origin} {path}");
                }
                assert!(answer.header("vary").to_ascii_lowercase().contains("origin"), "{origin} {path}");
            }
        }
        let two = preflight("https://app.example.com").header("origin", "https://evil.test");
        assert_eq!(case.send(&two).status, 403);
    }
    // The page itself is for everybody to look at and for nobody to read.
    let page = case.send(&Request::get("/").header("origin", "https://app.example.com"));
    assert_eq!(page.header("access-control-allow-origin"), "");
    case.end();
}

#[test]
fn a28_an_origin_without_a_name_changes_nothing() {
    let case = Case::new("A28");
    let token = case.token(&["demo"], &["upload"]);
    // Preflights fail, so a browser sends neither a token nor JSON.
    for path in ["/v1/sign", "/v1/dev-token", "/-/vaults/demo"] {
        for method in ["POST", "PUT", "DELETE"] {
            let preflight =
                Request::new("OPTIONS", path).header("origin", "null").header("access-control-request-method", method);
            let answer = case.send(&preflight);
            assert_eq!((answer.status, answer.header("access-control-allow-origin").as_str()), (403, ""), "{path}");
        }
    }
    case.refused(&Request::post("/v1/dev-token").json("{}").header("origin", "null"), 404, "not_found");
    // With a token all the same, nothing of the answer can be read there.
    let answer = case.send(&case.sign(&token, batch(&[list_parts("demo")])).header("origin", "null"));
    assert_eq!((answer.status, answer.header("access-control-allow-origin").as_str()), (200, ""));
    case.end();
}

#[test]
fn a29_no_cookie_is_set_or_believed() {
    let case = Case::new("A29");
    let token = case.token(&["demo"], &["upload"]);
    let cookie = format!("token={token}; session={token}; __Host-token={token}; Authorization=Bearer {token}");
    for site in ["cross-site", "same-site", "same-origin", "none"] {
        for kind in ["application/json", "text/plain", "application/x-www-form-urlencoded"] {
            let request = Request::post("/v1/sign").header("content-type", kind).body(batch(&[list_parts("demo")]));
            case.refused(&request.header("cookie", &cookie).header("sec-fetch-site", site), 401, "token_missing");
        }
        case.refused(
            &Request::get("/v1/events?vault=demo").header("cookie", &cookie).header("sec-fetch-site", site),
            401,
            "token_missing",
        );
        let vault = Request::new("DELETE", "/-/vaults/demo").header("cookie", &cookie).header("sec-fetch-site", site);
        case.refused(&vault, 400, "MissingAuthenticationTokenException");
    }
    // The token that is there for the asking is not there for other sites.
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "garbage"),
        ("origin", "https://evil.test"),
        ("origin", "http://localhost"),
        ("origin", "null"),
        ("origin", ""),
    ] {
        case.refused(&Request::post("/v1/dev-token").json("{}").header(name, value), 404, "not_found");
    }
    for path in ["/", "/healthz", "/v1/sign", "/-/vaults"] {
        assert_eq!(case.send(&Request::get(path)).header("set-cookie"), "", "{path}");
    }
    case.end();
}

#[test]
fn a30_only_known_hosts_are_answered() {
    let case = Case::with("A30", &["--public-host", "upload.example.com"]);
    let port = case.host.rsplit(':').next().unwrap().to_owned();
    let targets = ["/", "/healthz", "/v1/sign", "/v1/dev-token", "/-/vaults"];
    for host in [
        format!("attacker.test:{port}"),
        format!("127.0.0.1.nip.io:{port}"),
        format!("localhost.:{port}"),
        format!("localhost.evil.test:{port}"),
        "localhost".into(),
        "localhost:1".into(),
        "127.0.0.1".into(),
        format!("0.0.0.0:{port}"),
        format!("[::]:{port}"),
        format!("2130706433:{port}"),
        format!("0x7f.1:{port}"),
        format!("192.168.0.1:{port}"),
        "upload.example.com.evil.test".into(),
        "evil.test".into(),
        "xupload.example.com".into(),
        "a,b".into(),
        format!("upload.example.com:{port}"),
        "upload.example.com.".into(),
        "169.254.169.254".into(),
        "metadata.google.internal".into(),
    ] {
        for target in targets {
            case.refused(&Request::get(target).header("host", &host), 421, "misdirected_request");
        }
    }
    for host in [
        "",
        " ",
        "localhost@evil",
        "a b",
        "http://localhost",
        "localhost/x",
        "local\u{7f}host",
        ":80",
        "localhost:",
        "[::1",
        "a\tb",
    ] {
        for target in targets {
            let answers = case.raw(&Request::get(target).header("host", host).bytes(&case.host));
            assert_eq!((answers.len(), answers[0].status), (1, 400), "{host:?}: {answers:?}");
        }
    }
    for version in ["HTTP/1.1", "HTTP/1.0"] {
        for head in [
            format!("GET / {version}\r\nConnection: close\r\n\r\n"),
            format!("GET / {version}\r\nHost: {0}\r\nHost: {0}\r\n\r\n", case.host),
            format!("GET / {version}\r\nHost: {}\r\nHost: evil.test\r\n\r\n", case.host),
            format!("GET http://evil.test/ {version}\r\nHost: {}\r\n\r\n", case.host),
            format!("GET http://{}@evil.test/ {version}\r\nHost: {0}\r\n\r\n", case.host),
        ] {
            let answers = case.raw(head.as_bytes());
            assert_eq!((answers.len(), answers[0].status), (1, 400), "{head:?}: {answers:?}");
        }
        let foreign = format!("GET http://evil.test/ {version}\r\nHost: evil.test\r\nConnection: close\r\n\r\n");
        assert_eq!(case.raw(foreign.as_bytes())[0].status, 421);
    }
    assert_eq!(case.send(&Request::get("/healthz").header("host", "UPLOAD.example.com")).status, 200);
    case.end();
}

#[test]
fn a52_no_page_can_be_framed() {
    let case = Case::new("A52");
    for target in ["/", "/index.html", "/nothing", "/index.html?x=1"] {
        let answer = case.send(&Request::get(target));
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{target}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{target}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{target}");
    }
    case.end();
}

#[test]
fn a54_the_page_may_load_its_own_and_nothing_else() {
    let case = Case::new("A54");
    for target in ["/", "/index.html", "/nothing.js"] {
        let policy = case.send(&Request::get(target)).header("content-security-policy");
        for rule in [
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "connect-src 'self'",
            "worker-src 'self'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ] {
            assert!(policy.split("; ").any(|part| part == rule), "{rule} is not in {policy}");
        }
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'") && !policy.contains('*'),
            "{policy}"
        );
    }
    case.end();
}

#[test]
fn a56_nobody_keeps_what_was_answered() {
    let case = Case::with("A56", &["--allow-origin", "https://app.example.com"]);
    let token = case.token(&["demo"], &["upload"]);
    let dev_token = Request::post("/v1/dev-token").json("{}");
    let foreign = case.sign(&token, batch(&[list_parts("demo")])).header("origin", "https://app.example.com");
    for request in [
        case.sign(&token, batch(&[list_parts("demo")])),
        case.sign(&token, "{"),
        case.sign("canary", "{}"),
        foreign,
        dev_token,
        Request::get("/v1/nothing"),
        Request::get("/v1/sign"),
        Request::get("/").header("host", "evil.test"),
    ] {
        let answer = case.send(&request);
        assert_eq!(answer.header("cache-control"), "no-store, private", "{request:?}");
    }
    for request in [case.sign(&token, batch(&[list_parts("demo")])), case.store("GET", "/-/vaults").request()] {
        assert!(case.send(&request).header("vary").to_ascii_lowercase().contains("origin"));
    }
    // What tricks caches elsewhere changes nothing here.
    let plain = case.send(&Request::get("/index.html")).body;
    for (name, value) in [
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-scheme", "http"),
        ("x-original-url", "/v1/sign"),
        ("x-host", "evil.test"),
        ("forwarded", "host=evil.test"),
        ("x-forwarded-proto", "nothttps"),
        ("x-http-method-override", "POST"),
    ] {
        let answer = case.send(&Request::get("/index.html").header(name, value));
        assert_eq!((answer.status, &answer.body), (200, &plain), "{name}");
        assert!(!answer.text.contains("evil.test"));
    }
    let answer = case.send(
        &case
            .sign(&token, json!({ "intents": [list_parts("demo")] }).to_string())
            .header("x-forwarded-host", "evil.test"),
    );
    assert!(!answer.text.contains("evil.test"));
    case.end();
}
