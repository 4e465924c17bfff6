//! A range of an output as it arrives, in a worker: kept in one buffer, and hashed leaf by leaf meanwhile.

use std::collections::VecDeque;

use glacier_core::tree_hash::LEAF_LEN;
use glacier_core::{PartHasher, PayloadHash, TreeHash, TreeHasher};
use js_sys::{ArrayBuffer, Promise, Uint8Array};
use wasm_bindgen::prelude::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::SubtleCrypto;

use crate::file::ReadError;
use crate::hash::{self, LEAVES_AT_ONCE};

/// The bytes so far.
pub(crate) struct Arriving {
    bytes: Uint8Array,
    /// In `bytes`.
    filled: u32,
    /// Of those, given to the hasher.
    hashed: u32,
    /// A byte came that there is no room for.
    is_too_long: bool,
    tree: TreeHasher,
    subtle: Option<SubtleCrypto>,
    /// Leaves with WebCrypto, in order.
    started: VecDeque<(Promise, u32)>,
}

impl Arriving {
    /// Makes room for `len` bytes.
    ///
    /// # Errors
    /// What the browser throws where it has no memory.
    pub(crate) fn new(len: u64) -> Result<Self, JsValue> {
        let buffer = hash::allocate(len)?;
        Ok(Self {
            bytes: Uint8Array::new(&buffer),
            filled: 0,
            hashed: 0,
            is_too_long: false,
            tree: TreeHasher::new(),
            subtle: hash::subtle(),
            started: VecDeque::new(),
        })
    }

    /// Bytes that came, and one more where more came than there is room for.
    pub(crate) fn len(&self) -> u64 {
        u64::from(self.filled) + u64::from(self.is_too_long)
    }

    /// Takes the next bytes. `false` once they are too many: the rest is not wanted.
    pub(crate) async fn push(&mut self, chunk: &Uint8Array) -> Result<bool, JsValue> {
        let room = self.bytes.length() - self.filled;
        self.is_too_long = chunk.length() > room;
        let taken = if self.is_too_long { &chunk.subarray(0, room) } else { chunk };
        self.bytes.set(taken, self.filled);
        self.filled += taken.length();
        while u64::from(self.filled - self.hashed) >= LEAF {
            self.hash_leaf(1 << 20).await?;
        }
        Ok(!self.is_too_long)
    }

    /// Ends the hashing; `plain_hash` is whether the plain SHA-256 is wanted besides.
    pub(crate) async fn finish(mut self, plain_hash: bool) -> Result<Arrived, JsValue> {
        if self.filled > self.hashed {
            self.hash_leaf(self.filled - self.hashed).await?;
        }
        while !self.started.is_empty() {
            self.take_hash().await?;
        }
        let payload_hash = if plain_hash { Some(self.payload_hash().await?) } else { None };
        let (len, bytes) = (self.len(), self.bytes.buffer());
        Ok(Arrived { len, tree_hash: self.tree.finish(), payload_hash, bytes })
    }

    async fn payload_hash(&self) -> Result<PayloadHash, JsValue> {
        if let Some(subtle) = &self.subtle {
            let digest = hash::digest(subtle, &self.bytes.subarray(0, self.filled)).map_err(thrown)?;
            return hash::bytes(JsFuture::from(digest).await).map(PayloadHash::from_bytes).map_err(thrown);
        }
        let mut hasher = PartHasher::new();
        let mut at = 0;
        while at < self.filled {
            let end = self.filled.min(at + (1 << 20));
            hasher.update(&self.bytes.subarray(at, end).to_vec());
            at = end;
        }
        Ok(hasher.finish().payload_hash)
    }

    async fn hash_leaf(&mut self, len: u32) -> Result<(), JsValue> {
        let leaf = self.bytes.subarray(self.hashed, self.hashed + len);
        self.hashed += len;
        match &self.subtle {
            // It copies what it is given before it returns.
            Some(subtle) => self.started.push_back((hash::digest(subtle, &leaf).map_err(thrown)?, len)),
            None => self.tree.update(&leaf.to_vec()),
        }
        if self.started.len() > LEAVES_AT_ONCE { self.take_hash().await } else { Ok(()) }
    }

    async fn take_hash(&mut self) -> Result<(), JsValue> {
        let Some((hash, len)) = self.started.pop_front() else { return Ok(()) };
        let hash = hash::bytes(JsFuture::from(hash).await).map_err(thrown)?;
        self.tree.push_leaf(hash, len);
        Ok(())
    }
}

/// A range that came to its end.
pub(crate) struct Arrived {
    /// Bytes, and one more where more came than there is room for.
    pub(crate) len: u64,
    pub(crate) tree_hash: TreeHash,
    /// Where it was wanted.
    pub(crate) payload_hash: Option<PayloadHash>,
    pub(crate) bytes: ArrayBuffer,
}

/// Bytes in a leaf.
const LEAF: u64 = LEAF_LEN as u64;

fn thrown(error: ReadError) -> JsValue {
    match error {
        ReadError::Browser(error) => error,
        ReadError::Length => JsValue::UNDEFINED,
    }
}
