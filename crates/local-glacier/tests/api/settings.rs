//! Tags, notifications, the data retrieval policy, and capacity.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::client::{MIB, Machine, Request, archive, delete, get, pattern, post, put};
use crate::refusals::{check, check_value};

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
    let text = "A request has 1 to 10 tags";
    check_value(&machine, add(&numbered(0..11)), text);
    check_value(&machine, add(&json!({})), text);
    check_value(&machine, remove(&json!([])), text);
    check_value(&machine, remove(&json!(vec!["k"; 11])), text);
}

#[test]
fn bad_tags_are_refused() {
    let machine = Machine::with_vault();
    let long = "k".repeat(129);
    for bad in ["", "a:b", "a*", &long] {
        let shown: String = if bad.len() > 128 { format!("{}…", &bad[..128]) } else { bad.into() };
        let text = format!("Invalid tag key: {shown}. It is 1 to 128 letters, digits, spaces and any of _./=+-@");
        check_value(&machine, add(&json!({bad: "x"})), &text);
        check_value(&machine, remove(&json!([bad])), &text);
    }
    check_value(&machine, add(&json!({"aws:x": "y"})), "Invalid tag key: aws:x. The prefix aws: is reserved.");
    let text = "Invalid tag value: a&b. It is at most 255 letters, digits, spaces and any of _./=+-@";
    check_value(&machine, add(&json!({"a": "a&b"})), text);
    assert_eq!(machine.send(add(&json!({"a": "v".repeat(256)}))).status, 400);
    let serialization = "SerializationException";
    check(&machine, add(&json!({"a": 1})), 400, serialization, "The value of a tag must be a string");
    check(&machine, add(&json!(["a"])), 400, serialization, "Tags must be an object");
    check(&machine, remove(&json!("a")), 400, serialization, "TagKeys must be a list");
    check(&machine, remove(&json!([1])), 400, serialization, "TagKeys must be a list of strings");
    for (operation, field) in [("add", "Tags"), ("remove", "TagKeys")] {
        let request = post(&format!("/-/vaults/v/tags?operation={operation}")).with_text("{}");
        let text = format!("Required parameter missing: {field}");
        check(&machine, request, 400, "MissingParameterValueException", &text);
    }
    let text = "Required parameter missing: operation";
    check(&machine, post("/-/vaults/v/tags").with_text("{}"), 400, "MissingParameterValueException", text);
    check_value(&machine, post("/-/vaults/v/tags?operation=set"), "Invalid operation: set. It is add or remove.");
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

    let missing = "MissingParameterValueException";
    for (body, code, text) in [
        (json!({"Events": ["ArchiveRetrievalCompleted"]}), missing, "Required parameter missing: SNSTopic"),
        (json!({"SNSTopic": TOPIC}), missing, "Required parameter missing: Events"),
        (json!({"SNSTopic": TOPIC, "Events": []}), missing, "Required parameter missing: Events"),
        (json!({"SNSTopic": TOPIC, "Events": "x"}), "SerializationException", "Events must be a list"),
        (
            json!({"SNSTopic": TOPIC, "Events": ["Done"]}),
            "InvalidParameterValueException",
            "Invalid Events: Done. An event is ArchiveRetrievalCompleted or InventoryRetrievalCompleted.",
        ),
        (
            json!({"SNSTopic": "arn", "Events": ["ArchiveRetrievalCompleted"]}),
            "InvalidParameterValueException",
            "Invalid SNSTopic: arn. A topic is named arn:aws:sns:REGION:ACCOUNT:NAME.",
        ),
    ] {
        check(&machine, put(target).with_json(&body), 400, code, text);
    }
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
fn bad_data_retrieval_policies_are_refused() {
    let machine = Machine::with_vault();
    let range = "It is a whole number from 1 to 9223372036854775807.";
    for (rule, text) in [
        (json!({"Strategy": "All"}), "Invalid Strategy: All. A strategy is BytesPerHour, FreeTier or None.".into()),
        (
            json!({"Strategy": "None", "BytesPerHour": 5}),
            "BytesPerHour is not a parameter of the strategy None".to_owned(),
        ),
        (json!({"Strategy": "BytesPerHour", "BytesPerHour": 0}), format!("Invalid BytesPerHour: 0. {range}")),
        (json!({"Strategy": "BytesPerHour", "BytesPerHour": -1}), format!("Invalid BytesPerHour: -1. {range}")),
        (json!({"Strategy": "BytesPerHour", "BytesPerHour": 1.5}), format!("Invalid BytesPerHour: 1.5. {range}")),
        (
            json!({"Strategy": "BytesPerHour", "BytesPerHour": 1_u64 << 63}),
            format!("Invalid BytesPerHour: 9223372036854775808. {range}"),
        ),
    ] {
        check_value(&machine, policy(&rule), &text);
    }
    let missing = "MissingParameterValueException";
    for (body, text) in [
        (json!({}), "Required parameter missing: Policy"),
        (json!({"Policy": {}}), "Required parameter missing: Rules"),
        (json!({"Policy": {"Rules": [{}]}}), "Required parameter missing: Strategy"),
        (json!({"Policy": {"Rules": [{"Strategy": "BytesPerHour"}]}}), "Required parameter missing: BytesPerHour"),
    ] {
        check(&machine, put("/-/policies/data-retrieval").with_json(&body), 400, missing, text);
    }
    let none = json!({"Strategy": "None"});
    for rules in [json!([]), json!([none, none])] {
        let request = put("/-/policies/data-retrieval").with_json(&json!({"Policy": {"Rules": rules}}));
        check_value(&machine, request, "Invalid Policy: it has exactly one rule");
    }
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
