//! The routes, and what is true of every request and answer.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use accept::Peer;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use glacier_core::glacier::VaultName;
use glacier_core::hex;
use glacier_core::intent::RefusalCode;
use glacier_core::sigv4::{Credentials, Scope, Timestamp};
use http::uri::Scheme;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use crate::client::Client;
use crate::cors::{self, AllowedOrigins};
use crate::counted::CountedBody;
use crate::credentials::random;
use crate::edge::Readiness;
use crate::error::{Refused, RequestId, json};
use crate::events::{self, Events};
use crate::host::HostAllowList;
use crate::metrics::code_name;
use crate::page::Page;
use crate::relay::{self, Relay};
use crate::s3::{self, S3};
use crate::seats::{self, Seat};
use crate::sign::{self, Subject};
use crate::sns::{self, Sns};
use crate::token::Tokens;
use crate::watch::Watch;
use crate::{dev_token, page};

/// What the gateway knows. Clones share it.
#[derive(Clone, Debug)]
pub struct Gateway(Arc<Settings>, Readiness);

/// All the gateway needs.
pub struct Settings {
    /// Twelve digits.
    pub account_id: String,
    /// What requests to the embedded store, or to the relay, are signed with.
    pub credentials: Credentials,
    /// Region and service of those signatures.
    pub scope: Scope,
    /// Which tokens are good.
    pub tokens: Tokens,
    /// What development tokens are good for; at least one.
    pub vaults: Vec<VaultName>,
    /// Whether development tokens may be handed out.
    pub dev_tokens: bool,
    /// Who we are.
    pub hosts: HostAllowList,
    /// Who else may call.
    pub origins: AllowedOrigins,
    /// Glacier elsewhere, in place of the embedded store.
    pub relay: Option<Relay>,
    /// The page.
    pub page: Page,
    /// Who listens.
    pub events: Events,
    /// What receives messages of topics; `None` without topics.
    pub sns: Option<Sns>,
    /// Who calls, how often, and how it goes.
    pub watch: Watch,
    /// Where objects are; `None` without buckets.
    pub s3: Option<S3>,
    /// The clock.
    pub clock: fn() -> Timestamp,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Settings(account {}, vaults {:?})", self.account_id, self.vaults)
    }
}

impl Gateway {
    /// A gateway with these settings.
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(settings), Readiness::default())
    }

    /// Whether new requests are welcome.
    pub fn readiness(&self) -> &Readiness {
        &self.1
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

impl std::ops::Deref for Gateway {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.0
    }
}

/// All routes. `store` answers paths that begin with an account.
pub fn app(gateway: Gateway, store: Router) -> Router {
    let v1 = Router::new()
        .route("/v1/sign", post(sign::handle))
        .route("/v1/dev-token", post(dev_token::handle))
        .route(s3::PATH, post(s3::handle))
        .route(events::PATH, get(events::handle))
        .route(sns::PATH, post(sns::handle))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .with_state(gateway.clone());
    let routes = Router::new()
        .route("/healthz", get(async || json(StatusCode::OK, &serde_json::json!({ "status": "ok" }))))
        .route("/readyz", get(ready))
        .with_state(gateway.clone())
        .fallback_service(page::files(&gateway.page));
    #[cfg(feature = "bench-sink")]
    let routes = routes
        .route("/bench/sink", axum::routing::put(crate::bench_sink::sink))
        .route("/bench/file", axum::routing::put(crate::bench_sink::file));
    // With a relay there is no store here, whatever the path.
    let store = if gateway.relay.is_some() { Router::new().fallback(not_found) } else { store };
    let relay = Router::new().fallback(relay::handle).with_state(gateway.clone());
    // The store and the relay do their own routing, so that what they verify is what was sent.
    let dispatch = move |request: Request| {
        let router = match request.uri().path() {
            path if is_store_path(path) => store.clone(),
            path if is_relay_path(path) => relay.clone(),
            path if is_v1_path(path) => v1.clone(),
            _ => routes.clone(),
        };
        async move {
            let Ok(response) = tower::ServiceExt::oneshot(router, request).await;
            response
        }
    };
    Router::new().fallback(dispatch).layer(middleware::from_fn_with_state(gateway, around))
}

/// Whether a load balancer may send requests here: the store is open, or there would be no answer at all, the server is
/// not about to end, and tokens can be checked.
async fn ready(State(gateway): State<Gateway>) -> Response {
    let (status, text) = match (gateway.readiness().is_ready(), gateway.tokens.is_ready()) {
        (true, true) => (StatusCode::OK, "ready"),
        (true, false) => (StatusCode::SERVICE_UNAVAILABLE, "waiting for the keys of the tokens' issuer"),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "shutting down"),
    };
    json(status, &serde_json::json!({ "status": text }))
}

async fn not_found(id: axum::Extension<RequestId>) -> Response {
    Refused::new(RefusalCode::NotFound, "no such path").into_response(&id)
}

