//! Inventories in JSON: an object with a list of archives. Keys come in any order, and those that are not known are
//! skipped with what is in them.

use super::events::{Event, Events};
use super::{ArchiveEntry, Input, InventoryError, InventoryHead, Place, Problem, field, read_date};
use crate::glacier::ArchiveId;
use crate::tree_hash::TreeHash;

const VAULT_ARN: &str = "VaultARN";
const INVENTORY_DATE: &str = "InventoryDate";
const ARCHIVE_LIST: &str = "ArchiveList";

const OF_INVENTORY: &[&str] = &[VAULT_ARN, INVENTORY_DATE, ARCHIVE_LIST];
const OF_ARCHIVE: &[&str] =
    &[field::ARCHIVE_ID, field::DESCRIPTION, field::CREATION_DATE, field::SIZE, field::TREE_HASH];

/// A document on its way in.
#[derive(Debug, Default)]
pub(super) struct Document {
    events: Events,
    inventory: Inventory,
}

impl Document {
    pub(super) fn poll(&mut self, input: &mut Input) -> Result<Option<ArchiveEntry>, InventoryError> {
        while let Some(event) = self.events.next(input)? {
            let place = self.inventory.place();
            let archive = self.inventory.take(event).map_err(|problem| InventoryError { place, problem })?;
            if archive.is_some() {
                return Ok(archive);
            }
        }
        Ok(None)
    }

    pub(super) fn head(&self) -> InventoryHead {
        self.inventory.head.clone()
    }
}

/// What the events so far have said.
#[derive(Debug, Default)]
struct Inventory {
    position: Position,
    /// The key whose value comes next, if it is known.
    key: Option<&'static str>,
    /// Objects and lists that have begun inside of what is skipped and not ended.
    skipping: u32,
    head: InventoryHead,
    has_list: bool,
    /// Archives that have ended.
    archives: u64,
    /// The archive that has not.
    draft: Draft,
}

#[derive(Clone, Copy, Debug, Default)]
enum Position {
    #[default]
    Start,
    Inventory,
    List,
    Archive,
    End,
}

impl Inventory {
    fn place(&self) -> Place {
        match self.position {
            Position::List | Position::Archive => Place::Archive(self.archives + 1),
            Position::Start | Position::Inventory | Position::End => Place::Whole,
        }
    }

    /// The archive that this event ends.
    fn take(&mut self, event: Event<'_>) -> Result<Option<ArchiveEntry>, Problem> {
        if self.skipping > 0 {
            match event {
                Event::BeginObject | Event::BeginList => self.skipping += 1,
                Event::End => self.skipping -= 1,
                _ => {}
            }
            return Ok(None);
        }
        match (self.position, event) {
            (Position::Start, Event::BeginObject) => self.position = Position::Inventory,
            (Position::Inventory, Event::Key(key)) => self.key = known(key, OF_INVENTORY),
            (Position::Inventory, Event::End) if self.has_list => self.position = Position::End,
            (Position::Inventory, Event::End) => return Err(Problem::Missing { field: ARCHIVE_LIST }),
            (Position::Inventory, value) => self.read_member(value)?,
            (Position::List, Event::BeginObject) => self.position = Position::Archive,
            (Position::List, Event::End) => self.position = Position::Inventory,
            (Position::Archive, Event::Key(key)) => self.key = known(key, OF_ARCHIVE),
            (Position::Archive, Event::End) => {
                self.position = Position::List;
                self.archives += 1;
                return std::mem::take(&mut self.draft).finish().map(Some);
            }
            (Position::Archive, value) => match self.key {
                Some(key) => self.draft.read(key, value)?,
                None => self.skip(value),
            },
            (Position::Start | Position::List | Position::End, _) => return Err(Problem::NotInventory),
        }
        Ok(None)
    }

    fn read_member(&mut self, value: Event<'_>) -> Result<(), Problem> {
        match (self.key, value) {
            (Some(ARCHIVE_LIST), _) if self.has_list => return Err(Problem::Twice { field: ARCHIVE_LIST }),
            (Some(ARCHIVE_LIST), Event::BeginList) => (self.position, self.has_list) = (Position::List, true),
            (Some(field @ ARCHIVE_LIST), _) => return Err(Problem::Unreadable { field }),
            (Some(VAULT_ARN), value) => set(&mut self.head.vault_arn, VAULT_ARN, text(value, as_it_is))?,
            (Some(_), value) => set(&mut self.head.inventory_date_ms, INVENTORY_DATE, text(value, read_date))?,
            (None, value) => self.skip(value),
        }
        Ok(())
    }

