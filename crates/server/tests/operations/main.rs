//! What whoever runs the gateway sees of it: its log, its metrics, its readiness, tokens that are taken back, and several
//! gateways side by side. All on the real binary.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../relay/authority.rs"]
mod authority;
mod issuer;
mod process;
mod several;

use glacier_core::glacier::VaultName;
use glacier_upload_server::token::{Claims, TokenKey};
use process::{Gateway, TOKEN_KEY, now, send, sign};
use serde_json::{Value, json};

fn claims() -> Claims {
    Claims {
        sub: "user-7".into(),
        vaults: vec![VaultName::new("demo").unwrap()],
        ops: vec!["upload".into()],
        max_archive_bytes: 1 << 30,
        iat: now(),
        exp: now() + 3600,
        jti: Some("t1".into()),
        ..Claims::default()
    }
}

fn token(claims: &Claims) -> String {
    TokenKey::from_text(TOKEN_KEY).unwrap().mint(claims).unwrap()
}

fn list() -> Value {
    json!({ "op": "ListParts", "vault": "demo", "uploadId": "canary-upload" })
}

#[test]
fn metrics_are_served_by_a_listener_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(folder.path(), &["--metrics-listen", "127.0.0.1:0"]);
    let metrics = gateway.metrics.as_ref().unwrap();
    assert_eq!(sign(&gateway.host, &gateway.host, &token(&claims()), &[list()]).status, 200);
    let answer = send(metrics, metrics, "GET /metrics", &[], b"");
    assert_eq!(
        (answer.status, answer.header("content-type").split(';').next()),
        (200, Some("application/openmetrics-text"))
    );
    assert!(answer.body.contains("glacier_upload_signed_intents_total{op=\"ListParts\"} 1\n"), "{}", answer.body);
    // A page whose name was made to resolve to this machine.
    assert_eq!(send(metrics, "attacker.test:9090", "GET /metrics", &[], b"").status, 421);
    assert_eq!(send(metrics, metrics, "GET /v1/sign", &[], b"").status, 404);
    assert_eq!(send(&gateway.host, &gateway.host, "GET /metrics", &[], b"").status, 404);
}

/// Who reads the log on a terminal, or splits it into lines, must not be led by it.
const ODD_SUBJECT: &str = "user\u{1b}[31m\n{\"level\":\"FAKE\"}";

#[test]
fn the_log_is_json_that_names_requests_and_holds_nothing_to_steal_or_to_break_it() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(folder.path(), &["--trusted-proxy", "127.0.0.1"]);
    let token = token(&Claims { sub: ODD_SUBJECT.into(), ..claims() });
    let forged = format!("{}A", token);
    let signed = sign(&gateway.host, &gateway.host, &token, &[list(), list()]);
    let refused = sign(&gateway.host, &gateway.host, &forged, &[list()]);
    let odd = [
        ("user-agent", "canary-agent \"},\"level\":\"FAKE\""),
        ("x-forwarded-for", "198.51.100.7, canary-address"),
        ("cookie", "canary-cookie"),
        ("authorization", "Bearer canary-token"),
    ];
    let missed = send(&gateway.host, &gateway.host, "GET /v1/canary-path?canary-query=%0d%0a", &odd, b"");
    // A control character does not get as far as that.
    let broken = send(&gateway.host, &gateway.host, "GET /v1/none", &[("user-agent", "\u{1b}[2J canary")], b"");
    assert_eq!(broken.status, 400);
    let proxied = [("x-forwarded-for", "6.6.6.6, 198.51.100.7")];
    let forwarded = send(&gateway.host, &gateway.host, "GET /v1/none", &proxied, b"");
    assert_eq!((signed.status, refused.status, missed.status, forwarded.status), (200, 401, 404, 404));

    let log = gateway.log();
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?}"))).collect();
    let of = |answer: &process::Answer, message: &str| -> Value {
        let id = answer.header("x-request-id");
        assert_eq!(id.len(), 32);
        let of_request = lines.iter().filter(|line| line["fields"]["request_id"] == id);
        let found: Vec<&Value> = of_request.filter(|line| line["fields"]["message"] == message).collect();
        assert_eq!(found.len(), 1, "{message} of {id} in {log}");
        found[0].clone()
    };
    let audit = of(&signed, "signed");
    assert_eq!((&audit["target"], &audit["fields"]["signed"]), (&json!("audit"), &json!("ListParts demo 2")));
    assert_eq!((&audit["fields"]["token"], &audit["fields"]["subject"]), (&json!("t1"), &json!(ODD_SUBJECT)));
    let answered = of(&refused, "answered");
    assert_eq!(answered["fields"]["code"], refused.json()["code"]);
    assert_eq!(refused.json()["requestId"], answered["fields"]["request_id"]);
    assert_eq!(of(&missed, "answered")["fields"]["client"], "127.0.0.1");
    assert_eq!(of(&forwarded, "answered")["fields"]["client"], "198.51.100.7");
    assert_eq!(of(&missed, "answered")["fields"]["route"], "/v1");

    let signature = signed.json()["requests"][0]["headers"]["authorization"].as_str().unwrap().to_owned();
    let signature = signature.split("Signature=").nth(1).unwrap().to_owned();
    let tag = token.rsplit('.').next().unwrap();
    for secret in [TOKEN_KEY, &token, tag, &signature, "canary", "\u{1b}", "\"FAKE\""] {
        assert!(!log.contains(secret), "{secret:?} is in the log");
    }
}

/// Asks until the answer is `status`. It is, or the test is ended from outside: no time is measured here.
fn ask_until<T: PartialEq>(wanted: T, mut ask: impl FnMut() -> T) {
    while ask() != wanted {
        std::thread::yield_now();
    }
}

#[test]
fn a_token_that_is_taken_back_is_refused_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deny.json");
    std::fs::write(&path, "{}").unwrap();
    let gateway = Gateway::start(folder.path(), &["--deny-list", "deny.json", "--subject-rate", "0"]);
    let (first, second) = (token(&claims()), token(&Claims { jti: Some("t2".into()), ..claims() }));
    let status = |token: &str| sign(&gateway.host, &gateway.host, token, &[list()]).status;
    assert_eq!((status(&first), status(&second)), (200, 200));
    let replace = |text: &str| {
        let new = folder.path().join("deny.new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, &path).unwrap();
    };
    replace(r#"{"jti":["t1"]}"#);
    ask_until(401, || status(&first));
    assert_eq!(status(&second), 200);
    replace(&format!(r#"{{"sub":{{"user-7":{}}}}}"#, now()));
    ask_until(401, || status(&second));
}
