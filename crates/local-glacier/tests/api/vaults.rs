use serde_json::json;

use crate::client::{Machine, ORIGIN, archive, delete, get, pattern, put};

#[test]
fn a_vault_is_created_once_and_described_with_live_numbers() {
    let machine = Machine::new();
    for _ in 0..2 {
        let answer = machine.send(put("/-/vaults/photos"));
        assert_eq!((answer.status, answer.header("location")), (201, "/123456789012/vaults/photos"));
    }
    let described = machine.send(get("/123456789012/vaults/photos"));
    assert_eq!(described.header("content-type"), "application/json");
    assert_eq!(
        described.json(),
        json!({
            "VaultARN": "arn:aws:glacier:us-east-1:123456789012:vaults/photos",
            "VaultName": "photos",
            "CreationDate": "2026-01-01T12:00:00.000Z",
            "LastInventoryDate": null,
            "NumberOfArchives": 0,
            "SizeInBytes": 0,
        })
    );
    let machine = Machine::with_vault();
    machine.send(archive(pattern(5)));
    let numbers = machine.send(get("/-/vaults/v")).json();
    assert_eq!((&numbers["NumberOfArchives"], &numbers["SizeInBytes"]), (&json!(1), &json!(5)));
}

#[test]
fn vaults_are_listed_by_name_in_pages_that_a_marker_joins() {
    let machine = Machine::new();
    for name in ["b", "a", "B", "c", "-", "_"] {
        machine.send(put(&format!("/-/vaults/{name}")));
    }
    let (mut names, mut target) = (Vec::new(), "/-/vaults?limit=2".to_owned());
    loop {
        let page = machine.send(get(&target)).json();
        let listed = page["VaultList"].as_array().unwrap();
        assert!(listed.len() <= 2);
        names.extend(listed.iter().map(|vault| vault["VaultName"].as_str().unwrap().to_owned()));
        let Some(marker) = page["Marker"].as_str() else { break };
        target = format!("/-/vaults?limit=2&marker={}", marker.replace(':', "%3A").replace('/', "%2F"));
    }
    assert_eq!(names, ["-", "B", "_", "a", "b", "c"]);
}

#[test]
fn limits_are_cut_to_a_page() {
    let machine = Machine::new();
    for number in 0..12 {
        machine.send(put(&format!("/-/vaults/v{number:02}")));
    }
    for target in ["/-/vaults", "/-/vaults?limit=1000", "/-/vaults?limit=99999999999999999999999", "/-/vaults?marker="]
    {
        let page = machine.send(get(target)).json();
        assert_eq!(page["VaultList"].as_array().unwrap().len(), 10, "{target}");
        assert_eq!(page["Marker"], "arn:aws:glacier:us-east-1:123456789012:vaults/v09");
    }
}

#[test]
fn only_an_empty_vault_is_deleted_and_deleting_is_idempotent() {
    let machine = Machine::with_vault();
    let id = machine.send(archive(pattern(5))).archive_id();
    let refused = machine.send(delete("/-/vaults/v"));
    let message = "Vault not empty or recently written to: arn:aws:glacier:us-east-1:123456789012:vaults/v";
    assert_eq!((refused.status, refused.refusal().1.as_str()), (400, message));
    machine.send(delete(&format!("/-/vaults/v/archives/{id}")));
    machine.initiate(1 << 20); // without a part it holds nothing
    for _ in 0..2 {
        assert_eq!(machine.send(delete("/-/vaults/v")).status, 204);
    }
    let gone = machine.send(get("/-/vaults/v"));
    let message = "Vault not found for ARN: arn:aws:glacier:us-east-1:123456789012:vaults/v";
    assert_eq!((gone.status, gone.refusal().1.as_str()), (404, message));
}

#[test]
fn an_account_has_a_thousand_vaults_and_no_more() {
    let machine = Machine::new();
    for number in 0..1000 {
        let name = glacier_core::glacier::VaultName::new(format!("v{number}")).unwrap();
        machine.store().create_vault(&name).unwrap();
    }
    let refused = machine.send(put("/-/vaults/one-more"));
    assert_eq!((refused.status, &*refused.refusal().0), (400, "LimitExceededException"));
    assert_eq!(machine.send(put("/-/vaults/v7")).status, 201, "existing vaults may be created again");
}

#[test]
fn every_answer_has_an_id_and_a_date() {
    let machine = Machine::new();
    let mut ids = Vec::new();
    for answer in [
        machine.send(put("/-/vaults/v")),
        machine.send(get("/nowhere")),
        machine.send_raw("OPTIONS", "/-/vaults", &[], Vec::new()),
        machine.send_raw("GET", "/-/vaults", &[], Vec::new()),
    ] {
        assert_eq!(answer.header("date"), "Thu, 01 Jan 2026 12:00:00 GMT");
        ids.push(answer.header("x-amzn-requestid").to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn pages_of_configured_origins_only_are_let_in() {
    let machine = Machine::new();
    let preflight = |origin: &str| {
        let headers = [("origin".into(), origin.into()), ("access-control-request-method".into(), "PUT".into())];
        machine.send_raw("OPTIONS", "/-/vaults/v/multipart-uploads/u", &headers, Vec::new())
    };
    let allowed = preflight(ORIGIN);
    assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (204, ORIGIN));
    assert_eq!(allowed.header("access-control-allow-methods"), "GET, PUT, POST, DELETE");
    assert!(allowed.header("access-control-allow-headers").contains("content-range"));
    assert!(allowed.header("access-control-expose-headers").contains("x-amz-sha256-tree-hash"));
    assert_eq!((allowed.header("access-control-max-age"), allowed.header("vary")), ("7200", "Origin"));
    assert!(allowed.headers.get("access-control-allow-credentials").is_none());

    for evil in [
        "https://evil.test",
        "https://app.example.com.evil.test",
        "http://app.example.com",
        "https://app.example.com:444",
        "https://u@app.example.com",
        "https://app.example.com.",
        "https://APP.example.com",
        "null",
        "*",
    ] {
        let refused = preflight(evil);
        assert_eq!((refused.status, refused.header("vary")), (403, "Origin"), "{evil}");
        assert!(
            refused.headers.keys().all(|name| !name.as_str().starts_with("access-control-")),
            "{evil}: {refused:?}"
        );
    }
    let refusal = machine.send(get("/-/vaults/none").with_unsigned("origin", ORIGIN));
    assert_eq!(refusal.header("access-control-allow-origin"), ORIGIN, "a page may read why it was refused");
}
