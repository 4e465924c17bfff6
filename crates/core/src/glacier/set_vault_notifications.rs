//! SetVaultNotifications: has a topic told when jobs of a vault are done.
//!
//! Idempotent: replaces what was set before.
//!
//! **Source:** API reference, "Set Vault Notification Configuration (PUT notification-configuration)". The path in its
//! example, `notification-policy`, is an error of the reference.

use super::{AnswerError, Method, NotificationEvents, Request, Response, SnsTopic, VaultName};
use crate::json::Json;

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName, sns_topic: &SnsTopic, events: &NotificationEvents) -> Request {
    let body = Json::object([("SNSTopic", Json::Text(sns_topic.to_string())), ("Events", events.to_json())]);
    Request::with_json(Method::Put, format!("/{account}/vaults/{vault}/notification-configuration"), &body)
}

/// Whether it is set.
///
/// # Errors
/// [`AnswerError`] unless the answer is 204.
pub fn acknowledge(response: &Response) -> Result<(), AnswerError> {
    response.expect_status(204).map(drop)
}
