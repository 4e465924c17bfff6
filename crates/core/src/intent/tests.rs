//! Both encodings of the contract, held together.

use super::*;
use crate::glacier::initiate_job::{InventoryFormat, Tier};
use crate::glacier::{Date, InvalidSetting, Method, NotificationEvent, TagKey, TagValue};
use crate::json::Json;

fn every_intent() -> Vec<Intent> {
    let vault = VaultName::new("photos").unwrap();
    let upload_id = UploadId::new("upload_1-x").unwrap();
    let job_id = JobId::new("job_1-x").unwrap();
    let digest = |byte| [byte; 32];
    vec![
        Intent::InitiateMultipartUpload {
            vault: vault.clone(),
            part_size: PartSize::MAX,
            size: 42_949_672_960_000,
            description: Some(Description::new("double  spaces").unwrap()),
        },
        Intent::InitiateMultipartUpload { vault: vault.clone(), part_size: PartSize::MIN, size: 1, description: None },
        Intent::UploadMultipartPart {
            vault: vault.clone(),
            upload_id: upload_id.clone(),
            range: ByteRange::new(0, 1 << 20).unwrap(),
            payload_hash: PayloadHash::from_bytes(digest(0xab)),
            tree_hash: TreeHash::from_bytes(digest(1)),
        },
        Intent::ListParts { vault: vault.clone(), upload_id: upload_id.clone(), marker: None },
        Intent::ListParts { vault: vault.clone(), upload_id: upload_id.clone(), marker: Some("m".into()) },
        Intent::CompleteMultipartUpload {
            vault: vault.clone(),
            upload_id: upload_id.clone(),
            size: 7,
            tree_hash: TreeHash::from_bytes(digest(2)),
        },
        Intent::AbortMultipartUpload { vault: vault.clone(), upload_id },
        Intent::ListMultipartUploads { vault: vault.clone(), marker: Some("m".into()) },
        Intent::DeleteArchive { vault: vault.clone(), archive_id: ArchiveId::new("-archive").unwrap() },
        Intent::CreateVault { vault: vault.clone() },
        Intent::DescribeVault { vault: vault.clone() },
        Intent::ListVaults { marker: None },
        Intent::ListVaults { marker: Some("arn:aws:glacier:us-east-1:012345678901:vaults/photos".into()) },
        Intent::DeleteVault { vault: vault.clone() },
        Intent::DescribeJob { vault: vault.clone(), job_id: job_id.clone() },
        Intent::ListJobs { vault: vault.clone(), status_code: None, completed: None, marker: None },
        Intent::ListJobs {
            vault: vault.clone(),
            status_code: Some(JobStatus::InProgress),
            completed: Some(false),
            marker: Some("m".into()),
        },
        Intent::GetJobOutput { vault: vault.clone(), job_id: job_id.clone(), range: None },
        Intent::GetJobOutput { vault: vault.clone(), job_id, range: ByteRange::new(0, 1 << 20) },
    ]
    .into_iter()
    .chain(every_job().into_iter().map(|job| Intent::InitiateJob { vault: vault.clone(), job }))
    .chain(every_setting(&vault))
    .collect()
}

fn every_setting(vault: &VaultName) -> Vec<Intent> {
    let vault = || vault.clone();
    let tag = |key: &str, value: &str| (TagKey::new(key).unwrap(), TagValue::new(value).unwrap());
    let policy = || PolicyText::new("{\"Statement\": []}\n").unwrap();
    let rule = |strategy, bytes| Intent::SetDataRetrievalPolicy(RetrievalRule::new(strategy, bytes).unwrap());
    vec![
        Intent::AddTagsToVault {
            vault: vault(),
            tags: Tags::new(vec![tag("Größe", "7 @home"), tag("a", "")]).unwrap(),
        },
        Intent::ListTagsForVault { vault: vault() },
        Intent::RemoveTagsFromVault {
            vault: vault(),
            tag_keys: TagKeys::new(vec![tag("b", "").0, tag("a", "").0]).unwrap(),
        },
        Intent::SetVaultNotifications {
            vault: vault(),
            sns_topic: SnsTopic::new("arn:aws:sns:us-east-1:012345678901:done").unwrap(),
            events: NotificationEvents::new(vec![
                NotificationEvent::InventoryRetrievalCompleted,
                NotificationEvent::ArchiveRetrievalCompleted,
            ])
            .unwrap(),
        },
        Intent::GetVaultNotifications { vault: vault() },
        Intent::DeleteVaultNotifications { vault: vault() },
        Intent::SetVaultAccessPolicy { vault: vault(), policy: policy() },
        Intent::GetVaultAccessPolicy { vault: vault() },
        Intent::DeleteVaultAccessPolicy { vault: vault() },
        Intent::InitiateVaultLock { vault: vault(), policy: policy() },
        Intent::CompleteVaultLock { vault: vault(), lock_id: LockId::new("lock_1-x").unwrap() },
        Intent::AbortVaultLock { vault: vault() },
        Intent::GetVaultLock { vault: vault() },
        Intent::GetDataRetrievalPolicy {},
        rule("None", None),
        rule("FreeTier", None),
        rule("BytesPerHour", Some(1 << 40)),
        Intent::ListProvisionedCapacity {},
        Intent::PurchaseProvisionedCapacity {},
    ]
}

