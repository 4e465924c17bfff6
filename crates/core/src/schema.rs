//! JSON schemas of the contract's types whose JSON form is written by hand. Those of the others are derived.
//!
//! A pattern here says what a constructor elsewhere checks; the tests below hold the two together. What a pattern cannot
//! say (that a range begins before it ends) is named by a `format` and told in the description.

mod s3;

use schemars::{Schema, json_schema};

use crate::glacier::{
    ArchiveId, Date, Description, JobId, LockId, MAX_BYTES_PER_HOUR, MAX_TAGS_PER_REQUEST, NotificationEvent,
    NotificationEvents, PolicyText, RetrievalRule, SnsTopic, TagKey, TagKeys, TagValue, Tags, UploadId, VaultName,
};
use crate::part::PartSize;
use crate::range::ByteRange;
use crate::sha256::PayloadHash;
use crate::tree_hash::TreeHash;

macro_rules! schema {
    ($type:ident, |$generator:pat_param| $schema:expr) => {
        schema!($type, stringify!($type), |$generator| $schema);
    };
    ($type:ty, $name:expr, |$generator:pat_param| $schema:expr) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema($generator: &mut schemars::generate::SchemaGenerator) -> schemars::Schema {
                $schema
            }
        }
    };
}
use schema;

const OPAQUE_ID: &str = "^[A-Za-z0-9_-]+$";
const SHA256: &str = "^[0-9a-f]{64}$";

schema!(VaultName, |_| json_schema!({
    "type": "string",
    "description": "A vault's name. Neither `.` nor `..`, which browsers and proxies resolve in paths.",
    "pattern": "^(?:\\.{0,2}[A-Za-z0-9_-][A-Za-z0-9_.-]*|\\.{3}[A-Za-z0-9_.-]*)$",
    "minLength": 1,
    "maxLength": 255,
}));
schema!(UploadId, |_| opaque_id("Names one multipart upload, as the store gave it."));
schema!(ArchiveId, |_| opaque_id("Names one archive, as the store gave it."));
schema!(JobId, |_| opaque_id("Names one job, as the store gave it."));
schema!(LockId, |_| opaque_id("Names one attempt to lock a vault, as the store gave it."));
schema!(Description, |_| json_schema!({
    "type": "string",
    "description": "Printable ASCII characters.",
    "pattern": "^[ -~]*$",
    "maxLength": 1024,
}));
schema!(SnsTopic, |_| json_schema!({
    "type": "string",
    "description": "The ARN of a topic.",
    "pattern": "^arn:[A-Za-z0-9_:.-]+$",
    "maxLength": 512,
}));
schema!(Date, |_| json_schema!({
    "type": "string",
    "description": "A moment in UTC to the second; a day that exists.",
    "format": "date-time",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
}));
schema!(TagKey, |_| json_schema!({
    "type": "string",
    "description": "A tag's key.",
    "pattern": "^[\\p{Alpha}\\p{N} _./=+@-]+$",
    "minLength": 1,
    "maxLength": 128,
}));
schema!(TagValue, |_| json_schema!({
    "type": "string",
    "description": "A tag's value.",
    "pattern": "^[\\p{Alpha}\\p{N} _./=+@-]*$",
    "maxLength": 255,
}));
schema!(PolicyText, |_| json_schema!({
    "type": "string",
    "description": "The text of a JSON object, at most 20,480 bytes of UTF-8. What is in it is read by the store.",
    "format": "json-object",
    "pattern": "^[ \\t\\n\\r]*\\{[\\s\\S]*\\}[ \\t\\n\\r]*$",
    "maxLength": crate::glacier::name::MAX_POLICY_LEN,
}));
schema!(ByteRange, |_| json_schema!({
    "type": "string",
    "description": "The first and the last byte, both included; the last is not before the first.",
    "format": "byte-range",
    "pattern": "^[0-9]+-[0-9]+$",
    "examples": ["0-8388607"],
}));
schema!(PayloadHash, |_| json_schema!({
    "type": "string",
    "description": "SHA-256 of the part's bytes in lower-case hexadecimal digits. The signature holds for no others.",
    "pattern": SHA256,
}));
schema!(TreeHash, |_| json_schema!({
    "type": "string",
    "description": "SHA-256 tree hash in lower-case hexadecimal digits.",
    "pattern": SHA256,
}));
schema!(PartSize, |_| json_schema!({
    "type": "integer",
    "description": "Bytes in every part but the last.",
    "enum": PartSize::all().map(PartSize::bytes).collect::<Vec<_>>(),
}));
schema!(Tags, |generator| json_schema!({
    "type": "object",
    "description": "Keys with a value each.",
    "propertyNames": generator.subschema_for::<TagKey>(),
    "additionalProperties": generator.subschema_for::<TagValue>(),
    "minProperties": 1,
    "maxProperties": MAX_TAGS_PER_REQUEST,
}));
schema!(TagKeys, |generator| json_schema!({
    "type": "array",
    "items": generator.subschema_for::<TagKey>(),
    "minItems": 1,
    "maxItems": MAX_TAGS_PER_REQUEST,
}));
schema!(NotificationEvents, |generator| json_schema!({
    "type": "array",
    "items": generator.subschema_for::<NotificationEvent>(),
    "minItems": 1,
    "maxItems": 2,
    "uniqueItems": true,
}));
schema!(RetrievalRule, |_| json_schema!({
    "type": "object",
    "properties": {
        "strategy": { "type": "string", "enum": ["BytesPerHour", "FreeTier", "None"] },
        "bytesPerHour": {
            "type": "integer",
            "description": "With `BytesPerHour`, and with it only.",
            "minimum": 1,
            "maximum": MAX_BYTES_PER_HOUR,
        },
    },
    "required": ["strategy"],
    "if": { "properties": { "strategy": { "const": "BytesPerHour" } } },
    "then": { "required": ["bytesPerHour"] },
    "else": { "properties": { "bytesPerHour": false } },
}));

