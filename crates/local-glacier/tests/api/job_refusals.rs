//! Every field of InitiateJob with every kind of bad value.

use std::time::Duration;

use local_glacier::Pace;
use serde_json::{Value, json};

use crate::client::{MIB, Machine, Request, archive, get, pattern, post};
use crate::refusals::{check, check_value};

fn initiate(parameters: &Value) -> Request {
    post("/-/vaults/v/jobs").with_json(parameters)
}

/// `parameters` with other fields.
fn with(parameters: &Value, changes: &Value) -> Value {
    let mut changed = parameters.clone();
    for (name, value) in changes.as_object().unwrap() {
        changed[name] = value.clone();
    }
    changed
}

#[test]
fn bodies_that_are_no_parameters_are_refused() {
    let machine = Machine::with_vault();
    let serialization = "SerializationException";
    for (body, message) in [
        ("", "The body is not JSON: EOF while parsing a value at line 1 column 0"),
        ("{", "The body is not JSON: EOF while parsing an object at line 1 column 1"),
        ("{\"Type\": \"a\"}}", "The body is not JSON: trailing characters at line 1 column 14"),
        ("[]", "The body must be an object"),
        ("null", "The body must be an object"),
        ("{\"Type\": 7}", "Type must be a string"),
        ("{\"Type\": \"inventory-retrieval\", \"Description\": {}}", "Description must be a string"),
        ("{\"Type\": \"inventory-retrieval\", \"SNSTopic\": [\"a\"]}", "SNSTopic must be a string"),
        ("{\"Type\": \"inventory-retrieval\", \"Format\": true}", "Format must be a string"),
        (
            "{\"Type\": \"inventory-retrieval\", \"InventoryRetrievalParameters\": \"x\"}",
            "InventoryRetrievalParameters must be an object",
        ),
        (
            "{\"Type\": \"inventory-retrieval\", \"InventoryRetrievalParameters\": {\"Limit\": [1]}}",
            "Limit must be a string or a number",
        ),
        ("{\"Type\": \"archive-retrieval\", \"ArchiveId\": 7}", "ArchiveId must be a string"),
    ] {
        check(&machine, post("/-/vaults/v/jobs").with_text(body), 400, serialization, message);
    }
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let answer = machine.send(post("/-/vaults/v/jobs").with_text(&deep));
    assert_eq!((answer.status, &*answer.refusal().0), (400, serialization));
    for (parameters, name) in [
        (json!({}), "Type"),
        (json!({"Type": null}), "Type"),
        (json!({"jobParameters": {"Type": "inventory-retrieval"}}), "Type"),
        (json!({"Type": "archive-retrieval"}), "ArchiveId"),
        (json!({"Type": "archive-retrieval", "ArchiveId": null}), "ArchiveId"),
    ] {
        let message = format!("Required parameter missing: {name}");
        check(&machine, initiate(&parameters), 400, "MissingParameterValueException", &message);
    }
}

#[test]
fn values_that_are_not_legal_are_refused() {
    let machine = Machine::with_vault();
    let id = machine.send(archive(pattern(2 * MIB + 5))).archive_id();
    let retrieval = json!({"Type": "archive-retrieval", "ArchiveId": id});
    let inventory = json!({"Type": "inventory-retrieval"});
    let long = "d".repeat(1025);
    for (base, changes, message) in [
        (&inventory, json!({"Type": "select"}), "select is not supported"),
        (
            &inventory,
            json!({"Type": "Inventory-Retrieval"}),
            "Invalid Type: Inventory-Retrieval. A job is an archive-retrieval or an inventory-retrieval.",
        ),
        (
            &retrieval,
            json!({"Description": long}),
            "Invalid Description: a description is at most 1024 printable ASCII characters (space to '~')",
        ),
        (
            &inventory,
            json!({"Description": "Ísland"}),
            "Invalid Description: a description is at most 1024 printable ASCII characters (space to '~')",
        ),
        (
            &retrieval,
            json!({"SNSTopic": "jobs"}),
            "Invalid SNSTopic: jobs. A topic is named arn:aws:sns:REGION:ACCOUNT:NAME.",
        ),
        (&retrieval, json!({"Tier": "bulk"}), "Invalid Tier: bulk. A tier is Expedited, Standard or Bulk."),
        (&inventory, json!({"Format": "XML"}), "Invalid Format: XML. A format is CSV or JSON."),
        (&retrieval, json!({"ArchiveId": "a b"}), ""),
        (&retrieval, json!({"ArchiveId": ""}), ""),
    ] {
        let request = initiate(&with(base, &changes));
        match message {
            "" => {
                let answer = machine.send(request);
                assert_eq!((answer.status, &*answer.refusal().0), (400, "InvalidParameterValueException"));
            }
            message => check_value(&machine, request, message),
        }
    }
    for (base, name, fields) in [
        (
            &retrieval,
            "archive-retrieval",
            &["Format", "InventoryRetrievalParameters", "SelectParameters", "OutputLocation"][..],
        ),
        (&inventory, "inventory-retrieval", &["ArchiveId", "RetrievalByteRange", "SelectParameters", "OutputLocation"]),
    ] {
        for field in fields {
            let message = format!("{field} is not a parameter of {name} jobs");
            check_value(&machine, initiate(&with(base, &json!({*field: "x"}))), &message);
            check_value(&machine, initiate(&with(base, &json!({*field: {}}))), &message);
            machine.job(&with(base, &json!({*field: null})));
        }
    }
    let unknown = with(&retrieval, &json!({"ArchiveId": "unknown"}));
    check(&machine, initiate(&unknown), 404, "ResourceNotFoundException", "The archive ID was not found: unknown");
    let vault = "Vault not found for ARN: arn:aws:glacier:us-east-1:123456789012:vaults/none";
    for request in [
        post("/-/vaults/none/jobs").with_json(&inventory),
        get("/-/vaults/none/jobs"),
        get("/-/vaults/none/jobs/j"),
        get("/-/vaults/none/jobs/j/output"),
    ] {
        check(&machine, request, 404, "ResourceNotFoundException", vault);
    }
    for target in ["/-/vaults/v/jobs/j", "/-/vaults/v/jobs/j/output"] {
        check(&machine, get(target), 404, "ResourceNotFoundException", "The job ID was not found: j");
    }
}