    fn skip(&mut self, value: Event<'_>) {
        if matches!(value, Event::BeginObject | Event::BeginList) {
            self.skipping = 1;
        }
    }
}

/// An archive of which not all is read.
#[derive(Debug, Default)]
struct Draft {
    archive_id: Option<ArchiveId>,
    description: Option<String>,
    created_at_ms: Option<u64>,
    size: Option<u64>,
    tree_hash: Option<TreeHash>,
}

impl Draft {
    fn read(&mut self, key: &'static str, value: Event<'_>) -> Result<(), Problem> {
        match key {
            field::ARCHIVE_ID => set(&mut self.archive_id, key, text(value, |text| ArchiveId::new(text).ok())),
            field::DESCRIPTION => set(&mut self.description, key, text(value, as_it_is)),
            field::CREATION_DATE => set(&mut self.created_at_ms, key, text(value, read_date)),
            field::SIZE => set(&mut self.size, key, number(&value)),
            _ => set(&mut self.tree_hash, key, text(value, |text| TreeHash::from_hex(text).ok())),
        }
    }

    fn finish(self) -> Result<ArchiveEntry, Problem> {
        let missing = |field| Problem::Missing { field };
        Ok(ArchiveEntry {
            archive_id: self.archive_id.ok_or(missing(field::ARCHIVE_ID))?,
            description: self.description.unwrap_or_default(),
            created_at_ms: self.created_at_ms.ok_or(missing(field::CREATION_DATE))?,
            size: self.size.ok_or(missing(field::SIZE))?,
            tree_hash: self.tree_hash.ok_or(missing(field::TREE_HASH))?,
        })
    }
}

