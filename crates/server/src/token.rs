//! Tokens: who may do what, in which vaults, for how long.
//!
//! A token is three texts joined by dots: `gu1`, the claims as JSON in base64url without padding, and the HMAC-SHA-256
//! of everything before the second dot, in base64url as well. There is one algorithm and no header to choose another.
//! Claims, all but `objects` required and no others allowed:
//!
//! | claim | |
//! |---|---|
//! | `sub` | whom the token was made for, 1 to 256 bytes; written to the log |
//! | `vaults` | names of the vaults it is good for |
//! | `ops` | what it is good for: operations by AWS's names, or [sets](crate::grant) of them |
//! | `objects` | objects it is good for, each `BUCKET/PREFIX`; may be left out where there are none |
//! | `maxArchiveBytes` | largest archive or object, in bytes |
//! | `iat`, `exp` | made and ends, in seconds since 1970; at most [`MAX_LIFETIME_S`] apart |
//!
//! Any back end that holds the key can make tokens: `docs/tokens.md` has recipes.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use glacier_core::glacier::VaultName;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::grant;
use crate::s3::ObjectGrant;

/// Longest time between `iat` and `exp`, in seconds: what a stolen token is good for at most.
pub const MAX_LIFETIME_S: u64 = 12 * 60 * 60;

/// How far apart the clocks of the maker and of the gateway may be, in seconds.
pub const LEEWAY_S: u64 = 30;

/// Bytes of a key, at least.
pub const MIN_KEY_LEN: usize = 32;

const PREFIX: &str = "gu1";
const MAX_LEN: usize = 8 << 10;
const MAX_SUBJECT_LEN: usize = 256;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Claims {
    /// Whom it was made for.
    pub sub: String,
    /// Vaults it is good for.
    pub vaults: Vec<VaultName>,
    /// Objects it is good for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectGrant>,
    /// What it is good for: operations, or [sets](crate::grant) of them.
    pub ops: Vec<String>,
    /// Largest archive or object, in bytes.
    pub max_archive_bytes: u64,
    /// When it was made, in seconds since 1970.
    pub iat: u64,
    /// When it ends.
    pub exp: u64,
}

/// Why a token is no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// Not made with this key, or not of the form above. Which of the two is not told.
    Invalid,
    /// Authentic, but its time is over.
    Expired,
}

