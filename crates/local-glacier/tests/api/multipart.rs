use std::time::Duration;

use glacier_core::TreeHash;
use serde_json::json;

use crate::client::{MIB, Machine, archive, complete, delete, get, part, pattern, post};

const HOUR: Duration = Duration::from_secs(3600);

/// Uploads `whole` in parts of 1 MiB, last one first.
fn upload_backwards(machine: &Machine, upload: &str, whole: &[u8]) {
    for (index, bytes) in whole.chunks(MIB).enumerate().rev() {
        let answer = machine.send(part(upload, index * MIB, bytes.to_vec()));
        assert_eq!(answer.status, 204, "{answer:?}");
        assert_eq!(answer.header("x-amz-sha256-tree-hash"), TreeHash::of(bytes).to_string());
    }
}

#[test]
fn parts_in_any_order_become_one_archive_without_new_files() {
    let machine = Machine::with_vault();
    let whole = pattern(3 * MIB + 17);
    let upload = machine.initiate(MIB);
    upload_backwards(&machine, &upload, &whole);
    let files = machine.files();
    assert_eq!(files.len(), 4);

    let completed = machine.send(complete(&upload, &whole));
    let id = completed.archive_id();
    assert_eq!(id.len(), 138);
    assert_eq!(completed.header("location"), format!("/123456789012/vaults/v/archives/{id}"));
    assert_eq!(completed.header("x-amz-sha256-tree-hash"), TreeHash::of(&whole).to_string());
    assert_eq!(machine.files(), files, "completing moves no bytes");
    assert_eq!(machine.send(get("/-/vaults/v")).json()["SizeInBytes"], json!(whole.len()));

    assert_eq!(machine.send(get(&upload)).status, 404, "the upload is gone");
    assert_eq!(machine.send(part(&upload, 0, pattern(1))).status, 404);
    machine.send(delete(&format!("/-/vaults/v/archives/{id}")));
    assert!(machine.files().is_empty(), "{:?}", machine.files());
}

#[test]
fn the_last_writer_of_a_range_wins() {
    let machine = Machine::with_vault();
    let upload = machine.initiate(MIB);
    for byte in [1, 2, 3] {
        machine.send(part(&upload, 0, vec![byte; MIB]));
    }
    assert_eq!(machine.files().len(), 1, "replaced files are removed");
    assert_eq!(machine.send(complete(&upload, &vec![1; MIB])).status, 400);
    machine.send(complete(&upload, &vec![3; MIB])).archive_id();
}

#[test]
fn a_short_part_in_the_middle_is_taken_and_makes_completing_fail() {
    let machine = Machine::with_vault();
    let upload = machine.initiate(MIB);
    let whole = pattern(2 * MIB);
    assert_eq!(machine.send(part(&upload, 0, whole[..100].to_vec())).status, 204);
    assert_eq!(machine.send(part(&upload, MIB, whole[MIB..].to_vec())).status, 204);
    let refused = machine.send(complete(&upload, &whole));
    assert_eq!(refused.refusal().1, "The upload has a gap: no part begins at byte 100");
    machine.send(part(&upload, 0, whole[..MIB].to_vec()));
    machine.send(complete(&upload, &whole)).archive_id();
}

#[test]
fn completing_again_gives_the_same_archive_for_ninety_days() {
    let machine = Machine::with_vault();
    let upload = machine.initiate(MIB);
    let whole = pattern(MIB + 1);
    upload_backwards(&machine, &upload, &whole);
    let id = machine.send(complete(&upload, &whole)).archive_id();
    let machine = machine.restart();
    machine.turn_clock(89 * 24 * HOUR);
    assert_eq!(machine.send(complete(&upload, &whole)).archive_id(), id);
    assert_eq!(machine.send(complete(&upload, &pattern(MIB))).status, 400, "another archive was not completed");
    assert_eq!(machine.send(delete(&upload)).status, 404, "what is completed cannot be aborted");
    assert_eq!(machine.send(get("/-/vaults/v")).json()["NumberOfArchives"], 1);
    machine.turn_clock(2 * 24 * HOUR);
    let forgotten = machine.send(complete(&upload, &whole));
    let upload_id = upload.rsplit('/').next().unwrap();
    assert_eq!(forgotten.refusal().1, format!("The upload ID was not found: {upload_id}"));
}

