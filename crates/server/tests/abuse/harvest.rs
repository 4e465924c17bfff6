//! What a token can have signed in stock: little, for minutes, and each signature for one part of one upload.

use serde_json::{Value, json};

use crate::case::{Case, batch, hash, list_parts};
use crate::wire::{Request, exchange};

#[test]
fn a57_a_batch_is_small_short_lived_and_each_of_it_is_for_one_upload() {
    let mut case = Case::new("A57");
    let (upload, other, theirs) = (case.initiate("demo"), case.initiate("demo"), case.initiate("films"));
    case.settle();
    let token = case.token(&["demo"], &["upload"]);
    for count in [101, 150, 200, 1000, 10_000] {
        case.refused(&case.sign(&token, batch(&vec![list_parts("demo"); count])), 413, "too_large");
    }
    let mut claims = case.keys.claims(&["demo"], &["upload"]);
    claims["maxArchiveBytes"] = (128_u64 << 20).into();
    let parts: Vec<_> = (0..100_usize).map(|n| part_of(&upload, n)).collect();
    let answer = case.send(&case.sign(&case.keys.token(&claims), batch(&parts)));
    assert_eq!(answer.status, 200, "{answer:?}");
    let signed = answer.json()["requests"].as_array().unwrap().clone();
    assert_eq!(signed.len(), 100);
    for (n, signed) in signed.iter().enumerate() {
        assert!(signed["expiresInMs"].as_u64().unwrap() <= 300_000, "{signed}");
        let target = format!("/123456789012/vaults/demo/multipart-uploads/{upload}");
        assert_eq!((signed["method"].as_str(), signed["url"].as_str()), (Some("PUT"), Some(target.as_str())));
        // A hundred signatures are no other upload's, no other vault's, no other part's and no other bytes'.
        let good = request_of(signed, &bytes_of(n));
        let at = |target: String| {
            let mut request = good.clone();
            request.target = target;
            request
        };
        for request in [
            at(target.replace(&upload, &other)),
            at(target.replace("demo", "films").replace(&upload, &theirs)),
            good.clone().without("content-range").header("content-range", &range_of(n + 1)),
            good.clone().body(bytes_of(n + 1)),
        ] {
            case.refused(&request, 403, "InvalidSignatureException");
        }
    }
    case.is_unharmed();
    for (n, signed) in signed.iter().enumerate() {
        case.done(&request_of(signed, &bytes_of(n)));
    }
    // Fifty to a page.
    let stored = |vault: &str, upload: &str| {
        let (mut count, mut query) = (0, String::new());
        loop {
            let target = format!("/-/vaults/{vault}/multipart-uploads/{upload}{query}");
            let page = case.done(&case.store("GET", &target).request()).json();
            count += page["Parts"].as_array().unwrap().len();
            let Some(marker) = page["Marker"].as_str() else { return count };
            query = format!("?marker={marker}");
        }
    };
    assert_eq!((stored("demo", &upload), stored("demo", &other), stored("films", &theirs)), (100, 0, 0));
    case.settle();

    // Nor does asking often help: batches count by subject, whatever the token.
    case.restart(&["--subject-rate", "1"]);
    case.settle();
    let ask = |sub: &str| {
        let mut claims = case.keys.claims(&["demo"], &["upload"]);
        claims["sub"] = sub.into();
        let request = case.sign(&case.keys.token(&claims), batch(&vec![list_parts("demo"); 100]));
        exchange(&case.host, &request.bytes(&case.host)).remove(0)
    };
    // Ten at once and one a second, so that it ends as soon as we are faster than that.
    let refused = (0..100_000).map(|_| ask("harvester")).find(|answer| answer.status != 200).unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_requests"), "{refused:?}");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(ask("somebody").status, 200);
    case.end();
}

fn bytes_of(part: usize) -> Vec<u8> {
    format!("{part:04}").into_bytes()
}

fn range_of(part: usize) -> String {
    format!("bytes {}-{}/*", part << 20, (part << 20) + 3)
}

/// The four bytes that a part of 1 MiB begins with, as if it were the last.
fn part_of(upload: &str, part: usize) -> Value {
    let hash = hash(&bytes_of(part));
    json!({
        "op": "UploadMultipartPart", "vault": "demo", "uploadId": upload, "payloadHash": hash, "treeHash": hash,
        "range": format!("{}-{}", part << 20, (part << 20) + 3),
    })
}

/// What the gateway signed, as a browser sends it.
pub(crate) fn request_of(signed: &Value, body: &[u8]) -> Request {
    let request = Request::new(signed["method"].as_str().unwrap(), signed["url"].as_str().unwrap()).body(body);
    let headers = signed["headers"].as_object().unwrap();
    headers.iter().fold(request, |request, (name, value)| request.header(name, value.as_str().unwrap()))
}
