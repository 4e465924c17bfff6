//! `POST /v1/dev-token`: a token for whoever sits at this machine, so that a first upload needs no back end.

use accept::Peer;
use axum::extract::{Request, State};
use axum::response::Response;
use glacier_core::glacier::{MAX_ARCHIVE_LEN, VaultName};
use glacier_core::intent::RefusalCode;
use glacier_core::s3::MAX_OBJECT_LEN;
use http::uri::Scheme;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;

use crate::app::Gateway;
use crate::body;
use crate::client::Client;
use crate::error::{Refused, RequestId, json};
use crate::objects::ObjectGrant;
use crate::s3::S3;
use crate::token::Claims;

/// How long a development token is good for, in seconds.
pub const LIFETIME_S: u64 = 60 * 60;

/// Sending and getting back, and nothing that takes away what somebody else has stored: several people may share a
/// machine, and its vaults with it.
const GRANTS: [&str; 2] = ["upload", "read"];

const MAX_LEN: usize = 1024;

const NOT_EMPTY: Refused = Refused::new(RefusalCode::InvalidRequest, "expected an empty object");

/// Headers that a proxy adds. Behind one, everybody comes from loopback.
const PROXY_HEADERS: [&str; 5] = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "DevToken"))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer<'a> {
    token: String,
    expires_in_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    vault: Option<&'a VaultName>,
    vaults: &'a [VaultName],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    objects: &'a [ObjectGrant],
}

/// Answers on loopback only; elsewhere as if there were no such path.
pub async fn handle(State(gateway): State<Gateway>, id: axum::Extension<RequestId>, request: Request) -> Response {
    match mint(&gateway, request).await {
        Ok(response) => response,
        Err(refused) => refused.into_response(&id),
    }
}

async fn mint(gateway: &Gateway, request: Request) -> Result<Response, Refused> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    let peer_is_loopback = request.extensions().get::<Peer>().is_some_and(|peer| peer.0.ip().is_loopback());
    let is_direct = !PROXY_HEADERS.iter().any(|name| request.headers().contains_key(*name));
    let is_local = gateway.dev_tokens && peer_is_loopback && is_direct && gateway.hosts.is_loopback(host);
    let scheme = request.extensions().get::<Scheme>().unwrap_or(&Scheme::HTTP);
    if !is_local || !is_same_origin(request.headers(), scheme, host) {
        return Err(Refused::new(RefusalCode::NotFound, "no such path"));
    }
    gateway.watch.rates.count_anonymous(Client::of(request.extensions()))?;
    let body = body::read_json(request, MAX_LEN).await?;
    // Not a type of its own, because serde would read a list as one, too.
    let asked: serde_json::Map<_, _> = serde_json::from_slice(&body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => NOT_EMPTY,
        _ => Refused::new(RefusalCode::MalformedJson, "the body is not JSON"),
    })?;
    if !asked.is_empty() {
        return Err(NOT_EMPTY);
    }
    let now = gateway.now().as_unix();
    let objects = gateway.s3.as_ref().map_or(&[][..], S3::objects);
    let claims = Claims {
        sub: "developer".to_owned(),
        vaults: gateway.vaults.clone(),
        ops: GRANTS.map(str::to_owned).to_vec(),
        objects: objects.to_vec(),
        max_archive_bytes: MAX_ARCHIVE_LEN.max(MAX_OBJECT_LEN),
        iat: now,
        exp: now + LIFETIME_S,
        ..Claims::default()
    };
    let internal = Refused::new(RefusalCode::Internal, "the token could not be made");
    let token = gateway.tokens.mint(&claims).map_err(|_| internal)?;
    let vaults = &gateway.vaults;
    let answer = Answer { token, expires_in_ms: LIFETIME_S * 1000, vault: vaults.first(), vaults, objects };
    Ok(json(StatusCode::OK, &answer))
}

/// Whether a browser says that a page of this very server asks, or no browser is involved.
fn is_same_origin(headers: &HeaderMap, scheme: &Scheme, host: &str) -> bool {
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    let origin = headers.get(header::ORIGIN).map(|origin| origin.as_bytes());
    matches!(site, None | Some(b"same-origin" | b"none"))
        && origin.is_none_or(|origin| origin == format!("{scheme}://{host}").as_bytes())
}
