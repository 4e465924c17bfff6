//! Conditions of statements.

use glacier_core::range::parse_decimal;
use serde_json::{Map, Value};

use super::pattern::Pattern;
use super::{Question, object, one_or_more};
use crate::error::{self, Refusal};

const AGE: &str = "glacier:archiveageindays";
const TAG: &str = "glacier:resourcetag/";

/// One operator on one key. Several values are alternatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Age { operator: Numeric, days: Vec<u64> },
    Tag { key: String, is_negated: bool, values: Vec<Pattern> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numeric {
    Equals,
    NotEquals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

/// How a string is compared.
#[derive(Clone, Copy)]
struct Text {
    is_negated: bool,
    has_wildcards: bool,
}

impl Condition {
    /// Reads `{"Operator": {"key": "value" or ["value", …], …}, …}`; all of them must hold.
    pub(super) fn parse_all(operators: &Map<String, Value>) -> Result<Vec<Self>, Refusal> {
        let mut conditions = Vec::new();
        for (operator, keys) in operators {
            for (key, values) in object(keys, "a condition")? {
                conditions.push(Self::parse(operator, key, &one_or_more(Some(values), key)?)?);
            }
        }
        Ok(conditions)
    }

    fn parse(operator: &str, key: &str, values: &[&Value]) -> Result<Self, Refusal> {
        let lower = key.to_ascii_lowercase(); // names of keys are of any case; that of a tag is not
        let tag = lower.strip_prefix(TAG).and_then(|_| key.get(TAG.len()..)).filter(|key| !key.is_empty());
        match (numeric(operator), text(operator), tag) {
            (Some(operator), _, _) if lower == AGE => {
                let days = values.iter().map(|value| days(value)).collect::<Result<_, _>>()?;
                Ok(Self::Age { operator, days })
            }
            (_, Some(Text { is_negated, has_wildcards }), Some(key)) => {
                let values = values.iter().map(|value| pattern(value, has_wildcards)).collect::<Result<_, _>>()?;
                Ok(Self::Tag { key: key.to_owned(), is_negated, values })
            }
            (None, None, _) => Err(error::invalid_policy_part("Condition operator", operator)),
            _ => Err(error::invalid_policy_part(&format!("Condition key for {operator}"), key)),
        }
    }

    /// A key that the request does not have makes only a negated condition hold.
    pub(super) fn holds(&self, question: &Question<'_>) -> bool {
        match self {
            Self::Age { operator, days } => match question.archive_age_days {
                Some(age) if *operator == Numeric::NotEquals => !days.contains(&age),
                Some(age) => days.iter().any(|days| operator.compares(age, *days)),
                None => *operator == Numeric::NotEquals,
            },
            Self::Tag { key, is_negated, values } => {
                let value = question.tags.iter().find(|(name, _)| name == key).map(|(_, value)| value);
                value.is_some_and(|value| values.iter().any(|pattern| pattern.matches(value))) != *is_negated
            }
        }
    }
}

impl Numeric {
    fn compares(self, age: u64, days: u64) -> bool {
        match self {
            Self::Equals => age == days,
            Self::NotEquals => age != days,
            Self::LessThan => age < days,
            Self::LessThanEquals => age <= days,
            Self::GreaterThan => age > days,
            Self::GreaterThanEquals => age >= days,
        }
    }
}

fn numeric(operator: &str) -> Option<Numeric> {
    Some(match operator {
        "NumericEquals" => Numeric::Equals,
        "NumericNotEquals" => Numeric::NotEquals,
        "NumericLessThan" => Numeric::LessThan,
        "NumericLessThanEquals" => Numeric::LessThanEquals,
        "NumericGreaterThan" => Numeric::GreaterThan,
        "NumericGreaterThanEquals" => Numeric::GreaterThanEquals,
        _ => return None,
    })
}

fn text(operator: &str) -> Option<Text> {
    let (is_negated, has_wildcards) = match operator {
        "StringEquals" => (false, false),
        "StringNotEquals" => (true, false),
        "StringLike" => (false, true),
        "StringNotLike" => (true, true),
        _ => return None,
    };
    Some(Text { is_negated, has_wildcards })
}

fn days(value: &Value) -> Result<u64, Refusal> {
    let days = value.as_u64().or_else(|| value.as_str().and_then(parse_decimal));
    days.ok_or_else(|| error::invalid_policy("glacier:ArchiveAgeInDays is compared with a whole number of days"))
}

fn pattern(value: &Value, has_wildcards: bool) -> Result<Pattern, Refusal> {
    let text = value.as_str().ok_or_else(|| error::invalid_policy("a tag is compared with a string"))?;
    Ok(if has_wildcards { Pattern::new(text) } else { Pattern::exactly(text) })
}
