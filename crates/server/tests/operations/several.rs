//! Several gateways behind a load balancer, before one store: an upload goes on when one is killed.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::process::{Answer, Gateway, TOKEN_KEY, now, send, sign};
use glacier_core::glacier::VaultName;
use glacier_core::sigv4::{Credentials, SecretKey};
use glacier_core::{PayloadHash, TreeHasher};
use glacier_upload_server::mount;
use glacier_upload_server::token::{Claims, TokenKey};
use serde_json::{Value, json};
use tower::ServiceExt;

const KEY_ID: &str = "AKIASEVERALGATEWAYSX";
const SECRET: &str = "3f1c8be0a94d7e2566d0f9b1c3a8475e2d0b6f8193ca57e4";
const MIB: usize = 1 << 20;

/// Sends each request to the next gateway. Knows nothing of uploads.
struct Balancer {
    address: SocketAddr,
    /// How many requests each gateway has answered.
    answered: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Balancer {
    fn start(gateways: Vec<String>, listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let answered = Arc::new(Mutex::new(BTreeMap::new()));
        let counts = answered.clone();
        std::thread::spawn(move || {
            let turn = AtomicUsize::new(0);
            for stream in listener.incoming() {
                let mut client = stream.unwrap();
                let request = read_request(&mut client);
                // The next that can be reached, as health checks would have it.
                loop {
                    let gateway = &gateways[turn.fetch_add(1, Ordering::SeqCst) % gateways.len()];
                    if let Some(answer) = pass_on(gateway, &request) {
                        *counts.lock().unwrap().entry(gateway.clone()).or_default() += 1;
                        client.write_all(&answer).unwrap();
                        break;
                    }
                }
            }
        });
        Self { address, answered }
    }

    fn take_counts(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.answered.lock().unwrap())
    }
}

/// One request with a `content-length`.
fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut buffer = [0; 64 << 10];
    loop {
        let head_len = request.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        if let Some(head_len) = head_len {
            let head = String::from_utf8_lossy(&request[..head_len]).into_owned();
            let len = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if request.len() >= head_len + len.parse::<usize>().unwrap() {
                return request;
            }
        }
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the request broke off");
        request.extend(&buffer[..count]);
    }
}

/// The answer, or `None` if nobody is there or it breaks off before its first byte.
fn pass_on(address: &str, request: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(request).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    (!answer.is_empty()).then_some(answer)
}

/// A store that stands alone, as `local-glacier` runs it. Returns its address.
fn store(folder: &Path) -> String {
    let folder = folder.to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let credentials = Credentials {
                access_key_id: KEY_ID.into(),
                secret_access_key: SecretKey::new(SECRET.into()),
                session_token: None,
            };
            let vaults = [VaultName::new("demo").unwrap()];
            let glacier = mount::open(&folder, &vaults, credentials, "us-east-1", "123456789012").unwrap();
            let router = mount::router(glacier);
            let service = move |request: http::Request<accept::Body>| {
                let answer = router.clone().oneshot(request.map(axum::body::Body::new));
                async move {
                    let Ok(response) = answer.await;
                    response
                }
            };
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            accept::serve(listener, accept::Limits::default(), service, std::future::pending()).await.unwrap();
        });
    });
    address
}

struct Page {
    balancer: String,
    token: String,
}

impl Page {
    /// Has the intent signed by one gateway, and sends the request by another.
    fn perform(&self, intent: &Value, body: &[u8]) -> Answer {
        let signed = sign(&self.balancer, &self.balancer, &self.token, std::slice::from_ref(intent));
        assert_eq!(signed.status, 200, "{signed:?}");
        let request = signed.json()["requests"][0].clone();
        let headers = request["headers"].as_object().unwrap();
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let line = format!("{} {}", request["method"].as_str().unwrap(), request["url"].as_str().unwrap());
        send(&self.balancer, &self.balancer, &line, &headers, body)
    }
}

fn tree_hash(bytes: &[u8]) -> String {
    let mut hasher = TreeHasher::new();
    hasher.update(bytes);
    hasher.finish().to_string()
}

#[test]
fn an_upload_goes_on_when_one_of_three_gateways_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("http://{}", store(&folder.path().join("store")));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    std::fs::write(folder.path().join("deny.json"), "{}").unwrap();
    let deny_list = folder.path().join("deny.json").to_str().unwrap().to_owned();
    let mut gateways: Vec<Gateway> = (0..3)
        .map(|index| {
            let own = folder.path().join(index.to_string());
            // What they share: the key, the configuration, and the store's credentials.
            let flags = ["--public-host", &host, "--deny-list", &deny_list, "--glacier", &store];
            let credentials = [("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET)];
            Gateway::start_with(&own, &flags, &credentials)
        })
        .collect();
    let addresses: Vec<String> = gateways.iter().map(|gateway| gateway.host.clone()).collect();
    let balancer = Balancer::start(addresses.clone(), listener);
    let claims = Claims {
        sub: "user-7".into(),
        vaults: vec![VaultName::new("demo").unwrap()],
        ops: vec!["upload".into()],
        max_archive_bytes: 1 << 30,
        iat: now(),
        exp: now() + 3600,
        ..Claims::default()
    };
    let token = TokenKey::from_text(TOKEN_KEY).unwrap().mint(&claims).unwrap();
    let page = Page { balancer: balancer.address.to_string(), token };

    let bytes: Vec<u8> = (0..9 * MIB + 7).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let initiate = json!({ "op": "InitiateMultipartUpload", "vault": "demo", "partSize": MIB, "size": bytes.len() });
    let initiated = page.perform(&initiate, b"");
    assert_eq!(initiated.status, 201, "{initiated:?}");
    let upload_id = initiated.header("x-amz-multipart-upload-id").to_owned();
    for (index, part) in bytes.chunks(MIB).enumerate() {
        if index == 5 {
            assert_eq!(balancer.take_counts().len(), 3, "all three have had a share in the upload");
            gateways[1].kill();
        }
        let first = index * MIB;
        let intent = json!({
            "op": "UploadMultipartPart", "vault": "demo", "uploadId": upload_id,
            "range": format!("{first}-{}", first + part.len() - 1),
            "payloadHash": PayloadHash::of(part).to_string(), "treeHash": tree_hash(part)
        });
        assert_eq!(page.perform(&intent, part).status, 204, "part {index}");
    }
    let complete = json!({
        "op": "CompleteMultipartUpload", "vault": "demo", "uploadId": upload_id, "size": bytes.len(),
        "treeHash": tree_hash(&bytes)
    });
    // Twice, as a page does whose first answer was lost: whoever signs it, the store remembers.
    let completed: Vec<Answer> = (0..2).map(|_| page.perform(&complete, b"")).collect();
    for answer in &completed {
        assert_eq!((answer.status, answer.header("x-amz-sha256-tree-hash")), (201, tree_hash(&bytes).as_str()));
        assert_eq!(answer.header("x-amz-archive-id"), completed[0].header("x-amz-archive-id"));
    }
    let after: Vec<String> = balancer.take_counts().into_keys().collect();
    let mut survivors = vec![addresses[0].clone(), addresses[2].clone()];
    survivors.sort();
    assert_eq!(after, survivors, "both that are left went on");

    // What one refuses, all refuse.
    std::fs::write(folder.path().join("deny.json"), r#"{"sub":{"user-7":null}}"#).unwrap();
    let list = json!({ "op": "ListParts", "vault": "demo", "uploadId": upload_id });
    for address in &survivors {
        while sign(address, &host, &page.token, std::slice::from_ref(&list)).status != 401 {
            std::thread::yield_now();
        }
    }
}