fn known(key: &str, names: &[&'static str]) -> Option<&'static str> {
    names.iter().copied().find(|name| *name == key)
}

/// A value as it was read: `Some(None)` for `null`, which is as good as no value; `None` where it is not in its form.
type Read<T> = Option<Option<T>>;

fn text<T>(value: Event<'_>, read: impl FnOnce(&str) -> Option<T>) -> Read<T> {
    match value {
        Event::Text(text) => read(text).map(Some),
        Event::Null => Some(None),
        _ => None,
    }
}

fn as_it_is(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn number(value: &Event<'_>) -> Read<u64> {
    match value {
        Event::Number(number) => number.map(Some),
        Event::Null => Some(None),
        _ => None,
    }
}

fn set<T>(slot: &mut Option<T>, field: &'static str, value: Read<T>) -> Result<(), Problem> {
    match (value, slot.is_some()) {
        (None, _) => return Err(Problem::Unreadable { field }),
        (Some(_), true) => return Err(Problem::Twice { field }),
        (Some(value), false) => *slot = value,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn read(text: &str) -> Result<(Vec<ArchiveEntry>, InventoryHead), InventoryError> {
        let (mut document, mut input, mut archives) = (Document::default(), Input::default(), Vec::new());
        input.push(text.as_bytes());
        input.ended = true;
        while let Some(archive) = document.poll(&mut input)? {
            archives.push(archive);
        }
        Ok((archives, document.head()))
    }

    fn archive(changes: &[(&str, &str)]) -> String {
        let usual = [
            ("ArchiveId", "\"A-_9\""),
            ("ArchiveDescription", "\"my photos\""),
            ("CreationDate", "\"2011-12-12T14:19:01.5Z\""),
            ("Size", "7"),
            ("SHA256TreeHash", &format!("\"{HASH}\"")),
        ];
        let changed = |key: &str| changes.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        let member = |(key, value): (&str, &str)| format!("\"{key}\":{}", changed(key).unwrap_or(value));
        let added = changes.iter().copied().filter(|(key, _)| usual.iter().all(|(name, _)| name != key));
        let left_out = |(_, value): &(&str, &str)| !value.is_empty();
        let usual = usual.into_iter().filter(|(key, _)| changed(key) != Some(""));
        format!("{{{}}}", usual.chain(added.filter(left_out)).map(member).collect::<Vec<_>>().join(","))
    }

    fn inventory(archives: &[String]) -> String {
        format!(
            r#"{{"VaultARN":"arn:aws:glacier:us-east-1:012345678901:vaults/v","InventoryDate":"2011-12-12T14:19:01Z","ArchiveList":[{}]}}"#,
            archives.join(",")
        )
    }

    #[test]
    fn archives_and_what_the_inventory_says_of_itself_are_read() {
        let (archives, head) = read(&inventory(&[archive(&[]), archive(&[("Size", "0")])])).unwrap();
        assert_eq!(head.vault_arn.as_deref(), Some("arn:aws:glacier:us-east-1:012345678901:vaults/v"));
        assert_eq!(head.inventory_date_ms, Some(1_323_699_541_000));
        let [first, second] = archives.try_into().unwrap();
        assert_eq!((first.archive_id.as_str(), first.description.as_str()), ("A-_9", "my photos"));
        assert_eq!((first.created_at_ms, first.size, second.size), (1_323_699_541_500, 7, 0));
        assert_eq!(first.tree_hash.to_string(), HASH);
        assert_eq!(read(&inventory(&[])).unwrap().0, []);
    }

    #[test]
    fn order_and_unknown_keys_do_not_matter() {
        let odd = archive(&[("More", r#"{"ArchiveId":[1,{"Size":2}],"x":null}"#), ("Tier", "\"Bulk\""), ("n", "-1.5")]);
        let text = format!(
            r#" {{"Extra":[[{{"ArchiveList":[]}}]],"ArchiveList":[{odd}],"Marker":null,"VaultARN":null,"InventoryDate":"1970-01-01T00:00:00Z"}} "#
        );
        let (archives, head) = read(&text).unwrap();
        assert_eq!((archives.len(), archives[0].size), (1, 7));
        assert_eq!(head, InventoryHead { vault_arn: None, inventory_date_ms: Some(0) });
        for absent in ["", "null"] {
            let (archives, _) = read(&inventory(&[archive(&[("ArchiveDescription", absent)])])).unwrap();
            assert_eq!(archives[0].description, "");
        }
    }

    #[test]
    fn archives_that_are_none_say_which_and_why() {
        let unreadable = |field| Problem::Unreadable { field };
        let missing = |field| Problem::Missing { field };
        for (key, value, problem) in [
            ("ArchiveId", "\"\"", unreadable("ArchiveId")),
            ("ArchiveId", "7", unreadable("ArchiveId")),
            ("ArchiveId", "null", missing("ArchiveId")),
            ("ArchiveId", "", missing("ArchiveId")),
            ("ArchiveDescription", "[]", unreadable("ArchiveDescription")),
            ("CreationDate", "\"yesterday\"", unreadable("CreationDate")),
            ("CreationDate", "1323699541500", unreadable("CreationDate")),
            ("CreationDate", "", missing("CreationDate")),
            ("Size", "\"7\"", unreadable("Size")),
            ("Size", "-7", unreadable("Size")),
            ("Size", "7.5", unreadable("Size")),
            ("Size", "18446744073709551616", unreadable("Size")),
            ("Size", "", missing("Size")),
            ("SHA256TreeHash", "\"abc\"", unreadable("SHA256TreeHash")),
            ("SHA256TreeHash", "{}", unreadable("SHA256TreeHash")),
            ("SHA256TreeHash", "null", missing("SHA256TreeHash")),
            ("more\":1,\"Size", "8", Problem::Twice { field: "Size" }),
        ] {
            let error = read(&inventory(&[archive(&[]), archive(&[(key, value)])])).unwrap_err();
            assert_eq!(error, InventoryError { place: Place::Archive(2), problem }, "{key} {value}");
        }
        for other in ["[]", "null", "\"x\"", "7"] {
            let error = read(&inventory(&[other.to_owned()])).unwrap_err();
            assert_eq!(error, InventoryError { place: Place::Archive(1), problem: Problem::NotInventory }, "{other}");
        }
    }

    #[test]
    fn documents_that_are_no_inventory_are_refused() {
        let list = Problem::Missing { field: "ArchiveList" };
        for (text, problem) in [
            ("[]", Problem::NotInventory),
            ("null", Problem::NotInventory),
            ("{}", list),
            (r#"{"JobList":[],"Marker":null}"#, list),
            (r#"{"ArchiveList":null}"#, Problem::Unreadable { field: "ArchiveList" }),
            (r#"{"ArchiveList":{}}"#, Problem::Unreadable { field: "ArchiveList" }),
            (r#"{"ArchiveList":[],"ArchiveList":[]}"#, Problem::Twice { field: "ArchiveList" }),
            (r#"{"InventoryDate":"now","ArchiveList":[]}"#, Problem::Unreadable { field: "InventoryDate" }),
            (r#"{"VaultARN":7,"ArchiveList":[]}"#, Problem::Unreadable { field: "VaultARN" }),
        ] {
            assert_eq!(read(text), Err(InventoryError::whole(problem)), "{text}");
        }
        let error = read("<!doctype html>").unwrap_err();
        assert_eq!(error, InventoryError { place: Place::Byte(0), problem: Problem::Syntax });
        let error = read(r#"{"ArchiveList":[]}{"ArchiveList":[]}"#).unwrap_err();
        assert_eq!(error, InventoryError { place: Place::Byte(18), problem: Problem::Syntax });
    }
}
