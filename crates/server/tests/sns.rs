//! Messages of topics, with real RSA keys and certificates that OpenSSL makes and signs with. The world outside is a
//! closure behind the pin: what it is asked for is noted.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use glacier_core::glacier::VaultName;
use glacier_core::sigv4::{Credentials, GLACIER, Scope, SecretKey, Timestamp};
use glacier_upload_server::app::{Gateway, Settings, app};
use glacier_upload_server::cors::AllowedOrigins;
use glacier_upload_server::events::Events;
use glacier_upload_server::host::HostAllowList;
use glacier_upload_server::page::Page;
use glacier_upload_server::sns::{Outside, Place, Sns, StoreKey, Unreachable};
use glacier_upload_server::token::{Claims, TokenKey};
use http::Request;
use http_body_util::BodyExt;
use local_glacier::TopicArn;
use serde_json::{Value, json};
use tower::ServiceExt;

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:jobs";
const CERTIFICATE: &str =
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";
const HOST: &str = "localhost:8080";

/// An RSA key with its certificate, good for a day.
struct Authority {
    folder: tempfile::TempDir,
    certificate: Vec<u8>,
}

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=sns.amazonaws.com"])
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let certificate = std::fs::read(folder.path().join("certificate.pem")).unwrap();
        Self { folder, certificate }
    }

    fn sign(&self, digest: &str, text: &str) -> String {
        openssl_sign(&["dgst", digest, "-sign"], self.folder.path().join("key.pem"), text)
    }
}

fn openssl_sign(command: &[&str], key: PathBuf, text: &str) -> String {
    let mut child =
        Command::new("openssl").args(command).arg(key).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    STANDARD.encode(output.stdout)
}

/// The gateway, and what it asked the world for.
struct Setting {
    app: Router,
    events: Events,
    asked: Arc<Mutex<Vec<String>>>,
}

fn token_key() -> TokenKey {
    TokenKey::from_text("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").unwrap()
}

fn real_now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

fn setting_at(
    clock: fn() -> Timestamp,
    store_key: Option<StoreKey>,
    answer: impl Fn(&Place) -> Result<Vec<u8>, Unreachable> + Send + Sync + 'static,
) -> Setting {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    let outside = Outside::new(move |place| {
        noted.lock().unwrap().push(place.to_string());
        answer(place)
    });
    let events = Events::default();
    let gateway = Gateway::new(Settings {
        account_id: "123456789012".into(),
        credentials: Credentials {
            access_key_id: "AKIDGATEWAY".into(),
            secret_access_key: SecretKey::new("0123456789012345678901234567890123456789".into()),
            session_token: None,
        },
        scope: Scope { region: "us-east-1".into(), service: GLACIER },
        tokens: token_key().into(),
        vaults: vec![VaultName::new("photos").unwrap()],
        dev_tokens: false,
        hosts: HostAllowList::new(8080, &[]),
        origins: AllowedOrigins::default(),
        relay: None,
        page: Page::Folder(std::env::temp_dir()),
        events: events.clone(),
        sns: Some(Sns::new([TopicArn::new(TOPIC).unwrap()], store_key, outside)),
        watch: glacier_upload_server::watch::Watch::default(),
        s3: None,
        clock,
    });
    Setting { app: app(gateway, Router::new()), events, asked }
}

fn setting(authority: &Authority) -> Setting {
    let certificate = authority.certificate.clone();
    setting_at(|| Timestamp::from_unix(real_now()), None, move |_| Ok(certificate.clone()))
}

