//! GetDataRetrievalPolicy: how much the account may retrieve at the Standard tier.
//!
//! **Source:** API reference, "Get Data Retrieval Policy (GET policy)".

use super::{AnswerError, BytesPerHour, Method, Request, Response, RetrievalRule, field};
use crate::json::Json;

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str) -> Request {
    Request::without_body(Method::Get, format!("/{account}/policies/data-retrieval"))
}

/// The one rule of the policy. A limit above 2^53 bytes an hour cannot be read in a browser, whose numbers end there.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with exactly one rule in its form.
pub fn read(response: &Response) -> Result<RetrievalRule, AnswerError> {
    let policy = response.expect_json(200)?.get("Policy").ok_or(AnswerError::Unreadable { name: "Policy" })?;
    let Some([rule]) = policy.list("Rules") else {
        return Err(AnswerError::Unreadable { name: "Rules" });
    };
    read_rule(rule)
}

fn read_rule(rule: &Json) -> Result<RetrievalRule, AnswerError> {
    match field::required(rule, "Strategy")? {
        "None" => Ok(RetrievalRule::None),
        "FreeTier" => Ok(RetrievalRule::FreeTier),
        "BytesPerHour" => {
            let bytes = BytesPerHour::new(field::required_number(rule, "BytesPerHour")?);
            bytes.map(RetrievalRule::BytesPerHour).map_err(|_| AnswerError::Unreadable { name: "BytesPerHour" })
        }
        _ => Err(AnswerError::Unreadable { name: "Strategy" }),
    }
}
