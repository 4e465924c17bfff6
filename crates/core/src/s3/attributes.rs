//! What is kept with an object: its class, its metadata and its tags. Each has a private constructor or only legal
//! variants, so a value that exists is legal.

use std::fmt;

use super::{MAX_METADATA_LEN, MAX_TAGS, MetadataName, MetadataValue, TagKey, TagValue};
use crate::json::Json;

/// Where an object is kept, and how long it takes to get it back.
///
/// **Source:** user guide, "Understanding and managing Amazon S3 storage classes".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "SCREAMING_SNAKE_CASE"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum StorageClass {
    /// Must be restored before it is read: minutes to 12 hours. S3 Glacier Flexible Retrieval.
    Glacier,
    /// Must be restored before it is read: up to 12 hours, or 48.
    DeepArchive,
    /// Cold and read at once.
    GlacierIr,
    /// Read often.
    Standard,
    /// Read now and then.
    StandardIa,
    /// Read now and then, and kept in one place only.
    OnezoneIa,
    /// Moved by S3 as it is read.
    IntelligentTiering,
}

impl StorageClass {
    const ALL: [Self; 7] = [
        Self::Glacier,
        Self::DeepArchive,
        Self::GlacierIr,
        Self::Standard,
        Self::StandardIa,
        Self::OnezoneIa,
        Self::IntelligentTiering,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Glacier => "GLACIER",
            Self::DeepArchive => "DEEP_ARCHIVE",
            Self::GlacierIr => "GLACIER_IR",
            Self::Standard => "STANDARD",
            Self::StandardIa => "STANDARD_IA",
            Self::OnezoneIa => "ONEZONE_IA",
            Self::IntelligentTiering => "INTELLIGENT_TIERING",
        }
    }

    /// The class of that name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

/// Why a set of metadata or tags is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidAttribute {
    /// No metadata, or more than [`MAX_METADATA_LEN`] bytes of it.
    MetadataLen,
    /// Two values for one name.
    MetadataTwice,
    /// Not 1 to [`MAX_TAGS`] tags.
    TagCount,
    /// Two values for one key.
    TagTwice,
}

impl fmt::Display for InvalidAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MetadataLen => write!(f, "an object has 1 to {MAX_METADATA_LEN} bytes of metadata, names included"),
            Self::MetadataTwice => f.write_str("a name of metadata has one value"),
            Self::TagCount => write!(f, "an object has 1 to {MAX_TAGS} tags, for one more is the tree hash's"),
            Self::TagTwice => f.write_str("a tag has one value"),
        }
    }
}

impl std::error::Error for InvalidAttribute {}

fn has_twice<K: PartialEq, V>(pairs: &[(K, V)]) -> bool {
    pairs.iter().enumerate().any(|(nth, (key, _))| pairs.iter().take(nth).any(|(before, _)| before == key))
}

/// Metadata of an object: at most [`MAX_METADATA_LEN`] bytes, each name once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata(Vec<(MetadataName, MetadataValue)>);

impl Metadata {
    /// Checks the length, and that no name has two values.
    ///
    /// # Errors
    /// [`InvalidAttribute::MetadataLen`], [`InvalidAttribute::MetadataTwice`].
    pub fn new(pairs: Vec<(MetadataName, MetadataValue)>) -> Result<Self, InvalidAttribute> {
        let len: usize = pairs.iter().map(|(name, value)| name.as_str().len() + value.as_str().len()).sum();
        if !(1..=MAX_METADATA_LEN).contains(&len) {
            return Err(InvalidAttribute::MetadataLen);
        }
        if has_twice(&pairs) { Err(InvalidAttribute::MetadataTwice) } else { Ok(Self(pairs)) }
    }

    /// Names and values, in the order they were given in.
    pub fn pairs(&self) -> &[(MetadataName, MetadataValue)] {
        &self.0
    }

    pub(crate) fn to_json(&self) -> Json {
        Json::Object(self.0.iter().map(|(name, value)| (name.to_string(), Json::Text(value.to_string()))).collect())
    }
}

