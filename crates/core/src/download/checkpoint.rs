//! What a download has delivered, as it is kept from one visit to the next.

use crate::error::{ErrorCode, UploadError};
use crate::json::Json;
use crate::part::MIB;
use crate::range::ByteRange;
use crate::tree_hash::TreeHash;

/// Of the form below. One that is written otherwise is not guessed at.
const VERSION: u64 = 1;

/// Bytes hashed by one worker at a time.
const CHECK_SIZE: u64 = 64 * MIB;

/// What a sink has taken of an output: `{version: 1, size, delivered: [[start, end, treeHash], ...]}`, of an object
/// `etag`, and of a part of either `range: [start, end]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Bytes in the output.
    pub len: u64,
    /// As [`Download::delivered`](super::Download::delivered) gives it.
    pub delivered: Vec<(ByteRange, TreeHash)>,
    /// Of an object: which one of all that have been under the same name.
    pub etag: Option<String>,
    /// Which bytes of the job's output or of the object the output is, where not all of them.
    pub range: Option<ByteRange>,
}

impl Checkpoint {
    /// What a delivered range is hashed in when it is checked: its nodes of at most 64 MiB, so that one file keeps
    /// several workers busy. Their hashes combine to the range's.
    pub fn parts_of(range: ByteRange) -> impl Iterator<Item = ByteRange> {
        let next = move |start: u64| ByteRange::new(start, (start + CHECK_SIZE).min(range.end()));
        std::iter::successors(next(range.start()), move |part| next(part.end()))
    }

    /// As plain data, which [`read`](Self::read) reads back.
    pub fn to_json(&self) -> Json {
        let ranges = self.delivered.iter().map(|(range, tree_hash)| {
            let hash = Json::Text(tree_hash.to_string());
            Json::List(vec![Json::Number(range.start()), Json::Number(range.end()), hash])
        });
        let mut members = vec![
            ("version".to_owned(), Json::Number(VERSION)),
            ("size".to_owned(), Json::Number(self.len)),
            ("delivered".to_owned(), Json::List(ranges.collect())),
        ];
        members.extend(self.etag.iter().map(|etag| ("etag".to_owned(), Json::Text(etag.clone()))));
        members.extend(self.range.map(|range| {
            ("range".to_owned(), Json::List(vec![Json::Number(range.start()), Json::Number(range.end())]))
        }));
        Json::Object(members)
    }

    /// Reads what [`to_json`](Self::to_json) wrote and anybody may have changed. Whether the ranges are those of the
    /// output is for [`Download::resume`](super::Download::resume) to say.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] for anything else.
    pub fn read(json: &Json) -> Result<Self, UploadError> {
        let invalid = |words: &str| {
            UploadError::new(ErrorCode::InvalidOption, format!("from is no checkpoint: {words}")).hint(
                "Give what the download's checkpoint was, unchanged, or leave it out to start from the beginning.",
            )
        };
        match json.number("version") {
            Some(VERSION) => {}
            Some(_) => return Err(invalid("it is of a version of this library that has another form")),
            None => return Err(invalid("it has no version")),
        }
        let len = json.number("size").ok_or_else(|| invalid("its size is no whole number of bytes"))?;
        let ranges = json.list("delivered").ok_or_else(|| invalid("its delivered is no list"))?;
        let delivered =
            ranges.iter().map(|range| read_range(range, len).ok_or_else(|| invalid("a range is malformed")));
        let etag = match json.get("etag") {
            None => None,
            Some(Json::Text(etag)) => Some(etag.clone()),
            Some(_) => return Err(invalid("its etag is no text")),
        };
        let range = match json.list("range") {
            None if json.get("range").is_none() => None,
            Some([Json::Number(start), Json::Number(end)]) => {
                Some(ByteRange::new(*start, *end).ok_or_else(|| invalid("its range is malformed"))?)
            }
            _ => return Err(invalid("its range is malformed")),
        };
        Ok(Self { len, delivered: delivered.collect::<Result<_, _>>()?, etag, range })
    }
}

