//! A message as it was posted, and what of it is signed.

use glacier_core::date;
use local_glacier::TopicArn;
use serde::Deserialize;

/// Oldest message that is taken, in milliseconds. Amazon SNS gives up after an hour.
const MAX_AGE_MS: i64 = 60 * 60 * 1000;
/// How far the sender's clock may be ahead, in milliseconds.
const MAX_AHEAD_MS: i64 = 5 * 60 * 1000;

/// A message whose fields have the form they should. Its signature is not checked yet.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) topic: TopicArn,
    /// The `Message`.
    pub(super) text: String,
    pub(super) seal: Seal,
    subject: Option<String>,
    timestamp: String,
    timestamp_ms: i64,
}

#[derive(Debug)]
pub(super) enum Kind {
    Notification,
    Subscription { url: String, token: String },
    Unsubscribed { url: String, token: String },
}

/// The signature, in base64, and how it was made.
#[derive(Debug)]
pub(super) struct Seal {
    /// `1`, `2` or `Ed25519`.
    pub(super) version: String,
    pub(super) signature: String,
    /// Where the certificate is said to be.
    pub(super) certificate: Option<String>,
}

/// As it is in JSON. A field that stands there twice is an error; others than these are not signed and not read.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "TopicMessage"))]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Document {
    r#type: String,
    message_id: String,
    topic_arn: String,
    subject: Option<String>,
    message: String,
    timestamp: String,
    token: Option<String>,
    #[serde(rename = "SubscribeURL")]
    subscribe_url: Option<String>,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL")]
    signing_cert_url: Option<String>,
}

impl Message {
    /// `None` for what no topic would send. Only the text may have line breaks, which is what keeps one string to sign
    /// from being that of two messages.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(body).ok()?;
        let in_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let id_is_legal = (1..=100).contains(&document.message_id.len()) && document.message_id.bytes().all(in_id);
        let is_line = |text: &Option<String>| !text.as_deref().unwrap_or("").contains(char::is_control);
        if !id_is_legal || ![&document.subject, &document.token, &document.subscribe_url].into_iter().all(is_line) {
            return None;
        }
        let kind = match (document.r#type.as_str(), document.subscribe_url, document.token) {
            ("Notification", ..) => Kind::Notification,
            ("SubscriptionConfirmation", Some(url), Some(token)) => Kind::Subscription { url, token },
            ("UnsubscribeConfirmation", Some(url), Some(token)) => Kind::Unsubscribed { url, token },
            _ => return None,
        };
        Some(Self {
            kind,
            id: document.message_id,
            topic: TopicArn::new(&document.topic_arn).ok()?,
            text: document.message,
            seal: Seal {
                version: document.signature_version,
                signature: document.signature,
                certificate: document.signing_cert_url,
            },
            subject: document.subject,
            timestamp_ms: date::unix_ms(&document.timestamp)?,
            timestamp: document.timestamp,
        })
    }

    pub(super) fn is_fresh(&self, now_ms: i64) -> bool {
        (now_ms.saturating_sub(MAX_AGE_MS)..=now_ms.saturating_add(MAX_AHEAD_MS)).contains(&self.timestamp_ms)
    }

    /// **Source:** Amazon SNS developer guide, "Verifying the signatures of Amazon SNS messages".
    pub(super) fn string_to_sign(&self) -> String {
        let mut pairs = vec![("Message", self.text.as_str()), ("MessageId", &self.id)];
        let kind = match &self.kind {
            Kind::Notification => {
                pairs.extend(self.subject.as_deref().map(|subject| ("Subject", subject)));
                pairs.push(("Timestamp", &self.timestamp));
                "Notification"
            }
            Kind::Subscription { url, token } | Kind::Unsubscribed { url, token } => {
                pairs.extend([("SubscribeURL", url.as_str()), ("Timestamp", &self.timestamp), ("Token", token)]);
                match self.kind {
                    Kind::Subscription { .. } => "SubscriptionConfirmation",
                    _ => "UnsubscribeConfirmation",
                }
            }
        };
        pairs.extend([("TopicArn", self.topic.as_str()), ("Type", kind)]);
        pairs.iter().map(|(name, value)| format!("{name}\n{value}\n")).collect()
    }
}
