//! Tokens: who may do what, in which vaults and buckets, for how long.
//!
//! A token is a JSON Web Token (RFC 7519) in its compact form. It is signed in one of two ways, and its own header never
//! chooses what is believed, because each kind of key is good for one algorithm only:
//!
//! * `HS256` with the [key](TokenKey) that the gateway shares with the application's back end. The claims are [`Claims`],
//!   and no others are allowed, so that a misspelt limit is not a missing one.
//! * `RS256`, `ES256` or `EdDSA` with a key of an [issuer](Issuer), found by `kid` in its JWKS. What the token is good for
//!   stands in one claim of its own; other claims are the issuer's business.
//!
//! Times are in seconds since 1970, and `exp` is at most [`MAX_LIFETIME_S`] after `iat`. `docs/tokens.md` has recipes.

mod deny_list;
mod issuer;
mod jwks;
mod jwt;
mod key;
#[cfg(test)]
mod tests;

use glacier_core::glacier::VaultName;
use glacier_core::s3::BucketName;
use serde::{Deserialize, Serialize};

pub use deny_list::{DenyList, InvalidDenyList, POLL};
pub use issuer::{Fetch, Fetching, Issuer, MAX_STALE, MIN_INTERVAL, REFRESH};
pub use jwks::{InvalidKeySet, KeySet};
pub use key::{InvalidTokenKey, MIN_KEY_LEN, TokenKey};

use crate::grant;
use crate::objects::ObjectGrant;
use jwt::{Algorithm, Compact};

/// Longest time between `iat` and `exp`, in seconds: what a stolen token is good for at most.
pub const MAX_LIFETIME_S: u64 = 12 * 60 * 60;

/// How far apart the clocks of the maker and of the gateway may be, in seconds.
pub const LEEWAY_S: u64 = 30;

const MAX_LEN: usize = 8 << 10;
const MAX_SUBJECT_LEN: usize = 256;

/// What a token says. By default it is good for nothing, and its time is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Claims {
    /// Whom it was made for, 1 to 256 bytes.
    pub sub: String,
    /// Vaults it is good for.
    #[serde(default)]
    pub vaults: Vec<VaultName>,
    /// It is good for vaults whose names begin with one of these, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vault_prefixes: Vec<VaultName>,
    /// Objects it is good for, by bucket and beginning of the key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectGrant>,
    /// What it is good for: operations, or [sets](crate::grant) of them.
    pub ops: Vec<String>,
    /// Largest archive or object, in bytes.
    pub max_archive_bytes: u64,
    /// Largest part, in bytes; as large as the store allows without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_part_bytes: Option<u64>,
    /// Most parts of an upload; as many as the store allows without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parts: Option<u64>,
    /// When it was made, in seconds since 1970.
    pub iat: u64,
    /// When it ends.
    pub exp: u64,
    /// When it begins, if not at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// Names this one token, for the [deny list](DenyList).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// Who made it. For people: whoever has the key can say anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Whom it is meant for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<Audience>,
}

/// Whom a token is meant for: one or several. **Source:** RFC 7519, 4.1.3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// Most often.
    One(String),
    /// All of them.
    Several(Vec<String>),
}

impl Audience {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Several(several) => several.iter().any(|one| one == name),
        }
    }
}

/// What a token of an issuer is good for: its one claim that is ours. The fields are those of [`Claims`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Grants {
    #[serde(default)]
    vaults: Vec<VaultName>,
    #[serde(default)]
    vault_prefixes: Vec<VaultName>,
    #[serde(default)]
    objects: Vec<ObjectGrant>,
    ops: Vec<String>,
    max_archive_bytes: u64,
    #[serde(default)]
    max_part_bytes: Option<u64>,
    #[serde(default)]
    max_parts: Option<u64>,
}

/// Why a token is no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// Not signed with a key of ours, not of the form above, not meant for us, or taken back. Which is not told.
    Invalid,
    /// Authentic, but its time is over.
    Expired,
}

