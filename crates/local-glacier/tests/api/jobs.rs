use std::time::Duration;

use glacier_core::TreeHash;
use glacier_core::glacier::{Request, Response, VaultName, list_jobs};
use glacier_core::json::Json;
use local_glacier::Pace;
use serde_json::{Value, json};

use crate::client::{MIB, Machine, archive, complete, delete, get, part, pattern, post};

const ARN: &str = "arn:aws:glacier:us-east-1:123456789012:vaults/v";
const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:jobs";

fn retrieval(archive: &str) -> Value {
    json!({"Type": "archive-retrieval", "ArchiveId": archive})
}

/// An archive of 6.5 MiB made of parts of 2 MiB: its tree and its hashes are in the developer guide's own terms.
fn archive_of_parts(machine: &Machine) -> (String, Vec<u8>) {
    let whole = pattern(6 * MIB + MIB / 2);
    let upload = machine.initiate(2 * MIB);
    for (index, bytes) in whole.chunks(2 * MIB).enumerate() {
        machine.send(part(&upload, index * 2 * MIB, bytes.to_vec()));
    }
    (machine.send(complete(&upload, &whole)).archive_id(), whole)
}

#[test]
fn a_job_is_described_with_every_key_from_beginning_to_end() {
    let machine = Machine::with_vault();
    let id = machine.send(archive(pattern(MIB + 5)).with("x-amz-archive-description", "two leaves")).archive_id();
    let parameters = json!({
        "Type": "archive-retrieval", "ArchiveId": id, "Description": "mine", "SNSTopic": TOPIC, "Tier": "Bulk",
        "RetrievalByteRange": null, "InventoryRetrievalParameters": null, "Unknown": {"a": 1},
    });
    let path = machine.job(&parameters);
    let job_id = path.rsplit('/').next().unwrap();
    assert_eq!((job_id.len(), path.as_str()), (92, format!("/123456789012/vaults/v/jobs/{job_id}").as_str()));
    let tree_hash = TreeHash::of(&pattern(MIB + 5)).to_string();
    let mut expected = json!({
        "JobId": job_id, "JobDescription": "mine", "Action": "ArchiveRetrieval", "ArchiveId": id, "VaultARN": ARN,
        "CreationDate": "2026-01-01T12:00:00.000Z", "Completed": false, "StatusCode": "InProgress",
        "StatusMessage": "Operation in progress.", "ArchiveSizeInBytes": MIB + 5, "InventorySizeInBytes": null,
        "SNSTopic": TOPIC, "CompletionDate": null, "SHA256TreeHash": null, "ArchiveSHA256TreeHash": tree_hash,
        "RetrievalByteRange": "0-1048580", "Tier": "Bulk", "InventoryRetrievalParameters": null,
        "JobOutputPath": null, "SelectParameters": null, "OutputLocation": null,
    });
    assert_eq!(machine.send(get(&path)).json(), expected);
    assert_eq!(machine.send(get("/-/vaults/v/jobs")).json(), json!({"JobList": [expected], "Marker": null}));
    let early = machine.send(get(&format!("{path}/output")));
    assert_eq!(early.refusal().1, format!("The job is not currently available for download: {job_id}"));

    machine.turn_clock(Duration::from_secs(1));
    expected["Completed"] = json!(true);
    expected["StatusCode"] = json!("Succeeded");
    expected["StatusMessage"] = json!("Succeeded");
    expected["CompletionDate"] = json!("2026-01-01T12:00:01.000Z");
    expected["SHA256TreeHash"] = json!(tree_hash);
    assert_eq!(machine.send(get(&path)).json(), expected);

    let output = machine.send(get(&format!("{path}/output")));
    assert_eq!((output.status, output.bytes == pattern(MIB + 5)), (200, true));
    for (name, value) in [
        ("content-type", "application/octet-stream"),
        ("accept-ranges", "bytes"),
        ("x-amz-sha256-tree-hash", &tree_hash),
        ("x-amz-archive-description", "two leaves"),
    ] {
        assert_eq!(output.header(name), value);
    }
    assert!(output.headers.get("content-range").is_none());
}

