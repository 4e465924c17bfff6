//! Parts and their lengths: more, less and other than was said.

use crate::case::{Case, MIB};
use crate::wire::{Request, exchange_and_end, until};

const VALUE: &str = "InvalidParameterValueException";
const MISSING: &str = "MissingParameterValueException";

#[test]
fn a11_no_more_is_taken_than_was_declared() {
    let case = Case::new("A11");
    let upload = case.initiate("demo");
    case.settle();
    let part = |bytes: &[u8]| case.part("demo", &upload, 0, bytes).request();
    // More on the wire than the length says: the rest is no part of it, and no request either.
    let said = case.part("demo", &upload, 0, &vec![7; 2 * MIB]).request().header("content-length", &MIB.to_string());
    let answers = case.raw(&said.bytes(&case.host));
    assert_eq!((answers.len(), answers[0].status), (1, 400), "{answers:?}");
    // A range, a length and a body that do not agree.
    for length in [1, MIB - 1, MIB + 1, 2 * MIB] {
        let request = case.part("demo", &upload, 0, &vec![7; MIB]).body(vec![7; length]).request();
        let answers = case.raw(&request.bytes(&case.host));
        assert_eq!((answers.len(), answers[0].status), (1, 400), "{length}");
    }
    // Larger than the part size.
    for length in [MIB + 1, 2 * MIB, 4 * MIB] {
        let request = case.part("demo", &upload, 0, &vec![7; length]).request();
        let answers = case.raw(&request.bytes(&case.host));
        assert_eq!((answers.len(), answers[0].status, answers[0].code().as_str()), (1, 400, VALUE), "{length}");
    }
    // In chunks, where nobody says how long it is.
    for sent in [b"part!".as_slice(), b"par", b"part", b""] {
        let mut request = part(b"part").header("transfer-encoding", "chunked");
        let end = if sent.is_empty() {
            String::new()
        } else {
            format!("{:x}\r\n{}\r\n", sent.len(), String::from_utf8_lossy(sent))
        };
        request.body = format!("{end}0\r\n\r\n").into_bytes();
        case.refused(&request, 400, MISSING);
    }
    for length in
        ["18446744073709551615", "4294967297", "9223372036854775807", "-1", "+4", "4,4", "4 4", "0x4", "four", ""]
    {
        let answer =
            case.raw(&part(b"part").without("content-length").header("content-length", length).bytes(&case.host));
        // The longest of all is too long already for the parser of the head.
        let status = if length == "18446744073709551615" { 431 } else { 400 };
        assert_eq!((answer.len(), answer[0].status), (1, status), "{length}: {answer:?}");
    }
    let without = case.upload("demo", b"kept").request().without("content-length");
    let answers = case.raw(&without.bytes(&case.host));
    assert_eq!((answers.len(), answers[0].status), (1, 400), "{answers:?}");
    let sign =
        Request::post("/v1/sign").header("authorization", &format!("Bearer {}", case.token(&["demo"], &["upload"])));
    case.refused(&sign.json(vec![b' '; (256 << 10) + 1]), 413, "too_large");
    case.end();
}

#[test]
fn a12_a_body_that_breaks_off_is_not_stored() {
    let case = Case::new("A12");
    let upload = case.initiate("demo");
    case.settle();
    let token = case.token(&["demo"], &["upload"]);
    for sent in [0, 1, 3, 9, 10_000, MIB / 2, MIB - 1] {
        for request in
            [case.part("demo", &upload, 0, &vec![7; MIB]).request(), case.upload("demo", &vec![7; MIB]).request()]
        {
            case.count();
            let bytes = request.bytes(&case.host);
            let answers = exchange_and_end(&case.host, &bytes[..bytes.len() - MIB + sent]);
            assert_eq!((answers.len(), answers[0].status, answers[0].code().as_str()), (1, 400, VALUE), "{sent}");
        }
    }
    for chunks in ["", "4\r\n", "4\r\npa", "4\r\npart", "4\r\npart\r\n", "zz\r\n", "4\r\npart\r\n0\r\n"] {
        case.count();
        let mut request = case.part("demo", &upload, 0, b"part").request().header("transfer-encoding", "chunked");
        request.body = chunks.as_bytes().to_vec();
        let answers = exchange_and_end(&case.host, &request.bytes(&case.host));
        assert_eq!((answers.len(), answers[0].status), (1, 400), "{chunks:?}: {answers:?}");
    }
    for sent in [0, 1, 10] {
        case.count();
        let mut bytes = case.sign(&token, "{\"intents\":[]}").bytes(&case.host);
        bytes.truncate(bytes.len() - 14 + sent);
        let answers = exchange_and_end(&case.host, &bytes);
        assert_eq!((answers[0].status, answers[0].code().as_str()), (400, "malformed_json"));
    }
    // A client that is gone and reads nothing.
    for _ in 0..5 {
        case.count();
        let bytes = case.part("demo", &upload, 0, &vec![7; MIB]).request().bytes(&case.host);
        let mut stream = crate::wire::connect(&case.host);
        std::io::Write::write_all(&mut stream, &bytes[..bytes.len() - 1]).unwrap();
        drop(stream);
    }
    until_no_file_is_unfinished(&case);
    case.end();
}

/// What was received of a part is removed once its connection is known to be gone.
fn until_no_file_is_unfinished(case: &Case) {
    let parts = || case.done(&case.store("GET", "/-/vaults/demo/multipart-uploads").request());
    assert_eq!(parts().json()["UploadsList"].as_array().unwrap().len(), 1);
    until("a file stays behind", || case.is_as_before());
}

