use std::fs;
use std::os::unix::fs::PermissionsExt;

use glacier_core::PayloadHash;
use local_glacier::{Clock, OpenError, Pace, Store, StoreConfig};

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
    let second = Store::open(StoreConfig { data: data.clone(), clock: Clock::system(), pace: Pace::default() });
    assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
    drop(machine);
}

#[test]
fn a_folder_of_a_newer_version_or_with_links_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open =
        || Store::open(StoreConfig { data: folder.path().to_owned(), clock: Clock::system(), pace: Pace::default() });
    drop(open().unwrap());
    let database = rusqlite::Connection::open(folder.path().join("metadata.sqlite")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    assert!(matches!(open(), Err(OpenError::NewerSchema { found: 99 })));

    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("files")).unwrap();
    let opened =
        Store::open(StoreConfig { data: folder.path().to_owned(), clock: Clock::system(), pace: Pace::default() });
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

#[test]
fn a_folder_of_the_first_version_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let database = rusqlite::Connection::open(folder.path().join("metadata.sqlite")).unwrap();
    database.execute_batch(include_str!("../../src/store/schema.sql")).unwrap();
    database
        .execute_batch(
            "PRAGMA user_version = 1;
             INSERT INTO vaults (id, name, created) VALUES (1, 'full', 1000), (2, 'empty', 2000);
             INSERT INTO contents (id) VALUES (1), (2);
             INSERT INTO segments VALUES (1, 0, 7, 'one', zeroblob(32), zeroblob(32)), (2, 0, 5, 'two', zeroblob(32), zeroblob(32));
             INSERT INTO archives VALUES ('a', 1, 1, NULL, 3000, 7, zeroblob(32)), ('b', 1, 2, 'two', 4000, 5, zeroblob(32));",
        )
        .unwrap();
    drop(database);
    fs::create_dir(folder.path().join("files")).unwrap();
    for (name, bytes) in [("one", "1234567"), ("two", "12345")] {
        fs::write(folder.path().join("files").join(name), bytes).unwrap();
    }
    let open = || {
        Store::open(StoreConfig { data: folder.path().to_owned(), clock: Clock::system(), pace: Pace::default() })
            .unwrap()
    };
    for _ in 0..2 {
        drop(open());
        let database = rusqlite::Connection::open(folder.path().join("metadata.sqlite")).unwrap();
        let counted = |vault: &str| -> (i64, i64, Option<i64>) {
            let question = "SELECT archives, bytes, changed FROM vaults WHERE name = ?1";
            database.query_one(question, [vault], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
        };
        assert_eq!((counted("full"), counted("empty")), ((2, 12, Some(3000)), (0, 0, None)));
        let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, 2);
        assert!(folder.path().join("files/one").exists(), "no byte was touched");
    }
}
