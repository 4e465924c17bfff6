//! What a vault or an account is to be set to.

use super::strict::{check_keys, invalid, text};
use crate::error::{ErrorCode, UploadError};
use crate::glacier::{
    MAX_TAGS, MAX_TAGS_PER_REQUEST, NotificationEvent, NotificationEvents, RetrievalRule, SnsTopic, TagKey, TagKeys,
    TagValue, Tags,
};
use crate::json::Json;

const NOTIFICATION_KEYS: &[&str] = &["snsTopic", "events"];
const RETRIEVAL_POLICY_KEYS: &[&str] = &["strategy", "bytesPerHour"];

/// Reads `{ key: value, … }`, in as many requests as they need; none for none.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] for what is no tag, [`ErrorCode::LimitExceeded`] for more than a vault can have.
pub fn tags(tags: &Json) -> Result<Vec<Tags>, UploadError> {
    let Json::Object(members) = tags else { return Err(invalid("tags", "must be an object of texts")) };
    if members.len() > MAX_TAGS {
        return Err(UploadError::new(ErrorCode::LimitExceeded, format!("a vault has at most {MAX_TAGS} tags")));
    }
    let mut pairs = Vec::new();
    for (key, value) in members {
        let Json::Text(value) = value else { return Err(invalid("tags", "must be an object of texts")) };
        pairs.push((TagKey::new(key.as_str())?, TagValue::new(value.as_str())?));
    }
    let mut requests = Vec::new();
    for some in pairs.chunks(MAX_TAGS_PER_REQUEST) {
        requests.push(Tags::new(some.to_vec())?);
    }
    Ok(requests)
}

/// Reads a list of keys of tags, as [`tags`].
///
/// # Errors
/// [`ErrorCode::InvalidOption`] for what is no key.
pub fn tag_keys(keys: &Json) -> Result<Vec<TagKeys>, UploadError> {
    let Json::List(items) = keys else { return Err(invalid("keys", "must be a list of texts")) };
    let mut keys = Vec::new();
    for item in items {
        let Json::Text(key) = item else { return Err(invalid("keys", "must be a list of texts")) };
        keys.push(TagKey::new(key.as_str())?);
    }
    let mut requests = Vec::new();
    for some in keys.chunks(MAX_TAGS_PER_REQUEST) {
        requests.push(TagKeys::new(some.to_vec())?);
    }
    Ok(requests)
}

/// Reads `{ snsTopic, events }`.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] naming what is wrong.
pub fn notifications(notifications: &Json) -> Result<(SnsTopic, NotificationEvents), UploadError> {
    check_keys(notifications, "", NOTIFICATION_KEYS, &[])?;
    let topic = text(notifications, "snsTopic")?.ok_or_else(|| invalid("snsTopic", "must be the ARN of a topic"))?;
    let events = notifications.list("events").ok_or_else(|| invalid("events", "must be a list of names"))?;
    let mut named = Vec::new();
    for event in events {
        let event = match event {
            Json::Text(name) => NotificationEvent::from_name(name),
            _ => None,
        };
        let names = "must be \"ArchiveRetrievalCompleted\", \"InventoryRetrievalCompleted\" or both";
        named.push(event.ok_or_else(|| invalid("events", names))?);
    }
    Ok((SnsTopic::new(topic)?, NotificationEvents::new(named)?))
}

/// Reads `{ strategy, bytesPerHour? }`.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] naming what is wrong.
pub fn retrieval_policy(policy: &Json) -> Result<RetrievalRule, UploadError> {
    check_keys(policy, "", RETRIEVAL_POLICY_KEYS, &[])?;
    let strategy = text(policy, "strategy")?.unwrap_or("");
    let bytes_per_hour = match policy.get("bytesPerHour") {
        None => None,
        Some(Json::Number(bytes)) => Some(*bytes),
        Some(_) => return Err(invalid("bytesPerHour", "must be a whole number of bytes")),
    };
    Ok(RetrievalRule::new(strategy, bytes_per_hour)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Json {
        Json::Text(text.into())
    }

    fn message<T: std::fmt::Debug>(read: Result<T, UploadError>) -> (ErrorCode, String) {
        let error = read.unwrap_err();
        (error.code, error.message)
    }

    #[test]
    fn tags_go_in_requests_of_ten() {
        for (count, requests) in [(0, vec![]), (1, vec![1]), (10, vec![10]), (11, vec![10, 1]), (50, vec![10; 5])] {
            let keys: Vec<String> = (0..count).map(|key| format!("key-{key}")).collect();
            let object = Json::Object(keys.iter().map(|key| (key.clone(), text("value"))).collect());
            let found: Vec<usize> = tags(&object).unwrap().iter().map(|tags| tags.pairs().len()).collect();
            assert_eq!(found, requests);
            let list = Json::List(keys.iter().map(|key| text(key)).collect());
            let found: Vec<usize> = tag_keys(&list).unwrap().iter().map(|keys| keys.as_slice().len()).collect();
            assert_eq!(found, requests);
        }
        let many = Json::Object((0..51).map(|key| (key.to_string(), text(""))).collect());
        assert_eq!(message(tags(&many)), (ErrorCode::LimitExceeded, "a vault has at most 50 tags".into()));
    }

    #[test]
    fn what_is_no_setting_is_named() {
        let option = |message: &str| (ErrorCode::InvalidOption, message.to_owned());
        assert_eq!(message(tags(&Json::Null)), option("tags must be an object of texts"));
        assert_eq!(message(tags(&Json::object([("a", Json::Number(1))]))), option("tags must be an object of texts"));
        assert_eq!(message(tags(&Json::object([("a#", text(""))]))).0, ErrorCode::InvalidOption);
        assert_eq!(message(tag_keys(&text("a"))), option("keys must be a list of texts"));
        assert_eq!(message(tag_keys(&Json::List(vec![Json::Null]))), option("keys must be a list of texts"));

        let told = |topic: &str, events: &[&str]| {
            let events = Json::List(events.iter().map(|event| text(event)).collect());
            notifications(&Json::object([("snsTopic", text(topic)), ("events", events)]))
        };
        assert!(told("arn:aws:sns:us-east-1:012345678901:done", &["ArchiveRetrievalCompleted"]).is_ok());
        assert_eq!(message(told("topic", &["ArchiveRetrievalCompleted"])).0, ErrorCode::InvalidOption);
        assert_eq!(message(told("arn:a", &[])).0, ErrorCode::InvalidOption);
        let names = "events must be \"ArchiveRetrievalCompleted\", \"InventoryRetrievalCompleted\" or both";
        assert_eq!(message(told("arn:a", &["JobCompleted"])), option(names));
        let misspelt = Json::object([("topic", text("arn:a"))]);
        assert_eq!(message(notifications(&misspelt)), option("there is no option \"topic\""));

        let limit = |strategy: &str, bytes: Json| {
            retrieval_policy(&Json::object([("strategy", text(strategy)), ("bytesPerHour", bytes)]))
        };
        assert_eq!(limit("BytesPerHour", Json::Number(7)).unwrap().strategy(), "BytesPerHour");
        assert_eq!(retrieval_policy(&Json::object([("strategy", text("None"))])).unwrap(), RetrievalRule::None);
        assert_eq!(message(limit("BytesPerHour", Json::Null)), option("bytesPerHour must be a whole number of bytes"));
        assert_eq!(message(limit("None", Json::Number(7))).0, ErrorCode::InvalidOption);
        assert_eq!(message(retrieval_policy(&Json::object([]))).0, ErrorCode::InvalidOption);
    }
}