#[test]
fn ranges_of_an_output_have_a_tree_hash_exactly_where_they_are_aligned() {
    let machine = Machine::with_vault();
    let (id, whole) = archive_of_parts(&machine);
    let one = machine.send(archive(whole.clone())).archive_id();
    let leaves = 7;
    let end_of = |leaf: usize| (leaf * MIB).min(whole.len());
    for id in [id, one] {
        let path = machine.finished_job(&retrieval(&id));
        for first in 0..leaves {
            for last in first + 1..=leaves {
                let (start, end) = (first * MIB, end_of(last));
                let range = format!("bytes={start}-{}", last * MIB - 1); // perhaps beyond the end
                let part = machine.send(get(&format!("{path}/output")).with("range", &range));
                let context = format!("[{first},{last})");
                assert_eq!((part.status, part.bytes == whole[start..end]), (206, true), "{context}");
                let content_range = format!("bytes {start}-{}/{}", end - 1, whole.len());
                assert_eq!(part.header("content-range"), content_range);
                // The list of the specification for seven leaves.
                let aligned =
                    [(0, 2), (2, 4), (4, 6), (0, 4), (4, 7), (0, 7)].contains(&(first, last)) || last == first + 1;
                let expected = aligned.then(|| TreeHash::of(&whole[start..end]).to_string());
                let found = part.headers.get("x-amz-sha256-tree-hash").map(|value| value.to_str().unwrap().to_owned());
                assert_eq!(found, expected, "{context}");
            }
        }
        for range in ["bytes=0-0", "bytes=1-1048576", "bytes=0-1048574", "bytes=-5"] {
            let part = machine.send(get(&format!("{path}/output")).with("range", range));
            assert_eq!(part.status, 206);
            assert!(part.headers.get("x-amz-sha256-tree-hash").is_none(), "{range}");
        }
        assert_eq!(machine.send(get(&format!("{path}/output")).with("range", "bytes=6815743-")).bytes.len(), 1);
        for range in ["bytes=6815744-", "bytes=5-1", "0-1", "bytes=0-1,3-4", "bytes=-0"] {
            let refused = machine.send(get(&format!("{path}/output")).with("range", range));
            let text = format!("Invalid Range: {range}. A range is bytes=FIRST-LAST and begins inside the output.");
            assert_eq!((refused.status, refused.refusal().1), (400, text));
        }
    }
}

#[test]
fn a_retrieved_range_is_an_output_of_its_own() {
    let machine = Machine::with_vault();
    let (id, whole) = archive_of_parts(&machine);
    let hash = |start: usize, end: usize| TreeHash::of(&whole[start * MIB..end.min(whole.len())]).to_string();
    for (range, first, end, of_job, of_first_two) in [
        ("4194304-6815743", 4, whole.len(), Some(hash(4, whole.len())), Some(hash(4, 6 * MIB))), // aligned, to the end
        ("0-4194303", 0, 4 * MIB, Some(hash(0, 4 * MIB)), Some(hash(0, 2 * MIB))),
        ("1048576-3145727", 1, 3 * MIB, None, None), // on MiB only
    ] {
        let mut parameters = retrieval(&id);
        parameters["RetrievalByteRange"] = json!(range);
        let path = machine.job(&parameters);
        let described = machine.send(get(&path)).json();
        assert_eq!(described["SHA256TreeHash"], json!(of_job), "known while in progress: {range}");
        machine.turn_clock(Duration::from_secs(1));
        let described = machine.send(get(&path)).json();
        assert_eq!(described["RetrievalByteRange"], range);
        assert_eq!(described["ArchiveSizeInBytes"], whole.len());
        assert_eq!(described["SHA256TreeHash"], json!(of_job));
        let bytes = &whole[first * MIB..end];
        let header = |answer: &crate::answer::Answer| {
            answer.headers.get("x-amz-sha256-tree-hash").map(|value| value.to_str().unwrap().to_owned())
        };
        let output = machine.send(get(&format!("{path}/output")));
        assert_eq!((output.status, output.bytes == bytes, header(&output)), (200, true, of_job));
        let part = machine.send(get(&format!("{path}/output")).with("range", "bytes=0-2097151"));
        assert_eq!((part.status, part.bytes == bytes[..2 * MIB], header(&part)), (206, true, of_first_two));
        assert_eq!(part.header("content-range"), format!("bytes 0-2097151/{}", bytes.len()));
    }
}

