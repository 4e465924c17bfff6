//! Streams of events, read by HTTP clients from a real socket, of jobs that the mounted store really does.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use glacier_core::glacier::VaultName;
use glacier_core::sigv4::{Credentials, GLACIER, Scope, SecretKey, Timestamp};
use glacier_upload_server::app::{Gateway, Settings, app};
use glacier_upload_server::cors::AllowedOrigins;
use glacier_upload_server::events::{self, Events, MAX_STREAMS, MAX_STREAMS_PER_SUBJECT};
use glacier_upload_server::host::HostAllowList;
use glacier_upload_server::mount;
use glacier_upload_server::page::Page;
use glacier_upload_server::sns::{Outside, Sns, StoreKey};
use glacier_upload_server::token::{Claims, LEEWAY_S, TokenKey};
use local_glacier::{Clock, Glacier, GlacierConfig, Pace, Store, StoreConfig, TopicArn};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower::ServiceExt;

const ACCOUNT: &str = "123456789012";
const APP: &str = "https://app.example.com";
const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:jobs";

/// The gateway with its store, as the program puts them together.
struct Server {
    address: SocketAddr,
    events: Events,
    agent: ureq::Agent,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
    runtime: Runtime,
    _data: tempfile::TempDir,
}

/// How the gateway learns of jobs.
#[derive(Clone, Copy)]
enum Source {
    Mounted,
    /// The store announces them to a topic, whose endpoint is the gateway.
    Topic,
}

/// A stream that is open.
struct Stream {
    lines: std::io::Lines<BufReader<ureq::BodyReader<'static>>>,
    response: http::response::Parts,
}

