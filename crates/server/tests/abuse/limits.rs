//! How much one peer may hold, and what it says of itself.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use serde_json::{Value, json};

use crate::case::{Case, MIB, batch, hash, list_parts};
use crate::harvest::request_of;
use crate::wire::{Answer, Request, connect, exchange, until, until_closed};

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
    // Nobody has more room by another name.
    let mut held: Vec<_> = (0..20).map(|_| hold(&case)).collect();
    for address in ["203.0.113.9", "198.51.100.7", "2001:db8::1", "planted"] {
        case.count();
        let mut stream = connect(&case.host);
        let request = Request::get("/healthz").header("x-forwarded-for", address).header("x-real-ip", address);
        let _ = stream.write_all(&request.bytes(&case.host));
        assert_eq!(until_closed(&mut stream).len(), 0, "{address}");
    }
    // Those that were held were so all the time. Nobody is written down by another name.
    for name in ["x-forwarded-for", "x-real-ip", "forwarded", "true-client-ip", "cf-connecting-ip", "x-client-ip"] {
        case.count();
        let request = case.sign(&token, batch(&[list_parts("demo")])).header(name, "203.0.113.9");
        assert_eq!(last_answer(&case, held.pop().unwrap(), &request).status, 200, "{name}");
    }
    for stream in held {
        assert_eq!(last_answer(&case, stream, &Request::get("/healthz")).status, 200);
    }
    let log = case.log();
    assert!(!log.contains("203.0.113.9") && !log.contains("planted"));
    let answered = log.lines().filter(|line| line.contains("\"answered\""));
    let clients: Vec<_> =
        answered.map(|line| serde_json::from_str::<Value>(line).unwrap()["fields"]["client"].clone()).collect();
    assert!(clients.len() >= 8 + 20 + 6 + 14, "{} requests are in the log", clients.len());
    assert!(clients.iter().all(|client| client == "127.0.0.1"), "{clients:?}");
    case.end();
}

/// A connection that counts: it has had an answer, and stays. Tried again until then, because the server may not have
/// noticed yet that those before it are gone.
fn hold(case: &Case) -> TcpStream {
    let stays = Request::get("/healthz").header("connection", "keep-alive").bytes(&case.host);
    loop {
        let mut stream = connect(&case.host);
        let mut answer = Vec::new();
        if stream.write_all(&stays).is_ok() {
            while !answer.ends_with(HEALTHY) {
                let mut byte = [0];
                match stream.read(&mut byte) {
                    Ok(1) => answer.push(byte[0]),
                    _ => break,
                }
            }
        }
        if answer.ends_with(HEALTHY) {
            assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
            return stream;
        }
        std::thread::yield_now();
    }
}

const HEALTHY: &[u8] = br#"{"status":"ok"}"#;

/// Sends a request on a connection that is held, and gives its answer and the connection up.
fn last_answer(case: &Case, mut stream: TcpStream, request: &Request) -> Answer {
    stream.write_all(&request.bytes(&case.host)).unwrap();
    let mut answers = until_closed(&mut stream);
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers.remove(0)
}

/// Until at least one connection of those that were dropped is gone at the server as well.
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
            stream.read_exact(&mut line).unwrap();
            assert!(line.starts_with(b"HTTP/1.1 100 Continue"));
            stream
        })
        .collect();
    let token = case.token(&["demo"], &["upload"]);
    // At once, and not after the four: nobody waits in a queue. They go on meanwhile, because a body that stops is given up.
    let piece = MIB / 16;
    for nth in 0..10 {
        for stream in &mut parts {
            stream.write_all(&part[part.len() - MIB + nth * piece..][..piece]).unwrap();
        }
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
        stream.write_all(&part[part.len() - MIB + 10 * piece..]).unwrap();
    }
    for mut stream in parts {
        assert_eq!(until_closed(&mut stream)[0].status, 204);
    }
    case.settle();
    assert_eq!(case.send(&Request::get("/healthz")).status, 200);
    case.add(one_subject_leaves_room());
    case.end();
}

