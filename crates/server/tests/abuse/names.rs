//! Names and texts that would like to be paths, headers, lines of a log or scripts.

use serde_json::json;

use crate::case::{Case, batch};
use crate::wire::Request;

const VALUE: &str = "InvalidParameterValueException";

/// As they stand in a path.
fn hostile() -> Vec<String> {
    [
        "..",
        ".",
        "%2e%2e",
        "%2E%2E",
        "%2e",
        ".%2e",
        "%2f",
        "a%2Fb",
        "%5c",
        "a%5Cb",
        "a\\b",
        "a%00",
        "%00",
        "a%0d%0ab",
        "a%0ab",
        "%c0%ae%c0%ae",
        "%e0%80%ae",
        "%252e%252e",
        "%25%32%65",
        "a%20b",
        "a+b",
        "CON%20",
        "a:b",
        "a*",
        "a?b=c%2F..",
        "a%E2%80%AEb",
        "%F0%9F%92%A9",
        "%C3%89",
        "~root",
        "$HOME",
        "`id`",
        "%24%28id%29",
        "a;b",
        "a|b",
        "%",
        "%zz",
        "%u002e",
        "a'b",
        "a%22b",
        "a<b",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(["v".repeat(257), "v".repeat(4000), "%2e%2e%2f".repeat(40)])
    .collect()
}

#[test]
fn a35_names_do_not_leave_their_folder() {
    let case = Case::new("A35");
    let archive = case.archive("demo", b"kept");
    case.settle();
    for name in hostile().iter().filter(|name| !name.contains('?')) {
        for (method, target) in [
            ("GET", format!("/-/vaults/{name}")),
            ("PUT", format!("/-/vaults/{name}")),
            ("DELETE", format!("/-/vaults/demo/archives/{name}")),
            ("GET", format!("/-/vaults/demo/jobs/{name}/output")),
            ("PUT", format!("/-/vaults/demo/multipart-uploads/{name}")),
        ] {
            let answers = case.raw(&case.store(method, &target).request().bytes(&case.host));
            assert_eq!((answers.len(), answers[0].status), (1, 400), "{method} {target}: {answers:?}");
        }
    }
    for target in [
        "/-/vaults//",
        "/-/vaults/demo/archives/",
        "/-//vaults",
        "//-/vaults",
        "/-/vaults/demo//archives",
        "/-/../-/vaults",
        "/-/vaults/demo/../films",
        "/./-/vaults",
        "/-/vaults/demo/archives/../../films",
    ] {
        // What does not begin with the account is a file of the page, which can only be got.
        let (got, deleted) = match target {
            "//-/vaults" | "/./-/vaults" => ((404, "-"), (405, "-")),
            "/-/vaults/demo/archives/" => ((400, "BadRequest"), (400, VALUE)),
            _ => ((400, "BadRequest"), (400, "BadRequest")),
        };
        for (method, (status, code)) in [("GET", got), ("DELETE", deleted)] {
            case.refused(&case.store(method, target).request(), status, code);
        }
    }
    // The page's folder.
    for target in [
        "/../outside.txt",
        "/%2e%2e/outside.txt",
        "/..%2foutside.txt",
        "/..%5coutside.txt",
        "/%2e%2e%2foutside.txt",
        "/....//outside.txt",
        "/..;/outside.txt",
        "/.%00/outside.txt",
        "/index.html%00.txt",
        "/%c0%ae%c0%ae/outside.txt",
        "/..%252foutside.txt",
        "/index.html/../../outside.txt",
        "//outside.txt",
        "/data/store-credentials",
        "/../data/token-key",
        "/..%2fdata%2fstore-credentials",
        "/.git/config",
        "/.env",
        "/C:/outside.txt",
        "/file:///etc/passwd",
        "/%2fetc%2fpasswd",
    ] {
        case.refused(&Request::get(target), 404, "-");
    }
    // Nor does a folder there lead to a host of its name.
    let folder = "elsewhere.example";
    std::fs::create_dir(case.folder.path().join("page").join(folder)).unwrap();
    assert_eq!(case.refused(&Request::get(&format!("/{folder}")), 307, "-").header("location"), format!("/{folder}/"));
    for slashes in ["//", "///", "//./"] {
        let answer = case.refused(&Request::get(&format!("{slashes}{folder}")), 404, "-");
        assert_eq!(answer.header("location"), "");
    }
    assert_eq!(case.retrieval("demo", &archive).len().min(1), 1);
    case.end();
}

#[test]
fn a36_what_is_checked_is_what_is_used() {
    let case = Case::new("A36");
    case.archive("films", b"theirs");
    case.settle();
    let token = case.token(&["demo"], &["upload", "read", "delete", "admin"]);
    for name in [
        "demo%2F..%2Ffilms",
        "demo%2f%2e%2e%2ffilms",
        "demo/../films",
        "demo%5C..%5Cfilms",
        "demo%00films",
        "demo%3B/../films",
        "..%2Ffilms",
        "%66ilms",
        "fil%6ds",
        "FILMS",
        "films%20",
        "films.",
        "films%2e",
        "demo%252F..%252Ffilms",
        "demo#films",
        "demo%23films",
        "demo?films",
        "demo%0afilms",
    ] {
        // Other letters and a dot more are names, of other vaults. What follows # and ? is no part of a path, so that
        // another path was signed. Slashes make another path, which is no operation.
        let (by_gateway, by_store) = match name {
            "FILMS" | "films." => ((403, "operation_denied"), (404, "ResourceNotFoundException")),
            "demo#films" | "demo?films" => ((422, "invalid_request"), (403, "InvalidSignatureException")),
            name if name.contains('/') => ((422, "invalid_request"), (400, "BadRequest")),
            _ => ((422, "invalid_request"), (400, VALUE)),
        };
        let intent = json!({ "op": "DeleteVault", "vault": name });
        case.refused(&case.sign(&token, batch(&[intent])), by_gateway.0, by_gateway.1);
        let describe = case.store("GET", &format!("/-/vaults/{name}")).request();
        case.refused(&describe, by_store.0, by_store.1);
    }
    // Which of the three routers answers is decided by the raw path as well.
    for (target, status, code) in [
        ("/%2D/vaults", 405, "-"),
        ("/v1%2Fsign", 405, "-"),
        ("/%76%31/sign", 405, "-"),
        ("/V1/sign", 405, "-"),
        ("/v1/%73ign", 404, "not_found"),
        ("/v1//sign", 404, "not_found"),
        ("/v1/./sign", 404, "not_found"),
        ("/v1/sign/../events", 404, "not_found"),
    ] {
        let request = Request::post(target).json("{}").header("authorization", &format!("Bearer {token}"));
        case.refused(&request, status, code);
    }
    case.end();
}

#[test]
fn a37_descriptions_are_no_headers() {
    let case = Case::new("A37");
    let long = "d".repeat(1025);
    let token = case.token(&["demo"], &["upload"]);
    for text in ["Ísland", "日本", &long, "a\u{202e}b", "a\u{7f}b", "\u{feff}x"] {
        let request = case.store("POST", "/-/vaults/demo/multipart-uploads");
        let request = request.with("x-amz-part-size", "1048576").with("x-amz-archive-description", text);
        let answers = case.raw(&request.request().bytes(&case.host));
        assert_eq!((answers.len(), answers[0].status), (1, 400), "{text:?}: {answers:?}");
        let request = case.upload("demo", b"kept").with("x-amz-archive-description", text);
        let answers = case.raw(&request.request().bytes(&case.host));
        assert_eq!((answers.len(), answers[0].status), (1, 400), "{text:?}: {answers:?}");
    }
    for text in [
        "a\r\nx-evil: 1",
        "a\r\n\r\nGET / HTTP/1.1\r\n",
        "a\nb",
        "a\rb",
        "a\0b",
        "a\u{1b}[31mb",
        "a\u{7f}b",
        "Ísland",
        &long,
    ] {
        let intent = json!({ "op": "InitiateMultipartUpload", "vault": "demo", "partSize": 1 << 20, "size": 1, "description": text });
        case.refused(&case.sign(&token, batch(&[intent])), 422, "invalid_request");
    }
    // Bytes of a header that is none.
    for bytes in [&b"a\0b"[..], b"a\x7fb", b"a\nb", b"a\rb", b"\xff\xfe", b"a\x1b[31mb"] {
        let mut request = b"POST /-/vaults/demo/multipart-uploads HTTP/1.1\r\nHost: ".to_vec();
        request.extend_from_slice(case.host.as_bytes());
        request.extend_from_slice(b"\r\nConnection: close\r\nContent-Length: 0\r\nx-amz-archive-description: ");
        request.extend_from_slice(bytes);
        request.extend_from_slice(b"\r\n\r\n");
        let answers = case.raw(&request);
        assert_eq!((answers.len(), answers[0].status), (1, 400), "{bytes:?}: {answers:?}");
    }
    // Two blanks are two blanks, though a signature sees one.
    let intent = json!({ "op": "InitiateMultipartUpload", "vault": "demo", "partSize": 1 << 20, "size": 1, "description": "two  blanks" });
    let answer = case.send(&case.sign(&token, batch(&[intent])));
    assert_eq!(answer.json()["requests"][0]["headers"]["x-amz-archive-description"], "two  blanks");
    case.end();
}

#[test]
fn a53_nothing_that_was_sent_comes_back_as_a_page() {
    let case = Case::new("A53");
    let script = "%3Cscript%3Ealert(1)%3C/script%3E";
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
    let archive = case.archive("demo", svg);
    let job = case.retrieval("demo", &archive);
    for target in [
        format!("/{script}"),
        format!("/v1/{script}"),
        format!("/v1/events?vault={script}"),
        format!("/-/vaults/{script}"),
        format!("/-/vaults/demo/jobs/{script}/output"),
        format!("/-/vaults?marker={script}&limit={script}"),
        "/-/vaults/javascript:alert(1)".to_owned(),
        "/<img%20src=x%20onerror=alert(1)>".to_owned(),
    ] {
        for request in [Request::get(&target), case.store("GET", &target).request()] {
            let answer = case.send(&request);
            let kind = answer.header("content-type");
            assert!(
                ["application/json", "text/plain; charset=utf-8", ""].contains(&kind.as_str()),
                "{target}: {answer:?}"
            );
            // What is no request has an answer without a body.
            assert!(answer.body.is_empty() || answer.header("x-content-type-options") == "nosniff", "{target}");
            assert!(!answer.text.contains("<script") && !answer.text.contains("<img"), "{target}: {answer:?}");
        }
    }
    let output = case.send(&case.store("GET", &format!("/-/vaults/demo/jobs/{job}/output")).request());
    assert_eq!(output.body, svg);
    assert_eq!(output.header("content-type"), "application/octet-stream");
    assert_eq!(output.header("x-content-type-options"), "nosniff");
    case.end();
}

#[test]
fn a65_a_log_has_one_line_an_event_whatever_was_sent() {
    let case = Case::new("A65");
    let token = case.token(&["demo"], &["upload"]);
    let texts = [
        "\u{1b}[2Jplanted",
        "planted\",\"level\":\"ERROR\",\"x\":\"",
        "planted%0d%0a{\"level\":\"ERROR\"}",
        "\u{9b}31mplanted",
        "=cmd|'planted'!A0",
        "${jndi:ldap://planted/}",
    ];
    for text in texts {
        let agent = Request::get("/v1/events")
            .header("user-agent", text)
            .header("referer", text)
            .header("x-forwarded-for", text);
        case.raw(&agent.bytes(&case.host));
        case.raw(&Request::get("/v1/x").header("authorization", &format!("Bearer {text}")).bytes(&case.host));
        let intent = json!({ "op": "InitiateMultipartUpload", "vault": "demo", "partSize": 1 << 20, "size": 1, "description": text });
        let answers = case.raw(&case.sign(&token, batch(&[intent])).bytes(&case.host));
        assert!(answers.len() == 1, "{text:?}");
        let path: String = text.chars().filter(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(*c)).collect();
        case.raw(&Request::get(&format!("/{path}")).bytes(&case.host));
    }
    assert!(!case.log().contains("planted"));
    for line in case.log().lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(event["level"] != "ERROR", "{line}");
        assert!(!line.chars().any(char::is_control), "{line}");
    }
    case.end();
}
