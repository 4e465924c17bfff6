//! The key that the gateway shares with the application's back end.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::jwt::{Algorithm, Compact};
use super::{Claims, TokenError};
use crate::tag;

/// Bytes of a key, at least. **Source:** RFC 7518, 3.2: as long as the hash.
pub const MIN_KEY_LEN: usize = 32;

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// The key that tokens are made and checked with. While one key takes the place of another there are several: the first
/// makes tokens, and all check them.
#[derive(Clone)]
pub struct TokenKey(Vec<Vec<u8>>);

/// A key that is not [`MIN_KEY_LEN`] bytes or more in hexadecimal or base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTokenKey;

impl fmt::Display for InvalidTokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a token key is at least {MIN_KEY_LEN} random bytes in hexadecimal or base64 (openssl rand -hex 32)")
    }
}

impl std::error::Error for InvalidTokenKey {}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

impl TokenKey {
    /// Reads keys written in hexadecimal, base64 or base64url, one a line.
    ///
    /// # Errors
    /// [`InvalidTokenKey`] when there is none, or one is neither, or too short, or clearly not random.
    pub fn from_text(text: &str) -> Result<Self, InvalidTokenKey> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys = lines.map(read).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(InvalidTokenKey) } else { Ok(Self(keys)) }
    }

    /// Whether one is a key of documents and tests, which everybody knows: bytes that count up, or words.
    pub fn is_published(&self) -> bool {
        let is_published = |key: &Vec<u8>| {
            let counts_up = key.windows(2).filter(|pair| pair[0].wrapping_add(1) == pair[1]).count();
            counts_up * 2 > key.len() || key.iter().all(|byte| (b' '..=b'~').contains(byte))
        };
        self.0.iter().any(is_published)
    }

    /// Makes a token.
    ///
    /// # Errors
    /// Never for claims of this module: JSON has a form for each.
    pub fn mint(&self, claims: &Claims) -> Result<String, serde_json::Error> {
        let payload = serde_json::to_vec(claims)?;
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(payload));
        let tag = self.0.first().map(|key| tag::tag(key, &[signed.as_bytes()])).unwrap_or_default();
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag)))
    }

    /// Reads a token of this key alone, which names no audience, at `now`.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn verify(&self, token: &str, now: u64) -> Result<Claims, TokenError> {
        let compact = Compact::read(token).filter(|compact| compact.header.algorithm == Algorithm::Hs256);
        let claims = self.verified(&compact.ok_or(TokenError::Invalid)?)?;
        if claims.aud.is_some() { Err(TokenError::Invalid) } else { claims.at(now) }
    }

    /// A key of its own for another purpose, so that every gateway with this one has that one as well. It is no token's
    /// tag: what tokens sign has no space in it.
    pub fn derive(&self, label: &str) -> [u8; 32] {
        self.derive_each(label).first().copied().unwrap_or_default()
    }

    /// As [`derive`](Self::derive), of each key there is: what was sealed before the keys changed is opened after.
    pub fn derive_each(&self, label: &str) -> Vec<[u8; 32]> {
        self.0.iter().map(|key| tag::tag(key, &[format!("derive {label}").as_bytes()])).collect()
    }

    /// The claims, if the signature holds. These keys have no names, so that a token that names one (`kid`) was meant for
    /// a key we do not have.
    pub(super) fn verified(&self, token: &Compact<'_>) -> Result<Claims, TokenError> {
        if token.header.kid.is_some() {
            return Err(TokenError::Invalid);
        }
        let holds = |key: &Vec<u8>| {
            let tag = tag::tag(key, &[token.signed.as_bytes()]);
            tag::equal(&tag, &token.signature)
        };
        if !self.0.iter().any(holds) {
            return Err(TokenError::Invalid);
        }
        let payload = token.payload().ok_or(TokenError::Invalid)?;
        serde_json::from_slice(&payload).map_err(|_| TokenError::Invalid)
    }
}

fn read(text: &str) -> Result<Vec<u8>, InvalidTokenKey> {
    let is_hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes = if is_hex {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        text.as_bytes()
            .chunks_exact(2)
            .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
            .collect::<Option<Vec<u8>>>()
            .ok_or(InvalidTokenKey)?
    } else {
        let unpadded = text.trim_end_matches('=');
        STANDARD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(unpadded)).map_err(|_| InvalidTokenKey)?
    };
    // 32 random bytes have fewer than 8 different ones less than once in 2^100.
    let n_different = bytes.iter().collect::<std::collections::BTreeSet<_>>().len();
    if bytes.len() < MIN_KEY_LEN || n_different < 8 { Err(InvalidTokenKey) } else { Ok(bytes) }
}
