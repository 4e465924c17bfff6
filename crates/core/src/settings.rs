//! The options of an uploader, read strictly: a misspelt key, a number out of range or of the wrong kind is an error
//! that names the key, not a default that is silently taken.

mod ranges;

pub use ranges::{RangeInArchive, byte_range};

use crate::error::{ErrorCode, UploadError};
use crate::glacier::{Description, VaultName};
use crate::json::Json;
use crate::part::{MIB, PartSize};
use crate::plan::{PREFERRED_PART_SIZE, PartPlan};
use crate::retry::RetryPolicy;
use crate::upload::Limits;

/// All keys of `createUploader`'s options. Those that are functions or addresses mean nothing to core, which only knows
/// their names.
const UPLOADER_KEYS: &[&str] = &[
    "endpoint",
    "sign",
    "target",
    "getHeaders",
    "partSize",
    "concurrency",
    "memoryBudget",
    "workers",
    "retry",
    "wasmUrl",
    "createWorker",
];
const TARGET_KEYS: &[&str] = &["vault"];
const RETRY_KEYS: &[&str] = &["maxAttempts", "baseDelayMs", "maxDelayMs"];
const TREE_HASH_KEYS: &[&str] = &["onProgress", "signal", "wasmUrl", "createWorker"];
const UPLOAD_KEYS: &[&str] = &["description", "signal"];

/// Parts in flight where the caller has no wish: browsers open six connections to a host, and two are left for the
/// page's own requests. Four reach nine tenths of the throughput of six (412 against 440 MB/s in 16 MiB parts).
const AUTO_CONCURRENCY: u32 = 4;
const MAX_CONCURRENCY: u64 = 16;
const MAX_WORKERS: u64 = 16;
/// Where the processor's cores are not known, and the most that `auto` takes: hashing and sending share them.
const AUTO_WORKERS: u32 = 2;
const MAX_AUTO_WORKERS: u32 = 4;
/// Sixteen parts of the preferred size.
const DEFAULT_MEMORY_BUDGET: u64 = 16 * PREFERRED_PART_SIZE;
/// Parts hashed ahead of those in flight, for each of them and at the most.
const MAX_HASH_AHEAD: u32 = 4;

/// Bytes that a worker sends out of its memory before another takes its place. Browsers keep the copy of a body that
/// they sent until the garbage collector runs, and nothing tells them that it is large: a 2 GiB file left 2 GiB behind.
/// Only the end of the worker frees it for certain. Starting one costs some 20 ms beside the others.
pub const WORKER_LIFE: u64 = 64 * MIB;

/// What an uploader was told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where archives go.
    pub vault: VaultName,
    /// Explicit part size, or `None` to plan one.
    pub part_size: Option<PartSize>,
    /// Parts in flight, all files together.
    pub concurrency: u32,
    /// Bytes of files in memory, all files together.
    pub memory_budget: u64,
    /// Web workers, or `None` to follow the processor.
    pub workers: Option<u32>,
    /// When a request is tried again.
    pub retry: RetryPolicy,
}

/// How an upload shares the uploader's budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// For the upload.
    pub limits: Limits,
    /// Whether hashed parts are kept in memory until they are sent. Otherwise they are read again.
    pub keep: bool,
}

impl Settings {
    /// Reads the plain data among the options of `createUploader`. Keys whose value is `undefined` must be left out.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] naming the key, [`ErrorCode::InvalidVaultName`], [`ErrorCode::InvalidPartSize`].
    pub fn read(options: &Json) -> Result<Self, UploadError> {
        check_keys(options, "", UPLOADER_KEYS)?;
        let target =
            options.get("target").ok_or_else(|| invalid("target", "must be an object with the vault's name"))?;
        check_keys(target, "target.", TARGET_KEYS)?;
        let vault = target.text("vault").ok_or_else(|| invalid("target.vault", "must be the vault's name"))?;
        Ok(Self {
            vault: VaultName::new(vault)?,
            part_size: part_size(options)?,
            concurrency: whole_or_auto(options, "concurrency", 1, MAX_CONCURRENCY)?.unwrap_or(AUTO_CONCURRENCY),
            memory_budget: whole(options, "", "memoryBudget", MIB, 1 << 40)?.unwrap_or(DEFAULT_MEMORY_BUDGET),
            workers: whole_or_auto(options, "workers", 1, MAX_WORKERS)?,
            retry: retry(options)?,
        })
    }

    /// How a file of `size` bytes is cut.
    ///
    /// # Errors
    /// As [`PartPlan::auto`] and [`PartPlan::exact`].
    pub fn plan(&self, size: u64) -> Result<PartPlan, UploadError> {
        plan(size, self.part_size)
    }

