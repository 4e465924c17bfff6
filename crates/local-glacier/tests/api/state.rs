//! What a store holds, seen from outside.

use std::fs;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::client::{Machine, get, put};

impl Machine {
    /// Every file in the data folder that holds bytes of archives.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names = Vec::new();
        for folder in ["files", "incoming"] {
            for entry in fs::read_dir(self.folder.path().join("data").join(folder)).unwrap() {
                names.push(format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap()));
            }
        }
        names.sort();
        names
    }

    /// All rows of all tables, and all files: what a refusal must not change.
    pub(crate) fn state(&self) -> Vec<String> {
        let mut state = self.files();
        let database = self.database();
        let mut tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
        let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert!(tables.len() > 9, "{tables:?}");
        for table in tables {
            let mut rows = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns = rows.column_count();
            let mut rows = rows.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let values: Vec<ValueRef<'_>> = (0..columns).map(|column| row.get_ref(column).unwrap()).collect();
                state.push(format!("{table}: {values:?}"));
            }
        }
        state
    }

    /// How many rows a table has.
    pub(crate) fn rows(&self, table: &str) -> u64 {
        self.database().query_one(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    fn database(&self) -> Connection {
        let path = self.folder.path().join("data").join("metadata.sqlite");
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    }

    /// Watches the store from now on.
    pub(crate) fn watch(&self) -> Watch<'_> {
        let database = self.database();
        Watch { machine: self, version: version(&database), files: self.files(), database }
    }
}

/// A store as it was: quicker than all its rows.
pub(crate) struct Watch<'m> {
    machine: &'m Machine,
    database: Connection,
    version: i64,
    files: Vec<String>,
}

impl Watch<'_> {
    /// Whether nothing was committed to the database, and the files are the same.
    pub(crate) fn saw_nothing(&self) -> bool {
        version(&self.database) == self.version && self.machine.files() == self.files
    }
}

/// A number that is another one after each commit of another connection.
fn version(database: &Connection) -> i64 {
    database.pragma_query_value(None, "data_version", |row| row.get(0)).unwrap()
}

#[test]
fn what_changes_is_seen() {
    let machine = Machine::with_vault();
    let (before, watch) = (machine.state(), machine.watch());
    machine.send(get("/-/vaults/v"));
    assert!(watch.saw_nothing() && machine.state() == before);
    machine.send(put("/-/vaults/w"));
    assert!(!watch.saw_nothing() && machine.state() != before);
}
