//! Inventories with something wrong, and what another reader of JSON says of them.

use glacier_core::glacier::ArchiveId;
use glacier_core::glacier::initiate_job::InventoryFormat;
use glacier_core::inventory::{ArchiveEntry, InventoryError, Problem};
use glacier_core::{TreeHash, date};
use serde_json::Value;

use crate::encoder;
use crate::rng::Rng;

/// Bytes that mean something in either format.
const SPICES: &[u8] = b"\"\\,:{}[]\n\r \t0-1.eEu+tfn\0\x7f\x80\xc3\xff";

/// An inventory with a few bytes changed, lost, added, repeated or swapped; sometimes nothing but bytes.
pub fn output(format: InventoryFormat, rng: &mut Rng) -> Vec<u8> {
    if rng.chance(50) {
        return (0..rng.below(300)).map(|_| rng.next().to_le_bytes()[0]).collect();
    }
    if rng.chance(50) {
        return (0..rng.below(300)).map(|_| spice(rng)).collect();
    }
    let n = rng.below(4);
    let archives = encoder::archives(rng, n);
    let mut output = match format {
        InventoryFormat::Csv => encoder::csv(&archives, if rng.chance(500) { "\n" } else { "\r\n" }),
        InventoryFormat::Json => encoder::json(&archives),
    }
    .into_bytes();
    for _ in 0..rng.below(4) {
        if !output.is_empty() {
            damage(&mut output, rng);
        }
    }
    output
}

fn damage(output: &mut Vec<u8>, rng: &mut Rng) {
    let at = usize::try_from(rng.below(output.len() as u64)).unwrap();
    let end = (at + usize::try_from(rng.below(40)).unwrap()).min(output.len());
    match rng.below(7) {
        0 => output[at] = spice(rng),
        1 => output[at] ^= 1 << rng.below(8),
        2 => output.insert(at, spice(rng)),
        3 => drop(output.drain(at..end)),
        4 => output.truncate(at),
        5 => {
            let repeated = output[at..end].to_vec();
            output.splice(at..at, repeated);
        }
        _ => output[at..end].reverse(),
    }
}

fn spice(rng: &mut Rng) -> u8 {
    rng.one_of(SPICES)
}

/// What serde_json parses and has the shape of an inventory is read as it is there, and nothing else is read at all.
pub fn compare_with_serde(output: &[u8], read: &(Vec<ArchiveEntry>, Option<InventoryError>), seed: u64) {
    let (archives, error) = read;
    let parsed = serde_json::from_slice::<Value>(output);
    let times = |field: &str| String::from_utf8_lossy(output).matches(&format!("\"{field}\"")).count();
    match (error.as_ref().map(|error| error.problem), parsed) {
        (Some(_), Err(_)) => {}
        // serde_json takes the last of two; we take neither, and look at both.
        (Some(Problem::Twice { field }), Ok(_)) => assert!(times(field) > 1, "seed {seed}"),
        (Some(Problem::Unreadable { field }), Ok(value)) => {
            let listed = inventory(&value).map_or(0, |archives| archives.len());
            assert!(listed == 0 || times(field) > listed, "seed {seed}: {field}");
        }
        (Some(problem), Ok(value)) => assert_eq!(inventory(&value), None, "seed {seed}: {problem:?}"),
        (None, Ok(value)) => assert_eq!(inventory(&value).as_ref(), Some(archives), "seed {seed}"),
        // It refuses numbers that an f64 does not hold, also where nobody asks for their value.
        (None, Err(error)) => assert!(error.to_string().contains("number out of range"), "seed {seed}: {error}"),
    }
}

fn inventory(value: &Value) -> Option<Vec<ArchiveEntry>> {
    let document = value.as_object()?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let or_null = |key: &str, legal: &dyn Fn(&Value) -> bool| document.get(key).is_none_or(|v| v.is_null() || legal(v));
    let is_date = |value: &Value| value.as_str().and_then(date::unix_ms).is_some_and(|ms| ms >= 0);
    if !or_null("VaultARN", &Value::is_string) || !or_null("InventoryDate", &is_date) {
        return None;
    }
    let archive = |value: &Value| {
        let archive = value.as_object()?;
        Some(ArchiveEntry {
            archive_id: ArchiveId::new(text(archive.get("ArchiveId")?)?).ok()?,
            description: match archive.get("ArchiveDescription") {
                None | Some(Value::Null) => String::new(),
                Some(other) => text(other)?,
            },
            created_at_ms: u64::try_from(date::unix_ms(archive.get("CreationDate")?.as_str()?)?).ok()?,
            size: archive.get("Size")?.as_u64()?,
            tree_hash: TreeHash::from_hex(archive.get("SHA256TreeHash")?.as_str()?).ok()?,
        })
    };
    document.get("ArchiveList")?.as_array()?.iter().map(archive).collect()
}