/// Tags of an object: 1 to [`MAX_TAGS`], each key once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectTags(Vec<(TagKey, TagValue)>);

impl ObjectTags {
    /// Checks the number, and that no key has two values.
    ///
    /// # Errors
    /// [`InvalidAttribute::TagCount`], [`InvalidAttribute::TagTwice`].
    pub fn new(pairs: Vec<(TagKey, TagValue)>) -> Result<Self, InvalidAttribute> {
        if !(1..=MAX_TAGS).contains(&pairs.len()) {
            return Err(InvalidAttribute::TagCount);
        }
        if has_twice(&pairs) { Err(InvalidAttribute::TagTwice) } else { Ok(Self(pairs)) }
    }

    /// Keys and values, in the order they were given in.
    pub fn pairs(&self) -> &[(TagKey, TagValue)] {
        &self.0
    }

    pub(crate) fn to_json(&self) -> Json {
        Json::Object(self.0.iter().map(|(key, value)| (key.to_string(), Json::Text(value.to_string()))).collect())
    }
}

/// Objects of texts, in which no name may stand twice: a map would keep one of two values without a word.
#[cfg(feature = "serde")]
mod encoding {
    use std::fmt;
    use std::marker::PhantomData;

    use serde::de::{Error, MapAccess, Visitor};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Metadata, ObjectTags};

    struct Pairs<K, V>(PhantomData<(K, V)>);

    impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Pairs<K, V> {
        type Value = Vec<(K, V)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of texts")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }

    macro_rules! as_object {
        ($type:ty) => {
            impl Serialize for $type {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_map(self.pairs().iter().map(|(key, value)| (key, value)))
                }
            }

            impl<'de> Deserialize<'de> for $type {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    Self::new(deserializer.deserialize_map(Pairs(PhantomData))?).map_err(D::Error::custom)
                }
            }
        };
    }

    as_object!(Metadata);
    as_object!(ObjectTags);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_named_as_s3_names_them() {
        for class in StorageClass::ALL {
            assert_eq!(StorageClass::from_name(class.as_str()), Some(class));
            #[cfg(feature = "serde")]
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
        }
        assert_eq!(StorageClass::from_name("glacier"), None);
    }

    #[test]
    fn metadata_leaves_room_for_the_tree_hash() {
        let name = |text: &str| MetadataName::new(text).unwrap();
        let value = |len: usize| MetadataValue::new("v".repeat(len)).unwrap();
        let most = Metadata::new(vec![(name("a"), value(1967))]).unwrap();
        let ours = super::super::TREE_HASH_NAME.len() + 64;
        let len = |(name, value): &(MetadataName, MetadataValue)| name.as_str().len() + value.as_str().len();
        assert_eq!(most.pairs().iter().map(len).sum::<usize>() + ours, 2048);
        assert_eq!(Metadata::new(vec![(name("ab"), value(1967))]), Err(InvalidAttribute::MetadataLen));
        assert_eq!(Metadata::new(Vec::new()), Err(InvalidAttribute::MetadataLen));
        let twice = vec![(name("a"), value(1)), (name("b"), value(1)), (name("a"), value(2))];
        assert_eq!(Metadata::new(twice), Err(InvalidAttribute::MetadataTwice));
    }

    #[test]
    fn a_page_gives_one_to_nine_tags_and_no_key_twice() {
        let tags = |keys: std::ops::Range<usize>| -> Vec<(TagKey, TagValue)> {
            keys.map(|key| (TagKey::new(format!("k{key}")).unwrap(), TagValue::new("").unwrap())).collect()
        };
        assert!(ObjectTags::new(tags(0..1)).is_ok() && ObjectTags::new(tags(0..9)).is_ok());
        assert_eq!(ObjectTags::new(Vec::new()), Err(InvalidAttribute::TagCount));
        assert_eq!(ObjectTags::new(tags(0..10)), Err(InvalidAttribute::TagCount));
        let twice = tags(0..2).into_iter().chain(tags(1..2)).collect();
        assert_eq!(ObjectTags::new(twice), Err(InvalidAttribute::TagTwice));
    }
}
