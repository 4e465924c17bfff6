//! Every operation, and what the store sees of it.

use std::collections::BTreeSet;

use glacier_core::TreeHash;
use glacier_core::intent::OPERATIONS;
use serde_json::{Value, json};

use crate::aws::{ACCOUNT, Aws, End, KEY_ID};
use crate::gateway::{Answer, Gateway, VAULT};

const MIB: usize = 1 << 20;

/// Carries out intents of the vault `demo`, and notes which operations were seen.
struct Client<'a> {
    gateway: &'a Gateway,
    done: BTreeSet<String>,
}

impl Client<'_> {
    fn carry_out(&mut self, op: &str, fields: Value, body: &[u8], status: u16) -> Answer {
        let mut intent = json!({ "op": op, "vault": VAULT });
        intent.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        if fields.get("vault") == Some(&Value::Null) {
            intent.as_object_mut().unwrap().remove("vault");
        }
        let answer = self.gateway.carry_out(&intent, body);
        assert_eq!(answer.status, status, "{op}: {answer:?}");
        self.done.insert(op.to_owned());
        answer
    }
}

#[test]
fn every_operation_reaches_the_store() {
    let aws = Aws::start(&[]);
    let gateway = Gateway::before(&aws);
    let mut client = Client { gateway: &gateway, done: BTreeSet::new() };
    let of_account = json!({ "vault": null });

    client.carry_out("CreateVault", json!({}), b"", 201);
    assert_eq!(client.carry_out("DescribeVault", json!({}), b"", 200).json()["VaultName"], VAULT);
    let vaults = client.carry_out("ListVaults", of_account.clone(), b"", 200).json();
    assert_eq!(vaults["VaultList"].as_array().unwrap().len(), 1);

    // An upload of two parts and one of nothing.
    let bytes: Vec<u8> = (0..2 * MIB - 5).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let description = json!({ "partSize": MIB, "size": bytes.len(), "description": "Iceland  2026" });
    let answer = client.carry_out("InitiateMultipartUpload", description, b"", 201);
    let upload_id = answer.header("x-amz-multipart-upload-id").unwrap().to_owned();
    for (start, part) in [(0, &bytes[..MIB]), (MIB, &bytes[MIB..])] {
        let part_fields = json!({
            "uploadId": upload_id, "range": format!("{start}-{}", start + part.len() - 1),
            "payloadHash": glacier_core::PayloadHash::of(part).to_string(), "treeHash": TreeHash::of(part).to_string(),
        });
        let answer = client.carry_out("UploadMultipartPart", part_fields, part, 204);
        assert_eq!(answer.header("x-amz-sha256-tree-hash"), Some(TreeHash::of(part).to_string().as_str()));
    }
    let parts = client.carry_out("ListParts", json!({ "uploadId": upload_id }), b"", 200).json();
    assert_eq!(parts["Parts"].as_array().unwrap().len(), 2);
    assert_eq!(
        client.carry_out("ListMultipartUploads", json!({}), b"", 200).json()["UploadsList"][0]["MultipartUploadId"],
        *upload_id
    );
    let whole = json!({ "uploadId": upload_id, "size": bytes.len(), "treeHash": TreeHash::of(&bytes).to_string() });
    let answer = client.carry_out("CompleteMultipartUpload", whole, b"", 201);
    let archive_id = answer.header("x-amz-archive-id").unwrap().to_owned();
    let answer = client.carry_out("InitiateMultipartUpload", json!({ "partSize": MIB, "size": 1 }), b"", 201);
    let upload_id = answer.header("x-amz-multipart-upload-id").unwrap().to_owned();
    client.carry_out("AbortMultipartUpload", json!({ "uploadId": upload_id }), b"", 204);

    // Back again, a range of it.
    let job = json!({ "job": { "type": "archive-retrieval", "archiveId": archive_id, "tier": "Expedited" } });
    let answer = client.carry_out("InitiateJob", job, b"", 202);
    let job_id = answer.header("x-amz-job-id").unwrap().to_owned();
    let completed = |client: &mut Client| {
        client.carry_out("DescribeJob", json!({ "jobId": job_id }), b"", 200).json()["Completed"] == true
    };
    crate::aws::until(|| completed(&mut client).then_some(()));
    assert_eq!(
        client.carry_out("ListJobs", json!({ "completed": true }), b"", 200).json()["JobList"][0]["JobId"],
        *job_id
    );
    let output = client.carry_out("GetJobOutput", json!({ "jobId": job_id, "range": "0-1048575" }), b"", 206);
    assert_eq!(output.header("content-range"), Some("bytes 0-1048575/2097147"));
    assert_eq!(output.header("x-amz-archive-description"), Some("Iceland  2026"));
    assert_eq!(output.header("x-amz-sha256-tree-hash"), Some(TreeHash::of(&bytes[..MIB]).to_string().as_str()));
    assert!(output.body == bytes[..MIB]);
    let output = client.carry_out("GetJobOutput", json!({ "jobId": job_id }), b"", 200);
    assert!(output.body == bytes);
    client.carry_out("DeleteArchive", json!({ "archiveId": archive_id }), b"", 204);

    // What vaults and the account are set to.
    client.carry_out("AddTagsToVault", json!({ "tags": { "owner": "Anna", "trip": "Ísland" } }), b"", 204);
    assert_eq!(client.carry_out("ListTagsForVault", json!({}), b"", 200).json()["Tags"]["trip"], "Ísland");
    client.carry_out("RemoveTagsFromVault", json!({ "tagKeys": ["owner"] }), b"", 204);
    let topic = format!("arn:aws:sns:us-east-1:{ACCOUNT}:done");
    let notifications = json!({ "snsTopic": topic, "events": ["ArchiveRetrievalCompleted"] });
    client.carry_out("SetVaultNotifications", notifications, b"", 204);
    assert_eq!(client.carry_out("GetVaultNotifications", json!({}), b"", 200).json()["SNSTopic"], *topic);
    client.carry_out("DeleteVaultNotifications", json!({}), b"", 204);
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "deny", "Effect": "Deny", "Principal": "*", "Action": "glacier:DeleteArchive",
        "Resource": format!("arn:aws:glacier:us-east-1:{ACCOUNT}:vaults/{VAULT}"),
    }] })
    .to_string();
    client.carry_out("SetVaultAccessPolicy", json!({ "policy": policy }), b"", 204);
    client.carry_out("GetVaultAccessPolicy", json!({}), b"", 200);
    client.carry_out("DeleteVaultAccessPolicy", json!({}), b"", 204);
    client.carry_out("InitiateVaultLock", json!({ "policy": policy }), b"", 201);
    client.carry_out("GetVaultLock", json!({}), b"", 200);
    client.carry_out("AbortVaultLock", json!({}), b"", 204);
    let answer = client.carry_out("InitiateVaultLock", json!({ "policy": policy }), b"", 201);
    let lock_id = answer.header("x-amz-lock-id").unwrap().to_owned();
    client.carry_out("CompleteVaultLock", json!({ "lockId": lock_id }), b"", 204);
    let rule = json!({ "vault": null, "strategy": "BytesPerHour", "bytesPerHour": 1_u64 << 30 });
    client.carry_out("SetDataRetrievalPolicy", rule, b"", 204);
    client.carry_out("GetDataRetrievalPolicy", of_account.clone(), b"", 200);
    let answer = client.carry_out("PurchaseProvisionedCapacity", of_account.clone(), b"", 201);
    assert!(answer.header("x-amz-capacity-id").is_some());
    client.carry_out("ListProvisionedCapacity", of_account, b"", 200);
    client.carry_out("DeleteVault", json!({}), b"", 204);

    let of_vaults: BTreeSet<String> =
        OPERATIONS.iter().filter(|op| !op.contains(':')).map(|op| (*op).to_owned()).collect();
    assert_eq!(client.done, of_vaults);
    for seen in aws.seen() {
        let host = format!("localhost:{}", aws.address.port());
        assert_eq!(seen.header("host"), Some(host.as_str()));
        assert!(seen.head.uri.path().starts_with(&format!("/{ACCOUNT}/")), "{}", seen.head.uri);
        assert!(seen.header("authorization").unwrap().contains(&format!("Credential={KEY_ID}/")));
        assert_eq!(seen.end(), End::Whole);
    }
    gateway.stop();
}

