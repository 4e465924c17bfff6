//! Requests as core makes them of intents, and answers as core reads them: what the browser does through the gateway.

use std::time::Duration;

use glacier_core::Intent;
use glacier_core::glacier::get_vault_lock::{LockState, VaultLock};
use glacier_core::glacier::get_vault_notifications::VaultNotifications;
use glacier_core::glacier::list_provisioned_capacity::ProvisionedCapacity;
use glacier_core::glacier::{self, AnswerError, LockId, Response, RetrievalRule};
use glacier_core::json::Json;
use serde_json::{Value, json};

use crate::client::{Machine, request};

const NOON_MS: u64 = 1_767_268_800_000; // 2026-01-01T12:00:00Z
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

fn to_core(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(value),
        Value::Number(number) => number.as_u64().map_or(Json::Null, Json::Number),
        Value::String(text) => Json::Text(text),
        Value::Array(items) => Json::List(items.into_iter().map(to_core).collect()),
        Value::Object(members) => Json::Object(members.into_iter().map(|(key, value)| (key, to_core(value))).collect()),
    }
}

/// Sends what an intent in the gateway's JSON stands for; gives the answer as the browser has it.
fn ask(machine: &Machine, intent: Value) -> Response {
    let made = serde_json::from_value::<Intent>(intent).unwrap().glacier_request("-").unwrap();
    let query: Vec<String> = made.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let target = if query.is_empty() { made.path } else { format!("{}?{}", made.path, query.join("&")) };
    let mut sent = request(made.method.as_str(), &target);
    for (name, value) in &made.headers {
        sent = sent.with(name, value);
    }
    let answer = machine.send(sent.with_text(made.body.as_deref().unwrap_or("")));
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.as_str().to_owned(), value.to_str().unwrap().to_owned())
    };
    Response {
        status: answer.status,
        headers: answer.headers.iter().map(header).collect(),
        body: serde_json::from_str(&answer.text).ok().map(to_core),
    }
}

/// `op` in the vault `vault` with these further fields.
fn ask_of(machine: &Machine, vault: &str, op: &str, fields: &Value) -> Response {
    let mut intent = json!({"op": op, "vault": vault});
    for (name, value) in fields.as_object().unwrap() {
        intent[name] = value.clone();
    }
    ask(machine, intent)
}

fn policy() -> String {
    let statement = json!({
        "Sid": "keep \"it\"", "Principal": "*", "Effect": "Deny", "Action": "glacier:DeleteArchive",
        "Resource": "arn:aws:glacier:us-east-1:123456789012:vaults/v",
    });
    format!(" {}\n", json!({"Version": "2012-10-17", "Statement": [statement]}))
}

