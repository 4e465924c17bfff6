//! Reading the fields of Glacier's JSON. A field that does not apply is `null`; some servers leave it out instead, and
//! both read alike.

use super::AnswerError;
use crate::date;
use crate::json::Json;

/// A field that every object of this kind has.
pub(crate) fn required<'a>(object: &'a Json, name: &'static str) -> Result<&'a str, AnswerError> {
    object.text(name).ok_or(AnswerError::Unreadable { name })
}

/// A whole number that every object of this kind has.
pub(crate) fn required_number(object: &Json, name: &'static str) -> Result<u64, AnswerError> {
    count(object, name).ok_or(AnswerError::Unreadable { name })
}

/// A text, or `None` where there is none.
pub(crate) fn optional(object: &Json, name: &str) -> Option<String> {
    object.text(name).map(str::to_owned)
}

/// A text in a form of its own, or `None` where there is none. A text in another form is not taken for none.
pub(crate) fn parsed<T>(
    object: &Json,
    name: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, AnswerError> {
    match object.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Text(text)) => parse(text).map(Some).ok_or(AnswerError::Unreadable { name }),
        Some(_) => Err(AnswerError::Unreadable { name }),
    }
}

/// The objects of a list.
pub(crate) fn items<T>(
    object: &Json,
    name: &'static str,
    read: impl FnMut(&Json) -> Result<T, AnswerError>,
) -> Result<Vec<T>, AnswerError> {
    object.list(name).ok_or(AnswerError::Unreadable { name })?.iter().map(read).collect()
}

/// A date that every object of this kind has, in milliseconds since 1970.
pub(crate) fn required_date(object: &Json, name: &'static str) -> Result<u64, AnswerError> {
    date(object, name)?.ok_or(AnswerError::Unreadable { name })
}

/// A date in milliseconds since 1970, or `None` where there is none.
pub(crate) fn date(object: &Json, name: &'static str) -> Result<Option<u64>, AnswerError> {
    parsed(object, name, |text| u64::try_from(date::unix_ms(text)?).ok())
}

/// A whole number, also where the reader has made text of a long one.
pub(crate) fn count(json: &Json, key: &str) -> Option<u64> {
    match json.get(key)? {
        Json::Number(number) => Some(*number),
        Json::Text(digits) => digits.parse().ok(),
        _ => None,
    }
}
