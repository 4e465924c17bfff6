//! An issuer of tokens with keys of its own, and gateways that ask it for them.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use glacier_upload_server::token::{Audience, Claims};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::process::{Gateway, now, send, sign};
use crate::{ask_until, authority, claims, list, token};

/// Its keys, and tokens of it.
fn issued() -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/issuer.mjs");
    let output = Command::new("node").args([script, &now().to_string()]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Answers every request with `body` while it is up, and with 503 otherwise. Gives its port.
fn issuer(body: String, tls: Option<Arc<ServerConfig>>) -> (u16, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let is_up = Arc::new(AtomicBool::new(false));
    let answers_well = is_up.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let is_up = answers_well.load(Ordering::SeqCst);
            match &tls {
                None => answer(stream, &body, is_up),
                Some(tls) => {
                    let connection = ServerConnection::new(tls.clone()).unwrap();
                    answer(StreamOwned::new(connection, stream), &body, is_up);
                }
            }
        }
    });
    (port, is_up)
}

/// One that goes away unanswered is none of the issuer's business.
fn answer(mut stream: impl Read + Write, body: &str, is_up: bool) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        request.extend(byte);
    }
    let status = if is_up { "200 OK" } else { "503 Down" };
    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
    let _ = stream.flush();
}

fn start(url: &str, flags: &[&str]) -> (tempfile::TempDir, Gateway) {
    let folder = tempfile::tempdir().unwrap();
    let place = ["--jwks", url, "--jwks-issuer", "https://id.example.com/", "--token-audience", "upload"];
    let gateway = Gateway::start(folder.path(), &[&place, flags].concat());
    (folder, gateway)
}

fn ready(gateway: &Gateway) -> u16 {
    send(&gateway.host, &gateway.host, "GET /readyz", &[], b"").status
}

/// What a token of the issuer's is answered with.
fn status_of(gateway: &Gateway, issued: &Value, algorithm: &str) -> u16 {
    let intent = json!({ "op": "ListParts", "vault": "photos", "uploadId": "u" });
    let token = issued["good"][algorithm].as_str().unwrap();
    sign(&gateway.host, &gateway.host, token, std::slice::from_ref(&intent)).status
}

#[test]
fn a_gateway_is_ready_when_it_has_its_issuers_keys() {
    let issued = issued();
    let (port, is_up) = issuer(issued["jwks"].to_string(), None);
    let url = format!("http://127.0.0.1:{port}/jwks.json");
    let (_folder, gateway) = start(&url, &[]);
    assert_eq!(ready(&gateway), 503);
    assert_eq!(send(&gateway.host, &gateway.host, "GET /healthz", &[], b"").status, 200);
    assert_eq!(status_of(&gateway, &issued, "RS256"), 401);
    // Tokens of the shared key need no issuer.
    let aud = Some(Audience::One("upload".into()));
    let own = token(&Claims { aud, ..claims() });
    assert_eq!(sign(&gateway.host, &gateway.host, &own, &[list()]).status, 200);
    is_up.store(true, Ordering::SeqCst);
    // One that starts now need not wait for its next try.
    let (_folder, gateway) = start(&url, &[]);
    ask_until(200, || ready(&gateway));
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        assert_eq!(status_of(&gateway, &issued, algorithm), 200, "{algorithm}");
    }
}

#[test]
fn an_issuer_is_believed_by_the_authority_of_ca_file_and_by_no_other() {
    let certificates = tempfile::tempdir().unwrap();
    authority::make(certificates.path());
    let issued = issued();
    let (port, is_up) = issuer(issued["jwks"].to_string(), Some(authority::server(certificates.path())));
    is_up.store(true, Ordering::SeqCst);
    let url = format!("https://localhost:{port}/.well-known/jwks.json?v=1");
    let ca_file = certificates.path().join("ca.pem");
    let (_folder, gateway) = start(&url, &["--ca-file", ca_file.to_str().unwrap()]);
    ask_until(200, || ready(&gateway));
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        assert_eq!(status_of(&gateway, &issued, algorithm), 200, "{algorithm}");
    }
    // To the public authorities it is nobody, and so it is to another private one.
    let elsewhere = tempfile::tempdir().unwrap();
    authority::make(elsewhere.path());
    let other = elsewhere.path().join("ca.pem");
    for flags in [&[][..], &["--ca-file", other.to_str().unwrap()]] {
        let (_folder, gateway) = start(&url, flags);
        assert_eq!(status_of(&gateway, &issued, "RS256"), 401, "{flags:?}");
        assert_eq!(ready(&gateway), 503);
        ask_until(true, || gateway.log().contains("certificate"));
    }
}
