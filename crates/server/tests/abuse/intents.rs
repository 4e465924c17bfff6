//! What may be asked to be signed: intents, and nothing else.

use serde_json::json;

use crate::case::{Case, batch, list_parts};
use crate::wire::{Request, exchange};

const HASH: &str = "9bc1b2a288b26af7257a36277ae3816a7d4f16e89c1e7e77d0a5c48bad62b360";

#[test]
fn a06_strings_are_not_signed() {
    let case = Case::new("A06");
    let token = case.token(&["demo"], &["upload", "read", "delete", "admin"]);
    let text = "AWS4-HMAC-SHA256\n20270115T080000Z\n20270115/us-east-1/s3/aws4_request\nabc";
    for name in [
        "to_sign",
        "toSign",
        "string_to_sign",
        "stringToSign",
        "StringToSign",
        "canonical_request",
        "canonicalRequest",
        "headers",
        "datetime",
        "policy",
        "signature",
        "payload",
        "request",
        "data",
        "content",
        "hash",
    ] {
        for body in [
            json!({ name: text }),
            json!({ "intents": [list_parts("demo")], name: text }),
            json!({ "intents": [{ name: text }] }),
        ] {
            case.refused(&case.sign(&token, body.to_string()), 422, "invalid_request");
        }
    }
    for path in [
        "/v1/sign?to_sign=x",
        "/sign",
        "/sign_auth",
        "/signv4_auth",
        "/v1/signature",
        "/v1/sign/string",
        "/s3/sign",
        "/s3/sts",
        "/s3/params",
        "/v1/presign",
        "/sts",
    ] {
        let request = Request::post(path).json(text).header("authorization", &format!("Bearer {token}"));
        let (status, code) = match path {
            "/v1/sign?to_sign=x" => (400, "malformed_json"),
            path if path.starts_with("/v1") => (404, "not_found"),
            // Files, which can only be got.
            _ => (405, "-"),
        };
        case.refused(&request, status, code);
    }
    case.end();
}

#[test]
fn a07_host_path_method_region_service_and_date_are_the_servers() {
    let case = Case::new("A07");
    let token = case.token(&["demo"], &["upload"]);
    for (name, value) in [
        ("host", json!("evil.test")),
        ("url", json!("https://evil.test/")),
        ("path", json!("/123456789012/vaults/films")),
        ("method", json!("DELETE")),
        ("region", json!("eu-west-1")),
        ("service", json!("s3")),
        ("date", json!("20300101T000000Z")),
        ("headers", json!({ "x-amz-date": "20300101T000000Z" })),
        ("query", json!("X-Amz-Expires=604800")),
        ("expires", json!(604_800)),
        ("account", json!("210987654321")),
        ("accountId", json!("210987654321")),
        ("bucket", json!("evil")),
        ("key", json!("../../secret")),
        ("x-amz-date", json!("20300101T000000Z")),
        ("__proto__", json!({ "host": "evil.test" })),
    ] {
        let mut inside = list_parts("demo");
        inside[name] = value.clone();
        case.refused(&case.sign(&token, batch(&[inside])), 422, "invalid_request");
        let outside = json!({ "intents": [list_parts("demo")], name: value });
        case.refused(&case.sign(&token, outside.to_string()), 422, "invalid_request");
    }
    // What stands in the head or the query changes nothing of what is signed.
    let plain = signed_scope(&case, case.sign(&token, batch(&[list_parts("demo")])));
    let mut by_query = case.sign(&token, batch(&[list_parts("demo")]));
    by_query.target = "/v1/sign?X-Amz-Date=20300101T000000Z&region=eu-west-1&host=evil.test".into();
    let by_head = case
        .sign(&token, batch(&[list_parts("demo")]))
        .header("x-amz-date", "20300101T000000Z")
        .header("x-forwarded-host", "evil.test")
        .header("x-original-url", "/123456789012/vaults/films")
        .header("x-rewrite-url", "/123456789012/vaults/films");
    for request in [by_query, by_head] {
        assert_eq!(signed_scope(&case, request), plain);
    }
    case.end();
}

