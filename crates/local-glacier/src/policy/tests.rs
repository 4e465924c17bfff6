use serde_json::json;

use super::*;

const ARN: &str = "arn:aws:glacier:us-east-1:123456789012:vaults/v";
const SUBJECT: Subject<'static> = Subject { account_id: "123456789012", vault_arn: ARN };

/// A statement that denies deletion, with other fields in place of its own.
fn policy(changes: &Value) -> String {
    let mut statement = json!({
        "Sid": "keep", "Effect": "Deny", "Principal": "*", "Action": "glacier:DeleteArchive", "Resource": ARN,
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(statement.as_object_mut().unwrap().remove(name)),
            value => statement[name] = value.clone(),
        }
    }
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn denies(changes: &Value, operation: &str, age: Option<u64>, tags: &[(&str, &str)]) -> bool {
    let tags: Vec<(String, String)> = tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    let question = Question { operation, vault_arn: ARN, archive_age_days: age, tags: &tags };
    Policy::parse(&policy(changes), SUBJECT).unwrap().denies(&question).is_some()
}

#[test]
fn actions_are_matched_with_wildcards_and_in_any_case() {
    for (action, expected) in [
        (json!("glacier:DeleteArchive"), true),
        (json!("glacier:deletearchive"), true),
        (json!("glacier:Delete*"), true),
        (json!("glacier:*"), true),
        (json!("*"), true),
        (json!(["glacier:UploadArchive", "glacier:DeleteArchive"]), true),
        (json!("glacier:UploadArchive"), false),
        (json!("glacier:DeleteVault"), false),
    ] {
        assert_eq!(denies(&json!({"Action": action}), "DeleteArchive", None, &[]), expected, "{action}");
    }
    assert!(!denies(&json!({"Effect": "Allow"}), "DeleteArchive", None, &[]));
}

#[test]
fn the_age_of_an_archive_is_compared_in_days() {
    for (operator, days, age, expected) in [
        ("NumericLessThan", json!("365"), Some(364), true),
        ("NumericLessThan", json!(365), Some(365), false),
        ("NumericLessThanEquals", json!("365"), Some(365), true),
        ("NumericGreaterThan", json!("365"), Some(365), false),
        ("NumericGreaterThanEquals", json!("365"), Some(365), true),
        ("NumericEquals", json!(["1", "2"]), Some(2), true),
        ("NumericNotEquals", json!(["1", "2"]), Some(2), false),
        ("NumericNotEquals", json!("1"), None, true),
        ("NumericLessThan", json!("365"), None, false),
    ] {
        let changes = json!({"Condition": {operator: {"glacier:ArchiveAgeInDays": days}}});
        assert_eq!(denies(&changes, "DeleteArchive", age, &[]), expected, "{operator} {days} {age:?}");
    }
}

#[test]
fn tags_are_compared_with_their_case_and_all_conditions_must_hold() {
    for (operator, value, tags, expected) in [
        ("StringEquals", json!("true"), &[("Hold", "true")][..], true),
        ("StringEquals", json!("t*"), &[("Hold", "true")], false),
        ("StringEquals", json!("true"), &[("hold", "true")], false),
        ("StringLike", json!("t*"), &[("Hold", "true")], true),
        ("StringLike", json!("t*"), &[], false),
        ("StringNotEquals", json!("true"), &[], true),
        ("StringNotLike", json!(["t*", "f*"]), &[("Hold", "false")], false),
    ] {
        let changes = json!({"Condition": {operator: {"glacier:ResourceTag/Hold": value}}});
        assert_eq!(denies(&changes, "DeleteArchive", None, tags), expected, "{operator} {value} {tags:?}");
    }
    let both = json!({"Condition": {
        "StringEquals": {"glacier:ResourceTag/Hold": "true"}, "NumericLessThan": {"glacier:ArchiveAgeInDays": "9"},
    }});
    assert!(denies(&both, "DeleteArchive", Some(8), &[("Hold", "true")]));
    assert!(!denies(&both, "DeleteArchive", Some(9), &[("Hold", "true")]));
    assert!(!denies(&both, "DeleteArchive", Some(8), &[]));
}

#[test]
fn what_is_not_judged_is_refused_by_name() {
    for (changes, named) in [
        (json!({"NotAction": "glacier:*"}), "element: NotAction"),
        (json!({"Principal": null}), "Principal is missing"),
        (json!({"Principal": {"AWS": "arn:aws:iam::123456789012:user/eve"}}), "user/eve"),
        (json!({"Principal": {"AWS": ["123456789012", "210987654321"]}}), "210987654321"),
        (json!({"Principal": {"Service": "s3.amazonaws.com"}}), "element: Service"),
        (json!({"Effect": "deny"}), "Effect is Allow or Deny"),
        (json!({"Action": "s3:DeleteObject"}), "Action: s3:DeleteObject"),
        (json!({"Action": "glacier:DeleteEverything"}), "Action: glacier:DeleteEverything"),
        (json!({"Action": "glacier:ListVaults"}), "Action: glacier:ListVaults"),
        (json!({"Action": []}), "Action is empty"),
        (json!({"Action": 7}), "Action must be a string"),
        (json!({"Resource": "arn:aws:glacier:us-east-1:123456789012:vaults/w"}), "Resource does not name this vault"),
        (json!({"Resource": null}), "Resource is missing"),
        (json!({"Condition": []}), "Condition must be an object"),
        (json!({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}), "Condition operator: Bool"),
        (json!({"Condition": {"StringEquals": {"aws:username": "eve"}}}), "aws:username"),
        (json!({"Condition": {"StringEquals": {"glacier:ArchiveAgeInDays": "1"}}}), "glacier:ArchiveAgeInDays"),
        (json!({"Condition": {"NumericLessThan": {"glacier:ResourceTag/a": "1"}}}), "glacier:ResourceTag/a"),
        (json!({"Condition": {"NumericLessThan": {"glacier:ArchiveAgeInDays": "1.5"}}}), "whole number of days"),
        (json!({"Condition": {"NumericLessThanIfExists": {"glacier:ArchiveAgeInDays": "1"}}}), "IfExists"),
        (json!({"Condition": {"StringLike": {"glacier:ResourceTag/": "1"}}}), "glacier:ResourceTag/"),
    ] {
        let refusal = Policy::parse(&policy(&changes), SUBJECT).unwrap_err();
        assert_eq!(refusal.code, error::Code::InvalidParameterValue);
        assert!(refusal.message.contains(named), "{changes}: {}", refusal.message);
    }
    let long = format!(r#"{{"Statement": [], "Id": "{}"}}"#, "i".repeat(MAX_LEN));
    for (text, named) in [
        ("", "it is not JSON"),
        ("[]", "the policy must be an object"),
        ("{}", "Statement is missing"),
        (r#"{"Version": "2020-01-01", "Statement": []}"#, "Version is"),
        (r#"{"Statement": []}"#, "Statement is empty"),
        (r#"{"Statement": ["a"]}"#, "a statement must be an object"),
        (&long, "at most 20480 are allowed"),
    ] {
        let refusal = Policy::parse(text, SUBJECT).unwrap_err();
        assert!(refusal.message.contains(named), "{text}: {}", refusal.message);
    }
}

#[test]
fn a_denial_names_its_statement() {
    let question = Question { operation: "DeleteArchive", vault_arn: ARN, archive_age_days: None, tags: &[] };
    let named = Policy::parse(&policy(&json!({})), SUBJECT).unwrap();
    assert_eq!(named.denies(&question).unwrap(), "statement \"keep\"");
    let nameless = Policy::parse(&policy(&json!({"Sid": null})), SUBJECT).unwrap();
    assert_eq!(nameless.denies(&question).unwrap(), "statement 1");
}