fn every_job() -> Vec<JobParameters> {
    let archive_id = ArchiveId::new("archive").unwrap();
    let description = Some(Description::new("a \"quoted\" \\ word").unwrap());
    let sns_topic = Some(SnsTopic::new("arn:aws:sns:us-east-1:012345678901:done").unwrap());
    vec![
        JobParameters::ArchiveRetrieval {
            archive_id: archive_id.clone(),
            range: None,
            tier: None,
            description: None,
            sns_topic: None,
        },
        JobParameters::ArchiveRetrieval {
            archive_id,
            range: ByteRange::new(1 << 20, 3 << 20),
            tier: Some(Tier::Bulk),
            description: description.clone(),
            sns_topic: sns_topic.clone(),
        },
        JobParameters::InventoryRetrieval {
            format: None,
            start_date: None,
            end_date: None,
            limit: None,
            marker: None,
            description: None,
            sns_topic: None,
        },
        JobParameters::InventoryRetrieval {
            format: Some(InventoryFormat::Csv),
            start_date: Some(Date::new("2026-03-20T17:03:43Z").unwrap()),
            end_date: Some(Date::new("2026-03-21T17:03:43Z").unwrap()),
            limit: std::num::NonZeroU64::new(10_000),
            marker: Some("m\"\n".into()),
            description,
            sns_topic,
        },
    ]
}

fn to_serde(json: &Json) -> serde_json::Value {
    match json {
        Json::Null => serde_json::Value::Null,
        Json::Bool(value) => (*value).into(),
        Json::Number(value) => (*value).into(),
        Json::Text(value) => value.clone().into(),
        Json::List(items) => items.iter().map(to_serde).collect(),
        Json::Object(members) => members.iter().map(|(key, value)| (key.clone(), to_serde(value))).collect(),
    }
}

#[test]
fn browser_and_server_write_the_same_json_and_the_server_reads_it_back() {
    for intent in every_intent() {
        let by_browser = to_serde(&intent.to_json());
        assert_eq!(by_browser, serde_json::to_value(&intent).unwrap());
        assert_eq!(serde_json::from_value::<Intent>(by_browser).unwrap(), intent);
    }
}

#[test]
fn unknown_fields_and_illegal_values_are_refused() {
    for intent in every_intent() {
        let good = serde_json::to_value(&intent).unwrap();
        for (key, value) in [
            ("host", "evil.test"),
            ("url", "/"),
            ("headers", "x"),
            ("to_sign", "AWS4"),
            ("vault", "../b"),
            ("uploadId", "a/b"),
            ("op", "UploadArchive"),
            ("payloadHash", "UNSIGNED-PAYLOAD"),
            ("partSize", "1"),
            ("range", "5-1"),
            ("treeHash", "00"),
            ("description", "\r\n"),
            ("size", "1"),
            ("archiveId", "a/b"),
            ("jobId", "a/b"),
            ("statusCode", "Done"),
            ("completed", "true"),
            ("job", "archive-retrieval"),
            ("tags", "a"),
            ("tagKeys", "a"),
            ("snsTopic", "topic"),
            ("events", "ArchiveRetrievalCompleted"),
            ("policy", "[]"),
            ("lockId", "a/b"),
            ("strategy", "All"),
            ("bytesPerHour", "1"),
        ] {
            let mut bad = good.clone();
            bad[key] = value.into();
            assert!(serde_json::from_value::<Intent>(bad).is_err(), "{key} in {good}");
        }
    }
}