/// URL, day, region and service of what was signed, and that the store takes it for the intent.
fn signed_scope(case: &Case, request: Request) -> (String, String) {
    let answer = case.send(&request);
    assert_eq!(answer.status, 200, "{answer:?}");
    let signed = answer.json()["requests"][0].clone();
    let authorization = signed["headers"]["authorization"].as_str().unwrap();
    let scope = authorization.split(['/', ',']).skip(1).take(4).collect::<Vec<_>>().join("/");
    assert!(scope.ends_with("/us-east-1/glacier/aws4_request"), "{scope}");
    (signed["url"].as_str().unwrap().to_owned(), scope)
}

#[test]
fn a08_only_the_method_of_the_request_line_counts() {
    let case = Case::new("A08");
    let token = case.token(&["demo"], &["upload"]);
    let bearer = format!("Bearer {token}");
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let answer = case.send(&Request::new(method, "/v1/sign").header("authorization", &bearer));
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), "POST");
    }
    for path in ["/v1/events?vault=demo", "/v1/dev-token"] {
        assert_eq!(case.send(&Request::new("HEAD", path).header("authorization", &bearer)).status, 405, "{path}");
    }
    // HEAD and OPTIONS of what the store answers need no less of a signature, and are no operation.
    for path in ["/-/vaults", "/-/vaults/demo", "/-/vaults/demo/jobs/j/output"] {
        assert_eq!(case.send(&Request::new("HEAD", path)).status, 400, "{path}");
        assert_eq!(case.send(&case.store("HEAD", path).request()).status, 400, "{path}");
    }
    for header in ["x-http-method-override", "x-http-method", "x-method-override", "_method"] {
        let request = case.sign(&token, batch(&[list_parts("demo")])).header(header, "DELETE");
        assert_eq!(case.send(&request).status, 200, "{header} counts for nothing");
        case.refused(
            &Request::get("/v1/sign").header(header, "POST").header("authorization", &bearer),
            405,
            "method_not_allowed",
        );
        let vault = case.store("GET", "/-/vaults/demo").request().header(header, "DELETE");
        assert_eq!(case.send(&vault).status, 200, "{header}");
    }
    for target in ["/v1/sign?_method=DELETE", "/v1/sign?method=GET"] {
        let mut request = case.sign(&token, batch(&[list_parts("demo")]));
        request.target = target.into();
        assert_eq!(case.send(&request).status, 200, "{target}");
    }
    case.end();
}

#[test]
fn a21_there_is_no_part_after_the_ten_thousandth() {
    let case = Case::new("A21");
    let token = case.token(&["demo"], &["upload"]);
    let last = 10_000_u64 << 20;
    let part = |first: u64| {
        json!({
            "op": "UploadMultipartPart", "vault": "demo", "uploadId": "u", "range": format!("{first}-{first}"),
            "payloadHash": HASH, "treeHash": HASH,
        })
    };
    // By the token's limit the gateway refuses what would be larger than any archive it lets begin.
    for first in [64 << 20, last, last + 1, 10_000 << 32, 1 << 62] {
        case.refused(&case.sign(&token, batch(&[part(first)])), 403, "limit_exceeded");
    }
    let upload = case.initiate("demo");
    case.settle();
    for (first, status) in [(last, 400), (last + (1 << 20), 400), (1 << 52, 400), (u64::MAX - (1 << 20) + 1, 400)] {
        let target = format!("/-/vaults/demo/multipart-uploads/{upload}");
        let request = case
            .store("PUT", &target)
            .with("content-range", &format!("bytes {first}-{first}/*"))
            .with("x-amz-sha256-tree-hash", HASH)
            .body("x");
        case.refused(&request.request(), status, "InvalidParameterValueException");
    }
    case.end();
}