#[test]
fn a_succeeded_job_outlives_its_archive_for_a_day() {
    let machine = Machine::with_vault();
    let id = machine.send(archive(pattern(9))).archive_id();
    let path = machine.finished_job(&retrieval(&id));
    assert_eq!(machine.send(delete(&format!("/-/vaults/v/archives/{id}"))).status, 204);
    assert_eq!(machine.send(get("/-/vaults/v")).json()["NumberOfArchives"], 0);
    let machine = machine.restart();
    assert_eq!(machine.send(get(&format!("{path}/output"))).bytes, pattern(9));

    machine.turn_clock(Duration::from_secs(24 * 60 * 60 - 1));
    assert_eq!(machine.send(get(&path)).status, 200);
    machine.turn_clock(Duration::from_secs(1));
    for target in [path.clone(), format!("{path}/output")] {
        let gone = machine.send(get(&target));
        let text = format!("The job ID was not found: {}", path.rsplit('/').next().unwrap());
        assert_eq!((gone.status, gone.refusal()), (404, ("ResourceNotFoundException".into(), text)));
    }
    assert_eq!(machine.send(get("/-/vaults/v/jobs")).json()["JobList"], json!([]));
    assert_eq!(machine.files(), Vec::<String>::new(), "and its bytes are gone");
}

#[test]
fn forgotten_jobs_leave_archives_alone_and_deleted_vaults_take_their_jobs_along() {
    let machine = Machine::with_vault();
    let id = machine.send(archive(pattern(9))).archive_id();
    machine.finished_job(&retrieval(&id));
    machine.turn_clock(Duration::from_hours(25));
    assert_eq!(machine.files().len(), 1);

    machine.finished_job(&retrieval(&id));
    machine.finished_job(&json!({"Type": "inventory-retrieval"}));
    assert_eq!(machine.files().len(), 2);
    machine.send(delete(&format!("/-/vaults/v/archives/{id}")));
    assert_eq!(machine.send(delete("/-/vaults/v")).status, 204);
    assert_eq!(machine.files(), Vec::<String>::new());
}

#[test]
fn a_job_fails_where_its_archive_is_deleted_first() {
    let machine = Machine::with_vault();
    let id = machine.send(archive(pattern(9))).archive_id();
    let path = machine.job(&retrieval(&id));
    machine.send(delete(&format!("/-/vaults/v/archives/{id}")));
    assert_eq!(machine.files(), Vec::<String>::new());
    assert_eq!(machine.send(get(&path)).json()["StatusCode"], "InProgress");
    machine.turn_clock(Duration::from_secs(1));
    let described = machine.send(get(&path)).json();
    assert_eq!((&described["StatusCode"], &described["Completed"]), (&json!("Failed"), &json!(true)));
    assert_eq!(described["StatusMessage"], "The archive was deleted before the job was done; retrieve another one.");
    assert!(machine.send(get(&format!("{path}/output"))).refusal().1.starts_with("The job is not currently available"));
}

#[test]
fn jobs_are_listed_in_order_and_in_pages_and_filtered() {
    let machine = Machine::with_vault();
    let id = machine.send(archive(pattern(9))).archive_id();
    let doomed = machine.send(archive(pattern(8))).archive_id();
    let mut ids = Vec::new();
    let mut begin = |parameters: &Value| ids.push(machine.job(parameters).rsplit('/').next().unwrap().to_owned());
    begin(&retrieval(&id));
    begin(&retrieval(&doomed));
    machine.send(delete(&format!("/-/vaults/v/archives/{doomed}")));
    machine.turn_clock(Duration::from_secs(1));
    begin(&retrieval(&id));
    begin(&json!({"Type": "inventory-retrieval"}));
    let list = |query: &str| -> Vec<String> {
        let (mut found, mut marker) = (Vec::new(), String::new());
        loop {
            let page = machine.send(get(&format!("/-/vaults/v/jobs?limit=1{query}{marker}"))).json();
            let jobs = page["JobList"].as_array().unwrap();
            assert!(jobs.len() <= 1);
            found.extend(jobs.iter().map(|job| job["JobId"].as_str().unwrap().to_owned()));
            let Some(next) = page["Marker"].as_str() else { return found };
            marker = format!("&marker={next}");
        }
    };
    for (query, expected) in [
        ("", &ids[..]),
        ("&completed=true", &ids[..2]),
        ("&completed=false", &ids[2..]),
        ("&statuscode=Succeeded", &ids[..1]),
        ("&statuscode=Failed", &ids[1..2]),
        ("&statuscode=InProgress", &ids[2..]),
        ("&statuscode=InProgress&completed=true", &[]),
        ("&statuscode=&completed=", &ids[..]),
    ] {
        assert_eq!(list(query), expected, "{query}");
    }
}

