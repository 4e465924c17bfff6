//! Either side slow, silent, early or gone.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use crate::aws::{Aws, End, Fault, until};
use crate::gateway::{Gateway, VAULT, head_of, read_answer};

const MIB: usize = 1 << 20;

#[test]
fn a_browser_that_leaves_ends_the_store_s_part() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let bytes = vec![7; 8 * MIB];
    let upload_id = gateway.initiate(8 * MIB);
    let signed = gateway.sign_part(&upload_id, 0, &bytes[..MIB]);
    aws.seen();
    let mut stream = gateway.connect();
    stream.write_all(head_of(&signed, &gateway.host, Some(MIB)).as_bytes()).unwrap();
    stream.write_all(&bytes[..MIB / 2]).unwrap();
    let seen = aws.next();
    drop(stream);
    assert_ne!(seen.end(), End::Whole);
    let list = gateway.carry_out(&json!({ "op": "ListParts", "vault": VAULT, "uploadId": upload_id }), b"").json();
    assert_eq!(list["Parts"].as_array().unwrap().len(), 0);
}

#[test]
fn what_the_store_does_not_take_waits_in_the_browser() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let length = 64 * MIB;
    let bytes = vec![7; length];
    let upload_id = gateway.initiate_in_parts(length, length);
    let signed = gateway.sign_part(&upload_id, 0, &bytes);
    aws.seen();
    aws.fault(Fault::IsSilent);
    let mut stream = gateway.connect();
    stream.write_all(head_of(&signed, &gateway.host, Some(length)).as_bytes()).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut sent = 0;
    while sent < length {
        match stream.write(&bytes[sent..]) {
            Ok(len) => sent += len,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
            Err(error) => panic!("{error}"),
        }
    }
    // What the sockets of this machine hold, and no more.
    assert!(sent < 32 * MIB, "{sent}");
}

#[test]
fn a_browser_that_leaves_ends_the_part_although_the_store_takes_nothing() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let length = 64 * MIB;
    let bytes = vec![7; length];
    let upload_id = gateway.initiate_in_parts(length, length);
    let mut signed = gateway.sign_part(&upload_id, 0, &bytes);
    signed["headers"]["sec-fetch-mode"] = json!("cors");
    aws.seen();
    aws.fault(Fault::IsSilent);
    let before = gateway.connections_to(aws.address.port());
    let mut stream = gateway.connect();
    // As browsers do, which keep their connections.
    let head = head_of(&signed, &gateway.host, Some(length)).replace("connection: close\r\n", "");
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let piece = &bytes[..64 << 10];
    // Until nothing more fits anywhere, and the end of the connection cannot be sent either.
    let full = std::iter::repeat_with(|| stream.write(piece)).find_map(Result::err).unwrap();
    assert!(matches!(full.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{full}");
    assert!(gateway.connections_to(aws.address.port()) > 0);
    drop(stream);
    // Deadlines are tens of seconds away.
    until(|| (gateway.connections_to(aws.address.port()) < before.max(1)).then_some(()));
}

#[test]
fn parts_that_the_store_does_not_take_are_no_more_than_their_subject_may_have() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before_with(&aws, &["--max-requests-per-subject", "3"]);
    let bytes = vec![7; MIB];
    let signed = gateway.sign_part(&gateway.initiate(MIB), 0, &bytes);
    let head = head_of(&signed, &gateway.host, Some(MIB));
    aws.seen();
    aws.fault(Fault::IsSilent);
    let mut begun = Vec::new();
    for _ in 0..3 {
        let mut stream = gateway.connect();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&bytes[..1000]).unwrap();
        // The gateway has its seat before the store has its head.
        aws.next();
        begun.push(stream);
    }
    let refused = gateway.exchange(&head, &bytes);
    assert_eq!(refused.refusal(), (429, "too_many_requests".to_owned()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(aws.seen().is_empty());
    // Those that are given up leave their seats.
    aws.fault(None);
    drop(begun);
    until(|| (gateway.exchange(&head, &bytes).status == 204).then_some(()));
}

#[test]
fn an_answer_that_comes_early_is_passed_on_at_once() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let length = 64 * MIB;
    let upload_id = gateway.initiate_in_parts(length, length);
    let signed = gateway.sign_part(&upload_id, 0, &vec![7; length]);
    aws.seen();
    aws.fault(Fault::AnswersEarly(403, "AccessDeniedException"));
    let mut stream = gateway.connect();
    stream.write_all(head_of(&signed, &gateway.host, Some(length)).as_bytes()).unwrap();
    stream.write_all(&vec![7; 64 << 10]).unwrap();
    // The browser has most of the part still to send, and sends nothing.
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 403");
    let rest = {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        String::from_utf8(rest).unwrap()
    };
    assert!(rest.contains("AccessDeniedException"), "{rest}");
}

