//! Both encodings of the intents and of the gateway's answers, held together.

use std::num::NonZeroU32;

use serde_json::{Value, json};

use super::head_object::{ObjectHead, Restore};
use super::*;
use crate::glacier::initiate_job::Tier;
use crate::glacier::{AnswerError, Date, Response};
use crate::json::Json;
use crate::part::PartSize;
use crate::range::ByteRange;
use crate::sha256::PayloadHash;
use crate::tree_hash::TreeHash;

fn to_serde(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => (*value).into(),
        Json::Number(value) => (*value).into(),
        Json::Text(value) => value.clone().into(),
        Json::List(items) => items.iter().map(to_serde).collect(),
        Json::Object(members) => members.iter().map(|(key, value)| (key.clone(), to_serde(value))).collect(),
    }
}

/// As a browser's parser gives it.
fn from_serde(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(number) => number.as_u64().map_or(Json::Null, Json::Number),
        Value::String(text) => Json::Text(text.clone()),
        Value::Array(items) => Json::List(items.iter().map(from_serde).collect()),
        Value::Object(members) => {
            Json::Object(members.iter().map(|(key, value)| (key.clone(), from_serde(value))).collect())
        }
    }
}

fn answer(status: u16, body: &impl serde::Serialize) -> Response {
    let body = Some(from_serde(&serde_json::to_value(body).unwrap()));
    Response { status, headers: Vec::new(), body }
}

fn bucket() -> BucketName {
    BucketName::new("photos").unwrap()
}

fn key() -> ObjectKey {
    ObjectKey::new("2026/Größe.jpg").unwrap()
}

fn handle() -> UploadHandle {
    UploadHandle::new("gh1.aGFuZGxl.c2VhbA").unwrap()
}

fn composite() -> CompositeChecksum {
    CompositeChecksum::of_parts([PayloadHash::of(b"a"), PayloadHash::of(b"b")]).unwrap()
}

fn every_intent() -> Vec<Intent> {
    let version_id = || VersionId::new("3/L4kqt+J").ok();
    let content_type = ContentType::new("image/jpeg").ok();
    let pair = (MetadataName::new("author").unwrap(), MetadataValue::new("a \"b\"").unwrap());
    let metadata = Metadata::new(vec![pair]).ok();
    let tag = |key: &str| (TagKey::new(key).unwrap(), TagValue::new("").unwrap());
    let tags = ObjectTags::new(vec![tag("Größe:1"), tag("a")]).ok();
    let payload_hash = PayloadHash::from_bytes([0xab; 32]);
    let tree_hash = TreeHash::from_bytes([1; 32]);
    let storage_class = StorageClass::DeepArchive;
    vec![
        Intent::PutObject {
            bucket: bucket(),
            key: key(),
            size: 7,
            payload_hash,
            tree_hash,
            storage_class,
            content_type: content_type.clone(),
            metadata: metadata.clone(),
            tags: tags.clone(),
            overwrite: true,
        },
        Intent::PutObject {
            bucket: bucket(),
            key: key(),
            size: 0,
            payload_hash,
            tree_hash,
            storage_class,
            content_type: None,
            metadata: None,
            tags: None,
            overwrite: false,
        },
        Intent::CreateMultipartUpload {
            bucket: bucket(),
            key: key(),
            size: MAX_OBJECT_LEN,
            part_size: PartSize::MAX,
            storage_class,
            content_type,
            metadata,
            tags,
            overwrite: true,
        },
        Intent::CreateMultipartUpload {
            bucket: bucket(),
            key: key(),
            size: 1,
            part_size: PartSize::MIN,
            storage_class: StorageClass::Standard,
            content_type: None,
            metadata: None,
            tags: None,
            overwrite: false,
        },
        Intent::UploadPart {
            upload: handle(),
            part_number: PartNumber::from_index(0).unwrap(),
            payload_hash,
            size: None,
        },
        Intent::UploadPart {
            upload: handle(),
            part_number: PartNumber::from_index(9_999).unwrap(),
            payload_hash,
            size: Some(1),
        },
        Intent::ListParts { upload: handle(), marker: None },
        Intent::ListParts { upload: handle(), marker: Some("m".into()) },
        Intent::CompleteMultipartUpload { upload: handle(), size: 9, checksum: composite(), tree_hash },
        Intent::AbortMultipartUpload { upload: handle() },
        Intent::ListMultipartUploads { bucket: bucket(), prefix: None, marker: None },
        Intent::ListMultipartUploads {
            bucket: bucket(),
            prefix: KeyPrefix::new("2026/").ok(),
            marker: Some("m".into()),
        },
        Intent::HeadObject { bucket: bucket(), key: key(), version_id: None },
        Intent::HeadObject { bucket: bucket(), key: key(), version_id: version_id() },
        Intent::RestoreObject {
            bucket: bucket(),
            key: key(),
            version_id: version_id(),
            days: NonZeroU32::new(7),
            tier: Tier::Bulk,
        },
        Intent::RestoreObject { bucket: bucket(), key: key(), version_id: None, days: None, tier: Tier::Standard },
        Intent::GetObject { bucket: bucket(), key: key(), version_id: None, range: None },
        Intent::GetObject { bucket: bucket(), key: key(), version_id: version_id(), range: ByteRange::new(0, 1 << 20) },
        Intent::DeleteObject { bucket: bucket(), key: key(), version_id: version_id() },
    ]
}