    /// What one of `sharing` running uploads may use.
    pub fn share(&self, plan: &PartPlan, sharing: u32) -> Share {
        let sharing = sharing.max(1);
        let part_len = plan.part_size().bytes().min(plan.size());
        let wanted = (self.concurrency / sharing).max(1).min(plan.n_parts());
        let affordable = u32::try_from(self.memory_budget / u64::from(sharing) / part_len).unwrap_or(u32::MAX);
        if affordable < 2 {
            return Share { limits: Limits { in_flight: wanted, hash_ahead: 1 }, keep: false };
        }
        let in_flight = wanted.min(affordable - 1);
        let hash_ahead = (affordable - in_flight).min(in_flight).min(MAX_HASH_AHEAD);
        Share { limits: Limits { in_flight, hash_ahead }, keep: true }
    }

    /// How many uploads run at once: each has at least one part in flight.
    pub fn max_running(&self) -> u32 {
        self.concurrency
    }
}

/// Web workers for a processor of so many cores; 0 where it is not known.
pub fn workers(wanted: Option<u32>, cores: u64) -> u32 {
    let cores = u32::try_from(cores).unwrap_or(MAX_AUTO_WORKERS);
    wanted.unwrap_or(if cores == 0 { AUTO_WORKERS } else { cores.min(MAX_AUTO_WORKERS) })
}

/// Parts of `part_size`, or of the smallest size of at least 8 MiB that fits.
///
/// # Errors
/// As [`PartPlan::auto`] and [`PartPlan::exact`].
pub fn plan(size: u64, part_size: Option<PartSize>) -> Result<PartPlan, UploadError> {
    let plan = match part_size {
        Some(part_size) => PartPlan::exact(size, part_size),
        None => PartPlan::auto(size, PartSize::from_bytes(PREFERRED_PART_SIZE)?),
    };
    Ok(plan?)
}

/// Reads the plain data among the options of `add`.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] naming the key, [`ErrorCode::InvalidDescription`].
pub fn description(options: &Json) -> Result<Option<Description>, UploadError> {
    check_keys(options, "", UPLOAD_KEYS)?;
    match options.get("description") {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(Description::new(text.as_str())?)),
        Some(_) => Err(UploadError::new(ErrorCode::InvalidDescription, "the description must be text")),
    }
}

/// Checks that the options of `treeHash` have no key that means nothing.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] naming the key.
pub fn check_tree_hash_keys(options: &Json) -> Result<(), UploadError> {
    check_keys(options, "", TREE_HASH_KEYS)
}

fn part_size(options: &Json) -> Result<Option<PartSize>, UploadError> {
    match options.get("partSize") {
        None => Ok(None),
        Some(Json::Text(text)) if text == "auto" => Ok(None),
        Some(Json::Number(bytes)) => Ok(Some(PartSize::from_bytes(*bytes)?)),
        Some(_) => Err(UploadError::new(ErrorCode::InvalidPartSize, "partSize must be a number of bytes or \"auto\"")),
    }
}

fn retry(options: &Json) -> Result<RetryPolicy, UploadError> {
    let mut policy = RetryPolicy::default();
    let Some(retry) = options.get("retry") else {
        return Ok(policy);
    };
    check_keys(retry, "retry.", RETRY_KEYS)?;
    if let Some(attempts) = whole(retry, "retry.", "maxAttempts", 1, 100)? {
        policy.max_attempts = u32::try_from(attempts).unwrap_or(policy.max_attempts);
    }
    if let Some(base) = whole(retry, "retry.", "baseDelayMs", 1, 60_000)? {
        policy.base_ms = base;
    }
    if let Some(cap) = whole(retry, "retry.", "maxDelayMs", 1, 300_000)? {
        policy.cap_ms = cap;
    }
    Ok(policy)
}

fn whole_or_auto(options: &Json, key: &str, min: u64, max: u64) -> Result<Option<u32>, UploadError> {
    match options.get(key) {
        Some(Json::Text(text)) if text == "auto" => Ok(None),
        _ => Ok(whole(options, "", key, min, max)?.and_then(|number| u32::try_from(number).ok())),
    }
}

fn whole(options: &Json, prefix: &str, key: &str, min: u64, max: u64) -> Result<Option<u64>, UploadError> {
    match options.get(key) {
        None => Ok(None),
        Some(Json::Number(number)) if (min..=max).contains(number) => Ok(Some(*number)),
        Some(_) => Err(invalid(&format!("{prefix}{key}"), &format!("must be a whole number from {min} to {max}"))),
    }
}

fn check_keys(options: &Json, prefix: &str, known: &[&str]) -> Result<(), UploadError> {
    let Json::Object(members) = options else {
        return Err(invalid(prefix.trim_end_matches('.'), "must be an object"));
    };
    match members.iter().find(|(key, _)| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some((key, _)) => {
            let message = format!("there is no option \"{prefix}{key}\"");
            Err(UploadError::new(ErrorCode::InvalidOption, message).hint(format!("Known here: {}.", known.join(", "))))
        }
    }
}

