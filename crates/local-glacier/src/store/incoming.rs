//! Bytes on their way to the disk, hashed as they pass.

use std::fs::File;
use std::io::Write;

use glacier_core::{PartDigest, PartHasher, PayloadHash, TreeHash};

use super::failure::while_doing;
use super::files::RemoveOnDrop;
use super::room::Pledge;
use super::{Failure, StoreError};

/// A file that is being filled. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Incoming {
    file: File,
    name: String,
    guard: RemoveOnDrop,
    pledge: Option<Pledge>,
    hasher: PartHasher,
    /// Hashes of the whole leaves so far, 32 bytes each.
    leaves: Vec<u8>,
}

impl Incoming {
    pub(super) fn new(file: File, name: String, guard: RemoveOnDrop) -> Self {
        Self { file, name, guard, pledge: None, hasher: PartHasher::new(), leaves: Vec::new() }
    }

    /// With room that was kept for it.
    pub(super) fn pledged(self, pledge: Pledge) -> Self {
        Self { pledge: Some(pledge), ..self }
    }

    /// Takes the next bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(while_doing("writing a file"))?;
        if let Some(pledge) = &mut self.pledge {
            pledge.spend(bytes.len() as u64);
        }
        let leaves = &mut self.leaves;
        self.hasher.update_with(bytes, |leaf| leaves.extend_from_slice(&leaf));
        Ok(())
    }

    /// Bytes taken so far.
    pub(crate) fn len(&self) -> u64 {
        self.hasher.len()
    }

    /// Whether these are `len` bytes with the payload hash that was signed and the tree hash that was claimed. The
    /// latter is a text, because a claim may be well-formed and yet be no tree hash.
    pub(crate) fn check(&self, len: u64, payload_hash: PayloadHash, tree_hash: &str) -> Result<(), StoreError> {
        if self.len() != len {
            return Err(StoreError::BodyIncomplete);
        }
        let computed = self.hasher.finish();
        if computed.payload_hash != payload_hash {
            return Err(StoreError::PayloadHashMismatch { computed: computed.payload_hash.to_string() });
        }
        if computed.tree_hash.to_string() != tree_hash {
            return Err(StoreError::TreeHashMismatch { computed: computed.tree_hash });
        }
        Ok(())
    }

    pub(super) fn into_parts(self) -> (File, Segment, RemoveOnDrop) {
        let PartDigest { tree_hash, .. } = self.hasher.finish();
        let mut leaves = self.leaves;
        leaves.extend(self.hasher.partial_leaf().into_iter().flatten());
        (self.file, Segment { file: self.name, len: self.hasher.len(), tree_hash, leaves }, self.guard)
    }
}

/// What the metadata says of a file.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Name in the folder of files.
    pub(super) file: String,
    /// Bytes.
    pub(super) len: u64,
    /// Of these bytes.
    pub(super) tree_hash: TreeHash,
    /// Hashes of the 1 MiB leaves, 32 bytes each: what a later ranged retrieval needs, so that no byte is read twice.
    pub(super) leaves: Vec<u8>,
}
