//! How much one peer may hold, and what it says of itself.

use std::io::Write;

use crate::case::{Case, MIB, batch, list_parts};
use crate::wire::{Request, connect, exchange, until_closed};

#[test]
fn a41_a_peer_is_who_it_is() {
    let case = Case::with("A41", &["--max-connections-per-address", "20"]);
    let token = case.token(&["demo"], &["upload"]);
    // Who says that it comes through a proxy is not at this machine.
    for (name, value) in [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("x-forwarded-host", "localhost"),
        ("via", "1.1 localhost"),
        ("x-forwarded-for", "203.0.113.9, 127.0.0.1"),
        ("X-Forwarded-For", "::1"),
        ("x-forwarded-for", ""),
    ] {
        case.refused(&Request::post("/v1/dev-token").json("{}").header(name, value), 404, "not_found");
    }
    // Nobody has more room by another name, and nobody is written down by one.
    for address in ["203.0.113.9", "198.51.100.7", "2001:db8::1", "planted"] {
        // Anew each time: who says nothing is not kept for long.
        let held: Vec<_> = (0..20).map(|_| connect(&case.host)).collect();
        case.count();
        let mut stream = connect(&case.host);
        let request = Request::get("/healthz").header("x-forwarded-for", address).header("x-real-ip", address);
        let _ = stream.write_all(&request.bytes(&case.host));
        assert_eq!(until_closed(&mut stream).len(), 0, "{address}");
        drop(held);
        until_there_is_room(&case);
    }
    for name in ["x-forwarded-for", "x-real-ip", "forwarded", "true-client-ip", "cf-connecting-ip", "x-client-ip"] {
        let request = case.sign(&token, batch(&[list_parts("demo")])).header(name, "203.0.113.9");
        assert_eq!(case.send(&request).status, 200, "{name}");
    }
    assert!(!case.log().contains("203.0.113.9") && !case.log().contains("planted"));
    case.end();
}

fn until_there_is_room(case: &Case) {
    let health = Request::get("/healthz").bytes(&case.host);
    while exchange(&case.host, &health).is_empty() {
        std::thread::yield_now();
    }
}

#[test]
fn a44_who_comes_when_all_is_taken_is_told_to_come_again() {
    let case = Case::with("A44", &["--max-requests", "4"]);
    let upload = case.initiate("demo");
    case.settle();
    let part = case.part("demo", &upload, 0, &vec![7; MIB]).request().bytes(&case.host);
    // Four parts that have begun, by asking for the rest of them.
    let mut parts: Vec<_> = (0..4)
        .map(|_| {
            let text = String::from_utf8_lossy(&part[..part.len() - MIB])
                .replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n");
            let mut stream = connect(&case.host);
            stream.write_all(text.as_bytes()).unwrap();
            let mut line = [0; 25];
            std::io::Read::read_exact(&mut stream, &mut line).unwrap();
            assert!(line.starts_with(b"HTTP/1.1 100 Continue"));
            stream
        })
        .collect();
    let token = case.token(&["demo"], &["upload"]);
    // At once, and not after the four: nobody waits in a queue.
    for _ in 0..10 {
        for request in [
            Request::get("/healthz"),
            case.sign(&token, batch(&[list_parts("demo")])),
            case.store("GET", "/-/vaults").request(),
        ] {
            let answer = case.refused(&request, 429, "-");
            assert_eq!(answer.header("retry-after"), "1");
            assert_eq!(answer.header("x-amzn-errortype"), "ThrottlingException");
        }
    }
    for stream in &mut parts {
        stream.write_all(&part[part.len() - MIB..]).unwrap();
    }
    for mut stream in parts {
        assert_eq!(until_closed(&mut stream)[0].status, 204);
    }
    case.settle();
    assert_eq!(case.send(&Request::get("/healthz")).status, 200);
    case.end();
}

#[test]
fn a45_an_address_is_an_address_whatever_it_asks_for() {
    let case = Case::with("A45", &["--max-connections-per-address", "3"]);
    let mut held: Vec<_> = (0..3).map(|_| connect(&case.host)).collect();
    for stream in &mut held {
        write!(stream, "GET /healthz HTTP/1.1\r\nHost: {}\r\n", case.host).unwrap();
    }
    for target in
        ["/healthz", "/HEALTHZ", "/healthz/", "/%68ealthz", "/healthz?x=1", "//healthz", "/v1/sign", "/-/vaults", "/"]
    {
        for method in ["GET", "HEAD", "POST"] {
            case.count();
            let mut stream = connect(&case.host);
            let _ = stream.write_all(&Request::new(method, target).bytes(&case.host));
            assert_eq!(until_closed(&mut stream).len(), 0, "{method} {target}");
        }
    }
    // Another address has a share of its own.
    let port = case.host.rsplit(':').next().unwrap();
    let other = std::process::Command::new("curl")
        .args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--interface", "127.0.0.2"])
        .arg(format!("http://127.0.0.1:{port}/healthz"))
        .output()
        .expect("curl is installed");
    assert_eq!(String::from_utf8_lossy(&other.stdout), "200");
    held.pop();
    until_there_is_room(&case);
    case.end();
}
