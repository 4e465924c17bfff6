//! Behind nginx, which keeps connections and sends many people's requests on one: both must see the same requests in it.

use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use serde_json::Value;

use crate::case::Case;
use crate::framing::{Behind, ambiguous};
use crate::wire::{Answer, PATIENCE, Request, exchange, until, until_closed};

/// One process, with a socket where it reads bodies before it passes them on, and one where it does so meanwhile. They
/// are files, because a free port need not be free any more when nginx takes it.
struct Nginx {
    child: Child,
    sockets: [PathBuf; 2],
    log: PathBuf,
}

impl Nginx {
    fn start(case: &Case) -> Self {
        let folder = case.path("nginx");
        std::fs::create_dir(&folder).unwrap();
        let folder = folder.to_str().unwrap();
        let sockets = ["before", "meanwhile"].map(|name| case.path("nginx").join(name));
        let server = |socket: &Path, buffering: &str| {
            format!(
                "server {{ listen unix:{}; location / {{ proxy_pass http://gateway; proxy_http_version 1.1;\n\
                 proxy_set_header Connection \"\"; proxy_set_header Host $http_host;\n\
                 proxy_ignore_client_abort on; proxy_request_buffering {buffering}; }} }}\n",
                socket.display()
            )
        };
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|of| format!("{of}_temp_path {folder}/{of};\n"))
            .concat();
        let config = format!(
            "daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;\nevents {{ }}\n\
             http {{ log_format seen '$request_uri $upstream_status'; access_log {folder}/seen seen;\n{temporary}\
             upstream gateway {{ server {}; keepalive 1; }}\n{}{} }}\n",
            case.host,
            server(&sockets[0], "on"),
            server(&sockets[1], "off"),
        );
        let path = case.path("nginx/nginx.conf");
        std::fs::write(&path, config).unwrap();
        let mut nginx = Command::new("/usr/sbin/nginx");
        let child =
            nginx.arg("-e").arg(format!("{folder}/errors")).arg("-c").arg(&path).spawn().expect("nginx is installed");
        until("nginx does not listen", || sockets.iter().all(|socket| UnixStream::connect(socket).is_ok()));
        Self { child, sockets, log: case.path("nginx/seen") }
    }

    /// Ends once everything is answered, and has then written all of its log.
    fn quit(&mut self) {
        let told = Command::new("kill").args(["-QUIT", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success() && self.child.wait().unwrap().success());
    }

    /// How many requests of that path it had an answer to from the gateway.
    fn passed_on(&self, path: &str) -> usize {
        // A second try, where the connection was gone, has its status behind that of the first.
        let is_answered =
            |line: &&str| line.starts_with(&format!("{path} ")) && line.rsplit(' ').next().unwrap().starts_with('4');
        self.seen().lines().filter(is_answered).count()
    }

    fn seen(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many requests the gateway has answered below `/v1` that are for no route of it.
fn answered(case: &Case) -> usize {
    let is_one = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["fields"]["message"] == "answered" && event["fields"]["route"] == "/v1"
    };
    case.log().lines().filter(|line| line.contains("answered")).filter(|line| is_one(line)).count()
}

/// Whether it is a page of nginx's own.
fn is_of_nginx(answer: &Answer) -> bool {
    answer.text.contains("<center>nginx")
}

/// Sends bytes and ends its own side.
fn exchange_and_end(socket: &Path, bytes: &[u8]) -> Vec<Answer> {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    // It may have refused and closed before all is sent.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    until_closed(&mut stream)
}

#[test]
fn a38_a_proxy_and_the_gateway_see_the_same_requests() {
    let case = Case::new("A38");
    let mut nginx = Nginx::start(&case);
    let smuggled = format!("GET /v1/smuggled HTTP/1.1\r\nHost: {}\r\n\r\n", case.host);
    let heads = ambiguous(&smuggled);
    assert!(heads.len() >= 40);
    let passed_on = 2 * 2 * heads.iter().filter(|(behind, _)| *behind == Behind::Gateway).count();
    for (nth, (behind, head)) in heads.iter().enumerate() {
        for socket in &nginx.sockets {
            let request = format!("POST /v1/first HTTP/1.1\r\nHost: {}\r\n{head}", case.host);
            let answers = exchange_and_end(socket, request.as_bytes());
            let got: Vec<_> =
                answers.iter().map(|answer| (answer.status, answer.code(), is_of_nginx(answer))).collect();
            let expected = match behind {
                Behind::Nginx(status) => vec![(*status, "-".to_owned(), true)],
                Behind::Gateway => vec![(404, "not_found".to_owned(), false); 2],
            };
            assert_eq!(got, expected, "{head:?}");
            // The next to come has its own answer, on the connection to the gateway that was kept.
            let probe = format!("GET /healthz?{nth} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", case.host);
            let answers = exchange_and_end(socket, probe.as_bytes());
            assert_eq!((answers.len(), answers[0].status), (1, 200), "after {head:?}: {answers:?}");
            assert_eq!(answers[0].body, br#"{"status":"ok"}"#, "after {head:?}");
        }
    }
    // Two requests to one of them are two to the other, and none is one to nobody.
    nginx.quit();
    assert_eq!(nginx.passed_on("/v1/smuggled") + nginx.passed_on("/v1/first"), passed_on, "{}", nginx.seen());
    // Anything that the gateway has heard of besides is in its log before this.
    assert_eq!(exchange(&case.host, &Request::get("/v1/last").bytes(&case.host))[0].status, 404);
    assert_eq!(answered(&case), passed_on + 1, "{}", nginx.seen());
    case.is_unharmed();
}
