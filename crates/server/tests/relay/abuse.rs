//! What a page may try at the relay, beside what every request to the gateway is tried with.

use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use glacier_core::PayloadHash;
use glacier_core::sigv4::{self, CanonicalRequest, PathForm, Timestamp};
use glacier_upload_server::relay::own_signature;
use glacier_upload_server::token::TokenKey;
use serde_json::{Value, json};

use crate::aws::{Aws, End, Fault};
use crate::gateway::{Answer, Gateway, TOKEN_KEY, VAULT, head_of, read_answer, request};

const MIB: usize = 1 << 20;

fn part() -> Vec<u8> {
    (0..MIB).map(|at| u8::try_from(at % 241).unwrap()).collect()
}

fn with_header(signed: &Value, name: &str, value: Option<&str>) -> Value {
    let mut signed = signed.clone();
    let headers = signed["headers"].as_object_mut().unwrap();
    match value {
        Some(value) => headers.insert(name.to_owned(), value.into()),
        None => headers.remove(name),
    };
    signed
}

/// A request signed as gateways sign to themselves, of anything, at any time.
fn forged(gateway: &Gateway, path: &str, at: u64) -> Value {
    let (credentials, scope) = own_signature(&TokenKey::from_text(TOKEN_KEY).unwrap(), "us-east-1");
    let (date, hash) = (Timestamp::from_unix(at).to_string(), PayloadHash::of(b"").to_string());
    let headers = [
        ("host", gateway.host.as_str()),
        ("x-amz-content-sha256", &hash),
        ("x-amz-date", &date),
        ("x-amz-glacier-version", "2012-06-01"),
    ];
    let canonical = CanonicalRequest {
        method: "GET",
        path,
        path_form: PathForm::Normalized,
        query: "",
        headers: &headers,
        payload_hash: &hash,
    };
    let authorization = sigv4::sign(&canonical, &credentials, &scope, Timestamp::from_unix(at));
    json!({ "method": "GET", "url": path, "headers": {
        "authorization": authorization, "x-amz-content-sha256": hash, "x-amz-date": date,
        "x-amz-glacier-version": "2012-06-01",
    } })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn send(gateway: &Gateway, signed: &Value, body: &[u8]) -> Answer {
    gateway.exchange(&head_of(signed, &gateway.host, Some(body.len())), body)
}

#[test]
fn only_what_a_gateway_signed_is_passed_on() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let signed = gateway.sign(&json!({ "op": "DescribeVault", "vault": VAULT }));
    assert_eq!(send(&gateway, &signed, b"").status, 200);
    aws.seen();
    let authorization = signed["headers"]["authorization"].as_str().unwrap();
    let unknown_key = authorization.replace("GATEWAYRELAY", crate::aws::KEY_ID);
    let of_glacier = authorization.replace("/glacier-relay/", "/glacier/");
    let mut other_path = signed.clone();
    other_path["url"] = "/v1/relay/123456789012/vaults/other".into();
    let mut other_method = signed.clone();
    other_method["method"] = "DELETE".into();
    let mut other_query = signed.clone();
    other_query["url"] = format!("{}?x=1", signed["url"].as_str().unwrap()).into();
    let mut presigned = signed.clone();
    presigned["url"] = format!("{}?X-Amz-Signature=0", signed["url"].as_str().unwrap()).into();
    let empty = PayloadHash::of(b"").to_string();
    for (request, status, code) in [
        (with_header(&signed, "authorization", None), 400, "MissingAuthenticationTokenException"),
        (with_header(&signed, "authorization", Some("Bearer x")), 403, "InvalidSignatureException"),
        (with_header(&signed, "authorization", Some(&unknown_key)), 400, "UnrecognizedClientException"),
        (with_header(&signed, "authorization", Some(&of_glacier)), 403, "InvalidSignatureException"),
        (with_header(&signed, "x-amz-date", None), 403, "InvalidSignatureException"),
        (with_header(&signed, "x-amz-content-sha256", None), 400, "InvalidParameterValueException"),
        (with_header(&signed, "x-amz-content-sha256", Some("UNSIGNED-PAYLOAD")), 400, "InvalidParameterValueException"),
        (
            with_header(&signed, "x-amz-content-sha256", Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")),
            400,
            "InvalidParameterValueException",
        ),
        (
            with_header(&signed, "x-amz-content-sha256", Some(&empty.replace('e', "0"))),
            403,
            "InvalidSignatureException",
        ),
        (with_header(&signed, "x-amz-archive-description", Some("unsigned")), 403, "InvalidSignatureException"),
        (other_path, 403, "InvalidSignatureException"),
        (other_method, 403, "InvalidSignatureException"),
        (other_query, 403, "InvalidSignatureException"),
        (presigned, 403, "InvalidSignatureException"),
    ] {
        assert_eq!(send(&gateway, &request, b"").refusal(), (status, code.to_owned()), "{request}");
    }
    assert!(aws.seen().is_empty());
}

#[test]
fn paths_that_mean_another_are_refused_even_when_signed() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let plain = format!("/v1/relay/-/vaults/{VAULT}");
    assert_eq!(send(&gateway, &forged(&gateway, &plain, now()), b"").status, 200);
    let other_account = forged(&gateway, "/v1/relay/999999999999/vaults/demo", now());
    assert_eq!(send(&gateway, &other_account, b"").refusal(), (403, "AccessDeniedException".to_owned()));
    aws.seen();
    for path in [
        "/v1/relay/-/vaults/x/../demo",
        "/v1/relay//-/vaults/demo",
        "/v1/relay/-/vaults/./demo",
        "/v1/relay/-/vaults/demo/",
        "/v1/relay/-/vaults/%64emo",
        "/v1/relay/-/vaults/de%2Fmo",
        "/v1/relay/169.254.169.254/vaults/demo",
        "/v1/relay/-@169.254.169.254/vaults",
        "/v1/relay/http:/169.254.169.254/latest",
        "/v1/relay/../relay/-/vaults/demo",
    ] {
        let answer = send(&gateway, &forged(&gateway, path, now()), b"");
        assert!([400, 403, 404].contains(&answer.status), "{path}: {answer:?}");
    }
    assert!(aws.seen().is_empty());
}