fn key() -> TokenKey {
    TokenKey::from_text("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").unwrap()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn claims() -> Claims {
    Claims {
        sub: "user-7".into(),
        vaults: vec![VaultName::new("photos").unwrap()],
        objects: vec![],
        ops: vec!["DescribeJob".into(), "InitiateJob".into()],
        max_archive_bytes: 0,
        iat: now() - 60,
        exp: now() + 3600,
        ..Claims::default()
    }
}

fn of(claims: &Claims) -> String {
    format!("Bearer {}", key().mint(claims).unwrap())
}

fn store_with_topic(
    data: &std::path::Path,
    vaults: &[VaultName],
    credentials: &Credentials,
    gateway: SocketAddr,
) -> Glacier {
    let config = StoreConfig { data: data.to_owned(), clock: Clock::system(), pace: Pace::default() };
    let store = Store::open(config).unwrap();
    for vault in vaults {
        store.create_vault(vault).unwrap();
    }
    let config = GlacierConfig {
        credentials: vec![credentials.clone()],
        region: "us-east-1".into(),
        account_id: ACCOUNT.into(),
        allowed_origins: Vec::new(),
        topics: vec![format!("{TOPIC}=http://{gateway}/v1/sns").parse().unwrap()],
    };
    Glacier::new(store, config).unwrap()
}

impl Server {
    fn start() -> Self {
        Self::hearing(Source::Mounted)
    }

    fn hearing(source: Source) -> Self {
        let data = tempfile::tempdir().unwrap();
        let credentials = Credentials {
            access_key_id: "AKIDGATEWAY".into(),
            secret_access_key: SecretKey::new("0123456789012345678901234567890123456789".into()),
            session_token: None,
        };
        let vaults = vec![VaultName::new("photos").unwrap(), VaultName::new("films").unwrap()];
        let store = data.path().join("store");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let events = Events::default();
        let (glacier, sns) = match source {
            Source::Mounted => {
                let glacier = mount::open(&store, &vaults, credentials.clone(), "us-east-1", ACCOUNT).unwrap();
                runtime.spawn(events::forward(glacier.completions(), events.clone()));
                (glacier, None)
            }
            Source::Topic => {
                let glacier = store_with_topic(&store, &vaults, &credentials, address);
                let key = StoreKey::from_pem(glacier.notification_key()).unwrap();
                let nowhere = Outside::new(|place| panic!("a store's message needs nothing of {place}"));
                (glacier, Some(Sns::new([TopicArn::new(TOPIC).unwrap()], Some(key), nowhere)))
            }
        };
        let gateway = Gateway::new(Settings {
            account_id: ACCOUNT.into(),
            credentials,
            scope: Scope { region: "us-east-1".into(), service: GLACIER },
            tokens: key().into(),
            vaults,
            dev_tokens: false,
            hosts: HostAllowList::new(address.port(), &[]),
            origins: AllowedOrigins::new(&[APP.into()]).unwrap(),
            relay: None,
            page: Page::Folder(data.path().to_owned()),
            events: events.clone(),
            sns,
            watch: glacier_upload_server::watch::Watch::default(),
            s3: None,
            clock: || Timestamp::from_unix(now()),
        });
        let app = app(gateway, mount::router(glacier));
        let service = move |request: http::Request<accept::Body>| {
            let answer = app.clone().oneshot(request.map(axum::body::Body::new));
            async move {
                let Ok(response) = answer.await;
                response
            }
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let closing = events.clone();
        let shutdown = async move {
            drop(stopped.await);
            closing.close();
        };
        let served = runtime.spawn(accept::serve(listener, accept::Limits::default(), service, shutdown));
        let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        Self { address, events, agent, stop, served, runtime, _data: data }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn ask(&self, query: &str, authorization: &str) -> http::Response<ureq::Body> {
        let request = self.agent.get(self.url(&format!("/v1/events{query}")));
        let request = if authorization.is_empty() { request } else { request.header("authorization", authorization) };
        request.header("origin", APP).call().unwrap()
    }

    /// An open stream: its greeting has come.
    fn listen(&self, query: &str, claims: &Claims) -> Stream {
        let (response, body) = self.ask(query, &of(claims)).into_parts();
        assert_eq!(response.status, 200);
        let mut lines = BufReader::new(body.into_reader()).lines();
        assert!(lines.next().unwrap().unwrap().starts_with(':'));
        assert_eq!(lines.next().unwrap().unwrap(), "");
        Stream { lines, response }
    }

    fn refusal(&self, query: &str, authorization: &str) -> (u16, String) {
        let mut response = self.ask(query, authorization);
        let body: Value = serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap();
        (response.status().as_u16(), body["code"].as_str().unwrap().to_owned())
    }

    /// Has an inventory of the vault made, and gives the job's ID.
    fn begin_job(&self, vault: &str) -> String {
        let everywhere = ["photos", "films"].map(|name| VaultName::new(name).unwrap()).to_vec();
        let authorization = of(&Claims { vaults: everywhere, ..claims() });
        let job = json!({ "type": "inventory-retrieval", "snsTopic": TOPIC });
        let intent = json!({ "op": "InitiateJob", "vault": vault, "job": job });
        let mut signed = self
            .agent
            .post(self.url("/v1/sign"))
            .header("authorization", authorization)
            .content_type("application/json")
            .send(json!({ "intents": [intent] }).to_string())
            .unwrap();
        let signed: Value = serde_json::from_str(&signed.body_mut().read_to_string().unwrap()).unwrap();
        let request = &signed["requests"][0];
        let mut post = self.agent.post(self.url(request["url"].as_str().unwrap()));
        for (name, value) in request["headers"].as_object().unwrap() {
            post = post.header(name, value.as_str().unwrap());
        }
        let response = post.send(request["body"].as_str().unwrap()).unwrap();
        assert_eq!(response.status(), 202);
        response.headers()["x-amz-job-id"].to_str().unwrap().to_owned()
    }
}

impl Stream {
    /// The next event's description of a job; `None` at the end of the stream.
    fn next(&mut self) -> Option<Value> {
        let mut lines = self.lines.by_ref().map(Result::unwrap).skip_while(|line| line.is_empty() || line == ":");
        assert_eq!(lines.next()?, "event: job");
        let data = lines.next().unwrap();
        assert_eq!(self.lines.next().unwrap().unwrap(), "");
        Some(serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap())
    }

    fn header(&self, name: &str) -> &str {
        self.response.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[test]
fn a_page_is_told_of_the_jobs_of_its_vaults_and_of_no_others() {
    let server = Server::start();
    let mut stream = server.listen("?vault=photos", &claims());
    assert_eq!(stream.header("content-type"), "text/event-stream");
    assert_eq!(stream.header("cache-control"), "no-store, private");
    assert_eq!(stream.header("x-accel-buffering"), "no");
    assert_eq!(stream.header("access-control-allow-origin"), APP);
    let films = claims();
    let films = Claims { vaults: ["films", "photos"].map(|name| VaultName::new(name).unwrap()).to_vec(), ..films };
    let mut both = server.listen("?vault=films&vault=photos", &films);

    let other = server.begin_job("films");
    let told = both.next().unwrap();
    assert_eq!((told["JobId"].as_str(), told["StatusCode"].as_str()), (Some(other.as_str()), Some("Succeeded")));
    let ours = server.begin_job("photos");
    let told = stream.next().unwrap();
    assert_eq!(told["JobId"], ours.as_str(), "the other vault's job came first and must not be told");
    assert_eq!(told["VaultARN"], "arn:aws:glacier:us-east-1:123456789012:vaults/photos");
    assert_eq!(told["Completed"], true);
    assert_eq!(both.next().unwrap(), told);
}

#[test]
fn a_store_that_is_not_mounted_is_heard_by_its_topic() {
    let server = Server::hearing(Source::Topic);
    let mut stream = server.listen("?vault=photos", &claims());
    let job = server.begin_job("photos");
    let told = stream.next().unwrap();
    assert_eq!((&told["JobId"], &told["StatusCode"]), (&json!(job), &json!("Succeeded")));
}

#[test]
fn a_stream_is_for_those_who_may_ask_for_the_job() {
    let server = Server::start();
    let good = of(&claims());
    let no_op = of(&Claims { ops: vec!["ListJobs".into(), "InitiateJob".into()], ..claims() });
    let no_vault = of(&Claims { vaults: vec![], ..claims() });
    let over = of(&Claims { exp: now() - LEEWAY_S, ..claims() });
    for (query, authorization, status, code) in [
        ("?vault=photos", "", 401, "token_missing"),
        ("?vault=photos", "Basic x", 401, "token_missing"),
        ("?vault=photos", "Bearer x", 401, "token_invalid"),
        ("?vault=photos", &over, 401, "token_expired"),
        ("?vault=photos", &no_op, 403, "operation_denied"),
        ("?vault=photos", &no_vault, 403, "operation_denied"),
        ("?vault=films", &good, 403, "operation_denied"),
        ("?vault=photos&vault=films", &good, 403, "operation_denied"),
        ("?vault=absent", &good, 403, "operation_denied"),
        ("", &good, 422, "invalid_request"),
        ("?vault=photos&token=x", &good, 422, "invalid_request"),
        ("?vault=../photos", &good, 422, "invalid_request"),
    ] {
        assert_eq!(server.refusal(query, authorization), (status, code.to_owned()), "{query} {authorization}");
    }
}

#[test]
fn a_stream_ends_with_its_token() {
    let server = Server::start();
    // As short as it can be, for this machine: one that is over before it arrives is refused.
    let mut lifetimes = (1..).map(|seconds| Claims { exp: now() - LEEWAY_S + 2 * seconds, ..claims() });
    let response = loop {
        let response = server.ask("?vault=photos", &of(&lifetimes.next().unwrap()));
        if response.status() == 200 {
            break response;
        }
        assert_eq!(response.status(), 401);
    };
    // The greeting and beats of the heart, and no event, until the end.
    let lines = BufReader::new(response.into_body().into_reader()).lines();
    assert!(lines.map(Result::unwrap).all(|line| line.is_empty() || line.starts_with(':')));
}

#[test]
fn streams_are_counted_by_subject_and_altogether() {
    let server = Server::start();
    let by = |subject: &str| Claims { sub: subject.into(), ..claims() };
    let mut streams: Vec<Stream> = Vec::new();
    for subject in 0..MAX_STREAMS / MAX_STREAMS_PER_SUBJECT {
        let claims = by(&subject.to_string());
        assert!(streams.len() < MAX_STREAMS);
        streams.extend((0..MAX_STREAMS_PER_SUBJECT).map(|_| server.listen("?vault=photos", &claims)));
        assert_eq!(server.refusal("?vault=photos", &of(&claims)), (429, "too_many_streams".into()));
    }
    assert_eq!(server.refusal("?vault=photos", &of(&by("another"))), (429, "too_many_streams".into()));
    // All of them are alive, and leave room for everything else.
    let job = server.begin_job("photos");
    for stream in &mut streams {
        assert_eq!(stream.next().unwrap()["JobId"], job.as_str());
    }
    // A client that goes makes room.
    drop(streams);
    while server.ask("?vault=photos", &of(&by("another"))).status() == 429 {
        std::thread::yield_now();
    }
}

/// A client that sends a request and never reads.
#[test]
fn a_reader_that_does_not_read_is_cut_off_and_delays_no_job() {
    let server = Server::start();
    let mut deaf = TcpStream::connect(server.address).unwrap();
    let head = format!("GET /v1/events?vault=photos HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", server.address);
    write!(deaf, "{head}authorization: {}\r\n\r\n", of(&claims())).unwrap();
    let mut first = [0];
    std::io::Read::read_exact(&mut deaf, &mut first).unwrap();
    let mut stream = server.listen("?vault=photos", &claims());
    // More than the sockets and the stream hold, and each one read where somebody reads.
    let photos = VaultName::new("photos").unwrap();
    let long = "x".repeat(16 << 10);
    for number in 0..2048 {
        server.events.publish(&photos, &json!({ "n": number, "long": long }).to_string());
        assert_eq!(stream.next().unwrap()["n"], number);
    }
    let job = server.begin_job("photos");
    assert_eq!(stream.next().unwrap()["JobId"], job.as_str());
    // What was waiting ends without the last events: the stream was cut off, not held up.
    deaf.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut received = Vec::new();
    drop(std::io::Read::read_to_end(&mut deaf, &mut received));
    let received = String::from_utf8_lossy(&received);
    assert!(received.contains("\"n\":0}") && !received.contains("\"n\":2047}"));
}

#[test]
fn a_server_that_ends_ends_its_streams_and_cuts_nothing_off() {
    let server = Server::start();
    let mut stream = server.listen("?vault=photos", &claims());
    server.stop.send(()).unwrap();
    assert_eq!(stream.next(), None);
    server.runtime.block_on(server.served).unwrap().unwrap();
}
