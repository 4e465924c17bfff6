//! The public keys of an issuer: a JSON Web Key Set. **Source:** RFC 7517, RFC 7518, 6, and RFC 8037, 2.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

use super::jwt::{Algorithm, Compact};

/// Most keys that are looked at. Issuers have a handful.
const MAX_KEYS: usize = 100;

/// Keys by their names. Each is good for one algorithm, so that no token can have it used for another.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<Key>);

/// A text that is no set of keys, or has none that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKeySet;

impl fmt::Display for InvalidKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a JWKS with at least one named key for RS256, ES256 or EdDSA")
    }
}

impl std::error::Error for InvalidKeySet {}

#[derive(Clone, Debug)]
struct Key {
    kid: String,
    public: Public,
}

#[derive(Clone, Debug)]
enum Public {
    /// Modulus and exponent, big-endian.
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// An uncompressed point: 4, x, y.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a set. Keys of other kinds and for other purposes are left out.
    ///
    /// # Errors
    /// [`InvalidKeySet`].
    pub fn read(json: &[u8]) -> Result<Self, InvalidKeySet> {
        let set: RawSet = serde_json::from_slice(json).map_err(|_| InvalidKeySet)?;
        let raw = set.keys.into_iter().take(MAX_KEYS).filter_map(|key| serde_json::from_value(key).ok());
        let keys: Vec<Key> = raw.filter_map(Key::new).collect();
        if keys.is_empty() { Err(InvalidKeySet) } else { Ok(Self(keys)) }
    }

    /// Whether a key of this name is here.
    pub(super) fn has(&self, kid: &str) -> bool {
        self.0.iter().any(|key| key.kid == kid)
    }

    /// Whether the token was signed with the key it names, by the algorithm that key is for.
    pub(super) fn verifies(&self, token: &Compact<'_>) -> bool {
        let is_meant = |key: &&Key| {
            token.header.kid.as_ref() == Some(&key.kid) && token.header.algorithm == key.public.algorithm()
        };
        self.0.iter().find(is_meant).is_some_and(|key| key.public.verifies(token))
    }
}

impl Key {
    fn new(raw: RawKey) -> Option<Self> {
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?.trim_end_matches('=')).ok();
        let public = match (raw.kty.as_str(), raw.crv.as_deref()) {
            ("RSA", _) => Public::Rsa(RsaPublicKeyComponents { n: bytes(&raw.n)?, e: bytes(&raw.e)? }),
            ("EC", Some("P-256")) => {
                let is_coordinate = |coordinate: &Vec<u8>| coordinate.len() == 32;
                let (x, y) = (bytes(&raw.x).filter(is_coordinate)?, bytes(&raw.y).filter(is_coordinate)?);
                Public::P256([&[4], x.as_slice(), &y].concat())
            }
            ("OKP", Some("Ed25519")) => Public::Ed25519(bytes(&raw.x).filter(|key| key.len() == 32)?),
            _ => return None,
        };
        let is_for_this = raw.alg.is_none_or(|name| Algorithm::from_name(&name) == Some(public.algorithm()));
        let is_for_signatures = raw.purpose.is_none_or(|purpose| purpose == "sig");
        (is_for_this && is_for_signatures).then_some(Self { kid: raw.kid?, public })
    }
}

impl Public {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::Rs256,
            Self::P256(_) => Algorithm::Es256,
            Self::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    fn verifies(&self, token: &Compact<'_>) -> bool {
        let (signed, signature) = (token.signed.as_bytes(), token.signature.as_slice());
        let verified = match self {
            Self::Rsa(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature),
            Self::P256(key) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(signed, signature),
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(signed, signature),
        };
        verified.is_ok()
    }
}