#[test]
fn retrieved_ranges_begin_and_end_on_mib_or_at_the_end() {
    let machine = Machine::with_vault();
    let id = machine.send(archive(pattern(2 * MIB + 5))).archive_id();
    let request =
        |range: &str| initiate(&json!({"Type": "archive-retrieval", "ArchiveId": id, "RetrievalByteRange": range}));
    for bad in ["", "0", "0-", "-5", "5-1", "bytes=0-1048575", "0-1e6", " 0-1048575", "0-18446744073709551615"] {
        let message = format!("Invalid RetrievalByteRange: {bad}. A range is FIRST-LAST in bytes.");
        check_value(&machine, request(bad), &message);
    }
    for bad in ["0-1048574", "0-1048576", "1-1048575", "0-2097157", "0-3145727", "2097152-2097155", "3145728-4194303"] {
        let message = format!(
            "Invalid RetrievalByteRange: {bad}. A range begins at a multiple of 1048576 bytes and ends before one, or \
             with the last of the 2097157 bytes of the archive."
        );
        check_value(&machine, request(bad), &message);
    }
    for good in ["0-2097156", "0-1048575", "1048576-2097151", "1048576-2097156", "2097152-2097156"] {
        assert_eq!(machine.send(request(good)).status, 202, "{good}");
    }
}

#[test]
fn parameters_of_inventories_are_checked() {
    let machine = Machine::with_vault();
    let request = |parameters: &Value| {
        initiate(&json!({"Type": "inventory-retrieval", "InventoryRetrievalParameters": parameters}))
    };
    for bad in ["0", "-1", "1.5", "1e3", "ten", "", " 1"] {
        let message = format!("Invalid limit: {bad}. A limit is a whole number of at least 1.");
        check_value(&machine, request(&json!({"Limit": bad})), &message);
    }
    for bad in [json!(0), json!(-1), json!(1.5)] {
        let message = format!("Invalid limit: {bad}. A limit is a whole number of at least 1.");
        check_value(&machine, request(&json!({"Limit": bad})), &message);
    }
    for field in ["StartDate", "EndDate"] {
        for bad in ["", "yesterday", "2026-01-01", "1767268800", "2026-13-01T00:00:00Z"] {
            let message = format!("Invalid {field}: {bad}. A date is YYYY-MM-DDThh:mm:ssZ.");
            check_value(&machine, request(&json!({field: bad})), &message);
        }
    }
    let reversed = json!({"StartDate": "2026-01-02T00:00:00Z", "EndDate": "2026-01-01T00:00:00Z"});
    check_value(&machine, request(&reversed), "Invalid StartDate: it is after EndDate");
    for bad in ["", "x", "1", "1_", "1_-2", "99999999999999999999_1"] {
        let message = format!("Invalid marker: {bad}. A marker is the Marker of the page before.");
        check_value(&machine, request(&json!({"Marker": bad})), &message);
    }
}

#[test]
fn filters_of_lists_are_checked() {
    let machine = Machine::with_vault();
    for (query, message) in [
        ("statuscode=Done", "The job status code is not valid: Done"),
        ("statuscode=succeeded", "The job status code is not valid: succeeded"),
        ("completed=yes", "Invalid completed: yes. It is true or false."),
        ("limit=0", "Invalid limit: 0. A limit is a whole number of at least 1."),
        ("marker=x", "Invalid marker: x. A marker is the Marker of the page before."),
        ("completed=true&completed=false", "Given more than once: completed"),
    ] {
        check_value(&machine, get(&format!("/-/vaults/v/jobs?{query}")), message);
    }
    assert_eq!(machine.send(get("/-/vaults/v/jobs?limit=1000")).status, 200);
}

#[test]
fn expedited_retrievals_need_capacity_where_it_is_limited() {
    let mut pace = Pace::default();
    pace.expedited_per_5_min = Some(1);
    let machine = Machine::with_vault_at_pace(pace);
    let id = machine.send(archive(pattern(5))).archive_id();
    let expedited = || initiate(&json!({"Type": "archive-retrieval", "ArchiveId": id, "Tier": "Expedited"}));
    assert_eq!(machine.send(expedited()).status, 202);
    let refused = machine.send(expedited());
    assert_eq!((refused.status, &*refused.refusal().0), (503, "InsufficientCapacityException"));
    assert_eq!(refused.json()["type"], "Server");
    assert_eq!(machine.send(post("/-/provisioned-capacity")).status, 201);
    for _ in 0..3 {
        assert_eq!(machine.send(expedited()).status, 202, "a unit is good for three");
    }
    assert_eq!(machine.send(expedited()).status, 503);
    machine.turn_clock(Duration::from_mins(5));
    assert_eq!(machine.send(expedited()).status, 202);
}