/// Four at once of one subject, among as many as there are of everybody.
fn one_subject_leaves_room() -> usize {
    let case = Case::with("A44", &["--max-requests-per-subject", "4"]);
    let upload = case.initiate("demo");
    case.settle();
    let bytes = vec![7; MIB];
    let token = |sub: &str| {
        let mut claims = case.keys.claims(&["demo"], &["upload"]);
        claims["sub"] = sub.into();
        case.keys.token(&claims)
    };
    let (greedy, other) = (token("a greedy \u{fc}ser"), token("user-8"));
    let part = |token: &str| {
        let intent = json!({
            "op": "UploadMultipartPart", "vault": "demo", "uploadId": upload, "range": format!("0-{}", MIB - 1),
            "payloadHash": hash(&bytes), "treeHash": hash(&bytes),
        });
        let signed = case.done(&case.sign(token, batch(&[intent]))).json();
        request_of(&signed["requests"][0], &bytes)
    };
    let (theirs, others) = (part(&greedy), part(&other));
    let begin = |request: &Request| {
        let request = request.clone().header("expect", "100-continue").bytes(&case.host);
        let mut stream = connect(&case.host);
        stream.write_all(&request[..request.len() - MIB]).unwrap();
        let mut line = [0; 25];
        stream.read_exact(&mut line).unwrap();
        assert!(line.starts_with(b"HTTP/1.1 100 Continue"), "{}", String::from_utf8_lossy(&line));
        stream
    };
    let mut begun: Vec<_> = (0..4).map(|_| begin(&theirs)).collect();
    let refused = |request: &Request| {
        let answer = case.refused(request, 429, "too_many_requests");
        assert_eq!(answer.header("retry-after"), "1");
    };
    // With whatever token, and for whatever of theirs.
    let again = case.sign(&token("a greedy \u{fc}ser"), batch(&[list_parts("demo")]));
    let piece = MIB / 16;
    for nth in 0..5 {
        for stream in &mut begun {
            stream.write_all(&bytes[nth * piece..][..piece]).unwrap();
        }
        refused(&theirs);
        refused(&again);
    }
    // Without their name, or by another, it is not what was signed.
    let name = "x-amz-subject";
    let anonymous = theirs.clone().without(name);
    for request in [
        anonymous.clone(),
        anonymous.clone().header(name, "user-8"),
        anonymous.clone().header(name, "a%20greedy%20%c3%bcser"),
        theirs.clone().header(name, "user-8"),
        others.clone().without(name).header(name, "a%20greedy%20%C3%BCser"),
    ] {
        case.refused(&request, 403, "InvalidSignatureException");
    }
    // Everybody else goes on: nobody has lost a seat to one who only says that he is it.
    for _ in 0..3 {
        case.count();
        assert_eq!(exchange(&case.host, &others.bytes(&case.host))[0].status, 204);
    }
    for stream in &mut begun {
        stream.write_all(&bytes[5 * piece..]).unwrap();
    }
    for mut stream in begun {
        assert_eq!(until_closed(&mut stream)[0].status, 204);
    }
    // One that was given up makes room as well, once the server knows.
    let left: Vec<_> = (0..4).map(|_| begin(&theirs)).collect();
    refused(&theirs);
    drop(left);
    until("a seat stays taken", || exchange(&case.host, &theirs.bytes(&case.host))[0].status == 204);
    case.settle();
    case.is_unharmed();
    case.sent()
}

#[test]
fn a45_a_quota_is_somebodys_whatever_is_asked_for_and_how() {
    let case = Case::with("A45", &["--max-connections-per-address", "3"]);
    let mut held: Vec<_> = (0..3).map(|_| hold(&case)).collect();
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
    case.add(rates());
    case.end();
}

/// Of one a second and ten at once: for a subject with a token, and for a stranger's network.
fn rates() -> usize {
    let flags = ["--trusted-proxy", "127.0.0.1/32", "--subject-rate", "1", "--anonymous-rate", "1"];
    let case = Case::with("A45", &flags);
    let intents = batch(&[list_parts("demo")]);
    // A new token, a new connection and a new address for each, and every spelling that is still this path.
    let subject = |n: usize| {
        let mut claims = case.keys.claims(&["demo"], &["upload"]);
        claims["jti"] = format!("refreshed-{n}").into();
        let mut request = case.sign(&case.keys.token(&claims), intents.clone());
        request.target = ["/v1/sign", "/v1/sign?", "/v1/sign?x=1", "/v1/sign?n=%61"][n % 4].into();
        request.header("x-forwarded-for", &format!("198.51.100.{}", n % 250))
    };
    // One subscriber has 2^64 addresses.
    let stranger = |n: usize| {
        let request = Request::post("/v1/sign").json(intents.clone());
        let request =
            if n.is_multiple_of(2) { request } else { request.header("authorization", &format!("Bearer x{n}")) };
        request.header("x-forwarded-for", &format!("2001:db8:0:7::{n:x}"))
    };
    pass_by_one_a_second(&case, subject, 200);
    pass_by_one_a_second(&case, stranger, 401);
    // What is not the path is not a way around the quota, because it is no way at all.
    for (method, target, status, code) in [
        ("HEAD", "/v1/sign", 405, "-"),
        ("GET", "/v1/sign", 405, "method_not_allowed"),
        ("POST", "/v1/sign/", 404, "not_found"),
        ("POST", "/v1/SIGN", 404, "not_found"),
        ("POST", "/V1/sign", 405, "-"),
        ("POST", "/v1/%73ign", 404, "not_found"),
        ("POST", "//v1/sign", 405, "-"),
    ] {
        let mut request = subject(1);
        (request.method, request.target) = (method.into(), target.into());
        case.refused(&request, status, code);
    }
    // The neighbours have theirs.
    let mut claims = case.keys.claims(&["demo"], &["upload"]);
    claims["sub"] = "user-8".into();
    assert_eq!(case.send(&case.sign(&case.keys.token(&claims), intents.clone())).status, 200);
    let neighbour = Request::post("/v1/sign").json(intents).header("x-forwarded-for", "2001:db8:0:8::1");
    case.refused(&neighbour, 401, "token_missing");
    case.is_unharmed();
    case.sent()
}

/// Sends 200 requests, of which no more than ten and one for each second are answered with `passed`. However slow we are,
/// that holds.
fn pass_by_one_a_second(case: &Case, request: impl Fn(usize) -> Request, passed: u16) {
    let begun = Instant::now();
    let answers: Vec<_> = (0..200).map(|n| case.send(&request(n))).collect();
    let (passes, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == passed);
    for answer in &refused {
        let shown = (answer.status, answer.code(), answer.header("retry-after"));
        assert_eq!(shown, (429, "too_many_requests".to_owned(), "1".to_owned()));
    }
    let most = 10 + begun.elapsed().as_secs() + 1;
    assert!((10..=most).contains(&(passes.len() as u64)), "{} of at most {most}", passes.len());
}
