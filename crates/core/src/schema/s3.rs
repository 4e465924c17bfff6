//! Schemas of what is about objects.

use schemars::json_schema;

use super::schema;
use crate::s3::{
    BucketName, CompositeChecksum, ContentType, KeyPrefix, MAX_PARTS, MAX_TAGS, Metadata, MetadataName, MetadataValue,
    ObjectKey, ObjectTags, PartNumber, TREE_HASH_NAME, TagKey, TagValue, UploadHandle, VersionId,
};

schema!(BucketName, |_| json_schema!({
    "type": "string",
    "description": "A bucket's name: a host name, and no IP address.",
    "format": "bucket-name",
    "pattern": "^[a-z0-9](?:(?:\\.?-)*\\.?[a-z0-9])*$",
    "minLength": 3,
    "maxLength": 63,
}));
schema!(ObjectKey, |_| json_schema!({
    "type": "string",
    "description": "An object's key: at most 1,024 bytes of UTF-8, no segment `.` or `..`, and not `soap`.",
    "format": "object-key",
    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
    "minLength": 1,
    "maxLength": 1024,
}));
schema!(KeyPrefix, |_| json_schema!({
    "type": "string",
    "description": "What keys begin with: at most 1,024 bytes of UTF-8.",
    "format": "key-prefix",
    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
    "maxLength": 1024,
}));
schema!(VersionId, |_| json_schema!({
    "type": "string",
    "description": "Names one version of an object, as the store gave it.",
    "pattern": "^[!-~]+$",
    "minLength": 1,
    "maxLength": 1024,
}));
schema!(ContentType, |_| json_schema!({
    "type": "string",
    "description": "As in the header `Content-Type`.",
    "pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+/[A-Za-z0-9!#$%&'*+.^_`|~-]+(?: *;(?:[ -~]*[!-~])?)?$",
    "maxLength": 255,
}));
schema!(UploadHandle, |_| json_schema!({
    "type": "string",
    "description": "Names one upload, as the gateway gave it.",
    "pattern": "^[A-Za-z0-9_.-]+$",
    "minLength": 1,
    "maxLength": 2048,
}));
schema!(MetadataName, |_| json_schema!({
    "type": "string",
    "description": "The name of one piece of metadata, without `x-amz-meta-`.",
    "pattern": "^[a-z0-9_.-]+$",
    "minLength": 1,
    "maxLength": 128,
    "not": { "const": TREE_HASH_NAME },
}));
schema!(MetadataValue, |_| json_schema!({
    "type": "string",
    "description": "The value of one piece of metadata: printable ASCII, no space at either end.",
    "pattern": "^[!-~](?:[ -~]*[!-~])?$",
    "minLength": 1,
    "maxLength": 2048,
}));
schema!(TagKey, "ObjectTagKey", |_| json_schema!({
    "type": "string",
    "description": "The key of an object's tag.",
    "pattern": "^[\\p{Alpha}\\p{N} +=._:/@-]+$",
    "minLength": 1,
    "maxLength": 128,
    "not": { "anyOf": [{ "const": TREE_HASH_NAME }, { "pattern": "^[Aa][Ww][Ss]:" }] },
}));
schema!(TagValue, "ObjectTagValue", |_| json_schema!({
    "type": "string",
    "description": "The value of an object's tag.",
    "pattern": "^[\\p{Alpha}\\p{N} +=._:/@-]*$",
    "maxLength": 256,
}));
schema!(Metadata, |generator| json_schema!({
    "type": "object",
    "description": "Names with a value each; together at most 1,968 bytes.",
    "propertyNames": generator.subschema_for::<MetadataName>(),
    "additionalProperties": generator.subschema_for::<MetadataValue>(),
    "minProperties": 1,
}));
schema!(ObjectTags, |generator| json_schema!({
    "type": "object",
    "description": "Keys with a value each.",
    "propertyNames": generator.subschema_for::<TagKey>(),
    "additionalProperties": generator.subschema_for::<TagValue>(),
    "minProperties": 1,
    "maxProperties": MAX_TAGS,
}));
schema!(PartNumber, |_| json_schema!({
    "type": "integer",
    "description": "Which part.",
    "minimum": 1,
    "maximum": MAX_PARTS,
}));
schema!(CompositeChecksum, |_| json_schema!({
    "type": "string",
    "description": "SHA-256 over the parts' SHA-256 values, in base64, `-` and the number of parts.",
    "pattern": "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=-(?:[1-9][0-9]{0,3}|10000)$",
}));

#[cfg(test)]
mod tests {
    use super::super::tests::{agrees, nothing};
    use super::*;

    #[test]
    fn texts_are_legal_that_the_schema_says_are() {
        agrees::<BucketName>(|text| {
            text.split('.').count() != 4 || text.bytes().any(|byte| !byte.is_ascii_digit() && byte != b'.')
        });
        agrees::<ObjectKey>(|text| {
            text.len() <= 1024 && text != "soap" && text.split('/').all(|segment| !matches!(segment, "." | ".."))
        });
        agrees::<KeyPrefix>(|text| text.len() <= 1024);
        agrees::<VersionId>(nothing);
        agrees::<ContentType>(nothing);
        agrees::<UploadHandle>(nothing);
        agrees::<MetadataName>(|text| text != TREE_HASH_NAME);
        agrees::<MetadataValue>(nothing);
        agrees::<TagKey>(|text| text != TREE_HASH_NAME && !text.to_ascii_lowercase().starts_with("aws:"));
        agrees::<TagValue>(nothing);
        agrees::<CompositeChecksum>(nothing);
    }

    #[test]
    fn lengths_that_only_words_tell_are_those_of_the_code() {
        let said = serde_json::to_string(&schemars::schema_for!(Metadata)).unwrap();
        let most = crate::s3::MAX_METADATA_LEN.to_string();
        assert!(said.replace("1,968", "1968").contains(&most), "{said}");
    }
}
