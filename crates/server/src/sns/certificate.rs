//! The key in a certificate and the time it is good for.

use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use x509_cert::Certificate as Document;
use x509_cert::der::DecodePem;

/// What of a certificate is needed. Who issued it is not looked at: its host proved itself when it was fetched.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    /// As RFC 8017, A.1.1 has it.
    rsa_key: Vec<u8>,
    /// First and last second since 1970.
    valid_s: std::ops::RangeInclusive<u64>,
}

/// `rsaEncryption` of RFC 8017.
const RSA: &str = "1.2.840.113549.1.1.1";

impl Certificate {
    /// Reads PEM. `None` for anything but a certificate with an RSA key.
    pub(super) fn read(pem: &[u8]) -> Option<Self> {
        let document = Document::from_pem(pem).ok()?;
        let content = document.tbs_certificate();
        let key = content.subject_public_key_info();
        if key.algorithm.oid.to_string() != RSA {
            return None;
        }
        let validity = content.validity();
        let begin = validity.not_before.to_unix_duration().as_secs();
        let end = validity.not_after.to_unix_duration().as_secs();
        Some(Self { rsa_key: key.subject_public_key.as_bytes()?.to_vec(), valid_s: begin..=end })
    }

    pub(super) fn is_valid(&self, now_ms: i64) -> bool {
        u64::try_from(now_ms / 1000).is_ok_and(|now| self.valid_s.contains(&now))
    }

    /// Whether the message was signed with it. `version` is `1` (SHA-1, which topics use unless told otherwise) or `2`.
    pub(super) fn verifies(&self, version: &str, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &dyn VerificationAlgorithm = match version {
            "1" => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            "2" => &RSA_PKCS1_2048_8192_SHA256,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, &self.rsa_key).verify(message, signature).is_ok()
    }
}