#[test]
fn a22_illegal_part_sizes_never_begin_an_upload() {
    let case = Case::new("A22");
    let token = case.token(&["demo"], &["upload"]);
    for size in [
        "0",
        "1",
        "1048575",
        "1048577",
        "3145728",
        "8589934592",
        "-1048576",
        "1048576.5",
        "1e6",
        "\"1048576\"",
        "null",
        "4294967297",
    ] {
        let body =
            format!(r#"{{"intents":[{{"op":"InitiateMultipartUpload","vault":"demo","partSize":{size},"size":1}}]}}"#);
        case.refused(&case.sign(&token, body), 422, "invalid_request");
        let direct =
            case.store("POST", "/-/vaults/demo/multipart-uploads").with("x-amz-part-size", size.trim_matches('"'));
        if size != "\"1048576\"" {
            case.refused(&direct.request(), 400, "InvalidParameterValueException");
        }
    }
    // More than 10,000 parts, and more than any archive.
    let mut claims = case.keys.claims(&["demo"], &["upload"]);
    claims["maxArchiveBytes"] = u64::MAX.into();
    let token = case.keys.token(&claims);
    for (size, part_size) in [((10_000_u64 << 20) + 1, 1_u64 << 20), (42_949_672_960_001, 1 << 32), (u64::MAX, 1 << 32)]
    {
        let intent = json!({ "op": "InitiateMultipartUpload", "vault": "demo", "partSize": part_size, "size": size });
        case.refused(&case.sign(&token, batch(&[intent])), 422, "invalid_request");
    }
    case.end();
}

#[test]
fn a23_hostile_json_is_refused_without_being_kept() {
    let case = Case::new("A23");
    let token = case.token(&["demo"], &["upload"]);
    let list = list_parts("demo").to_string();
    let in_batch = |intent: &str| format!(r#"{{"intents":[{intent}]}}"#).into_bytes();
    let spaces = [b"{\"intents\":[".as_slice(), " ".repeat(256 << 10).as_bytes(), b"]}"].concat();
    let hostile = [
        (spaces, 413, "too_large"),
        (vec![b'['; 100_000], 422, "invalid_request"),
        (vec![b'{'; 100_000], 400, "malformed_json"),
        (in_batch(&"[".repeat(100_000)), 422, "invalid_request"),
        (in_batch(&format!(r#"{{"op":{}"#, "[".repeat(100_000))), 422, "invalid_request"),
        (in_batch(&list.replace("\"u\"", &"9".repeat(200_000))), 400, "malformed_json"),
        (in_batch(&list.replace("\"u\"", "1e999999")), 400, "malformed_json"),
        (in_batch(&list.replace("\"u\"", "-0")), 422, "invalid_request"),
        (in_batch(&list.replace("\"u\"", "NaN")), 400, "malformed_json"),
        (in_batch(&list.replace("\"u\"", "[\"u\"]")), 422, "invalid_request"),
        (in_batch(&list.replace("\"u\"", "{\"$ne\":null}")), 422, "invalid_request"),
        (in_batch(&list.replace("\"u\"", "true")), 422, "invalid_request"),
        (in_batch(&list.replace("\"u\"", r#""\ud800""#)), 400, "malformed_json"),
        (in_batch(&list.replace("\"u\"", r#""\u0000""#)), 422, "invalid_request"),
        (in_batch(&list.replace("\"u\"", "\"a\u{0}b\"")), 400, "malformed_json"),
        ([b"{\"intents\":[{\"op\":\"".as_slice(), &[0xff, 0xfe], b"\"}]}"].concat(), 400, "malformed_json"),
        ([b"\xef\xbb\xbf".as_slice(), &in_batch(&list)].concat(), 400, "malformed_json"),
        (in_batch(&list.replacen('{', r#"{"op":"AbortMultipartUpload","#, 1)), 422, "invalid_request"),
        (in_batch(&list.replacen('{', r#"{"vault":"films","#, 1)), 422, "invalid_request"),
        (in_batch(&list.replacen('{', r#"{"canary":1,"#, 1)), 422, "invalid_request"),
        (in_batch(&format!("{list},")), 400, "malformed_json"),
        (in_batch(&format!("/*c*/{list}")), 400, "malformed_json"),
        ([in_batch(&list), b"{}".to_vec()].concat(), 400, "malformed_json"),
        (Vec::new(), 400, "malformed_json"),
        (b"null".to_vec(), 422, "invalid_request"),
        (b"\"intents\"".to_vec(), 422, "invalid_request"),
        (b"{\"intents\":{}}".to_vec(), 422, "invalid_request"),
        (b"{\"intents\":[]}".to_vec(), 422, "invalid_request"),
        (b"{\"intents\":[null]}".to_vec(), 422, "invalid_request"),
        (b"{\"INTENTS\":[]}".to_vec(), 422, "invalid_request"),
        (b"intents[0][op]=ListParts".to_vec(), 400, "malformed_json"),
    ];
    // What a first request of its kind leaves is the server's own: its threads and their buffers.
    for (body, ..) in &hostile {
        exchange(&case.host, &case.sign(&token, body.clone()).bytes(&case.host));
    }
    let memory = resident_kib(&case);
    for (body, status, code) in &hostile {
        let before = busy_ms(&case);
        let answer = case.refused(&case.sign(&token, body.clone()), *status, code);
        // Of the processor, however long others make us wait for it.
        let busy = busy_ms(&case) - before;
        assert!(busy < 50, "{busy} ms for {answer:?}");
    }
    let grown = resident_kib(&case).saturating_sub(memory);
    assert!(grown < 2 << 10, "{grown} KiB more");
    // The store reads 64 KiB, and nothing of a body that is said to be longer.
    let job = |len: usize| case.store("POST", "/-/vaults/demo/jobs").body(vec![b' '; len]).request();
    case.refused(&job(64 << 10), 400, "SerializationException");
    case.refused(&job((64 << 10) + 1), 400, "InvalidParameterValueException");
    case.end();
}

/// Milliseconds of a processor that the server has used.
fn busy_ms(case: &Case) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", case.pid())).unwrap();
    // After the name, which may have blanks, the 12th and 13th: hundredths of a second, for itself and in the system.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    10 * (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap())
}

fn resident_kib(case: &Case) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", case.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a61_a_name_comes_once() {
    let case = Case::new("A61");
    let upload = case.initiate("demo");
    case.settle();
    let bearer = format!("Bearer {}", case.token(&["demo"], &["upload", "read"]));
    for target in [
        "/v1/events?vault[]=demo",
        "/v1/events?vault[0]=demo",
        "/v1/events?vault=demo,films",
        "/v1/events?vault=demo&x=1",
        "/v1/events?vault=",
        "/v1/events?",
        "/v1/events",
    ] {
        case.refused(&Request::get(target).header("authorization", &bearer), 422, "invalid_request");
    }
    // Several vaults are the contract's own form of a list, and each has to be allowed.
    for target in ["/v1/events?vault=demo&vault=films", "/v1/events?vault=films&vault=demo"] {
        case.refused(&Request::get(target).header("authorization", &bearer), 403, "operation_denied");
    }
    let uploads = "/-/vaults/demo/multipart-uploads";
    for target in [
        format!("{uploads}?limit=1&limit=2"),
        format!("{uploads}?limit=2&marker=&marker="),
        format!("{uploads}/{upload}?limit=1&limit=1"),
        format!("{uploads}/{upload}?marker=a&marker=b"),
        "/-/vaults?limit=1&limit=2".to_owned(),
        "/-/vaults/demo/jobs?completed=false&completed=true".to_owned(),
        "/-/vaults/demo/tags?operation=add&operation=remove".to_owned(),
    ] {
        let method = if target.contains("/tags") { "POST" } else { "GET" };
        case.refused(&case.store(method, &target).request(), 400, "InvalidParameterValueException");
    }
    case.end();
}
