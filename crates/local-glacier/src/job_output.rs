//! GetJobOutput: the bytes of a retrieval or the document of an inventory, whole or a range of it.
//!
//! **Source:** API reference, GetJobOutput.

use glacier_core::ByteRange;
use glacier_core::glacier::{VaultName, header};
use glacier_core::range::parse_decimal;
use http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE};

use crate::answer::Answer;
use crate::error::{self, Refusal};
use crate::glacier::Glacier;
use crate::head::Head;
use crate::send::Outgoing;
use crate::store::{Format, JobId, Retrieval, Store, StoreError, Task};

/// What to send, once the disk has been asked.
struct Found {
    reader: crate::store::OutputReader,
    /// Of the output that is sent.
    range: ByteRange,
    /// Bytes of the whole output.
    total: u64,
    content_type: &'static str,
    description: Option<String>,
    tree_hash: Option<String>,
}

impl Glacier {
    pub(crate) async fn get_job_output(&self, vault: VaultName, id: JobId, head: &Head<'_>) -> Result<Answer, Refusal> {
        let text = head.header("range")?.map(str::to_owned);
        let asked = match &text {
            Some(text) => Some(AskedRange::parse(text).ok_or_else(|| error::invalid_range(text))?),
            None => None,
        };
        let (name, job_id) = (vault.clone(), id.clone());
        let found = self.blocking(move |store| find(store, &name, &job_id, asked)).await;
        let found = found.map_err(|error| self.job_refusal(error, &vault, &id))?;
        let Some(found) = found else { return Err(error::invalid_range(text.as_deref().unwrap_or_default())) };

        let mut answer = Answer::output(Outgoing::new(found.reader, found.range.len()), asked.is_some())
            .with(CONTENT_TYPE, found.content_type.into())
            .with(ACCEPT_RANGES, "bytes".into());
        if asked.is_some() {
            answer = answer.with(CONTENT_RANGE, format!("bytes {}/{}", found.range.inclusive(), found.total));
        }
        if let Some(tree_hash) = found.tree_hash {
            answer = answer.with_name(header::TREE_HASH, tree_hash);
        }
        if let Some(description) = found.description {
            answer = answer.with_name(header::ARCHIVE_DESCRIPTION, description);
        }
        Ok(answer)
    }
}

/// Finds the output. `None`: it has not one byte of the range that is asked for.
fn find(store: &Store, vault: &VaultName, id: &JobId, asked: Option<AskedRange>) -> Result<Option<Found>, StoreError> {
    let output = store.job_output(vault, id)?;
    let total = output.len;
    let range = match asked {
        Some(asked) => asked.of(total),
        None => ByteRange::new(0, total),
    };
    let Some(range) = range else { return Ok(None) };
    Ok(Some(match output.job.task {
        Task::Retrieval(retrieval) => {
            // Ranges of the output count from its beginning.
            let start = retrieval.range.start();
            let in_archive = ByteRange::new(start + range.start(), start + range.end());
            let in_archive = in_archive.ok_or(StoreError::JobNotReady)?; // the range is inside the output
            let tree_hash = tree_hash(store, &retrieval, range, in_archive)?;
            Found {
                reader: store.read_retrieval(&retrieval, in_archive)?,
                range,
                total,
                content_type: "application/octet-stream",
                description: retrieval.archive_description,
                tree_hash,
            }
        }
        Task::Inventory(inventory) => Found {
            reader: store.read_inventory(&inventory, range)?,
            range,
            total,
            content_type: match inventory.query.format {
                Format::Csv => "text/csv",
                Format::Json => "application/json",
            },
            description: None,
            tree_hash: None,
        },
    }))
}

/// The tree hash of what is sent, where both the retrieved range is a node of the archive's tree and what is sent of it
/// is a node of the tree over that range. Then it is one of the archive's tree as well.
fn tree_hash(
    store: &Store,
    retrieval: &Retrieval,
    of_output: ByteRange,
    in_archive: ByteRange,
) -> Result<Option<String>, StoreError> {
    let Some(whole) = retrieval.tree_hash else { return Ok(None) };
    if in_archive == retrieval.range {
        return Ok(Some(whole.to_string()));
    }
    if !of_output.is_tree_hash_aligned(retrieval.range.len()) {
        return Ok(None);
    }
    Ok(Some(store.tree_hash(retrieval, in_archive)?.to_string()))
}

/// The header `Range`, of which there is one range in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AskedRange {
    /// `bytes=a-b`
    FromTo(ByteRange),
    /// `bytes=a-`
    From(u64),
    /// `bytes=-n`
    Last(u64),
}

impl AskedRange {
    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
        match (first, last) {
            ("", last) => parse_decimal(last).map(Self::Last),
            (first, "") => parse_decimal(first).map(Self::From),
            (first, last) => ByteRange::from_inclusive(parse_decimal(first)?, parse_decimal(last)?).map(Self::FromTo),
        }
    }

    /// What there is of it in an output of `total` bytes: clients ask for whole chunks past the end.
    fn of(self, total: u64) -> Option<ByteRange> {
        match self {
            Self::FromTo(range) => ByteRange::new(range.start(), range.end().min(total)),
            Self::From(first) => ByteRange::new(first, total),
            Self::Last(count) => ByteRange::new(total.saturating_sub(count), total),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_cut_to_what_there_is() {
        for (text, of_ten) in [
            ("bytes=0-0", Some((0, 1))),
            ("bytes=0-9", Some((0, 10))),
            ("bytes=3-1048575", Some((3, 10))),
            ("bytes=9-", Some((9, 10))),
            ("bytes=-4", Some((6, 10))),
            ("bytes=-40", Some((0, 10))),
            ("bytes=-0", None),
            ("bytes=10-", None),
            ("bytes=10-11", None),
            ("bytes=18446744073709551614-18446744073709551614", None),
        ] {
            let range = AskedRange::parse(text).unwrap().of(10);
            assert_eq!(range.map(|range| (range.start(), range.end())), of_ten, "{text}");
        }
    }

    #[test]
    fn other_forms_are_no_ranges() {
        for bad in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-1",
            "bytes 0-1",
            "bytes=0-1,3-4",
            "items=0-1",
            "0-1",
            "bytes=+0-1",
            "bytes=0-1e3",
            "bytes=0 - 1",
            "bytes=a-b",
            "bytes=--1",
            "bytes=0-99999999999999999999",
            "bytes=18446744073709551615-18446744073709551615",
        ] {
            assert_eq!(AskedRange::parse(bad), None, "{bad:?}");
        }
    }
}
