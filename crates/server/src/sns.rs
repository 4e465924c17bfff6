//! `POST /v1/sns`: messages of topics about completed jobs, from Amazon SNS or from a store of ours elsewhere, which
//! become events for pages. There is no such path unless topics are configured.
//!
//! Who posts here is nobody in particular: everything that a message causes comes after its signature holds, but for
//! fetching the certificate that its signature is checked with, and that goes to a host of Amazon SNS or nowhere.

mod certificate;
mod message;
mod outside;
mod place;
mod seen;
mod signature;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use glacier_core::glacier::VaultName;
use glacier_core::intent::RefusalCode;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use local_glacier::TopicArn;
use serde_json::Value;
use tokio::sync::Semaphore;

pub use outside::{Outside, Unreachable};
pub use place::Place;
pub use signature::{InvalidStoreKey, StoreKey};

use crate::app::Gateway;
use crate::error::{Refused, RequestId};
#[cfg(feature = "openapi")]
pub(crate) use message::Document;
use message::{Kind, Message};
use seen::Seen;
use signature::Certificates;

/// Where topics deliver to.
pub const PATH: &str = "/v1/sns";

/// Longest body. Amazon SNS delivers up to 256 KiB; the description of a job is two.
const MAX_LEN: usize = 64 << 10;

/// Most messages that are checked at a time. They may wait for Amazon SNS on threads that the store needs, too.
const AT_ONCE: usize = 4;

pub(crate) const REFUSED: Refused =
    Refused::new(RefusalCode::MessageRefused, "not a message of a topic of this gateway, or not a fresh one");

/// What receives messages. Clones share it.
#[derive(Clone)]
pub struct Sns(Arc<Inner>);

struct Inner {
    topics: BTreeSet<TopicArn>,
    store_key: Option<StoreKey>,
    outside: Outside,
    certificates: Certificates,
    seen: Seen,
    turns: Arc<Semaphore>,
}

impl fmt::Debug for Sns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sns").field("topics", &self.0.topics).finish_non_exhaustive()
    }
}

impl Sns {
    /// Receives the messages of these topics, and of no others. Messages of a store are believed only with its key.
    pub fn new(topics: impl IntoIterator<Item = TopicArn>, store_key: Option<StoreKey>, outside: Outside) -> Self {
        let (certificates, seen) = (Certificates::default(), Seen::default());
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let topics = topics.into_iter().collect();
        Self(Arc::new(Inner { topics, store_key, outside, certificates, seen, turns }))
    }

    /// Checks a message, at `now` in milliseconds since 1970, and does what it asks for. Blocks while it fetches.
    fn receive(&self, body: &[u8], now_ms: i64) -> Result<Option<Message>, Refused> {
        let Inner { topics, store_key, outside, certificates, seen, .. } = &*self.0;
        let message = Message::read(body).ok_or(REFUSED)?;
        if !topics.contains(&message.topic) || !message.is_fresh(now_ms) {
            return Err(REFUSED);
        }
        signature::check(&message, store_key.as_ref(), certificates, outside, now_ms)?;
        if !seen.is_new(&message.id, now_ms) {
            return Ok(None);
        }
        if let Kind::Subscription { url, token } = &message.kind {
            let place = Place::subscription(url, &message.topic, token).ok_or(REFUSED)?;
            (outside.get)(&place).map_err(|Unreachable| signature::UNREACHABLE)?;
            tracing::info!(topic = message.topic.as_str(), "the subscription to a topic was confirmed");
        }
        if matches!(message.kind, Kind::Unsubscribed { .. }) {
            tracing::warn!(topic = message.topic.as_str(), "the subscription to a topic was ended");
        }
        // Not before all is done: what failed is to be sent again.
        Ok(seen.note(&message.id, now_ms).then_some(message))
    }
}

/// Takes a message.
pub async fn handle(State(gateway): State<Gateway>, id: axum::Extension<RequestId>, request: Request) -> Response {
    match take(&gateway, request).await {
        Ok(()) => {
            let mut response = Response::new(axum::body::Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        Err(refused) => refused.into_response(&id),
    }
}

async fn take(gateway: &Gateway, request: Request) -> Result<(), Refused> {
    let sns = gateway.sns.clone().ok_or(Refused::new(RefusalCode::NotFound, "no such path"))?;
    // Amazon SNS calls its JSON plain text.
    let body = Limited::new(request.into_body(), MAX_LEN).collect().await.map_err(|error| {
        let too_large = Refused::new(RefusalCode::TooLarge, "the message is too large");
        if error.is::<LengthLimitError>() { too_large } else { REFUSED }
    })?;
    let body = body.to_bytes();
    let now_ms = i64::try_from(gateway.now().as_unix()).unwrap_or(i64::MAX).saturating_mul(1000);
    let busy = Refused::new(RefusalCode::Unavailable, "too many messages at once; send it again");
    let turn = Arc::clone(&sns.0.turns).try_acquire_owned().map_err(|_| busy)?;
    let received = tokio::task::spawn_blocking(move || {
        let outcome = sns.receive(&body, now_ms);
        drop(turn);
        outcome
    })
    .await;
    let gone = Refused::new(RefusalCode::Internal, "the message could not be checked");
    if let Some(message) = received.map_err(|_| gone)??
        && matches!(message.kind, Kind::Notification)
    {
        publish(gateway, &message);
    }
    Ok(())
}

/// Tells pages of the job, if that is what the message is about.
fn publish(gateway: &Gateway, message: &Message) {
    let job: Value = serde_json::from_str(&message.text).unwrap_or_default();
    let prefix = format!(":glacier:{}:{}:vaults/", gateway.scope.region, gateway.account_id);
    let arn = job.get("VaultARN").and_then(Value::as_str).unwrap_or("");
    let rest = arn.strip_prefix("arn:").and_then(|rest| rest.find(':').map(|at| &rest[at..]));
    let vault = rest.and_then(|rest| rest.strip_prefix(&prefix)).and_then(|name| VaultName::new(name).ok());
    match vault {
        Some(vault) if job.get("JobId").is_some_and(Value::is_string) => {
            gateway.events.publish(&vault, &job.to_string());
        }
        // Authentic, and would be the same the next time.
        _ => {
            tracing::info!(topic = message.topic.as_str(), "a message that is about no job of this account and region")
        }
    }
}
