//! The binary as a process of its own, and requests to it on real sockets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

const BIN: &str = env!("CARGO_BIN_EXE_glacier-upload-server");
/// Of `openssl rand -hex 32`, and of nothing else.
pub(crate) const TOKEN_KEY: &str = "41b7d0e9a65c28f3176e9d04b8c2f5a1e37d609c5b8a42f1d6e0739b1c84fa25";

/// What gateways answered in all tests of this program.
static TOLD: Mutex<String> = Mutex::new(String::new());

pub(crate) struct Gateway {
    child: Child,
    /// What it was told in variables, and keeps to itself.
    secrets: Vec<String>,
    pub(crate) host: String,
    /// Where its metrics are, if it was told to serve them.
    pub(crate) metrics: Option<String>,
    log: PathBuf,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = |line: &'_ str| line.strip_prefix(name)?.strip_prefix(": ").map(str::len);
        self.head.lines().find_map(|line| value(line).map(|len| &line[line.len() - len..])).unwrap_or("")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

impl Gateway {
    /// Starts one in `folder`, which is its own, with these flags beside what it needs.
    pub(crate) fn start(folder: &Path, flags: &[&str]) -> Self {
        Self::start_with(folder, flags, &[])
    }

    /// The same, with these variables as well.
    pub(crate) fn start_with(folder: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        std::fs::create_dir_all(folder.join("page")).unwrap();
        std::fs::write(folder.join("page/index.html"), "<!doctype html>").unwrap();
        let log = folder.join("log");
        let mut child = Command::new(BIN)
            .args(["--listen", "127.0.0.1:0", "--vault", "demo", "--data", "data", "--page", "page"])
            .args(flags)
            .current_dir(folder)
            .env_clear()
            .env("RUST_LOG", "trace")
            .env("GLACIER_UPLOAD_TOKEN_KEY", TOKEN_KEY)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut metrics = None;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let host = loop {
            let line = lines.next().unwrap_or_else(|| panic!("{}", std::fs::read_to_string(&log).unwrap())).unwrap();
            if let Some(url) = line.strip_prefix("metrics on http://") {
                metrics = Some(url.trim_end_matches("/metrics").to_owned());
            }
            if let Some(host) = line.strip_prefix("listening on http://") {
                break host.to_owned();
            }
        };
        let is_secret = |name: &str| name.contains("SECRET") || name.contains("SESSION_TOKEN");
        let secrets = variables.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| (*value).to_owned());
        let secrets = secrets.chain([TOKEN_KEY.to_owned()]).collect();
        Self { child, secrets, host, metrics, log }
    }

    /// Its whole lines. The last may be on its way.
    pub(crate) fn log(&self) -> String {
        let mut log = std::fs::read_to_string(&self.log).unwrap();
        log.truncate(log.rfind('\n').map_or(0, |end| end + 1));
        log
    }

    /// As a crash or a machine that is gone: nothing is finished.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Gateway {
    /// No key stands in anything that was written or answered, no token and no signature in the log.
    fn kept_its_secrets(&self) {
        let folder = self.log.parent().unwrap();
        let made = std::fs::read_to_string(folder.join("data/store-credentials")).unwrap_or_default();
        let secrets = self.secrets.iter().map(String::as_str).chain(made.lines().nth(1));
        if let Some(metrics) = &self.metrics {
            assert!(send(metrics, metrics, "GET /metrics", &[], b"").body.starts_with("# HELP "));
        }
        let (told, written) = (TOLD.lock().unwrap().clone(), written(folder));
        for secret in secrets {
            assert!(!told.contains(secret), "an answer has {secret}");
            for (path, bytes) in &written {
                let has_it = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!has_it, "{} has {secret}", path.display());
            }
        }
        // The first letters of every token of the kind.
        for begin in ["Bearer eyJ", "Signature=", "\"eyJ"] {
            assert!(!self.log().contains(begin), "{begin} is in the log");
        }
    }
}

/// Every file in the folder but the one that is there to keep a secret.
fn written(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files = Vec::new();
    for path in paths.filter(|path| !path.ends_with("store-credentials")) {
        match path.is_dir() {
            true => files.extend(written(&path)),
            false => files.push((path.clone(), std::fs::read(&path).unwrap())),
        }
    }
    files
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

/// Sends one request to `address` for `host`.
pub(crate) fn send(address: &str, host: &str, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut head =
        format!("{line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    TOLD.lock().unwrap().push_str(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer to {line}: {answer:?}"));
    Answer { status: head[9..12].parse().unwrap(), head: head.to_owned(), body: body.to_owned() }
}

/// Asks for signatures.
pub(crate) fn sign(address: &str, host: &str, token: &str, intents: &[Value]) -> Answer {
    let authorization = format!("Bearer {token}");
    let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
    send(address, host, "POST /v1/sign", &headers, json!({ "intents": intents }).to_string().as_bytes())
}

/// In seconds since 1970.
pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}