/// The key that tokens are made and checked with.
#[derive(Clone)]
pub struct TokenKey(Vec<u8>);

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
    /// Reads a key written in hexadecimal, base64 or base64url.
    ///
    /// # Errors
    /// [`InvalidTokenKey`] when it is neither, or too short, or clearly not random.
    pub fn from_text(text: &str) -> Result<Self, InvalidTokenKey> {
        let text = text.trim();
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
        if bytes.len() < MIN_KEY_LEN || n_different < 8 { Err(InvalidTokenKey) } else { Ok(Self(bytes)) }
    }

    /// Whether it is a key of documents and tests, which everybody knows: bytes that count up, or words.
    pub fn is_published(&self) -> bool {
        let counts_up = self.0.windows(2).filter(|pair| pair[0].wrapping_add(1) == pair[1]).count();
        counts_up * 2 > self.0.len() || self.0.iter().all(|byte| (b' '..=b'~').contains(byte))
    }

    /// Makes a token.
    ///
    /// # Errors
    /// Never for claims of this module: JSON has a form for each.
    pub fn mint(&self, claims: &Claims) -> Result<String, serde_json::Error> {
        let signed = format!("{PREFIX}.{}", URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims)?));
        let tag = URL_SAFE_NO_PAD.encode(self.tag(signed.as_bytes()));
        Ok(format!("{signed}.{tag}"))
    }

    /// Reads a token at `now`, in seconds since 1970. The claims are not looked at before the signature holds.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn verify(&self, token: &str, now: u64) -> Result<Claims, TokenError> {
        if token.len() > MAX_LEN {
            return Err(TokenError::Invalid);
        }
        let (signed, tag) = token.rsplit_once('.').ok_or(TokenError::Invalid)?;
        let claims = signed.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('.')).ok_or(TokenError::Invalid)?;
        let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| TokenError::Invalid)?;
        if !bool::from(self.tag(signed.as_bytes()).ct_eq(&tag)) {
            return Err(TokenError::Invalid);
        }
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| TokenError::Invalid)?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| TokenError::Invalid)?;
        let legal = (1..=MAX_SUBJECT_LEN).contains(&claims.sub.len())
            && claims.ops.iter().all(|op| grant::is_known(op))
            && claims.iat < claims.exp
            && claims.exp - claims.iat <= MAX_LIFETIME_S
            && claims.iat <= now.saturating_add(LEEWAY_S);
        if !legal {
            return Err(TokenError::Invalid);
        }
        if now >= claims.exp.saturating_add(LEEWAY_S) { Err(TokenError::Expired) } else { Ok(claims) }
    }

    /// A key of its own for another purpose, so that every gateway with this one has that one as well. No token can be made
    /// with it, nor it be found by tokens: they all begin with [`PREFIX`].
    pub(crate) fn derive(&self, label: &str) -> [u8; 32] {
        self.tag(format!("derive {label}").as_bytes())
    }

    fn tag(&self, bytes: &[u8]) -> [u8; 32] {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of every length");
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const NOW: u64 = 1_800_000_000;
    const OTHER_KEY: &str = "100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn key() -> TokenKey {
        TokenKey::from_text("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").unwrap()
    }

    fn claims() -> Claims {
        Claims {
            sub: "user-7".into(),
            vaults: vec![VaultName::new("photos").unwrap()],
            objects: vec![],
            ops: vec!["upload".into(), "read".into()],
            max_archive_bytes: 1 << 40,
            iat: NOW,
            exp: NOW + 3600,
        }
    }

    /// A token with any claims, signed properly.
    fn signed(claims: &str) -> String {
        let signed = format!("gu1.{}", URL_SAFE_NO_PAD.encode(claims));
        let tag = URL_SAFE_NO_PAD.encode(key().tag(signed.as_bytes()));
        format!("{signed}.{tag}")
    }

    #[test]
    fn the_recipes_of_the_documentation_make_tokens_that_are_read_here() {
        // Printed by the recipes of docs/tokens.md with the key above, `now` = 1800000000 and `sub` = "user-7".
        for token in
            [include_str!("../tests/vectors/python-token.txt"), include_str!("../tests/vectors/node-token.txt")]
        {
            assert_eq!(key().verify(token.trim(), NOW), Ok(claims()));
        }
    }

    #[test]
    fn a_token_is_good_from_its_making_to_its_end_with_leeway() {
        let token = key().mint(&claims()).unwrap();
        for (now, expected) in [
            (NOW - LEEWAY_S - 1, Err(TokenError::Invalid)),
            (NOW - LEEWAY_S, Ok(claims())),
            (NOW + 3600 + LEEWAY_S - 1, Ok(claims())),
            (NOW + 3600 + LEEWAY_S, Err(TokenError::Expired)),
            (u64::MAX, Err(TokenError::Expired)),
        ] {
            assert_eq!(key().verify(&token, now), expected, "at {now}");
        }
    }

    #[test]
    fn no_changed_byte_survives() {
        let token = key().mint(&claims()).unwrap();
        for at in 0..token.len() {
            for bit in 0..8 {
                let mut bytes = token.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let Ok(forged) = String::from_utf8(bytes) else { continue };
                assert_eq!(key().verify(&forged, NOW), Err(TokenError::Invalid), "bit {bit} of byte {at}");
            }
        }
        for len in 0..token.len() {
            assert_eq!(key().verify(&token[..len], NOW), Err(TokenError::Invalid), "cut at {len}");
        }
        let other = TokenKey::from_text(OTHER_KEY).unwrap();
        assert_eq!(other.verify(&token, NOW), Err(TokenError::Invalid));
    }

    #[test]
    fn signed_claims_that_break_a_rule_are_invalid() {
        let good = serde_json::to_value(claims()).unwrap();
        assert!(key().verify(&signed(&good.to_string()), NOW).is_ok());
        for (claim, value) in [
            ("exp", serde_json::json!(NOW + MAX_LIFETIME_S + 1)),
            ("exp", serde_json::json!(NOW)),
            ("exp", serde_json::json!("never")),
            ("exp", serde_json::json!(null)),
            ("iat", serde_json::json!(NOW + 3599)),
            ("iat", serde_json::json!(-1)),
            ("ops", serde_json::json!(["UploadArchive"])),
            ("ops", serde_json::json!("ListParts")),
            ("ops", serde_json::json!(["everything"])),
            ("ops", serde_json::json!(["upload", "*"])),
            ("vaults", serde_json::json!(["../b"])),
            ("vaults", serde_json::json!(["*"])),
            ("sub", serde_json::json!("")),
            ("sub", serde_json::json!("s".repeat(257))),
            ("maxArchiveBytes", serde_json::json!(1.5)),
            ("alg", serde_json::json!("none")),
        ] {
            let mut bad = good.clone();
            bad[claim] = value.clone();
            assert_eq!(key().verify(&signed(&bad.to_string()), NOW), Err(TokenError::Invalid), "{claim} {value}");
        }
        for claim in ["sub", "vaults", "ops", "maxArchiveBytes", "iat", "exp"] {
            let mut bad = good.clone();
            bad.as_object_mut().unwrap().remove(claim);
            assert_eq!(key().verify(&signed(&bad.to_string()), NOW), Err(TokenError::Invalid), "without {claim}");
        }
        let twice = good.to_string().replacen('{', "{\"exp\":1,", 1);
        assert_eq!(key().verify(&signed(&twice), NOW), Err(TokenError::Invalid));
    }

    #[test]
    fn keys_are_long_and_never_shown() {
        for bad in ["", "00", "hunter2", &"00".repeat(32), &"ab".repeat(31), &"z".repeat(64)] {
            assert!(TokenKey::from_text(bad).is_err(), "{bad}");
        }
        assert!(TokenKey::from_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").is_ok());
        assert_eq!(format!("{:?}", key()), "TokenKey(…)");
    }

    #[test]
    fn keys_of_documents_and_words_are_known_to_everybody() {
        assert!(key().is_published());
        assert!(TokenKey::from_text(OTHER_KEY).unwrap().is_published());
        let words = STANDARD.encode("a-string-secret-at-least-256-bits-long");
        assert!(TokenKey::from_text(&words).unwrap().is_published());
        let random = "8f1d3c5e7a9b0c2d4e6f80a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5";
        assert!(!TokenKey::from_text(random).unwrap().is_published());
    }
}
