//! Amazon Glacier's SHA-256 tree hash.
//!
//! The data is cut into 1 MiB leaves (the last may be shorter), each leaf is hashed, and neighbours are hashed
//! together in pairs, level by level, until one value is left. A node without a neighbour moves up unchanged: it is
//! neither re-hashed nor doubled.
//!
//! **Source:** Amazon Glacier developer guide, "Computing Checksums".

use std::fmt;

use sha2::{Digest, Sha256};

use crate::hex::{self, InvalidHash};
use crate::part::MIB;
use crate::sha256::{self, PayloadHash};

/// Bytes in a leaf. The same number as [`MIB`], as an index.
pub const LEAF_LEN: usize = 1 << 20;

/// A tree hash: of an archive, of a part, or of any tree-hash-aligned range.
///
/// Has no `Deref` or `From` to or from [`PayloadHash`], so that the two hashes of a part are never exchanged by
/// accident.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TreeHash([u8; 32]);

impl TreeHash {
    /// The hash whose 32 raw bytes these are.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The tree hash of data at hand.
    pub fn of(data: &[u8]) -> Self {
        let mut hasher = TreeHasher::new();
        hasher.update(data);
        hasher.finish()
    }

    /// Reads 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`InvalidHash`] for anything else.
    pub fn from_hex(text: &str) -> Result<Self, InvalidHash> {
        hex::decode_sha256(text).map(Self)
    }

    /// The 32 raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreeHash({self})")
    }
}

fn parent(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// The root over `nodes` of one level, in order of offset: leaves, or the tree hashes of parts.
///
/// Parts may be combined only because every part but the last is the same power of two MiB: then a full part's tree
/// hash is a node of the archive's tree, and the last one is the right-most node of that level. Node hashes of
/// unequal or other sizes give a value that means nothing.
///
/// Of no nodes at all: the hash of empty input, so that the function is total.
pub fn combine(nodes: &[TreeHash]) -> TreeHash {
    let mut tree = NodeStack::default();
    for node in nodes {
        tree.push(node.0);
    }
    tree.root().unwrap_or_else(|| TreeHash(sha256::digest(&[])))
}

/// The tree over leaves (or parts) given one after the other, in O(log n) memory.
///
/// Holds at most one node a level, lowest level last: as many as the count of nodes has one bits, 26 for the
/// 40,960,000 leaves of the largest archive.
#[derive(Clone, Debug, Default)]
struct NodeStack {
    nodes: Vec<[u8; 32]>,
    count: u64,
}

impl NodeStack {
    fn push(&mut self, node: [u8; 32]) {
        let mut node = node;
        // The trailing one bits of the count are the levels that a new node completes, as in a binary counter.
        for _ in 0..self.count.trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                node = parent(&left, &node);
            }
        }
        self.nodes.push(node);
        self.count += 1;
    }

    fn root(&self) -> Option<TreeHash> {
        let (last, rest) = self.nodes.split_last()?;
        Some(TreeHash(rest.iter().rev().fold(*last, |right, left| parent(left, &right))))
    }
}

/// Tree hash of a stream, byte by byte if need be, in O(log n) memory.
#[derive(Clone, Debug)]
pub struct TreeHasher {
    tree: NodeStack,
    leaf: Sha256,
    /// Bytes in the unfinished leaf. Invariant: 0..LEAF_LEN.
    leaf_len: usize,
    /// All bytes so far.
    len: u64,
}

impl TreeHasher {
    /// A hasher that has seen nothing.
    pub fn new() -> Self {
        Self { tree: NodeStack::default(), leaf: Sha256::new(), leaf_len: 0, len: 0 }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, data: &[u8]) {
        self.update_with(data, |_| {});
    }

    /// As [`update`](Self::update), and hands out each leaf's hash as the leaf is completed.
    pub fn update_with(&mut self, mut data: &[u8], mut on_leaf: impl FnMut([u8; 32])) {
        while !data.is_empty() {
            let (now, rest) = data.split_at(data.len().min(LEAF_LEN - self.leaf_len));
            self.leaf.update(now);
            self.leaf_len += now.len();
            self.len += now.len() as u64;
            if self.leaf_len == LEAF_LEN {
                let leaf = self.leaf.finalize_reset().into();
                self.leaf_len = 0;
                self.tree.push(leaf);
                on_leaf(leaf);
            }
            data = rest;
        }
    }

    /// Takes the hash of the next leaf, computed elsewhere (by WebCrypto, say), in place of its bytes. All leaves
    /// but the last stand for 1 MiB each; `len` is 1..=[`LEAF_LEN`] and below it only for the last.
    pub fn push_leaf(&mut self, leaf: [u8; 32], len: u32) {
        debug_assert!(self.leaf_len == 0 && self.len.is_multiple_of(MIB), "a leaf may only follow whole leaves");
        self.tree.push(leaf);
        self.len += u64::from(len);
    }

    /// Bytes taken so far.
    #[expect(clippy::len_without_is_empty, reason = "a count of bytes seen, not of a collection")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// The hash of the unfinished last leaf, if there is one.
    pub fn partial_leaf(&self) -> Option<[u8; 32]> {
        (self.leaf_len > 0).then(|| self.leaf.clone().finalize().into())
    }

    /// The tree hash of all bytes so far. The hasher can go on.
    pub fn finish(&self) -> TreeHash {
        let mut tree = self.tree.clone();
        if let Some(leaf) = self.partial_leaf() {
            tree.push(leaf);
        }
        tree.root().unwrap_or_else(|| TreeHash(sha256::digest(&[])))
    }
}

impl Default for TreeHasher {
    fn default() -> Self {
        Self::new()
    }
}

/// All that a part's request headers need to know of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartDigest {
    /// Plain SHA-256 of the part: signed, and sent as `x-amz-content-sha256`.
    pub payload_hash: PayloadHash,
    /// Tree hash of the part: sent as `x-amz-sha256-tree-hash` and echoed by the store.
    pub tree_hash: TreeHash,
}

/// Both hashes of a part in one pass.
#[derive(Clone, Debug, Default)]
pub struct PartHasher {
    linear: Sha256,
    tree: TreeHasher,
}

impl PartHasher {
    /// A hasher that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, data: &[u8]) {
        self.update_with(data, |_| {});
    }

    /// As [`update`](Self::update), and hands out each leaf's hash as the leaf is completed.
    pub fn update_with(&mut self, data: &[u8], on_leaf: impl FnMut([u8; 32])) {
        self.linear.update(data);
        self.tree.update_with(data, on_leaf);
    }

    /// Bytes taken so far.
    #[expect(clippy::len_without_is_empty, reason = "a count of bytes seen, not of a collection")]
    pub fn len(&self) -> u64 {
        self.tree.len()
    }

    /// The hash of the unfinished last leaf, if there is one.
    pub fn partial_leaf(&self) -> Option<[u8; 32]> {
        self.tree.partial_leaf()
    }

    /// Both hashes of all bytes so far.
    pub fn finish(&self) -> PartDigest {
        PartDigest {
            payload_hash: PayloadHash::from_bytes(self.linear.clone().finalize().into()),
            tree_hash: self.tree.finish(),
        }
    }
}
