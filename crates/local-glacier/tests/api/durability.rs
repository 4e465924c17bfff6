use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use glacier_core::PayloadHash;
use local_glacier::{Clock, OpenError, Pace, Store, StoreConfig};

use crate::client::{MIB, Machine, archive, complete, delete, get, part, pattern};

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
             INSERT INTO archives VALUES ('a', 1, 1, NULL, 3000, 7, zeroblob(32)), ('b', 1, 2, 'two', 4000, 5, zeroblob(32));
             INSERT INTO ended_uploads VALUES
                 ('kept', 1, 9000000000000, 'a', 7, zeroblob(32)), ('gone', 1, 9000000000002, 'c', 1, zeroblob(32)),
                 ('later', 1, 9000000000001, NULL, NULL, NULL), ('sooner', 1, 9000000000000, NULL, NULL, NULL),
                 ('other', 2, 9000000000000, NULL, NULL, NULL);",
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
        assert_eq!(version, 3);
        let mut notes = database.prepare("SELECT upload_id, spent FROM ended_uploads ORDER BY vault, spent").unwrap();
        let notes = notes.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let notes: Vec<(String, Option<i64>)> = notes.map(Result::unwrap).collect();
        let expected = [("kept", None), ("sooner", Some(1)), ("later", Some(2)), ("gone", Some(3)), ("other", Some(1))];
        assert_eq!(notes, expected.map(|(id, spent)| (id.to_owned(), spent)));
        assert!(folder.path().join("files/one").exists(), "no byte was touched");
    }
}

#[test]
fn a_folder_of_the_second_version_goes_on_where_it_was() {
    let machine = Machine::of_folder(|data| {
        let database = rusqlite::Connection::open(data.join("metadata.sqlite")).unwrap();
        database.execute_batch(include_str!("../vectors/version_2.sql")).unwrap();
        fs::create_dir(data.join("files")).unwrap();
        fs::write(data.join("files/357703128fe43d6285e4ed0e91ee16fa"), b"kept").unwrap();
    });
    // As late as it was written.
    machine.turn_clock(Duration::from_secs(1_795_291_400 - machine.now().as_unix()));
    let upload = |vault: &str, id: &str| format!("/-/vaults/{vault}/multipart-uploads/{id}");
    let kept =
        upload("demo", "1EvaX4YiBiVfg-G5a77fBN6l3WZEQxMejBnGnH0k5-Igpt1J9ALwR9WLbvltAE55xUbpr9M4c9XhStCTN8blelITXuql");
    let gone =
        upload("demo", "76tvU-uboH3tE5YxlpL67cLwHPWQT0GhSoFd6iWtvJA3ZGQfGJxRAjgpjMGkJc7KignaGWm4-YonpDqAyo5_DmMQHe6l");
    let aborted = [
        upload("demo", "LfjG6j8--AMtNGBrBlNYuyAvXU79nTLCw1u8FTGdFkcFk9qt2HYmmk1ZBiurqrpTCc_vfv3cwUGdS5sar_jVrYhbriVx"),
        upload("demo", "V-hxB8-ky1aC-9ct4o1nuNRI0HsH6143zeRGOvfMDeD11TJzw3HY6dJwDev8NUFNScF9vCtQCknGEjvXR3hkJa1Edj-6"),
        upload("films", "rx2Y6QgRt5uaOXXPXQjYgo8eE_md3HjsBLuFnd1AsCSI46nvLcVIXPBXv3IkTnyMIY1JxgoEq-io8Rru8yhRRcVEBP5B"),
    ];
    let open =
        upload("films", "dkjT_r4orrpGbHCVqvaUgHEbSr1tTFuqrLBl2B0a5a4BXhSxJEe6I3XgkJ7gS9UbLaaKRop9dvNWv-4uBgV5MYtuTOyH");
    let goes_on = |machine: &Machine| {
        assert!(machine.send(complete(&kept, b"kept")).archive_id().starts_with("U54tcmsCcumcB42l"));
        assert!(machine.send(complete(&gone, b"deleted")).archive_id().starts_with("OS9saK239N9Lv-uq"));
        for upload in &aborted {
            assert_eq!(machine.send(delete(upload)).status, 204, "{upload}");
        }
        assert_eq!(machine.send(get(&open)).status, 200);
    };
    goes_on(&machine);
    let machine = machine.restart();
    goes_on(&machine);
    // What there were too many of, by the bound of today, goes with the next.
    machine.store().bound_open_uploads(1);
    assert_eq!(machine.send(delete(&open)).status, 204);
    assert_eq!(machine.send(delete(&aborted[2])).status, 404);
    assert_eq!(machine.send(delete(&open)).status, 204);
    assert_eq!(machine.send(delete(&aborted[0])).status, 204, "another vault has its own");
}
