use std::time::Duration;

use glacier_core::TreeHash;
use glacier_core::glacier::initiate_job::InventoryFormat;
use glacier_core::inventory::{ArchiveEntry, InventoryHead, InventoryReader};
use local_glacier::Pace;
use serde_json::{Value, json};

use crate::client::{Machine, archive, delete, get, pattern};

const ARN: &str = "arn:aws:glacier:us-east-1:123456789012:vaults/v";

fn inventory(parameters: &Value) -> Value {
    json!({"Type": "inventory-retrieval", "InventoryRetrievalParameters": parameters})
}

/// Puts an archive of so many bytes; gives its ID. A second passes.
fn put(machine: &Machine, len: usize, description: Option<&str>) -> String {
    let mut request = archive(pattern(len));
    if let Some(text) = description {
        request = request.with("x-amz-archive-description", text);
    }
    let id = machine.send(request).archive_id();
    machine.turn_clock(Duration::from_secs(1));
    id
}

fn sizes(document: &Value) -> Vec<u64> {
    let archives = document["ArchiveList"].as_array().unwrap();
    archives.iter().map(|archive| archive["Size"].as_u64().unwrap()).collect()
}

#[test]
fn an_inventory_lists_every_archive_and_dates_the_vault() {
    let machine = Machine::with_vault();
    let first = put(&machine, 5, Some(r#"a,1\"2"#));
    let second = put(&machine, 6, None);
    let path = machine.job(&json!({"Type": "inventory-retrieval", "Tier": "Whatever"}));
    let mut expected = json!({
        "JobId": path.rsplit('/').next().unwrap(), "JobDescription": null, "Action": "InventoryRetrieval",
        "ArchiveId": null, "VaultARN": ARN, "CreationDate": "2026-01-01T12:00:02.000Z", "Completed": false,
        "StatusCode": "InProgress", "StatusMessage": "Operation in progress.", "ArchiveSizeInBytes": null,
        "InventorySizeInBytes": null, "SNSTopic": null, "CompletionDate": null, "SHA256TreeHash": null,
        "ArchiveSHA256TreeHash": null, "RetrievalByteRange": null, "Tier": null,
        "InventoryRetrievalParameters":
            {"Format": "JSON", "StartDate": null, "EndDate": null, "Limit": null, "Marker": null},
        "JobOutputPath": null, "SelectParameters": null, "OutputLocation": null,
    });
    assert_eq!(machine.send(get(&path)).json(), expected);
    assert_eq!(machine.send(get("/-/vaults/v")).json()["LastInventoryDate"], json!(null));
    machine.turn_clock(Duration::from_secs(1));
    let output = machine.send(get(&format!("{path}/output")));
    assert_eq!((output.status, output.header("content-type")), (200, "application/json"));
    assert!(output.headers.get("x-amz-sha256-tree-hash").is_none());
    let entry = |id: &str, description: &str, second: u32, size: usize| {
        json!({
            "ArchiveId": id, "ArchiveDescription": description, "Size": size,
            "CreationDate": format!("2026-01-01T12:00:0{second}.000Z"),
            "SHA256TreeHash": TreeHash::of(&pattern(size)).to_string(),
        })
    };
    assert_eq!(
        output.json(),
        json!({
            "VaultARN": ARN, "InventoryDate": "2026-01-01T12:00:03Z",
            "ArchiveList": [entry(&first, r#"a,1\"2"#, 0, 5), entry(&second, "", 1, 6)],
        })
    );
    expected["Completed"] = json!(true);
    expected["StatusCode"] = json!("Succeeded");
    expected["StatusMessage"] = json!("Succeeded");
    expected["CompletionDate"] = json!("2026-01-01T12:00:03.000Z");
    expected["InventorySizeInBytes"] = json!(output.bytes.len());
    assert_eq!(machine.send(get(&path)).json(), expected);
    assert_eq!(machine.send(get("/-/vaults/v")).json()["LastInventoryDate"], "2026-01-01T12:00:03.000Z");

    let part = machine.send(get(&format!("{path}/output")).with("range", "bytes=1-10"));
    assert_eq!((part.status, part.bytes.as_slice()), (206, &output.bytes[1..11]));
    assert_eq!(part.header("content-range"), format!("bytes 1-10/{}", output.bytes.len()));
}

#[test]
fn an_inventory_in_csv_quotes_descriptions() {
    let machine = Machine::with_vault();
    let first = put(&machine, 5, Some(r#"a,"b\"#));
    let path = machine.finished_job(&json!({"Type": "inventory-retrieval", "Format": "CSV"}));
    let output = machine.send(get(&format!("{path}/output")));
    assert_eq!(output.header("content-type"), "text/csv");
    let hash = TreeHash::of(&pattern(5));
    assert_eq!(
        output.text,
        format!(
            "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash\n\
             {first},\"a,\\\"b\\\",2026-01-01T12:00:00.000Z,5,{hash}\n"
        )
    );
}

#[test]
fn inventories_are_cut_by_dates_and_limits_and_go_on_at_the_marker() {
    let machine = Machine::with_vault();
    for len in 1..=7 {
        put(&machine, len, None); // at second len - 1
    }
    let get_inventory = |parameters: &Value| {
        let path = machine.finished_job(&inventory(parameters));
        let marker = machine.send(get(&path)).json()["InventoryRetrievalParameters"]["Marker"].clone();
        (sizes(&machine.send(get(&format!("{path}/output"))).json()), marker)
    };
    for (parameters, expected) in [
        (json!({"StartDate": "2026-01-01T12:00:02Z"}), &[3, 4, 5, 6, 7][..]),
        (json!({"EndDate": "2026-01-01T12:00:02Z"}), &[1, 2]),
        (json!({"StartDate": "2026-01-01T12:00:02Z", "EndDate": "2026-01-01T12:00:04Z"}), &[3, 4]),
        (json!({"StartDate": "2026-01-01T13:00:02+01:00", "EndDate": "2026-01-01T12:00:03.5"}), &[3, 4]),
        (json!({"StartDate": "2027-01-01T12:00:02Z"}), &[]),
        (json!({"Limit": "7"}), &[1, 2, 3, 4, 5, 6, 7]),
        (json!({"Limit": 99_999_999_999_999_999_999_u128.to_string()}), &[1, 2, 3, 4, 5, 6, 7]),
        (json!({"StartDate": null, "Limit": null, "Marker": null}), &[1, 2, 3, 4, 5, 6, 7]),
    ] {
        assert_eq!(get_inventory(&parameters), (expected.to_vec(), json!(null)), "{parameters}");
    }
    let (mut all, mut marker) = (Vec::new(), json!(null));
    loop {
        let parameters = json!({"Limit": 3, "Marker": marker, "StartDate": "2026-01-01T12:00:01Z"});
        let (page, next) = get_inventory(&parameters);
        assert!(page.len() <= 3);
        all.extend(page);
        if next.is_null() {
            break;
        }
        marker = next;
    }
    assert_eq!(all, [2, 3, 4, 5, 6, 7]);
}

#[test]
fn archives_of_one_moment_are_listed_once_across_pages() {
    let machine = Machine::with_vault();
    let ids: Vec<String> = (1..=5).map(|len| machine.send(archive(pattern(len))).archive_id()).collect();
    let (mut all, mut marker) = (Vec::new(), json!(null));
    loop {
        let path = machine.finished_job(&inventory(&json!({"Limit": "2", "Marker": marker})));
        let page = machine.send(get(&format!("{path}/output"))).json();
        all.extend(sizes(&page));
        marker = machine.send(get(&path)).json()["InventoryRetrievalParameters"]["Marker"].clone();
        if marker.is_null() {
            break;
        }
        machine.send(delete(&format!("/-/vaults/v/archives/{}", ids[all.len() - 1])));
    }
    assert_eq!(all, [1, 2, 3, 4, 5], "also where the archive at the marker is gone");
}

#[test]
fn inventories_age_a_day_at_the_service_s_pace() {
    let machine = Machine::with_vault_at_pace(Pace::realistic());
    let hours = |hours: u64| machine.turn_clock(Duration::from_hours(hours));
    let vault = || {
        let json = machine.send(get("/-/vaults/v")).json();
        (json["LastInventoryDate"].as_str().map(str::to_owned), json["NumberOfArchives"].as_u64().unwrap())
    };
    let listed = || {
        let path = machine.job(&json!({"Type": "inventory-retrieval"}));
        hours(4);
        (machine.send(get(&path)).json(), machine.send(get(&format!("{path}/output"))))
    };
    let kept = machine.send(archive(pattern(1))).archive_id();
    let (job, _) = listed(); // 16:00
    assert_eq!(job["StatusCode"], "Failed");
    assert!(job["StatusMessage"].as_str().unwrap().starts_with("No inventory of the vault has been taken yet"));
    assert_eq!(vault(), (None, 0));
    hours(8); // 0:00
    let first = Some("2026-01-02T00:00:00.000Z".to_owned());
    assert_eq!(vault(), (first.clone(), 1));

    machine.turn_clock(Duration::from_secs(1));
    machine.send(archive(pattern(2))).archive_id();
    machine.send(delete(&format!("/-/vaults/v/archives/{kept}")));
    let (_, output) = listed(); // 4:00
    assert_eq!(sizes(&output.json()), [1], "as of the last inventory");
    assert_eq!(output.json()["InventoryDate"], "2026-01-02T00:00:00Z");
    assert_eq!(vault(), (first, 1));
    hours(20); // 0:00
    assert_eq!(vault(), (Some("2026-01-03T00:00:01.000Z".to_owned()), 1));
    let (_, output) = listed();
    assert_eq!(sizes(&output.json()), [2]);
    hours(48);
    assert_eq!(vault().0.unwrap(), "2026-01-03T00:00:01.000Z", "an unchanged vault keeps its date");
}

#[test]
fn a_vault_written_to_since_its_inventory_is_not_deleted_at_the_service_s_pace() {
    let machine = Machine::with_vault_at_pace(Pace::realistic());
    let id = machine.send(archive(pattern(1))).archive_id();
    machine.send(delete(&format!("/-/vaults/v/archives/{id}")));
    let refused = machine.send(delete("/-/vaults/v"));
    assert_eq!(refused.refusal().1, format!("Vault not empty or recently written to: {ARN}"));
    machine.turn_clock(Duration::from_hours(13));
    assert_eq!(machine.send(delete("/-/vaults/v")).status, 204);
}

/// What the library reads of an output that arrives in pieces.
fn read(format: InventoryFormat, output: &[u8]) -> (Vec<ArchiveEntry>, InventoryHead) {
    let mut reader = InventoryReader::of_len(format, output.len() as u64);
    let mut archives = Vec::new();
    for piece in output.chunks(100) {
        reader.push(piece);
        archives.extend(std::iter::from_fn(|| reader.poll_archive()).map(Result::unwrap));
    }
    reader.finish();
    archives.extend(std::iter::from_fn(|| reader.poll_archive()).map(Result::unwrap));
    (archives, reader.head())
}

#[test]
fn the_library_reads_both_formats_as_they_were_stored() {
    let machine = Machine::with_vault();
    let descriptions = [
        "",
        "plain",
        "a,b",
        r#"say "hi""#,
        r#"a,1\"2"#,
        r"ends with \",
        r#"ends with \""#,
        r#"",""#,
        r#"{"Size":1}"#,
        r#"x,"y",2012-05-15T17:21:39.339Z,1,00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"#,
    ];
    let mut expected = Vec::new();
    for (nth, description) in (1..).zip(descriptions) {
        let archive_id = put(&machine, nth, Some(description));
        expected.push(ArchiveEntry {
            archive_id: archive_id.try_into().unwrap(),
            description: description.to_owned(),
            created_at_ms: 1_767_268_800_000 + (nth as u64 - 1) * 1000,
            size: nth as u64,
            tree_hash: TreeHash::of(&pattern(nth)),
        });
    }
    for (name, format) in [("JSON", InventoryFormat::Json), ("CSV", InventoryFormat::Csv)] {
        let path = machine.finished_job(&json!({"Type": "inventory-retrieval", "Format": name}));
        let (archives, head) = read(format, &machine.send(get(&format!("{path}/output"))).bytes);
        assert_eq!(archives, expected, "{name}");
        assert_eq!(head.vault_arn.as_deref(), (format == InventoryFormat::Json).then_some(ARN));
    }
    let path = machine.finished_job(&inventory(&json!({"StartDate": "2027-01-01T00:00:00Z"})));
    let (archives, head) = read(InventoryFormat::Json, &machine.send(get(&format!("{path}/output"))).bytes);
    assert_eq!((archives, head.inventory_date_ms), (Vec::new(), Some(1_767_268_813_000)));
}
