//! Who may do what: every cell of `authorization.txt`, every form of a token that is no good, every limit.

use glacier_core::glacier::VaultName;
use glacier_upload_server::grant::operations;
use glacier_upload_server::token::{Claims, LEEWAY_S, TokenKey};
use http::Request;
use serde_json::{Value, json};

use crate::setting::{Answered, HASH, HOST, NOW, Setting, batch, claims, intent, key, post, setting, setting_today};

const TABLE: &str = include_str!("authorization.txt");

/// The vault that the tokens name, another one, and one that there is not.
const VAULTS: [&str; 3] = ["photos", "films", "ghosts"];

fn bearer(claims: &Claims) -> String {
    format!("Bearer {}", key().mint(claims).unwrap())
}

fn granting(ops: &[&str]) -> String {
    bearer(&Claims { ops: ops.iter().map(|op| (*op).to_owned()).collect(), ..claims() })
}

/// As the vaults: an object that the tokens' prefix covers, one beside it, and one in another bucket.
const OBJECTS: [(&str, &str); 3] =
    [("pictures", "anna/1.jpg"), ("pictures", "annabel/1.jpg"), ("movies", "anna/1.jpg")];

/// What a role is asked for with one operation.
fn cell_of(op: &str) -> Vec<Value> {
    if op.starts_with("s3:") {
        let mut intents: Vec<Value> = OBJECTS.iter().map(|(bucket, key)| legal_for_object(op, bucket, key)).collect();
        // The upload's handle says where.
        intents.dedup();
        return intents;
    }
    let mut intents: Vec<Value> = VAULTS.iter().map(|vault| legal(op, vault)).collect();
    intents.dedup();
    intents
}

/// A legal intent of each operation of S3.
fn legal_for_object(op: &str, bucket: &str, key: &str) -> Value {
    let object = json!({ "bucket": bucket, "key": key });
    let checksum = "m8GyoriyavclejYnfuOBan1PFunB5+d9DSxIutYrNg8=";
    let (place, fields) = match op {
        "s3:PutObject" => {
            let hashes = json!({ "payloadHash": HASH, "treeHash": HASH });
            (object, [json!({ "size": 1, "storageClass": "GLACIER" }), hashes])
        }
        "s3:CreateMultipartUpload" => {
            (object, [json!({ "size": 1, "partSize": 8 << 20 }), json!({ "storageClass": "GLACIER" })])
        }
        "s3:UploadPart" => (json!({ "upload": "u" }), [json!({ "partNumber": 1 }), json!({ "payloadHash": HASH })]),
        "s3:CompleteMultipartUpload" => {
            let checks = json!({ "checksum": format!("{checksum}-1"), "treeHash": HASH });
            (json!({ "upload": "u" }), [json!({ "size": 1 }), checks])
        }
        "s3:ListParts" | "s3:AbortMultipartUpload" => (json!({ "upload": "u" }), [json!({}), json!({})]),
        "s3:ListMultipartUploads" => (json!({ "bucket": bucket, "prefix": key }), [json!({}), json!({})]),
        "s3:RestoreObject" => (object, [json!({ "days": 3 }), json!({ "tier": "Bulk" })]),
        _ => (object, [json!({}), json!({})]),
    };
    let mut legal = json!({ "op": op });
    for fields in [place].iter().chain(&fields) {
        legal.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    }
    legal
}

/// A legal intent of each operation of Glacier; `vault` is left out where there is none.
fn legal(op: &str, vault: &str) -> Value {
    let fields = match op {
        "InitiateMultipartUpload"
        | "UploadMultipartPart"
        | "ListParts"
        | "CompleteMultipartUpload"
        | "AbortMultipartUpload" => return intent(op, vault, 1),
        "ListVaults" | "GetDataRetrievalPolicy" | "ListProvisionedCapacity" | "PurchaseProvisionedCapacity" => {
            return json!({ "op": op });
        }
        "SetDataRetrievalPolicy" => return json!({ "op": op, "strategy": "None" }),
        "DeleteArchive" => json!({ "archiveId": "a" }),
        "InitiateJob" => json!({ "job": { "type": "archive-retrieval", "archiveId": "a" } }),
        "DescribeJob" | "GetJobOutput" => json!({ "jobId": "j" }),
        "AddTagsToVault" => json!({ "tags": { "k": "v" } }),
        "RemoveTagsFromVault" => json!({ "tagKeys": ["k"] }),
        "SetVaultNotifications" => json!({
            "snsTopic": "arn:aws:sns:us-east-1:123456789012:t", "events": ["ArchiveRetrievalCompleted"]
        }),
        "SetVaultAccessPolicy" | "InitiateVaultLock" => json!({ "policy": "{}" }),
        "CompleteVaultLock" => json!({ "lockId": "AE863rKkWZU53SLW5be4DUcW" }),
        _ => json!({}),
    };
    let mut legal = json!({ "op": op, "vault": vault });
    legal.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    legal
}

