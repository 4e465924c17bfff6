//! The options of a download, and how much of the machine it takes.

use super::gateway::GatewaySettings;
use super::ranges::byte_range;
use super::strict::{check_keys, invalid};
use crate::download::{Checkpoint, DownloadConfig, Limits, Source};
use crate::error::{ErrorCode, UploadError};
use crate::json::Json;
use crate::part::{MIB, PartSize};
use crate::range::ByteRange;
use crate::tree_hash::TreeHash;

/// All keys of `download`'s options. Functions and signals mean nothing to core, which only knows their names.
const KEYS: &[&str] = &["signal", "onProgress", "range", "treeHash", "rangeSize", "from"];

/// Most bytes in a range. It is held in one buffer, and browsers make none of 4 GiB.
const MAX_RANGE_SIZE: u64 = 1024 * MIB;
/// Bytes in a range where neither the caller nor the budget has a wish: as many as an upload prefers in a part.
const PREFERRED_RANGE_SIZE: u64 = 8 * MIB;
/// Places for each range being fetched: one is fetched while another is written.
const PLACES_EACH: u32 = 2;

/// Bytes in a range of an inventory: some 3,000 archives, which a page takes a moment to go through. Larger ones would
/// only lie in memory until it comes to them.
const INVENTORY_RANGE_SIZE: PartSize = PartSize::MIN;

/// Most bytes of an output that becomes a `Blob`. Browsers keep blobs in memory or on the disk as they like and tell
/// nobody when there is no room: WebKit and Firefox fail somewhere above this.
pub const MAX_BLOB: u64 = 512 * MIB;

/// What a download was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DownloadOptions {
    /// Which bytes of the job's output, or of the object; all unless given.
    pub range: Option<ByteRange>,
    /// Tree hash the output must have.
    pub expected: Option<TreeHash>,
    /// Bytes in every request but the last.
    pub range_size: Option<PartSize>,
    /// What an earlier visit delivered.
    pub from: Option<Checkpoint>,
}

impl DownloadOptions {
    /// Those of an inventory that is read archive by archive.
    pub fn of_inventory() -> Self {
        Self { range_size: Some(INVENTORY_RANGE_SIZE), ..Self::default() }
    }

    /// Reads the plain data among the options of `download`. Keys whose value is `undefined` must be left out.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] naming the key, [`ErrorCode::InvalidRange`].
    pub fn read(options: &Json) -> Result<Self, UploadError> {
        check_keys(options, "", KEYS, &[])?;
        Ok(Self {
            range: options.get("range").map(byte_range).transpose()?,
            expected: options.get("treeHash").map(tree_hash).transpose()?,
            range_size: options.get("rangeSize").map(range_size).transpose()?,
            from: options.get("from").map(Checkpoint::read).transpose()?,
        })
    }

    /// Puts what was asked for, and what the machine allows, into the configuration of a download.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] where one request brings more than the budget, and as [`DownloadConfig::only`].
    pub fn apply(&self, config: &mut DownloadConfig, settings: &GatewaySettings) -> Result<(), UploadError> {
        let memory_budget = settings.memory_budget;
        if let Some(range) = self.range {
            config.only(range)?;
        }
        config.expected = self.expected;
        config.retry = settings.retry;
        config.piece_size = match self.range_size {
            Some(size) if size.bytes() > memory_budget => {
                return Err(invalid("rangeSize", &format!("must not exceed memoryBudget, which is {memory_budget}")));
            }
            Some(size) => size,
            None => checksum_part_size(config)
                .filter(|size| size.bytes() <= memory_budget)
                .unwrap_or_else(|| default_range_size(memory_budget)),
        };
        config.limits = settings.download_share(config.piece_size, 1);
        Ok(())
    }
}

/// Of an object whose checksum is all there is to compare with, the size of the parts that it is over.
fn checksum_part_size(config: &DownloadConfig) -> Option<PartSize> {
    match &config.source {
        Source::Object(object) => {
            let is_all_there_is = object.head.tree_hash.or(config.expected).is_none() && config.range().is_none();
            object.checksum_part_size().filter(|_| is_all_there_is)
        }
        Source::Job { .. } => None,
    }
}

/// The preferred size, or the largest of which two fit the budget.
fn default_range_size(memory_budget: u64) -> PartSize {
    let fits = |size: &PartSize| size.bytes() <= PREFERRED_RANGE_SIZE.min(memory_budget / u64::from(PLACES_EACH));
    PartSize::all().filter(fits).last().unwrap_or(PartSize::MIN)
}

impl GatewaySettings {
    /// What one of `sharing` running downloads may use: at least one range, however many share.
    pub fn download_share(&self, range_size: PartSize, sharing: u32) -> Limits {
        let sharing = sharing.max(1);
        let affordable = self.memory_budget / u64::from(sharing) / range_size.bytes();
        let affordable = u32::try_from(affordable).unwrap_or(u32::MAX).max(1);
        let in_flight = (self.concurrency / sharing).clamp(1, affordable);
        Limits { in_flight, held: in_flight.saturating_mul(PLACES_EACH).min(affordable) }
    }
}

