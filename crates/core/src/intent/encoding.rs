//! The JSON forms of hashes, ranges and part sizes.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

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
