#![expect(clippy::unwrap_used, reason = "tests")]

use std::cell::Cell;
use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex as StdMutex};

use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt;
use reqsign_core::StaticEnv;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::*;
use crate::upstream::{Patience, Trust};

const START: u64 = 1_800_000_000;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(START) };
}

fn clock() -> Timestamp {
    Timestamp::from_unix(NOW.get())
}

/// A home folder and an environment.
struct Machine {
    home: TempDir,
    env: HashMap<String, String>,
}

impl Machine {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join(".aws/sso/cache")).unwrap();
        // A machine without an instance role, unless a test says otherwise.
        let env = HashMap::from([("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned())]);
        Self { home, env }
    }

    fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    fn write(self, path: &str, text: &str) -> Self {
        fs::write(self.home.path().join(path), text).unwrap();
        self
    }

    fn path(&self, path: &str) -> String {
        self.home.path().join(path).to_str().unwrap().to_owned()
    }

    fn with_instance(mut self, instance: &StandIn) -> Self {
        self.env.remove("AWS_EC2_METADATA_DISABLED");
        self.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url())
    }

    fn credentials(&self) -> AwsCredentials {
        let client = Client::new(&Trust::new(None).unwrap(), Patience::default());
        let env = StaticEnv { home_dir: Some(self.home.path().to_owned()), envs: self.env.clone() };
        AwsCredentials::of(Source::Chain(Chain::new(client, "eu-west-1", env)), clock, State::default())
    }

    async fn key_id(&self) -> Result<String, String> {
        let found = self.credentials().get().await;
        found.map(|credentials| credentials.access_key_id.clone()).map_err(|error| error.to_string())
    }
}

/// A server on this machine in the place of one of AWS.
struct StandIn {
    address: SocketAddr,
    seen: Arc<StdMutex<Vec<(http::request::Parts, String)>>>,
}

