//! What belongs to somebody else: uploads, jobs, and what jobs give out.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::case::{Case, MIB, batch};
use crate::wire::exchange;

#[test]
fn a09_an_upload_of_another_vault_is_an_unknown_one() {
    let case = Case::new("A09");
    let theirs = case.initiate("films");
    case.settle();
    let token = case.token(&["demo"], &["upload", "read", "delete"]);
    let unknown = "A".repeat(theirs.len());
    let hash = "0".repeat(64);
    let intents = |upload: &str| {
        [
            json!({ "op": "ListParts", "vault": "demo", "uploadId": upload }),
            json!({ "op": "AbortMultipartUpload", "vault": "demo", "uploadId": upload }),
            json!({ "op": "CompleteMultipartUpload", "vault": "demo", "uploadId": upload, "size": 1, "treeHash": hash }),
            json!({ "op": "UploadMultipartPart", "vault": "demo", "uploadId": upload, "range": "0-0", "payloadHash": crate::case::hash(b"x"), "treeHash": crate::case::hash(b"x") }),
        ]
    };
    for (of_theirs, of_nobody) in intents(&theirs).into_iter().zip(intents(&unknown)) {
        let ask = |intent: Value| {
            let signed = case.send(&case.sign(&token, batch(&[intent]))).json()["requests"][0].clone();
            let mut request =
                crate::wire::Request::new(signed["method"].as_str().unwrap(), signed["url"].as_str().unwrap());
            for (name, value) in signed["headers"].as_object().unwrap() {
                request = request.header(name, value.as_str().unwrap());
            }
            let body = if request.method == "PUT" { b"x".to_vec() } else { Vec::new() };
            case.refused(&request.body(body), 404, "ResourceNotFoundException")
        };
        let (theirs_answer, nobodys_answer) = (ask(of_theirs.clone()), ask(of_nobody));
        let same = |text: &[u8], id: &str| String::from_utf8_lossy(text).replace(id, "ID");
        assert_eq!(same(&theirs_answer.body, &theirs), same(&nobodys_answer.body, &unknown));
        // By its own vault it is not even signed.
        let mut by_name = of_theirs;
        by_name["vault"] = "films".into();
        case.refused(&case.sign(&token, batch(&[by_name])), 403, "operation_denied");
    }
    case.end();
}

#[test]
fn a10_ids_cannot_be_guessed() {
    // Nothing listens there: handles of uploads are judged before a bucket is asked.
    let case = Case::with("A10", &["--bucket", "pictures", "--s3-endpoint", "http://127.0.0.1:1", "--s3-region", "x"]);
    let mut ids = BTreeSet::new();
    for _ in 0..40 {
        ids.insert(case.initiate("demo"));
    }
    ids.insert(case.archive("demo", b"kept"));
    case.settle();
    assert_eq!(ids.len(), 41, "no two alike");
    for id in &ids {
        // 22 characters of base64 are 132 bits, and hexadecimal ones would be 44.
        assert!(id.len() >= 43, "{id}");
    }
    let common = |at: usize| ids.iter().filter_map(|id| id.chars().nth(at)).collect::<BTreeSet<_>>().len();
    let constant = (0..43).filter(|at| common(*at) == 1).count();
    assert!(constant <= 21, "{constant} of 43 characters are always the same");
    let near: Vec<String> = ids.iter().take(20).map(|id| flip_last(id)).collect();
    for id in near.iter().cloned().chain((0..100).map(|n| format!("{n:092}"))) {
        for target in [format!("/-/vaults/demo/multipart-uploads/{id}"), format!("/-/vaults/demo/jobs/{id}")] {
            let answer = case.refused(&case.store("GET", &target).request(), 404, "ResourceNotFoundException");
            assert_eq!(
                answer.json()["message"].as_str().unwrap().replace(&id, "ID").replace("upload", "job"),
                "The job ID was not found: ID"
            );
        }
    }
    a_subject_waits_after_its_misses(&case);
    case.end();
}

/// Whatever its tokens, and although this machine has no limit by address. A handle is of `u1`, the upload and a seal.
fn a_subject_waits_after_its_misses(case: &Case) {
    let ask = |subject: &str, n: usize| {
        let mut claims = case.keys.claims(&[], &["s3:UploadPart", "s3:ListParts"]);
        claims["sub"] = subject.into();
        claims["jti"] = n.to_string().into();
        claims["objects"] = json!(["pictures/"]);
        let upload = format!("u1.{n:064x}.{}", crate::case::hash(&n.to_be_bytes()));
        let intent = match n % 2 {
            0 => json!({ "op": "s3:ListParts", "upload": upload }),
            _ => json!({ "op": "s3:UploadPart", "upload": upload, "partNumber": 1, "payloadHash": "0".repeat(64) }),
        };
        let request = case.sign(&case.keys.token(&claims), batch(&[intent]));
        exchange(&case.host, &request.bytes(&case.host)).remove(0)
    };
    for n in 0..60 {
        case.count();
        let answer = ask("user-7", n);
        assert_eq!((answer.status, answer.code().as_str()), (404, "NoSuchUpload"), "{n}: {answer:?}");
    }
    // One a second is forgiven, and so it is soon over for whoever is faster.
    let refused = (60..10_000).map(|n| ask("user-7", n)).find(|answer| answer.status != 404).unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_requests"), "{refused:?}");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(ask("user-8", 0).status, 404, "nobody else waits");
}