async fn asked(setting: &Setting, authorization: Option<&str>, intent: &Value) -> Answered {
    let mut request = post("/v1/sign");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    setting.send(request.body(batch(std::slice::from_ref(intent))).unwrap()).await
}

/// The sign of the table for an answer.
fn sign_of(answer: &Answered) -> char {
    let json = answer.json();
    assert_eq!(json["requests"].is_array(), answer.status == 200, "{json}");
    match (answer.status, json["code"].as_str()) {
        (200, None) => '+',
        (_, Some("not_configured")) => '*',
        (403, Some("operation_denied")) => '-',
        (401, Some("token_missing")) => 'm',
        (401, Some("token_invalid")) => 'i',
        (401, Some("token_expired")) => 'e',
        other => panic!("{other:?} is not in the table"),
    }
}

/// Role × operation × own, other or absent vault.
#[tokio::test]
async fn every_cell_of_the_table_holds() {
    let setting = setting();
    let developer = setting.send(post("/v1/dev-token").body("{}").unwrap()).await.json();
    let developer = format!("Bearer {}", developer["token"].as_str().unwrap());
    let expired = bearer(&Claims { iat: NOW - 3600, exp: NOW - LEEWAY_S, ..claims() });
    let forged = format!("{}A", granting(&["upload"]));
    let roles: Vec<(&str, Option<String>)> = vec![
        ("nobody", None),
        ("forged", Some(forged)),
        ("expired", Some(expired)),
        ("nothing", Some(granting(&[]))),
        ("upload", Some(granting(&["upload"]))),
        ("read", Some(granting(&["read"]))),
        ("delete", Some(granting(&["delete"]))),
        ("admin", Some(granting(&["admin"]))),
        ("all", Some(granting(&["upload", "read", "delete", "admin"]))),
        ("developer", Some(developer)),
    ];
    let mut rows = TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let header: Vec<&str> = rows.next().unwrap().split_whitespace().skip(1).collect();
    assert_eq!(header, roles.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let mut listed = Vec::new();
    let mut wrong = Vec::new();
    for row in rows {
        let mut columns = row.split_whitespace();
        let op = columns.next().unwrap();
        listed.push(op);
        let mut found = format!("{op:<27}");
        let mut cells = Vec::new();
        for (_, authorization) in &roles {
            let mut cell = String::new();
            for intent in cell_of(op) {
                cell.push(sign_of(&asked(&setting, authorization.as_deref(), &intent).await));
            }
            found.push_str(&format!(" {cell:<9}"));
            cells.push(cell);
        }
        if columns.collect::<Vec<_>>() != cells {
            wrong.push(found.trim_end().to_owned());
        }
    }
    assert!(wrong.is_empty(), "the gateway answers otherwise than authorization.txt says:\n{}", wrong.join("\n"));
    let mut operations: Vec<&str> = operations().collect();
    operations.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, operations, "the table has every operation once");
}

/// An operation granted by its name is granted alone.
#[tokio::test]
async fn an_operation_granted_by_name_is_granted_alone() {
    let setting = setting();
    for granted in operations() {
        let authorization = granting(&[granted]);
        for op in operations() {
            let sign = sign_of(&asked(&setting, Some(&authorization), &cell_of(op)[0]).await);
            let allowed = if op.starts_with("s3:") { '*' } else { '+' };
            assert_eq!(sign, if op == granted { allowed } else { '-' }, "{op} by a token for {granted}");
        }
    }
}

