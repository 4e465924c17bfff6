//! Which objects a token is good for.

use std::fmt;

use glacier_core::s3::{BucketName, KeyPrefix};
use serde::{Deserialize, Serialize};

/// `BUCKET/PREFIX`: the objects of a bucket whose keys begin with a prefix, which may be empty.
///
/// The prefix is compared with the whole key, byte for byte, as S3 itself does: `photos/anna` is good for `annabel.jpg` as
/// well, `photos/anna/` for a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct ObjectGrant {
    bucket: BucketName,
    prefix: KeyPrefix,
}

/// A text that is no `BUCKET/PREFIX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidObjectGrant;

impl fmt::Display for InvalidObjectGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected BUCKET/PREFIX, the prefix possibly empty")
    }
}

impl std::error::Error for InvalidObjectGrant {}

impl ObjectGrant {
    /// Reads `BUCKET/PREFIX`.
    ///
    /// # Errors
    /// [`InvalidObjectGrant`] when there is no slash, the bucket is no bucket's name or the prefix no beginning of a key.
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

impl fmt::Display for ObjectGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.bucket, self.prefix)
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
        grant.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_grant_is_a_bucket_and_the_beginning_of_a_key() {
        let all = ObjectGrant::new("photos/").unwrap();
        let some = ObjectGrant::new("photos/anna/2026 é/").unwrap();
        assert_eq!(some.to_string(), "photos/anna/2026 é/");
        for (grant, bucket, key, allows) in [
            (&all, "photos", "anything", true),
            (&all, "photos2", "anything", false),
            (&all, "pho", "tos/anything", false),
            (&all, "photos", "", true),
            (&some, "photos", "", false),
            (&some, "photos", "anna/2026 é/1.jpg", true),
            (&some, "photos", "anna/2026 é", false),
            (&some, "photos", "anna/2026%20é/1.jpg", false),
            (&some, "photos", "Anna/2026 é/1.jpg", false),
            (&some, "photos", "/anna/2026 é/1.jpg", false),
            (&some, "films", "anna/2026 é/1.jpg", false),
        ] {
            assert_eq!(grant.covers(&BucketName::new(bucket).unwrap(), key), allows, "{grant} {bucket} {key}");
        }
    }

    #[test]
    fn what_is_no_grant_is_refused() {
        let long = format!("photos/{}", "a".repeat(1025));
        for bad in [
            "",
            "photos",
            "/",
            "/anna",
            "ph/",
            "Photos/",
            "pho_tos/",
            "*/",
            "-ab/",
            "ab./",
            "a..b/",
            "photos/\0",
            &long,
        ] {
            assert_eq!(ObjectGrant::new(bad), Err(InvalidObjectGrant), "{bad}");
        }
    }
}