fn flip_last(id: &str) -> String {
    let (head, last) = id.split_at(id.len() - 1);
    format!("{head}{}", if last == "A" { "B" } else { "A" })
}

#[test]
fn a33_a_job_is_its_vaults() {
    let case = Case::new("A33");
    let archive = case.archive("films", b"theirs");
    let job = case.retrieval("films", &archive);
    let token = case.token(&["demo"], &["upload", "read", "delete", "admin"]);
    for op in ["DescribeJob", "GetJobOutput"] {
        for id in [job.as_str(), "unknown"] {
            case.refused(
                &case.sign(&token, batch(&[json!({ "op": op, "vault": "films", "jobId": id })])),
                403,
                "operation_denied",
            );
        }
    }
    case.refused(&case.sign(&token, batch(&[json!({ "op": "ListJobs", "vault": "films" })])), 403, "operation_denied");
    for id in [&job, &flip_last(&job), &"A".repeat(92)] {
        for target in [format!("/-/vaults/demo/jobs/{id}"), format!("/-/vaults/demo/jobs/{id}/output")] {
            let answer = case.refused(&case.store("GET", &target).request(), 404, "ResourceNotFoundException");
            assert!(!answer.text.contains("theirs") && !answer.text.contains("films"));
        }
    }
    let list = case.send(&case.store("GET", "/-/vaults/demo/jobs").request());
    assert_eq!(list.json()["JobList"], json!([]));
    let begin = case
        .store("POST", "/-/vaults/demo/jobs")
        .body(json!({ "Type": "archive-retrieval", "ArchiveId": archive }).to_string());
    case.refused(&begin.request(), 404, "ResourceNotFoundException");
    case.end();
}

#[test]
fn a34_one_range_or_none() {
    let case = Case::new("A34");
    let bytes: Vec<u8> = (0..MIB).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let archive = case.archive("demo", &bytes);
    let job = case.retrieval("demo", &archive);
    let output = format!("/-/vaults/demo/jobs/{job}/output");
    let ranged = |range: &str| case.store("GET", &output).with("range", range).request();
    let many = (0..1000).map(|n| format!("{n}-{n}")).collect::<Vec<_>>().join(",");
    for range in [
        &format!("bytes={many}"),
        "bytes=0-1,1-2",
        "bytes=0-0,0-0",
        "bytes=5-1",
        "bytes=-0",
        "bytes=1048576-1048577",
        "bytes=1048576-",
        "bytes=18446744073709551615-18446744073709551615",
        "bytes=0-18446744073709551615",
        "bytes=18446744073709551616-18446744073709551617",
        "bytes=0x0-0x1",
        "bytes=+0-1",
        "bytes=0-1e3",
        "bytes 0-1",
        "octets=0-1",
        "bytes=",
        "bytes",
        "",
        "bytes=a-b",
        "bytes=0--1",
        "bytes= 0-1",
        "bytes=0 -1",
        "bytes=٠-١",
        "Bytes=0-1",
    ] {
        case.refused(&ranged(range), 400, "InvalidParameterValueException");
    }
    // Whatever cannot be proved has no tree hash, and never a wrong one.
    for (range, first, last) in [
        ("bytes=0-0", 0, 0),
        ("bytes=1-1048575", 1, MIB - 1),
        ("bytes=524288-524289", 524_288, 524_289),
        ("bytes=0-9223372036854775806", 0, MIB - 1),
        ("bytes=0-", 0, MIB - 1),
        ("bytes=-1", MIB - 1, MIB - 1),
    ] {
        let answer = case.send(&ranged(range));
        assert_eq!(answer.status, 206, "{range}: {answer:?}");
        assert_eq!(answer.body, bytes[first..=last], "{range}");
        let is_whole = answer.body.len() == MIB;
        let tree_hash = answer.header("x-amz-sha256-tree-hash");
        assert_eq!(tree_hash, if is_whole { crate::case::hash(&bytes) } else { String::new() }, "{range}");
    }
    case.refused(&ranged("bytes=0-1").header("range", "bytes=2-3"), 403, "InvalidSignatureException");
    case.end();
}
