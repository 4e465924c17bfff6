//! What once made parsers fail, and what could: none of it is worth more than a refusal.

use crate::case::{Case, batch, list_parts};
use crate::wire::{Request, exchange_and_end};

const VALUE: &str = "InvalidParameterValueException";
const INVALID: &str = "InvalidSignatureException";

/// Requests, each with its status and code.
fn hostile(case: &Case) -> Vec<(Request, u16, &'static str)> {
    let token = case.token(&["demo"], &["upload", "read", "delete", "admin"]);
    let upload = case.initiate("demo");
    case.settle();
    let mut rows = Vec::new();
    // Lengths of bodies that never come, of which nobody may make room.
    for (length, status, code) in [
        ("4294967296", 413, "too_large"),
        ("9223372036854775807", 413, "too_large"),
        ("18446744073709551614", 431, "-"),
        ("18446744073709551615", 431, "-"),
        ("18446744073709551616", 400, "-"),
        ("99999999999999999999999999999999", 400, "-"),
    ] {
        rows.push((case.sign(&token, "").without("content-length").header("content-length", length), status, code));
    }
    for length in ["4294967296", "9223372036854775807"] {
        let job = case.store("POST", "/-/vaults/demo/jobs").request().without("content-length");
        rows.push((job.header("content-length", length), 400, VALUE));
        let archive = case.upload("demo", b"").request().without("content-length");
        rows.push((archive.header("content-length", length), 400, VALUE));
    }
    // Letters of several bytes, where a text is cut at a byte.
    let (two, three) = ("é".repeat(32), "€".repeat(21) + "x");
    for hash in [two, three] {
        rows.push((case.upload("demo", b"x").with("x-amz-sha256-tree-hash", &hash).request(), 400, VALUE));
        let claimed = case.upload("demo", b"x").but(|signed| signed.payload = Some(hash));
        rows.push((claimed.request(), 400, VALUE));
    }
    for date in ["2026010１T120000Z", "202601０1T120000Z", "€€€€€Z", "20260101T12000é", "éééééééé"]
    {
        let later = case.store("GET", "/-/vaults").but(|signed| signed.date = date.into());
        rows.push((later.request(), 403, INVALID));
    }
    for day in ["2026010１", "€€", "é"] {
        rows.push((case.store("GET", "/-/vaults").but(|signed| signed.day = Some(day.into())).request(), 403, INVALID));
    }
    for range in ["bytes 0-€/*", "bytes é0-3/*", "é", "bytes 0-3/€"] {
        rows.push((case.part("demo", &upload, 0, b"part").with("content-range", range).request(), 400, VALUE));
    }
    for description in ["é".repeat(512), "€".repeat(400)] {
        let begin = case.store("POST", "/-/vaults/demo/multipart-uploads").with("x-amz-part-size", "1048576");
        rows.push((begin.with("x-amz-archive-description", &description).request(), 400, VALUE));
    }
    // Credentials and tokens with too little, too much and nothing in them.
    let unknown = "UnrecognizedClientException";
    for (value, status, code) in [
        ("AWS4-HMAC-SHA256", 403, INVALID),
        ("AWS4-HMAC-SHA256 ", 403, INVALID),
        ("AWS4-HMAC-SHA256 Credential=, SignedHeaders=, Signature=", 403, INVALID),
        ("AWS4-HMAC-SHA256 =,=,=", 403, INVALID),
        ("AWS4-HMAC-SHA256 ,,,,,,,,", 403, INVALID),
        // Whose key nobody has.
        ("AWS4-HMAC-SHA256 Credential=////, SignedHeaders=host, Signature=é", 400, unknown),
        ("AWS4-HMAC-SHA256 Credential=/////////, SignedHeaders=;;;;, Signature=00", 400, unknown),
        (&format!("AWS4-HMAC-SHA256 Credential={}, SignedHeaders=host, Signature=0", "/".repeat(8000)), 400, unknown),
        (
            &format!("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders={}, Signature=0", "host;".repeat(2000)),
            400,
            unknown,
        ),
    ] {
        let request = case.store("GET", "/-/vaults").request().without("authorization");
        rows.push((request.header("authorization", value), status, code));
    }
    for text in [
        ".",
        "..",
        "...",
        "a.b.c",
        "e30.e30.",
        "e30.e30.e30",
        "é.é.é",
        &".".repeat(8000),
        &"e30.".repeat(4000),
        &format!("{}.{}.{}", "A".repeat(9000), "A".repeat(9000), "A".repeat(9000)),
    ] {
        let sign = Request::post("/v1/sign").json(batch(&[list_parts("demo")]));
        rows.push((sign.header("authorization", &format!("Bearer {text}")), 401, "token_invalid"));
    }
    for claims in [
        "",
        "null",
        "[]",
        "{}",
        "0",
        "\"\"",
        r#"{"exp":18446744073709551616}"#,
        r#"{"sub":"u","vaults":["demo"],"ops":["upload"],"maxArchiveBytes":1,"iat":0,"exp":18446744073709551615}"#,
        r#"{"sub":"u","vaults":["demo"],"ops":["upload"],"maxArchiveBytes":1,"iat":18446744073709551615,"exp":0}"#,
        r#"{"sub":"u","vaults":["demo"],"ops":["upload"],"maxArchiveBytes":-1,"iat":0,"exp":1}"#,
        r#"{"sub":"u","vaults":["demo"],"ops":["upload"],"maxArchiveBytes":1e400,"iat":0,"exp":1}"#,
        r#"{"sub":"\ud800","vaults":["demo"],"ops":["upload"],"maxArchiveBytes":1,"iat":0,"exp":1}"#,
        &"[".repeat(5000),
        &"{\"a\":".repeat(2000),
    ] {
        rows.push((case.sign(&case.keys.token_of(claims), batch(&[list_parts("demo")])), 401, "token_invalid"));
    }
    // Paths and queries. What is not written as it is signed is not what was signed.
    for (target, status, code) in [
        ("/%", 404, "-"),
        ("/%f", 404, "-"),
        ("/%ff", 404, "-"),
        ("/%00", 404, "-"),
        ("/.", 307, "-"),
        ("/..%2f..%2f", 404, "-"),
        ("/index.html/", 404, "-"),
        ("/index.html%00", 404, "-"),
        ("//", 200, "-"),
        ("/?%", 200, "-"),
        ("/v1", 404, "not_found"),
        ("/v1/%", 404, "not_found"),
        ("/v1/events?%", 401, "token_missing"),
        ("/v1/events?vault=%ff", 401, "token_missing"),
        ("/-/vaults/%", 400, VALUE),
        ("/-/vaults/%ff", 400, VALUE),
        ("/-/vaults?%", 403, INVALID),
        ("/-/vaults?limit=%ff", 403, INVALID),
        ("/-/vaults?limit=18446744073709551616", 200, ""),
        ("/-/vaults?marker=%ff", 403, INVALID),
        ("/-/vaults?marker=", 200, ""),
        ("/-/vaults?&&&=&=", 403, INVALID),
        ("/-/vaults/demo/multipart-uploads?marker=9223372036854775808", 400, VALUE),
        ("/-/vaults/demo/multipart-uploads?marker=-1", 400, VALUE),
        ("/-/vaults/demo/jobs?marker=%00", 400, VALUE),
        ("/-/vaults/demo/jobs?completed=%ff", 403, INVALID),
        ("/-/", 400, "BadRequest"),
        ("/-/vaults/demo/jobs/%2e%2e/output", 400, VALUE),
    ] {
        let request =
            if target.starts_with("/-/") { case.store("GET", target).request() } else { Request::get(target) };
        rows.push((request, status, code));
    }
    // Files and streams.
    for (range, status) in [
        ("bytes=0-18446744073709551615", 206),
        ("bytes=18446744073709551615-", 416),
        ("bytes=18446744073709551616-", 416),
        ("bytes=-18446744073709551615", 416),
        ("bytes=-0", 416),
        ("bytes=5-1", 416),
        ("bytes=0-0,1-1", 416),
        ("bytes=", 416),
        ("bytes=-", 416),
        ("bytes=€-", 200),
        ("items=0-1", 416),
    ] {
        rows.push((Request::get("/index.html").header("range", range), status, "-"));
    }
    for date in [
        "",
        "0",
        "-1",
        "Thu, 01 Jan 99999 00:00:00 GMT",
        "Thu, 99 Jan 2026 99:99:99 GMT",
        "é",
        "Thu, 01 Jan 0000 00:00:00 GMT",
    ] {
        rows.push((Request::get("/index.html").header("if-modified-since", date), 200, "-"));
    }
    for id in ["", "é", "18446744073709551616", "-1"] {
        let stream = Request::get("/v1/events?vault=absent").header("last-event-id", id);
        rows.push((stream.header("authorization", &format!("Bearer {token}")), 403, "operation_denied"));
    }
    rows
}

