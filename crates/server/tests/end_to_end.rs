//! The binary on a real socket, from development token to archive.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use glacier_core::{PayloadHash, TreeHasher};
use serde_json::{Value, json};

const BIN: &str = env!("CARGO_BIN_EXE_glacier-upload-server");
const TOKEN_KEY: &str = "c0ffee8d1a4b97e2036fd85ab149c7702e63fb18d5904ca7be3182f6096d7a41";

struct Server {
    child: Child,
    host: String,
}

impl Server {
    fn start(data: &Path) -> Self {
        Self::start_by(Command::new(BIN), data)
    }

    fn start_by(mut command: Command, data: &Path) -> Self {
        let page = data.join("page");
        std::fs::create_dir_all(&page).unwrap();
        std::fs::write(page.join("index.html"), "<!doctype html>").unwrap();
        let mut child = command
            .args(["--listen", "127.0.0.1:0", "--vault", "demo", "--data"])
            .arg(data.join("data"))
            .arg("--page")
            .arg(page)
            .env("RUST_LOG", "trace")
            .env("GLACIER_UPLOAD_TOKEN_KEY", TOKEN_KEY)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::options().create(true).append(true).open(data.join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let host = line.trim().strip_prefix("listening on http://").expect("no address").to_owned();
        Self { child, host }
    }

    /// Sends one request and returns status, headers and body.
    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.host);
        head += &format!("content-length: {}\r\n", body.len());
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), head.to_owned(), body.to_owned())
    }

    fn dev_token(&self) -> String {
        let (status, _, body) = self.send("POST", "/v1/dev-token", &[("content-type", "application/json")], b"{}");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()["token"].as_str().unwrap().to_owned()
    }

    /// Has one intent signed.
    fn sign(&self, token: &str, intent: &Value) -> Value {
        let authorization = format!("Bearer {token}");
        let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
        let (status, _, body) =
            self.send("POST", "/v1/sign", &headers, json!({ "intents": [intent] }).to_string().as_bytes());
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()["requests"][0].clone()
    }

    fn send_signed(&self, request: &Value, body: &[u8]) -> (u16, String, String) {
        let headers: Vec<(&str, &str)> = request["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        self.send(request["method"].as_str().unwrap(), request["url"].as_str().unwrap(), &headers, body)
    }

    fn stop(mut self) {
        let terminated = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(terminated.success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn header(head: &str, name: &str) -> String {
    let line = head.lines().find(|line| line.starts_with(&format!("{name}:"))).expect("no such header");
    line.split_once(':').unwrap().1.trim().to_owned()
}

#[test]
fn a_file_becomes_an_archive_and_no_secret_becomes_a_log_line() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let token = server.dev_token();
    let bytes: Vec<u8> = (0..(1_u32 << 20) + 7).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let tree_hash = |bytes: &[u8]| {
        let mut hasher = TreeHasher::new();
        hasher.update(bytes);
        hasher.finish().to_string()
    };

    let initiate = json!({
        "op": "InitiateMultipartUpload", "vault": "demo", "partSize": 1 << 20, "size": bytes.len(),
        "description": "canary-description",
    });
    let request = server.sign(&token, &initiate);
    let mut secrets = vec![token.clone(), TOKEN_KEY.to_owned(), "canary-description".to_owned()];
    secrets.push(signature(&request));
    let (status, head, body) = server.send_signed(&request, b"");
    assert_eq!(status, 201, "{body}");
    let upload_id = header(&head, "x-amz-multipart-upload-id");

    let (first, second) = bytes.split_at(1 << 20);
    for (range, part) in [("0-1048575", first), ("1048576-1048582", second)] {
        let intent = json!({
            "op": "UploadMultipartPart", "vault": "demo", "uploadId": upload_id, "range": range,
            "payloadHash": PayloadHash::of(part).to_string(), "treeHash": tree_hash(part),
        });
        let request = server.sign(&token, &intent);
        secrets.push(signature(&request));
        // The signature holds for these bytes only.
        let (status, ..) = server.send_signed(&request, &vec![0; part.len()]);
        assert!((400..404).contains(&status), "{status}");
        let (status, head, body) = server.send_signed(&request, part);
        assert_eq!(status, 204, "{body}");
        assert_eq!(header(&head, "x-amz-sha256-tree-hash"), tree_hash(part));
    }

    let list = json!({ "op": "ListParts", "vault": "demo", "uploadId": upload_id });
    let (status, _, body) = server.send_signed(&server.sign(&token, &list), b"");
    assert_eq!((status, body.matches("RangeInBytes").count()), (200, 2), "{body}");

    let complete = json!({
        "op": "CompleteMultipartUpload", "vault": "demo", "uploadId": upload_id, "size": bytes.len(),
        "treeHash": tree_hash(&bytes),
    });
    let request = server.sign(&token, &complete);
    let (status, head, body) = server.send_signed(&request, b"");
    assert_eq!(status, 201, "{body}");
    assert!(!header(&head, "x-amz-archive-id").is_empty());
    assert_eq!(header(&head, "x-amz-sha256-tree-hash"), tree_hash(&bytes));

    // A forged token and a stray secret in places where they do not belong.
    let stray = [("authorization", "Bearer canary-stray"), ("content-type", "application/json")];
    let (status, _, body) = server.send("POST", "/v1/sign?canary-query", &stray, br#"{"canary-body":1}"#);
    assert_eq!(status, 401);
    assert!(!body.contains("canary"), "{body}");
    server.stop();

    let credentials = std::fs::read_to_string(folder.path().join("data/store-credentials")).unwrap();
    secrets.push(credentials.lines().nth(1).unwrap().to_owned());
    secrets.extend(["canary-stray", "canary-query", "canary-body"].map(String::from));
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.contains(r#""route":"/v1/sign""#) && log.contains(r#""subject":"developer""#), "{log}");
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log");
    }
    for line in log.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "not JSON: {line}");
    }
}

fn signature(request: &Value) -> String {
    request["headers"]["authorization"].as_str().unwrap().split_once("Signature=").unwrap().1.to_owned()
}

/// A stream would last as long as its token; what stops the program waits for no page.
#[test]
fn a_stop_ends_streams_of_events() {
    use glacier_core::glacier::VaultName;
    use glacier_upload_server::token::{Claims, TokenKey};
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claims = Claims {
        sub: "user-7".into(),
        vaults: vec![VaultName::new("demo").unwrap()],
        objects: vec![],
        ops: vec!["DescribeJob".into()],
        max_archive_bytes: 0,
        iat: now,
        exp: now + 3600,
        ..Claims::default()
    };
    let token = TokenKey::from_text(TOKEN_KEY).unwrap().mint(&claims).unwrap();
    let mut stream = TcpStream::connect(&server.host).unwrap();
    let head = format!("GET /v1/events?vault=demo HTTP/1.1\r\nhost: {}\r\n", server.host);
    write!(stream, "{head}authorization: Bearer {token}\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "HTTP/1.1 200 OK");
    assert!(lines.by_ref().any(|line| line.starts_with(": ")));
    server.stop();
    // The end of the last chunk, and of the connection.
    assert_eq!(lines.by_ref().filter(|line| !line.is_empty()).collect::<Vec<_>>(), ["0"]);
}

#[test]
fn an_archive_outlives_a_restart_and_secrets_are_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let secret = || std::fs::read_to_string(folder.path().join("data/store-credentials")).unwrap();
    let server = Server::start(folder.path());
    let token = server.dev_token();
    let before = secret();
    server.stop();
    let server = Server::start(folder.path());
    assert_eq!(secret(), before);
    // The token is as good as before, because the key is the same.
    let initiate = json!({ "op": "InitiateMultipartUpload", "vault": "demo", "partSize": 1 << 20, "size": 1 });
    let (status, ..) = server.send_signed(&server.sign(&token, &initiate), b"");
    assert_eq!(status, 201);
    let (status, _, body) = server.send("GET", "/healthz", &[], b"");
    assert_eq!((status, body.as_str()), (200, r#"{"status":"ok"}"#));
    server.stop();
}

#[test]
fn a_server_that_may_open_few_files_never_runs_out_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\"", BIN]);
    let server = Server::start_by(limited, folder.path());
    let mut connections: Vec<_> = (0..100).map(|_| TcpStream::connect(&server.host).unwrap()).collect();
    let request = format!("GET /healthz HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", server.host);
    // All are there before the first asks for anything, and who is let in and silent is not kept for long.
    for connection in &mut connections {
        connection.write_all(request.as_bytes()).unwrap();
    }
    let mut answers = 0;
    // The first are let in and the others wait, each until one before it is gone.
    for mut connection in connections {
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answers += usize::from(answer.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(answers, 100);
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(!log.contains("cannot accept connections"));
    server.stop();
}

/// What is acknowledged after the signal is stored like everything before it.
#[test]
fn a_part_in_flight_at_the_end_is_finished_and_stored_byte_by_byte() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let token = server.dev_token();
    let bytes: Vec<u8> = (0..1_u32 << 20).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let hash = PayloadHash::of(&bytes).to_string();
    let initiate =
        json!({ "op": "InitiateMultipartUpload", "vault": "demo", "partSize": 1 << 20, "size": bytes.len() });
    let (_, head, _) = server.send_signed(&server.sign(&token, &initiate), b"");
    let upload_id = header(&head, "x-amz-multipart-upload-id");
    let part = json!({
        "op": "UploadMultipartPart", "vault": "demo", "uploadId": upload_id, "range": "0-1048575",
        "payloadHash": hash, "treeHash": hash,
    });
    let request = server.sign(&token, &part);
    let mut head = format!("PUT {} HTTP/1.1\r\nhost: {}\r\n", request["url"].as_str().unwrap(), server.host);
    for (name, value) in request["headers"].as_object().unwrap() {
        head += &format!("{name}: {}\r\n", value.as_str().unwrap());
    }
    let mut idle = TcpStream::connect(&server.host).unwrap();
    write!(idle, "GET /healthz HTTP/1.1\r\nhost: {}\r\n\r\n", server.host).unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).unwrap();
    let mut stream = TcpStream::connect(&server.host).unwrap();
    write!(stream, "{head}content-length: {}\r\nexpect: 100-continue\r\n\r\n", bytes.len()).unwrap();
    let mut told_to_go_on = [0; 25];
    stream.read_exact(&mut told_to_go_on).unwrap();
    assert_eq!(&told_to_go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&bytes[..1000]).unwrap();

    assert!(Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap().success());
    // An idle connection is closed at once, and nobody is let in any more.
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).unwrap();
    assert!(TcpStream::connect(&server.host).is_err());
    stream.write_all(&bytes[1000..]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    let mut server = server;
    assert!(server.child.wait().unwrap().success());

    let server = Server::start(folder.path());
    let complete = json!({
        "op": "CompleteMultipartUpload", "vault": "demo", "uploadId": upload_id, "size": bytes.len(), "treeHash": hash,
    });
    let (status, head, body) = server.send_signed(&server.sign(&token, &complete), b"");
    assert_eq!((status, header(&head, "x-amz-sha256-tree-hash")), (201, hash), "{body}");
    server.stop();
    let stored = files(&folder.path().join("data"));
    assert!(stored.contains(&bytes), "no file has the bytes that were sent");
}

