//! Ways of spoiling texts, JSON and bytes, from a seed.

use serde_json::{Map, Number, Value, json};

/// xorshift64*: the same numbers for the same seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        // Neighbouring seeds should not begin alike, and zero would stay zero.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % count as u64).unwrap()
    }

    pub(crate) fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// Texts that are legal somewhere, or nowhere.
const TEXTS: [&str; 44] = [
    "",
    " ",
    "-",
    "0",
    "-1",
    "+1",
    "1.5",
    "1e9",
    "0x10",
    "007",
    "1001",
    "1048576",
    "4294967296",
    "4294967297",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999999999999999",
    "٣",
    "null",
    "NaN",
    "\u{0}",
    "\u{202e}\u{10ffff}",
    "Í",
    "..",
    "../../etc/passwd",
    "a%2Fb",
    "%",
    "%zz",
    "%00",
    "%ff%fe",
    "';DROP TABLE vaults;--",
    "0-0",
    "1-0",
    "0-18446744073709551615",
    "18446744073709551615-18446744073709551615",
    "bytes=-18446744073709551615",
    "bytes=18446744073709551614-",
    "bytes 18446744073709551614-18446744073709551615/*",
    "9999-12-31T23:59:59.999-23:59",
    "0000-01-01T00:00:00+23:59",
    "9223372036854775807_9223372036854775807",
    "-9223372036854775808_0",
];

/// Another text: of the list, or the old one with a piece out, in, or twice.
pub(crate) fn spoil_text(text: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let at = random.below(letters.len() + 1);
    match random.below(8) {
        0 | 1 => return random.one_of(&TEXTS).to_owned(),
        2 => letters.truncate(at),
        3 => letters.splice(at..at, random.one_of(&TEXTS).chars()).for_each(drop),
        4 => letters.extend(letters.clone()),
        5 => letters.splice(at..at, std::iter::repeat_n('x', 3000)).for_each(drop),
        6 => letters.reverse(),
        _ => {
            let letter = char::from_u32(u32::try_from(random.below(0x250)).unwrap()).unwrap_or('x');
            match letters.get_mut(at) {
                Some(place) => *place = letter,
                None => letters.push(letter),
            }
        }
    }
    letters.into_iter().collect()
}

/// A value of any type.
fn value(random: &mut Random) -> Value {
    match random.below(12) {
        0 => Value::Null,
        1 => json!(random.below(2) == 0),
        2 => json!([]),
        3 => json!({}),
        4 => json!([null, [], {}, [[0]]]),
        5 => json!(u64::MAX),
        6 => json!(i64::MIN),
        7 => Number::from_f64(random.one_of(&[1.5e300, -0.0, 1e-300, 0.1, 1e18])).map_or(Value::Null, Value::Number),
        8 => json!(vec!["a"; random.below(200)]),
        9 => (0..random.below(200)).map(|key| (format!("key {key}"), json!("v"))).collect::<Map<_, _>>().into(),
        _ => json!(random.one_of(&TEXTS)),
    }
}

/// Spoils one place of a document, also inside a text that is itself JSON, as policies are.
pub(crate) fn spoil_document(document: &mut Value, random: &mut Random) {
    if random.below(6) == 0 {
        *document = value(random);
        return;
    }
    match document {
        Value::Object(fields) if !fields.is_empty() => {
            let name = random.one_of(&fields.keys().cloned().collect::<Vec<_>>());
            match random.below(8) {
                0 => drop(fields.remove(&name)),
                1 => {
                    let moved = fields.remove(&name).unwrap_or_default();
                    fields.insert(spoil_text(&name, random), moved);
                }
                2 => drop(fields.insert(random.one_of(&TEXTS).into(), value(random))),
                _ => spoil_document(&mut fields[&name], random),
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let at = random.below(items.len());
            match random.below(6) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                2 => items.push(value(random)),
                _ => spoil_document(&mut items[at], random),
            }
        }
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(mut inner) if inner.is_object() && random.below(8) != 0 => {
                for _ in 0..=random.below(3) {
                    spoil_document(&mut inner, random);
                }
                *text = inner.to_string();
            }
            _ => *text = spoil_text(text, random),
        },
        other => *other = value(random),
    }
}

/// Bytes that a JSON library would never write.
pub(crate) fn spoil_bytes(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    let at = random.below(bytes.len() + 1);
    match random.below(10) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, u8::try_from(random.below(256)).unwrap()),
        2 => {
            if let Some(place) = bytes.get_mut(at) {
                *place = u8::try_from(random.below(256)).unwrap();
            }
        }
        3 => bytes = nested(random.one_of(&[10, 127, 128, 129, 30_000]), b"[", b"]"),
        4 => bytes = nested(random.one_of(&[10, 127, 128, 129, 6_000]), b"{\"Type\":", b"}"),
        5 => replace(&mut bytes, b"\"", b"\"\\ud800", at), // half a surrogate pair
        6 => replace(&mut bytes, b"\"", b"\"\xff\xc3\x28", at),
        7 => replace(&mut bytes, b"{", br#"{"Type":"select","Type":"inventory-retrieval","Policy":1,"Tags":{},"#, 0),
        8 => replace(&mut bytes, b":", b":1e999999,\"n\":", at),
        _ => bytes.extend_from_slice(&[b' '; 70_000]),
    }
    bytes
}

fn nested(depth: usize, open: &[u8], close: &[u8]) -> Vec<u8> {
    [open.repeat(depth), b"1".to_vec(), close.repeat(depth)].concat()
}

/// Replaces the first `old` from `at` on.
fn replace(bytes: &mut Vec<u8>, old: &[u8], new: &[u8], at: usize) {
    let found = bytes[at.min(bytes.len())..].windows(old.len()).position(|window| window == old);
    if let Some(found) = found {
        let start = at + found;
        bytes.splice(start..start + old.len(), new.iter().copied());
    }
}
