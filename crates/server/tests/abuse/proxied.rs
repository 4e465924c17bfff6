//! Behind nginx, which keeps connections and sends many people's requests on one: both must see the same requests in it.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};

use serde_json::Value;

use crate::case::Case;
use crate::framing::ambiguous;
use crate::wire::{exchange, exchange_and_end};

/// One process, with an address where it reads bodies before it passes them on, and one where it does so meanwhile.
struct Nginx {
    child: Child,
    addresses: [String; 2],
    log: std::path::PathBuf,
}

impl Nginx {
    fn start(case: &Case) -> Self {
        let listeners = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = listeners.each_ref().map(|listener| listener.local_addr().unwrap().to_string());
        // Free until nginx takes them.
        drop(listeners);
        let folder = case.path("nginx");
        std::fs::create_dir(&folder).unwrap();
        let folder = folder.to_str().unwrap();
        let server = |address: &str, buffering: &str| {
            format!(
                "server {{ listen {address}; location / {{ proxy_pass http://gateway; proxy_http_version 1.1;\n\
                 proxy_set_header Connection \"\"; proxy_set_header Host $http_host;\n\
                 proxy_ignore_client_abort on; proxy_request_buffering {buffering}; }} }}\n"
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
            server(&addresses[0], "on"),
            server(&addresses[1], "off"),
        );
        let path = case.path("nginx/nginx.conf");
        std::fs::write(&path, config).unwrap();
        let mut nginx = Command::new("/usr/sbin/nginx");
        let child =
            nginx.arg("-e").arg(format!("{folder}/errors")).arg("-c").arg(&path).spawn().expect("nginx is installed");
        while addresses.iter().any(|address| TcpStream::connect(address).is_err()) {
            std::thread::yield_now();
        }
        Self { child, addresses, log: case.path("nginx/seen") }
    }

    /// How many requests of that path it had an answer to from the gateway.
    fn passed_on(&self, path: &str) -> usize {
        let log = std::fs::read_to_string(&self.log).unwrap();
        // A second try, where the connection was gone, has its status behind that of the first.
        let is_answered =
            |line: &&str| line.starts_with(&format!("{path} ")) && line.rsplit(' ').next().unwrap().starts_with('4');
        log.lines().filter(is_answered).count()
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
    // The last line may be on its way.
    let log = case.log();
    let whole = log.rfind('\n').map_or("", |end| &log[..end]);
    whole.lines().filter(|line| line.contains("answered")).filter(|line| is_one(line)).count()
}

#[test]
fn a38_a_proxy_and_the_gateway_see_the_same_requests() {
    let case = Case::new("A38");
    let nginx = Nginx::start(&case);
    let smuggled = format!("GET /v1/smuggled HTTP/1.1\r\nHost: {}\r\n\r\n", case.host);
    let heads = ambiguous(&smuggled);
    assert!(heads.len() >= 40);
    let mut probes = 0;
    for (nth, head) in heads.iter().enumerate() {
        for address in &nginx.addresses {
            let request = format!("POST /v1/first HTTP/1.1\r\nHost: {}\r\n{head}", case.host);
            let answers = exchange_and_end(address, request.as_bytes());
            // 501 is nginx's own word for codings that it does not know.
            let is_refusal = |status: u16| (400..500).contains(&status) || status == 501;
            assert!(answers.iter().all(|answer| is_refusal(answer.status)), "{head:?}: {answers:?}");
            // The next to come has its own answer, on the connection to the gateway that was kept.
            let probe = format!("GET /healthz?{nth} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", case.host);
            let answers = exchange(address, probe.as_bytes());
            assert_eq!((answers.len(), answers[0].status), (1, 200), "after {head:?}: {answers:?}");
            assert_eq!(answers[0].body, br#"{"status":"ok"}"#, "after {head:?}");
            probes += 1;
        }
    }
    assert_eq!(probes, 2 * heads.len());
    // Some of them are two requests to both, which is no harm; none is two to one of them.
    let passed_on = || nginx.passed_on("/v1/smuggled") + nginx.passed_on("/v1/first");
    while answered(&case) < passed_on() {
        std::thread::yield_now();
    }
    assert_eq!(answered(&case), passed_on(), "{}", std::fs::read_to_string(&nginx.log).unwrap());
    assert!(passed_on() > 0, "nginx passed nothing on");
    drop(nginx);
    case.is_unharmed();
}
