//! Signatures at the store: what they are over, whose they are, and when they count.

use crate::case::{Case, hash};
use crate::wire::Request;

const INVALID: &str = "InvalidSignatureException";
const VALUE: &str = "InvalidParameterValueException";

#[test]
fn a13_no_payload_goes_unsigned() {
    let case = Case::new("A13");
    let upload = case.initiate("demo");
    case.settle();
    for text in [
        "UNSIGNED-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "unsigned-payload",
        "",
        "required",
        &"a".repeat(63),
        &"a".repeat(65),
        &"A".repeat(64),
        &hash(b"kept").to_uppercase(),
    ] {
        for request in [
            case.upload("demo", b"kept"),
            case.part("demo", &upload, 0, b"kept"),
            case.store("POST", "/-/vaults/demo/jobs").body("{}"),
            case.store("DELETE", "/-/vaults/demo"),
            case.store("GET", "/-/vaults"),
        ] {
            let request = request.but(|signed| signed.payload = Some(text.to_owned()));
            case.refused(&request.request(), 400, VALUE);
        }
    }
    // The hash of another body, none, and two.
    let other = case.upload("demo", b"kept").but(|signed| signed.payload = Some(hash(b"other")));
    case.refused(&other.request(), 403, INVALID);
    let other = case.part("demo", &upload, 0, b"kept").but(|signed| signed.payload = Some(hash(b"")));
    case.refused(&other.request(), 403, INVALID);
    let absent = case.upload("demo", b"kept").request().without("x-amz-content-sha256");
    case.refused(&absent, 400, "MissingParameterValueException");
    let twice = case.upload("demo", b"kept").request().header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    case.refused(&twice, 400, VALUE);
    case.end();
}

#[test]
fn a14_a_signature_comes_one_way_only() {
    let case = Case::new("A14");
    let good = case.store("GET", "/-/vaults").request();
    assert_eq!(case.send(&good).status, 200);
    let authorization = good.headers.iter().find(|(name, _)| name == "authorization").unwrap().1.clone();
    let with = |value: &str| good.clone().without("authorization").header("authorization", value);
    for value in [
        authorization.replace("AWS4-HMAC-SHA256", "aws4-hmac-sha256"),
        authorization.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        authorization.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
        format!("AWS {}:c2lnbmF0dXJl", case.keys.access_key_id),
        format!("Bearer {}", case.token(&["demo"], &["admin"])),
        "Basic dXNlcjpwYXNzd29yZA==".to_owned(),
        authorization.replace(", ", "; "),
        format!("{authorization}, Signature={}", "0".repeat(64)),
        authorization.split(", Signature=").next().unwrap().to_owned(),
    ] {
        case.refused(&with(&value), 403, INVALID);
    }
    case.refused(&good.clone().header("authorization", &authorization), 403, INVALID);
    case.refused(&good.clone().header("Authorization", "Basic dXNlcjpwYXNz"), 403, INVALID);
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2F20260101%2Fus-east-1%2Fglacier%2Faws4_request\
                 &X-Amz-Date=20260101T000000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Signature=00";
    let both = case.store("GET", &format!("/-/vaults?{query}")).request();
    case.refused(&both, 403, INVALID);
    let only = Request::get(&format!("/-/vaults?{query}")).header("x-amz-glacier-version", "2012-06-01");
    case.refused(&only, 400, "MissingAuthenticationTokenException");
    for query in
        ["X-Amz-Signature=00", "X-Amz-Security-Token=t", "x-amz-signature=00", "AWSAccessKeyId=a&Signature=b&Expires=9"]
    {
        case.refused(&case.store("GET", &format!("/-/vaults?{query}")).request(), 403, INVALID);
    }
    case.end();
}

#[test]
fn a15_what_matters_is_signed() {
    let case = Case::new("A15");
    for name in ["host", "x-amz-date", "x-amz-glacier-version", "x-amz-content-sha256", "x-amz-archive-description"] {
        let request = case.upload("demo", b"kept").with("x-amz-archive-description", "d");
        case.refused(&request.but(|signed| signed.unsigned = vec![name]).request(), 403, INVALID);
    }
    // Added on the way. Whose session token it is, is seen before the signature.
    for (name, value, status, code) in [
        ("x-amz-archive-description", "evil", 403, INVALID),
        ("x-amz-part-size", "1048576", 403, INVALID),
        ("x-amz-security-token", "t", 400, "UnrecognizedClientException"),
        ("x-amz-acl", "public-read", 403, INVALID),
        ("X-Amz-Sha256-Tree-Hash", "00", 403, INVALID),
        ("x-amz-date", "20260101T000000Z", 403, INVALID),
        ("x-amz-planted", "", 403, INVALID),
    ] {
        case.refused(&case.upload("demo", b"kept").request().header(name, value), status, code);
    }
    let good = case.store("GET", "/-/vaults").request();
    let authorization = good.headers.iter().find(|(name, _)| name == "authorization").unwrap().1.clone();
    for (old, new) in [
        ("SignedHeaders=host;", "SignedHeaders=host;host;"),
        ("SignedHeaders=host;", "SignedHeaders=zzz;host;"),
        ("SignedHeaders=host;", "SignedHeaders=host;nothing;"),
        ("SignedHeaders=host;", "SignedHeaders=Host;"),
        ("SignedHeaders=host;", "SignedHeaders=;host;"),
        ("SignedHeaders=host;", "SignedHeaders=host,"),
        ("SignedHeaders=", "SignedHeaders=*;"),
    ] {
        let changed = good.clone().without("authorization").header("authorization", &authorization.replace(old, new));
        case.refused(&changed, 403, INVALID);
    }
    case.end();
}

