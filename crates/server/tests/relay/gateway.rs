//! The gateway's binary with a Glacier elsewhere, and a browser's side of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use glacier_core::{PayloadHash, TreeHash};
use glacier_upload_server::token::{Claims, TokenKey};
use serde_json::{Value, json};

use crate::aws::{Aws, KEY_ID, SECRET};

const BIN: &str = env!("CARGO_BIN_EXE_glacier-upload-server");
pub(crate) const TOKEN_KEY: &str = "738f4edbe131b651ebdd959d9260b40bc84b8f7a7503265d87a6d1369e6b6adb";
pub(crate) const VAULT: &str = "demo";

/// What gateways answered in all tests of this program.
static TOLD: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

pub(crate) struct Gateway {
    child: Child,
    pub(crate) host: String,
    metrics: String,
    pub(crate) folder: tempfile::TempDir,
    token: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let line = self.head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
        Some(line.split_once(':').unwrap().1.trim())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Status and code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap_or("").to_owned())
    }
}

impl Gateway {
    pub(crate) fn before(aws: &Aws) -> Self {
        Self::started(&format!("https://localhost:{}", aws.address.port()), &aws.ca_file)
    }

    /// With these flags as well.
    pub(crate) fn before_with(aws: &Aws, flags: &[&str]) -> Self {
        Self::started_with(&format!("https://localhost:{}", aws.address.port()), &aws.ca_file, flags)
    }

    pub(crate) fn started(glacier: &str, ca_file: &Path) -> Self {
        Self::started_with(glacier, ca_file, &[])
    }

    fn started_with(glacier: &str, ca_file: &Path, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page");
        std::fs::create_dir_all(&page).unwrap();
        std::fs::write(page.join("index.html"), "<!doctype html>").unwrap();
        let mut child = Command::new(BIN)
            .args(["--listen", "127.0.0.1:0", "--vault", VAULT, "--glacier", glacier, "--ca-file"])
            .arg(ca_file)
            .args(["--metrics-listen", "127.0.0.1:0"])
            .args(flags)
            .arg("--data")
            .arg(folder.path().join("data"))
            .arg("--page")
            .arg(page)
            .env("RUST_LOG", "trace")
            .env("GLACIER_UPLOAD_TOKEN_KEY", TOKEN_KEY)
            .env("AWS_ACCESS_KEY_ID", KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let log = || std::fs::read_to_string(folder.path().join("log")).unwrap();
        let mut address = |begin: &str| match lines.next() {
            Some(Ok(line)) if line.starts_with(begin) => line[begin.len()..].trim_end_matches("/metrics").to_owned(),
            other => panic!("{other:?} {}", log()),
        };
        let (metrics, host) = (address("metrics on http://"), address("listening on http://"));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let claims = json!({
            "sub": "test", "vaults": [VAULT], "ops": ["upload", "read", "delete", "admin"],
            "maxArchiveBytes": 1_u64 << 45, "iat": now, "exp": now + 600,
        });
        let claims: Claims = serde_json::from_value(claims).unwrap();
        let token = TokenKey::from_text(TOKEN_KEY).unwrap().mint(&claims).unwrap();
        Self { child, host, metrics, folder, token }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// How many of its connections to that port are open. One that was given up is not, although the system may still
    /// try to get rid of what the other end does not take.
    pub(crate) fn connections_to(&self, port: u16) -> usize {
        let table = std::fs::read_to_string(format!("/proc/{}/net/tcp", self.child.id())).unwrap();
        let (to, established) = (format!("0100007F:{port:04X}"), "01");
        table
            .lines()
            .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>())
            .filter(|fields| fields[2] == to && fields[3] == established)
            .count()
    }

    /// Has one intent signed.
    pub(crate) fn sign(&self, intent: &Value) -> Value {
        let authorization = format!("Bearer {}", self.token);
        let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
        let body = json!({ "intents": [intent] }).to_string();
        let answer =
            self.exchange(&request("POST", "/v1/sign", &self.host, &headers, Some(body.len())), body.as_bytes());
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()["requests"][0].clone()
    }

    /// Has an intent signed and sends what comes of it.
    pub(crate) fn carry_out(&self, intent: &Value, body: &[u8]) -> Answer {
        let signed = self.sign(intent);
        let body = signed["body"].as_str().map_or(body, str::as_bytes).to_owned();
        self.exchange(&head_of(&signed, &self.host, Some(body.len())), &body)
    }

    /// Sends bytes as they are and reads the answer, which must be the only one.
    pub(crate) fn exchange(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = self.connect();
        stream.write_all(head.as_bytes()).unwrap();
        // An answer may come before the body has been taken.
        let _ = stream.write_all(body);
        read_answer(stream)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// Begins an upload in parts of 1 MiB and gives its ID.
    pub(crate) fn initiate(&self, size: usize) -> String {
        self.initiate_in_parts(1 << 20, size)
    }

    /// Begins an upload of `size` bytes in parts of `part_size` and gives its ID.
    pub(crate) fn initiate_in_parts(&self, part_size: usize, size: usize) -> String {
        let intent = json!({ "op": "InitiateMultipartUpload", "vault": VAULT, "partSize": part_size, "size": size });
        let answer = self.carry_out(&intent, b"");
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.header("x-amz-multipart-upload-id").unwrap().to_owned()
    }

    /// The signed request of a part that begins at `start`.
    pub(crate) fn sign_part(&self, upload_id: &str, start: usize, bytes: &[u8]) -> Value {
        self.sign(&json!({
            "op": "UploadMultipartPart", "vault": VAULT, "uploadId": upload_id,
            "range": format!("{start}-{}", start + bytes.len() - 1),
            "payloadHash": PayloadHash::of(bytes).to_string(), "treeHash": TreeHash::of(bytes).to_string(),
        }))
    }

    /// Everything that the process wrote: its log and its data folder.
    pub(crate) fn written(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn visit(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => visit(&path, found),
                    false => found.push((path.clone(), std::fs::read(&path).unwrap())),
                }
            }
        }
        let mut found = Vec::new();
        visit(self.folder.path(), &mut found);
        found
    }