#[test]
fn browser_and_server_write_the_same_json_and_the_server_reads_it_back() {
    for intent in every_intent() {
        let by_browser = to_serde(&intent.to_json());
        let any = crate::Intent::from(intent.clone());
        assert_eq!(by_browser, serde_json::to_value(&any).unwrap());
        assert_eq!(to_serde(&any.to_json()), by_browser);
        assert_eq!(serde_json::from_value::<crate::Intent>(by_browser.clone()).unwrap(), any);
        assert_eq!(serde_json::from_value::<Intent>(by_browser).unwrap(), intent);
    }
}

#[test]
fn each_operation_is_named_once_and_has_an_intent() {
    let mut named = OPERATIONS.to_vec();
    named.sort_unstable();
    let mut with_intent: Vec<&str> = every_intent().iter().map(Intent::op).collect();
    with_intent.sort_unstable();
    with_intent.dedup();
    assert_eq!(named, with_intent);
    for intent in every_intent() {
        assert_ne!(intent.place().is_some(), intent.upload().is_some(), "{intent:?}");
        let any = crate::Intent::from(intent.clone());
        assert_eq!((any.op(), any.vault(), any.glacier_request("-")), (intent.op(), None, None));
        assert_eq!(any.archive_len(), intent.object_len());
    }
}