#[test]
fn a_signature_lasts_five_minutes() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let path = format!("/v1/relay/-/vaults/{VAULT}");
    assert_eq!(send(&gateway, &forged(&gateway, &path, now() - 290), b"").status, 200);
    for (at, words) in [(now() - 310, "Signature expired"), (now() + 310, "Signature not yet current")] {
        let answer = send(&gateway, &forged(&gateway, &path, at), b"");
        assert_eq!(answer.refusal(), (403, "InvalidSignatureException".to_owned()));
        assert!(answer.json()["message"].as_str().unwrap().starts_with(words));
    }
}

#[test]
fn a_part_is_as_long_as_its_range() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let bytes = part();
    let signed = gateway.sign_part(&gateway.initiate(MIB), 0, &bytes);
    aws.seen();
    // Longer and shorter by what is declared.
    for len in [0, 1, MIB - 1, MIB + 1, 3 * MIB] {
        let answer = gateway.exchange(&head_of(&signed, &gateway.host, Some(len)), &vec![7; len]);
        assert_eq!(answer.refusal(), (400, "InvalidParameterValueException".to_owned()), "{len}");
    }
    // No length at all.
    let chunked = with_header(&signed, "transfer-encoding", Some("chunked"));
    let answer = gateway.exchange(&head_of(&chunked, &gateway.host, None), b"5\r\nhello\r\n0\r\n\r\n");
    assert_eq!(answer.refusal(), (411, "length_required".to_owned()));
    // More than declared: what follows the part is another request, and no good one.
    let mut longer = bytes.clone();
    longer.extend_from_slice(&bytes);
    let answer = gateway.exchange(&head_of(&signed, &gateway.host, Some(MIB)), &longer);
    assert_eq!(answer.status, 204);
    let seen = aws.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].received.load(Ordering::Relaxed), MIB as u64);
    // Less than declared, and then nothing: the store never has a whole part.
    let mut stream = gateway.connect();
    stream.write_all(head_of(&signed, &gateway.host, Some(MIB)).as_bytes()).unwrap();
    stream.write_all(&bytes[..MIB / 2]).unwrap();
    let seen = aws.next();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_ne!(seen.end(), End::Whole);
}

