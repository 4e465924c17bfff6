//! Access policies and vault locks: kept, and judged.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Machine, Request, archive, delete, get, pattern, post, put};
use crate::refusals::{check, check_value};

const ARN: &str = "arn:aws:glacier:us-east-1:123456789012:vaults/v";
const ACCESS: &str = "/-/vaults/v/access-policy";
const LOCK: &str = "/-/vaults/v/lock-policy";

fn deny(action: &Value, condition: &Value) -> String {
    let statement = json!({
        "Sid": "no", "Principal": "*", "Effect": "Deny", "Action": action, "Resource": [ARN], "Condition": condition,
    });
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn set(target: &str, policy: &str) -> Request {
    let request = if target == ACCESS { put(target) } else { post(target) };
    request.with_json(&json!({"Policy": policy}))
}

fn younger_than(days: u32) -> String {
    deny(&json!("glacier:DeleteArchive"), &json!({"NumericLessThan": {"glacier:ArchiveAgeInDays": days.to_string()}}))
}

#[test]
fn an_access_policy_is_kept_as_it_was_written() {
    let machine = Machine::with_vault();
    let text = format!("No access policy is set for vault: {ARN}");
    check(&machine, get(ACCESS), 404, "ResourceNotFoundException", &text);
    let policy = deny(&json!("glacier:DeleteVault"), &json!({}));
    assert_eq!(machine.send(set(ACCESS, &policy)).status, 204);
    let machine = machine.restart();
    assert_eq!(machine.send(get(ACCESS)).json(), json!({"Policy": policy}));
    assert_eq!(machine.send(delete("/-/vaults/v")).status, 403, "also after a restart");
    for _ in 0..2 {
        assert_eq!(machine.send(delete(ACCESS)).status, 204);
    }
    assert_eq!(machine.send(get(ACCESS)).status, 404);
    assert_eq!(machine.send(delete("/-/vaults/v")).status, 204);
}

#[test]
fn a_denied_operation_is_refused_and_others_are_not() {
    let machine = Machine::with_vault();
    let id = machine.send(archive(pattern(5))).archive_id();
    machine.send(set(ACCESS, &deny(&json!(["glacier:Upload*", "glacier:InitiateJob"]), &json!({}))));
    for (request, operation) in [
        (archive(pattern(6)), "UploadArchive"),
        (post("/-/vaults/v/jobs").with_json(&json!({"Type": "inventory-retrieval"})), "InitiateJob"),
    ] {
        let text = format!("The vault access policy denies glacier:{operation} on {ARN} (statement \"no\")");
        check(&machine, request, 403, "AccessDeniedException", &text);
    }
    assert_eq!(machine.send(delete(&format!("/-/vaults/v/archives/{id}"))).status, 204);

    machine.send(set(ACCESS, &deny(&json!("glacier:*"), &json!({}))));
    assert_eq!(machine.send(get("/-/vaults/v")).status, 403);
    assert_eq!(machine.send(get("/-/vaults")).status, 200, "of no vault");
    assert_eq!(machine.send(get(ACCESS)).status, 200, "an access policy does not lock itself in");
    assert_eq!(machine.send(delete(ACCESS)).status, 204);
    assert_eq!(machine.send(get("/-/vaults/v")).status, 200);
}

#[test]
fn tags_decide_where_a_policy_says_so() {
    let machine = Machine::with_vault();
    let hold = json!({"StringLike": {"glacier:ResourceTag/LegalHold": ["true", ""]}});
    machine.send(set(ACCESS, &deny(&json!("glacier:DeleteArchive"), &hold)));
    let delete_one = || {
        let id = machine.send(archive(pattern(5))).archive_id();
        machine.send(delete(&format!("/-/vaults/v/archives/{id}"))).status
    };
    let tag = |value: &str| {
        let tags = json!({"Tags": {"LegalHold": value}});
        assert_eq!(machine.send(post("/-/vaults/v/tags?operation=add").with_json(&tags)).status, 204);
    };
    assert_eq!(delete_one(), 204);
    tag("true");
    assert_eq!(delete_one(), 403);
    tag("false");
    assert_eq!(delete_one(), 204);
}

#[test]
fn a_locked_vault_keeps_its_archives_for_as_long_as_it_says() {
    let machine = Machine::with_vault();
    let id = machine.send(archive(pattern(5))).archive_id();
    let begun = machine.send(set(LOCK, &younger_than(365)));
    let lock_id = begun.header("x-amz-lock-id").to_owned();
    assert_eq!((begun.status, lock_id.len()), (201, 24));
    let target = format!("/-/vaults/v/archives/{id}");
    let text = format!("The vault lock policy denies glacier:DeleteArchive on {ARN} (statement \"no\")");
    check(&machine, delete(&target), 403, "AccessDeniedException", &text);
    assert_eq!(machine.send(post(&format!("{LOCK}/{lock_id}"))).status, 204);

    machine.turn_clock(Duration::from_hours(365 * 24 - 1));
    let machine = machine.restart();
    check(&machine, delete(&target), 403, "AccessDeniedException", &text);
    assert_eq!(machine.send(delete("/-/vaults/v/archives/unknown")).status, 204, "it has no age");
    machine.turn_clock(Duration::from_hours(1));
    assert_eq!(machine.send(delete(&target)).status, 204);
    assert_eq!(machine.send(get("/-/vaults/v")).json()["NumberOfArchives"], 0);
}

#[test]
fn the_age_of_an_archive_counts_for_its_retrieval_too() {
    let machine = Machine::with_vault();
    let id = machine.send(archive(pattern(5))).archive_id();
    let old = json!({"NumericGreaterThanEquals": {"glacier:ArchiveAgeInDays": "2"}});
    machine.send(set(ACCESS, &deny(&json!("glacier:InitiateJob"), &old)));
    let retrieve = || {
        let parameters = json!({"Type": "archive-retrieval", "ArchiveId": id});
        machine.send(post("/-/vaults/v/jobs").with_json(&parameters)).status
    };
    assert_eq!(retrieve(), 202);
    machine.turn_clock(Duration::from_hours(48));
    assert_eq!(retrieve(), 403);
    machine.job(&json!({"Type": "inventory-retrieval"}));
}

#[test]
fn a_lock_is_tried_for_a_day_and_then_gone_unless_it_was_completed() {
    let machine = Machine::with_vault();
    let shown = || machine.send(get(LOCK));
    let none = format!("No vault lock is set for vault: {ARN}");
    check(&machine, get(LOCK), 404, "ResourceNotFoundException", &none);
    assert_eq!(machine.send(delete(LOCK)).status, 204, "aborting nothing is nothing");
    let complete = |id: &str| post(&format!("{LOCK}/{id}"));
    check(&machine, complete("x"), 404, "ResourceNotFoundException", &none);

    let policy = younger_than(1);
    let first = machine.send(set(LOCK, &policy)).header("x-amz-lock-id").to_owned();
    assert_eq!(
        shown().json(),
        json!({
            "Policy": policy, "State": "InProgress", "CreationDate": "2026-01-01T12:00:00.000Z",
            "ExpirationDate": "2026-01-02T12:00:00.000Z",
        })
    );
    let text = format!("A vault lock is in progress for vault: {ARN}. Complete or abort it first.");
    check(&machine, set(LOCK, &policy), 403, "AccessDeniedException", &text);
    check_value(&machine, complete("x"), "Invalid lock ID: x. The lock in progress has another one.");
    for _ in 0..2 {
        assert_eq!(machine.send(delete(LOCK)).status, 204);
    }
    assert_eq!(shown().status, 404);

    machine.send(set(LOCK, &policy));
    machine.turn_clock(Duration::from_hours(24));
    assert_eq!(shown().status, 404, "expired");
    check(&machine, complete(&first), 404, "ResourceNotFoundException", &none);

    let last = machine.send(set(LOCK, &policy)).header("x-amz-lock-id").to_owned();
    for _ in 0..2 {
        assert_eq!(machine.send(complete(&last)).status, 204, "and again after a lost answer");
    }
    machine.turn_clock(Duration::from_hours(48));
    let locked = shown().json();
    assert_eq!((&locked["State"], &locked["ExpirationDate"]), (&json!("Locked"), &json!(null)));
    let text = format!("The vault is locked, and its lock cannot be changed: {ARN}");
    for request in [complete("x"), set(LOCK, &policy), delete(LOCK)] {
        check(&machine, request, 403, "AccessDeniedException", &text);
    }
}