impl Setting {
    async fn post(&self, message: &Value) -> (u16, String) {
        let request = Request::post("/v1/sns").header("host", HOST).header("content-type", "text/plain; charset=UTF-8");
        let response = self.app.clone().oneshot(request.body(Body::from(message.to_string())).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let code = serde_json::from_slice::<Value>(&body).map(|body| body["code"].as_str().unwrap().to_owned());
        (status, code.unwrap_or_default())
    }

    async fn listen(&self) -> Body {
        let claims = Claims {
            sub: "user-7".into(),
            objects: vec![],
            vaults: vec![VaultName::new("photos").unwrap()],
            ops: vec!["DescribeJob".into()],
            max_archive_bytes: 0,
            iat: real_now() - 60,
            exp: real_now() + 3600,
            ..Claims::default()
        };
        let authorization = format!("Bearer {}", token_key().mint(&claims).unwrap());
        let request = Request::get("/v1/events?vault=photos").header("host", HOST);
        let request = request.header("authorization", authorization).body(Body::empty()).unwrap();
        self.app.clone().oneshot(request).await.unwrap().into_body()
    }

    /// All that a stream was told.
    async fn told(&self, stream: Body) -> Vec<Value> {
        self.events.end_all();
        let text = String::from_utf8(stream.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        text.lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn date(unix: u64) -> String {
    let printed = Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%S.000Z", "-d", &format!("@{unix}")]).output();
    String::from_utf8(printed.unwrap().stdout).unwrap().trim().to_owned()
}

fn job() -> Value {
    json!({ "JobId": "job", "VaultARN": "arn:aws:glacier:us-east-1:123456789012:vaults/photos", "Completed": true })
}

/// Signed over the fields that the developer guide names, in the order that it gives.
fn signed(authority: &Authority, mut message: Value, version: &str) -> Value {
    let fields: &[&str] = match message["Type"].as_str().unwrap() {
        "Notification" => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
        _ => &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
    };
    let present = fields.iter().filter_map(|field| Some((field, message[*field].as_str()?)));
    let text: String = present.map(|(field, value)| format!("{field}\n{value}\n")).collect();
    let digest = if version == "1" { "-sha1" } else { "-sha256" };
    message["Signature"] = authority.sign(digest, &text).into();
    message["SignatureVersion"] = version.into();
    message["SigningCertURL"] = CERTIFICATE.into();
    message
}

fn notification(id: &str) -> Value {
    json!({
        "Type": "Notification", "MessageId": id, "TopicArn": TOPIC, "Subject": "Notification From Amazon Glacier Service",
        "Message": job().to_string(), "Timestamp": date(real_now()), "UnsubscribeURL": "https://evil.example/",
    })
}

fn confirmation(id: &str, kind: &str, url: &str) -> Value {
    json!({
        "Type": kind, "MessageId": id, "TopicArn": TOPIC, "Token": "2336412f37fb687f5d51e6e241d", "SubscribeURL": url,
        "Message": "You have chosen to subscribe to the topic.\nVisit the URL.", "Timestamp": date(real_now()),
    })
}

fn subscribe_url() -> String {
    let query = format!("?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37fb687f5d51e6e241d");
    format!("https://sns.us-east-1.amazonaws.com/{query}")
}

const REFUSED: (u16, &str) = (403, "message_refused");

fn same(found: &(u16, String), expected: (u16, &str)) -> bool {
    (found.0, found.1.as_str()) == expected
}

#[tokio::test]
async fn a_message_of_either_version_becomes_one_event_however_often_it_comes() {
    let authority = Authority::new();
    let setting = setting(&authority);
    let stream = setting.listen().await;
    let mut bare = notification("3");
    bare.as_object_mut().unwrap().remove("Subject");
    for message in [
        signed(&authority, notification("1"), "1"),
        signed(&authority, notification("2"), "2"),
        signed(&authority, bare, "2"),
    ] {
        for _ in 0..3 {
            assert!(same(&setting.post(&message).await, (204, "")), "{message}");
        }
    }
    assert_eq!(setting.told(stream).await, vec![job(); 3]);
    assert_eq!(setting.asked(), [CERTIFICATE], "fetched once and kept");
}

#[tokio::test]
async fn no_field_survives_a_change() {
    let authority = Authority::new();
    let setting = setting(&authority);
    let stream = setting.listen().await;
    let good = signed(&authority, notification("1"), "2");
    let forger = Authority::new();
    let mut other_topic = notification("1");
    other_topic["TopicArn"] = "arn:aws:sns:us-east-1:123456789012:others".into();
    let mut stale = notification("1");
    stale["Timestamp"] = date(real_now() - 3700).into();
    let mut ahead = notification("1");
    ahead["Timestamp"] = date(real_now() + 600).into();
    let mut bad: Vec<Value> = vec![
        json!({}),
        json!([]),
        signed(&authority, other_topic, "2"),
        signed(&authority, stale, "2"),
        signed(&authority, ahead, "2"),
        signed(&forger, notification("1"), "2"),
    ];
    for (field, value) in [
        (
            "Message",
            json!("{\"JobId\":\"forged\",\"VaultARN\":\"arn:aws:glacier:us-east-1:123456789012:vaults/photos\"}"),
        ),
        ("MessageId", json!("2")),
        ("MessageId", json!("1\nSubject\nx")),
        ("Subject", json!("Another")),
        ("Subject", json!(null)),
        ("Timestamp", json!(date(real_now() - 60))),
        ("Timestamp", json!("now")),
        ("TopicArn", json!("arn:aws:sns:us-east-1:123456789012:other")),
        ("Type", json!("SubscriptionConfirmation")),
        ("Type", json!("Other")),
        ("Signature", json!(authority.sign("-sha256", "x"))),
        ("Signature", json!("")),
        ("Signature", json!("?")),
        ("SignatureVersion", json!("1")),
        ("SignatureVersion", json!("3")),
        ("SignatureVersion", json!("Ed25519")),
        ("SignatureVersion", json!(2)),
    ] {
        let mut changed = good.clone();
        changed[field] = value;
        bad.push(changed);
    }
    for field in
        ["Type", "MessageId", "TopicArn", "Message", "Timestamp", "SignatureVersion", "Signature", "SigningCertURL"]
    {
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(field);
        bad.push(without);
    }
    for message in &bad {
        let found = setting.post(message).await;
        assert!(same(&found, REFUSED), "{found:?} {message}");
    }
    // None of them used the number up.
    assert!(same(&setting.post(&good).await, (204, "")));
    assert_eq!(setting.told(stream).await, [job()]);
}

#[tokio::test]
async fn a_certificate_is_fetched_from_amazon_sns_or_not_at_all() {
    let authority = Authority::new();
    let setting = setting(&authority);
    let path = CERTIFICATE.rsplit('/').next().unwrap();
    for host in ["https://evil.example", "http://sns.us-east-1.amazonaws.com", "https://169.254.169.254", "file://"] {
        let mut message = signed(&authority, notification("1"), "2");
        message["SigningCertURL"] = format!("{host}/{path}").into();
        assert!(same(&setting.post(&message).await, REFUSED), "{host}");
    }
    // Nor for topics of others and messages of yesterday, which everybody can write.
    let mut other = notification("1");
    other["TopicArn"] = "arn:aws:sns:us-east-1:123456789012:others".into();
    let mut stale = notification("1");
    stale["Timestamp"] = date(real_now() - 86_400).into();
    for message in [other, stale] {
        assert!(same(&setting.post(&signed(&authority, message, "2")).await, REFUSED));
    }
    assert!(setting.asked().is_empty());
}

#[tokio::test]
async fn a_certificate_counts_between_its_dates_and_from_a_host_that_answers() {
    let authority = Authority::new();
    let certificate = authority.certificate.clone();
    let tomorrow = setting_at(|| Timestamp::from_unix(real_now() + 2 * 86_400), None, move |_| Ok(certificate.clone()));
    let mut message = notification("1");
    message["Timestamp"] = date(real_now() + 2 * 86_400).into();
    let message = signed(&authority, message, "2");
    assert!(same(&tomorrow.post(&message).await, REFUSED));
    assert_eq!(tomorrow.asked(), [CERTIFICATE]);

    let now = || Timestamp::from_unix(real_now());
    let message = signed(&authority, notification("1"), "2");
    for setting in
        [setting_at(now, None, |_| Err(Unreachable)), setting_at(now, None, |_| Ok(b"no certificate".to_vec()))]
    {
        // To be sent again, but not to be fetched for ever.
        for _ in 0..30 {
            assert!(same(&setting.post(&message).await, (503, "unavailable")));
        }
        assert_eq!(setting.asked().len(), 10);
    }
}

#[tokio::test]
async fn a_subscription_is_confirmed_at_amazon_sns_and_nowhere_else() {
    let authority = Authority::new();
    let setting = setting(&authority);
    // Even if it is signed: whoever signs is not to choose whom this server calls.
    for url in [
        "https://evil.example/?Action=ConfirmSubscription".to_owned(),
        subscribe_url().replace("amazonaws.com", "amazonaws.com.evil.example"),
        subscribe_url().replace("https", "http"),
        subscribe_url().replace("us-east-1.amazonaws", "eu-west-1.amazonaws"),
        subscribe_url().replace(":jobs", ":others"),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        let message = signed(&authority, confirmation("1", "SubscriptionConfirmation", &url), "1");
        assert!(same(&setting.post(&message).await, REFUSED), "{url}");
    }
    let mut tampered = signed(&authority, confirmation("1", "SubscriptionConfirmation", &subscribe_url()), "1");
    tampered["Token"] = "2336412f37fb687f5d51e6e241e".into();
    assert!(same(&setting.post(&tampered).await, REFUSED));
    assert_eq!(setting.asked(), [CERTIFICATE]);

    let message = signed(&authority, confirmation("1", "SubscriptionConfirmation", &subscribe_url()), "1");
    for _ in 0..2 {
        assert!(same(&setting.post(&message).await, (204, "")));
    }
    assert_eq!(setting.asked(), [CERTIFICATE.to_owned(), subscribe_url()]);
    // The end of a subscription is not undone: its URL would subscribe again.
    let message = signed(&authority, confirmation("2", "UnsubscribeConfirmation", &subscribe_url()), "2");
    assert!(same(&setting.post(&message).await, (204, "")));
    assert_eq!(setting.asked().len(), 2);
}

#[tokio::test]
async fn a_subscription_that_could_not_be_confirmed_is_confirmed_when_it_comes_again() {
    let authority = Authority::new();
    let certificate = authority.certificate.clone();
    let fails = std::sync::atomic::AtomicBool::new(true);
    let setting = setting_at(
        || Timestamp::from_unix(real_now()),
        None,
        move |place| {
            let is_certificate = place.as_str() == CERTIFICATE;
            let fails = !is_certificate && fails.swap(false, std::sync::atomic::Ordering::Relaxed);
            if fails { Err(Unreachable) } else { Ok(certificate.clone()) }
        },
    );
    let message = signed(&authority, confirmation("1", "SubscriptionConfirmation", &subscribe_url()), "1");
    assert!(same(&setting.post(&message).await, (503, "unavailable")));
    assert!(same(&setting.post(&message).await, (204, "")));
    assert_eq!(setting.asked().len(), 3);
}

#[tokio::test]
async fn an_authentic_message_about_something_else_is_taken_and_passed_over() {
    let authority = Authority::new();
    let setting = setting(&authority);
    let stream = setting.listen().await;
    let elsewhere = json!({ "JobId": "j", "VaultARN": "arn:aws:glacier:us-east-1:999999999999:vaults/photos" });
    let texts = ["hello".to_owned(), "{}".into(), elsewhere.to_string(), "[1]".into()];
    for (id, text) in texts.into_iter().enumerate() {
        let mut message = notification(&id.to_string());
        message["Message"] = text.into();
        assert!(same(&setting.post(&signed(&authority, message, "2")).await, (204, "")));
    }
    assert!(setting.told(stream).await.is_empty());
}

/// A store signs with Ed25519. Here OpenSSL does.
#[tokio::test]
async fn a_store_is_believed_by_its_key_alone() {
    let folder = tempfile::tempdir().unwrap();
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "key.pem"]);
    let public = String::from_utf8(openssl(&["pkey", "-in", "key.pem", "-pubout"])).unwrap();
    let mut message = notification("1");
    let fields = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
    let text: String = fields.map(|field| format!("{field}\n{}\n", message[field].as_str().unwrap())).concat();
    std::fs::write(folder.path().join("text"), text).unwrap();
    message["Signature"] =
        STANDARD.encode(openssl(&["pkeyutl", "-sign", "-rawin", "-inkey", "key.pem", "-in", "text"])).into();
    message["SignatureVersion"] = "Ed25519".into();

    let now = || Timestamp::from_unix(real_now());
    let setting = setting_at(now, Some(StoreKey::from_pem(&public).unwrap()), |_| Err(Unreachable));
    let stream = setting.listen().await;
    for (field, value) in [("Message", "{}"), ("MessageId", "2"), ("Subject", "x"), ("SignatureVersion", "1")] {
        let mut changed = message.clone();
        changed[field] = value.into();
        assert!(same(&setting.post(&changed).await, REFUSED), "{field}");
    }
    for _ in 0..2 {
        assert!(same(&setting.post(&message).await, (204, "")));
    }
    assert_eq!(setting.told(stream).await, [job()]);
    assert!(setting.asked().is_empty());
    // Without a key, or with another store's, its word counts for nothing.
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "other.pem"]);
    let other = String::from_utf8(openssl(&["pkey", "-in", "other.pem", "-pubout"])).unwrap();
    for key in [None, Some(StoreKey::from_pem(&other).unwrap())] {
        assert!(same(&setting_at(now, key, |_| Err(Unreachable)).post(&message).await, REFUSED));
    }
}
