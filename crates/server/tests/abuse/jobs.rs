//! What belongs to somebody else: uploads, jobs, and what jobs give out.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::case::{Case, MIB, batch};

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
    let case = Case::new("A10");
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
    case.end();
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
        assert!([200, 206].contains(&answer.status), "{range}: {answer:?}");
        assert_eq!(answer.body, bytes[first..=last], "{range}");
        let is_whole = answer.body.len() == MIB;
        let tree_hash = answer.header("x-amz-sha256-tree-hash");
        assert_eq!(tree_hash, if is_whole { crate::case::hash(&bytes) } else { String::new() }, "{range}");
    }
    case.refused(&ranged("bytes=0-1").header("range", "bytes=2-3"), 403, "InvalidSignatureException");
    case.end();
}