async fn method_not_allowed(uri: http::Uri, id: axum::Extension<RequestId>) -> Response {
    let (allowed, message) = if uri.path() == events::PATH { ("GET", "only GET") } else { ("POST", "only POST") };
    let mut response = Refused::new(RefusalCode::MethodNotAllowed, message).into_response(&id);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

/// Whether the first segment is an account: twelve digits or `-`.
fn is_store_path(path: &str) -> bool {
    let account = path.split('/').nth(1).unwrap_or("");
    account == "-" || (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_v1_path(path: &str) -> bool {
    path.split('/').nth(1) == Some("v1")
}

fn is_relay_path(path: &str) -> bool {
    path.strip_prefix(relay::PREFIX).is_some_and(|rest| rest.starts_with('/'))
}

/// What the log calls the path: never the path itself, which others choose.
fn route(path: &str) -> &'static str {
    match path {
        "/v1/sign" => "/v1/sign",
        "/v1/dev-token" => "/v1/dev-token",
        s3::PATH => s3::PATH,
        events::PATH => events::PATH,
        sns::PATH => sns::PATH,
        "/healthz" => "/healthz",
        "/readyz" => "/readyz",
        path if is_relay_path(path) => "relay",
        path if is_v1_path(path) => "/v1",
        path if is_store_path(path) => "store",
        _ => "page",
    }
}

/// Around every request: an ID, the host check, CORS, the headers every answer has, and a line in the log.
async fn around(State(gateway): State<Gateway>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let Ok(bits) = random::<16>() else {
        let id = RequestId("none".to_owned());
        return Refused::new(RefusalCode::Internal, "the system has no random numbers").into_response(&id);
    };
    let id = RequestId(hex::encode(&bits));
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let route = route(request.uri().path());
    let comes_by_tls = is_ours_by_tls(&gateway, &request);
    let watch = &gateway.watch;
    let in_flight = watch.metrics.begin(route);
    let client = request.extensions().get::<Peer>().map(|peer| watch.proxies.client(*peer, request.headers()));
    if let Some(client) = client {
        request.extensions_mut().insert(client);
    }
    let client = Client::of(request.extensions());
    let request = request.map(|body| CountedBody::received(body, &watch.metrics, route));
    let mut response = match watch.rates.admit(client) {
        Err(refused) if has_ids(route) => refused.into_response(&id),
        _ => checked(&gateway, &id, route, request, next).await,
    };
    let is_guess = has_ids(route) && response.extensions().get::<s3::OwnName>().is_none();
    if response.status() == StatusCode::NOT_FOUND && is_guess {
        let subject = response.extensions().get::<Subject>().map(|subject| subject.0.as_str());
        watch.rates.count_miss(client, subject);
    }
    page::guard(response.headers_mut());
    if comes_by_tls {
        page::require_tls(response.headers_mut());
    }
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    let code = response.extensions().get::<RefusalCode>().copied();
    if let Some(code) = code {
        watch.metrics.refused(code);
    }
    watch.metrics.answered(route, response.status(), begun.elapsed());
    tracing::info!(
        request_id = id.0,
        client = %client.0,
        method = method.as_str(),
        route,
        status = response.status().as_u16(),
        code = code.map(code_name),
        subject = response.extensions().get::<Subject>().map(|subject| subject.0.as_str()),
        duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    let seat = response.extensions_mut().remove::<Arc<Seat>>();
    response.map(|body| CountedBody::sent(body, &watch.metrics, route, (in_flight, seat)))
}

/// Whether somebody could look there for IDs that are not his. What is not a file of the page is no secret.
fn has_ids(route: &str) -> bool {
    route == "store" || route.starts_with("/v1")
}

/// Whether we speak TLS under a name that is not of this machine only: browsers remember what they are told of
/// `localhost` for every port.
fn is_ours_by_tls(gateway: &Gateway, request: &Request) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    request.extensions().get::<Scheme>() == Some(&Scheme::HTTPS)
        && host.is_some_and(|host| !gateway.hosts.is_loopback(host))
}

/// What the store or the relay answers to one of a subject's requests, unless it has too many of them.
async fn seated(gateway: &Gateway, id: &RequestId, request: Request, next: Next) -> Response {
    match seats::of_signed(gateway, &request) {
        Err(refused) => refused.into_response(id),
        Ok(seat) => {
            let mut response = next.run(request).await;
            if let Some(seat) = seat {
                // Until the answer's body has ended.
                response.extensions_mut().insert(Arc::new(seat));
            }
            response
        }
    }
}

async fn checked(gateway: &Gateway, id: &RequestId, route: &str, request: Request, next: Next) -> Response {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let is_ours = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok_and(|host| gateway.hosts.allows(host)),
        _ => false,
    };
    if !is_ours {
        let message = "this server does not answer for that host; start it with --public-host to add one";
        return Refused::new(RefusalCode::MisdirectedRequest, message).into_response(id);
    }
    if route == "page" {
        let mut response = next.run(request).await;
        if page::leads_away(response.headers()) {
            response = StatusCode::NOT_FOUND.into_response();
        }
        page::fence(response.headers_mut(), &gateway.s3.as_ref().map_or_else(Vec::new, S3::bucket_origins));
        return response;
    }
    let origin = gateway.origins.allowed(request.headers());
    if cors::is_preflight(request.method(), request.headers()) {
        return cors::preflight(origin);
    }
    // HEAD would open a stream of events to say nothing, and nobody needs it elsewhere.
    let is_head = request.method() == Method::HEAD && route != "store";
    let mut response = if is_head && !matches!(route, "/healthz" | "/readyz") {
        method_not_allowed(request.uri().clone(), axum::Extension(id.clone())).await
    } else if matches!(route, "store" | "relay") {
        seated(gateway, id, request, next).await
    } else {
        next.run(request).await
    };
    cors::mark(response.headers_mut(), origin);
    response
}
