//! Two who want the same thing at once.

use std::io::{Read, Write};

use glacier_core::TreeHasher;
use serde_json::json;

use crate::case::{Case, MIB};
use crate::wire::{Request, connect, exchange};

#[test]
fn a47_no_archive_is_lost_with_its_vault() {
    let case = Case::new("A47");
    let send = |request: &Request| {
        case.count();
        exchange(&case.host, &request.bytes(&case.host)).remove(0)
    };
    let mut kept = Vec::new();
    for round in 0..40 {
        let vault = format!("race-{round}");
        case.done(&case.store("PUT", &format!("/-/vaults/{vault}")).request());
        let upload = case.upload(&vault, b"kept").request();
        let delete = case.store("DELETE", &format!("/-/vaults/{vault}")).request();
        let (uploaded, deleted) = std::thread::scope(|scope| {
            let host = &case.host;
            let exchanged =
                |request: Request| scope.spawn(move || exchange(host, &request.bytes(host)).remove(0).status);
            let (upload, delete) = (exchanged(upload), exchanged(delete));
            (upload.join().unwrap(), delete.join().unwrap())
        });
        let there = send(&case.store("GET", &format!("/-/vaults/{vault}")).request()).status;
        match (uploaded, deleted, there) {
            (201, 400, 200) => kept.push(vault),
            (404, 204, 404) => {}
            other => panic!("round {round}: upload, deletion, vault: {other:?}"),
        }
    }
    for vault in &kept {
        let delete = send(&case.store("DELETE", &format!("/-/vaults/{vault}")).request());
        assert_eq!(delete.status, 400, "{vault} has an archive");
    }
    case.add(80 - case.sent());
    case.settle();
    case.end();
}

#[test]
fn a48_what_is_read_is_what_was_stored() {
    let case = Case::new("A48");
    let bytes: Vec<u8> = (0..24 * MIB).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let mut tree_hash = TreeHasher::new();
    tree_hash.update(&bytes);
    let tree_hash = tree_hash.finish().to_string();
    for read_before in [0, 1, 1 << 16, MIB] {
        case.count();
        let upload = case.upload("demo", &bytes).with("x-amz-sha256-tree-hash", &tree_hash);
        let archive = case.done(&upload.request()).header("x-amz-archive-id");
        let job = case.retrieval("demo", &archive);
        let output = case.store("GET", &format!("/-/vaults/demo/jobs/{job}/output")).request();
        let mut stream = connect(&case.host);
        stream.write_all(&output.bytes(&case.host)).unwrap();
        let mut answer = vec![0; 12 + read_before];
        stream.read_exact(&mut answer).unwrap();
        case.done(&case.store("DELETE", &format!("/-/vaults/demo/archives/{archive}")).request());
        stream.read_to_end(&mut answer).unwrap();
        let body = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        assert!(answer.starts_with(b"HTTP/1.1 200 ") && answer[body..] == bytes, "after {read_before}");
        // Who asks from now on learns that it is gone.
        let again = case.store("POST", "/-/vaults/demo/jobs");
        let again = again.body(json!({ "Type": "archive-retrieval", "ArchiveId": archive }).to_string());
        case.refused(&again.request(), 404, "ResourceNotFoundException");
    }
    case.settle();
    case.end();
}
