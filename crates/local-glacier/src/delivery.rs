//! Notifications on their way to the endpoint of a topic: a message in the shape of Amazon SNS's, signed, sent by POST,
//! and sent again until it is taken.
//!
//! **The body** is SNS's JSON for a notification: `Type`, `MessageId`, `TopicArn`, `Subject`, `Message` (the answer of
//! DescribeJob, as a string), `Timestamp`, `SignatureVersion`, `Signature`; and `SigningKey` in place of SNS's
//! `SigningCertURL`. The headers `x-amz-sns-message-type`, `x-amz-sns-message-id` and `x-amz-sns-topic-arn` are as SNS
//! sends them.
//!
//! **The signature.** `SignatureVersion` is `Ed25519`. What is signed is what SNS signs: for each of `Message`,
//! `MessageId`, `Subject`, `Timestamp`, `TopicArn` and `Type`, in this order, the name, a line feed, the value and a
//! line feed. `Signature` is in base64. The key is made once for each data folder; its public half is in
//! [`Glacier::notification_key`](crate::Glacier::notification_key), and the program writes it to
//! `notification-key.pem` in the data folder. A receiver compares with the key it knows; `SigningKey` only tells which
//! one was used.
//!
//! **Repetition.** An answer of 200 to 299 ends a delivery, and so does 400 to 499 but for 408 and 429, which say that
//! the message will never be taken. After anything else it is sent again, after 1, 2, 4, … seconds, at most five
//! minutes, for as long as the job is remembered. A message may arrive twice; its `MessageId` stays the same.
//!
//! **Where to.** Only to the URL the operator gave: a redirect is not followed but counts as a failure, and a proxy from
//! the environment is not used. Of the answer the status is read and the body is not, so its length does not matter.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use serde::Serialize;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use crate::auth::Authority;
use crate::clock::iso;
use crate::endpoint::Topic;
use crate::jobs::JobDocument;
use crate::store::Delivery;

/// How long an endpoint may take for everything.
const PATIENCE: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

const SUBJECT: &str = "Notification From Amazon Glacier Service";
/// What stands before the 32 bytes of an Ed25519 key in a `SubjectPublicKeyInfo`. **Source:** RFC 8410.
const PUBLIC_KEY_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Sends messages. Clones share the connections.
#[derive(Clone)]
pub(crate) struct Courier {
    key: Arc<SigningKey>,
    endpoints: Arc<HashMap<String, Endpoint>>,
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

/// The endpoint of a topic, with its connections: each trusts its own authorities.
struct Endpoint {
    url: String,
    agent: ureq::Agent,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl Endpoint {
    fn new(topic: &Topic) -> Self {
        let root_certs = match topic.authorities() {
            Some(authorities) => RootCerts::new_with_certs(authorities),
            None => RootCerts::WebPki,
        };
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .tls_config(TlsConfig::builder().provider(TlsProvider::Rustls).root_certs(root_certs).build())
            .user_agent("local-glacier")
            .build();
        Self { url: topic.url().to_owned(), agent: agent.into() }
    }
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The message was taken, or never will be.
    Ended,
    /// To be sent again after this time.
    Failed { pause: Duration },
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Message<'a> {
    #[serde(rename = "Type")]
    kind: &'static str,
    message_id: &'a str,
    topic_arn: &'a str,
    subject: &'static str,
    message: String,
    timestamp: String,
    signature_version: &'static str,
    signature: String,
    signing_key: String,
}

impl Courier {
    pub(crate) fn new(seed: &[u8; 32], topics: &[Topic]) -> Self {
        let endpoints = topics.iter().map(|topic| (topic.arn().to_string(), Endpoint::new(topic))).collect();
        Self { key: Arc::new(SigningKey::from_bytes(seed)), endpoints: Arc::new(endpoints) }
    }

