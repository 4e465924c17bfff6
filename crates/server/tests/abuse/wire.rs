//! Requests as bytes, so that nothing on our side keeps an illegal one from being sent.

use std::fmt;
use std::io::{BufRead, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than every deadline of the server but the one between two requests, which must not be what ends a connection.
pub(crate) const PATIENCE: Duration = Duration::from_secs(55);

#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    /// In this order; `Host`, `Content-Length` and `Connection: close` are added unless they are there.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    left_out: Vec<&'static str>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = String::from_utf8_lossy(&self.body[..self.body.len().min(200)]);
        let target: String = self.target.chars().take(200).collect();
        write!(f, "{} {target} {:?} {body:?}", self.method, self.headers)
    }
}

impl Request {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        let (method, target) = (method.to_owned(), target.to_owned());
        Self { method, target, headers: Vec::new(), body: Vec::new(), left_out: Vec::new() }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn post(target: &str) -> Self {
        Self::new("POST", target)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a header that would be added.
    pub(crate) fn without(mut self, name: &'static str) -> Self {
        self.left_out.push(name);
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", "application/json").body(body)
    }

    pub(crate) fn bytes(&self, host: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let has = |name: &str| self.headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
        let mut add = |name: &str, value: &str| {
            if !has(name) && !self.left_out.contains(&name) {
                head += &format!("{name}: {value}\r\n");
            }
        };
        add("host", host);
        add("connection", "close");
        if !has("transfer-encoding") && (!self.body.is_empty() || ["POST", "PUT"].contains(&self.method.as_str())) {
            add("content-length", &self.body.len().to_string());
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// All of it.
    pub(crate) text: String,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Answer {
    /// The value of a header, or nothing.
    pub(crate) fn header(&self, name: &str) -> String {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map_or(String::new(), |(_, value)| value.trim().to_owned())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The refusal's code; `-` in words of the accept loop, which has none.
    pub(crate) fn code(&self) -> String {
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(json) => json["code"].as_str().unwrap_or_default().to_owned(),
            Err(_) => "-".to_owned(),
        }
    }
}

/// Sends bytes on a connection of their own and reads every answer until the server closes.
pub(crate) fn exchange(host: &str, bytes: &[u8]) -> Vec<Answer> {
    let mut stream = connect(host);
    // The server may refuse and close before all is sent.
    let _ = stream.write_all(bytes);
    until_closed(&mut stream)
}

/// As [`exchange`], and ends its own side first.
pub(crate) fn exchange_and_end(host: &str, bytes: &[u8]) -> Vec<Answer> {
    let mut stream = connect(host);
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    until_closed(&mut stream)
}

/// Waits for what is about to be so, much longer than it takes: this machine may be busy.
pub(crate) fn until(otherwise: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(120), "{otherwise}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn connect(host: &str) -> TcpStream {
    let stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

pub(crate) fn until_closed(stream: &mut impl Read) -> Vec<Answer> {
    let (mut bytes, mut piece, begun) = (Vec::new(), [0; 16 << 10], Instant::now());
    // Any other error is a reset, which ends the answers as well.
    loop {
        let timed_out = match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => {
                bytes.extend_from_slice(&piece[..n]);
                begun.elapsed() > PATIENCE
            }
            Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
            Err(_) => true,
        };
        assert!(!timed_out, "the server does not close after {}", String::from_utf8_lossy(&bytes));
    }
    answers(&bytes)
}

/// Reads one answer, which says how long it is, from a connection that stays.
pub(crate) fn next_answer(stream: &mut impl BufRead) -> Answer {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let line = stream.read_until(b'\n', &mut bytes).unwrap();
        assert!(line > 0, "the server closes after {}", String::from_utf8_lossy(&bytes));
    }
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    bytes.extend(body);
    answers(&bytes).remove(0)
}

/// Takes the bytes of a connection apart into answers, and fails where they are none.
fn answers(mut bytes: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        let end = find(bytes, b"\r\n\r\n").unwrap_or_else(|| panic!("no head: {}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        assert!(head.starts_with("HTTP/1."), "no answer: {head}");
        let status: u16 = head[9..12].parse().unwrap();
        let rest = &bytes[end + 4..];
        let (body, used) = body(&head, status, rest);
        let text = format!("{head}\n\n{}", String::from_utf8_lossy(&body[..body.len().min(2000)]));
        bytes = &rest[used..];
        if status >= 200 {
            answers.push(Answer { status, head, body, text });
        }
    }
    answers
}

fn body(head: &str, status: u16, rest: &[u8]) -> (Vec<u8>, usize) {
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    if status < 200 || status == 204 || status == 304 {
        return (Vec::new(), 0);
    }
    if header("transfer-encoding").is_some() {
        let (mut body, mut at) = (Vec::new(), 0);
        loop {
            let line = find(&rest[at..], b"\r\n").unwrap();
            let size = usize::from_str_radix(std::str::from_utf8(&rest[at..at + line]).unwrap(), 16).unwrap();
            at += line + 2;
            body.extend_from_slice(&rest[at..at + size]);
            at += size + 2;
            if size == 0 {
                return (body, at);
            }
        }
    }
    // An answer to HEAD has a length and no body.
    let length = header("content-length").map_or(0, |length| length.parse().unwrap());
    let length = if rest.is_empty() { 0 } else { length };
    (rest[..length].to_vec(), length)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
