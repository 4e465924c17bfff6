//! What all that goes through one gateway shares: workers, memory, requests, patience.

use super::strict::{check_keys, whole, whole_or_auto};
use crate::error::UploadError;
use crate::json::Json;
use crate::part::MIB;
use crate::plan::PREFERRED_PART_SIZE;
use crate::retry::RetryPolicy;

/// Keys of the options of `createUploader` and `createVaults` alike.
pub(super) const GATEWAY_KEYS: &[&str] =
    &["endpoint", "sign", "getHeaders", "concurrency", "memoryBudget", "workers", "retry", "wasmUrl", "createWorker"];
const RETRY_KEYS: &[&str] = &["maxAttempts", "baseDelayMs", "maxDelayMs"];

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

/// Bytes that a worker sends out of its memory before another takes its place. Browsers keep the copy of a body that
/// they sent until the garbage collector runs, and nothing tells them that it is large: a 2 GiB file left 2 GiB behind.
/// [`ballast`] does, where the collector goes by what buffers it has seen; only the end of the worker frees it for certain.
/// Starting one costs some 20 ms beside the others: with 64 MiB, a twentieth of the time of an upload.
pub const WORKER_LIFE: u64 = 256 * MIB;

/// The most that is counted for one body. Chromium's collector begins at 64 MiB more than it left.
const MAX_BALLAST: u64 = 64 * MIB;

/// How much of the machine and of the network is used.
#[derive(Clone, Copy, Debug)]
pub struct GatewaySettings {
    /// Requests that carry bytes of files in flight, all together.
    pub concurrency: u32,
    /// Bytes of files in memory, all together.
    pub memory_budget: u64,
    /// Web workers, or `None` to follow the processor.
    pub workers: Option<u32>,
    /// When a request is tried again.
    pub retry: RetryPolicy,
}

impl GatewaySettings {
    /// Reads the members of [`GATEWAY_KEYS`].
    pub(super) fn read(options: &Json) -> Result<Self, UploadError> {
        Ok(Self {
            concurrency: whole_or_auto(options, "concurrency", 1, MAX_CONCURRENCY)?.unwrap_or(AUTO_CONCURRENCY),
            memory_budget: whole(options, "", "memoryBudget", MIB, 1 << 40)?.unwrap_or(DEFAULT_MEMORY_BUDGET),
            workers: whole_or_auto(options, "workers", 1, MAX_WORKERS)?,
            retry: retry(options)?,
        })
    }
}

impl GatewaySettings {
    /// The most web workers that there can be, whatever the processor.
    pub(super) fn max_workers(&self) -> u32 {
        self.workers.unwrap_or(MAX_AUTO_WORKERS)
    }
}

/// Length of a buffer that stands for the copies of a body that a browser keeps until it collects garbage: it has two.
pub fn ballast(body_len: u64) -> u64 {
    body_len.saturating_mul(2).min(MAX_BALLAST)
}

/// Web workers for a processor of so many cores; 0 where it is not known.
pub fn workers(wanted: Option<u32>, cores: u64) -> u32 {
    let cores = u32::try_from(cores).unwrap_or(MAX_AUTO_WORKERS);
    wanted.unwrap_or(if cores == 0 { AUTO_WORKERS } else { cores.min(MAX_AUTO_WORKERS) })
}

fn retry(options: &Json) -> Result<RetryPolicy, UploadError> {
    let mut policy = RetryPolicy::default();
    let Some(retry) = options.get("retry") else {
        return Ok(policy);
    };
    check_keys(retry, "retry.", RETRY_KEYS, &[])?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sent_body_counts_twice_and_a_large_one_as_what_a_collection_needs() {
        for (body_mib, counted_mib) in [(0, 0), (1, 2), (8, 16), (32, 64), (33, 64), (4096, 64)] {
            assert_eq!(ballast(body_mib * MIB), counted_mib * MIB);
        }
        assert_eq!(ballast(u64::MAX), 64 * MIB);
    }
}