    pub(crate) fn stop(mut self) {
        let terminated = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(terminated.success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Gateway {
    /// No key, nor the token, stands in anything that was written or answered.
    fn kept_its_secrets(&self) {
        let page = |host: &str, path: &str| {
            let mut stream = TcpStream::connect(host).ok()?;
            stream.write_all(request("GET", path, host, &[], None).as_bytes()).ok()?;
            Some(read_answer(stream).body)
        };
        // Of one that was stopped there is nothing to be had.
        let shown = ["/", "/healthz", "/none"].iter().filter_map(|path| page(&self.host, path));
        let metrics = page(&self.metrics, "/metrics");
        assert!(metrics.as_ref().is_none_or(|text| text.starts_with(b"# HELP ")), "{metrics:?}");
        let told = TOLD.lock().unwrap().clone().into_iter().chain(shown).chain(metrics.clone());
        let told: Vec<(PathBuf, Vec<u8>)> = told.map(|bytes| ("an answer".into(), bytes)).collect();
        let written = self.written();
        for (place, bytes) in written.iter().chain(&told) {
            for secret in [SECRET, TOKEN_KEY, &self.token] {
                assert!(!contains(bytes, secret), "{} has {secret}", place.display());
            }
        }
        for (place, bytes) in &written {
            assert!(!contains(bytes, "Signature="), "{} has a signature", place.display());
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.kept_its_secrets();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The head of a request; `length` for `content-length`.
pub(crate) fn request(method: &str, path: &str, host: &str, headers: &[(&str, &str)], length: Option<usize>) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if let Some(length) = length {
        head += &format!("content-length: {length}\r\n");
    }
    head + "\r\n"
}

/// The head of a signed request as a browser sends it.
pub(crate) fn head_of(signed: &Value, host: &str, length: Option<usize>) -> String {
    let headers: Vec<(&str, &str)> = signed["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    request(signed["method"].as_str().unwrap(), signed["url"].as_str().unwrap(), host, &headers, length)
}

pub(crate) fn read_answer(mut stream: TcpStream) -> Answer {
    let mut answer = Vec::new();
    let end = stream.read_to_end(&mut answer);
    let at = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let Some(at) = at else { panic!("no answer: {end:?} {:?}", String::from_utf8_lossy(&answer)) };
    let head = String::from_utf8(answer[..at].to_vec()).unwrap();
    TOLD.lock().unwrap().push(answer[..answer.len().min(64 << 10)].to_vec());
    Answer { status: head[9..12].parse().unwrap(), body: answer[at + 4..].to_vec(), head }
}
