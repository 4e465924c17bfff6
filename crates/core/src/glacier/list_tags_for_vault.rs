//! ListTagsForVault: the tags of a vault, all of them at once.
//!
//! **Source:** API reference, "List Tags For Vault (GET tags)".

use super::{AnswerError, Method, Request, Response, VaultName};
use crate::json::Json;

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName) -> Request {
    Request::without_body(Method::Get, format!("/{account}/vaults/{vault}/tags"))
}

/// Keys and values in order of key; empty where the vault has none. Not [`TagKey`](super::TagKey)s: the service may have
/// tagged the vault itself.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with texts only.
pub fn read(response: &Response) -> Result<Vec<(String, String)>, AnswerError> {
    let unreadable = AnswerError::Unreadable { name: "Tags" };
    let members = match response.expect_json(200)?.get("Tags") {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Object(members)) => members,
        Some(_) => return Err(unreadable),
    };
    let tag = |(key, value): &(String, Json)| match value {
        Json::Text(value) => Some((key.clone(), value.clone())),
        _ => None,
    };
    let mut tags = members.iter().map(tag).collect::<Option<Vec<_>>>().ok_or(unreadable)?;
    // A browser puts keys that look like numbers first.
    tags.sort_unstable();
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_tags(tags: Json) -> Result<Vec<(String, String)>, AnswerError> {
        let body = Some(Json::object([("Tags", tags)]));
        read(&Response { status: 200, headers: Vec::new(), body })
    }

    #[test]
    fn tags_are_in_order_of_key_whatever_the_service_wrote() {
        let text = |text: &str| Json::Text(text.into());
        let given = Json::object([("7", text("b")), ("aws:backup", text("")), ("Größe", text("a:b"))]);
        let expected = [("7", "b"), ("Größe", "a:b"), ("aws:backup", "")];
        assert_eq!(read_tags(given), Ok(expected.map(|(key, value)| (key.into(), value.into())).to_vec()));
        assert_eq!(read_tags(Json::Null), Ok(Vec::new()));
        for bad in [Json::List(Vec::new()), Json::object([("a", Json::Number(1))]), Json::object([("a", Json::Null)])] {
            assert_eq!(read_tags(bad), Err(AnswerError::Unreadable { name: "Tags" }));
        }
    }
}
