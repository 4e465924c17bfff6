//! The upload handle: all that is known of an upload, sealed, in the hands of the page that opened it.
//!
//! Any gateway that holds the token key can read any handle, so that none keeps a table of uploads. It is `u1`, the
//! [`Upload`] in a binary form, and an HMAC-SHA-256 over that and over the `sub` of the token it was made for, joined by
//! dots. A handle that was made for somebody else, with another key, or by nobody is told apart from none of the others.
//!
//! It is sealed and not encrypted: the page knows the bucket and the key anyway, and with the store's upload ID alone
//! nobody can do anything.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use glacier_core::PartSize;
use glacier_core::s3::{BucketName, MAX_PARTS, ObjectKey, PartNumber, UploadHandle};

use crate::tag;
use crate::token::TokenKey;

const FORM: &str = "u1";

const LABEL: &str = "upload handles of S3, 1";

/// Longest upload ID of a store, in bytes. With the longest bucket and key it leaves a handle below the contract's 2,048
/// characters. Amazon's have up to 150.
const MAX_UPLOAD_ID_LEN: usize = 384;

/// An open upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upload {
    pub(crate) bucket: BucketName,
    pub(crate) key: ObjectKey,
    /// The store's name for it, 1 to [`MAX_UPLOAD_ID_LEN`] bytes without control characters.
    pub(crate) upload_id: String,
    /// `None` for an upload that was found in a list: it can be looked at and aborted, and no part be sent.
    pub(crate) plan: Option<Plan>,
}

/// What the upload was opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Most bytes in the object.
    pub(crate) size: u64,
    /// Of all parts but the last.
    pub(crate) part_size: PartSize,
    /// Whether there may be an object of that key already.
    pub(crate) overwrite: bool,
}

impl Plan {
    /// How many parts `size` bytes make, which is at least one.
    pub(crate) fn n_parts(self, size: u64) -> u64 {
        size.div_ceil(self.part_size.bytes()).max(1)
    }

    /// Bytes in a part of an object of `size` bytes; `None` for one that it does not have.
    pub(crate) fn part_len(self, number: PartNumber, size: u64) -> Option<u64> {
        let before = u64::from(number.index()) * self.part_size.bytes();
        let exists = u64::from(number.get()) <= self.n_parts(size);
        exists.then(|| size.saturating_sub(before).min(self.part_size.bytes()))
    }

    /// Whether the object is one that S3 can put together.
    pub(crate) fn is_legal(self) -> bool {
        self.n_parts(self.size) <= u64::from(MAX_PARTS)
    }
}

/// Seals handles with the first of some keys, and opens those sealed with any.
#[derive(Clone)]
pub(crate) struct Seal(Vec<[u8; 32]>);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl Seal {
    pub(crate) fn new(key: &TokenKey) -> Self {
        Self(key.derive_each(LABEL))
    }

