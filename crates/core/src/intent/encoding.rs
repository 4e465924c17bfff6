//! The JSON forms of hashes, ranges, part sizes, tags and retrieval rules.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::glacier::{BytesPerHour, MAX_ARCHIVE_LEN, RetrievalRule, TagKey, TagValue, Tags};
use crate::part::PartSize;
use crate::range::ByteRange;
use crate::sha256::PayloadHash;
use crate::tree_hash::TreeHash;

macro_rules! as_text {
    ($type:ty, $write:expr, $read:expr, $expected:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let write: fn(&$type) -> String = $write;
                serializer.serialize_str(&write(self))
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let read: fn(&str) -> Option<$type> = $read;
                read(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom($expected))
            }
        }
    };
}

as_text!(ByteRange, |range| range.inclusive(), ByteRange::parse_inclusive, "expected a byte range as \"first-last\"");
as_text!(
    PayloadHash,
    PayloadHash::to_string,
    |text| PayloadHash::from_hex(text).ok(),
    "expected 64 lower-case hexadecimal digits"
);
as_text!(
    TreeHash,
    TreeHash::to_string,
    |text| TreeHash::from_hex(text).ok(),
    "expected 64 lower-case hexadecimal digits"
);

/// The length of a whole archive.
pub(super) fn archive_len<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let len = u64::deserialize(deserializer)?;
    if len <= MAX_ARCHIVE_LEN { Ok(len) } else { Err(D::Error::custom("an archive is at most 40,000 GiB")) }
}

impl Serialize for PartSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.bytes())
    }
}

impl<'de> Deserialize<'de> for PartSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_bytes(u64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.pairs().iter().map(|(key, value)| (key, value)))
    }
}

// Hand-written, because a map would keep one of two values of a key without a word.
impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Vec<(TagKey, TagValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tags as an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }

        Self::new(deserializer.deserialize_map(Pairs)?).map_err(D::Error::custom)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RetrievalRuleForm {
    strategy: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes_per_hour: Option<u64>,
}

impl Serialize for RetrievalRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes_per_hour = self.bytes_per_hour().map(BytesPerHour::get);
        RetrievalRuleForm { strategy: self.strategy().to_owned(), bytes_per_hour }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RetrievalRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = RetrievalRuleForm::deserialize(deserializer)?;
        Self::new(&form.strategy, form.bytes_per_hour).map_err(D::Error::custom)
    }
}
