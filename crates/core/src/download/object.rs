//! An object as a source of bytes, and what its checksum says of them.

use litemap::LiteMap;

use super::{Unverifiable, Verified};
use crate::error::{ErrorCode, UploadError};
use crate::part::PartSize;
use crate::range::ByteRange;
use crate::s3::head_object::ObjectHead;
use crate::s3::{self, BucketName, CompositeChecksum, ObjectChecksum, ObjectKey, VersionId};
use crate::sha256::PayloadHash;

/// An object, or one version of it, as it was when somebody looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectSource {
    /// Where.
    pub bucket: BucketName,
    /// Which.
    pub key: ObjectKey,
    /// The version that was asked for; `None` for the latest, which is then held to `head`.
    pub version_id: Option<VersionId>,
    /// What was seen.
    pub head: ObjectHead,
}

impl ObjectSource {
    /// How many bytes there are. None is as good as any number.
    pub(super) fn len(&self) -> Result<u64, UploadError> {
        if self.head.is_readable() {
            return Ok(self.head.size);
        }
        let words = "The object is archived, and there is no restored copy of it that could be read";
        let hint = "Have it restored with retrieve(), wait until that is done, then download it.";
        Err(UploadError::new(ErrorCode::JobNotReady, words).hint(hint))
    }

    /// For the bytes of `range`. Of the version that was seen, so that an object that is replaced meanwhile is
    /// downloaded to its end all the same, in buckets that keep versions.
    pub(super) fn intent(&self, range: ByteRange) -> s3::Intent {
        s3::Intent::GetObject {
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            version_id: self.seen_version().cloned(),
            range: Some(range),
        }
    }

    /// The version that was seen, in a bucket that keeps them.
    pub fn seen_version(&self) -> Option<&VersionId> {
        self.head.version_id.as_ref().or(self.version_id.as_ref())
    }

    /// The same object as it is now.
    ///
    /// # Errors
    /// [`ErrorCode::ObjectChanged`] where another has taken its place.
    pub fn seen_again(&self, head: ObjectHead) -> Result<Self, UploadError> {
        let now = Self { head, ..self.clone() };
        if now.is_same(self) {
            return Ok(now);
        }
        let words = "Another object has taken the place of the one that was to be retrieved";
        Err(UploadError::new(ErrorCode::ObjectChanged, words)
            .hint("Retrieve it anew; in a bucket that keeps versions, give a version to have the former one."))
    }

