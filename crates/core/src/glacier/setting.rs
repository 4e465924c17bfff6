//! What vaults and accounts are set to: values made of more than one text, or of a number. Each has a private
//! constructor or only legal variants, so a value that exists is legal.

use std::fmt;

use super::{TagKey, TagValue};
use crate::json::Json;

/// Most tags of a vault. **Source:** developer guide, "Tagging Vaults".
pub const MAX_TAGS: usize = 50;

/// Most tags in one AddTagsToVault or RemoveTagsFromVault. **Source:** API reference, "Add Tags To Vault (POST tags
/// add)".
pub const MAX_TAGS_PER_REQUEST: usize = 10;

/// Most bytes an hour that a data retrieval policy can name. **Source:** API reference, "Set Data Retrieval Policy (PUT
/// policy)".
pub const MAX_BYTES_PER_HOUR: u64 = i64::MAX.unsigned_abs();

/// Why a value is not what it should be. The value is left out: it may be hostile or private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSetting {
    /// Not 1 to [`MAX_TAGS_PER_REQUEST`] tags.
    TagCount,
    /// Two values for one key.
    TagTwice,
    /// No event, or one twice.
    Events,
    /// Not 1 to [`MAX_BYTES_PER_HOUR`].
    BytesPerHour,
    /// No strategy of that name, or one that lacks its number of bytes or has one that is not its own.
    Rule,
}

impl fmt::Display for InvalidSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TagCount => write!(f, "a request has 1 to {MAX_TAGS_PER_REQUEST} tags"),
            Self::TagTwice => f.write_str("a tag has one value"),
            Self::Events => f.write_str(
                "the events are ArchiveRetrievalCompleted, InventoryRetrievalCompleted or both, each named once",
            ),
            Self::BytesPerHour => write!(f, "the bytes per hour are a whole number from 1 to {MAX_BYTES_PER_HOUR}"),
            Self::Rule => {
                f.write_str("the strategy is BytesPerHour with its number of bytes, or FreeTier or None without one")
            }
        }
    }
}

impl std::error::Error for InvalidSetting {}

/// Tags to add in one request: 1 to [`MAX_TAGS_PER_REQUEST`], each key once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags(Vec<(TagKey, TagValue)>);

impl Tags {
    /// Checks the number, and that no key has two values.
    ///
    /// # Errors
    /// [`InvalidSetting::TagCount`], [`InvalidSetting::TagTwice`].
    pub fn new(tags: Vec<(TagKey, TagValue)>) -> Result<Self, InvalidSetting> {
        if !(1..=MAX_TAGS_PER_REQUEST).contains(&tags.len()) {
            return Err(InvalidSetting::TagCount);
        }
        let is_there_before =
            |(nth, (key, _)): (usize, &(TagKey, TagValue))| tags.iter().take(nth).any(|tag| tag.0 == *key);
        if tags.iter().enumerate().any(is_there_before) { Err(InvalidSetting::TagTwice) } else { Ok(Self(tags)) }
    }

    /// Keys and values, in the order they were given in.
    pub fn pairs(&self) -> &[(TagKey, TagValue)] {
        &self.0
    }

    pub(crate) fn to_json(&self) -> Json {
        Json::Object(self.0.iter().map(|(key, value)| (key.to_string(), Json::Text(value.to_string()))).collect())
    }
}

/// Keys of tags to remove in one request: 1 to [`MAX_TAGS_PER_REQUEST`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Vec<TagKey>", into = "Vec<TagKey>")
)]
pub struct TagKeys(Vec<TagKey>);

impl TagKeys {
    /// Checks the number.
    ///
    /// # Errors
    /// [`InvalidSetting::TagCount`].
    pub fn new(keys: Vec<TagKey>) -> Result<Self, InvalidSetting> {
        let is_legal = (1..=MAX_TAGS_PER_REQUEST).contains(&keys.len());
        if is_legal { Ok(Self(keys)) } else { Err(InvalidSetting::TagCount) }
    }

    /// The keys.
    pub fn as_slice(&self) -> &[TagKey] {
        &self.0
    }

    pub(crate) fn to_json(&self) -> Json {
        Json::List(self.0.iter().map(|key| Json::Text(key.to_string())).collect())
    }
}

impl TryFrom<Vec<TagKey>> for TagKeys {
    type Error = InvalidSetting;

    fn try_from(keys: Vec<TagKey>) -> Result<Self, InvalidSetting> {
        Self::new(keys)
    }
}

impl From<TagKeys> for Vec<TagKey> {
    fn from(keys: TagKeys) -> Self {
        keys.0
    }
}

/// What a vault can tell a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum NotificationEvent {
    /// An archive, or a range of one, can be downloaded, or its retrieval failed.
    ArchiveRetrievalCompleted,
    /// An inventory can be downloaded, or its making failed.
    InventoryRetrievalCompleted,
}

impl NotificationEvent {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ArchiveRetrievalCompleted => "ArchiveRetrievalCompleted",
            Self::InventoryRetrievalCompleted => "InventoryRetrievalCompleted",
        }
    }

    /// The event of that name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::ArchiveRetrievalCompleted, Self::InventoryRetrievalCompleted]
            .into_iter()
            .find(|event| event.as_str() == name)
    }
}

/// What a topic is to be told: at least one event, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Vec<NotificationEvent>", into = "Vec<NotificationEvent>")
)]
pub struct NotificationEvents(Vec<NotificationEvent>);

impl NotificationEvents {
    /// Checks that there is one, and none twice.
    ///
    /// # Errors
    /// [`InvalidSetting::Events`].
    pub fn new(events: Vec<NotificationEvent>) -> Result<Self, InvalidSetting> {
        match events.as_slice() {
            [_] => Ok(Self(events)),
            [first, second] if first != second => Ok(Self(events)),
            _ => Err(InvalidSetting::Events),
        }
    }