#[test]
fn a16_a_signature_is_for_one_day_region_and_service() {
    let case = Case::new("A16");
    let request = || case.store("DELETE", "/-/vaults/demo");
    for region in ["eu-west-1", "us-east-2", "US-EAST-1", "", "us-east-1%00", "*", "us-east-1/glacier"] {
        case.refused(&request().but(|signed| signed.region = region.into()).request(), 403, INVALID);
    }
    for service in ["s3", "execute-api", "sts", "Glacier", "", "*"] {
        case.refused(&request().but(|signed| signed.service = service.into()).request(), 403, INVALID);
    }
    for day in ["19700101", "20991231", "2026112", "20261301", "00000000", "today"] {
        case.refused(&request().but(|signed| signed.day = Some(day.into())).request(), 403, INVALID);
    }
    for terminator in ["aws5_request", "AWS4_REQUEST", "", "aws4_request/aws4_request"] {
        case.refused(&request().but(|signed| signed.terminator = terminator.into()).request(), 403, INVALID);
    }
    for id in ["AKIDOFNOBODY", "", "AKIAIOSFODNN7EXAMPLE", "admin", "canary"] {
        let answer = case.refused(
            &request().but(|signed| signed.access_key_id = id.into()).request(),
            400,
            "UnrecognizedClientException",
        );
        assert_eq!(answer.json()["message"], "The security token included in the request is invalid.");
    }
    case.end();
}

#[test]
fn a17_a_signature_counts_for_minutes() {
    let case = Case::new("A17");
    let at = |seconds: i64| case.store("GET", "/-/vaults").later(seconds).request();
    for seconds in [-290, -240, -1, 1, 240, 290] {
        assert_eq!(case.send(&at(seconds)).status, 200, "{seconds}");
    }
    for seconds in [-310, -960, -86_400, -31_536_000, 310, 960, 86_400, 31_536_000] {
        let answer = case.refused(&at(seconds), 403, INVALID);
        assert!(!answer.header("date").is_empty(), "so that the client can set its clock");
    }
    for date in [
        "19700101T000000Z",
        "99991231T235959Z",
        "",
        "now",
        "20260101",
        "2026-01-01T12:00:00Z",
        "20260101T120000",
        "20260230T120000Z",
        "20261301T120000Z",
        "20260101T246060Z",
        "Thu, 01 Jan 2026 12:00:00 GMT",
        "00000000T000000Z",
        "-0260101T120000Z",
        "20260101T120000Zx",
        "２０２６0101T120000Z",
    ] {
        let request = case.store("GET", "/-/vaults").but(|signed| {
            signed.day = Some("20260101".into());
            signed.date = date.into();
        });
        case.refused(&request.request(), 403, INVALID);
    }
    case.end();
}

#[test]
fn a18_a_captured_part_is_good_for_itself_only() {
    let case = Case::new("A18");
    let (upload, other) = (case.initiate("demo"), case.initiate("demo"));
    let captured = case.part("demo", &upload, 0, b"part").request();
    case.done(&captured);
    case.settle();
    let parts = |upload: &str| {
        case.done(&case.store("GET", &format!("/-/vaults/demo/multipart-uploads/{upload}")).request()).json()["Parts"]
            .clone()
    };
    let before = parts(&upload);
    let changed = |change: &dyn Fn(&mut Request)| {
        let mut request = captured.clone();
        change(&mut request);
        request
    };
    let replaced = |name: &'static str, value: &str| captured.clone().without(name).header(name, value);
    for request in [
        changed(&|request| request.body = b"evil".to_vec()),
        changed(&|request| request.target = request.target.replace(&upload, &other)),
        changed(&|request| request.target = request.target.replace("demo", "films")),
        changed(&|request| request.target = request.target.replace("/-/", "/123456789012/")),
        changed(&|request| request.target += "?x=y"),
        changed(&|request| request.method = "POST".into()),
        replaced("content-range", "bytes 1048576-1048579/*"),
        replaced("x-amz-sha256-tree-hash", &hash(b"evil")),
        replaced("x-amz-content-sha256", &hash(b"evil")),
        replaced("x-amz-date", "20260101T000000Z"),
    ] {
        case.refused(&request, 403, INVALID);
    }
    // As short as a part of another length.
    let shorter = changed(&|request| request.body = b"par".to_vec());
    case.refused(&shorter, 400, VALUE);
    let expired = case.part("demo", &upload, 0, b"part").later(-310).request();
    case.refused(&expired, 403, INVALID);
    assert_eq!(parts(&upload), before);
    assert_eq!(parts(&other), serde_json::json!([]));
    case.is_unharmed();
    // The same again is the same again.
    for _ in 0..3 {
        assert_eq!(case.send(&captured).status, 204);
        assert_eq!(parts(&upload), before);
    }
    case.settle();
    case.end();
}

#[test]
fn a42_other_accounts_are_none_of_ours() {
    let case = Case::new("A42");
    for account in ["210987654321", "000000000000", "123456789013", "999999999999"] {
        for (method, path) in
            [("GET", "vaults"), ("DELETE", "vaults/demo"), ("PUT", "vaults/mine"), ("GET", "policies/data-retrieval")]
        {
            let request = case.store(method, &format!("/{account}/{path}")).request();
            case.refused(&request, 403, "AccessDeniedException");
        }
    }
    // The number is the path's, not the query's or a header's.
    for target in ["/-/vaults?accountId=210987654321", "/123456789012/vaults?accountId=210987654321"] {
        assert_eq!(case.send(&case.store("GET", target).request()).status, 200);
    }
    case.end();
}
