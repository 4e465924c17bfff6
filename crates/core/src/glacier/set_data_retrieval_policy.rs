//! SetDataRetrievalPolicy: limits how much the account may retrieve at the Standard tier.
//!
//! Idempotent: replaces what was set before. An InitiateJob that would break the rule is refused with
//! `PolicyEnforcedException`.
//!
//! **Source:** API reference, "Set Data Retrieval Policy (PUT policy)".

use super::{AnswerError, Method, Request, Response, RetrievalRule};
use crate::json::Json;

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, rule: RetrievalRule) -> Request {
    let mut members = vec![("Strategy".to_owned(), Json::Text(rule.strategy().into()))];
    members.extend(rule.bytes_per_hour().map(|bytes| ("BytesPerHour".to_owned(), Json::Number(bytes.get()))));
    let rules = Json::object([("Rules", Json::List(vec![Json::Object(members)]))]);
    let body = Json::object([("Policy", rules)]);
    Request::with_json(Method::Put, format!("/{account}/policies/data-retrieval"), &body)
}

/// Whether it is set.
///
/// # Errors
/// [`AnswerError`] unless the answer is 204.
pub fn acknowledge(response: &Response) -> Result<(), AnswerError> {
    response.expect_status(204).map(drop)
}
