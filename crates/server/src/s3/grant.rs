//! Which objects a token is good for.

use std::fmt;

use glacier_core::s3::{BucketName, KeyPrefix};
use serde::{Deserialize, Serialize};

/// The objects of a bucket whose keys begin with a prefix; as text `BUCKET/PREFIX`, or `BUCKET/` for all of them.
///
/// The prefix is compared with the whole key, byte for byte, as S3 itself does: `photos/anna` is good for `anna/1` and
/// for `annabel`, `photos/anna/` for the first alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectGrant {
    bucket: BucketName,
    prefix: KeyPrefix,
}

/// A text that is not `BUCKET/PREFIX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidObjectGrant;

impl fmt::Display for InvalidObjectGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("objects are named BUCKET/PREFIX, or BUCKET/ for all of a bucket")
    }
}

impl std::error::Error for InvalidObjectGrant {}

impl ObjectGrant {
    /// Reads the text.
    ///
    /// # Errors
    /// [`InvalidObjectGrant`].
    pub fn new(text: &str) -> Result<Self, InvalidObjectGrant> {
        let (bucket, prefix) = text.split_once('/').ok_or(InvalidObjectGrant)?;
        let bucket = BucketName::new(bucket).map_err(|_| InvalidObjectGrant)?;
        Ok(Self { bucket, prefix: KeyPrefix::new(prefix).map_err(|_| InvalidObjectGrant)? })
    }

    /// The bucket.
    pub fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    /// What keys begin with.
    pub fn prefix(&self) -> &str {
        self.prefix.as_str()
    }

    /// Whether it is good for the object `key`, or for a list of all that begins with `key`.
    pub fn covers(&self, bucket: &BucketName, key: &str) -> bool {
        self.bucket == *bucket && key.starts_with(self.prefix.as_str())
    }
}

impl TryFrom<String> for ObjectGrant {
    type Error = InvalidObjectGrant;

    fn try_from(text: String) -> Result<Self, InvalidObjectGrant> {
        Self::new(&text)
    }
}

impl From<ObjectGrant> for String {
    fn from(grant: ObjectGrant) -> Self {
        format!("{}/{}", grant.bucket, grant.prefix)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_prefix_is_compared_with_the_whole_key() {
        for (grant, bucket, key, covered) in [
            ("photos/", "photos", "anything", true),
            ("photos/", "photos", "", true),
            ("photos/anna/", "photos", "anna/1.jpg", true),
            ("photos/anna/", "photos", "anna//..1", true),
            ("photos/anna", "photos", "annabel/1.jpg", true),
            ("photos/anna/", "photos", "annabel/1.jpg", false),
            ("photos/anna/", "photos", "anna", false),
            ("photos/anna/", "photos", "", false),
            ("photos/anna/", "photos", "x/anna/1.jpg", false),
            ("photos/anna/", "photos", "Anna/1.jpg", false),
            ("photos/anna/", "photos", "anna%2F1.jpg", false),
            ("photos/anna/", "photos", "/anna/1.jpg", false),
            ("photos/", "photos2", "anna/1.jpg", false),
            ("photos/", "films", "photos/anna/1.jpg", false),
            ("photos/a/../", "photos", "a/../b", true),
        ] {
            let bucket = BucketName::new(bucket).unwrap();
            assert_eq!(ObjectGrant::new(grant).unwrap().covers(&bucket, key), covered, "{grant} {bucket} {key}");
        }
    }

    #[test]
    fn the_text_is_a_bucket_a_slash_and_the_rest() {
        for good in ["photos/", "photos/anna/", "photos//", "my.bucket/a b"] {
            let grant = ObjectGrant::new(good).unwrap();
            assert_eq!(String::from(grant), good);
        }
        for bad in ["", "photos", "/", "/anna", "Photos/", "photos/a\nb", "*/", "arn:aws:s3:::photos/"] {
            assert_eq!(ObjectGrant::new(bad), Err(InvalidObjectGrant), "{bad}");
        }
    }
}
