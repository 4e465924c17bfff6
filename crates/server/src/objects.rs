//! Which objects a token is good for.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Most bytes of a key. **Source:** Amazon S3, "Naming Amazon S3 objects".
const MAX_KEY_LEN: usize = 1024;

/// `BUCKET/PREFIX`: the objects of a bucket whose keys begin with a prefix, which may be empty.
///
/// The prefix is compared byte by byte. `photos/anna` is good for `anna-and-ben.jpg` as well: a folder ends in `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectGrant {
    bucket: String,
    prefix: String,
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
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
        let is_bucket = (3..=63).contains(&bucket.len())
            && bucket.bytes().all(is_inner)
            && !bucket.starts_with(['-', '.'])
            && !bucket.ends_with(['-', '.'])
            && !bucket.contains("..");
        let is_prefix = prefix.len() <= MAX_KEY_LEN && !prefix.chars().any(char::is_control);
        if !is_bucket || !is_prefix {
            return Err(InvalidObjectGrant);
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// Whether it is good for this object.
    pub fn allows(&self, bucket: &str, key: &str) -> bool {
        self.bucket == bucket && key.starts_with(&self.prefix)
    }
}

impl fmt::Display for ObjectGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.bucket, self.prefix)
    }
}

impl Serialize for ObjectGrant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ObjectGrant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
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
            (&all, "photo", "s/anything", false),
            (&some, "photos", "anna/2026 é/1.jpg", true),
            (&some, "photos", "anna/2026 é", false),
            (&some, "photos", "anna/2026%20é/1.jpg", false),
            (&some, "photos", "Anna/2026 é/1.jpg", false),
            (&some, "photos", "/anna/2026 é/1.jpg", false),
            (&some, "films", "anna/2026 é/1.jpg", false),
        ] {
            assert_eq!(grant.allows(bucket, key), allows, "{grant} {bucket} {key}");
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