/// Everything that says whether a token is good.
#[derive(Debug)]
pub struct Tokens {
    key: TokenKey,
    audience: Option<String>,
    issuer: Option<Issuer>,
    denied: Option<DenyList>,
}

impl From<TokenKey> for Tokens {
    fn from(key: TokenKey) -> Self {
        Self::new(key, None, None, None)
    }
}

impl Tokens {
    /// Tokens of `key`, and of `issuer`, for `audience`, but for those of `denied`. An issuer goes with an audience: who
    /// signs tokens for many is believed only about those that are for us.
    pub fn new(key: TokenKey, audience: Option<String>, issuer: Option<Issuer>, denied: Option<DenyList>) -> Self {
        Self { key, audience, issuer, denied }
    }

    /// The key shared with the application's back end.
    pub fn key(&self) -> &TokenKey {
        &self.key
    }

    /// Keeps the issuer's keys and the deny list new, for ever.
    pub async fn follow(&self) {
        let keys = async {
            if let Some(issuer) = &self.issuer {
                issuer.follow().await;
            }
        };
        let denied = async {
            if let Some(denied) = self.denied.clone() {
                denied.follow().await;
            }
        };
        tokio::join!(keys, denied);
    }

    /// Whether all that is needed to check a token is there.
    pub fn is_ready(&self) -> bool {
        self.issuer.as_ref().is_none_or(Issuer::has_keys)
    }

    /// Makes a token for this gateway.
    ///
    /// # Errors
    /// Never for claims of this module: JSON has a form for each.
    pub fn mint(&self, claims: &Claims) -> Result<String, serde_json::Error> {
        let aud = self.audience.clone().map(Audience::One);
        self.key.mint(&Claims { aud: claims.aud.clone().or(aud), ..claims.clone() })
    }

    /// Reads a token at `now`, in seconds since 1970. No claim is looked at before the signature holds. May fetch the
    /// issuer's keys.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn verify(&self, token: &str, now: u64) -> Result<Claims, TokenError> {
        let compact = Compact::read(token).ok_or(TokenError::Invalid)?;
        let claims = match compact.header.algorithm {
            Algorithm::Hs256 => self.key.verified(&compact)?,
            Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa => {
                let issuer = self.issuer.as_ref().ok_or(TokenError::Invalid)?;
                issuer.verified(&compact).await?
            }
        };
        let is_for_us = match (&self.audience, &claims.aud) {
            (Some(ours), Some(theirs)) => theirs.has(ours),
            (None, None) => true,
            // Meant for somebody else, or for nobody in particular where somebody has to be named.
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !is_for_us || self.denied.as_ref().is_some_and(|denied| denied.has(&claims)) {
            return Err(TokenError::Invalid);
        }
        claims.at(now)
    }
}

impl Claims {
    /// These claims, if they keep the rules at `now`.
    fn at(self, now: u64) -> Result<Self, TokenError> {
        let is_name = |name: &String| (1..=MAX_SUBJECT_LEN).contains(&name.len());
        let is_legal = is_name(&self.sub)
            && self.jti.as_ref().is_none_or(is_name)
            && self.ops.iter().all(|op| grant::is_known(op))
            && self.iat < self.exp
            && self.exp - self.iat <= MAX_LIFETIME_S
            && self.iat <= now.saturating_add(LEEWAY_S)
            && self.nbf.is_none_or(|begin| begin <= now.saturating_add(LEEWAY_S));
        if !is_legal {
            return Err(TokenError::Invalid);
        }
        if now >= self.exp.saturating_add(LEEWAY_S) { Err(TokenError::Expired) } else { Ok(self) }
    }

    /// Whether it names this vault, or the beginning of its name.
    pub fn allows_vault(&self, vault: &VaultName) -> bool {
        self.vaults.contains(vault)
            || self.vault_prefixes.iter().any(|prefix| vault.as_str().starts_with(prefix.as_str()))
    }

    /// Whether it names the bucket and a beginning of the key.
    pub fn allows_object(&self, bucket: &BucketName, key: &str) -> bool {
        self.objects.iter().any(|grant| grant.covers(bucket, key))
    }
}