#[test]
fn aborting_is_idempotent_for_a_day_and_frees_the_parts() {
    let machine = Machine::with_vault();
    let upload = machine.initiate(MIB);
    upload_backwards(&machine, &upload, &pattern(2 * MIB));
    assert_eq!(machine.send(delete(&upload)).status, 204);
    assert!(machine.files().is_empty());
    assert_eq!(machine.send(part(&upload, 0, pattern(1))).status, 404);
    machine.turn_clock(23 * HOUR);
    assert_eq!(machine.send(delete(&upload)).status, 204);
    machine.turn_clock(2 * HOUR);
    assert_eq!(machine.send(delete(&upload)).status, 404);
    assert!(machine.files().is_empty());
}

#[test]
fn a_vault_remembers_so_many_uploads_that_came_to_nothing_and_all_that_became_archives() {
    let machine = Machine::with_vault();
    machine.store().bound_open_uploads(3);
    let bytes = pattern(5);
    let completed = || {
        let upload = machine.initiate(MIB);
        machine.send(part(&upload, 0, bytes.clone()));
        let id = machine.send(complete(&upload, &bytes)).archive_id();
        (upload, id)
    };
    let (kept, deleted) = (completed(), completed());
    assert_eq!(machine.send(delete(&format!("/-/vaults/v/archives/{}", deleted.1))).status, 204);
    assert_eq!(machine.send(complete(&deleted.0, &bytes)).archive_id(), deleted.1, "it is not made again");
    let aborted: Vec<String> = (0..20)
        .map(|_| {
            let upload = machine.initiate(MIB);
            assert_eq!(machine.send(delete(&upload)).status, 204);
            upload
        })
        .collect();
    assert_eq!(machine.rows("ended_uploads"), 3 + 1);
    let machine = machine.restart();
    for (nth, upload) in aborted.iter().enumerate() {
        assert_eq!(machine.send(delete(upload)).status, if nth < 17 { 404 } else { 204 }, "{nth}");
    }
    assert_eq!(machine.send(complete(&deleted.0, &bytes)).status, 404);
    assert_eq!(machine.send(complete(&kept.0, &bytes)).archive_id(), kept.1);
    // Another vault has its own.
    machine.send(crate::client::put("/-/vaults/w"));
    let begin = post("/-/vaults/w/multipart-uploads").with("x-amz-part-size", "1048576");
    let elsewhere = machine.send(begin).header("location").to_owned();
    for _ in 0..2 {
        assert_eq!(machine.send(delete(&elsewhere)).status, 204);
        assert_eq!(machine.send(delete(&aborted[17])).status, 204);
    }
    // And what time is over for is gone.
    machine.turn_clock(25 * HOUR);
    machine.store().remove_expired().unwrap();
    assert_eq!(machine.rows("ended_uploads"), 1);
}

#[test]
fn an_upload_expires_after_a_day_without_a_part_or_a_list() {
    let machine = Machine::with_vault();
    let upload = machine.initiate(MIB);
    machine.send(part(&upload, 0, pattern(MIB)));
    machine.turn_clock(23 * HOUR);
    assert_eq!(machine.send(get(&upload)).status, 200, "a list is activity");
    machine.turn_clock(23 * HOUR);
    assert_eq!(machine.send(part(&upload, MIB, pattern(1))).status, 204, "so is a part");
    machine.turn_clock_unnoticed(25 * HOUR);
    for request in [get(&upload), delete(&upload), part(&upload, 0, pattern(1)), complete(&upload, &pattern(1))] {
        assert_eq!(machine.send(request).status, 404);
    }
    assert_eq!(machine.send(get("/-/vaults/v/multipart-uploads")).json()["UploadsList"], json!([]));
    machine.store().remove_expired().unwrap();
    assert!(machine.files().is_empty());
}

