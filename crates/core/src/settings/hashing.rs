//! What `treeHash` and `planParts` are told.

use super::strict::check_keys;
use crate::error::UploadError;
use crate::json::Json;
use crate::part::PartSize;
use crate::plan::{PREFERRED_PART_SIZE, PartPlan};

const TREE_HASH_KEYS: &[&str] = &["onProgress", "signal", "wasmUrl", "createWorker"];

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

/// Checks that the options of `treeHash` have no key that means nothing.
///
/// # Errors
/// [`InvalidOption`](crate::error::ErrorCode::InvalidOption) naming the key.
pub fn check_tree_hash_keys(options: &Json) -> Result<(), UploadError> {
    check_keys(options, "", TREE_HASH_KEYS, &[])
}
