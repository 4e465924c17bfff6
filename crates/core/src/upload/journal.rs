//! The record that lets a later visit go on.

use super::{StoreUpload, Target, UploadConfig};
use crate::error::{ErrorCode, UploadError};
use crate::plan::PartPlan;
use crate::range::ByteRange;
use crate::tree_hash::TreeHash;

/// All that [`Upload::resume`](super::Upload::resume) needs. Holds no byte of the file, no token and no signature.
/// [`Record`](super::Record) is its form between visits; where that is kept is the driver's affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Where to.
    pub target: Target,
    /// How the file is cut. The store knows the part size; another plan would make a corrupt archive.
    pub plan: PartPlan,
    /// The upload at the store, once there is one.
    pub upload: Option<StoreUpload>,
    /// Parts the store has acknowledged, counted from 0, with their tree hashes, in order. A hint of what the file
    /// was: which parts the store holds is asked of the store.
    pub acknowledged: Vec<(u32, TreeHash)>,
    /// The archive's tree hash, stored *before* CompleteMultipartUpload is sent. From then on the upload may be
    /// complete although no answer came, and then ListParts answers 404 as if it had expired: the way on is to repeat
    /// CompleteMultipartUpload, which returns the same archive, and never to upload again. Of an object that goes in one
    /// request, stored when that is sent first: one that is there afterwards is perhaps ours.
    pub completing: Option<TreeHash>,
}

impl Journal {
    /// Of an upload that is about to begin.
    pub fn new(config: &UploadConfig) -> Self {
        Self {
            target: config.target.clone(),
            plan: config.plan,
            upload: None,
            acknowledged: Vec::new(),
            completing: None,
        }
    }

    /// The same upload once more, with the defaults for all that is not in the record.
    pub fn config(&self) -> UploadConfig {
        UploadConfig::new(self.target.clone(), self.plan)
    }

    /// Whether the store may have something of it: an upload, or an object that goes in one request.
    pub const fn is_begun(&self) -> bool {
        self.upload.is_some() || self.completing.is_some()
    }

    /// Bytes that the store had acknowledged.
    pub fn bytes_confirmed(&self) -> u64 {
        let lens = self.acknowledged.iter().filter_map(|(part, _)| self.plan.range(*part));
        lens.map(ByteRange::len).sum()
    }

    /// Whether this is a record of what `config` is about to upload.
    pub(super) fn check(&self, config: &UploadConfig) -> Result<(), UploadError> {
        let plan = config.plan;
        if self.plan.size() != plan.size() {
            return Err(UploadError::new(
                ErrorCode::FileChanged,
                "the file has another size than when the upload began",
            ));
        }
        let same = self.plan == plan && self.target == config.target;
        let fits = self.acknowledged.iter().all(|(part, _)| *part < plan.n_parts())
            && self.upload.as_ref().is_none_or(|upload| self.target.has(upload));
        if same && fits && (self.completing.is_none() || self.upload.is_some() || self.target.is_put(&plan)) {
            return Ok(());
        }
        Err(UploadError::new(ErrorCode::InvalidOption, "the stored record belongs to another upload")
            .hint("Start a new upload, or give the target, description and part size that this one was started with."))
    }
}
