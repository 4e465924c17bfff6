//! Requests that are signed and nothing else: whatever they ask, the answer is never our own fault.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Machine, archive, pattern, request};

/// xorshift64*: the same requests in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % count as u64).unwrap()
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// What is legal somewhere, and what is legal nowhere.
fn values(random: &mut Random, archive_id: &str) -> Value {
    let any = [
        json!(null),
        json!(""),
        json!(0),
        json!(-1),
        json!(1.5e300),
        json!(u64::MAX),
        json!("18446744073709551616"),
        json!([]),
        json!([null, [], {}]),
        json!({}),
        json!(true),
        json!("\u{0}\u{202e}\u{10ffff}"),
        json!("x".repeat(3000)),
        json!(archive_id),
        json!("archive-retrieval"),
        json!("inventory-retrieval"),
        json!("0-0"),
        json!("0-1048575"),
        json!("18446744073709551615-18446744073709551615"),
        json!("JSON"),
        json!("Standard"),
        json!("9999-12-31T23:59:59.999-23:59"),
        json!("0000-01-01T00:00:00+23:59"),
        json!("9223372036854775807_9223372036854775807"),
        json!("arn:aws:sns:us-east-1:123456789012:jobs"),
        json!(["ArchiveRetrievalCompleted"]),
        json!({"Limit": "1", "Marker": "0_0", "StartDate": "0000-01-01T00:00:00+23:59"}),
        json!({"Rules": [{"Strategy": "BytesPerHour", "BytesPerHour": u64::MAX}]}),
        json!({"Rules": [7]}),
        json!(r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}"#),
        json!(r#"{"Statement": [[]]}"#),
    ];
    random.one_of(&any)
}

fn body(random: &mut Random, archive_id: &str) -> Vec<u8> {
    const NAMES: [&str; 18] = [
        "Type",
        "ArchiveId",
        "Description",
        "SNSTopic",
        "RetrievalByteRange",
        "Tier",
        "Format",
        "StartDate",
        "EndDate",
        "InventoryRetrievalParameters",
        "SelectParameters",
        "Events",
        "Tags",
        "TagKeys",
        "Policy",
        "Rules",
        "Limit",
        "x",
    ];
    let mut document = json!({});
    for _ in 0..random.below(6) {
        let name = random.one_of(&NAMES);
        document[name] = values(random, archive_id);
    }
    if random.below(2) == 0 {
        document["Type"] = json!(random.one_of(&["archive-retrieval", "inventory-retrieval"]));
    }
    let mut bytes = document.to_string().into_bytes();
    match random.below(8) {
        0 => bytes.truncate(random.below(bytes.len())),
        1 => {
            let at = random.below(bytes.len());
            bytes[at] = u8::try_from(random.below(256)).unwrap();
        }
        _ => {}
    }
    bytes
}

#[test]
fn no_request_is_answered_with_an_internal_error() {
    let machine = Machine::with_vault();
    let archive_id = machine.send(archive(pattern(5))).archive_id();
    let job = machine.finished_job(&json!({"Type": "archive-retrieval", "ArchiveId": archive_id}));
    let job = job.replace("/123456789012/vaults/v/", "");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut statuses = std::collections::BTreeMap::new();
    for number in 0..4000 {
        let method = random.one_of(&["GET", "PUT", "POST", "DELETE"]);
        let rest = random.one_of(&[
            "",
            "/jobs",
            "/jobs",
            "/jobs",
            "/jobs/j",
            "/JOB",
            "/JOB/output",
            "/tags",
            "/tags",
            "/access-policy",
            "/lock-policy",
            "/lock-policy/l",
            "/notification-configuration",
            "/archives/a",
            "/multipart-uploads",
        ]);
        let target = match random.below(8) {
            0 => random.one_of(&["/-/policies/data-retrieval", "/-/provisioned-capacity", "/-/vaults"]).to_owned(),
            _ => format!(
                "/-/vaults/{}{}",
                random.one_of(&["v", "v", "v", "w"]),
                rest.replace("/JOB", &format!("/{job}"))
            ),
        };
        let query = random.one_of(&[
            "",
            "",
            "",
            "?operation=add",
            "?operation=remove",
            "?limit=18446744073709551616",
            "?limit=-1",
            "?marker=%00%ff",
            "?marker=9223372036854775807",
            "?marker=18446744073709551615",
            "?completed=true&statuscode=Failed",
            "?&&=&a",
        ]);
        let range =
            random.one_of(&["", "bytes=0-", "bytes=-18446744073709551615", "bytes=4-18446744073709551614", "bytes=Í"]);
        let mut asked = request(method, &format!("{target}{query}")).with_bytes(body(&mut random, &archive_id));
        if !range.is_empty() {
            asked = asked.with("range", range);
        }
        let answer = machine.send(asked);
        assert!(answer.status < 500, "request {number}: {method} {target}{query} {range}: {answer:?}");
        *statuses.entry(answer.status).or_insert(0) += 1;
        if number % 500 == 499 {
            machine.turn_clock(Duration::from_secs(2));
        }
    }
    for status in [200, 201, 202, 204, 206, 400, 404] {
        assert!(statuses.contains_key(&status), "the requests are too much alike: {statuses:?}");
    }
}
