//! Writes inventories as the service does: descriptions in CSV always in quotes, a quote inside as `\"`, and a backslash
//! as it is.

use glacier_core::TreeHash;
use glacier_core::glacier::ArchiveId;
use glacier_core::inventory::ArchiveEntry;
use serde_json::{Value, json};

use crate::rng::Rng;

pub const HEADING: &str = "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash";

/// Pieces that descriptions are made of.
const PIECES: [&str; 14] = [
    ",",
    "\"",
    "\\",
    "\\\"",
    "\"\"",
    "\",\"",
    "\\\\",
    " ",
    "a",
    "photos of 2012",
    "\",",
    ",\"",
    "{\"Size\":1}",
    "x,\"y\",2012-05-15T17:21:39.339Z,1,00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
];

/// So many archives with descriptions that are hard to read, dated to the millisecond in 1970 to 2116.
pub fn archives(rng: &mut Rng, n: u64) -> Vec<ArchiveEntry> {
    (0..n).map(|_| archive(rng)).collect()
}

fn archive(rng: &mut Rng) -> ArchiveEntry {
    let mut description = String::new();
    for _ in 0..rng.below(7) {
        description.push_str(rng.one_of(&PIECES));
    }
    let id: String = (0..46).map(|_| char::from(b"-_09azAZ"[usize::try_from(rng.below(8)).unwrap()])).collect();
    ArchiveEntry {
        archive_id: ArchiveId::new(id.repeat(3)).unwrap(),
        description,
        created_at_ms: rng.below(1 << 42),
        size: rng.next() >> rng.below(64),
        tree_hash: TreeHash::of(&rng.next().to_be_bytes()),
    }
}

/// By another calendar than the one under test.
fn date(ms: u64) -> String {
    let (days, ms_of_day) = (ms / 86_400_000, ms % 86_400_000);
    let (mut year, mut day) = (1970, days);
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while day >= lengths[month] {
        day -= lengths[month];
        month += 1;
    }
    let (seconds, ms) = (ms_of_day / 1000, ms_of_day % 1000);
    let time = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = if ms == 0 { String::new() } else { format!(".{ms:03}") };
    format!("{year}-{:02}-{:02}T{time}{fraction}Z", month + 1, day + 1)
}

pub fn json_archive(archive: &ArchiveEntry) -> String {
    json!({
        "ArchiveId": archive.archive_id.as_str(),
        "ArchiveDescription": archive.description,
        "CreationDate": date(archive.created_at_ms),
        "Size": archive.size,
        "SHA256TreeHash": archive.tree_hash.to_string(),
    })
    .to_string()
}

pub fn json(archives: &[ArchiveEntry]) -> String {
    let list: Vec<String> = archives.iter().map(json_archive).collect();
    format!(
        r#"{{"VaultARN":"arn:aws:glacier:us-east-1:012345678901:vaults/v","InventoryDate":"2011-12-12T14:19:01Z","ArchiveList":[{}]}}"#,
        list.join(",")
    )
}

pub fn csv_line(archive: &ArchiveEntry) -> String {
    let description = archive.description.replace('"', "\\\"");
    let ArchiveEntry { archive_id, size, tree_hash, .. } = archive;
    format!("{archive_id},\"{description}\",{},{size},{tree_hash}", date(archive.created_at_ms))
}

pub fn csv(archives: &[ArchiveEntry], line_end: &str) -> String {
    let lines = std::iter::once(HEADING.to_owned()).chain(archives.iter().map(csv_line));
    lines.map(|line| line + line_end).collect()
}

/// JSON text of a document, written in another way.
pub struct Text;

impl Text {
    /// Every character of every string as `\u` and four digits.
    pub fn escaping_everything(value: &Value) -> String {
        let string = |text: &str| {
            let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
            format!("\"{units}\"")
        };
        match value {
            Value::String(text) => string(text),
            Value::Array(items) => {
                format!("[{}]", items.iter().map(Self::escaping_everything).collect::<Vec<_>>().join(" ,\n"))
            }
            Value::Object(members) => {
                let member = |(key, value): (&String, &Value)| {
                    format!("{}\t:\r{}", string(key), Self::escaping_everything(value))
                };
                format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(","))
            }
            other => other.to_string(),
        }
    }
}