#[test]
fn the_store_s_refusals_reach_the_page_as_they_are() {
    use crate::aws::Fault;
    let aws = Aws::start(&[VAULT]);
    let gateway = Gateway::before(&aws);
    let describe = json!({ "op": "DescribeVault", "vault": VAULT });
    for (status, code) in [
        (400, "NoLongerSupportedException"),
        (400, "ThrottlingException"),
        (500, "ServiceUnavailableException"),
        (503, "InsufficientCapacityException"),
        (408, "RequestTimeoutException"),
        (403, "AccessDeniedException"),
    ] {
        aws.fault(Fault::Answers(status, code));
        let answer = gateway.carry_out(&describe, b"");
        assert_eq!(answer.refusal(), (status, code.to_owned()));
    }
    aws.fault(None);
    let missing = json!({ "op": "ListParts", "vault": VAULT, "uploadId": "nosuchupload" });
    assert_eq!(gateway.carry_out(&missing, b"").refusal(), (404, "ResourceNotFoundException".to_owned()));
    // A gateway's request is signed at the gateway's time: the store's clock decides whether that is good.
    aws.ahead(3600);
    let answer = gateway.carry_out(&describe, b"");
    assert_eq!(answer.refusal(), (403, "InvalidSignatureException".to_owned()));
    assert!(answer.json()["message"].as_str().unwrap().contains("Signature expired"));
}