#[test]
fn a62_nothing_that_is_sent_makes_the_server_fail() {
    let case = Case::new("A62");
    let host = case.host.clone();
    let token = case.token(&["demo"], &["upload", "read", "delete", "admin"]);
    // Spoiled requests, the same in every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % most as u64).unwrap()
    };
    let seeds = [
        case.sign(&token, batch(&[list_parts("demo")])).bytes(&host),
        case.upload("demo", b"kept").request().bytes(&host),
        case.store("GET", "/-/vaults?limit=5").request().bytes(&host),
        Request::get("/v1/events?vault=demo").bytes(&host),
        Request::get("/index.html")
            .header("range", "bytes=0-1,2-3")
            .header("if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT")
            .bytes(&host),
    ];
    for _ in 0..400 {
        let mut bytes = seeds[random(seeds.len())].clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            match random(5) {
                0 => bytes[at] = u8::try_from(random(256)).unwrap(),
                1 => bytes.truncate(at.max(1)),
                2 => drop(bytes.splice(at..at, vec![b'9'; random(40)])),
                3 => drop(bytes.splice(at..(at + random(20)).min(bytes.len()), [])),
                _ => drop(bytes.splice(at..at, *b"\r\n")),
            }
        }
        // Nothing was spoiled by chance, and a whole request is carried out although its sender ends there.
        if seeds.contains(&bytes) {
            bytes.pop();
        }
        case.count();
        let answers = exchange_and_end(&host, &bytes);
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        assert!(answers.iter().all(|answer| answer.status < 500), "{shown:?}: {answers:?}");
    }
    for (request, status, code) in hostile(&case) {
        case.count();
        let answers = exchange_and_end(&host, &request.bytes(&host));
        let got: Vec<_> = answers.iter().map(|answer| (answer.status, answer.code())).collect();
        assert_eq!(got, [(status, code.to_owned())], "{request:?}: {answers:?}");
    }
    case.end();
}
