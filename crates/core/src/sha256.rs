//! Plain SHA-256, and the hash of a whole request body.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::hex::{self, InvalidHash};

/// What WebCrypto calls it.
pub const NAME: &str = "SHA-256";

/// SHA-256 of `bytes`.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The plain ("linear") SHA-256 of a request body: `x-amz-content-sha256`, and the last line of the canonical
/// request that is signed. Not a [`TreeHash`](crate::TreeHash), although the two agree up to 1 MiB.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PayloadHash([u8; 32]);

impl PayloadHash {
    /// The hash whose 32 raw bytes these are.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash of a body at hand.
    pub fn of(body: &[u8]) -> Self {
        Self(digest(body))
    }

    /// Reads 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`InvalidHash`] for anything else, `UNSIGNED-PAYLOAD` and the `STREAMING-…` words included.
    pub fn from_hex(text: &str) -> Result<Self, InvalidHash> {
        hex::decode_sha256(text).map(Self)
    }

    /// The 32 raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PayloadHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for PayloadHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PayloadHash({self})")
    }
}
