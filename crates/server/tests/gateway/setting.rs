//! A gateway with its store, called without a socket.

use std::net::SocketAddr;

use accept::Peer;
use axum::Router;
use axum::body::Body;
use glacier_core::glacier::VaultName;
use glacier_core::sigv4::{Credentials, GLACIER, Scope, SecretKey, Timestamp};
use glacier_upload_server::app::{Gateway, Settings, app};
use glacier_upload_server::cors::AllowedOrigins;
use glacier_upload_server::events::Events;
use glacier_upload_server::host::HostAllowList;
use glacier_upload_server::mount;
use glacier_upload_server::objects::ObjectGrant;
use glacier_upload_server::page::Page;
use glacier_upload_server::token::{Claims, TokenKey};
use glacier_upload_server::watch::Watch;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const NOW: u64 = 1_800_000_000;
const ACCOUNT: &str = "123456789012";
pub(crate) const HOST: &str = "localhost:8080";
const PEER: &str = "127.0.0.1:50000";
pub(crate) const HASH: &str = "9bc1b2a288b26af7257a36277ae3816a7d4f16e89c1e7e77d0a5c48bad62b360";

pub(crate) struct Setting {
    app: Router,
    _data: tempfile::TempDir,
}

pub(crate) fn key() -> TokenKey {
    TokenKey::from_text("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").unwrap()
}

pub(crate) fn setting_with(dev_tokens: bool, clock: fn() -> Timestamp) -> Setting {
    setting_watched(dev_tokens, Watch::default(), clock)
}

pub(crate) fn setting_watched(dev_tokens: bool, watch: Watch, clock: fn() -> Timestamp) -> Setting {
    let data = tempfile::tempdir().unwrap();
    let page = data.path().join("page");
    std::fs::create_dir(&page).unwrap();
    std::fs::write(page.join("index.html"), "<!doctype html>").unwrap();
    std::fs::write(page.join("a.wasm"), "\0asm").unwrap();
    std::fs::write(data.path().join("outside.txt"), "outside").unwrap();
    let credentials = Credentials {
        access_key_id: "AKIDGATEWAY".into(),
        secret_access_key: SecretKey::new("0123456789012345678901234567890123456789".into()),
        session_token: None,
    };
    let vaults = vec![VaultName::new("photos").unwrap(), VaultName::new("films").unwrap()];
    let glacier = mount::open(&data.path().join("store"), &vaults, credentials.clone(), "us-east-1", ACCOUNT).unwrap();
    let gateway = Gateway::new(Settings {
        account_id: ACCOUNT.into(),
        credentials,
        scope: Scope { region: "us-east-1".into(), service: GLACIER },
        tokens: key().into(),
        vaults,
        dev_tokens,
        hosts: HostAllowList::new(8080, &["upload.example.com".into()]),
        origins: AllowedOrigins::new(&["https://app.example.com".into()]).unwrap(),
        relay: None,
        page: Page::Folder(page),
        events: Events::default(),
        sns: None,
        watch,
        s3: None,
        clock,
    });
    Setting { app: app(gateway, mount::router(glacier)), _data: data }
}

pub(crate) fn setting() -> Setting {
    setting_with(true, || Timestamp::from_unix(NOW))
}

/// At the time the store believes it is.
pub(crate) fn setting_today() -> Setting {
    setting_with(true, || {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Timestamp::from_unix(since_1970.as_secs())
    })
}

pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Setting {
    pub(crate) async fn send(&self, request: Request<impl Into<Body>>) -> Answered {
        let mut request = request.map(Into::into);
        let peer: SocketAddr = PEER.parse().unwrap();
        if request.extensions().get::<Peer>().is_none() {
            request.extensions_mut().insert(Peer(peer));
        }
        let response: Response<Body> = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
        Answered { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) async fn sign(&self, token: &str, body: impl Into<Body>) -> Answered {
        let request = post("/v1/sign").header("authorization", format!("Bearer {token}"));
        self.send(request.body(body).unwrap()).await
    }
}

pub(crate) fn post(path: &str) -> http::request::Builder {
    Request::post(path).header("host", HOST).header("content-type", "application/json")
}

pub(crate) fn claims() -> Claims {
    Claims {
        sub: "user-7".into(),
        vaults: vec![VaultName::new("photos").unwrap()],
        objects: vec![ObjectGrant::new("pictures/anna/").unwrap()],
        ops: vec!["upload".into()],
        max_archive_bytes: 3 << 20,
        iat: NOW,
        exp: NOW + 3600,
        ..Claims::default()
    }
}

pub(crate) fn intent(op: &str, vault: &str, len: u64) -> Value {
    let mut intent = json!({ "op": op, "vault": vault });
    let fields = match op {
        "InitiateMultipartUpload" => json!({ "partSize": 1 << 20, "size": len }),
        "UploadMultipartPart" => json!({
            "uploadId": "u", "range": format!("{}-{}", len - 1, len - 1), "payloadHash": HASH, "treeHash": HASH
        }),
        "CompleteMultipartUpload" => json!({ "uploadId": "u", "size": len, "treeHash": HASH }),
        _ => json!({ "uploadId": "u" }),
    };
    intent.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    intent
}

pub(crate) fn batch(intents: &[Value]) -> String {
    json!({ "intents": intents }).to_string()
}