    /// The public half of the key that signs, as PEM.
    pub(crate) fn public_key_pem(&self) -> String {
        let der = [PUBLIC_KEY_PREFIX.as_slice(), self.key.verifying_key().as_bytes()].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    }

    /// Sends a message once. Blocks for at most some seconds.
    pub(crate) fn send(&self, delivery: &Delivery, authority: &Authority) -> Attempt {
        let Some(endpoint) = self.endpoints.get(&delivery.topic) else {
            tracing::debug!(topic = delivery.topic, "a topic without an endpoint");
            return Attempt::Ended;
        };
        let Some(body) = self.body(delivery, authority) else { return Attempt::Ended };
        let sent = endpoint
            .agent
            .post(&endpoint.url)
            .header("content-type", "text/plain; charset=UTF-8")
            .header("x-amz-sns-message-type", "Notification")
            .header("x-amz-sns-message-id", &delivery.message_id)
            .header("x-amz-sns-topic-arn", &delivery.topic)
            .send(body);
        let (topic, attempt) = (&delivery.topic, delivery.attempts + 1);
        match sent.map(|answer| answer.status().as_u16()) {
            Ok(200..=299) => {
                tracing::info!(topic, attempt, "notification delivered");
                Attempt::Ended
            }
            Ok(status @ 400..=499) if status != 408 && status != 429 => {
                tracing::warn!(topic, attempt, status, "the endpoint refuses the notification; it is given up");
                Attempt::Ended
            }
            Ok(status) => {
                tracing::warn!(topic, attempt, status, "notification not delivered; it will be sent again");
                Attempt::Failed { pause: pause(delivery.attempts) }
            }
            Err(error) => {
                tracing::warn!(topic, attempt, %error, "notification not delivered; it will be sent again");
                Attempt::Failed { pause: pause(delivery.attempts) }
            }
        }
    }

    fn body(&self, delivery: &Delivery, authority: &Authority) -> Option<String> {
        let timestamp = iso(delivery.job.completed_ms.unwrap_or(delivery.job.created_ms));
        let message = serde_json::to_string(&JobDocument::new(delivery.job.clone(), authority));
        let message =
            message.inspect_err(|error| tracing::error!(%error, "a job could not be written as JSON")).ok()?;
        let mut message = Message {
            kind: "Notification",
            message_id: &delivery.message_id,
            topic_arn: &delivery.topic,
            subject: SUBJECT,
            message,
            timestamp,
            signature_version: "Ed25519",
            signature: String::new(),
            signing_key: STANDARD.encode(self.key.verifying_key().as_bytes()),
        };
        message.signature = STANDARD.encode(self.key.sign(message.string_to_sign().as_bytes()).to_bytes());
        serde_json::to_string(&message).ok()
    }
}

impl Message<'_> {
    fn string_to_sign(&self) -> String {
        [
            ("Message", self.message.as_str()),
            ("MessageId", self.message_id),
            ("Subject", self.subject),
            ("Timestamp", &self.timestamp),
            ("TopicArn", self.topic_arn),
            ("Type", self.kind),
        ]
        .iter()
        .map(|(name, value)| format!("{name}\n{value}\n"))
        .collect()
    }
}

/// Doubles with every failed attempt.
fn pause(failed: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1_u32.checked_shl(failed.min(31)).unwrap_or(u32::MAX)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sns:us-east-1:123456789012:jobs";

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let seconds: Vec<u64> = [0, 1, 2, 8, 9, 40, u32::MAX].iter().map(|failed| pause(*failed).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 256, 300, 300, 300]);
    }

    #[test]
    fn neither_key_nor_its_seed_is_in_debug_output() {
        let courier = Courier::new(&[7; 32], &[format!("{ARN}=http://127.0.0.1/").parse().unwrap()]);
        assert_eq!(
            format!("{courier:?}"),
            format!("Courier {{ endpoints: {{\"{ARN}\": \"http://127.0.0.1/\"}}, .. }}")
        );
    }
}