fn invalid(key: &str, rule: &str) -> UploadError {
    let key = if key.is_empty() { "options" } else { key };
    UploadError::new(ErrorCode::InvalidOption, format!("{key} {rule}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options<const N: usize>(more: [(&str, Json); N]) -> Json {
        let Json::Object(mut members) =
            Json::object([("target", Json::object([("vault", Json::Text("photos".into()))]))])
        else {
            unreachable!()
        };
        members.extend(more.map(|(key, value)| (key.to_owned(), value)));
        Json::Object(members)
    }

    #[test]
    fn defaults_need_only_a_vault() {
        let settings = Settings::read(&options([("partSize", Json::Text("auto".into()))])).unwrap();
        assert_eq!((settings.concurrency, settings.part_size, settings.workers), (4, None, None));
        assert_eq!(settings.memory_budget, 128 * MIB);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let retry = |key, value| ("retry", Json::object([(key, value)]));
        for (more, code, message) in [
            (("partsize", Json::Number(5)), ErrorCode::InvalidOption, "there is no option \"partsize\""),
            (
                ("partSize", Json::Number(5)),
                ErrorCode::InvalidPartSize,
                "5 bytes is no part size: it must be a power of two from 1 MiB to 4 GiB",
            ),
            (("partSize", Json::Null), ErrorCode::InvalidPartSize, "partSize must be a number of bytes or \"auto\""),
            (
                ("concurrency", Json::Number(0)),
                ErrorCode::InvalidOption,
                "concurrency must be a whole number from 1 to 16",
            ),
            (("concurrency", Json::Null), ErrorCode::InvalidOption, "concurrency must be a whole number from 1 to 16"),
            (
                ("workers", Json::Text("two".into())),
                ErrorCode::InvalidOption,
                "workers must be a whole number from 1 to 16",
            ),
            (
                ("memoryBudget", Json::Bool(true)),
                ErrorCode::InvalidOption,
                "memoryBudget must be a whole number from 1048576 to 1099511627776",
            ),
            (("retry", Json::Number(3)), ErrorCode::InvalidOption, "retry must be an object"),
            (retry("attempts", Json::Number(3)), ErrorCode::InvalidOption, "there is no option \"retry.attempts\""),
            (
                retry("maxAttempts", Json::Number(0)),
                ErrorCode::InvalidOption,
                "retry.maxAttempts must be a whole number from 1 to 100",
            ),
        ] {
            let error = Settings::read(&options([more])).unwrap_err();
            assert_eq!((error.code, error.message.as_str()), (code, message));
        }
        let bad_vault = Json::object([("target", Json::object([("vault", Json::Text("a/b".into()))]))]);
        assert_eq!(Settings::read(&bad_vault).unwrap_err().code, ErrorCode::InvalidVaultName);
        assert_eq!(Settings::read(&Json::Null).unwrap_err().message, "options must be an object");
        assert_eq!(
            description(&Json::object([("descripton", Json::Null)])).unwrap_err().code,
            ErrorCode::InvalidOption
        );
    }

    #[test]
    fn memory_stays_within_the_budget_whatever_is_asked() {
        for part_mib in [1, 8, 64, 128, 1024, 4096] {
            for concurrency in [1, 4, 16] {
                for sharing in [1, 2, 16] {
                    let mut settings = Settings::read(&options([])).unwrap();
                    settings.concurrency = concurrency;
                    let plan = PartPlan::exact(1 << 42, PartSize::from_bytes(part_mib * MIB).unwrap());
                    let Ok(plan) = plan else { continue };
                    let Share { limits, keep } = settings.share(&plan, sharing);
                    assert!(limits.in_flight >= 1 && limits.hash_ahead >= 1);
                    let held = u64::from(limits.in_flight + limits.hash_ahead) * part_mib * MIB * u64::from(sharing);
                    assert!(!keep || held <= settings.memory_budget, "{part_mib} MiB x {limits:?} x {sharing}");
                }
            }
        }
    }

    #[test]
    fn many_files_share_what_one_would_have() {
        let settings = Settings::read(&options([])).unwrap();
        let plan = settings.plan(1 << 33).unwrap();
        assert_eq!(settings.share(&plan, 1).limits, Limits { in_flight: 4, hash_ahead: 4 });
        assert_eq!(settings.share(&plan, 2).limits, Limits { in_flight: 2, hash_ahead: 2 });
        assert_eq!(settings.share(&plan, 4).limits, Limits { in_flight: 1, hash_ahead: 1 });
    }
}
