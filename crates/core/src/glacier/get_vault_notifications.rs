//! GetVaultNotifications: which topic is told of what.
//!
//! **Source:** API reference, "Get Vault Notifications (GET notification-configuration)".

use super::{AnswerError, Method, NotificationEvent, Request, Response, VaultName, field};
use crate::json::Json;

/// What a vault announces, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultNotifications {
    /// ARN of the topic. Not an [`SnsTopic`](super::SnsTopic): other clients have written what the service let them.
    pub sns_topic: String,
    /// In the order of the answer.
    pub events: Vec<NotificationEvent>,
}

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName) -> Request {
    Request::without_body(Method::Get, format!("/{account}/vaults/{vault}/notification-configuration"))
}

/// Reads the configuration; `None` where none is set.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with every field in its form, or 404 because none is set.
pub fn read(response: &Response) -> Result<Option<VaultNotifications>, AnswerError> {
    let Some(body) = response.expect_setting()? else { return Ok(None) };
    let event = |event: &Json| match event {
        Json::Text(name) => NotificationEvent::from_name(name).ok_or(AnswerError::Unreadable { name: "Events" }),
        _ => Err(AnswerError::Unreadable { name: "Events" }),
    };
    Ok(Some(VaultNotifications {
        sns_topic: field::required(body, "SNSTopic")?.to_owned(),
        events: field::items(body, "Events", event)?,
    }))
}
