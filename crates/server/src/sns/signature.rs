//! Whether a message is from whom it says.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use glacier_core::intent::RefusalCode;
use ring::signature::{ED25519, UnparsedPublicKey};

use super::REFUSED;
use super::certificate::Certificate;
use super::message::Message;
use super::outside::{Outside, Unreachable};
use super::place::Place;
use crate::error::Refused;

/// Most certificates kept. Each region has one at a time.
const MAX_CERTIFICATES: usize = 32;
/// Most fetches in a minute, because anybody can post messages that name certificates.
const MAX_FETCHES: usize = 10;
const MINUTE_MS: i64 = 60_000;

/// What stands before the 32 bytes of an Ed25519 key in a `SubjectPublicKeyInfo`. **Source:** RFC 8410.
const ED25519_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

pub(super) const UNREACHABLE: Refused =
    Refused::new(RefusalCode::Unavailable, "what the message needs could not be fetched; send it again");

/// The public key of a store's notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreKey([u8; 32]);

/// A text that is no Ed25519 public key in PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidStoreKey;

impl fmt::Display for InvalidStoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected the notification-key.pem of a store")
    }
}

impl std::error::Error for InvalidStoreKey {}

impl StoreKey {
    /// Reads the `notification-key.pem` that a store writes.
    ///
    /// # Errors
    /// [`InvalidStoreKey`].
    pub fn from_pem(text: &str) -> Result<Self, InvalidStoreKey> {
        let inner = text.trim().strip_prefix("-----BEGIN PUBLIC KEY-----");
        let inner = inner.and_then(|rest| rest.strip_suffix("-----END PUBLIC KEY-----")).ok_or(InvalidStoreKey)?;
        let der = STANDARD.decode(inner.trim()).map_err(|_| InvalidStoreKey)?;
        let key = der.strip_prefix(ED25519_PREFIX.as_slice()).ok_or(InvalidStoreKey)?;
        key.try_into().map(Self).map_err(|_| InvalidStoreKey)
    }
}

/// Certificates that were fetched.
#[derive(Debug, Default)]
pub(super) struct Certificates(Mutex<Fetched>);

#[derive(Debug, Default)]
struct Fetched {
    kept: BTreeMap<Place, Certificate>,
    /// When the last ones were, in milliseconds since 1970.
    fetches_ms: VecDeque<i64>,
}

/// Checks the signature. Blocks while a certificate is fetched, and other messages that need one with it.
pub(super) fn check(
    message: &Message,
    store_key: Option<&StoreKey>,
    certificates: &Certificates,
    outside: &Outside,
    now_ms: i64,
) -> Result<(), Refused> {
    let seal = &message.seal;
    let signature = STANDARD.decode(&seal.signature).map_err(|_| REFUSED)?;
    let signed = message.string_to_sign();
    let holds = match (seal.version.as_str(), &seal.certificate) {
        ("Ed25519", _) => store_key
            .is_some_and(|key| UnparsedPublicKey::new(&ED25519, &key.0).verify(signed.as_bytes(), &signature).is_ok()),
        ("1" | "2", Some(url)) => {
            let place = Place::certificate(url).ok_or(REFUSED)?;
            let certificate = certificates.get(place, outside, now_ms)?;
            certificate.is_valid(now_ms) && certificate.verifies(&seal.version, signed.as_bytes(), &signature)
        }
        _ => false,
    };
    if holds { Ok(()) } else { Err(REFUSED) }
}

impl Certificates {
    fn get(&self, place: Place, outside: &Outside, now_ms: i64) -> Result<Certificate, Refused> {
        // Held while fetching: who posts many messages has one fetched at a time.
        let mut fetched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(certificate) = fetched.kept.get(&place) {
            return Ok(certificate.clone());
        }
        fetched.fetches_ms.retain(|at| (now_ms.saturating_sub(MINUTE_MS)..=now_ms).contains(at));
        if fetched.fetches_ms.len() >= MAX_FETCHES {
            return Err(UNREACHABLE);
        }
        fetched.fetches_ms.push_back(now_ms);
        let pem = (outside.get)(&place).map_err(|Unreachable| UNREACHABLE)?;
        let certificate = Certificate::read(&pem).ok_or(UNREACHABLE)?;
        fetched.kept.retain(|_, kept| kept.is_valid(now_ms));
        if fetched.kept.len() >= MAX_CERTIFICATES {
            fetched.kept.clear();
        }
        fetched.kept.insert(place, certificate.clone());
        Ok(certificate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_key_is_ed25519_in_pem() {
        let pem =
            |der: &[u8]| format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der));
        let good = [ED25519_PREFIX.as_slice(), &[7; 32]].concat();
        assert_eq!(StoreKey::from_pem(&pem(&good)), Ok(StoreKey([7; 32])));
        for bad in [pem(&good[..43]), pem(&[&good[..], &[0]].concat()), pem(&[7; 44]), String::new(), "x".into()] {
            assert_eq!(StoreKey::from_pem(&bad), Err(InvalidStoreKey), "{bad}");
        }
    }
}
