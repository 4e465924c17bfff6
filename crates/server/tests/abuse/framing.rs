//! Requests that two programs could read in two ways, and methods and paths that are none.

use crate::case::{Case, batch, list_parts};
use crate::wire::{Request, exchange_and_end};

#[test]
fn a26_no_body_is_inflated() {
    let case = Case::new("A26");
    let token = case.token(&["demo"], &["upload"]);
    // A kibibyte of zeros by gzip, which is what the head of a bomb looks like.
    let gzip: &[u8] = &[
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0x63, 0x60, 0x18, 5, 0xa3, 0x60, 0x14, 0x0c, 0x54, 0, 0, 0x2e, 0xaf, 0xb5,
        0xef, 0, 4, 0, 0,
    ];
    for coding in [
        "gzip",
        "x-gzip",
        "deflate",
        "br",
        "zstd",
        "compress",
        "identity",
        "gzip, gzip",
        "identity;q=0",
        "GZIP",
        "",
        "aws-chunked",
        "gzip, aws-chunked",
        "canary",
    ] {
        for request in [
            case.sign(&token, gzip),
            Request::post("/v1/dev-token").json(gzip),
            case.upload("demo", gzip).request(),
            Request::new("PUT", "/index.html").body(gzip),
        ] {
            case.refused(&request.header("content-encoding", coding), 415, "-");
        }
    }
    // What ends in "chunked" is read in chunks and not inflated, and nothing else has an end.
    for (coding, code) in [
        ("gzip, chunked", "malformed_json"),
        ("deflate, chunked", "malformed_json"),
        ("chunked, gzip", "-"),
        ("gzip", "-"),
    ] {
        case.refused(&case.sign(&token, gzip).header("transfer-encoding", coding), 400, code);
    }
    case.end();
}

/// Who answers behind nginx. The gateway itself, without a proxy, answers 400 once and closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    /// Nginx, with this status: 501 is its word for codings that it does not know. The gateway sees nothing.
    Nginx(u16),
    /// Nginx takes it for two requests, which is what they are then: it writes both anew, and the gateway answers each with
    /// 404 and `not_found`.
    Gateway,
}

