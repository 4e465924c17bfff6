//! A server of its own for each case, which must be afterwards what it was before.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::coverage;
use crate::signer::{Keys, Signed};
use crate::tls::TlsClient;
use crate::wire::{Answer, Request, exchange};

const BIN: &str = env!("CARGO_BIN_EXE_glacier-upload-server");
/// Of `openssl rand -hex 32`, and of nothing else.
pub(crate) const TOKEN_KEY: &str = "7be1d40c2f9a63588e0d17c4b2a95f60c3714de89b0256fa1d8c4e3970b6a52f";
pub(crate) const MIB: usize = 1 << 20;

/// One case of the table, against the program itself at its most talkative.
pub(crate) struct Case {
    id: &'static str,
    pub(crate) folder: tempfile::TempDir,
    child: Child,
    pub(crate) host: String,
    pub(crate) keys: Keys,
    payloads: Cell<usize>,
    before: RefCell<Option<BTreeMap<PathBuf, String>>>,
    /// What must not be in the log.
    canaries: RefCell<Vec<String>>,
}

impl Case {
    /// Starts a server with the vaults `demo` and `films`.
    pub(crate) fn new(id: &'static str) -> Self {
        Self::with(id, &[])
    }

    pub(crate) fn with(id: &'static str, flags: &[&str]) -> Self {
        Self::by(id, |_| Command::new(BIN), flags)
    }

    /// With TLS.
    pub(crate) fn with_tls(id: &'static str) -> (Self, TlsClient) {
        let (folder, client) = TlsClient::new();
        let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (chain, key) = (file("chain.pem"), file("key.pem"));
        (Self::with(id, &["--tls-cert", &chain, "--tls-key", &key]), client)
    }