fn opaque_id(description: &str) -> Schema {
    json_schema!({
        "type": "string",
        "description": description,
        "pattern": OPAQUE_ID,
        "minLength": 1,
        "maxLength": 256,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::string::string_regex;
    use regex::Regex;
    use schemars::{JsonSchema, schema_for};
    use serde::de::DeserializeOwned;

    use super::*;

    /// What the schema says of a text.
    struct Said {
        pattern: String,
        length: std::ops::RangeInclusive<usize>,
    }

    impl Said {
        fn of<T: JsonSchema>() -> Self {
            let schema = schema_for!(T);
            let number = |name: &str| schema.get(name).and_then(|n| n.as_u64()).map(|n| usize::try_from(n).unwrap());
            let pattern = schema.get("pattern").unwrap().as_str().unwrap().to_owned();
            Self { pattern, length: number("minLength").unwrap_or(0)..=number("maxLength").unwrap_or(usize::MAX) }
        }

        fn takes(&self, regex: &Regex, text: &str) -> bool {
            self.length.contains(&text.chars().count()) && regex.is_match(text)
        }
    }

    fn is_legal<T: DeserializeOwned>(text: &str) -> bool {
        serde_json::from_value::<T>(text.into()).is_ok()
    }

    /// Legal is what the schema says, for texts made from the pattern and for texts spoiled at one place. `beyond` is
    /// what only the description says.
    pub(super) fn agrees<T: JsonSchema + DeserializeOwned>(beyond: fn(&str) -> bool) {
        let said = Said::of::<T>();
        let regex = Regex::new(&said.pattern).unwrap();
        let of_the_pattern = || string_regex(said.pattern.trim_start_matches('^').trim_end_matches('$')).unwrap();
        // Not of all of Unicode: of the youngest letters regex and the standard library have not heard alike.
        let character = prop_oneof![prop::char::range('\0', '~'), prop::char::range('\u{7f}', '\u{7ff}')];
        let place = (any::<prop::sample::Index>(), character, any::<bool>());
        proptest!(|(good in of_the_pattern(), text in of_the_pattern(), (at, character, replaces) in place)| {
            let mut characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len() + 1);
            characters.splice(at..(at + usize::from(replaces)).min(characters.len()), [character]);
            let spoiled: String = characters.into_iter().collect();
            let (long, short): (String, String) = (good.repeat(300), good.chars().take(1).collect());
            for text in [good, spoiled, long, short] {
                let expected = said.takes(&regex, &text) && beyond(&text);
                prop_assert_eq!(is_legal::<T>(&text), expected, "{:?}", text);
            }
        });
    }

    pub(super) fn nothing(_: &str) -> bool {
        true
    }

    #[test]
    fn texts_are_legal_that_the_schema_says_are() {
        agrees::<VaultName>(nothing);
        agrees::<UploadId>(nothing);
        agrees::<ArchiveId>(nothing);
        agrees::<JobId>(nothing);
        agrees::<LockId>(nothing);
        agrees::<Description>(nothing);
        agrees::<SnsTopic>(nothing);
        agrees::<TagKey>(nothing);
        agrees::<TagValue>(nothing);
        agrees::<PayloadHash>(nothing);
        agrees::<TreeHash>(nothing);
        agrees::<PolicyText>(|text| text.len() <= 20_480);
        agrees::<Date>(|text| crate::date::unix_ms(text).is_some());
        agrees::<ByteRange>(|text| {
            let numbers: Option<Vec<u64>> = text.split('-').map(|number| number.parse().ok()).collect();
            // The end of a range is one past its last byte.
            numbers.is_some_and(|numbers| numbers[0] <= numbers[1] && numbers[1] < u64::MAX)
        });
    }

    #[test]
    fn vault_names_that_paths_resolve_are_no_names() {
        let said = Said::of::<VaultName>();
        let regex = Regex::new(&said.pattern).unwrap();
        for text in [".", "..", "...", "....", ".a", "..a", "...a", "a.", "", "a/b", "-", "_"] {
            assert_eq!(said.takes(&regex, text), is_legal::<VaultName>(text), "{text:?}");
        }
    }
}