#[test]
fn what_is_no_part_has_a_short_body() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let signed = gateway.sign(&json!({ "op": "CreateVault", "vault": VAULT }));
    let answer = gateway.exchange(&head_of(&signed, &gateway.host, Some(1 << 30)), b"");
    assert_eq!(answer.refusal(), (413, "too_large".to_owned()));
    let refused = send(&gateway, &signed, b"other bytes than were signed");
    assert_eq!(refused.refusal(), (403, "InvalidSignatureException".to_owned()));
}

#[test]
fn a_captured_part_is_good_for_its_bytes_and_its_place_only() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let bytes = part();
    let (first, second) = (gateway.initiate(2 * MIB), gateway.initiate(2 * MIB));
    let signed = gateway.sign_part(&first, 0, &bytes);
    for _ in 0..2 {
        assert_eq!(send(&gateway, &signed, &bytes).status, 204);
    }
    let mut other = bytes.clone();
    other[MIB / 2] ^= 1;
    let answer = send(&gateway, &signed, &other);
    assert!([400, 403].contains(&answer.status), "{answer:?}");
    let mut other_upload = signed.clone();
    other_upload["url"] = signed["url"].as_str().unwrap().replace(&first, &second).into();
    assert_eq!(send(&gateway, &other_upload, &bytes).refusal(), (403, "InvalidSignatureException".to_owned()));
    let other_range = with_header(&signed, "content-range", Some("bytes 1048576-2097151/*"));
    assert_eq!(send(&gateway, &other_range, &bytes).refusal(), (403, "InvalidSignatureException".to_owned()));
    let list = gateway.carry_out(&json!({ "op": "ListParts", "vault": VAULT, "uploadId": first }), b"").json();
    assert_eq!(list["Parts"].as_array().unwrap().len(), 1);
}

#[test]
fn requests_that_could_be_read_in_two_ways_are_not_passed_on() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let bytes = part();
    let signed = gateway.sign_part(&gateway.initiate(MIB), 0, &bytes);
    let head = head_of(&signed, &gateway.host, Some(MIB));
    aws.seen();
    let length = format!("content-length: {MIB}\r\n");
    for other in [
        format!("{length}transfer-encoding: chunked\r\n"),
        format!("{length}{length}"),
        format!("content-length: +{MIB}\r\n"),
        "transfer-encoding: chunked, identity\r\n".to_owned(),
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n".to_owned(),
        format!("{length}x-folded: a\r\n b\r\n"),
        length.replace("\r\n", "\n"),
    ] {
        let answer = gateway.exchange(&head.replace(&length, &other), &bytes);
        assert!([400, 411].contains(&answer.status), "{other:?}: {answer:?}");
        let text = String::from_utf8_lossy(&answer.body);
        assert!(!text.contains("HTTP/1.1"), "two answers: {text}");
    }
    assert!(aws.seen().is_empty());
}

