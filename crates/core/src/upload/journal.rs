//! The record that lets a later visit go on.

use super::UploadConfig;
use crate::error::{ErrorCode, UploadError};
use crate::glacier::{Description, UploadId, VaultName};
use crate::json::Json;
use crate::plan::PartPlan;
use crate::range::ByteRange;
use crate::tree_hash::TreeHash;

/// All that [`Upload::resume`](super::Upload::resume) needs. Holds no byte of the file, no token and no signature.
/// [`Record`](super::Record) is its form between visits; where that is kept is the driver's affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Where to.
    pub vault: VaultName,
    /// Kept with the archive.
    pub description: Option<Description>,
    /// How the file is cut. The store knows the part size; another plan would make a corrupt archive.
    pub plan: PartPlan,
    /// The upload at the store, once there is one.
    pub upload_id: Option<UploadId>,
    /// Parts the store has acknowledged, counted from 0, with their tree hashes, in order. A hint of what the file
    /// was: which parts the store holds is asked of the store.
    pub acknowledged: Vec<(u32, TreeHash)>,
    /// The archive's tree hash, stored *before* CompleteMultipartUpload is sent. From then on the upload may be
    /// complete although no answer came, and then ListParts answers 404 as if it had expired: the way on is to repeat
    /// CompleteMultipartUpload, which returns the same archive, and never to upload again.
    pub completing: Option<TreeHash>,
}

impl Journal {
    /// Of an upload that is about to begin.
    pub fn new(config: &UploadConfig) -> Self {
        Self {
            vault: config.vault.clone(),
            description: config.description.clone(),
            plan: config.plan,
            upload_id: None,
            acknowledged: Vec::new(),
            completing: None,
        }
    }

    /// The same upload once more, with the defaults for all that is not in the record.
    pub fn config(&self) -> UploadConfig {
        UploadConfig::new(self.vault.clone(), self.description.clone(), self.plan)
    }

    /// Where to, as a record has it.
    pub(super) fn target(&self) -> Json {
        Json::object([("vault", Json::Text(self.vault.to_string()))])
    }

    /// Reads what [`target`](Self::target) wrote.
    pub(super) fn read_target(target: &Json) -> Option<VaultName> {
        VaultName::new(target.text("vault")?).ok()
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
        let same = self.plan == plan && self.vault == config.vault && self.description == config.description;
        let fits = self.acknowledged.iter().all(|(part, _)| *part < plan.n_parts());
        if same && fits && (self.completing.is_none() || self.upload_id.is_some()) {
            return Ok(());
        }
        Err(UploadError::new(ErrorCode::InvalidOption, "the stored record belongs to another upload")
            .hint("Start a new upload, or give the vault, description and part size that this one was started with."))
    }
}
