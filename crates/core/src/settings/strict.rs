//! What all options have in common.

use crate::error::{ErrorCode, UploadError};
use crate::json::Json;

/// A whole number, or `None` for `"auto"` and where nothing is said.
pub(super) fn whole_or_auto(options: &Json, key: &str, min: u64, max: u64) -> Result<Option<u32>, UploadError> {
    match options.get(key) {
        Some(Json::Text(text)) if text == "auto" => Ok(None),
        _ => Ok(whole(options, "", key, min, max)?.and_then(|number| u32::try_from(number).ok())),
    }
}

/// A whole number. `prefix` is how the page names the object that `options` is: `""`, or `"retry."`.
pub(super) fn whole(options: &Json, prefix: &str, key: &str, min: u64, max: u64) -> Result<Option<u64>, UploadError> {
    match options.get(key) {
        None => Ok(None),
        Some(Json::Number(number)) if (min..=max).contains(number) => Ok(Some(*number)),
        Some(_) => Err(invalid(&format!("{prefix}{key}"), &format!("must be a whole number from {min} to {max}"))),
    }
}

/// Checks that there is no key but the known ones. `shared` are those that several objects have in common.
pub(super) fn check_keys(options: &Json, prefix: &str, known: &[&str], shared: &[&str]) -> Result<(), UploadError> {
    let Json::Object(members) = options else {
        return Err(invalid(prefix.trim_end_matches('.'), "must be an object"));
    };
    match members.iter().find(|(key, _)| ![known, shared].concat().contains(&key.as_str())) {
        None => Ok(()),
        Some((key, _)) => {
            let message = format!("there is no option \"{prefix}{key}\"");
            Err(UploadError::new(ErrorCode::InvalidOption, message)
                .hint(format!("Known here: {}.", [known, shared].concat().join(", "))))
        }
    }
}

/// A text.
pub(super) fn text<'a>(options: &'a Json, key: &str) -> Result<Option<&'a str>, UploadError> {
    match options.get(key) {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(_) => Err(invalid(key, "must be text")),
    }
}

/// The key has a value that breaks the rule.
pub(super) fn invalid(key: &str, rule: &str) -> UploadError {
    let key = if key.is_empty() { "options" } else { key };
    UploadError::new(ErrorCode::InvalidOption, format!("{key} {rule}"))
}
