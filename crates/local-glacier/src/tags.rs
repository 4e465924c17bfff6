//! Operations on tags.
//!
//! **Source:** API reference, "Add Tags To Vault" and its neighbours; developer guide, "Tagging Resources".

use std::collections::BTreeMap;

use glacier_core::glacier::VaultName;
use serde::Serialize;

use crate::answer::Answer;
use crate::error::{self, Refusal};
use crate::glacier::Glacier;
use crate::json_body::{self, Fields};
use crate::store::{MAX_TAGS, StoreError};

/// Most tags in a request.
const MAX_PER_REQUEST: usize = 10;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagList {
    tags: BTreeMap<String, String>,
}

impl Glacier {
    pub(crate) async fn add_tags_to_vault(&self, vault: VaultName, body: &[u8]) -> Result<Answer, Refusal> {
        let body = json_body::parse(body)?;
        let mut tags = Vec::new();
        for (key, value) in Fields::of(&body)?.required_object("Tags")?.iter() {
            let value = value.as_str().or_else(|| value.is_null().then_some(""));
            let value = value.ok_or_else(|| error::wrong_json_type("The value of a tag", "a string"))?;
            check_key(key)?;
            if value.chars().count() > 255 || !value.chars().all(is_legal) {
                return Err(error::invalid_tag_value(value));
            }
            tags.push((key.to_owned(), value.to_owned()));
        }
        check_count(tags.len())?;
        let name = vault.clone();
        let added = self.blocking(move |store| store.add_tags(&name, tags)).await;
        added.map_err(|error| match error {
            StoreError::TooManyTags => error::too_many_tags(MAX_TAGS),
            other => self.refusal(other, &vault, None),
        })?;
        Ok(Answer::no_content())
    }

    pub(crate) async fn remove_tags_from_vault(&self, vault: VaultName, body: &[u8]) -> Result<Answer, Refusal> {
        let body = json_body::parse(body)?;
        let keys = Fields::of(&body)?.required_texts("TagKeys")?;
        check_count(keys.len())?;
        keys.iter().try_for_each(|key| check_key(key))?;
        let keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
        let name = vault.clone();
        let removed = self.blocking(move |store| store.remove_tags(&name, keys)).await;
        removed.map_err(|error| self.refusal(error, &vault, None))?;
        Ok(Answer::no_content())
    }

    pub(crate) async fn list_tags_for_vault(&self, vault: VaultName) -> Result<Answer, Refusal> {
        let name = vault.clone();
        let listed = self.blocking(move |store| store.list_tags(&name)).await;
        let tags = listed.map_err(|error| self.refusal(error, &vault, None))?;
        Ok(Answer::json(&TagList { tags: tags.into_iter().collect() }))
    }
}

fn check_count(count: usize) -> Result<(), Refusal> {
    if (1..=MAX_PER_REQUEST).contains(&count) { Ok(()) } else { Err(error::wrong_number_of_tags(MAX_PER_REQUEST)) }
}

fn check_key(key: &str) -> Result<(), Refusal> {
    if key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:")) {
        return Err(error::reserved_tag_key(key));
    }
    let legal = (1..=128).contains(&key.chars().count()) && key.chars().all(is_legal);
    if legal { Ok(()) } else { Err(error::invalid_tag_key(key)) }
}

fn is_legal(character: char) -> bool {
    character.is_alphanumeric() || character == ' ' || "_./=+-@".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_of_the_documented_alphabet_and_length() {
        for good in ["a", "Ünïcode 7", "_./=+-@", "aws", &"k".repeat(128), &"é".repeat(128)] {
            assert_eq!(check_key(good), Ok(()), "{good:?}");
        }
        for bad in ["", "aws:x", "AWS:x", "a:b", "a\tb", "a*", "a\u{202e}", &"k".repeat(129)] {
            assert!(check_key(bad).is_err(), "{bad:?}");
        }
    }
}