#[test]
fn a19_ranges_that_lie_are_refused() {
    let case = Case::new("A19");
    let upload = case.initiate("demo");
    case.settle();
    let good = "bytes 0-3/*";
    for range in [
        "bytes 0-4/*",
        "bytes 0-2/*",
        "bytes 1-4/*",
        "bytes 3-0/*",
        "bytes 4-3/*",
        "bytes 524288-524291/*",
        "bytes 1048575-1048578/*",
        "bytes 0-1048575/*",
        "bytes */*",
        "bytes */4",
        "bytes=0-3",
        "bytes=0-3/*",
        "bytes 0-3",
        "bytes 0-3/",
        "bytes 0-3/x",
        "bytes 0-3/-1",
        "items 0-3/*",
        "Bytes 0-3/*",
        "0-3/*",
        "0-3",
        "bytes",
        "",
        "bytes 0-3/*/*",
        "bytes 0-3/*, bytes 0-3/*",
        "bytes 0-1,2-3/*",
        "bytes 0 - 3/*",
        "bytes  0-3/*",
        "bytes 0-3 /*",
        "bytes -3/*",
        "bytes 0-/*",
        "none",
        "*",
    ] {
        let request = case.part("demo", &upload, 0, b"part").with("content-range", range).request();
        case.refused(&request, 400, VALUE);
    }
    let absent = case.part("demo", &upload, 0, b"part").request();
    let mut absent = absent.without("content-range");
    absent.headers.retain(|(name, _)| name != "authorization");
    case.refused(&absent, 400, "MissingAuthenticationTokenException");
    let absent = case
        .store("PUT", &format!("/-/vaults/demo/multipart-uploads/{upload}"))
        .with("x-amz-sha256-tree-hash", &crate::case::hash(b"part"))
        .body("part");
    case.refused(&absent.request(), 400, MISSING);
    for second in [good, "bytes 1048576-1048579/*"] {
        // Signed both, as one list, and added on the way.
        let mut both =
            case.part("demo", &upload, 0, b"part").with("content-range", &format!("{good},{second}")).request();
        both.headers.retain(|(name, _)| name != "content-range");
        case.refused(&both.header("content-range", good).header("content-range", second), 400, VALUE);
        let added = case.part("demo", &upload, 0, b"part").request().header("content-range", second);
        case.refused(&added, 403, "InvalidSignatureException");
    }
    case.end();
}

#[test]
fn a20_numbers_that_are_too_large_or_none_are_refused() {
    let case = Case::new("A20");
    let upload = case.initiate("demo");
    case.settle();
    let huge = "9".repeat(30);
    for number in [
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        &huge,
        "-1",
        "+1",
        "1e6",
        "0x10",
        "٣",
        "1.0",
        "1_0",
        "0b1",
        "NaN",
        "Infinity",
        "１",
    ] {
        for range in [format!("bytes {number}-3/*"), format!("bytes 0-{number}/*")] {
            let request = case.part("demo", &upload, 0, b"part").with("content-range", &range).request();
            case.refused(&request, 400, VALUE);
        }
        let begin = case.store("POST", "/-/vaults/demo/multipart-uploads").with("x-amz-part-size", number).request();
        case.refused(&begin, 400, VALUE);
        let complete = case
            .store("POST", &format!("/-/vaults/demo/multipart-uploads/{upload}"))
            .with("x-amz-sha256-tree-hash", &"0".repeat(64))
            .with("x-amz-archive-size", number);
        case.refused(&complete.request(), 400, VALUE);
    }
    for limit in ["0", "-1", "%2B1", "1e6", "0x10", "1.0", "%D9%A3", "%00", "1%00", "NaN"] {
        let list = case.store("GET", &format!("/-/vaults?limit={limit}")).request();
        case.refused(&list, 400, VALUE);
    }
    let token = case.token(&["demo"], &["upload"]);
    for number in ["-1", "1e30", "18446744073709551616", "1.5", "\"1\"", "null", "true", "[1]"] {
        let body = format!(
            r#"{{"intents":[{{"op":"InitiateMultipartUpload","vault":"demo","partSize":1048576,"size":{number}}}]}}"#
        );
        case.refused(&case.sign(&token, body), 422, "invalid_request");
    }
    for number in
        ["+1", "0x10", "01", "1_0", "٣", &format!("{huge}{huge}{huge}{huge}{huge}{huge}{huge}{huge}{huge}{huge}{huge}")]
    {
        let body = format!(
            r#"{{"intents":[{{"op":"InitiateMultipartUpload","vault":"demo","partSize":1048576,"size":{number}}}]}}"#
        );
        case.refused(&case.sign(&token, body), 400, "malformed_json");
    }
    for range in [
        "0-18446744073709551615",
        "0-18446744073709551616",
        "-1-0",
        "1-0",
        "0-+1",
        "0-1e1",
        "0-٣",
        "0",
        "",
        "0-0-0",
        "0-0x1",
    ] {
        let body = format!(
            r#"{{"intents":[{{"op":"UploadMultipartPart","vault":"demo","uploadId":"u","range":"{range}","payloadHash":"{0}","treeHash":"{0}"}}]}}"#,
            "0".repeat(64)
        );
        case.refused(&case.sign(&token, body), 422, "invalid_request");
    }
    case.end();
}
