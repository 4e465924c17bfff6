//! Whoever hosts the store is told of jobs that end.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::broadcast::error::TryRecvError;

use crate::client::{Machine, archive, delete, get, pattern, put};

#[test]
fn every_job_that_ends_is_told_of_as_it_is_described() {
    let machine = Machine::with_vault();
    machine.send(put("/-/vaults/w"));
    let kept = machine.send(archive(pattern(5))).archive_id();
    let deleted = machine.send(archive(pattern(6))).archive_id();
    let mut heard = machine.completions();
    let mut jobs = Vec::new();
    for parameters in [
        json!({ "Type": "archive-retrieval", "ArchiveId": kept }),
        json!({ "Type": "archive-retrieval", "ArchiveId": deleted }),
        json!({ "Type": "inventory-retrieval" }),
    ] {
        jobs.push(machine.job(&parameters));
    }
    machine.send(delete(&format!("/-/vaults/v/archives/{deleted}")));
    assert_eq!(heard.try_recv(), Err(TryRecvError::Empty));

    machine.turn_clock(Duration::from_secs(1));
    let mut told: Vec<Value> = Vec::new();
    while let Ok(completion) = heard.try_recv() {
        assert_eq!((completion.vault.as_str(), completion.description.lines().count()), ("v", 1));
        told.push(serde_json::from_str(&completion.description).unwrap());
    }
    let mut described: Vec<Value> = jobs.iter().map(|job| machine.send(get(job)).json()).collect();
    let outcomes: Vec<&str> = described.iter().map(|job| job["StatusCode"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["Succeeded", "Failed", "Succeeded"]);
    // Retrievals and inventories end side by side.
    for list in [&mut told, &mut described] {
        list.sort_by_key(|job| job["JobId"].as_str().unwrap().to_owned());
    }
    assert_eq!(told, described);

    // Once, and nothing when there is nothing new.
    machine.turn_clock(Duration::from_secs(3600));
    assert_eq!(heard.try_recv(), Err(TryRecvError::Empty));
    drop(machine);
    assert_eq!(heard.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_listener_that_does_not_listen_keeps_no_job_waiting() {
    let machine = Machine::with_vault();
    let id = machine.send(archive(pattern(5))).archive_id();
    let mut deaf = machine.completions();
    for _ in 0..300 {
        machine.job(&json!({ "Type": "archive-retrieval", "ArchiveId": id }));
    }
    machine.turn_clock(Duration::from_secs(1));
    assert_eq!(machine.send(get("/-/vaults/v/jobs?completed=false")).json()["JobList"], json!([]));
    // It learns that it missed some, and hears those that came last.
    assert_eq!(deaf.try_recv(), Err(TryRecvError::Lagged(300 - 256)));
    assert!(deaf.try_recv().is_ok());
}
