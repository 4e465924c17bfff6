//! What an upload is told when it is made.

use super::Target;
use crate::plan::PartPlan;
use crate::retry::RetryPolicy;

/// One file to one archive or object.
#[derive(Clone, Debug)]
pub struct UploadConfig {
    /// Where to.
    pub target: Target,
    /// How the file is cut.
    pub plan: PartPlan,
    /// How much at once.
    pub limits: Limits,
    /// When a request is tried again.
    pub retry: RetryPolicy,
    /// When a request is taken for dead.
    pub deadlines: Deadlines,
    /// Whether the whole file is read and hashed a second time before the archive is made, so that a file that was
    /// written to meanwhile is found out even in a browser that does not notice. Costs the reading twice; without it
    /// an archive still holds exactly the bytes that were hashed, but perhaps some of before and some of after.
    pub reread: bool,
}

impl UploadConfig {
    /// With the defaults for everything else.
    pub fn new(target: Target, plan: PartPlan) -> Self {
        Self {
            target,
            plan,
            limits: Limits::default(),
            retry: RetryPolicy::default(),
            deadlines: Deadlines::default(),
            reread: false,
        }
    }
}

/// How much at once. At most `in_flight + hash_ahead` parts are held in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Parts being sent. At least 1; browsers open six connections to a host over HTTP/1.1.
    pub in_flight: u32,
    /// Parts being hashed, or hashed and waiting. At least 1; two keep the network from waiting for the hash.
    pub hash_ahead: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { in_flight: 4, hash_ahead: 2 }
    }
}

/// When a request is taken for dead, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Without a byte leaving, while a part is sent; also without a byte hashed.
    pub stall_ms: u64,
    /// From the last byte sent to the answer, and for small requests. The store hashes and writes in this time, so
    /// [`answer_per_mib_ms`](Self::answer_per_mib_ms) is added, and the time that sending took.
    pub answer_ms: u64,
    /// Added to `answer_ms` for every MiB of a part.
    pub answer_per_mib_ms: u64,
    /// From CompleteMultipartUpload to its answer. At 3 TB the real service takes so long that connections die.
    pub complete_ms: u64,
    /// From a Sign to its answer.
    pub sign_ms: u64,
    /// For removing the upload at the store, all attempts together.
    pub abort_ms: u64,
    /// For the record that has to be stored before CompleteMultipartUpload is sent.
    pub journal_ms: u64,
    /// Whether the driver can report [`Event::Sent`](super::Event::Sent). Without, a part is given the time it would
    /// take at 64 KiB/s.
    pub byte_progress: bool,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            stall_ms: 30_000,
            answer_ms: 60_000,
            answer_per_mib_ms: 50,
            complete_ms: 15 * 60_000,
            sign_ms: 30_000,
            abort_ms: 30_000,
            journal_ms: 10_000,
            byte_progress: true,
        }
    }
}
