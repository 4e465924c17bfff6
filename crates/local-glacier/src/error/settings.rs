//! Refusals of operations on notifications, tags, policies, locks and capacity.

use super::{Code, Refusal, invalid, quoted, refusal};
use crate::store::LockId;

pub(crate) fn not_set(what: &str, arn: &str) -> Refusal {
    refusal(Code::ResourceNotFound, format!("No {what} is set for vault: {arn}"))
}

pub(crate) fn invalid_event(given: &str) -> Refusal {
    let given = quoted(given);
    invalid(format!("Invalid Events: {given}. An event is ArchiveRetrievalCompleted or InventoryRetrievalCompleted."))
}

pub(crate) fn invalid_tags_operation(given: &str) -> Refusal {
    invalid(format!("Invalid operation: {}. It is add or remove.", quoted(given)))
}

pub(crate) fn wrong_number_of_tags(most: usize) -> Refusal {
    invalid(format!("A request has 1 to {most} tags"))
}

pub(crate) fn too_many_tags(limit: u64) -> Refusal {
    refusal(Code::LimitExceeded, format!("A vault has at most {limit} tags"))
}

pub(crate) fn invalid_tag_key(given: &str) -> Refusal {
    let given = quoted(given);
    invalid(format!("Invalid tag key: {given}. It is 1 to 128 letters, digits, spaces and any of _./=+-@"))
}

pub(crate) fn reserved_tag_key(given: &str) -> Refusal {
    invalid(format!("Invalid tag key: {}. The prefix aws: is reserved.", quoted(given)))
}

pub(crate) fn invalid_tag_value(given: &str) -> Refusal {
    let given = quoted(given);
    invalid(format!("Invalid tag value: {given}. It is at most 255 letters, digits, spaces and any of _./=+-@"))
}

pub(crate) fn invalid_policy(reason: &str) -> Refusal {
    invalid(format!("Invalid Policy: {reason}"))
}

pub(crate) fn invalid_policy_part(what: &str, given: &str) -> Refusal {
    invalid(format!("Invalid Policy: this store does not evaluate the {what}: {}", quoted(given)))
}

pub(crate) fn denied_by_policy(operation: &str, arn: &str, kind: &str, statement: &str) -> Refusal {
    refusal(Code::AccessDenied, format!("The {kind} denies glacier:{operation} on {arn} ({statement})"))
}

pub(crate) fn lock_in_progress(arn: &str) -> Refusal {
    let message = format!("A vault lock is in progress for vault: {arn}. Complete or abort it first.");
    refusal(Code::AccessDenied, message)
}

pub(crate) fn locked(arn: &str) -> Refusal {
    refusal(Code::AccessDenied, format!("The vault is locked, and its lock cannot be changed: {arn}"))
}

pub(crate) fn wrong_lock_id(given: &LockId) -> Refusal {
    invalid(format!("Invalid lock ID: {given}. The lock in progress has another one."))
}

pub(crate) fn wrong_number_of_rules() -> Refusal {
    invalid("Invalid Policy: it has exactly one rule")
}

pub(crate) fn invalid_strategy(given: &str) -> Refusal {
    invalid(format!("Invalid Strategy: {}. A strategy is BytesPerHour, FreeTier or None.", quoted(given)))
}

pub(crate) fn invalid_bytes_per_hour(given: &serde_json::Value) -> Refusal {
    let given = quoted(&given.to_string());
    invalid(format!("Invalid BytesPerHour: {given}. It is a whole number from 1 to 9223372036854775807."))
}

pub(crate) fn bytes_per_hour_not_for(strategy: &str) -> Refusal {
    invalid(format!("BytesPerHour is not a parameter of the strategy {strategy}"))
}

pub(crate) fn too_much_capacity(limit: u64) -> Refusal {
    refusal(Code::LimitExceeded, format!("An account has at most {limit} units of provisioned capacity"))
}
