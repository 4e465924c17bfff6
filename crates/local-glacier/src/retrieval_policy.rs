//! Operations on the account's data retrieval policy.
//!
//! **Source:** API reference, "Set/Get Data Retrieval Policy".

use serde::Serialize;
use serde_json::Value;

use crate::answer::Answer;
use crate::error::{self, Refusal};
use crate::glacier::Glacier;
use crate::json_body::{self, Fields};
use crate::store::RetrievalPolicy;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    policy: Rules,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rules {
    rules: [Rule; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    bytes_per_hour: Option<u64>,
    strategy: &'static str,
}

impl Glacier {
    pub(crate) async fn set_data_retrieval_policy(&self, body: &[u8]) -> Result<Answer, Refusal> {
        let policy = parse(body)?;
        let set = self.blocking(move |store| store.set_retrieval_policy(policy)).await;
        set.map_err(|error| self.account_refusal(&error))?;
        Ok(Answer::no_content())
    }

    pub(crate) async fn get_data_retrieval_policy(&self) -> Result<Answer, Refusal> {
        let policy = self.blocking(crate::store::Store::retrieval_policy).await;
        let policy = policy.map_err(|error| self.account_refusal(&error))?;
        let bytes_per_hour = match policy {
            RetrievalPolicy::BytesPerHour(bytes) => Some(bytes),
            RetrievalPolicy::None | RetrievalPolicy::FreeTier => None,
        };
        let rules = [Rule { bytes_per_hour, strategy: policy.strategy() }];
        Ok(Answer::json(&Document { policy: Rules { rules } }))
    }
}

fn parse(body: &[u8]) -> Result<RetrievalPolicy, Refusal> {
    let body = json_body::parse(body)?;
    let [rule] = Fields::of(&body)?.required_object("Policy")?.required_list("Rules")? else {
        return Err(error::wrong_number_of_rules());
    };
    let rule = Fields::of_named(rule, "A rule")?;
    let bytes = rule.get("BytesPerHour");
    let policy = match rule.required_text("Strategy")? {
        "BytesPerHour" => {
            let bytes = bytes.ok_or_else(|| error::missing("BytesPerHour"))?;
            if !bytes.is_number() {
                return Err(error::wrong_json_type("BytesPerHour", "a number"));
            }
            let number = bytes.as_u64().filter(|bytes| (1..=i64::MAX.unsigned_abs()).contains(bytes));
            return number.map(RetrievalPolicy::BytesPerHour).ok_or_else(|| error::invalid_bytes_per_hour(bytes));
        }
        "FreeTier" => RetrievalPolicy::FreeTier,
        "None" => RetrievalPolicy::None,
        other => return Err(error::invalid_strategy(other)),
    };
    match bytes {
        None => Ok(policy),
        Some(Value::Number(_) | Value::String(_)) => Err(error::bytes_per_hour_not_for(policy.strategy())),
        Some(_) => Err(error::wrong_json_type("BytesPerHour", "a number")),
    }
}