#[test]
fn each_tier_has_its_delay_at_the_service_s_pace() {
    let machine = Machine::with_vault_at_pace(Pace::realistic());
    let id = machine.send(archive(pattern(9))).archive_id();
    let jobs: Vec<String> = ["Expedited", "Standard", "Bulk"]
        .iter()
        .map(|tier| machine.job(&json!({"Type": "archive-retrieval", "ArchiveId": id, "Tier": tier})))
        .collect();
    let done = || -> Vec<bool> {
        jobs.iter().map(|path| machine.send(get(path)).json()["Completed"].as_bool().unwrap()).collect()
    };
    for (wait, expected) in [
        (Duration::from_mins(1), [false, false, false]),
        (Duration::from_mins(4), [true, false, false]),
        (Duration::from_hours(5), [true, true, false]),
        (Duration::from_hours(7), [true, true, true]),
    ] {
        machine.turn_clock(wait);
        assert_eq!(done(), expected);
    }
}

#[test]
fn jobs_in_progress_survive_a_restart() {
    let machine = Machine::with_vault();
    let id = machine.send(archive(pattern(9))).archive_id();
    let path = machine.job(&retrieval(&id));
    let machine = machine.restart();
    assert_eq!(machine.send(get(&path)).json()["StatusCode"], "InProgress");
    machine.turn_clock(Duration::from_secs(1));
    assert_eq!(machine.send(get(&format!("{path}/output"))).bytes, pattern(9));
}

/// What the store answers to a request of the library, as a browser reads it.
fn answer(machine: &Machine, request: &Request) -> Response {
    let query: Vec<String> = request.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let answer = machine.send(get(&format!("{}?{}", request.path, query.join("&"))));
    Response { status: answer.status, headers: Vec::new(), body: Some(json_of(&answer.json())) }
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(number) => Json::Number(number.as_u64().unwrap()),
        Value::String(text) => Json::Text(text.clone()),
        Value::Array(items) => Json::List(items.iter().map(json_of).collect()),
        Value::Object(members) => {
            Json::Object(members.iter().map(|(key, value)| (key.clone(), json_of(value))).collect())
        }
    }
}

#[test]
fn the_library_follows_the_marker_to_the_last_of_all_jobs() {
    let machine = Machine::with_vault();
    let ids: Vec<String> = (0..120)
        .map(|_| machine.job(&json!({"Type": "inventory-retrieval"})).rsplit('/').next().unwrap().to_owned())
        .collect();
    let vault = VaultName::new("v").unwrap();
    let (mut found, mut pages, mut marker) = (Vec::new(), 0, None);
    loop {
        let request = list_jobs::request("-", &vault, None, Some(false), marker.as_deref());
        let page = list_jobs::read(&answer(&machine, &request)).unwrap();
        found.extend(page.jobs.into_iter().map(|job| String::from(job.job_id)));
        pages += 1;
        marker = page.marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!((found, pages), (ids, 3));
}

#[test]
fn expedited_retrievals_need_capacity_where_it_is_limited() {
    let mut pace = Pace::default();
    pace.expedited_per_5_min = Some(1);
    let machine = Machine::with_vault_at_pace(pace);
    let id = machine.send(archive(pattern(5))).archive_id();
    let expedited = || {
        post("/-/vaults/v/jobs").with_json(&json!({"Type": "archive-retrieval", "ArchiveId": id, "Tier": "Expedited"}))
    };
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