    /// The events, in the order they were given in.
    pub fn as_slice(&self) -> &[NotificationEvent] {
        &self.0
    }

    pub(crate) fn to_json(&self) -> Json {
        Json::List(self.0.iter().map(|event| Json::Text(event.as_str().into())).collect())
    }
}

impl TryFrom<Vec<NotificationEvent>> for NotificationEvents {
    type Error = InvalidSetting;

    fn try_from(events: Vec<NotificationEvent>) -> Result<Self, InvalidSetting> {
        Self::new(events)
    }
}

impl From<NotificationEvents> for Vec<NotificationEvent> {
    fn from(events: NotificationEvents) -> Self {
        events.0
    }
}

/// A number of bytes an hour from 1 to [`MAX_BYTES_PER_HOUR`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BytesPerHour(u64);

impl BytesPerHour {
    /// Checks the number.
    ///
    /// # Errors
    /// [`InvalidSetting::BytesPerHour`].
    pub fn new(bytes: u64) -> Result<Self, InvalidSetting> {
        let is_legal = (1..=MAX_BYTES_PER_HOUR).contains(&bytes);
        if is_legal { Ok(Self(bytes)) } else { Err(InvalidSetting::BytesPerHour) }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// How much an account may retrieve at the Standard tier: the one rule of its data retrieval policy. As JSON
/// `{"strategy", "bytesPerHour"?}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetrievalRule {
    /// As much as it likes.
    None,
    /// What costs nothing.
    FreeTier,
    /// So much.
    BytesPerHour(BytesPerHour),
}

impl RetrievalRule {
    /// The rule of that strategy on the wire. A number of bytes goes with `BytesPerHour` and with no other.
    ///
    /// # Errors
    /// [`InvalidSetting::Rule`], [`InvalidSetting::BytesPerHour`].
    pub fn new(strategy: &str, bytes_per_hour: Option<u64>) -> Result<Self, InvalidSetting> {
        match (strategy, bytes_per_hour) {
            ("None", None) => Ok(Self::None),
            ("FreeTier", None) => Ok(Self::FreeTier),
            ("BytesPerHour", Some(bytes)) => BytesPerHour::new(bytes).map(Self::BytesPerHour),
            _ => Err(InvalidSetting::Rule),
        }
    }

    /// The name of the strategy on the wire.
    pub const fn strategy(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::FreeTier => "FreeTier",
            Self::BytesPerHour(_) => "BytesPerHour",
        }
    }

    /// The limit, where there is one in bytes.
    pub const fn bytes_per_hour(self) -> Option<BytesPerHour> {
        match self {
            Self::None | Self::FreeTier => None,
            Self::BytesPerHour(bytes) => Some(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(keys: std::ops::Range<usize>) -> Vec<(TagKey, TagValue)> {
        keys.map(|key| (TagKey::new(format!("k{key}")).unwrap(), TagValue::new("").unwrap())).collect()
    }

    #[test]
    fn a_request_has_one_to_ten_tags_and_no_key_twice() {
        assert!(Tags::new(tags(0..1)).is_ok());
        assert!(Tags::new(tags(0..10)).is_ok());
        assert_eq!(Tags::new(Vec::new()), Err(InvalidSetting::TagCount));
        assert_eq!(Tags::new(tags(0..11)), Err(InvalidSetting::TagCount));
        let twice: Vec<_> = tags(0..3).into_iter().chain(tags(1..2)).collect();
        assert_eq!(Tags::new(twice), Err(InvalidSetting::TagTwice));
        let keys = |n| tags(0..n).into_iter().map(|(key, _)| key).collect();
        assert!(TagKeys::new(keys(10)).is_ok());
        for n in [0, 11] {
            assert_eq!(TagKeys::new(keys(n)), Err(InvalidSetting::TagCount));
        }
    }

    #[test]
    fn events_are_named_once_and_at_least_one_is() {
        use NotificationEvent::{ArchiveRetrievalCompleted as A, InventoryRetrievalCompleted as I};
        for good in [vec![A], vec![I], vec![A, I], vec![I, A]] {
            assert_eq!(NotificationEvents::new(good.clone()).unwrap().as_slice(), good);
        }
        for bad in [vec![], vec![A, A], vec![A, I, A]] {
            assert_eq!(NotificationEvents::new(bad), Err(InvalidSetting::Events));
        }
    }

    #[test]
    fn bytes_go_with_their_strategy_and_with_no_other() {
        for (strategy, bytes) in [
            ("None", None),
            ("FreeTier", None),
            ("BytesPerHour", Some(1)),
            ("BytesPerHour", Some(9_223_372_036_854_775_807)),
        ] {
            let rule = RetrievalRule::new(strategy, bytes).unwrap();
            assert_eq!((rule.strategy(), rule.bytes_per_hour().map(BytesPerHour::get)), (strategy, bytes));
        }
        for (strategy, bytes, expected) in [
            ("None", Some(1), InvalidSetting::Rule),
            ("FreeTier", Some(1), InvalidSetting::Rule),
            ("BytesPerHour", None, InvalidSetting::Rule),
            ("none", None, InvalidSetting::Rule),
            ("BytesPerHour", Some(0), InvalidSetting::BytesPerHour),
            ("BytesPerHour", Some(9_223_372_036_854_775_808), InvalidSetting::BytesPerHour),
        ] {
            assert_eq!(RetrievalRule::new(strategy, bytes), Err(expected), "{strategy} {bytes:?}");
        }
    }
}
