//! What is known of one part.

use crate::sha256::PayloadHash;
use crate::tree_hash::{PartDigest, TreeHash};

/// What the store says that it holds of a part: one of the two hashes of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::upload) enum Held {
    /// Glacier's.
    Tree(TreeHash),
    /// S3's.
    Payload(PayloadHash),
}

impl Held {
    /// Whether those are the bytes.
    pub(in crate::upload) fn is(self, digest: &PartDigest) -> bool {
        match self {
            Self::Tree(hash) => hash == digest.tree_hash,
            Self::Payload(hash) => hash == digest.payload_hash,
        }
    }
}

/// What is known of one part, whether or not its bytes are at hand.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::upload) struct Record {
    /// From the first hashing on. Bytes that hash to anything else are another file's.
    pub(in crate::upload) digest: Option<PartDigest>,
    /// What the store acknowledged at an earlier visit, until this one knows better.
    pub(in crate::upload) remembered: Option<TreeHash>,
    /// What ListParts says the store holds. Believed only when the local bytes hash to the same.
    pub(in crate::upload) stored: Option<Held>,
    pub(in crate::upload) hashed: bool,
    pub(in crate::upload) confirmed: bool,
    /// It was sent, and the page may not see what the store says to that. ListParts will tell.
    pub(in crate::upload) unseen: bool,
    /// Times it was read again because it did not arrive as it was hashed.
    pub(in crate::upload) rereads: u32,
}

impl Record {
    pub(in crate::upload) fn tree_hash(&self) -> Option<TreeHash> {
        self.digest.map(|digest| digest.tree_hash)
    }
}
