//! A disk without room: what is begun can be ended either way, and what is given up makes room.

use std::io::{BufReader, Read, Write};

use serde_json::json;

use crate::case::{Case, MIB, batch, hash};
use crate::harvest::request_of;
use crate::wire::{Answer, Request, connect, exchange, next_answer, until_closed};

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

/// Bytes that are free on the disk of a case.
fn free(case: &Case) -> u64 {
    let mut stat = std::process::Command::new("stat");
    let output = stat.args(["-f", "-c", "%a %S"]).arg(case.path("data")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().map(|number| number.parse::<u64>().unwrap()).product()
}

fn refuses_for_want_of_room(answers: &[Answer]) {
    assert_eq!(answers.len(), 1, "{answers:?}");
    let (status, code) = (answers[0].status, answers[0].code());
    assert_eq!((status, code.as_str()), (507, "InsufficientStorageException"), "{}", answers[0].text);
}

/// Sends what there must be no room for.
fn has_no_room(case: &Case, request: &Request) {
    case.count();
    refuses_for_want_of_room(&exchange(&case.host, &request.bytes(&case.host)));
}

fn open_uploads(case: &Case, vault: &str) -> usize {
    let (mut count, mut query) = (0, String::new());
    loop {
        let page = case.store("GET", &format!("/-/vaults/{vault}/multipart-uploads{query}")).request();
        let page = case.done(&page).json();
        count += page["UploadsList"].as_array().unwrap().len();
        let Some(marker) = page["Marker"].as_str() else { return count };
        query = format!("?marker={marker}");
    }
}

fn complete(case: &Case, vault: &str, upload: &str, bytes: &[u8]) -> Request {
    case.store("POST", &format!("/-/vaults/{vault}/multipart-uploads/{upload}"))
        .with("x-amz-archive-size", &bytes.len().to_string())
        .with("x-amz-sha256-tree-hash", &hash(bytes))
        .request()
}

fn abort(case: &Case, vault: &str, upload: &str) -> Request {
    case.store("DELETE", &format!("/-/vaults/{vault}/multipart-uploads/{upload}")).request()
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
    let archive = case.done(&complete(&case, "demo", &whole, &bytes)).header("x-amz-archive-id");
    case.done(&abort(&case, "films", &half));
    assert_eq!(held(&case), MIB as u64, "what was given up is gone");
    case.done(&case.store("DELETE", &format!("/-/vaults/demo/archives/{archive}")).request());
    assert_eq!(held(&case), 0);

    // And with room again, the upload that was begun without goes on.
    case.restart(&[]);
    case.done(&case.part("demo", &begun, 0, &bytes).request());
    assert_eq!(held(&case), MIB as u64);
    case.settle();
    case.add(one_tenant_fills_the_disk() + the_disk_is_full_to_the_last_byte() + uploads_are_begun_without_end());
    case.end();
}

/// With the reserve that there is unless somebody says otherwise.
fn one_tenant_fills_the_disk() -> usize {
    const RESERVE: u64 = 64 << 20;
    let case = Case::with_disk("A43", 76, &[]);
    let bytes = vec![7; MIB];
    let theirs = case.initiate("films");
    case.done(&case.part("films", &theirs, 0, &bytes).request());
    let upload = case.initiate("demo");
    let part = |at: usize| case.part("demo", &upload, at * MIB, &bytes).request().bytes(&case.host);
    let answers = (0..76).map(|at| exchange(&case.host, &part(at)));
    let mut refused = answers.skip_while(|answers| answers[0].status == 204);
    refuses_for_want_of_room(&refused.next().unwrap());
    case.count();
    let taken = held(&case);
    assert!(taken > 2 * MIB as u64 && free(&case) >= RESERVE, "{taken} taken and {} free", free(&case));

    // The others go on with what they have, and get it back.
    let archive = case.done(&complete(&case, "films", &theirs, &bytes)).header("x-amz-archive-id");
    case.retrieval("films", &archive);
    case.done(&case.store("PUT", "/-/vaults/more").request());
    assert!(free(&case) >= RESERVE - MIB as u64, "metadata is small");

    // All that the one had comes back, and then there is room for everybody.
    case.done(&abort(&case, "demo", &upload));
    assert_eq!(held(&case), MIB as u64);
    case.archive("films", &bytes);
    case.settle();
    case.is_unharmed();
    case.sent()
}

/// Without any reserve, while a part arrives.
fn the_disk_is_full_to_the_last_byte() -> usize {
    let case = Case::with_disk("A43", 8, &["--min-free-bytes", "0"]);
    let bytes = vec![7; MIB];
    let kept = case.archive("films", &bytes);
    let upload = case.initiate("demo");
    let mut part = case.part("demo", &upload, 0, &bytes).request();
    part = part.header("expect", "100-continue");
    let request = part.bytes(&case.host);
    let (head, body) = request.split_at(request.len() - MIB);
    let mut stream = connect(&case.host);
    stream.write_all(head).unwrap();
    let mut line = [0; 25];
    stream.read_exact(&mut line).unwrap();
    assert!(line.starts_with(b"HTTP/1.1 100 Continue\r\n"));
    let incoming = case.path("data/incoming");
    while std::fs::read_dir(&incoming).unwrap().next().is_none() {
        std::thread::yield_now();
    }
    // There was room for it, and now there is none.
    let filler = case.path("data/filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while file.write(&[0; 4096]).is_ok_and(|written| written > 0) {}
    assert_eq!(free(&case), 0);
    case.count();
    let _ = stream.write_all(body);
    refuses_for_want_of_room(&until_closed(&mut stream));
    assert_eq!(held(&case), MIB as u64, "nothing of it stays");

    // The log of the database has room for a few more, and then not even that. Nothing is said that is not so.
    let begin = || {
        let begin = case.store("POST", "/-/vaults/demo/multipart-uploads").with("x-amz-part-size", "1048576");
        exchange(&case.host, &begin.request().bytes(&case.host))
    };
    let mut begun = 1;
    let refused = loop {
        let answers = begin();
        if answers[0].status != 201 {
            break answers;
        }
        begun += 1;
        assert!(begun < 10_000, "there is room");
    };
    case.count();
    refuses_for_want_of_room(&refused);
    for _ in 0..10 {
        has_no_room(&case, &case.upload("demo", b"x").request());
    }
    assert_eq!(open_uploads(&case, "demo"), begun, "what was answered is so, and nothing else");

    // With room again, without a restart.
    drop(file);
    std::fs::remove_file(&filler).unwrap();
    case.done(&case.part("demo", &upload, 0, &bytes).request());
    case.done(&complete(&case, "demo", &upload, &bytes));
    case.retrieval("films", &kept);
    case.settle();
    case.is_unharmed();
    case.sent()
}

/// Sends the same request so often, on a few connections that stay, and each has the same answer.
fn refused_on_end(case: &Case, request: &Request, count: usize) {
    const LANES: usize = 8;
    let bytes = request.clone().header("connection", "keep-alive").bytes(&case.host);
    let host = &case.host;
    let lane = || {
        let mut stream = BufReader::new(connect(host));
        for _ in 0..count / LANES {
            stream.get_mut().write_all(&bytes).unwrap();
            let answer = next_answer(&mut stream);
            assert_eq!((answer.status, answer.code().as_str()), (429, "ThrottlingException"), "{answer:?}");
        }
    };
    std::thread::scope(|scope| (0..LANES).for_each(|_| drop(scope.spawn(lane))));
    case.add(count);
}

/// Whose every row stays for a day. One signature is enough for all of them, for as long as it lives.
fn uploads_are_begun_without_end() -> usize {
    let mut case = Case::with("A43", &["--max-open-uploads", "50"]);
    let token = case.token(&["demo"], &["upload"]);
    let intent = json!({ "op": "InitiateMultipartUpload", "vault": "demo", "partSize": MIB, "size": MIB });
    let signed = exchange(&case.host, &case.sign(&token, batch(&[intent])).bytes(&case.host)).remove(0).json();
    let begin = request_of(&signed["requests"][0], b"");
    let begun: Vec<_> = (0..50).map(|_| case.done(&begin).header("x-amz-multipart-upload-id")).collect();
    case.settle();
    // A tenth of the 100,000 that the case names, for which a debug build takes more than a minute of two processors:
    // nothing but this loop knows how many came before.
    refused_on_end(&case, &begin, 10_000);
    assert_eq!(open_uploads(&case, "demo"), 50);
    case.is_unharmed();

    // Another vault has its own, and what was begun goes on; each that ends makes room for one.
    let bytes = vec![7; MIB];
    for (vault, upload) in [("films", &case.initiate("films")), ("demo", &begun[0])] {
        case.done(&case.part(vault, upload, 0, &bytes).request());
        case.done(&complete(&case, vault, upload, &bytes));
    }
    case.done(&abort(&case, "demo", &begun[1]));
    for _ in 0..2 {
        case.done(&begin);
    }
    case.settle();
    case.refused(&begin, 429, "ThrottlingException");
    case.is_unharmed();

    // And whoever wants no bound says so.
    case.restart(&["--max-open-uploads", &u64::MAX.to_string()]);
    case.initiate("demo");
    assert_eq!(open_uploads(&case, "demo"), 51);
    case.sent()
}