/// Heads, after the `Host`, and bodies whose end two programs could see in two places, with a request after one of them.
pub(crate) fn ambiguous(smuggled: &str) -> Vec<(Behind, String)> {
    use Behind::{Gateway, Nginx};
    let n = smuggled.len();
    vec![
        // Length and coding, two lengths, two codings.
        (Nginx(400), format!("Content-Length: {n}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Content-Length: 0\r\nContent-Length: {n}\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Content-Length: {n}\r\nContent-Length: 0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Content-Length: 0\r\ncontent-length: 0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Content-Length: 0, {n}\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Content-Length: 0, 0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{smuggled}")),
        (Nginx(501), format!("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{smuggled}")),
        (Nginx(501), format!("Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n{smuggled}")),
        (Nginx(501), format!("Transfer-Encoding: identity, chunked, identity\r\n\r\n0\r\n\r\n{smuggled}")),
        // Lengths that are none.
        (Nginx(400), format!("Content-Length: +0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Content-Length: -0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Content-Length: 0x0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Content-Length: 0 0\r\n\r\n{smuggled}")),
        (
            Nginx(400),
            format!("Content-Length: 00000000000000000000000000000000000018446744073709551616\r\n\r\n{smuggled}"),
        ),
        (Nginx(400), format!("Content-Length: ٠\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Content-Length : 0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Content-Length\t: 0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Content-Length: \x0b0\r\n\r\n{smuggled}")),
        // Codings that are none.
        (Nginx(501), format!("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{smuggled}")),
        (Nginx(501), format!("Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n{smuggled}")),
        (Nginx(501), format!("Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n{smuggled}")),
        (Nginx(501), format!("Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n{smuggled}")),
        // Lines.
        (Nginx(400), format!("X: a\r\n b\r\nContent-Length: 0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("X: a\r\n\tContent-Length: {n}\r\nContent-Length: 0\r\n\r\n{smuggled}")),
        (Gateway, format!("X: a\nContent-Length: 0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("X: a\rContent-Length: 0\r\n\r\n{smuggled}")),
        (Gateway, format!("Content-Length: 0\r\n\n{smuggled}")),
        (Gateway, format!("Content-Length: 0\n\n{smuggled}")),
        (Nginx(400), format!(" Content-Length: 0\r\n\r\n{smuggled}")),
        (Nginx(400), format!(": 0\r\nContent-Length: 0\r\n\r\n{smuggled}")),
        (Gateway, format!("X\r\nContent-Length: 0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("X\0: y\r\nContent-Length: 0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("X y: z\r\nContent-Length: 0\r\n\r\n{smuggled}")),
        (Nginx(400), format!("X: a\0b\r\nContent-Length: 0\r\n\r\n{smuggled}")),
        (Gateway, format!("X(: a\r\nContent-Length: 0\r\n\r\n{smuggled}")),
    ]
}

#[test]
fn a38_every_request_ends_where_everybody_thinks() {
    let case = Case::new("A38");
    let host = case.host.clone();
    let smuggled = format!("GET /canary HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let heads = ambiguous(&smuggled);
    for (_, head) in &heads {
        let request = format!("POST /v1/sign HTTP/1.1\r\nHost: {host}\r\n{head}");
        let answers = case.raw(request.as_bytes());
        assert_eq!((answers.len(), answers[0].status), (1, 400), "{head:?}: {answers:?}");
    }
    // Chunks. Nobody has asked for the body, so the answer is about the token, and the connection ends with it.
    for chunks in [
        "ffffffffffffffff\r\n",
        "fffffffffffffffff\r\n",
        "10000000000000000\r\n",
        "-1\r\n",
        "+1\r\nx\r\n0\r\n\r\n",
        "0x1\r\nx\r\n0\r\n\r\n",
        " 1\r\nx\r\n0\r\n\r\n",
        "1 \r\nx\r\n0\r\n\r\n",
        "1\nx\n0\n\n",
        "1\r\nxy0\r\n\r\n",
        "1\r\nx\r0\r\n\r\n",
        "\r\n",
        "g\r\n",
        "1;a=\"\n\"\r\nx\r\n0\r\n\r\n",
        "0\r\nContent-Length: 9\r\n\r\n",
        "0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "0\r\nHost: evil\r\n\r\n",
        "0\r\n: x\r\n\r\n",
        "1;ext\r\nx\r\n0\r\n\r\n",
    ] {
        let head = format!(
            "POST /v1/sign HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        );
        let good = case.token(&["demo"], &["upload"]);
        for (token, refused) in [("canary", (401, "token_invalid")), (&good, (400, "malformed_json"))] {
            case.count();
            let authorized = head.replace("\r\n\r\n", &format!("\r\nAuthorization: Bearer {token}\r\n\r\n"));
            let answers = exchange_and_end(&host, format!("{authorized}{chunks}{smuggled}").as_bytes());
            let got: Vec<_> = answers.iter().map(|answer| (answer.status, answer.code())).collect();
            assert_eq!(got, [(refused.0, refused.1.to_owned())], "{chunks:?}");
        }
    }
    // Request lines.
    for line in [
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET /\tHTTP/1.1",
        "GET / HTTP/1.2",
        "GET / HTTP/2.0",
        "GET / HTTP/0.9",
        "GET / http/1.1",
        "GET /",
        "GET",
        "GET / HTTP/1.1\0",
        "GET /\0 HTTP/1.1",
        "GET / /x HTTP/1.1",
        "G\0T / HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET /\u{7f} HTTP/1.1",
    ] {
        let answers = case.raw(format!("{line}\r\nHost: {host}\r\nConnection: close\r\n\r\n{smuggled}").as_bytes());
        assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [400], "{line:?}");
    }
    case.end();
}

#[test]
fn a39_no_request_leads_to_another_host() {
    let case = Case::new("A39");
    let token = case.token(&["demo"], &["upload", "read"]);
    let bearer = format!("Bearer {token}");
    for host in
        ["169.254.169.254", "metadata.google.internal", "127.0.0.1:1", "[::1]:1", "evil.test", "0.0.0.0", "localhost"]
    {
        let absolute = format!("GET http://{host}/ HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", case.host);
        let answers = case.raw(absolute.as_bytes());
        let refused: Vec<_> = answers.iter().map(|answer| (answer.status, answer.code())).collect();
        assert_eq!(refused, [(400, "-".to_owned())], "{host}");
        for (target, status, code) in [
            (format!("/v1/relay/http://{host}/"), 404, "not_found"),
            (format!("/v1/relay/{host}/vaults"), 404, "not_found"),
            (format!("/v1/relay?url=http://{host}/"), 404, "not_found"),
        ] {
            let request = Request::get(&target).header("authorization", &bearer);
            case.refused(&request, status, code);
        }
        for name in ["x-forwarded-host", "x-original-host", "x-upstream", "forwarded", "x-amz-target"] {
            let answer = case.send(&case.sign(&token, batch(&[list_parts("demo")])).header(name, host));
            assert!(
                answer.status == 200
                    && answer.json()["requests"][0]["url"].as_str().unwrap().starts_with("/123456789012/"),
                "{answer:?}"
            );
        }
        // No account is named like that, so this is a file of the page, and there is none.
        let account = case.store("GET", &format!("/{host}/vaults")).request();
        case.refused(&account, 404, "-");
    }
    case.end();
}

#[test]
fn a40_what_a_client_adds_goes_nowhere() {
    let case = Case::new("A40");
    let token = case.token(&["demo"], &["upload"]);
    for (name, value) in [
        ("cookie", "planted=1"),
        ("proxy-authorization", "Basic planted"),
        ("x-amz-security-token", "planted"),
        ("x-amz-meta-a", "planted"),
        ("te", "trailers"),
        ("expect", "100-continue"),
        ("upgrade", "websocket"),
        ("trailer", "x-planted"),
        ("set-cookie", "planted=1"),
        ("location", "http://planted/"),
        ("access-control-allow-origin", "*"),
        ("x-amz-content-sha256", "planted"),
        ("keep-alive", "planted"),
    ] {
        let answer = case.send(&case.sign(&token, batch(&[list_parts("demo")])).header(name, value));
        assert!(answer.status == 200 && !answer.text.contains("planted"), "{name}: {answer:?}");
        for absent in ["set-cookie", "location", "access-control-allow-origin", "server", "x-powered-by", "upgrade"] {
            assert_eq!(answer.header(absent), "", "{name}");
        }
    }
    // What is said to be of the connection is signed all the same.
    for name in ["x-amz-content-sha256", "host", "authorization", "x-amz-date"] {
        let mut request = case.upload("demo", b"kept").but(|signed| signed.payload = Some("0".repeat(64))).request();
        request = request.header("connection", &format!("close, {name}"));
        case.refused(&request, 403, "InvalidSignatureException");
    }
    assert!(!case.log().contains("planted"));
    case.end();
}

#[test]
fn a58_there_are_six_methods() {
    let case = Case::new("A58");
    let host = case.host.clone();
    for method in [
        "TRACE",
        "TRACK",
        "DEBUG",
        "PATCH",
        "PROPFIND",
        "PROPPATCH",
        "MKCOL",
        "COPY",
        "MOVE",
        "LOCK",
        "UNLOCK",
        "SEARCH",
        "LINK",
        "PURGE",
        "get",
        "Post",
        "X",
        &"M".repeat(1000),
    ] {
        for target in ["/", "/v1/sign", "/-/vaults/demo"] {
            let answer = case.refused(&Request::new(method, target).header("max-forwards", "0"), 405, "-");
            assert_eq!(answer.header("allow"), "GET, HEAD, POST, PUT, DELETE, OPTIONS");
            assert!(!answer.text.contains("max-forwards"), "nothing is echoed");
        }
    }
    case.refused(&Request::new(&"M".repeat(8 << 10), "/"), 405, "-");
    for (line, status) in [
        (format!("CONNECT {host} HTTP/1.1"), 405),
        ("CONNECT evil.test:443 HTTP/1.1".to_owned(), 400),
        ("OPTIONS * HTTP/1.1".to_owned(), 400),
        ("GET * HTTP/1.1".to_owned(), 400),
        ("GET v1/sign HTTP/1.1".to_owned(), 400),
    ] {
        let answers = case.raw(format!("{line}\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes());
        assert_eq!((answers.len(), answers[0].status), (1, status), "{line}: {answers:?}");
    }
    case.end();
}

#[test]
fn a59_nothing_about_the_inside_is_shown_outside() {
    let case = Case::new("A59");
    for path in [
        "/metrics",
        "/debug",
        "/debug/pprof",
        "/debug/vars",
        "/profile",
        "/server-status",
        "/status",
        "/env",
        "/actuator",
        "/actuator/env",
        "/admin",
        "/config",
        "/v1/metrics",
        "/v1/debug",
        "/v1/config",
        "/v1/tokens",
        "/v1/keys",
        "/bench/sink",
        "/bench/file",
        "/.well-known/openid-configuration",
        "/trace",
        "/info",
    ] {
        let (got, headed) = (case.send(&Request::get(path)).status, case.send(&Request::new("HEAD", path)).status);
        if cfg!(feature = "bench-sink") && path.starts_with("/bench/") {
            continue; // There when all features are built, to measure by: never in a server that others can reach.
        }
        assert_eq!(got, 404, "{path}");
        let head = if path.starts_with("/v1") { 405 } else { 404 };
        assert_eq!(headed, head, "{path}");
    }
    let health = case.send(&Request::get("/healthz"));
    assert_eq!(health.body, br#"{"status":"ok"}"#);
    assert_eq!(health.header("server"), "");
    case.end();
}