fn read_range(json: &Json, len: u64) -> Option<(ByteRange, TreeHash)> {
    let Json::List(items) = json else { return None };
    let [Json::Number(start), Json::Number(end), Json::Text(tree_hash)] = items.as_slice() else { return None };
    let range = ByteRange::new(*start, *end).filter(|range| range.end() <= len)?;
    Some((range, TreeHash::from_hex(tree_hash).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree_hash;

    fn checkpoint() -> Checkpoint {
        let range = |first, last| ByteRange::new(first * MIB, last * MIB).unwrap();
        let hash = |byte| TreeHash::from_bytes([byte; 32]);
        Checkpoint {
            len: 9 * MIB,
            delivered: vec![(range(0, 4), hash(1)), (range(8, 9), hash(2))],
            etag: None,
            range: None,
        }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let written = checkpoint().to_json();
        let text = written.to_text();
        assert!(text.starts_with(r#"{"version":1,"size":9437184,"delivered":[[0,4194304,"0101"#), "{text}");
        assert_eq!(Checkpoint::read(&written), Ok(checkpoint()));
        let range = ByteRange::new(5, 6);
        let empty = Checkpoint { len: 1, delivered: Vec::new(), etag: Some("e-2".into()), range };
        assert_eq!(Checkpoint::read(&empty.to_json()), Ok(empty));
    }

    #[test]
    fn a_range_is_hashed_in_nodes_that_combine_to_it() {
        let leaf = |n: u64| TreeHash::from_bytes(crate::sha256::digest(&n.to_be_bytes()));
        let hash = |range: ByteRange| {
            let leaves: Vec<_> = (range.start() / MIB..range.end().div_ceil(MIB)).map(leaf).collect();
            tree_hash::combine(&leaves)
        };
        for (first, end) in [(0, MIB), (64 * MIB, 128 * MIB), (512 * MIB, 1024 * MIB), (512 * MIB, 775 * MIB - 3)] {
            let range = ByteRange::new(first, end).unwrap();
            let parts: Vec<_> = Checkpoint::parts_of(range).collect();
            assert!(parts.iter().all(|part| part.len() <= 64 * MIB));
            assert_eq!(parts.iter().map(|part| part.len()).sum::<u64>(), range.len());
            assert_eq!(tree_hash::combine(&parts.into_iter().map(hash).collect::<Vec<_>>()), hash(range));
        }
    }

    #[test]
    fn anything_else_is_no_checkpoint() {
        let Json::Object(members) = checkpoint().to_json() else { unreachable!() };
        let with = |key: &str, value: Option<Json>| {
            let mut members = members.clone();
            members.retain(|(name, _)| name != key);
            members.extend(value.map(|value| (key.to_owned(), value)));
            Json::Object(members)
        };
        let range = |items: &[Json]| with("delivered", Some(Json::List(vec![Json::List(items.to_vec())])));
        let hash = Json::Text("0a".repeat(32));
        for (bad, words) in [
            (Json::Null, "no version"),
            (Json::Text("{}".into()), "no version"),
            (with("version", Some(Json::Number(2))), "another form"),
            (with("size", None), "size"),
            (with("etag", Some(Json::Number(1))), "etag"),
            (with("range", Some(Json::Null)), "range"),
            (with("range", Some(Json::List(vec![Json::Number(5), Json::Number(5)]))), "range"),
            (with("delivered", None), "no list"),
            (with("delivered", Some(Json::List(vec![Json::Number(1)]))), "malformed"),
            (range(&[Json::Number(5), Json::Number(5), hash.clone()]), "malformed"),
            (range(&[Json::Number(0), Json::Number(10 * MIB), hash.clone()]), "malformed"),
            (range(&[Json::Number(0), Json::Number(MIB), Json::Text("0A".repeat(32))]), "malformed"),
            (range(&[Json::Number(0), Json::Number(MIB)]), "malformed"),
            (range(&[Json::Number(0), Json::Null, hash.clone()]), "malformed"),
            (range(&[Json::Number(0), Json::Number(MIB), hash.clone(), hash]), "malformed"),
        ] {
            let error = Checkpoint::read(&bad).unwrap_err();
            assert!(error.code == ErrorCode::InvalidOption && error.message.contains(words), "{error:?}");
        }
    }
}
