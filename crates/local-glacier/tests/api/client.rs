//! A client that signs, and the machine it talks to.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use glacier_core::sigv4::{CanonicalRequest, Credentials, GLACIER, PathForm, Scope, SecretKey, Timestamp, sign};
use glacier_core::{PayloadHash, TreeHash};
use http_body_util::{BodyExt, Full};
use local_glacier::{Clock, Glacier, GlacierConfig, JobCompletion, Origin, Pace, Store, StoreConfig, Topic};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;

use crate::answer::Answer;

pub(crate) const MIB: usize = 1 << 20;
pub(crate) const ORIGIN: &str = "https://app.example.com";
const NOON: u64 = 1_767_268_800; // 2026-01-01T12:00:00Z

/// A data folder, a clock, and the API over them.
pub(crate) struct Machine {
    pub(crate) folder: TempDir,
    seconds: Arc<AtomicU64>,
    pace: Pace,
    topics: Vec<Topic>,
    store: Store,
    pub(crate) glacier: Glacier,
    runtime: tokio::runtime::Runtime,
}

/// A request before it is signed.
pub(crate) struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    /// Added after signing.
    unsigned: Vec<(String, String)>,
    body: Vec<u8>,
    signed_payload: Option<String>,
    /// Seconds that the signer's clock is fast.
    skew: i64,
    is_dated: bool,
    authorization: Authorization,
}

/// The header that is sent.
enum Authorization {
    Right,
    Absent,
    Instead(String),
    /// The right one with the second text in the place of the first.
    Replaced(String, String),
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self::configured(Pace::default(), Vec::new())
    }

    /// A machine whose data folder was made by something else.
    pub(crate) fn of_folder(make: impl FnOnce(&Path)) -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        make(&data);
        Self::on(folder, Pace::default(), Vec::new())
    }

    fn configured(pace: Pace, topics: Vec<Topic>) -> Self {
        Self::on(TempDir::new().unwrap(), pace, topics)
    }

    fn on(folder: TempDir, pace: Pace, topics: Vec<Topic>) -> Self {
        let seconds = Arc::new(AtomicU64::new(NOON));
        let (store, glacier) = open(&folder, &seconds, pace, topics.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { folder, seconds, pace, topics, store, glacier, runtime }
    }

    /// A machine with the vault `v`.
    pub(crate) fn with_vault() -> Self {
        Self::with_vault_at_pace(Pace::default())
    }

    /// A machine with the vault `v`.
    pub(crate) fn with_vault_at_pace(pace: Pace) -> Self {
        Self::with_vault_and(pace, Vec::new())
    }

    /// A machine with the vault `v` and endpoints for topics.
    pub(crate) fn with_vault_and(pace: Pace, topics: Vec<Topic>) -> Self {
        let machine = Self::configured(pace, topics);
        assert_eq!(machine.send(put("/-/vaults/v")).status, 201);
        machine
    }

    /// Ends the process, as far as the store can tell, and starts it again.
    pub(crate) fn restart(self) -> Self {
        let Self { folder, seconds, pace, topics, store, glacier, runtime } = self;
        drop((store, glacier));
        let (store, glacier) = open(&folder, &seconds, pace, topics.clone());
        Self { folder, seconds, pace, topics, store, glacier, runtime }
    }

    /// Lets time pass, and what is due by then happen.
    pub(crate) fn turn_clock(&self, by: Duration) {
        self.turn_clock_unnoticed(by);
        self.glacier.settle().unwrap();
    }

    /// Lets time pass while nobody looks at what is due.
    pub(crate) fn turn_clock_unnoticed(&self, by: Duration) {
        self.seconds.fetch_add(by.as_secs(), Ordering::Relaxed);
    }

    pub(crate) fn completions(&self) -> Receiver<Arc<JobCompletion>> {
        self.glacier.completions()
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.seconds.load(Ordering::Relaxed))
    }

    /// Signs and sends.
    pub(crate) fn send(&self, request: Request) -> Answer {
        self.answer(Self::sign(request, self.now()))
    }

    pub(crate) fn sign(request: Request, now: Timestamp) -> http::Request<Full<Bytes>> {
        let Request { method, target, mut headers, unsigned, body, signed_payload, .. } = request;
        let at = Timestamp::from_unix(now.as_unix().checked_add_signed(request.skew).unwrap());
        headers.push(("host".into(), "glacier.test".into()));
        if request.is_dated && !headers.iter().any(|(name, _)| name == "date" || name == "x-amz-date") {
            headers.push(("x-amz-date".into(), at.to_string()));
        }
        let payload_hash = signed_payload.unwrap_or_else(|| PayloadHash::of(&body).to_string());
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let borrowed: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let canonical = CanonicalRequest {
            method: &method,
            path,
            path_form: PathForm::Normalized,
            query,
            headers: &borrowed,
            payload_hash: &payload_hash,
        };
        let authorization = sign(&canonical, &credentials(), &scope(), at);
        let authorization = match request.authorization {
            Authorization::Right => Some(authorization),
            Authorization::Absent => None,
            Authorization::Instead(other) => Some(other),
            Authorization::Replaced(old, new) => Some(authorization.replace(&old, &new)),
        };
        headers.extend(authorization.map(|value| ("authorization".to_owned(), value)));
        headers.extend(unsigned);
        raw(&method, &target, &headers, body)
    }

    /// Signs and sends all of them at once.
    pub(crate) fn send_together(&self, requests: impl Iterator<Item = Request>) {
        std::thread::scope(|scope| {
            let threads: Vec<_> = requests
                .map(|request| {
                    scope.spawn(|| {
                        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                        runtime.block_on(self.glacier.handle(Self::sign(request, self.now()))).status()
                    })
                })
                .collect();
            for thread in threads {
                assert!(thread.join().unwrap().is_success());
            }
        });
    }

    /// Sends exactly this.
    pub(crate) fn send_raw(&self, method: &str, target: &str, headers: &[(String, String)], body: Vec<u8>) -> Answer {
        self.answer(raw(method, target, headers, body))
    }

    fn answer(&self, request: http::Request<Full<Bytes>>) -> Answer {
        self.runtime.block_on(async {
            let (parts, body) = self.glacier.handle(request).await.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes().to_vec();
            let text = String::from_utf8(bytes.clone()).unwrap_or_default();
            Answer { status: parts.status.as_u16(), headers: parts.headers, bytes, text }
        })
    }

    /// Opens an upload in the vault `v`; gives its path.
    pub(crate) fn initiate(&self, part_size: usize) -> String {
        let answer = self.send(post("/-/vaults/v/multipart-uploads").with("x-amz-part-size", &part_size.to_string()));
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.header("location").to_owned()
    }

    /// Begins a job in the vault `v`; gives its path.
    pub(crate) fn job(&self, parameters: &Value) -> String {
        let answer = self.send(post("/-/vaults/v/jobs").with_json(parameters));
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.header("location").to_owned()
    }

    /// As [`job`](Self::job), and waits for its end.
    pub(crate) fn finished_job(&self, parameters: &Value) -> String {
        let job = self.job(parameters);
        self.turn_clock(Duration::from_secs(1));
        job
    }

    /// The key that notifications are signed with.
    pub(crate) fn notification_key(&self) -> &str {
        self.glacier.notification_key()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }
}