#[test]
fn archives_have_a_greatest_length() {
    for (op, rest) in [
        ("InitiateMultipartUpload", r#""partSize":4294967296"#.to_owned()),
        ("CompleteMultipartUpload", format!(r#""uploadId":"u","treeHash":"{}""#, "a".repeat(64))),
    ] {
        let with = |size: u64| format!(r#"{{"op":"{op}","vault":"photos","size":{size},{rest}}}"#);
        assert!(serde_json::from_str::<Intent>(&with(42_949_672_960_000)).is_ok(), "{op}");
        assert!(serde_json::from_str::<Intent>(&with(42_949_672_960_001)).is_err(), "{op}");
    }
}

#[test]
fn settings_of_no_use_are_refused() {
    let read = |text: &str| serde_json::from_str::<Intent>(text).map_err(|error| error.to_string());
    let of_vault = |op: &str, rest: &str| read(&format!(r#"{{"op":"{op}","vault":"photos",{rest}}}"#));
    let many: Vec<String> = (0..11).map(|n| format!(r#""k{n}""#)).collect();
    let many_tags = many.iter().map(|key| format!(r#"{key}:"""#)).collect::<Vec<_>>().join(",");
    for (op, rest) in [
        ("AddTagsToVault", r#""tags":{}"#),
        ("AddTagsToVault", &format!(r#""tags":{{{many_tags}}}"#)),
        ("AddTagsToVault", r#""tags":{"aws:a":"b"}"#),
        ("AddTagsToVault", r#""tags":{"a":"b:c"}"#),
        ("AddTagsToVault", r#""tags":{"a":null}"#),
        ("AddTagsToVault", r#""tags":[["a","b"]]"#),
        ("RemoveTagsFromVault", r#""tagKeys":[]"#),
        ("RemoveTagsFromVault", &format!(r#""tagKeys":[{}]"#, many.join(","))),
        ("RemoveTagsFromVault", r#""tagKeys":["aws:a"]"#),
        ("SetVaultNotifications", r#""snsTopic":"arn:aws:sns:x","events":[]"#),
        ("SetVaultNotifications", r#""snsTopic":"arn:aws:sns:x","events":["Done"]"#),
        ("SetVaultNotifications", r#""events":["ArchiveRetrievalCompleted"]"#),
        ("SetVaultAccessPolicy", r#""policy":{}"#),
        ("InitiateVaultLock", r#""policy":"""#),
        ("CompleteVaultLock", r#""lockId":"""#),
    ] {
        assert!(of_vault(op, rest).is_err(), "{op} {rest}");
    }
    let twice = r#"{"a":"b","a":"c"}"#;
    assert!(of_vault("AddTagsToVault", &format!(r#""tags":{twice}"#)).is_err());
    let why = serde_json::from_str::<Tags>(twice).unwrap_err().to_string();
    assert!(why.starts_with(&InvalidSetting::TagTwice.to_string()), "{why}");
    for rule in [
        r#""strategy":"BytesPerHour""#,
        r#""strategy":"BytesPerHour","bytesPerHour":0"#,
        r#""strategy":"BytesPerHour","bytesPerHour":1.5"#,
        r#""strategy":"BytesPerHour","bytesPerHour":9223372036854775808"#,
        r#""strategy":"None","bytesPerHour":1"#,
        r#""strategy":"FreeTier","bytesPerHour":1"#,
        r#""bytesPerHour":1"#,
        r#""strategy":"None","vault":"photos""#,
    ] {
        assert!(read(&format!(r#"{{"op":"SetDataRetrievalPolicy",{rule}}}"#)).is_err(), "{rule}");
    }
    assert!(read(r#"{"op":"SetDataRetrievalPolicy","strategy":"BytesPerHour","bytesPerHour":1}"#).is_ok());
}

#[test]
fn jobs_with_fields_of_another_kind_cannot_be_asked_for() {
    for job in every_job() {
        let good = serde_json::to_value(&job).unwrap();
        let is_archive = good["type"] == "archive-retrieval";
        let of_the_other: &[(&str, serde_json::Value)] = if is_archive {
            &[
                ("format", "JSON".into()),
                ("startDate", "2026-03-20T17:03:43Z".into()),
                ("limit", 1.into()),
                ("marker", "m".into()),
            ]
        } else {
            &[("archiveId", "archive".into()), ("range", "0-1048575".into()), ("tier", "Bulk".into())]
        };
        let never: [(&str, serde_json::Value); 10] = [
            ("type", "select".into()),
            ("type", serde_json::Value::Null),
            ("limit", 0.into()),
            ("limit", "1".into()),
            ("tier", "Fast".into()),
            ("format", "XML".into()),
            ("startDate", "yesterday".into()),
            ("snsTopic", "topic".into()),
            ("description", "\n".into()),
            ("Type", "archive-retrieval".into()),
        ];
        for (key, value) in of_the_other.iter().chain(&never) {
            let mut bad = good.clone();
            bad[key] = value.clone();
            assert!(serde_json::from_value::<JobParameters>(bad).is_err(), "{key} {value} in {good}");
        }
    }
    let without = serde_json::json!({ "type": "archive-retrieval" });
    assert!(serde_json::from_value::<JobParameters>(without).is_err());
}

#[test]
fn only_requests_of_text_have_a_body_and_the_hash_is_of_it() {
    for intent in every_intent() {
        let request = intent.glacier_request("-").unwrap();
        match (&intent, &request.body) {
            (
                Intent::InitiateJob { .. }
                | Intent::AddTagsToVault { .. }
                | Intent::RemoveTagsFromVault { .. }
                | Intent::SetVaultNotifications { .. }
                | Intent::SetVaultAccessPolicy { .. }
                | Intent::InitiateVaultLock { .. }
                | Intent::SetDataRetrievalPolicy(_),
                Some(body),
            ) => {
                assert_eq!(request.payload_hash, PayloadHash::of(body.as_bytes()));
                assert!(request.headers.contains(&("content-type", "application/json".to_owned())));
            }
            (Intent::UploadMultipartPart { payload_hash, .. }, None) => assert_eq!(request.payload_hash, *payload_hash),
            (_, body) => assert_eq!((body, request.payload_hash), (&None, PayloadHash::of(&[])), "{intent:?}"),
        }
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
    let of_no_vault: Vec<Intent> = every_intent().into_iter().filter(|intent| intent.vault().is_none()).collect();
    for intent in of_no_vault {
        let path = intent.glacier_request("-").unwrap().path;
        assert!(["/-/vaults", "/-/policies/data-retrieval", "/-/provisioned-capacity"].contains(&&*path), "{path}");
    }
}

#[test]
fn bodies_are_the_parameters_themselves() {
    let vault = VaultName::new("photos").unwrap();
    let bodies: Vec<serde_json::Value> = every_job()
        .into_iter()
        .map(|job| {
            let request = Intent::InitiateJob { vault: vault.clone(), job }.glacier_request("-").unwrap();
            assert_eq!((request.method, request.path.as_str()), (Method::Post, "/-/vaults/photos/jobs"));
            serde_json::from_str(&request.body.unwrap()).unwrap()
        })
        .collect();
    let topic = "arn:aws:sns:us-east-1:012345678901:done";
    let expected = [
        serde_json::json!({ "Type": "archive-retrieval", "ArchiveId": "archive" }),
        serde_json::json!({
            "Type": "archive-retrieval", "ArchiveId": "archive", "RetrievalByteRange": "1048576-3145727",
            "Tier": "Bulk", "Description": "a \"quoted\" \\ word", "SNSTopic": topic,
        }),
        serde_json::json!({ "Type": "inventory-retrieval" }),
        serde_json::json!({
            "Type": "inventory-retrieval", "Format": "CSV", "Description": "a \"quoted\" \\ word", "SNSTopic": topic,
            "InventoryRetrievalParameters": {
                "StartDate": "2026-03-20T17:03:43Z", "EndDate": "2026-03-21T17:03:43Z", "Limit": "10000",
                "Marker": "m\"\n",
            },
        }),
    ];
    assert_eq!(bodies, expected);
}

#[test]
fn queries_and_ranges_are_what_the_service_reads() {
    let vault = VaultName::new("photos").unwrap();
    let job_id = JobId::new("job").unwrap();
    let range = ByteRange::new(0, 1 << 20);
    let output = Intent::GetJobOutput { vault: vault.clone(), job_id, range }.glacier_request("-").unwrap();
    assert_eq!(output.path, "/-/vaults/photos/jobs/job/output");
    assert!(output.headers.contains(&("range", "bytes=0-1048575".to_owned())));
    let list = Intent::ListJobs {
        vault,
        status_code: Some(JobStatus::Succeeded),
        completed: Some(true),
        marker: Some("m".into()),
    };
    let expected = [("completed", "true"), ("marker", "m"), ("statuscode", "Succeeded")];
    let query = list.glacier_request("-").unwrap().query;
    assert_eq!(query, expected.map(|(name, value)| (name, value.to_owned())));
    assert_eq!(Intent::ListVaults { marker: None }.glacier_request("-").unwrap().path, "/-/vaults");
}
