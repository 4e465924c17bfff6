//! The program with TLS: what it tells browsers, and how its certificate is renewed while it runs.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

use std::fs::{File, FileTimes};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const BIN: &str = env!("CARGO_BIN_EXE_glacier-upload-server");
/// Of `openssl rand -hex 32`, and of nothing else.
const TOKEN_KEY: &str = "5b0c7e1f9d2a44638be7c05d16f3a89204ce7b5d31fa68902d4be1c7f0936a58";
const PUBLIC: &str = "upload.example.com";
/// No test waits that long unless it fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than a certificate or a key of ours. What is not between the lines of PEM counts for nothing.
const PADDED: usize = 4096;

type Client = StreamOwned<ClientConnection, TcpStream>;

/// A server, and an authority that makes certificates for it.
struct Server {
    folder: tempfile::TempDir,
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("page")).unwrap();
        std::fs::write(path("page/index.html"), "<!doctype html>").unwrap();
        make_authority(folder.path());
        make_certificate(folder.path(), "first");
        make_certificate(folder.path(), "second");
        for (from, to) in [("first.pem", "chain.pem"), ("first.key", "server.key")] {
            std::fs::write(path(to), padded(&path(from))).unwrap();
            std::fs::set_permissions(path(to), std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let mut child = Command::new(BIN)
            .args(["--listen=127.0.0.1:0", "--vault=demo", "--data=data", "--page=page", "--public-host", PUBLIC])
            .args(["--tls-cert=chain.pem", "--tls-key=server.key"])
            .current_dir(folder.path())
            .env_clear()
            .env("GLACIER_UPLOAD_TOKEN_KEY", TOKEN_KEY)
            .stdout(Stdio::piped())
            .stderr(File::create(path("log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on https://").expect("no address").to_owned();
        Self { folder, child, address }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn connect(&self) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.path("ca.pem")).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = ClientConnection::new(Arc::new(config), PUBLIC.try_into().unwrap()).unwrap();
        let socket = TcpStream::connect(&self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = StreamOwned::new(client, socket);
        while client.conn.is_handshaking() {
            client.conn.complete_io(&mut client.sock).unwrap();
        }
        client
    }

    /// Which certificate a new connection is shown.
    fn shown(&self) -> &'static str {
        let client = self.connect();
        let shown = client.conn.peer_certificates().unwrap()[0].clone();
        let is = |name: &&str| CertificateDer::from_pem_file(self.path(name)).unwrap() == shown;
        ["first.pem", "second.pem"].into_iter().find(is).expect("a certificate of neither")
    }

    fn hang_up(&self) {
        let sent = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }
}

fn openssl(folder: &Path, arguments: &str) {
    let made = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
    let made = made.expect("openssl is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

const NEW_KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";

fn make_authority(folder: &Path) {
    let what = "-subj /CN=Private -addext basicConstraints=critical,CA:TRUE -keyout ca.key -out ca.pem";
    openssl(folder, &format!("req -x509 {NEW_KEY} {what}"));
}

fn make_certificate(folder: &Path, name: &str) {
    let what = format!("-CA ca.pem -CAkey ca.key -subj /CN={name} -addext subjectAltName=DNS:{PUBLIC}");
    let what = format!("{what} -addext basicConstraints=critical,CA:FALSE -keyout {name}.key -out {name}.pem");
    openssl(folder, &format!("req -x509 {NEW_KEY} {what}"));
}

fn padded(path: &Path) -> Vec<u8> {
    let mut text = std::fs::read(path).unwrap();
    assert!(text.len() < PADDED);
    text.resize(PADDED, b'\n');
    text
}

/// Writes over a file so that nothing about it changes but what is in it.
fn write_over(path: &Path, text: &[u8]) {
    let modified = std::fs::metadata(path).unwrap().modified().unwrap();
    let mut file = File::options().write(true).open(path).unwrap();
    file.write_all(text).unwrap();
    file.set_times(FileTimes::new().set_modified(modified)).unwrap();
}

/// Sends a request for `path` by the name `host` and returns the head of the answer, in small letters.
fn ask(client: &mut Client, path: &str, host: &str) -> String {
    write!(client, "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    client.read_exact(&mut body).unwrap();
    head
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn browsers_are_told_to_come_by_tls_under_public_names_only() {
    let server = Server::start();
    let port = server.address.rsplit(':').next().unwrap();
    for path in ["/", "/none.html", "/healthz", "/v1/events", "/123456789012/vaults"] {
        let policy = |host: &str| {
            let head = ask(&mut server.connect(), path, host);
            assert!(!head.starts_with("http/1.1 421"), "{head}");
            head.lines().find_map(|line| line.strip_prefix("strict-transport-security: ").map(str::to_owned))
        };
        assert_eq!(policy(PUBLIC).as_deref(), Some("max-age=31536000"), "{path}");
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            assert_eq!(policy(&format!("{host}:{port}")), None, "{path} of {host}");
        }
    }
}

#[test]
fn at_a_signal_the_certificate_is_read_again_and_connections_go_on() {
    let server = Server::start();
    let mut open = server.connect();
    assert!(ask(&mut open, "/healthz", PUBLIC).starts_with("http/1.1 200"));
    assert_eq!(server.shown(), "first.pem");
    // Of no use: a chain without its key. Whoever looks at the files sees no change.
    write_over(&server.path("chain.pem"), &padded(&server.path("second.pem")));
    server.hang_up();
    until("the log does not say why", || server.log().contains("the new certificate cannot be used"));
    assert_eq!(server.shown(), "first.pem");
    write_over(&server.path("server.key"), &padded(&server.path("second.key")));
    server.hang_up();
    until("the old certificate is still shown", || server.shown() == "second.pem");
    assert!(ask(&mut open, "/healthz", PUBLIC).starts_with("http/1.1 200"));
    assert!(!server.log().contains("PRIVATE KEY"));
}

#[test]
fn a_renewed_certificate_is_found_without_a_signal() {
    let server = Server::start();
    assert_eq!(server.shown(), "first.pem");
    // As those who renew certificates do it: other files take their places, one after the other.
    for (from, to) in [("second.pem", "chain.pem"), ("second.key", "server.key")] {
        let new = server.path("new");
        std::fs::write(&new, std::fs::read(server.path(from)).unwrap()).unwrap();
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::rename(&new, server.path(to)).unwrap();
    }
    until("the old certificate is still shown", || server.shown() == "second.pem");
}