impl Request {
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(key, _)| key != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    /// A second header of a name that is there already.
    pub(crate) fn with_another(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn with_unsigned(mut self, name: &str, value: &str) -> Self {
        self.unsigned.push((name.into(), value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(key, _)| key != name);
        self
    }

    /// Other bytes than the headers speak of; what is signed stays as it was.
    pub(crate) fn with_body(mut self, body: Vec<u8>) -> Self {
        self.signed_payload.get_or_insert_with(|| PayloadHash::of(&self.body).to_string());
        self.body = body;
        self
    }

    /// A body of JSON, signed.
    pub(crate) fn with_json(mut self, document: &Value) -> Self {
        self.body = document.to_string().into_bytes();
        self
    }

    /// A body of any bytes, signed.
    pub(crate) fn with_bytes(mut self, bytes: Vec<u8>) -> Self {
        self.body = bytes;
        self
    }

    /// A body, signed.
    pub(crate) fn with_text(mut self, text: &str) -> Self {
        self.body = text.as_bytes().to_vec();
        self
    }

    /// The same to another place.
    pub(crate) fn to(self, method: &str, target: &str) -> Self {
        Self { method: method.into(), target: target.into(), ..self }
    }

    pub(crate) fn has_body(&self) -> bool {
        !self.body.is_empty()
    }

    /// Of the body that is sent.
    pub(crate) fn payload_hash(&self) -> String {
        PayloadHash::of(&self.body).to_string()
    }

    /// Signed by a clock that is so many seconds fast, or slow if negative.
    pub(crate) fn skewed(self, seconds: i64) -> Self {
        Self { skew: seconds, ..self }
    }

    /// Neither `x-amz-date` nor `date`.
    pub(crate) fn undated(self) -> Self {
        Self { is_dated: false, ..self }
    }

    /// Another `Authorization` than the one that is made, or none.
    pub(crate) fn authorized_by(self, header: Option<&str>) -> Self {
        let authorization = header.map_or(Authorization::Absent, |header| Authorization::Instead(header.into()));
        Self { authorization, ..self }
    }

    /// `Authorization` with `new` in the place of `old`.
    pub(crate) fn authorized_with(self, old: &str, new: &str) -> Self {
        Self { authorization: Authorization::Replaced(old.into(), new.into()), ..self }
    }

    /// Signs this as the payload hash.
    pub(crate) fn with_payload_hash(mut self, text: &str) -> Self {
        self.signed_payload = Some(text.into());
        self.with("x-amz-content-sha256", text)
    }
}

fn raw(method: &str, target: &str, headers: &[(String, String)], body: Vec<u8>) -> http::Request<Full<Bytes>> {
    let mut request = http::Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    request.body(Full::new(Bytes::from(body))).unwrap()
}

pub(crate) fn request(method: &str, target: &str) -> Request {
    Request {
        method: method.into(),
        target: target.into(),
        headers: vec![("x-amz-glacier-version".into(), "2012-06-01".into())],
        unsigned: Vec::new(),
        body: Vec::new(),
        signed_payload: None,
        skew: 0,
        is_dated: true,
        authorization: Authorization::Right,
    }
}

pub(crate) fn get(target: &str) -> Request {
    request("GET", target)
}

pub(crate) fn put(target: &str) -> Request {
    request("PUT", target)
}

pub(crate) fn post(target: &str) -> Request {
    request("POST", target)
}

pub(crate) fn delete(target: &str) -> Request {
    request("DELETE", target)
}

fn with_hashes(request: Request, body: Vec<u8>) -> Request {
    let (payload_hash, tree_hash) = (PayloadHash::of(&body).to_string(), TreeHash::of(&body).to_string());
    let mut request = request
        .with("x-amz-content-sha256", &payload_hash)
        .with("x-amz-sha256-tree-hash", &tree_hash)
        .with("content-length", &body.len().to_string());
    request.body = body;
    request
}

/// UploadArchive into the vault `v`.
pub(crate) fn archive(body: Vec<u8>) -> Request {
    with_hashes(post("/-/vaults/v/archives"), body)
}

/// UploadMultipartPart at `first_byte` of the upload with that path.
pub(crate) fn part(upload: &str, first_byte: usize, body: Vec<u8>) -> Request {
    let range = format!("bytes {first_byte}-{}/*", first_byte + body.len() - 1);
    with_hashes(put(upload), body).with("content-range", &range)
}

/// CompleteMultipartUpload for an archive of these bytes.
pub(crate) fn complete(upload: &str, whole: &[u8]) -> Request {
    post(upload)
        .with("x-amz-archive-size", &whole.len().to_string())
        .with("x-amz-sha256-tree-hash", &TreeHash::of(whole).to_string())
}

/// Bytes with period 251, so that pieces in the wrong place change the hash.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

fn credentials() -> Credentials {
    Credentials {
        access_key_id: "AKIDTEST".into(),
        secret_access_key: SecretKey::new("secret of the tests".into()),
        session_token: None,
    }
}

fn scope() -> Scope {
    Scope { region: "us-east-1".into(), service: GLACIER }
}

fn open(folder: &TempDir, seconds: &Arc<AtomicU64>, pace: Pace, topics: Vec<Topic>) -> (Store, Glacier) {
    let seconds = Arc::clone(seconds);
    let clock = Clock::from_fn(move || UNIX_EPOCH + Duration::from_secs(seconds.load(Ordering::Relaxed)));
    let store = Store::open(StoreConfig { data: folder.path().join("data"), clock, pace }).unwrap();
    let config = GlacierConfig {
        credentials: vec![credentials()],
        region: "us-east-1".into(),
        account_id: "123456789012".into(),
        allowed_origins: vec![Origin::new(ORIGIN).unwrap()],
        topics,
    };
    (store.clone(), Glacier::new(store, config).unwrap())
}