#[tokio::test]
async fn a_token_that_is_no_good_is_good_for_nothing() {
    let setting = setting();
    let good = bearer(&claims());
    let mut forged = good.clone();
    forged.pop();
    forged.push(if good.ends_with('A') { 'Q' } else { 'A' });
    let mut bodies = std::collections::BTreeSet::new();
    let other_key = TokenKey::from_text("100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").unwrap();
    for (authorization, code) in [
        (String::new(), "token_missing"),
        ("Bearer".into(), "token_missing"),
        ("Bearer ".into(), "token_missing"),
        (good.replace("Bearer", "Basic"), "token_missing"),
        ("Bearer x".into(), "token_invalid"),
        ("Bearer ..".into(), "token_invalid"),
        ("Bearer e30..".into(), "token_invalid"),
        (format!("{good} "), "token_invalid"),
        (forged, "token_invalid"),
        (format!("Bearer {}", other_key.mint(&claims()).unwrap()), "token_invalid"),
        (granting(&["upload", "everything"]), "token_invalid"),
        (bearer(&Claims { iat: NOW + 31, exp: NOW + 60, ..claims() }), "token_invalid"),
        (bearer(&Claims { exp: NOW + 12 * 3600 + 1, ..claims() }), "token_invalid"),
        (bearer(&Claims { iat: NOW - 60, exp: NOW - LEEWAY_S, ..claims() }), "token_expired"),
        (bearer(&Claims { iat: NOW - 86_401, exp: NOW - 86_400, ..claims() }), "token_expired"),
    ] {
        for op in operations() {
            for intent in cell_of(op) {
                let answer = asked(&setting, Some(&authorization), &intent).await;
                assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some(code)), "{authorization} {op}");
                assert_eq!(answer.header("www-authenticate"), "Bearer");
                let mut body = answer.json();
                if code == "token_invalid" {
                    body["requestId"] = Value::Null;
                    bodies.insert(body.to_string());
                }
            }
        }
    }
    assert_eq!(bodies.len(), 1, "the answer tells why a token is invalid: {bodies:?}");
    let late = bearer(&Claims { iat: NOW - 60, exp: NOW - LEEWAY_S + 1, ..claims() });
    assert_eq!(asked(&setting, Some(&late), &intent("ListParts", "photos", 1)).await.status, 200, "leeway");
}

#[tokio::test]
async fn an_archive_is_no_larger_than_the_token_allows() {
    let setting = setting();
    let authorization = bearer(&claims());
    for op in ["InitiateMultipartUpload", "UploadMultipartPart", "CompleteMultipartUpload"] {
        for (len, expected) in
            [(1, (200, None)), (3 << 20, (200, None)), ((3 << 20) + 1, (403, Some("limit_exceeded")))]
        {
            let answer = asked(&setting, Some(&authorization), &intent(op, "photos", len)).await;
            assert_eq!((answer.status, answer.json()["code"].as_str()), expected, "{op} {len}");
        }
    }
}

#[tokio::test]
async fn parts_are_no_larger_and_no_more_than_the_token_allows() {
    let setting = setting();
    let begin = |part_size: u64, size: u64| json!({ "op": "InitiateMultipartUpload", "vault": "photos", "partSize": part_size, "size": size });
    let send = |last: u64| {
        let mut part = intent("UploadMultipartPart", "photos", 1);
        part["range"] = format!("0-{last}").into();
        part
    };
    const MIB: u64 = 1 << 20;
    let claims = Claims { max_archive_bytes: 1 << 40, ..claims() };
    let (larger, more) =
        ("the parts are larger than the token allows", "the upload has more parts than the token allows");
    for (most_bytes, most_parts, intent, refused) in [
        (None, None, begin(4 * MIB, 1 << 30), None),
        (Some(4 * MIB), None, begin(4 * MIB, 1 << 30), None),
        (Some(4 * MIB - 1), None, begin(4 * MIB, 1), Some(larger)),
        (Some(4 * MIB), None, send(4 * MIB - 1), None),
        (Some(4 * MIB - 1), None, send(4 * MIB - 1), Some(larger)),
        (None, Some(3), begin(MIB, 3 * MIB), None),
        (None, Some(3), begin(MIB, 3 * MIB + 1), Some(more)),
        (None, Some(1), begin(MIB, 0), None),
        (None, Some(0), begin(MIB, 0), Some(more)),
        (Some(0), Some(0), intent("ListParts", "photos", 1), None),
    ] {
        let token = bearer(&Claims { max_part_bytes: most_bytes, max_parts: most_parts, ..claims.clone() });
        let answer = asked(&setting, Some(&token), &intent).await;
        let expected = refused.map_or((200, None, None), |why| (403, Some("limit_exceeded"), Some(why)));
        let json = answer.json();
        assert_eq!((answer.status, json["code"].as_str(), json["message"].as_str()), expected, "{intent}");
    }
}

