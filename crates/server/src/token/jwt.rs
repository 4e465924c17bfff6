//! The compact form of a JSON Web Signature. **Source:** RFC 7515, 7.1, and RFC 7519.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::MAX_LEN;

/// All algorithms that are ever used: what is not here is refused, above all `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// RSA PKCS #1 v1.5 with SHA-256.
    Rs256,
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// Ed25519. **Source:** RFC 8037, and RFC 9864 for its second name.
    EdDsa,
}

impl Algorithm {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// What the header says of the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
}

/// A token taken apart, nothing of it believed yet.
#[derive(Debug)]
pub(super) struct Compact<'t> {
    pub(super) header: Header,
    /// Of everything before the second dot.
    pub(super) signed: &'t str,
    payload: &'t str,
    pub(super) signature: Vec<u8>,
}

#[derive(Deserialize)]
struct RawHeader {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
}

impl<'t> Compact<'t> {
    /// `None` unless it has the form, and a header that can be obeyed.
    pub(super) fn read(token: &'t str) -> Option<Self> {
        if token.len() > MAX_LEN {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        // An object: serde would read a list of the values in order as well.
        let header = URL_SAFE_NO_PAD.decode(header).ok().filter(|header| header.starts_with(b"{"))?;
        let header: RawHeader = serde_json::from_slice(&header).ok()?;
        let is_token = header.typ.as_deref().is_none_or(|typ| {
            let typ = typ.to_ascii_lowercase();
            matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt")
        });
        // Extensions that must be understood, and that we do not.
        if !is_token || header.crit.is_some() || payload.contains('.') {
            return None;
        }
        let header = Header { algorithm: Algorithm::from_name(&header.alg)?, kid: header.kid };
        Some(Self { header, signed, payload, signature: URL_SAFE_NO_PAD.decode(signature).ok()? })
    }

    /// The claims, for whoever has checked the signature.
    pub(super) fn payload(&self) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(self.payload).ok().filter(|payload| payload.starts_with(b"{"))
    }
}
