//! Tags, notifications, the data retrieval policy, and capacity.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::client::{MIB, Machine, Request, archive, delete, get, pattern, post, put};
use crate::refusals::check;

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:jobs";

fn add(tags: &Value) -> Request {
    post("/-/vaults/v/tags?operation=add").with_json(&json!({"Tags": tags}))
}

fn remove(keys: &Value) -> Request {
    post("/-/vaults/v/tags?operation=remove").with_json(&json!({"TagKeys": keys}))
}

/// As many tags, numbered.
fn numbered(numbers: std::ops::Range<u32>) -> Value {
    Value::Object(numbers.map(|number| (format!("key {number}"), json!("value"))).collect::<Map<_, _>>())
}

#[test]
fn tags_are_added_replaced_listed_and_removed() {
    let machine = Machine::with_vault();
    let tags = || machine.send(get("/-/vaults/v/tags")).json();
    assert_eq!(tags(), json!({"Tags": {}}));
    assert_eq!(machine.send(add(&json!({"Größe": "7 @home", "b": "", "c": null}))).status, 204);
    assert_eq!(machine.send(add(&json!({"b": "new"}))).status, 204);
    assert_eq!(tags(), json!({"Tags": {"Größe": "7 @home", "b": "new", "c": ""}}));
    for _ in 0..2 {
        assert_eq!(machine.send(remove(&json!(["b", "never was"]))).status, 204);
    }
    assert_eq!(tags(), json!({"Tags": {"Größe": "7 @home", "c": ""}}));
    machine.send(delete("/-/vaults/v"));
    machine.send(put("/-/vaults/v"));
    assert_eq!(tags(), json!({"Tags": {}}), "tags go with their vault");
}

#[test]
fn a_vault_has_fifty_tags_and_a_request_ten() {
    let machine = Machine::with_vault();
    for tens in 0..5 {
        assert_eq!(machine.send(add(&numbered(tens * 10..tens * 10 + 10))).status, 204);
    }
    let text = "A vault has at most 50 tags";
    check(&machine, add(&numbered(49..52)), 400, "LimitExceededException", text);
    assert_eq!(machine.send(add(&numbered(40..50))).status, 204, "what is there may be replaced");
}

#[test]
fn notifications_are_set_shown_and_deleted() {
    let machine = Machine::with_vault();
    let target = "/-/vaults/v/notification-configuration";
    let text = "No notification configuration is set for vault: arn:aws:glacier:us-east-1:123456789012:vaults/v";
    check(&machine, get(target), 404, "ResourceNotFoundException", text);
    let configuration =
        json!({"SNSTopic": TOPIC, "Events": ["ArchiveRetrievalCompleted", "InventoryRetrievalCompleted"]});
    assert_eq!(machine.send(put(target).with_json(&configuration)).status, 204);
    assert_eq!(machine.send(get(target)).json(), configuration);

    for _ in 0..2 {
        assert_eq!(machine.send(delete(target)).status, 204);
    }
    assert_eq!(machine.send(get(target)).status, 404);
}

fn policy(rule: &Value) -> Request {
    put("/-/policies/data-retrieval").with_json(&json!({"Policy": {"Rules": [rule]}}))
}

#[test]
fn the_data_retrieval_policy_limits_standard_retrievals() {
    let machine = Machine::with_vault();
    let id = machine.send(archive(pattern(3 * MIB))).archive_id();
    let shown = || machine.send(get("/-/policies/data-retrieval")).json();
    let rules =
        |bytes: Value, strategy: &str| json!({"Policy": {"Rules": [{"BytesPerHour": bytes, "Strategy": strategy}]}});
    assert_eq!(shown(), rules(json!(null), "None"));
    assert_eq!(machine.send(policy(&json!({"Strategy": "FreeTier", "BytesPerHour": null}))).status, 204);
    assert_eq!(shown(), rules(json!(null), "FreeTier"));
    assert_eq!(machine.send(policy(&json!({"Strategy": "BytesPerHour", "BytesPerHour": 4 * MIB}))).status, 204);
    assert_eq!(shown(), rules(json!(4 * MIB), "BytesPerHour"));

    let retrieve = |changes: Value| {
        let mut parameters = json!({"Type": "archive-retrieval", "ArchiveId": id});
        for (name, value) in changes.as_object().unwrap() {
            parameters[name] = value.clone();
        }
        post("/-/vaults/v/jobs").with_json(&parameters)
    };
    assert_eq!(machine.send(retrieve(json!({}))).status, 202);
    let text = "InitiateJob request denied by current data retrieval policy.";
    check(&machine, retrieve(json!({})), 400, "PolicyEnforcedException", text);
    for allowed in [
        json!({"Tier": "Bulk"}),
        json!({"Tier": "Expedited"}),
        json!({"RetrievalByteRange": "0-1048575"}), // the fourth MiB of the hour
    ] {
        assert_eq!(machine.send(retrieve(allowed)).status, 202);
    }
    check(&machine, retrieve(json!({"RetrievalByteRange": "0-1048575"})), 400, "PolicyEnforcedException", text);
    let inventory = json!({"Type": "inventory-retrieval"});
    assert_eq!(machine.send(post("/-/vaults/v/jobs").with_json(&inventory)).status, 202);
    machine.turn_clock(Duration::from_hours(1));
    assert_eq!(machine.send(retrieve(json!({}))).status, 202);
}

#[test]
fn an_account_has_two_units_of_capacity_for_a_month() {
    let machine = Machine::new();
    let listed = || machine.send(get("/-/provisioned-capacity")).json()["ProvisionedCapacityList"].clone();
    assert_eq!(listed(), json!([]));
    let bought = machine.send(post("/-/provisioned-capacity"));
    let id = bought.header("x-amz-capacity-id");
    assert_eq!((bought.status, id.len()), (201, 24));
    assert_eq!(
        listed(),
        json!([{
            "CapacityId": id, "StartDate": "2026-01-01T12:00:00.000Z", "ExpirationDate": "2026-02-01T12:00:00.000Z",
        }])
    );
    assert_eq!(machine.send(post("/-/provisioned-capacity")).status, 201);
    let refused = machine.send(post("/-/provisioned-capacity"));
    assert_eq!((refused.status, &*refused.refusal().0), (400, "LimitExceededException"));
    machine.turn_clock(Duration::from_hours(31 * 24));
    assert_eq!(listed(), json!([]));
    assert_eq!(machine.send(post("/-/provisioned-capacity")).status, 201);
}