impl StandIn {
    async fn new(
        answer: impl Fn(&http::request::Parts, &str) -> (u16, String) + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(StdMutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let service = move |request: Request<accept::Body>| {
            let (answer, log) = (answer.clone(), Arc::clone(&log));
            async move {
                let (head, body) = request.into_parts();
                let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
                let (status, text) = answer(&head, &body);
                log.lock().unwrap().push((head, body));
                Response::builder().status(status).body(Body::from(text)).unwrap()
            }
        };
        tokio::spawn(accept::serve(listener, accept::Limits::default(), service, std::future::pending()));
        Self { address, seen }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn requests(&self) -> Vec<(http::request::Parts, String)> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

/// In the form of the container's and the instance's roles.
fn role_json(key_id: &str) -> String {
    serde_json::json!({
        "Code": "Success", "AccessKeyId": key_id, "SecretAccessKey": "canary-secret", "Token": "canary-token",
        "Expiration": "2099-01-01T00:00:00Z",
    })
    .to_string()
}

fn sts_xml(operation: &str, key_id: &str) -> String {
    format!(
        "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{operation}Result><Credentials>\
         <AccessKeyId>{key_id}</AccessKeyId><SecretAccessKey>canary-secret</SecretAccessKey>\
         <SessionToken>canary-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>\
         </Credentials></{operation}Result></{operation}Response>"
    )
}

fn keys(section: &str, key_id: &str) -> String {
    format!("[{section}]\naws_access_key_id = {key_id}\naws_secret_access_key = canary-secret\n")
}

/// A credential process that is somebody else each time it is run, until `expires`.
fn process(machine: &Machine, expires: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = machine.home.path().join("give me keys");
    let script = format!(
        "#!/bin/sh\nn=$(($(cat '{0}' 2>/dev/null || echo 0) + 1)); echo $n > '{0}'\n\
         echo '{{\"Version\":1,\"AccessKeyId\":\"AKIAPROCESS'$n'\",\"SecretAccessKey\":\"canary-secret\",\
         \"SessionToken\":\"canary-token\",\"Expiration\":\"{expires}\"}}'\n",
        machine.path("runs")
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    format!("[default]\ncredential_process = \"{}\" --for test\n", path.display())
}

fn runs(machine: &Machine) -> String {
    fs::read_to_string(machine.path("runs")).unwrap_or_default().trim().to_owned()
}

#[tokio::test]
async fn the_environment_comes_first() {
    let machine = Machine::new().write(".aws/credentials", &keys("default", "AKIAFILE"));
    assert_eq!(machine.key_id().await.unwrap(), "AKIAFILE");
    let machine = machine.set("AWS_ACCESS_KEY_ID", "AKIAENV").set("AWS_SECRET_ACCESS_KEY", "canary-secret");
    let machine = machine.set("AWS_SESSION_TOKEN", "canary-token");
    let found = machine.credentials().get().await.unwrap();
    assert_eq!((found.access_key_id.as_str(), found.session_token.as_deref()), ("AKIAENV", Some("canary-token")));
}

#[tokio::test]
async fn a_profile_is_chosen_by_name_in_either_file() {
    let machine = Machine::new()
        .write(".aws/credentials", &(keys("default", "AKIADEFAULT") + &keys("work", "AKIAWORK")))
        .write(".aws/config", &keys("profile home", "AKIAHOME"));
    assert_eq!(machine.key_id().await.unwrap(), "AKIADEFAULT");
    let machine = machine.set("AWS_PROFILE", "work");
    assert_eq!(machine.key_id().await.unwrap(), "AKIAWORK");
    let machine = machine.set("AWS_PROFILE", "home");
    assert_eq!(machine.key_id().await.unwrap(), "AKIAHOME");
    let elsewhere = machine.path("elsewhere");
    fs::write(&elsewhere, keys("home", "AKIAELSEWHERE")).unwrap();
    assert_eq!(machine.set("AWS_SHARED_CREDENTIALS_FILE", elsewhere).key_id().await.unwrap(), "AKIAELSEWHERE");
}

#[tokio::test]
async fn the_container_is_asked_with_its_token() {
    let container = StandIn::new(|_, _| (200, role_json("ASIACONTAINER"))).await;
    let machine = Machine::new().write("token", "the-token\n");
    let token = machine.path("token");
    let machine = machine
        .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/v2/credentials/role", container.url()))
        .set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token);
    assert_eq!(machine.key_id().await.unwrap(), "ASIACONTAINER");
    let (head, _) = &container.requests()[0];
    assert_eq!(
        (head.uri.path(), &head.headers["authorization"]),
        ("/v2/credentials/role", &"the-token".parse().unwrap())
    );
}

#[tokio::test]
async fn the_instance_is_asked_in_a_session_of_its_metadata() {
    let instance = StandIn::new(|head, _| {
        let session = head.headers.get("x-aws-ec2-metadata-token").is_some_and(|token| token == "session");
        match (head.method.as_str(), head.uri.path(), session) {
            ("PUT", "/latest/api/token", _) => (200, "session".into()),
            ("GET", "/latest/meta-data/iam/security-credentials/", true) => (200, "a-role".into()),
            ("GET", "/latest/meta-data/iam/security-credentials/a-role", true) => (200, role_json("ASIAINSTANCE")),
            _ => (401, String::new()),
        }
    })
    .await;
    assert_eq!(Machine::new().with_instance(&instance).key_id().await.unwrap(), "ASIAINSTANCE");
    assert_eq!(instance.requests().len(), 3);
}

#[tokio::test]
async fn web_identity_is_exchanged_at_sts() {
    let sts = StandIn::new(|_, _| (200, sts_xml("AssumeRoleWithWebIdentity", "ASIAWEBIDENTITY"))).await;
    let machine = Machine::new().write("jwt", "a.web.token").set("AWS_ENDPOINT_URL_STS", sts.url());
    let token = machine.path("jwt");
    let role = "arn:aws:iam::123456789012:role/upload";
    let machine = machine.set("AWS_WEB_IDENTITY_TOKEN_FILE", token.clone()).set("AWS_ROLE_ARN", role);
    assert_eq!(machine.key_id().await.unwrap(), "ASIAWEBIDENTITY");
    let (head, body) = &sts.requests()[0];
    assert_eq!(head.method, "POST");
    assert!(body.contains("WebIdentityToken=a.web.token") && body.contains("role%2Fupload"), "{body}");

    let config = format!("[profile pod]\nrole_arn = {role}\nweb_identity_token_file = {token}\n");
    let machine = Machine::new().write(".aws/config", &config).set("AWS_ENDPOINT_URL_STS", sts.url());
    assert_eq!(machine.set("AWS_PROFILE", "pod").key_id().await.unwrap(), "ASIAWEBIDENTITY");
}

#[tokio::test]
async fn a_role_is_assumed_by_the_profile_it_names() {
    let sts = StandIn::new(|_, _| (200, sts_xml("AssumeRole", "ASIAROLE00000000"))).await;
    let config = "[profile upload]\nrole_arn = arn:aws:iam::123456789012:role/upload\nsource_profile = base\n\
                  external_id = outside\nduration_seconds = 1800\n";
    let machine = Machine::new()
        .write(".aws/config", config)
        .write(".aws/credentials", &keys("base", "AKIABASE"))
        .set("AWS_PROFILE", "upload")
        .set("AWS_ENDPOINT_URL_STS", sts.url());
    assert_eq!(machine.key_id().await.unwrap(), "ASIAROLE00000000");
    let (head, _) = &sts.requests()[0];
    let query = head.uri.query().unwrap();
    for part in ["Action=AssumeRole", "ExternalId=outside", "DurationSeconds=1800", "RoleSessionName=glacier-upload"] {
        assert!(query.contains(part), "{query}");
    }
    // Signed by the base profile, for the STS of the region, whatever stands in its place.
    let headers: Vec<(&str, &str)> =
        head.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    assert_eq!(head.headers["host"], "sts.eu-west-1.amazonaws.com");
    let request = glacier_core::sigv4::ReceivedRequest {
        method: head.method.as_str(),
        path: head.uri.path(),
        query,
        headers: &headers,
        payload_hash: head.headers["x-amz-content-sha256"].to_str().unwrap(),
    };
    let known = [Credentials {
        access_key_id: "AKIABASE".into(),
        secret_access_key: SecretKey::new("canary-secret".into()),
        session_token: None,
    }];
    let scope = glacier_core::sigv4::Scope { region: "eu-west-1".into(), service: "sts" };
    let at = Timestamp::parse(head.headers["x-amz-date"].to_str().unwrap()).unwrap();
    glacier_core::sigv4::verify(&request, &known, &scope, at).unwrap();
}

#[tokio::test]
async fn a_profile_that_cannot_assume_its_role_says_why() {
    let role = "role_arn = arn:aws:iam::123456789012:role/upload\n";
    for (rest, why) in [
        (String::new(), "source_profile or credential_source"),
        ("source_profile = p\nmfa_serial = arn:aws:iam::1:mfa/me\n".to_owned(), "mfa_serial"),
        ("source_profile = q\n".to_owned(), "no credentials to assume"),
        ("credential_source = Somewhere\n".to_owned(), "credential_source is one of"),
        (format!("source_profile = q\n[profile q]\n{role}source_profile = p\n"), "assume each other"),
    ] {
        let machine = Machine::new().write(".aws/config", &format!("[profile p]\n{role}{rest}"));
        let error = machine.set("AWS_PROFILE", "p").key_id().await.unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn single_sign_on_uses_the_session_that_was_opened() {
    let portal = StandIn::new(|_, _| {
        let answer = serde_json::json!({ "roleCredentials": {
            "accessKeyId": "ASIASSO", "secretAccessKey": "canary-secret", "sessionToken": "canary-token",
            "expiration": 4_070_908_800_000_u64,
        } });
        (200, answer.to_string())
    })
    .await;
    let session = |expires: &str| serde_json::json!({ "accessToken": "bearer", "expiresAt": expires }).to_string();
    let account = "sso_account_id = 123456789012\nsso_role_name = uploader\n";
    let older =
        format!("[profile p]\n{account}sso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n");
    let newer = format!("[profile p]\n{account}sso_session = work\n[sso-session work]\nsso_region = eu-west-1\n");
    // The names of the cache's files are SHA-1 of the start URL, and of the session's name.
    for (config, file) in
        [(older, "e8be5486177c5b5392bd9aa76563515b29358e6e"), (newer, "e274eeff768c6396088ec6eb091f4bf4d47ab1e0")]
    {
        let file = format!(".aws/sso/cache/{file}.json");
        let machine = Machine::new()
            .write(".aws/config", &config)
            .write(&file, &session("2099-01-01T00:00:00Z"))
            .set("AWS_PROFILE", "p")
            .set("AWS_SSO_ENDPOINT", portal.url());
        assert_eq!(machine.key_id().await.unwrap(), "ASIASSO");
        let (head, _) = &portal.requests()[0];
        assert_eq!(head.headers["x-amz-sso_bearer_token"], "bearer");
        assert_eq!(head.uri.query(), Some("role_name=uploader&account_id=123456789012"));
        let machine = machine.write(&file, &session("2020-01-01T00:00:00Z"));
        assert!(machine.key_id().await.unwrap_err().contains("aws sso login"));
    }
}

#[tokio::test]
async fn without_credentials_every_source_is_named() {
    let error = Machine::new().key_id().await.unwrap_err();
    for name in [
        "AWS_ACCESS_KEY_ID",
        "\"default\"",
        ".aws/config",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_EC2_METADATA_DISABLED",
    ] {
        assert!(error.contains(name), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_source_that_fails_is_not_passed_over() {
    let instance = StandIn::new(|_, _| (200, role_json("ASIASOMEBODYELSE"))).await;
    let failing = "[default]\ncredential_process = exit 3\n";
    let machine = Machine::new().write(".aws/config", failing).with_instance(&instance);
    let error = machine.key_id().await.unwrap_err();
    assert!(error.contains("credential process failed with status 3"), "{error}");
    let machine = Machine::new().set("AWS_PROFILE", "mistyped").with_instance(&instance);
    assert!(machine.key_id().await.unwrap_err().contains("\"mistyped\""));
    let machine = Machine::new().write(".aws/credentials", "canary-secret\n[").with_instance(&instance);
    let error = machine.key_id().await.unwrap_err();
    assert!(error.contains("not INI") && !error.contains("canary"), "{error}");
    assert!(instance.requests().is_empty());
}

#[tokio::test]
async fn credentials_do_not_come_in_the_clear_over_a_network() {
    for address in ["http://10.0.0.1/", "http://169.254.169.253/", "http://example.com/"] {
        let machine = Machine::new().set("AWS_CONTAINER_CREDENTIALS_FULL_URI", address);
        let error = machine.key_id().await.unwrap_err();
        assert!(error.contains("over https"), "{error}");
    }
}

#[tokio::test]
async fn many_who_wait_make_one_search() {
    let machine = Machine::new();
    let machine = {
        let config = process(&machine, "2099-01-01T00:00:00Z");
        machine.write(".aws/config", &config)
    };
    let credentials = machine.credentials();
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let credentials = credentials.clone();
        waiting.spawn(async move { credentials.get().await.unwrap().access_key_id.clone() });
    }
    assert!(waiting.join_all().await.iter().all(|key_id| key_id == "AKIAPROCESS1"));
    assert_eq!(runs(&machine), "1");
}

#[tokio::test]
async fn credentials_are_renewed_before_they_expire() {
    let machine = Machine::new();
    // START is 2027-01-15T08:00:00Z.
    let machine = {
        let config = process(&machine, "2027-01-15T09:00:00Z");
        machine.write(".aws/config", &config)
    };
    let credentials = machine.credentials();
    let key_id = async || credentials.get().await.map(|found| found.access_key_id.clone());
    assert_eq!(key_id().await.unwrap(), "AKIAPROCESS1");
    NOW.set(START + 3600 - AHEAD_S - 1);
    assert_eq!(key_id().await.unwrap(), "AKIAPROCESS1");
    assert_eq!(runs(&machine), "1");
    // Five minutes ahead somebody is given the old ones still, and new ones are fetched meanwhile.
    let config = process(&machine, "2027-01-15T10:00:00Z");
    let machine = machine.write(".aws/config", &config);
    NOW.set(START + 3600 - AHEAD_S);
    assert_eq!(key_id().await.unwrap(), "AKIAPROCESS1");
    while key_id().await.unwrap() == "AKIAPROCESS1" {
        tokio::task::yield_now().await;
    }
    assert_eq!((key_id().await.unwrap().as_str(), runs(&machine).as_str()), ("AKIAPROCESS2", "2"));
    // A source that fails meanwhile leaves what is good for as long as it is.
    let machine = machine.write(".aws/config", "[default]\ncredential_process = exit 1\n");
    NOW.set(START + 7200 - 1);
    assert_eq!(key_id().await.unwrap(), "AKIAPROCESS2");
    drop(credentials.0.search.lock().await);
    assert_eq!(key_id().await.unwrap(), "AKIAPROCESS2");
    NOW.set(START + 7200);
    assert!(key_id().await.unwrap_err().to_string().contains("credential process failed"));
    // And is asked again once the failure is old.
    let machine = {
        let config = process(&machine, "2099-01-01T00:00:00Z");
        machine.write(".aws/config", &config)
    };
    assert!(key_id().await.is_err());
    NOW.set(START + 7200 + FAILURE_S);
    assert_eq!((key_id().await.unwrap().as_str(), runs(&machine).as_str()), ("AKIAPROCESS3", "3"));
}

#[tokio::test]
async fn a_file_that_was_rotated_is_read_again() {
    let machine = Machine::new().write(".aws/credentials", &keys("default", "AKIAOLD"));
    let credentials = machine.credentials();
    assert_eq!(credentials.get().await.unwrap().access_key_id, "AKIAOLD");
    let _machine = machine.write(".aws/credentials", &keys("default", "AKIANEW"));
    NOW.set(START + REREAD_S);
    while credentials.get().await.unwrap().access_key_id == "AKIAOLD" {
        tokio::task::yield_now().await;
    }
    assert_eq!(credentials.get().await.unwrap().access_key_id, "AKIANEW");
}

#[tokio::test]
async fn what_cannot_be_signed_with_is_refused() {
    let expired = role_json("ASIAOLD").replace("2099", "2019");
    let container = StandIn::new(move |_, _| (200, expired.clone())).await;
    let machine = Machine::new().set("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url());
    assert!(machine.key_id().await.unwrap_err().contains("expired"));
    let machine = Machine::new().write(".aws/credentials", &keys("default", "AKIA\u{e9}"));
    assert!(machine.key_id().await.unwrap_err().contains("header"));
}

#[tokio::test]
async fn nothing_shows_a_secret() {
    let machine = Machine::new()
        .write(".aws/credentials", &(keys("default", "AKIASHOWN") + "aws_session_token = canary-token\n"));
    let credentials = machine.credentials();
    let found = credentials.get().await.unwrap();
    let shown = format!("{credentials:?} {found:?}");
    assert!(shown.contains("AKIASHOWN") && !shown.contains("canary"), "{shown}");
}
