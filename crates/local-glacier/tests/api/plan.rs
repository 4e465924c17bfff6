//! One legal request of each operation, from `values/operations.json`, and a store that does all of them.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{MIB, Machine, Request, archive, complete, delete, part, pattern, post, put, request};

/// A request in its parts, so that one of them can be made wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    pub(crate) operation: String,
    /// Tells requests of one operation apart.
    #[serde(default)]
    pub(crate) variant: String,
    /// Whether the store does it only once: it uses up what it needs.
    #[serde(default)]
    pub(crate) spends: bool,
    /// The operation after which the store does it again.
    #[serde(default)]
    pub(crate) undo: Option<String>,
    pub(crate) method: String,
    pub(crate) path: String,
    /// Not yet percent-encoded.
    #[serde(default)]
    pub(crate) query: Vec<(String, String)>,
    #[serde(default)]
    pub(crate) headers: Vec<(String, String)>,
    /// JSON. `{"$text": …}` stands for the text of a document.
    #[serde(default)]
    pub(crate) body: Option<Value>,
    /// Length of the archive or part that is sent; its hashes and `Content-Length` are made when it is.
    #[serde(default)]
    pub(crate) archive: Option<usize>,
}

/// A store with one of everything.
///
/// The vault `v` has archives, uploads and jobs; `w` has settings and a lock in progress; `empty` is empty; `locked` has
/// a lock that is final.
pub(crate) struct Furnished {
    pub(crate) machine: Machine,
    /// What words of the tables stand for.
    names: Vec<(&'static str, String)>,
}

impl Furnished {
    pub(crate) fn new() -> Self {
        let machine = Machine::with_vault();
        for vault in ["w", "empty", "locked"] {
            assert_eq!(machine.send(put(&format!("/-/vaults/{vault}"))).status, 201);
        }
        let id = |path: String| path.rsplit('/').next().unwrap().to_owned();

        let kept = machine.send(archive(pattern(2 * MIB + 5))).archive_id();
        let doomed = machine.send(archive(pattern(1))).archive_id();
        let gone = machine.send(archive(pattern(2))).archive_id();

        let [open, whole, gap, aborted, done] = [(); 5].map(|()| machine.initiate(MIB));
        let send_part = |upload: &str, first: usize, len: usize| {
            let bytes = pattern(first + len).split_off(first);
            assert_eq!(machine.send(part(upload, first, bytes)).status, 204);
        };
        send_part(&whole, 0, MIB);
        send_part(&whole, MIB, 1);
        send_part(&gap, 0, 100);
        send_part(&gap, MIB, 1);
        send_part(&done, 0, 7);
        machine.send(complete(&done, &pattern(7))).archive_id();

        let retrieval = |archive: &str| json!({"Type": "archive-retrieval", "ArchiveId": archive});
        let failed = machine.job(&retrieval(&gone));
        machine.send(delete(&format!("/-/vaults/v/archives/{gone}")));
        let finished = machine.job(&retrieval(&kept));
        let inventory = machine.finished_job(&json!({"Type": "inventory-retrieval"}));
        let young = machine.job(&retrieval(&kept));

        let policy = json!({"Statement": {
            "Effect": "Allow", "Principal": "*", "Action": "glacier:ListJobs",
            "Resource": "arn:aws:glacier:us-east-1:123456789012:vaults/*",
        }});
        let policy = json!({"Policy": policy.to_string()});
        let topic = json!({
            "SNSTopic": "arn:aws:sns:us-east-1:123456789012:jobs", "Events": ["ArchiveRetrievalCompleted"],
        });
        for (setting, body) in [("access-policy", &policy), ("notification-configuration", &topic)] {
            let set = put(&format!("/-/vaults/w/{setting}")).with_json(body);
            assert_eq!(machine.send(set).status, 204);
        }
        let [lock, last_lock] = ["w", "locked"].map(|vault| {
            let begun = machine.send(post(&format!("/-/vaults/{vault}/lock-policy")).with_json(&policy));
            begun.header("x-amz-lock-id").to_owned()
        });
        let locking = post(&format!("/-/vaults/locked/lock-policy/{last_lock}"));
        assert_eq!(machine.send(locking).status, 204);

        // A word comes after those that it is the end of.
        let names = vec![
            ("DOOMED_ARCHIVE_ID", doomed),
            ("ARCHIVE_ID", kept),
            ("DOOMED_UPLOAD_ID", id(aborted)),
            ("COMPLETED_UPLOAD_ID", id(done)),
            ("UPLOAD_ID", id(open)),
            ("WHOLE_ID", id(whole)),
            ("GAP_ID", id(gap)),
            ("FAILED_JOB_ID", id(failed)),
            ("YOUNG_JOB_ID", id(young)),
            ("INVENTORY_JOB_ID", id(inventory)),
            ("JOB_ID", id(finished)),
            ("LOCK_ID", lock),
        ];
        Self { machine, names }
    }

    /// A table with the IDs of this store in the place of the words for them.
    pub(crate) fn fill(&self, table: &str) -> String {
        self.names.iter().fold(table.to_owned(), |table, (word, id)| table.replace(word, id))
    }

    /// One legal request of each operation. Done one after the other, all of them succeed.
    pub(crate) fn plans(&self) -> Vec<Plan> {
        let mut plans: Vec<Plan> = serde_json::from_str(&self.fill(include_str!("../values/operations.json"))).unwrap();
        for document in plans.iter_mut().filter_map(|plan| plan.body.as_mut()) {
            if let Some(inner) = document.pointer("/Policy/$text") {
                document["Policy"] = json!(inner.to_string());
            }
        }
        plans
    }
}

impl Plan {
    /// Operation and variant.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.operation, self.variant).trim_end().to_owned()
    }

    /// Path and query, the latter percent-encoded.
    pub(crate) fn target(&self) -> String {
        let query: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        if query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, query.join("&")) }
    }

    pub(crate) fn request(&self) -> Request {
        let target = self.target();
        let mut asked = match (&self.body, self.archive) {
            (_, Some(len)) => archive(pattern(len)).to(&self.method, &target),
            (Some(document), None) => request(&self.method, &target).with_json(document),
            (None, None) => request(&self.method, &target),
        };
        for (name, value) in &self.headers {
            asked = asked.with(name, value);
        }
        asked
    }

    /// The same of a vault, account or thing of another name.
    pub(crate) fn with_segment(mut self, nth: usize, text: &str) -> Self {
        let mut segments: Vec<&str> = self.path.split('/').collect();
        segments[nth] = text;
        self.path = segments.join("/");
        self
    }
}

fn encode(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[test]
fn every_legal_request_is_done() {
    let furnished = Furnished::new();
    let mut plans = furnished.plans();
    for plan in &plans {
        let answer = furnished.machine.send(plan.request());
        assert!((200..300).contains(&answer.status), "{}: {answer:?}", plan.name());
        furnished.machine.turn_clock(Duration::ZERO);
    }
    plans.dedup_by(|a, b| a.operation == b.operation);
    assert_eq!(plans.len(), 33);
}
