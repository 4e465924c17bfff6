//! Requests that are signed and nothing else: whatever they ask, the answer is never our own fault.
//!
//! Each case begins as a request that the store would do, of any of the 33 operations, and is spoiled in a few places:
//! path, query, headers, the JSON of the body as a tree, the bytes of the body. The seed is printed where a case fails;
//! `GLACIER_FUZZ_SEED` sets it, and `GLACIER_FUZZ_CASES` how many cases there are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{MIB, Machine, Request, archive, part, pattern, request};
use crate::mutation::{Random, spoil_bytes, spoil_document, spoil_text};

const DEFAULT_SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const DEFAULT_CASES: u64 = 4_000;
/// Cases before the store is made anew: vaults that are locked, deleted or full make all cases alike.
const CASES_PER_STORE: u64 = 400;

/// A request before it is spoiled.
#[derive(Clone)]
struct Plan {
    operation: &'static str,
    method: &'static str,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Body,
}

#[derive(Clone)]
enum Body {
    Nothing,
    Document(Value),
    /// Of an archive; the hashes are made when it is sent.
    Archive(Vec<u8>),
}

fn plan(operation: &'static str, method: &'static str, path: &str) -> Plan {
    Plan { operation, method, path: path.into(), query: Vec::new(), headers: Vec::new(), body: Body::Nothing }
}

impl Plan {
    fn query(mut self, pairs: &[(&str, &str)]) -> Self {
        self.query = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self
    }

    fn headers(mut self, pairs: &[(&str, &str)]) -> Self {
        self.headers = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self
    }

    fn document(self, document: Value) -> Self {
        Self { body: Body::Document(document), ..self }
    }

    fn archive(self, bytes: Vec<u8>) -> Self {
        Self { body: Body::Archive(bytes), ..self }
    }
}

/// One legal request of each operation.
fn plans(archive_id: &str, uploads: [&str; 2], job: &str, lock_id: &str) -> Vec<Plan> {
    let vault = "/-/vaults/v";
    let at = |rest: &str| format!("{vault}/{rest}");
    // One that is ended by and by, and one for what needs it open.
    let [upload, ended] = &uploads.map(|upload| upload.replace("/123456789012", "/-"));
    let job = &job.replace("/123456789012", "/-");
    let arn = "arn:aws:glacier:us-east-1:123456789012:vaults/v";
    let statement = json!({
        "Sid": "s", "Effect": "Deny", "Principal": {"AWS": "123456789012"}, "Action": ["glacier:DeleteArchive"],
        "Resource": arn, "Condition": {"NumericLessThan": {"glacier:ArchiveAgeInDays": "1"}},
    });
    let policy = json!({"Policy": json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()});
    let topic = "arn:aws:sns:us-east-1:123456789012:jobs";
    let retrieval = json!({
        "Type": "archive-retrieval", "ArchiveId": archive_id, "Description": "d", "SNSTopic": topic,
        "RetrievalByteRange": "0-1048575", "Tier": "Expedited",
    });
    let inventory = json!({
        "Type": "inventory-retrieval", "Format": "CSV", "Description": "d",
        "InventoryRetrievalParameters": {
            "StartDate": "2012-03-20T17:03:43Z", "EndDate": "2100-01-01T00:00:00.5+01:00", "Limit": "2", "Marker": "0_0",
        },
    });
    let page = [("limit", "2"), ("marker", "1")];
    let part_size = MIB.to_string();
    let tree_hash = glacier_core::TreeHash::of(&pattern(MIB)).to_string();
    let claim = [("x-amz-archive-size", &*part_size), ("x-amz-sha256-tree-hash", &tree_hash)];
    vec![
        plan("ListVaults", "GET", "/-/vaults").query(&[("limit", "2"), ("marker", arn)]),
        plan("CreateVault", "PUT", vault),
        plan("DescribeVault", "GET", vault),
        plan("DeleteVault", "DELETE", "/-/vaults/w"),
        plan("UploadArchive", "POST", &at("archives"))
            .headers(&[("x-amz-archive-description", "d")])
            .archive(pattern(9)),
        plan("DeleteArchive", "DELETE", &at(&format!("archives/{archive_id}"))),
        plan("InitiateMultipartUpload", "POST", &at("multipart-uploads"))
            .headers(&[("x-amz-part-size", &part_size), ("x-amz-archive-description", "d")]),
        plan("ListMultipartUploads", "GET", &at("multipart-uploads")).query(&page),
        plan("UploadMultipartPart", "PUT", upload).headers(&[("content-range", "bytes 0-8/*")]).archive(pattern(9)),
        plan("ListParts", "GET", upload).query(&page),
        plan("CompleteMultipartUpload", "POST", ended).headers(&claim),
        plan("AbortMultipartUpload", "DELETE", ended),
        plan("InitiateJob", "POST", &at("jobs")).document(retrieval),
        plan("InitiateJob", "POST", &at("jobs")).document(inventory),
        plan("ListJobs", "GET", &at("jobs")).query(&[
            ("limit", "2"),
            ("marker", "1"),
            ("statuscode", "Succeeded"),
            ("completed", "true"),
        ]),
        plan("DescribeJob", "GET", job),
        plan("GetJobOutput", "GET", &format!("{job}/output")).headers(&[("range", "bytes=0-1048575")]),
        plan("SetVaultNotifications", "PUT", &at("notification-configuration"))
            .document(json!({"SNSTopic": topic, "Events": ["ArchiveRetrievalCompleted"]})),
        plan("GetVaultNotifications", "GET", &at("notification-configuration")),
        plan("DeleteVaultNotifications", "DELETE", &at("notification-configuration")),
        plan("AddTagsToVault", "POST", &at("tags"))
            .query(&[("operation", "add")])
            .document(json!({"Tags": {"a": "b", "c": ""}})),
        plan("RemoveTagsFromVault", "POST", &at("tags"))
            .query(&[("operation", "remove")])
            .document(json!({"TagKeys": ["a", "c"]})),
        plan("ListTagsForVault", "GET", &at("tags")),
        plan("SetVaultAccessPolicy", "PUT", &at("access-policy")).document(policy.clone()),
        plan("GetVaultAccessPolicy", "GET", &at("access-policy")),
        plan("DeleteVaultAccessPolicy", "DELETE", &at("access-policy")),
        plan("InitiateVaultLock", "POST", &at("lock-policy")).document(policy),
        plan("GetVaultLock", "GET", &at("lock-policy")),
        plan("CompleteVaultLock", "POST", &at(&format!("lock-policy/{lock_id}"))),
        plan("AbortVaultLock", "DELETE", &at("lock-policy")),
        plan("SetDataRetrievalPolicy", "PUT", "/-/policies/data-retrieval")
            .document(json!({"Policy": {"Rules": [{"Strategy": "BytesPerHour", "BytesPerHour": 1_u64 << 40}]}})),
        plan("GetDataRetrievalPolicy", "GET", "/-/policies/data-retrieval"),
        plan("ListProvisionedCapacity", "GET", "/-/provisioned-capacity"),
        plan("PurchaseProvisionedCapacity", "POST", "/-/provisioned-capacity"),
    ]
}