/// Whether an output of `len` bytes may become a `Blob`.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] where it is too large.
pub fn check_blob(len: u64) -> Result<(), UploadError> {
    if len <= MAX_BLOB {
        return Ok(());
    }
    let words = format!("The output has {len} bytes, and a Blob is made of 512 MiB at most");
    Err(UploadError::new(ErrorCode::InvalidOption, words)
        .hint("Say where it is to be written: give a FileSystemFileHandle or a WritableStream."))
}

fn tree_hash(value: &Json) -> Result<TreeHash, UploadError> {
    let wrong = || invalid("treeHash", "must be 64 lower-case hexadecimal digits");
    match value {
        Json::Text(text) => TreeHash::from_hex(text).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

fn range_size(value: &Json) -> Result<PartSize, UploadError> {
    match value {
        Json::Number(bytes) if *bytes <= MAX_RANGE_SIZE => PartSize::from_bytes(*bytes).ok(),
        _ => None,
    }
    .ok_or_else(|| invalid("rangeSize", "must be a power of two from 1 MiB to 1 GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_may_be_left_out() {
        assert_eq!(DownloadOptions::read(&Json::object([])), Ok(DownloadOptions::default()));
        let functions = Json::object([("signal", Json::object([])), ("onProgress", Json::Null)]);
        assert_eq!(DownloadOptions::read(&functions), Ok(DownloadOptions::default()));
    }

    #[test]
    fn what_is_given_is_read() {
        let from = Checkpoint { len: 5, delivered: Vec::new(), etag: None, range: None };
        let given = Json::object([
            ("range", Json::object([("start", Json::Number(5)), ("end", Json::Number(6))])),
            ("treeHash", Json::Text("0a".repeat(32))),
            ("rangeSize", Json::Number(MAX_RANGE_SIZE)),
            ("from", from.to_json()),
        ]);
        let read = DownloadOptions::read(&given).unwrap();
        assert_eq!(read.range, ByteRange::new(5, 6));
        assert_eq!(read.expected, Some(TreeHash::from_bytes([10; 32])));
        assert_eq!((read.range_size.map(PartSize::bytes), read.from), (Some(MAX_RANGE_SIZE), Some(from)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (key, value, message) in [
            ("rangesize", Json::Number(MIB), "there is no option \"rangesize\""),
            ("treeHash", Json::Text("0A".repeat(32)), "treeHash must be 64 lower-case hexadecimal digits"),
            ("treeHash", Json::Null, "treeHash must be 64 lower-case hexadecimal digits"),
            ("rangeSize", Json::Number(3 * MIB), "rangeSize must be a power of two from 1 MiB to 1 GiB"),
            ("rangeSize", Json::Number(2048 * MIB), "rangeSize must be a power of two from 1 MiB to 1 GiB"),
            ("rangeSize", Json::Text("8".into()), "rangeSize must be a power of two from 1 MiB to 1 GiB"),
            ("from", Json::Null, "from is no checkpoint: it has no version"),
        ] {
            let error = DownloadOptions::read(&Json::object([(key, value)])).unwrap_err();
            assert_eq!((error.code, error.message.as_str()), (ErrorCode::InvalidOption, message));
        }
        assert_eq!(DownloadOptions::read(&Json::Null).unwrap_err().message, "options must be an object");
    }

    #[test]
    fn ranges_fit_the_budget_twice_where_nobody_says_otherwise() {
        for (budget_mib, range_mib) in [(1, 1), (2, 1), (3, 1), (4, 2), (15, 4), (16, 8), (128, 8), (4096, 8)] {
            assert_eq!(default_range_size(budget_mib * MIB).bytes(), range_mib * MIB, "{budget_mib}");
        }
    }

    #[test]
    fn memory_stays_within_the_budget_whatever_is_asked() {
        let share = |concurrency, size, sharing| {
            let settings = GatewaySettings::read(&Json::object([("concurrency", Json::Number(concurrency))])).unwrap();
            settings.download_share(size, sharing)
        };
        for size in PartSize::all() {
            for concurrency in [1, 4, 16] {
                for sharing in [1, 2, 16] {
                    let limits = share(u64::from(concurrency), size, sharing);
                    let held = u64::from(limits.held) * size.bytes();
                    assert!(
                        limits.in_flight >= 1 && limits.in_flight <= limits.held && limits.in_flight <= concurrency
                    );
                    assert!(limits.held == 1 || held <= 128 * MIB / u64::from(sharing), "{size:?} {limits:?}");
                }
            }
        }
        let size = PartSize::from_bytes(8 * MIB).unwrap();
        assert_eq!(share(4, size, 1), Limits { in_flight: 4, held: 8 });
        assert_eq!(share(4, size, 9), Limits { in_flight: 1, held: 1 });
    }

    #[test]
    fn a_blob_has_an_end() {
        assert_eq!(check_blob(MAX_BLOB), Ok(()));
        assert_eq!(check_blob(MAX_BLOB + 1).unwrap_err().code, ErrorCode::InvalidOption);
    }
}