fn code<T: std::fmt::Debug>(read: Result<T, AnswerError>) -> (u16, String, String) {
    match read.unwrap_err() {
        AnswerError::Refused(error) => (error.status, error.code.unwrap(), error.message.unwrap()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn tags_come_back_as_they_were_added() {
    let machine = Machine::with_vault();
    let ask = |op, fields: Value| ask_of(&machine, "v", op, &fields);
    let tags = || glacier::list_tags_for_vault::read(&ask("ListTagsForVault", json!({}))).unwrap();
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
    };
    assert_eq!(tags(), pairs(&[]));
    let longest = ("k".repeat(128), "é".repeat(255));
    let added = json!({"Größe": "7 @home", "b": "", "10": "_./=+-@", &*longest.0: longest.1});
    glacier::add_tags_to_vault::acknowledge(&ask("AddTagsToVault", json!({"tags": added}))).unwrap();
    let kept = [("10", "_./=+-@"), ("Größe", "7 @home"), ("b", ""), (&*longest.0, &*longest.1)];
    assert_eq!(tags(), pairs(&kept));
    glacier::remove_tags_from_vault::acknowledge(&ask("RemoveTagsFromVault", json!({"tagKeys": ["b", "never was"]})))
        .unwrap();
    assert_eq!(tags(), pairs(&[kept[0], kept[1], kept[3]]));

    for tens in 0..5 {
        let ten: Value = (tens * 10..tens * 10 + 10).map(|n| (format!("tag {n}"), json!("x"))).collect();
        let answer = ask("AddTagsToVault", json!({"tags": ten}));
        let added = glacier::add_tags_to_vault::acknowledge(&answer);
        assert_eq!(added.is_ok(), tens < 4, "the vault has three tags already");
    }
    assert_eq!(tags().len(), 43);
}

#[test]
fn notifications_come_back_as_they_were_set() {
    let machine = Machine::with_vault();
    let ask = |op, fields: Value| ask_of(&machine, "v", op, &fields);
    let shown = || glacier::get_vault_notifications::read(&ask("GetVaultNotifications", json!({}))).unwrap();
    assert_eq!(shown(), None);
    let topic = "arn:aws:sns:us-east-1:123456789012:jobs";
    for events in
        [json!(["ArchiveRetrievalCompleted"]), json!(["InventoryRetrievalCompleted", "ArchiveRetrievalCompleted"])]
    {
        let set = ask("SetVaultNotifications", json!({"snsTopic": topic, "events": events}));
        glacier::set_vault_notifications::acknowledge(&set).unwrap();
        let VaultNotifications { sns_topic, events: found } = shown().unwrap();
        let found: Vec<&str> = found.iter().map(|event| event.as_str()).collect();
        assert_eq!((sns_topic.as_str(), json!(found)), (topic, events));
    }
    for _ in 0..2 {
        let deleted = ask("DeleteVaultNotifications", json!({}));
        glacier::delete_vault_notifications::acknowledge(&deleted).unwrap();
        assert_eq!(shown(), None);
    }
}

#[test]
fn an_access_policy_comes_back_to_the_letter() {
    let machine = Machine::with_vault();
    let ask = |op, fields: Value| ask_of(&machine, "v", op, &fields);
    let shown = || glacier::get_vault_access_policy::read(&ask("GetVaultAccessPolicy", json!({}))).unwrap();
    assert_eq!(shown(), None);
    let set = ask("SetVaultAccessPolicy", json!({"policy": policy()}));
    glacier::set_vault_access_policy::acknowledge(&set).unwrap();
    assert_eq!(shown(), Some(policy()));
    for _ in 0..2 {
        let deleted = ask("DeleteVaultAccessPolicy", json!({}));
        glacier::delete_vault_access_policy::acknowledge(&deleted).unwrap();
        assert_eq!(shown(), None);
    }
}

#[test]
fn a_lock_is_initiated_aborted_and_completed() {
    let machine = Machine::with_vault();
    let ask = |op, fields: Value| ask_of(&machine, "v", op, &fields);
    let shown = || glacier::get_vault_lock::read(&ask("GetVaultLock", json!({}))).unwrap();
    let initiate = || glacier::initiate_vault_lock::read(&ask("InitiateVaultLock", json!({"policy": policy()})));
    let complete = |id: &LockId| {
        glacier::complete_vault_lock::acknowledge(&ask("CompleteVaultLock", json!({"lockId": id.as_str()})))
    };
    let abort = || glacier::abort_vault_lock::acknowledge(&ask("AbortVaultLock", json!({})));
    let other = LockId::new("other").unwrap();

    assert_eq!(shown(), None);
    assert_eq!(code(complete(&other)).0, 404);
    let first = initiate().unwrap();
    let on_trial = VaultLock {
        policy: policy(),
        state: LockState::InProgress,
        created_at_ms: NOON_MS,
        expires_at_ms: Some(NOON_MS + DAY_MS),
    };
    assert_eq!(shown(), Some(on_trial.clone()));
    assert_eq!(code(initiate()).1, "AccessDeniedException");
    assert_eq!(code(complete(&other)).1, "InvalidParameterValueException");
    for _ in 0..2 {
        abort().unwrap();
        assert_eq!(shown(), None);
    }

    machine.turn_clock(Duration::from_secs(1));
    let second = initiate().unwrap();
    assert_ne!(first, second);
    for _ in 0..2 {
        complete(&second).unwrap();
    }
    let locked = VaultLock { state: LockState::Locked, created_at_ms: NOON_MS + 1000, expires_at_ms: None, ..on_trial };
    assert_eq!(shown(), Some(locked));
    for refused in [complete(&other), abort(), initiate().map(drop)] {
        assert_eq!(code(refused).1, "AccessDeniedException");
    }
}

#[test]
fn the_retrieval_rule_comes_back_as_it_was_set() {
    let machine = Machine::new();
    let shown = || glacier::get_data_retrieval_policy::read(&ask(&machine, json!({"op": "GetDataRetrievalPolicy"})));
    assert_eq!(shown(), Ok(RetrievalRule::None));
    let most = 9_223_372_036_854_775_807;
    for (strategy, bytes) in
        [("FreeTier", None), ("BytesPerHour", Some(1)), ("BytesPerHour", Some(most)), ("None", None)]
    {
        let mut intent = json!({"op": "SetDataRetrievalPolicy", "strategy": strategy});
        if let Some(bytes) = bytes {
            intent["bytesPerHour"] = json!(bytes);
        }
        glacier::set_data_retrieval_policy::acknowledge(&ask(&machine, intent)).unwrap();
        assert_eq!(shown(), Ok(RetrievalRule::new(strategy, bytes).unwrap()));
    }
}

#[test]
fn purchased_capacity_is_listed() {
    let machine = Machine::new();
    let listed = || {
        let answer = ask(&machine, json!({"op": "ListProvisionedCapacity"}));
        glacier::list_provisioned_capacity::read(&answer).unwrap()
    };
    let purchase = || {
        let answer = ask(&machine, json!({"op": "PurchaseProvisionedCapacity"}));
        glacier::purchase_provisioned_capacity::read(&answer)
    };
    assert_eq!(listed(), Vec::new());
    let capacity_id = purchase().unwrap();
    let expires_at_ms = NOON_MS + 31 * DAY_MS;
    assert_eq!(listed(), [ProvisionedCapacity { capacity_id, starts_at_ms: NOON_MS, expires_at_ms }]);
    purchase().unwrap();
    assert_eq!(code(purchase()).1, "LimitExceededException");
    assert_eq!(listed().len(), 2);
}

#[test]
fn a_vault_that_is_not_there_is_not_taken_for_one_without_settings() {
    let machine = Machine::new();
    let ask = |op, fields: Value| ask_of(&machine, "v", op, &fields);
    let topic = json!({
        "snsTopic": "arn:aws:sns:us-east-1:123456789012:jobs", "events": ["ArchiveRetrievalCompleted"],
    });
    let none = json!({});
    let found = [
        code(glacier::list_tags_for_vault::read(&ask("ListTagsForVault", none.clone()))),
        code(glacier::add_tags_to_vault::acknowledge(&ask("AddTagsToVault", json!({"tags": {"a": "b"}})))),
        code(glacier::remove_tags_from_vault::acknowledge(&ask("RemoveTagsFromVault", json!({"tagKeys": ["a"]})))),
        code(glacier::get_vault_notifications::read(&ask("GetVaultNotifications", none.clone()))),
        code(glacier::set_vault_notifications::acknowledge(&ask("SetVaultNotifications", topic))),
        code(glacier::delete_vault_notifications::acknowledge(&ask("DeleteVaultNotifications", none.clone()))),
        code(glacier::get_vault_access_policy::read(&ask("GetVaultAccessPolicy", none.clone()))),
        code(glacier::set_vault_access_policy::acknowledge(&ask("SetVaultAccessPolicy", json!({"policy": policy()})))),
        code(glacier::delete_vault_access_policy::acknowledge(&ask("DeleteVaultAccessPolicy", none.clone()))),
        code(glacier::get_vault_lock::read(&ask("GetVaultLock", none.clone()))),
        code(glacier::initiate_vault_lock::read(&ask("InitiateVaultLock", json!({"policy": policy()})))),
        code(glacier::complete_vault_lock::acknowledge(&ask("CompleteVaultLock", json!({"lockId": "l"})))),
        code(glacier::abort_vault_lock::acknowledge(&ask("AbortVaultLock", none))),
    ];
    let text = "Vault not found for ARN: arn:aws:glacier:us-east-1:123456789012:vaults/v";
    for refusal in found {
        assert_eq!(refusal, (404, "ResourceNotFoundException".into(), text.into()));
    }
}
