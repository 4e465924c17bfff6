//! A Glacier elsewhere, in the place of Amazon's: the store behind TLS, with a clock and faults that a test sets.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant, SystemTime};

use axum::body::Body;
use bytes::Bytes;
use glacier_core::glacier::VaultName;
use glacier_core::sigv4::{Credentials, SecretKey};
use http::request::Parts;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;
use local_glacier::{Clock, Glacier, GlacierConfig, Pace, Store, StoreConfig};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use crate::authority;

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const KEY_ID: &str = "AKIACANARYOFTHECLOUD";
/// Grepped for in everything that is written.
pub(crate) const SECRET: &str = "canary+secret/of.the.cloud+0123456789abcd";

/// What goes wrong at the store.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It takes the body and answers so, in Glacier's form.
    Answers(u16, &'static str),
    /// It answers so before it has read any of the body, and reads none.
    AnswersEarly(u16, &'static str),
    /// It sends whoever asks elsewhere.
    Redirects(String),
    /// It answers rightly, and says this besides.
    Says(Vec<(&'static str, &'static str)>),
    /// It takes the connection and nothing of the body, and says nothing.
    IsSilent,
    /// It takes the body and cuts the connection.
    Cuts,
}

/// A request that arrived.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) head: Arc<Parts>,
    pub(crate) received: Arc<AtomicU64>,
    end: Arc<Mutex<Option<End>>>,
}

/// How a request's body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Whole,
    /// The connection ended first.
    Broken,
    /// Nobody read on, as when the connection ended while nobody did.
    Dropped,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Waits for the end of the body; shorter than the deadlines that end one which nobody takes or sends.
    pub(crate) fn end(&self) -> End {
        until(|| *self.end.lock().unwrap())
    }
}

/// Waits for something that is about to happen.
pub(crate) fn until<T>(mut happened: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = happened() {
            return value;
        }
        assert!(begun.elapsed() < Duration::from_secs(25), "it did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

struct State {
    glacier: Glacier,
    fault: Mutex<Option<Fault>>,
    seen: Mutex<Vec<Seen>>,
    cut: Notify,
    ahead_s: Arc<AtomicU64>,
}

pub(crate) struct Aws {
    pub(crate) address: SocketAddr,
    pub(crate) ca_file: PathBuf,
    state: Arc<State>,
    _runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Aws {
    pub(crate) fn start(vaults: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        authority::make(folder.path());
        let ahead_s = Arc::new(AtomicU64::new(0));
        let clock = {
            let ahead_s = Arc::clone(&ahead_s);
            Clock::from_fn(move || SystemTime::now() + Duration::from_secs(ahead_s.load(Ordering::Relaxed)))
        };
        let pace = Pace::developer(Duration::ZERO);
        let store = Store::open(StoreConfig { data: folder.path().join("store"), clock, pace }).unwrap();
        for vault in vaults {
            store.create_vault(&VaultName::new(*vault).unwrap()).unwrap();
        }
        let credentials = Credentials {
            access_key_id: KEY_ID.into(),
            secret_access_key: SecretKey::new(SECRET.into()),
            session_token: None,
        };
        let config = GlacierConfig {
            credentials: vec![credentials],
            region: "us-east-1".into(),
            account_id: ACCOUNT.into(),
            allowed_origins: Vec::new(),
            topics: Vec::new(),
        };
        let glacier = Glacier::new(store, config).unwrap();
        let state = State { glacier, fault: Mutex::default(), seen: Mutex::default(), cut: Notify::new(), ahead_s };
        let state = Arc::new(state);
        let runtime = Runtime::new().unwrap();
        let address = runtime.block_on(serve(Arc::clone(&state), authority::server(folder.path()).into()));
        Self { address, ca_file: folder.path().join("ca.pem"), state, _runtime: runtime, _folder: folder }
    }

    /// From now on, for every request.
    pub(crate) fn fault(&self, fault: impl Into<Option<Fault>>) {
        *self.state.fault.lock().unwrap() = fault.into();
    }

    /// Sets the store's clock ahead.
    pub(crate) fn ahead(&self, seconds: u64) {
        self.state.ahead_s.store(seconds, Ordering::Relaxed);
    }

    /// Everything that arrived since it was last asked.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state.seen.lock().unwrap())
    }

    /// The next request, once its head is here.
    pub(crate) fn next(&self) -> Seen {
        until(|| self.state.seen.lock().unwrap().pop())
    }
}

/// TLS ends in front of the store's own accept loop.
async fn serve(state: Arc<State>, tls: TlsAcceptor) -> SocketAddr {
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain_address = plain.local_addr().unwrap();
    let service = {
        let state = Arc::clone(&state);
        move |request: Request<accept::Body>| answer(Arc::clone(&state), request)
    };
    tokio::spawn(accept::serve(plain, accept::Limits::default(), service, std::future::pending()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tls, state) = (tls.clone(), Arc::clone(&state));
            tokio::spawn(async move {
                let Ok(mut outer) = tls.accept(stream).await else { return };
                let mut inner = TcpStream::connect(plain_address).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut outer, &mut inner) => {}
                    () = state.cut.notified() => {}
                }
            });
        }
    });
    address
}

async fn answer(state: Arc<State>, request: Request<accept::Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let seen = Seen { head: Arc::new(head.clone()), received: Arc::default(), end: Arc::default() };
    let fault = state.fault.lock().unwrap().clone();
    state.seen.lock().unwrap().push(seen.clone());
    let body = Watched { body, seen };
    let refusal = |status: u16, code: &str| {
        let text = format!("{{\"code\":\"{code}\",\"message\":\"{code}\",\"type\":\"Client\"}}");
        Response::builder().status(status).body(Body::from(text)).unwrap()
    };
    match fault {
        None => state.glacier.handle(Request::from_parts(head, body)).await.map(Body::new),
        Some(Fault::Says(said)) => {
            let mut answer = state.glacier.handle(Request::from_parts(head, body)).await.map(Body::new);
            for (name, value) in said {
                answer.headers_mut().append(name, value.parse().unwrap());
            }
            answer
        }
        Some(Fault::Answers(status, code)) => {
            let _ = body.collect().await;
            refusal(status, code)
        }
        Some(Fault::AnswersEarly(status, code)) => {
            // Kept for a while, so that it is the gateway's doing when the connection ends.
            tokio::spawn(async move {
                let _body = body;
                std::future::pending::<()>().await;
            });
            refusal(status, code)
        }
        Some(Fault::Redirects(location)) => {
            Response::builder().status(307).header("location", location).body(Body::empty()).unwrap()
        }
        Some(Fault::IsSilent) => {
            let _body = body;
            std::future::pending().await
        }
        Some(Fault::Cuts) => {
            let _ = body.collect().await;
            state.cut.notify_waiters();
            std::future::pending().await
        }
    }
}

/// A body that counts, and tells how it ended.
struct Watched {
    body: accept::Body,
    seen: Seen,
}

impl Watched {
    fn ended(&self, end: End) {
        self.seen.end.lock().unwrap().get_or_insert(end);
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = accept::BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, accept::BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            None => self.ended(End::Whole),
            Some(Err(_)) => self.ended(End::Broken),
            Some(Ok(frame)) => {
                let len = frame.data_ref().map_or(0, Bytes::len);
                self.seen.received.fetch_add(len as u64, Ordering::Relaxed);
                if self.body.is_end_stream() {
                    self.ended(End::Whole);
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let end = if self.body.is_end_stream() { End::Whole } else { End::Dropped };
        self.ended(end);
    }
}