#[test]
fn unknown_fields_and_illegal_values_are_refused() {
    for intent in every_intent() {
        let good = serde_json::to_value(&intent).unwrap();
        for (key, value) in [
            ("host", json!("evil.test")),
            ("url", json!("/")),
            ("headers", json!({})),
            ("vault", json!("photos")),
            ("uploadId", json!("u")),
            ("op", json!("s3:PutBucketPolicy")),
            ("op", json!("PutObject")),
            ("op", json!("ListParts")),
            ("op", json!("S3")),
            ("bucket", json!("../b")),
            ("key", json!("a/../b")),
            ("key", json!("")),
            ("prefix", json!("\n")),
            ("upload", json!("a/b")),
            ("partNumber", json!(0)),
            ("partNumber", json!(10_001)),
            ("partNumber", json!("1")),
            ("payloadHash", json!("UNSIGNED-PAYLOAD")),
            ("treeHash", json!("00")),
            ("checksum", json!("00-1")),
            ("partSize", json!(3)),
            ("size", json!("1")),
            ("size", json!(-1)),
            ("storageClass", json!("glacier")),
            ("contentType", json!("a/b\r\nx: y")),
            ("metadata", json!({ "a": "\r\n" })),
            ("metadata", json!({})),
            ("metadata", json!([["a", "b"]])),
            ("tags", json!({ "aws:a": "b" })),
            ("tags", json!({ "a": null })),
            ("overwrite", json!("true")),
            ("versionId", json!("a b")),
            ("days", json!(0)),
            ("tier", json!("Fast")),
            ("range", json!("5-1")),
            ("marker", json!(1)),
        ] {
            let mut bad = good.clone();
            bad[key] = value;
            assert!(serde_json::from_value::<crate::Intent>(bad.clone()).is_err(), "{bad}");
        }
    }
    let twice = |members: &str| {
        let head = r#""op":"s3:PutObject","bucket":"photos","key":"a","size":1,"storageClass":"GLACIER""#;
        let hash = "0".repeat(64);
        let text = format!(r#"{{{head},"payloadHash":"{hash}","treeHash":"{hash}"{members}}}"#);
        serde_json::from_str::<crate::Intent>(&text).is_ok()
    };
    assert!(twice(""));
    for members in [r#","metadata":{"a":"b","a":"c"}"#, r#","tags":{"a":"b","a":"c"}"#, r#","bucket":"other""#] {
        assert!(!twice(members), "{members}");
    }
}

#[test]
fn uploads_are_opened_with_a_handle() {
    let created = create_multipart_upload::Created { upload: handle() };
    assert_eq!(create_multipart_upload::read(&answer(201, &created)), Ok(handle()));
    let unreadable = Err(AnswerError::Unreadable { name: "upload" });
    assert_eq!(create_multipart_upload::read(&answer(201, &json!({ "upload": "a/b" }))), unreadable);
    let other = create_multipart_upload::read(&answer(200, &created));
    assert_eq!(other, Err(AnswerError::NotGlacier { status: 200 }));
}

#[test]
fn pages_of_parts_are_read_as_they_are_written() {
    let part = |number: u64, payload_hash| list_parts::Part {
        part_number: PartNumber::new(number).unwrap(),
        size: 8 << 20,
        payload_hash,
    };
    let parts = vec![part(1, Some(PayloadHash::of(b"a"))), part(10_000, None)];
    for marker in [None, Some("m".to_owned())] {
        let page = list_parts::Page { parts: parts.clone(), marker };
        assert_eq!(list_parts::read(&answer(200, &page)), Ok(page));
    }
    let written = serde_json::to_value(list_parts::Page { parts: parts[1..].to_vec(), marker: None }).unwrap();
    let expected = json!({
        "parts": [{ "partNumber": 10_000, "size": 8_388_608, "payloadHash": null }], "marker": null,
    });
    assert_eq!(written, expected);
    for bad in [json!({ "partNumber": 0, "size": 1 }), json!({ "partNumber": 1, "size": 1, "payloadHash": "x" })] {
        assert!(list_parts::read(&answer(200, &json!({ "parts": [bad] }))).is_err());
    }
}

#[test]
fn an_object_is_made_only_of_what_was_sent() {
    let completed = complete_multipart_upload::Completed {
        bucket: bucket(),
        key: key(),
        version_id: None,
        etag: "5a6f-2".into(),
        checksum: composite(),
        size: 9,
        tree_hash_kept: true,
    };
    let answer = answer(200, &completed);
    assert_eq!(complete_multipart_upload::read(&answer, &composite(), 9), Ok(completed));
    let other = CompositeChecksum::of_parts([PayloadHash::of(b"a")]).unwrap();
    for (checksum, size) in [(other, 9), (composite(), 8)] {
        let read = complete_multipart_upload::read(&answer, &checksum, size);
        assert_eq!(read, Err(AnswerError::OtherObject));
    }
}

#[test]
fn heads_are_read_as_they_are_written() {
    let date = |text: &str| Date::new(text).unwrap();
    let whole = ObjectHead {
        size: 5_497_558_138_880,
        storage_class: "GLACIER".into(),
        etag: "5a6f".into(),
        version_id: VersionId::new("null").ok(),
        last_modified: date("2026-03-20T17:03:43Z"),
        content_type: Some("image/jpeg".into()),
        checksum: Some(ObjectChecksum::Whole(PayloadHash::of(b"a"))),
        part_size: None,
        tree_hash: Some(TreeHash::from_bytes([1; 32])),
        metadata: vec![("author".into(), "a".into()), ("z".into(), String::new())],
        restore: Some(Restore { ongoing: false, expiry: Some(date("2026-03-27T00:00:00Z")) }),
        archived: true,
    };
    let bare = ObjectHead {
        size: 0,
        version_id: None,
        content_type: None,
        checksum: None,
        tree_hash: None,
        metadata: Vec::new(),
        restore: None,
        ..whole.clone()
    };
    let composite = ObjectHead {
        checksum: Some(ObjectChecksum::Composite(composite())),
        part_size: Some(8 << 20),
        restore: Some(Restore { ongoing: true, expiry: None }),
        ..whole.clone()
    };
    for (head, readable) in [(&whole, true), (&bare, false), (&composite, false)] {
        assert_eq!(head_object::read(&answer(200, head)).as_ref(), Ok(head));
        assert_eq!(head.is_readable(), readable);
    }
    let written = serde_json::to_value(&bare).unwrap();
    let expected = json!({
        "size": 0, "storageClass": "GLACIER", "etag": "5a6f", "versionId": null, "contentType": null,
        "lastModified": "2026-03-20T17:03:43Z", "checksum": null, "checksumType": null, "treeHash": null,
        "metadata": {}, "restore": null, "archived": true,
    });
    assert_eq!(written, expected);
    let mut of_another_kind = serde_json::to_value(&whole).unwrap();
    of_another_kind["checksumType"] = "COMPOSITE".into();
    let unreadable = Err(AnswerError::Unreadable { name: "checksumType" });
    assert_eq!(head_object::read(&answer(200, &of_another_kind)), unreadable);
}

#[test]
fn unfinished_uploads_and_restores_are_read_as_they_are_written() {
    let upload = list_multipart_uploads::Upload {
        key: key(),
        initiated: Date::new("2026-03-20T17:03:43Z").unwrap(),
        storage_class: "DEEP_ARCHIVE".into(),
        upload: handle(),
    };
    let page = list_multipart_uploads::Page { uploads: vec![upload], marker: Some("m".into()) };
    assert_eq!(list_multipart_uploads::read(&answer(200, &page)), Ok(page));
    for (status, started) in [(202, true), (200, false)] {
        let restoring = restore_object::Restoring { started };
        assert_eq!(restore_object::read(&answer(status, &restoring)), Ok(restoring));
    }
    assert!(restore_object::read(&answer(200, &json!({}))).is_err());
}

#[test]
fn bytes_are_confirmed_by_their_checksum_only() {
    use super::upload_part::Acknowledgement::{Confirmed, Unseen};
    let hash = PayloadHash::of(b"bytes");
    let of = |headers: &[(&str, String)]| Response {
        status: 200,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        body: None,
    };
    let checksum = |bytes: &[u8]| ("x-amz-checksum-sha256", checksum_header(&PayloadHash::of(bytes)));
    assert_eq!(upload_part::acknowledge(&of(&[checksum(b"bytes")]), &hash), Ok(Confirmed));
    assert_eq!(upload_part::acknowledge(&of(&[]), &hash), Ok(Unseen));
    let reported = PayloadHash::of(b"other");
    let mismatch = AnswerError::ChecksumMismatch { computed: hash, reported };
    assert_eq!(upload_part::acknowledge(&of(&[checksum(b"other")]), &hash), Err(mismatch));
    let name = "x-amz-checksum-sha256";
    let unreadable = AnswerError::Unreadable { name };
    assert_eq!(upload_part::acknowledge(&of(&[(name, "AAAA".into())]), &hash), Err(unreadable));
    let not_200 = upload_part::acknowledge(&Response { status: 204, ..of(&[checksum(b"bytes")]) }, &hash);
    assert_eq!(not_200, Err(AnswerError::NotGlacier { status: 204 }));
    let headers = [checksum(b"bytes"), ("etag", "\"5a6f\"".into()), ("x-amz-version-id", "v1".into())];
    let stored = put_object::read(&of(&headers), &hash).unwrap();
    assert_eq!((stored.etag.as_deref(), stored.version_id.as_ref().map(VersionId::as_str)), (Some("5a6f"), Some("v1")));
}
