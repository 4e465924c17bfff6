//! The relay to Amazon Glacier, which answers no page: `/v1/relay/{account}/vaults/…` is Glacier's API on our origin.
//!
//! A page sends what `POST /v1/sign` answered, signed with a key of the gateways' own. The relay checks that signature,
//! signs the same request for the store with AWS's credentials, and passes the body on as it arrives. Nothing of a part is
//! kept: what the store has not taken waits in the browser. The body's hash is the browser's word under our signature, and
//! the store compares it with the bytes.

mod answer;
mod check;
mod declared;
mod outgoing;
mod refusal;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use glacier_core::hex;
use glacier_core::sigv4::{Credentials, GLACIER, Scope, SecretKey};

use self::declared::Declared;
use self::outgoing::Received;
pub(crate) use self::refusal::Refusal;
use crate::app::Gateway;
use crate::aws_credentials::AwsCredentials;
use crate::error::RequestId;
use crate::token::TokenKey;
use crate::upstream::{Chained, Client, Origin, UpstreamError};

/// Before the store's own paths.
pub const PREFIX: &str = "/v1/relay";

/// In the scope of the gateways' own signatures, so that they are good for nothing else.
const SERVICE: &str = "glacier-relay";

/// Glacier elsewhere.
#[derive(Debug)]
pub struct Relay {
    /// Where it is.
    pub origin: Origin,
    /// The way there.
    pub client: Client,
    /// What it is signed with.
    pub aws: AwsCredentials,
    /// Region and service of those signatures.
    pub scope: Scope,
}

impl Relay {
    /// Glacier at `origin`, in `region`.
    pub fn new(origin: Origin, region: &str, client: Client, aws: AwsCredentials) -> Self {
        Self { origin, client, aws, scope: Scope { region: region.to_owned(), service: GLACIER } }
    }
}

/// Where Amazon has Glacier of that region.
pub fn endpoint_of_aws(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://glacier.{region}.{suffix}")
}

/// What the requests to the relay are signed with: the same for all gateways that share a token key.
pub fn own_signature(token_key: &TokenKey, region: &str) -> (Credentials, Scope) {
    let credentials = Credentials {
        access_key_id: "GATEWAYRELAY".to_owned(),
        secret_access_key: SecretKey::new(hex::encode(&token_key.derive("relay"))),
        session_token: None,
    };
    (credentials, Scope { region: region.to_owned(), service: SERVICE })
}

/// Passes one request on, and its answer back.
pub async fn handle(State(gateway): State<Gateway>, id: axum::Extension<RequestId>, request: Request) -> Response {
    match pass_on(&gateway, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(&id),
    }
}

async fn pass_on(gateway: &Gateway, request: Request) -> Result<Response, Refusal> {
    let relay = gateway.relay.as_ref().ok_or(Refusal::NotHere)?;
    let (head, body) = request.into_parts();
    let received = Received::new(&head)?;
    received.check_signature(&gateway.credentials, &gateway.scope, gateway.now())?;
    received.check_account(&gateway.account_id)?;
    let length = received.body_length(&body)?;
    let aws = relay.aws.get().await.map_err(|_| Refusal::NoCredentials)?;
    // The time of now and not that before the credentials were found.
    let outgoing = received.sign(&relay.origin, &aws, &relay.scope, gateway.now())?;
    let (body, fate) = Declared::new(body, length);
    let answer = relay.client.send(&relay.origin, outgoing.map(|()| Body::new(body))).await;
    match answer {
        Ok(answer) => answer::back(answer),
        Err(error) => Err(fate.refusal().unwrap_or_else(|| unanswered(&error))),
    }
}

fn unanswered(error: &UpstreamError) -> Refusal {
    tracing::warn!(error = %Chained(error), "the store did not answer");
    match error {
        UpstreamError::TimedOut => Refusal::TimedOut,
        _ => Refusal::Unreachable,
    }
}