/// The contents of all files in a folder.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![std::fs::read(path).unwrap()] }).collect()
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    let mut stream = TcpStream::connect(&server.host).unwrap();
    let token = server.dev_token();
    let head = format!("POST /v1/sign HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n", server.host);
    write!(stream, "{head}content-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n")
        .unwrap();
    let mut told_to_go_on = [0; 25];
    stream.read_exact(&mut told_to_go_on).unwrap();
    let pid = server.child.id().to_string();
    let kill = || assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    kill();
    while TcpStream::connect(&server.host).is_ok() {
        std::thread::yield_now();
    }
    assert!(server.child.try_wait().unwrap().is_none(), "it waits for the request");
    kill();
    assert_eq!(server.child.wait().unwrap().code(), Some(2));
}

#[test]
fn grace_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(BIN);
    command.args(["--shutdown-grace", "0"]);
    let mut server = Server::start_by(command, folder.path());
    let token = server.dev_token();
    let mut stream = TcpStream::connect(&server.host).unwrap();
    let head = format!("POST /v1/sign HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n", server.host);
    write!(stream, "{head}content-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n")
        .unwrap();
    let mut told_to_go_on = [0; 25];
    stream.read_exact(&mut told_to_go_on).unwrap();
    assert!(Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap().success());
    assert!(!server.child.wait().unwrap().success());
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.contains("1 connections were cut off at shutdown"), "{log}");
}