    /// Whether these are the same bytes, seen again.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let names = |source: &Self| (source.bucket.clone(), source.key.clone());
        names(self) == names(other) && (&self.head.etag, self.head.size) == (&other.head.etag, other.head.size)
    }

    /// Bytes in each part that the object's checksum is over, where parts of that size can be ranges of a download:
    /// those of [`DownloadConfig::piece_size`](super::DownloadConfig::piece_size), each of a plain SHA-256. For a
    /// checksum over the object as one, all its bytes fit one.
    pub fn checksum_part_size(&self) -> Option<PartSize> {
        let in_one = || PartSize::all().find(|size| size.bytes() >= self.head.size);
        match self.head.checksum? {
            ObjectChecksum::Whole(_) => in_one(),
            ObjectChecksum::Composite(checksum) if checksum.parts() == 1 => in_one(),
            ObjectChecksum::Composite(checksum) => {
                let size = PartSize::from_bytes(self.head.part_size?).ok()?;
                // The first part's size, and then that of all but the last.
                (self.head.size.div_ceil(size.bytes()) == u64::from(checksum.parts())).then_some(size)
            }
        }
    }

    /// Whether ranges of `piece_size` are what the checksum is over.
    pub(super) fn lines_up(&self, piece_size: PartSize) -> bool {
        let part_size = self.checksum_part_size();
        let in_one = self.head.size <= piece_size.bytes();
        part_size == Some(piece_size) || in_one && part_size.is_some_and(|size| size.bytes() >= self.head.size)
    }

    /// What the store's checksum says of the ranges that arrived, `hashes` of which are by number.
    ///
    /// # Errors
    /// [`ErrorCode::ChecksumMismatchWhole`] where it is of other bytes.
    pub(super) fn verify(
        &self,
        piece_size: PartSize,
        hashes: &LiteMap<u64, PayloadHash>,
    ) -> Result<Verified, UploadError> {
        let none = |why| Ok(Verified::None { why });
        let Some(checksum) = self.head.checksum else { return none(Unverifiable::NoChecksum) };
        let n_pieces = self.head.size.div_ceil(piece_size.bytes());
        if !self.lines_up(piece_size) {
            return none(Unverifiable::PartsUnknown);
        }
        if usize::try_from(n_pieces).ok() != Some(hashes.len()) {
            return none(Unverifiable::EarlierVisit);
        }
        // In order of their numbers, as the map is. An object without a byte is one part without a byte.
        let nothing = PayloadHash::of(&[]);
        let mut ours = hashes.values().copied().chain((n_pieces == 0).then_some(nothing));
        let is_it = match checksum {
            ObjectChecksum::Whole(hash) => ours.next() == Some(hash),
            ObjectChecksum::Composite(checksum) => CompositeChecksum::of_parts(ours) == Some(checksum),
        };
        if is_it {
            return Ok(Verified::Whole);
        }
        let words = "Every byte arrived, and the SHA-256 over all of them is not the one that the store keeps";
        Err(UploadError::new(ErrorCode::ChecksumMismatchWhole, words).hint(super::lifecycle::DISCARD_HINT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glacier::Date;
    use crate::part::MIB;

    fn object(size: u64, checksum: Option<ObjectChecksum>, part_size: Option<u64>) -> ObjectSource {
        ObjectSource {
            bucket: BucketName::new("photos").unwrap(),
            key: ObjectKey::new("a").unwrap(),
            version_id: None,
            head: ObjectHead {
                size,
                storage_class: "STANDARD".into(),
                etag: "e".into(),
                version_id: None,
                last_modified: Date::new("2026-03-20T17:03:43Z").unwrap(),
                content_type: None,
                checksum,
                part_size,
                tree_hash: None,
                metadata: Vec::new(),
                restore: None,
                archived: false,
            },
        }
    }

    fn mib(n: u64) -> PartSize {
        PartSize::from_bytes(n * MIB).unwrap()
    }

    #[test]
    fn parts_are_known_only_where_size_and_number_agree() {
        let hash = PayloadHash::of(b"a");
        let composite = |n: usize| CompositeChecksum::of_parts(vec![hash; n]).map(ObjectChecksum::Composite);
        let size_of = |size, checksum, part_size| object(size, checksum, part_size).checksum_part_size();
        assert_eq!(size_of(20 * MIB, composite(3), Some(8 * MIB)), Some(mib(8)));
        assert_eq!(size_of(24 * MIB, composite(3), Some(8 * MIB)), Some(mib(8)));
        for (n, part_size) in [(3, None), (3, Some(5 * MIB)), (4, Some(8 * MIB)), (2, Some(8 * MIB)), (3, Some(0))] {
            assert_eq!(size_of(20 * MIB, composite(n), part_size), None, "{n} {part_size:?}");
        }
        assert_eq!(size_of(20 * MIB, composite(1), None), Some(mib(32)));
        assert_eq!(size_of(20 * MIB, Some(ObjectChecksum::Whole(hash)), None), Some(mib(32)));
        assert_eq!(size_of(0, Some(ObjectChecksum::Whole(hash)), None), Some(mib(1)));
        assert_eq!(size_of(1, None, None), None);
        let whole = object(3 * MIB, Some(ObjectChecksum::Whole(hash)), None);
        let lines_up: Vec<_> = [1, 2, 4, 8].map(|n| whole.lines_up(mib(n))).into();
        assert_eq!(lines_up, [false, false, true, true]);
        let parts = object(3 * MIB, composite(3), Some(MIB));
        assert_eq!([1, 2, 4].map(|n| parts.lines_up(mib(n))), [true, false, false]);
    }

    #[test]
    fn an_object_that_is_looked_at_again_is_still_the_same() {
        let seen = object(5, None, None);
        let archived = ObjectHead { archived: true, storage_class: "GLACIER".into(), ..seen.head.clone() };
        assert!(seen.seen_again(archived.clone()).unwrap().head.archived);
        for other in [ObjectHead { etag: "f".into(), ..archived.clone() }, ObjectHead { size: 6, ..archived }] {
            assert_eq!(seen.seen_again(other).unwrap_err().code, ErrorCode::ObjectChanged);
        }
    }

    #[test]
    fn an_object_without_a_byte_is_verified_like_any_other() {
        let nothing = PayloadHash::of(&[]);
        let verify = |checksum| object(0, checksum, None).verify(PartSize::MIN, &LiteMap::new());
        let whole = |hash| Some(ObjectChecksum::Whole(hash));
        assert_eq!(verify(whole(nothing)), Ok(Verified::Whole));
        assert_eq!(verify(whole(PayloadHash::of(b"a"))).unwrap_err().code, ErrorCode::ChecksumMismatchWhole);
        let composite = CompositeChecksum::of_parts([nothing]).map(ObjectChecksum::Composite);
        assert_eq!(verify(composite), Ok(Verified::Whole));
        assert_eq!(verify(None), Ok(Verified::None { why: Unverifiable::NoChecksum }));
    }
}
