//! Random IDs in the service's lengths and alphabet. Each has far more than 128 bits, so guessing one is hopeless and
//! two alike do not happen.

use glacier_core::glacier::{ArchiveId, UploadId};
use glacier_core::hex;

use super::Failure;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/// 138 characters, as on the real service.
pub(super) fn archive_id() -> Result<ArchiveId, Failure> {
    let id = ArchiveId::new(random_text::<138>()?);
    id.map_err(|_| Failure::Random)
}

/// 92 characters, as on the real service.
pub(super) fn upload_id() -> Result<UploadId, Failure> {
    let id = UploadId::new(random_text::<92>()?);
    id.map_err(|_| Failure::Random)
}

/// 92 characters, as on the real service.
pub(super) fn job_id() -> Result<JobId, Failure> {
    random_text::<92>().map(JobId)
}

/// 24 characters, as on the real service.
pub(super) fn lock_id() -> Result<String, Failure> {
    random_text::<24>()
}

/// 24 characters, as on the real service.
pub(super) fn capacity_id() -> Result<String, Failure> {
    random_text::<24>()
}

/// A random UUID, as SNS names messages.
pub(super) fn message_id() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Failure::Random)?;
    bytes[6] = bytes[6] & 0x0f | 0x40; // version 4
    bytes[8] = bytes[8] & 0x3f | 0x80; // variant of RFC 9562
    let text = hex::encode(&bytes);
    Ok(format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]))
}

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) struct $name(String);

        impl $name {
            /// 1 to 256 characters of `[A-Za-z0-9_-]`; `None` for anything else.
            pub(crate) fn new(text: &str) -> Option<Self> {
                let legal = (1..=256).contains(&text.len()) && text.bytes().all(|byte| ALPHABET.contains(&byte));
                legal.then(|| Self(text.to_owned()))
            }

            pub(crate) fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

opaque_id!(
    /// Names one job.
    JobId
);

opaque_id!(
    /// Names one attempt to lock a vault.
    LockId
);

/// 128 bits in hexadecimal: a name for a file.
pub(super) fn file_name() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Failure::Random)?;
    Ok(hex::encode(&bytes))
}

/// Names one request, in `x-amzn-RequestId` and in the log.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// A new one. Falls back on a fixed text where the operating system has no randomness: then every change fails
    /// anyway, and the answer that says so still needs the header.
    pub(crate) fn random() -> Self {
        Self(random_text::<48>().unwrap_or_else(|_| "no-randomness".to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// `N` characters of `[A-Za-z0-9_-]`. Never begins with `-`, which command lines take for an option.
fn random_text<const N: usize>() -> Result<String, Failure> {
    let mut bytes = [0; N];
    loop {
        getrandom::fill(&mut bytes).map_err(|_| Failure::Random)?;
        let text: String = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect();
        if !text.starts_with('-') {
            return Ok(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_documented_lengths_and_never_begin_with_a_dash() {
        for _ in 0..1000 {
            let (archive, upload) = (archive_id().unwrap(), upload_id().unwrap());
            assert_eq!((archive.as_str().len(), upload.as_str().len()), (138, 92));
            assert!(!archive.as_str().starts_with('-') && !upload.as_str().starts_with('-'));
        }
        assert_ne!(archive_id().unwrap(), archive_id().unwrap());
        assert_eq!(file_name().unwrap().len(), 32);
    }
}
