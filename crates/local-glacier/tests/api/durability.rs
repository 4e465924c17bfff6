use std::fs;
use std::os::unix::fs::PermissionsExt;

use glacier_core::PayloadHash;
use local_glacier::{Clock, OpenError, Store, StoreConfig};

use crate::client::{MIB, Machine, archive, complete, get, part, pattern};

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let machine = Machine::with_vault();
    machine.send(archive(pattern(7))).archive_id();
    let upload = machine.initiate(MIB);
    let whole = pattern(2 * MIB);
    machine.send(part(&upload, MIB, whole[MIB..].to_vec()));
    let before = machine.state();

    let machine = machine.restart();
    assert_eq!(machine.state(), before);
    machine.send(part(&upload, 0, whole[..MIB].to_vec()));
    machine.send(complete(&upload, &whole)).archive_id();
}

#[test]
fn bytes_on_disk_are_the_bytes_sent_and_only_the_owner_may_look() {
    let machine = Machine::with_vault();
    machine.send(archive(pattern(MIB + 5)));
    let data = machine.folder.path().join("data");
    let file = data.join(&machine.files()[0]);
    assert_eq!(PayloadHash::of(&fs::read(file).unwrap()), PayloadHash::of(&pattern(MIB + 5)));
    for folder in ["", "files", "incoming"] {
        let mode = fs::metadata(data.join(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder:?}");
    }
}

#[test]
fn what_an_interrupted_process_left_is_removed() {
    let machine = Machine::with_vault();
    machine.send(archive(pattern(7)));
    let kept = machine.files();
    let data = machine.folder.path().join("data");
    fs::write(data.join("incoming/half"), "half a part").unwrap();
    fs::write(data.join("files/orphan"), "renamed, but never committed").unwrap();
    let machine = machine.restart();
    assert_eq!(machine.files(), kept);
}

#[test]
fn a_second_process_refuses_to_start() {
    let machine = Machine::new();
    let data = machine.folder.path().join("data");
    let second = Store::open(StoreConfig { data: data.clone(), clock: Clock::system() });
    assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
    drop(machine);
}

#[test]
fn a_folder_of_a_newer_version_or_with_links_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(StoreConfig { data: folder.path().to_owned(), clock: Clock::system() });
    drop(open().unwrap());
    let database = rusqlite::Connection::open(folder.path().join("metadata.sqlite")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    assert!(matches!(open(), Err(OpenError::NewerSchema { found: 99 })));

    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("files")).unwrap();
    let opened = Store::open(StoreConfig { data: folder.path().to_owned(), clock: Clock::system() });
    assert!(matches!(opened, Err(OpenError::NotAFolder { .. })), "{opened:?}");
}

#[test]
fn parts_sent_at_the_same_time_are_all_kept() {
    let machine = Machine::with_vault();
    let upload = machine.initiate(MIB);
    let whole = pattern(24 * MIB);
    machine.send_together(whole.chunks(MIB).enumerate().map(|(i, bytes)| part(&upload, i * MIB, bytes.to_vec())));
    let listed = machine.send(get(&upload)).json();
    assert_eq!(listed["Parts"].as_array().unwrap().len(), 24);
    machine.send(complete(&upload, &whole)).archive_id();
}