#[tokio::test]
async fn a_vault_can_be_named_by_the_beginning_of_its_name() {
    let setting = setting();
    let prefixes = |prefixes: &[&str]| {
        let vault_prefixes = prefixes.iter().map(|prefix| VaultName::new(*prefix).unwrap()).collect();
        bearer(&Claims { vaults: vec![], vault_prefixes, ops: vec!["ListParts".into()], ..claims() })
    };
    for (given, vault, sign) in [
        (&[][..], "photos", '-'),
        (&["photo"], "photos", '+'),
        (&["photos"], "photos", '+'),
        (&["photos2"], "photos", '-'),
        (&["hotos"], "photos", '-'),
        (&["x", "fi"], "films", '+'),
        (&["Fi"], "films", '-'),
    ] {
        let answer = asked(&setting, Some(&prefixes(given)), &legal("ListParts", vault)).await;
        assert_eq!(sign_of(&answer), sign, "{given:?} {vault}");
    }
}

/// A page of another site could have a browser send them.
#[tokio::test]
async fn cookies_are_no_tokens() {
    let setting = setting();
    let token = key().mint(&claims()).unwrap();
    for name in ["authorization", "token", "session", "__Host-token", "Bearer", "access_token"] {
        let request = post("/v1/sign").header("cookie", format!("{name}={token}; {name}=Bearer {token}"));
        let answer = setting.send(request.body(batch(&[intent("ListParts", "photos", 1)])).unwrap()).await;
        assert_eq!(sign_of(&answer), 'm', "{name}");
        assert_eq!(answer.header("set-cookie"), "");
    }
    for path in ["/v1/sign?access_token=", "/v1/sign?token=", "/v1/sign?authorization=Bearer%20"] {
        let request = post(&format!("{path}{token}"));
        let answer = setting.send(request.body(batch(&[intent("ListParts", "photos", 1)])).unwrap()).await;
        assert_eq!(sign_of(&answer), 'm', "{path}");
    }
}

/// What the page of a shared demo could do at worst: the store is asked, not only the gateway.
#[tokio::test]
async fn a_development_token_cannot_take_away_what_is_stored() {
    let setting = setting_today();
    let developer = setting.send(post("/v1/dev-token").body("{}").unwrap()).await.json();
    let token = developer["token"].as_str().unwrap();
    let archive_id = store_one_byte(&setting, token).await;

    for op in ["DeleteArchive", "DeleteVault", "SetVaultAccessPolicy", "InitiateVaultLock", "SetDataRetrievalPolicy"] {
        let mut intent = legal(op, "photos");
        if op == "DeleteArchive" {
            intent["archiveId"] = archive_id.as_str().into();
        }
        let answer = asked(&setting, Some(&format!("Bearer {token}")), &intent).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("operation_denied")), "{op}");
    }
    let job = json!({
        "op": "InitiateJob", "vault": "photos", "job": { "type": "archive-retrieval", "archiveId": archive_id }
    });
    let answer = perform(&setting, token, &job, &[]).await;
    assert_eq!(answer.status, 202, "the archive is still there: {}", answer.body);
}

async fn store_one_byte(setting: &Setting, token: &str) -> String {
    let hash = glacier_core::hex::encode(&glacier_core::sha256::digest(b"x"));
    let initiated = perform(setting, token, &intent("InitiateMultipartUpload", "photos", 1), &[]).await;
    let upload_id = initiated.header("x-amz-multipart-upload-id").to_owned();
    let mut part = intent("UploadMultipartPart", "photos", 1);
    let mut complete = intent("CompleteMultipartUpload", "photos", 1);
    for intent in [&mut part, &mut complete] {
        intent["uploadId"] = upload_id.as_str().into();
        intent["treeHash"] = hash.as_str().into();
    }
    assert_eq!(part["payloadHash"], HASH);
    part["payloadHash"] = hash.as_str().into();
    assert_eq!(perform(setting, token, &part, b"x").await.status, 204);
    let completed = perform(setting, token, &complete, &[]).await;
    assert_eq!(completed.status, 201, "{}", completed.body);
    completed.header("x-amz-archive-id").to_owned()
}

/// Has the intent signed, and sends the request to the store.
async fn perform(setting: &Setting, token: &str, intent: &Value, body: &[u8]) -> Answered {
    let answer = asked(setting, Some(&format!("Bearer {token}")), intent).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let signed = answer.json()["requests"][0].clone();
    let mut request =
        Request::builder().method(signed["method"].as_str().unwrap()).uri(signed["url"].as_str().unwrap());
    request = request.header("host", HOST);
    for (name, value) in signed["headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    let body = signed["body"].as_str().map_or_else(|| body.to_vec(), |text| text.as_bytes().to_vec());
    setting.send(request.header("content-length", body.len()).body(body).unwrap()).await
}
