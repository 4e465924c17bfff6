//! AWS's signing test suite, every case of it, in the header and in the query. `tests/vectors/sigv4.json` says where it
//! is from. And S3's own examples of presigned URLs.
#![cfg(feature = "sigv4")]
#![expect(clippy::unwrap_used, reason = "tests")]

use glacier_core::sigv4::canonical_request::decode;
use glacier_core::sigv4::string_to_sign::string_to_sign;
use glacier_core::sigv4::{
    CanonicalRequest, Credentials, PathForm, S3, Scope, SecretKey, Timestamp, UNSIGNED_PAYLOAD, presign, sign,
};
use serde_json::Value;

const SUITE: &str = include_str!("../../../tests/vectors/sigv4.json");
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A case's request, with the headers to sign.
struct Case {
    name: String,
    method: String,
    path: String,
    path_form: PathForm,
    query: String,
    headers: Vec<(String, String)>,
    payload_hash: String,
    token: Option<String>,
    /// The token is sent, but only added after signing.
    omits_token: bool,
    expected: Value,
}

fn cases() -> Vec<Case> {
    let suite: Value = serde_json::from_str(SUITE).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let cases = suite["cases"].as_array().unwrap().iter().map(|case| {
        let mut headers: Vec<(String, String)> = Vec::new();
        for header in case["headers"].as_array().unwrap() {
            // What HTTP/1.1 once allowed, a value over several lines, is blanks to every parser today.
            headers.push((text(&header[0]).to_ascii_lowercase(), text(&header[1]).replace('\n', " ")));
        }
        let payload_hash = glacier_core::hex::encode(&glacier_core::sha256::digest(text(&case["body"]).as_bytes()));
        Case {
            name: text(&case["name"]),
            method: text(&case["method"]),
            // The suite's service encodes a path once, ours but S3 once more than it came: what came is decoded.
            path: String::from_utf8(decode(&text(&case["path"]))).unwrap(),
            // Services that do not normalise are those like S3.
            path_form: if case["normalize"] == true { PathForm::Normalized } else { PathForm::AsKey },
            query: text(&case["query"]),
            headers,
            payload_hash,
            token: case["token"].as_str().map(str::to_owned),
            omits_token: case["omitSessionToken"] == true,
            expected: case.clone(),
        }
    });
    cases.collect()
}

fn credentials(token: Option<String>) -> Credentials {
    Credentials {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into()),
        session_token: token,
    }
}

fn scope() -> Scope {
    Scope { region: "us-east-1".into(), service: "service" }
}

fn at() -> Timestamp {
    Timestamp::parse("20150830T123600Z").unwrap()
}

#[test]
fn the_aws_suite_signs_in_the_header() {
    let cases = cases();
    assert_eq!(cases.len(), 38);
    for case in cases {
        let mut headers = case.headers.clone();
        headers.push(("x-amz-date".into(), at().to_string()));
        if case.expected["signBody"] == true {
            headers.push(("x-amz-content-sha256".into(), case.payload_hash.clone()));
        }
        if let (Some(token), false) = (&case.token, case.omits_token) {
            headers.push(("x-amz-security-token".into(), token.clone()));
        }
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let request = CanonicalRequest {
            method: &case.method,
            path: &case.path,
            path_form: case.path_form,
            query: &case.query,
            headers: &headers,
            payload_hash: &case.payload_hash,
        };
        let expected = &case.expected["inHeader"];
        assert_eq!(request.text(), expected["canonicalRequest"], "{}", case.name);
        assert_eq!(string_to_sign(&request, &scope(), at()), expected["stringToSign"], "{}", case.name);
        let authorization = sign(&request, &credentials(case.token), &scope(), at());
        let signature = authorization.rsplit_once("Signature=").unwrap().1;
        assert_eq!(signature, expected["signature"], "{}", case.name);
    }
}

#[test]
fn the_aws_suite_signs_in_the_query() {
    for case in cases() {
        let headers: Vec<(&str, &str)> =
            case.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let token = if case.omits_token { None } else { case.token.clone() };
        let request = CanonicalRequest {
            method: &case.method,
            path: &case.path,
            path_form: case.path_form,
            query: &case.query,
            headers: &headers,
            payload_hash: &case.payload_hash,
        };
        let signed = presign(&request, &credentials(token), &scope(), at(), 3600);
        let (query, signature) = signed.rsplit_once("&X-Amz-Signature=").unwrap();
        let canonical = CanonicalRequest { query, ..request };
        let expected = &case.expected["inQuery"];
        assert_eq!(canonical.text(), expected["canonicalRequest"], "{}", case.name);
        assert_eq!(signature, expected["signature"], "{}", case.name);
    }
}

/// The GET of the S3 API reference, and a part as botocore 1.43 presigns it with its checksum.
#[test]
fn presigned_urls_of_s3_are_those_of_the_guide() {
    let credentials = Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
        secret_access_key: SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
        session_token: None,
    };
    let scope = Scope { region: "us-east-1".into(), service: S3 };
    let request = CanonicalRequest {
        method: "GET",
        path: "/test.txt",
        path_form: PathForm::AsKey,
        query: "",
        headers: &[("host", "examplebucket.s3.amazonaws.com")],
        payload_hash: UNSIGNED_PAYLOAD,
    };
    let query = presign(&request, &credentials, &scope, Timestamp::parse("20130524T000000Z").unwrap(), 86400);
    assert_eq!(
        query,
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&\
         X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&\
         X-Amz-Expires=86400&X-Amz-SignedHeaders=host&\
         X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

#[test]
fn nothing_of_the_secret_is_in_the_url() {
    let headers = [("host", "a.example"), ("x-amz-checksum-sha256", "AAAA")];
    let request = CanonicalRequest {
        method: "PUT",
        path: "/b/k",
        path_form: PathForm::AsKey,
        query: "partNumber=1&uploadId=u",
        headers: &headers,
        payload_hash: EMPTY,
    };
    let query = presign(&request, &credentials(Some("a token/+".into())), &scope(), at(), 60);
    assert!(!query.contains("wJalr"), "{query}");
    assert!(query.starts_with("partNumber=1&uploadId=u&X-Amz-Algorithm="), "{query}");
    assert!(query.contains("&X-Amz-Security-Token=a%20token%2F%2B&X-Amz-SignedHeaders=host%3Bx-amz-checksum-sha256&"));
}