#[test]
fn nothing_but_the_configured_store_is_called() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let target = elsewhere.local_addr().unwrap().to_string();
    let describe = gateway.sign(&json!({ "op": "DescribeVault", "vault": VAULT }));
    let with = |name: &str| with_header(&describe, name, Some(&target));
    for signed in [with("x-forwarded-host"), with("forwarded"), with("x-original-url"), with("x-host")] {
        assert_eq!(send(&gateway, &signed, b"").status, 200);
    }
    // The absolute form is taken for our own host, and for no other.
    let absolute = |host: &str| {
        let mut signed = describe.clone();
        signed["url"] = format!("http://{host}{}", describe["url"].as_str().unwrap()).into();
        gateway.exchange(&head_of(&signed, &gateway.host, Some(0)), b"").status
    };
    assert_eq!((absolute(&gateway.host), absolute(&target)), (200, 400));
    for location in
        [format!("http://{target}/"), "http://169.254.169.254/latest/meta-data/".to_owned(), "/other".into()]
    {
        aws.fault(Fault::Redirects(location));
        let answer = send(&gateway, &describe, b"");
        assert_eq!(answer.refusal(), (502, "store_unreachable".to_owned()));
        assert_eq!(answer.header("location"), None);
    }
    assert!(elsewhere.accept().is_err(), "somebody was called");
    let port = aws.address.port();
    let log = gateway.log();
    let dialled: Vec<&str> = log.lines().filter(|line| line.contains("\"dialling\"")).collect();
    assert!(!dialled.is_empty());
    let is_the_store =
        |line: &&str| line.contains("\"host\":\"localhost\"") && line.contains(&format!("\"port\":{port}"));
    assert!(dialled.iter().all(is_the_store), "{dialled:?}");
}

#[test]
fn headers_pass_by_a_list_each_way() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let bytes = part();
    let mut signed = gateway.sign_part(&gateway.initiate(MIB), 0, &bytes);
    aws.seen();
    for (name, value) in [
        ("cookie", "session=1"),
        ("content-type", "text/plain"),
        ("range", "bytes=0-1"),
        ("te", "trailers"),
        ("user-agent", "a browser"),
        ("referer", "https://app.example.com/secret"),
        ("x-forwarded-for", "10.0.0.1"),
        ("proxy-authorization", "Basic x"),
        ("expect", "100-continue"),
        ("if-none-match", "*"),
    ] {
        signed = with_header(&signed, name, Some(value));
    }
    // Naming a header in `connection` does not take it away from the signature's reach.
    let head = head_of(&signed, &gateway.host, Some(MIB))
        .replace("connection: close", "connection: close, x-amz-content-sha256");
    aws.fault(Fault::Says(vec![
        ("set-cookie", "store=1"),
        ("location", "https://elsewhere.example/"),
        ("access-control-allow-origin", "*"),
        ("access-control-allow-credentials", "true"),
        ("strict-transport-security", "max-age=0"),
        ("clear-site-data", "\"*\""),
        ("server", "a store"),
        ("x-amz-id-2", "internal"),
        ("refresh", "0; url=https://elsewhere.example/"),
        ("content-security-policy", "default-src *"),
    ]));
    let mut stream = gateway.connect();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&bytes).unwrap();
    let answer = read_answer(stream);
    let text = answer.head.rsplit("\r\n\r\n").next().unwrap().to_owned() + &String::from_utf8_lossy(&answer.body);
    assert!(text.contains("204"), "{text}");
    for name in [
        "set-cookie",
        "location:",
        "access-control",
        "strict-transport",
        "clear-site",
        "server:",
        "x-amz-id-2",
        "refresh:",
        "default-src *",
        "elsewhere",
    ] {
        assert!(!text.to_ascii_lowercase().contains(name), "{name}: {text}");
    }
    assert!(text.contains("x-amz-sha256-tree-hash") && text.contains("x-amzn-requestid"), "{text}");
    let seen = aws.next();
    let mut names: Vec<&str> = seen.head.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "authorization",
            "content-length",
            "content-range",
            "host",
            "x-amz-content-sha256",
            "x-amz-date",
            "x-amz-glacier-version",
            "x-amz-sha256-tree-hash",
        ]
    );
    assert_ne!(seen.header("authorization"), signed["headers"]["authorization"].as_str());
}

#[test]
fn without_a_glacier_elsewhere_there_is_no_relay() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let head = request("GET", "/123456789012/vaults/demo", &gateway.host, &[], None);
    assert_eq!(gateway.exchange(&head, b"").refusal(), (404, "not_found".to_owned()));
    for method in ["HEAD", "OPTIONS"] {
        let path = format!("/v1/relay/-/vaults/{VAULT}");
        let status = gateway.exchange(&request(method, &path, &gateway.host, &[], None), b"").status;
        assert!((400..500).contains(&status), "{method}: {status}");
    }
    assert!(aws.seen().is_empty());
}