    /// The handle of `upload` for `subject`; `None` where the store's upload ID is like none that was ever seen.
    pub(crate) fn seal(&self, upload: &Upload, subject: &str) -> Option<UploadHandle> {
        let id_len = upload.upload_id.len();
        if !(1..=MAX_UPLOAD_ID_LEN).contains(&id_len) || upload.upload_id.contains(char::is_control) {
            return None;
        }
        let mut bytes = Vec::new();
        for text in [upload.bucket.as_str(), upload.key.as_str(), &upload.upload_id] {
            bytes.extend_from_slice(&u16::try_from(text.len()).ok()?.to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        if let Some(plan) = upload.plan {
            bytes.push(u8::from(plan.overwrite));
            bytes.extend_from_slice(&plan.size.to_be_bytes());
            bytes.extend_from_slice(&plan.part_size.bytes().to_be_bytes());
        }
        let tag = tag_of(self.0.first()?, &bytes, subject);
        let text = [FORM, &URL_SAFE_NO_PAD.encode(bytes), &URL_SAFE_NO_PAD.encode(tag)].join(".");
        UploadHandle::new(text).ok()
    }

    /// The upload that `handle` was sealed for, for the same `subject`.
    pub(crate) fn open(&self, handle: &UploadHandle, subject: &str) -> Option<Upload> {
        let mut texts = handle.as_str().split('.');
        let (form, bytes, given) = (texts.next()?, texts.next()?, texts.next()?);
        if form != FORM || texts.next().is_some() {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(bytes).ok()?;
        let given = URL_SAFE_NO_PAD.decode(given).ok()?;
        // Nothing of it is looked at before the seal holds.
        let holds = |key: &[u8; 32]| tag::equal(&tag_of(key, &bytes, subject), &given);
        if self.0.iter().any(holds) { read(&bytes) } else { None }
    }
}

fn tag_of(key: &[u8; 32], bytes: &[u8], subject: &str) -> [u8; 32] {
    // The length first, so that no other pair of texts joins to the same bytes.
    tag::tag(key, &[&(bytes.len() as u64).to_be_bytes(), bytes, subject.as_bytes()])
}

fn read(bytes: &[u8]) -> Option<Upload> {
    let mut rest = bytes;
    let mut text = || {
        let (len, after) = rest.split_first_chunk::<2>()?;
        let (text, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        rest = after;
        std::str::from_utf8(text).ok()
    };
    let (bucket, key, upload_id) = (text()?, text()?, text()?);
    let plan = match rest {
        [] => None,
        [overwrite @ (0 | 1), rest @ ..] => {
            let (size, rest) = rest.split_first_chunk::<8>()?;
            let part_size: [u8; 8] = rest.try_into().ok()?;
            let part_size = PartSize::from_bytes(u64::from_be_bytes(part_size)).ok()?;
            Some(Plan { size: u64::from_be_bytes(*size), part_size, overwrite: *overwrite == 1 })
        }
        _ => return None,
    };
    Some(Upload {
        bucket: BucketName::new(bucket).ok()?,
        key: ObjectKey::new(key).ok()?,
        upload_id: upload_id.to_owned(),
        plan,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn seal(number: u8) -> Seal {
        let hex: String = (0..32).map(|nth| format!("{:02x}", nth * 7 + number)).collect();
        Seal::new(&TokenKey::from_text(&hex).unwrap())
    }

    fn upload() -> Upload {
        let plan = Plan { size: 20 << 20, part_size: PartSize::from_bytes(8 << 20).unwrap(), overwrite: false };
        Upload {
            bucket: BucketName::new("photos").unwrap(),
            key: ObjectKey::new("2026/Größe & more.jpg").unwrap(),
            upload_id: "VXBsb2FkIElE.x-_".into(),
            plan: Some(plan),
        }
    }

    #[test]
    fn a_handle_gives_back_what_was_sealed() {
        for plan in [None, upload().plan, upload().plan.map(|plan| Plan { overwrite: true, size: u64::MAX, ..plan })] {
            let upload = Upload { plan, ..upload() };
            assert_eq!(seal(1).open(&seal(1).seal(&upload, "anna").unwrap(), "anna"), Some(upload));
        }
    }

    #[test]
    fn the_longest_names_fit() {
        let longest = Upload {
            bucket: BucketName::new("b".repeat(63)).unwrap(),
            key: ObjectKey::new("k".repeat(1024)).unwrap(),
            upload_id: "u".repeat(MAX_UPLOAD_ID_LEN),
            ..upload()
        };
        assert_eq!(seal(1).open(&seal(1).seal(&longest, "anna").unwrap(), "anna"), Some(longest));
        for id in ["", "a\nb", &"u".repeat(MAX_UPLOAD_ID_LEN + 1)] {
            assert_eq!(seal(1).seal(&Upload { upload_id: id.into(), ..upload() }, "anna"), None);
        }
    }

    #[test]
    fn every_change_of_a_handle_makes_it_nobodys() {
        let handle = seal(1).seal(&upload(), "anna").unwrap();
        for (at, byte) in handle.as_str().bytes().enumerate() {
            let other = if byte == b'A' { b'B' } else { b'A' };
            let mut changed = handle.as_str().as_bytes().to_vec();
            changed[at] = other;
            let changed = UploadHandle::new(String::from_utf8(changed).unwrap()).unwrap();
            // The last digit of each text has bits that say nothing, which the decoder refuses.
            assert_eq!(seal(1).open(&changed, "anna"), None, "{at}");
        }
        for (text, subject, key) in [
            (handle.to_string(), "bob", 1),
            (handle.to_string(), "", 1),
            (handle.to_string(), "anna", 2),
            (handle.as_str().replace("u1.", "u2."), "anna", 1),
            (format!("{handle}."), "anna", 1),
            (format!("{handle}.A"), "anna", 1),
            (handle.as_str().rsplit_once('.').unwrap().0.to_owned(), "anna", 1),
            ("u1..".to_owned(), "anna", 1),
            ("u1".to_owned(), "anna", 1),
        ] {
            assert_eq!(seal(key).open(&UploadHandle::new(text).unwrap(), subject), None, "{subject} {key}");
        }
    }

    #[test]
    fn a_subject_and_what_is_sealed_do_not_run_into_each_other() {
        assert_ne!(tag_of(&[1; 32], b"ab", "c"), tag_of(&[1; 32], b"a", "bc"));
    }

    #[test]
    fn a_handle_outlives_a_change_of_keys() {
        let before = seal(1).seal(&upload(), "anna").unwrap();
        let hex = |number: u8| (0..32).map(|nth| format!("{:02x}", nth * 7 + number)).collect::<String>();
        let both = Seal::new(&TokenKey::from_text(&format!("{}\n{}", hex(2), hex(1))).unwrap());
        assert_eq!(both.open(&before, "anna"), Some(upload()));
        let after = both.seal(&upload(), "anna").unwrap();
        assert_eq!((seal(2).open(&after, "anna"), seal(1).open(&after, "anna")), (Some(upload()), None));
    }

    #[test]
    fn parts_have_the_lengths_of_the_plan() {
        let plan = upload().plan.unwrap();
        let len = |number, size| plan.part_len(PartNumber::new(number).unwrap(), size);
        let mib = 1 << 20;
        for (size, lens) in [
            (0, &[Some(0), None][..]),
            (1, &[Some(1), None]),
            (8 * mib, &[Some(8 * mib), None]),
            (8 * mib + 1, &[Some(8 * mib), Some(1), None]),
            (20 * mib, &[Some(8 * mib), Some(8 * mib), Some(4 * mib), None]),
        ] {
            let found: Vec<_> = (1..).take(lens.len()).map(|number| len(number, size)).collect();
            assert_eq!(found, lens, "{size}");
        }
        let most = 10_000 * 8 * mib;
        assert_eq!(
            (len(10_000, most), len(10_000, most - 1), len(10_000, 1)),
            (Some(8 * mib), Some(8 * mib - 1), None)
        );
        assert!(Plan { size: most, ..plan }.is_legal() && !Plan { size: most + 1, ..plan }.is_legal());
    }
}