/// A store with one of everything, and the requests that would do.
fn furnished() -> (Machine, Vec<Plan>) {
    let machine = Machine::with_vault();
    machine.send(request("PUT", "/-/vaults/w"));
    let archive_id = machine.send(archive(pattern(MIB + 5))).archive_id();
    let (upload, ended) = (machine.initiate(MIB), machine.initiate(MIB));
    assert_eq!(machine.send(part(&ended, 0, pattern(MIB))).status, 204);
    let job = machine.finished_job(&json!({"Type": "archive-retrieval", "ArchiveId": archive_id}));
    let policy = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "glacier:ListJobs",
        "Resource": "arn:aws:glacier:us-east-1:123456789012:vaults/v"}}"#;
    let lock = machine.send(request("POST", "/-/vaults/v/lock-policy").with_json(&json!({"Policy": policy})));
    let plans = plans(&archive_id, [&upload, &ended], &job, lock.header("x-amz-lock-id"));
    (machine, plans)
}

/// Percent-encodes some of what must be, and some of what need not.
fn encode(text: &str, random: &mut Random) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.~:/=".contains(&byte);
        if plain && random.below(40) != 0 {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Spoils a request in up to three places.
fn spoil(mut plan: Plan, random: &mut Random) -> (Request, String) {
    let mut raw_body = None;
    for _ in 0..random.below(4) {
        match random.below(12) {
            0 => plan.path = format!("/{}", spoil_text(&plan.path, random)),
            1 => plan.method = random.one_of(&["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH"]),
            2 => {
                let name = random.one_of(&["limit", "marker", "statuscode", "completed", "operation", "", "x"]);
                plan.query.push((name.into(), spoil_text("1", random)));
            }
            3 | 4 if !plan.query.is_empty() => {
                let at = random.below(plan.query.len());
                plan.query[at].1 = spoil_text(&plan.query[at].1, random);
            }
            5 | 6 if !plan.headers.is_empty() => {
                let at = random.below(plan.headers.len());
                plan.headers[at].1 = spoil_text(&plan.headers[at].1, random);
            }
            7 => {
                let names =
                    ["range", "content-range", "x-amz-part-size", "x-amz-archive-size", "x-amz-archive-description"];
                plan.headers.push((random.one_of(&names).into(), spoil_text("bytes 0-8/*", random)));
            }
            8 => {
                let names = ["content-length", "x-amz-sha256-tree-hash", "x-amz-glacier-version", "x-amz-date"];
                plan.headers.push((random.one_of(&names).into(), spoil_text("9", random)));
            }
            _ => match &mut plan.body {
                Body::Document(document) => {
                    spoil_document(document, random);
                    if random.below(3) == 0 {
                        raw_body = Some(spoil_bytes(document.to_string().into_bytes(), random));
                    }
                }
                Body::Archive(bytes) => bytes.truncate(random.below(10)),
                Body::Nothing => plan.body = Body::Document(json!({"Type": "inventory-retrieval"})),
            },
        }
    }
    let query: Vec<String> =
        plan.query.iter().map(|(name, value)| format!("{}={}", encode(name, random), encode(value, random))).collect();
    // What no HTTP parser lets through has no place here; the sockets are tested elsewhere.
    let path: String =
        plan.path.chars().map(|c| if c.is_ascii_graphic() && !"?#\"<>`{}\\^|".contains(c) { c } else { '%' }).collect();
    let target = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
    let mut shown = format!("{} {target} {:?}", plan.method, plan.headers);
    let mut asked = match plan.body {
        Body::Archive(bytes) => {
            let with_hashes = archive(bytes);
            with_hashes.to(plan.method, &target)
        }
        Body::Document(document) => {
            let bytes = raw_body.unwrap_or_else(|| document.to_string().into_bytes());
            shown = format!("{shown} {}", String::from_utf8_lossy(&bytes[..bytes.len().min(3000)]));
            request(plan.method, &target).with_bytes(bytes)
        }
        Body::Nothing => request(plan.method, &target),
    };
    for (name, value) in plan.headers {
        let value: String = value.chars().filter(|c| !c.is_control()).collect();
        asked = if random.below(20) == 0 { asked.with_another(&name, &value) } else { asked.with(&name, &value) };
    }
    (asked, shown)
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn no_request_is_answered_with_an_internal_error() {
    let (seed, cases) = (number("GLACIER_FUZZ_SEED", DEFAULT_SEED), number("GLACIER_FUZZ_CASES", DEFAULT_CASES));
    let mut random = Random::new(seed);
    let (mut machine, mut plans) = furnished();
    let mut statuses: BTreeMap<u16, u64> = BTreeMap::new();
    let (mut done, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for number in 0..cases {
        if number % CASES_PER_STORE == CASES_PER_STORE - 1 {
            (machine, plans) = furnished();
        }
        let plan = random.one_of(&plans);
        let operation = plan.operation;
        let (asked, shown) = spoil(plan, &mut random);
        let answer = machine.send(asked);
        let place = format!("case {number} of seed {seed}, {operation}: {shown}");
        // 503 is the documented answer where there is no capacity, and this store has no bound on that.
        assert!(answer.status < 500, "{place}: {answer:?}");
        if answer.status >= 400 {
            let (code, message) = answer.refusal();
            assert!(
                !code.is_empty() && !message.is_empty() && answer.json()["type"] == "Client",
                "{place}: {answer:?}"
            );
        }
        *statuses.entry(answer.status).or_default() += 1;
        if answer.status < 300 {
            done.insert(operation)
        } else {
            refused.insert(operation)
        };
        if number % 100 == 99 {
            machine.turn_clock(Duration::from_secs(2));
        }
    }
    println!("seed {seed}, {cases} cases: {statuses:?}");
    if cases >= DEFAULT_CASES {
        let all: BTreeSet<_> = plans.iter().map(|plan| plan.operation).collect();
        assert_eq!(all.len(), 33);
        let undone: Vec<_> = all.difference(&done).collect();
        assert!(undone.is_empty(), "never done in seed {seed}: {undone:?}");
        assert_eq!(all, refused, "seed {seed}");
        for status in [200, 201, 202, 204, 206, 400, 403, 404] {
            assert!(statuses.contains_key(&status), "seed {seed}, the requests are too much alike: {statuses:?}");
        }
    }
}
