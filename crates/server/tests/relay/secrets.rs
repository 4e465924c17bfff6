//! AWS's secret, and what can be made of it, stays in the process.

use std::time::{SystemTime, UNIX_EPOCH};

use glacier_core::sigv4::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::aws::{Aws, Fault, KEY_ID, SECRET};
use crate::gateway::{Gateway, VAULT, contains};

/// The keys on the way from the secret to the signature, each in hexadecimal and base64.
///
/// **Source:** AWS's description of Signature Version 4.
fn derived(day: &str) -> Vec<String> {
    let mut key = format!("AWS4{SECRET}").into_bytes();
    let mut found = Vec::new();
    for text in [day, "us-east-1", "glacier", "aws4_request"] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(text.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
        found.push(glacier_core::hex::encode(&key));
        found.push(base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &key));
    }
    found
}

#[test]
fn the_secret_of_aws_is_written_nowhere() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let mut answers = Vec::new();
    let mut note = |gateway: &Gateway, intent: serde_json::Value, body: &[u8]| {
        let signed = gateway.sign(&intent);
        let answer = gateway.carry_out(&intent, body);
        answers.push(format!("{signed} {} {}", answer.head, String::from_utf8_lossy(&answer.body)));
        answer
    };
    let bytes = vec![7; 1 << 20];
    let upload_id = gateway.initiate(1 << 20);
    let part = json!({
        "op": "UploadMultipartPart", "vault": VAULT, "uploadId": upload_id, "range": "0-1048575",
        "payloadHash": glacier_core::PayloadHash::of(&bytes).to_string(),
        "treeHash": glacier_core::TreeHash::of(&bytes).to_string(),
    });
    assert_eq!(note(&gateway, part.clone(), &bytes).status, 204);
    for fault in [
        Fault::Answers(403, "InvalidSignatureException"),
        Fault::Answers(500, "ServiceUnavailableException"),
        Fault::AnswersEarly(403, "AccessDeniedException"),
        Fault::Redirects("https://elsewhere.example/".into()),
        Fault::Cuts,
    ] {
        aws.fault(fault);
        note(&gateway, json!({ "op": "DescribeVault", "vault": VAULT }), b"");
    }
    aws.fault(None);
    // Its own words quote what it was sent.
    aws.ahead(3600);
    note(&gateway, part, &bytes);

    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut secrets = vec![SECRET.to_owned(), SECRET.split('+').nth(1).unwrap().to_owned()];
    for at in [now, now - 600] {
        secrets.extend(derived(&Timestamp::from_unix(at).to_string()[..8]));
    }
    // What was sent to the store in our name is as good as the secret for five minutes.
    let sent: Vec<String> =
        aws.seen().iter().filter_map(|seen| seen.header("authorization").map(str::to_owned)).collect();
    assert!(sent.len() > 5);
    secrets.extend(sent.iter().map(|authorization| authorization.rsplit_once("Signature=").unwrap().1.to_owned()));
    let written = gateway.written();
    let log = written.iter().find(|(path, _)| path.ends_with("log")).unwrap();
    assert!(log.1.len() > 10_000, "the log has more than nothing to search");
    for secret in &secrets {
        for (path, bytes) in &written {
            assert!(!contains(bytes, secret), "{} has {secret}", path.display());
        }
        for answer in &answers {
            assert!(!answer.contains(secret.as_str()), "{answer}");
        }
    }
    // The key's ID is no secret, but nobody's business outside.
    assert!(answers.iter().all(|answer| !answer.contains(KEY_ID)));
}
