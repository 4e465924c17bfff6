//! A disk without room: what is begun can be ended either way, and what is given up makes room.

use crate::case::{Case, MIB, hash};
use crate::wire::{Request, exchange};

/// More than any disk has.
const ALL: &str = "1152921504606846976";

/// Bytes of archives and parts on the disk, arriving ones included.
fn held(case: &Case) -> u64 {
    let bytes = |folder: &str| -> u64 {
        let entries = std::fs::read_dir(case.path("data").join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
    };
    bytes("files") + bytes("incoming")
}

/// Sends what there must be no room for.
fn has_no_room(case: &Case, request: &Request) {
    case.count();
    let answers = exchange(&case.host, &request.bytes(&case.host));
    assert_eq!(answers.len(), 1, "{answers:?}");
    let (status, code) = (answers[0].status, answers[0].code());
    assert_eq!((status, code.as_str()), (507, "InsufficientStorageException"), "{}", answers[0].text);
}

#[test]
fn a43_a_full_disk_refuses_bytes_and_nothing_else() {
    let mut case = Case::new("A43");
    let bytes = vec![7; MIB];
    let (whole, half) = (case.initiate("demo"), case.initiate("films"));
    case.done(&case.part("demo", &whole, 0, &bytes).request());
    case.done(&case.part("films", &half, 0, &bytes).request());
    assert_eq!(held(&case), 2 * MIB as u64);

    // From here on less is free than is to stay free.
    case.restart(&["--min-free-bytes", ALL]);
    has_no_room(&case, &case.part("films", &half, MIB, &bytes).request());
    has_no_room(&case, &case.part("demo", &whole, 0, &bytes).request());
    has_no_room(&case, &case.upload("demo", &bytes).request());
    has_no_room(&case, &case.upload("demo", b"x").request());
    assert_eq!(held(&case), 2 * MIB as u64, "nothing of what was refused stays");

    // Metadata has its room: uploads begin, are listed, completed and given up.
    let begun = case.initiate("demo");
    for upload in [&begun, &whole] {
        case.done(&case.store("GET", &format!("/-/vaults/demo/multipart-uploads/{upload}")).request());
    }
    let complete = case
        .store("POST", &format!("/-/vaults/demo/multipart-uploads/{whole}"))
        .with("x-amz-archive-size", &MIB.to_string())
        .with("x-amz-sha256-tree-hash", &hash(&bytes));
    let archive = case.done(&complete.request()).header("x-amz-archive-id");
    case.done(&case.store("DELETE", &format!("/-/vaults/films/multipart-uploads/{half}")).request());
    assert_eq!(held(&case), MIB as u64, "what was given up is gone");
    case.done(&case.store("DELETE", &format!("/-/vaults/demo/archives/{archive}")).request());
    assert_eq!(held(&case), 0);

    // And with room again, the upload that was begun without goes on.
    case.restart(&[]);
    case.done(&case.part("demo", &begun, 0, &bytes).request());
    assert_eq!(held(&case), MIB as u64);
    case.settle();
    case.end();
}