#[test]
fn a_store_that_is_down_is_worth_another_try() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::started(&format!("https://localhost:{}", closed.port()), &aws.ca_file);
    let describe = json!({ "op": "DescribeVault", "vault": VAULT });
    let answer = gateway.carry_out(&describe, b"");
    assert_eq!(answer.refusal(), (502, "store_unreachable".to_owned()));
    assert!(answer.json()["requestId"].is_string());
    assert!(gateway.log().contains("no connection could be made"));
}

#[test]
fn a_store_of_another_authority_is_sent_nothing() {
    let (aws, other) = (Aws::start(&[VAULT]), Aws::start(&[VAULT]));
    let gateway = Gateway::started(&format!("https://localhost:{}", aws.address.port()), &other.ca_file);
    let answer = gateway.carry_out(&json!({ "op": "DescribeVault", "vault": VAULT }), b"");
    assert_eq!(answer.refusal(), (502, "store_unreachable".to_owned()));
    assert!(gateway.log().contains("certificate"), "{}", gateway.log());
    assert!(aws.seen().is_empty());
}

#[test]
fn a_connection_that_the_store_cuts_is_worth_another_try() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let bytes = vec![7; MIB];
    let signed = gateway.sign_part(&gateway.initiate(MIB), 0, &bytes);
    aws.fault(Fault::Cuts);
    let send = || {
        let mut stream = gateway.connect();
        stream.write_all(head_of(&signed, &gateway.host, Some(MIB)).as_bytes()).unwrap();
        stream.write_all(&bytes).unwrap();
        read_answer(stream)
    };
    assert_eq!(send().refusal(), (502, "store_unreachable".to_owned()));
    aws.fault(None);
    assert_eq!(send().status, 204);
}

#[test]
fn many_parts_at_once_arrive_each_in_its_place() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let n = 24;
    let bytes: Vec<u8> = (0..n * MIB).map(|at| u8::try_from(at / 1000 % 256).unwrap()).collect();
    let upload_id = gateway.initiate(bytes.len());
    std::thread::scope(|scope| {
        for (index, part) in bytes.chunks(MIB).enumerate() {
            let (gateway, upload_id) = (&gateway, &upload_id);
            scope.spawn(move || {
                let signed = gateway.sign_part(upload_id, index * MIB, part);
                let answer = gateway.exchange(&head_of(&signed, &gateway.host, Some(MIB)), part);
                assert_eq!(answer.status, 204, "{answer:?}");
            });
        }
    });
    let complete = json!({
        "op": "CompleteMultipartUpload", "vault": VAULT, "uploadId": upload_id, "size": bytes.len(),
        "treeHash": glacier_core::TreeHash::of(&bytes).to_string(),
    });
    assert_eq!(gateway.carry_out(&complete, b"").status, 201);
    let received: u64 = aws.seen().iter().map(|seen| seen.received.load(Ordering::Relaxed)).sum();
    assert_eq!(received, bytes.len() as u64);
}

#[test]
fn a_shutdown_lets_a_part_arrive() {
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let bytes = vec![7; MIB];
    let signed = gateway.sign_part(&gateway.initiate(MIB), 0, &bytes);
    aws.seen();
    let mut stream = gateway.connect();
    stream.write_all(head_of(&signed, &gateway.host, Some(MIB)).as_bytes()).unwrap();
    stream.write_all(&bytes[..MIB / 2]).unwrap();
    aws.next();
    let stopping = std::thread::spawn({
        let folder = gateway.folder.path().join("log");
        move || {
            until(|| std::fs::read_to_string(&folder).unwrap().contains("shutting down").then_some(()));
            stream.write_all(&bytes[MIB / 2..]).unwrap();
            read_answer(stream).status
        }
    });
    gateway.stop();
    assert_eq!(stopping.join().unwrap(), 204);
}