#[test]
fn uploads_and_parts_are_listed_in_pages() {
    let machine = Machine::with_vault();
    let uploads: Vec<String> = (0..5).map(|_| machine.initiate(MIB)).collect();
    let page = machine.send(get("/-/vaults/v/multipart-uploads?limit=3")).json();
    assert_eq!(page["UploadsList"].as_array().unwrap().len(), 3);
    let marker = page["Marker"].as_str().unwrap();
    let rest = machine.send(get(&format!("/-/vaults/v/multipart-uploads?limit=3&marker={marker}"))).json();
    assert_eq!((rest["UploadsList"].as_array().unwrap().len(), &rest["Marker"]), (2, &json!(null)));

    let whole = pattern(4 * MIB + 9);
    upload_backwards(&machine, &uploads[0], &whole);
    let (mut ranges, mut marker) = (Vec::new(), String::new());
    loop {
        let page = machine.send(get(&format!("{}?limit=2&marker={marker}", uploads[0]))).json();
        ranges.extend(page["Parts"].as_array().unwrap().iter().map(|part| part["RangeInBytes"].clone()));
        let Some(next) = page["Marker"].as_str() else { break };
        next.clone_into(&mut marker);
    }
    assert_eq!(ranges, ["0-1048575", "1048576-2097151", "2097152-3145727", "3145728-4194303", "4194304-4194312"]);
}

#[test]
fn lists_have_every_key_and_absent_values_are_null() {
    let machine = Machine::with_vault();
    let opened = machine.send(
        post("/-/vaults/v/multipart-uploads")
            .with("x-amz-part-size", "1048576")
            .with("x-amz-archive-description", "  double  spaces  here"),
    );
    let id = opened.header("x-amz-multipart-upload-id");
    assert_eq!(id.len(), 92);
    machine.send(part(opened.header("location"), 0, vec![0; 3]));
    let arn = "arn:aws:glacier:us-east-1:123456789012:vaults/v";
    let upload = json!({
        "ArchiveDescription": "double  spaces  here", "CreationDate": "2026-01-01T12:00:00.000Z",
        "MultipartUploadId": id, "PartSizeInBytes": 1_048_576, "VaultARN": arn,
    });
    let listed = machine.send(get("/-/vaults/v/multipart-uploads")).json();
    assert_eq!(listed, json!({"Marker": null, "UploadsList": [upload]}));
    let parts = machine.send(get(opened.header("location"))).json();
    assert_eq!(
        parts,
        json!({
            "ArchiveDescription": "double  spaces  here", "CreationDate": "2026-01-01T12:00:00.000Z", "Marker": null,
            "MultipartUploadId": id, "PartSizeInBytes": 1_048_576, "VaultARN": arn,
            "Parts": [{"RangeInBytes": "0-2", "SHA256TreeHash": TreeHash::of(&[0; 3]).to_string()}],
        })
    );
    machine.initiate(MIB);
    let listed = machine.send(get("/-/vaults/v/multipart-uploads")).json();
    assert_eq!(listed["UploadsList"][1]["ArchiveDescription"], json!(null));
}

#[test]
fn an_upload_belongs_to_its_vault() {
    let machine = Machine::with_vault();
    machine.send(crate::client::put("/-/vaults/w"));
    let upload = machine.initiate(MIB);
    let elsewhere = upload.replace("/vaults/v/", "/vaults/w/");
    for request in
        [get(&elsewhere), delete(&elsewhere), part(&elsewhere, 0, pattern(1)), complete(&elsewhere, &pattern(1))]
    {
        assert_eq!(machine.send(request).status, 404);
    }
    let id = machine.send(archive(pattern(1))).archive_id();
    assert_eq!(machine.send(delete(&format!("/-/vaults/w/archives/{id}"))).status, 204);
    assert_eq!(machine.send(get("/-/vaults/v")).json()["NumberOfArchives"], 1);
}