    /// With at most so many open files.
    pub(crate) fn with_open_files(id: &'static str, count: usize) -> Self {
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("ulimit -n {count} && exec \"$0\" \"$@\""), BIN]);
        Self::by(id, |_| limited, &[])
    }

    /// With a disk of its own for its data, of so many MiB. It is in memory and mounted for the server alone, which needs
    /// no rights that a user does not have.
    pub(crate) fn with_disk(id: &'static str, mib: usize, flags: &[&str]) -> Self {
        let alone = |folder: &Path| {
            let data = folder.join("data");
            std::fs::create_dir(&data).unwrap();
            let mut command = Command::new("unshare");
            let mount = format!("mount -t tmpfs -o size={mib}m,mode=700 tmpfs \"$0\" && exec \"$@\"");
            command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &mount]).arg(data).arg(BIN);
            command
        };
        Self::by(id, alone, flags)
    }

    fn by(id: &'static str, command: impl FnOnce(&Path) -> Command, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page");
        std::fs::create_dir(&page).unwrap();
        std::fs::write(page.join("index.html"), "<!doctype html><title>page</title>").unwrap();
        std::fs::write(folder.path().join("outside.txt"), "canary-outside").unwrap();
        let (child, host) = start(&mut command(folder.path()), folder.path(), flags);
        let credentials =
            std::fs::read_to_string(seen_by(&child, folder.path()).join("data/store-credentials")).unwrap();
        let keys = Keys::new(TOKEN_KEY, &credentials, &host);
        let canaries = RefCell::new(vec![TOKEN_KEY.to_owned(), keys.secret.clone(), "canary".to_owned()]);
        let case = Self { id, folder, child, host, keys, payloads: Cell::new(0), before: RefCell::new(None), canaries };
        case.settle();
        case
    }

    /// The server again, on the same folder, with other flags.
    pub(crate) fn restart(&mut self, flags: &[&str]) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
        (self.child, self.host) = start(&mut Command::new(BIN), self.folder.path(), flags);
        let credentials = std::fs::read_to_string(self.path("data/store-credentials")).unwrap();
        self.keys = Keys::new(TOKEN_KEY, &credentials, &self.host);
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A file of the server's folder, as the server sees it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        seen_by(&self.child, self.folder.path()).join(name)
    }

    /// Its whole lines. The last may be on its way.
    pub(crate) fn log(&self) -> String {
        let mut log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        log.truncate(log.rfind('\n').map_or(0, |end| end + 1));
        log
    }

    /// What is in the store by now is meant to be there.
    pub(crate) fn settle(&self) {
        *self.before.borrow_mut() = Some(self.digest());
    }

    /// Every file of the data folder with its hash. SQLite's shared memory is no content.
    fn digest(&self) -> BTreeMap<PathBuf, String> {
        let mut files = BTreeMap::new();
        visit(&self.path("data"), &mut files);
        files
    }

    /// Counts one payload more.
    pub(crate) fn count(&self) {
        self.payloads.set(self.payloads.get() + 1);
    }

    /// Counts payloads that were sent to another server.
    pub(crate) fn add(&self, payloads: usize) {
        self.payloads.set(self.payloads.get() + payloads);
    }

    pub(crate) fn sent(&self) -> usize {
        self.payloads.get()
    }

    /// Sends bytes on a connection of their own and returns every answer until the server closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Vec<Answer> {
        self.count();
        let answers = exchange(&self.host, bytes);
        for answer in &answers {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
            assert!(answer.status < 500, "{shown:?} got {answer:?}");
            let has_secret = answer.text.contains(TOKEN_KEY) || answer.text.contains(&self.keys.secret);
            assert!(!has_secret && !answer.text.contains("canary"), "{shown:?} got {answer:?}");
        }
        answers
    }

    /// Sends a request and returns its one answer.
    pub(crate) fn send(&self, request: &Request) -> Answer {
        let mut answers = self.raw(&request.bytes(&self.host));
        assert_eq!(answers.len(), 1, "{request:?} got {answers:?}");
        answers.remove(0)
    }

    /// Sends a request that must be refused with exactly this.
    pub(crate) fn refused(&self, request: &Request, status: u16, code: &str) -> Answer {
        let answer = self.send(request);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{request:?} got {}", answer.text);
        answer
    }

    /// `POST /v1/sign` with a token and a body.
    pub(crate) fn sign(&self, token: &str, body: impl Into<Vec<u8>>) -> Request {
        self.canaries.borrow_mut().push(token.to_owned());
        Request::post("/v1/sign").json(body).header("authorization", &format!("Bearer {token}"))
    }

    /// A token for everything in these vaults.
    pub(crate) fn token(&self, vaults: &[&str], ops: &[&str]) -> String {
        self.keys.token(&self.keys.claims(vaults, ops))
    }

    /// A request to the store, signed with its own key.
    pub(crate) fn store(&self, method: &str, path: &str) -> Signed<'_> {
        Signed::new(&self.keys, method, path)
    }

    /// Sends a signed request that must succeed.
    pub(crate) fn done(&self, request: &Request) -> Answer {
        let answers = exchange(&self.host, &request.bytes(&self.host));
        assert!(answers.len() == 1 && answers[0].status < 300, "{request:?} got {answers:?}");
        answers.into_iter().next().unwrap()
    }

    /// Begins an upload in parts of 1 MiB.
    pub(crate) fn initiate(&self, vault: &str) -> String {
        let begin = self.store("POST", &format!("/-/vaults/{vault}/multipart-uploads"));
        self.done(&begin.with("x-amz-part-size", "1048576").request()).header("x-amz-multipart-upload-id")
    }

    /// Stores an archive of up to 1 MiB and returns its ID.
    pub(crate) fn archive(&self, vault: &str, bytes: &[u8]) -> String {
        self.done(&self.upload(vault, bytes).request()).header("x-amz-archive-id")
    }

    pub(crate) fn upload(&self, vault: &str, bytes: &[u8]) -> Signed<'_> {
        let tree_hash = hash(bytes);
        self.store("POST", &format!("/-/vaults/{vault}/archives"))
            .with("x-amz-sha256-tree-hash", &tree_hash)
            .body(bytes.to_vec())
    }

    /// A part of up to 1 MiB, whose tree hash is its hash.
    pub(crate) fn part(&self, vault: &str, upload: &str, first: usize, bytes: &[u8]) -> Signed<'_> {
        let range = format!("bytes {first}-{}/*", first + bytes.len() - 1);
        self.store("PUT", &format!("/-/vaults/{vault}/multipart-uploads/{upload}"))
            .with("content-range", &range)
            .with("x-amz-sha256-tree-hash", &hash(bytes))
            .body(bytes.to_vec())
    }

    /// Starts the retrieval of an archive, waits for it and returns the job's ID.
    pub(crate) fn retrieval(&self, vault: &str, archive: &str) -> String {
        let job = json!({ "Type": "archive-retrieval", "ArchiveId": archive, "Tier": "Expedited" });
        let begin = self.store("POST", &format!("/-/vaults/{vault}/jobs")).body(job.to_string());
        let id = self.done(&begin.request()).header("x-amz-job-id");
        let describe = || self.done(&self.store("GET", &format!("/-/vaults/{vault}/jobs/{id}")).request());
        while describe().json()["Completed"] != Value::Bool(true) {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        self.settle();
        id
    }

    /// The store is what it was, the server lives, its log has no secret, and as many payloads were sent as the table
    /// says.
    pub(crate) fn end(self) {
        self.is_unharmed();
        assert_eq!(self.payloads.get(), coverage::payloads(self.id), "{}: payloads, by the table", self.id);
    }

    /// Whether the store is what it was.
    pub(crate) fn is_as_before(&self) -> bool {
        self.before.borrow().as_ref() == Some(&self.digest())
    }

    pub(crate) fn is_unharmed(&self) {
        assert!(std::fs::exists(format!("/proc/{}/fd", self.pid())).unwrap(), "{}: the server is gone", self.id);
        assert!(self.is_as_before(), "{}: the store changed", self.id);
        let log = self.log();
        assert!(!log.contains("panicked"), "{log}");
        for canary in self.canaries.borrow().iter() {
            let at = log.find(canary.as_str());
            let around = at.map(|at| &log[at.saturating_sub(300)..(at + canary.len() + 100).min(log.len())]);
            assert!(at.is_none(), "{}: a secret is in the log: {around:?}", self.id);
        }
        let mut files = BTreeMap::new();
        visit(&self.path("data"), &mut files);
        for path in files.keys().filter(|path| !path.ends_with("store-credentials")) {
            let bytes = std::fs::read(path).unwrap();
            for secret in [TOKEN_KEY, &self.keys.secret] {
                let has_it = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!has_it, "{}: {} has a secret", self.id, path.display());
            }
        }
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with what is mounted in it for that process alone.
fn seen_by(child: &Child, folder: &Path) -> PathBuf {
    Path::new("/proc").join(child.id().to_string()).join("root").join(folder.strip_prefix("/").unwrap())
}

/// Starts the program in `folder`, and tells where it listens.
fn start(command: &mut Command, folder: &Path, flags: &[&str]) -> (Child, String) {
    let mut child = command
        .args(["--listen", "127.0.0.1:0", "--vault", "demo", "--vault", "films"])
        .arg("--data")
        .arg(folder.join("data"))
        .arg("--page")
        .arg(folder.join("page"))
        .args(flags)
        .env("RUST_LOG", "trace")
        .env("GLACIER_UPLOAD_TOKEN_KEY", TOKEN_KEY)
        // Without them no gateway with a bucket starts.
        .env("AWS_ACCESS_KEY_ID", "AKIAOFTHEABUSETESTS0")
        .env("AWS_SECRET_ACCESS_KEY", "of the tests of abuse, and of no store")
        .stdout(Stdio::piped())
        .stderr(std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let log = || std::fs::read_to_string(folder.join("log")).unwrap();
    let host = line.trim().rsplit_once("://").unwrap_or_else(|| panic!("no address: {}", log())).1.to_owned();
    (child, host)
}

fn visit(folder: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            visit(&path, files);
        } else if !path.to_string_lossy().ends_with("-shm") {
            files.insert(path.clone(), hash(&std::fs::read(&path).unwrap()));
        }
    }
}

pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A body of the contract.
pub(crate) fn batch(intents: &[Value]) -> String {
    json!({ "intents": intents }).to_string()
}

/// An intent that every token for `vault` that may upload may have signed.
pub(crate) fn list_parts(vault: &str) -> Value {
    json!({ "op": "ListParts", "vault": vault, "uploadId": "u" })
}
