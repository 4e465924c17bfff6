//! Where the store is, and how a bucket is named there.

use glacier_core::s3::{BucketName, ObjectKey};
use glacier_core::sigv4::canonical_request::encode;

use crate::upstream::Origin;

/// How a bucket is named in a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Addressing {
    /// In front of the host: `https://photos.s3.eu-west-1.amazonaws.com/key`.
    Host,
    /// As the first segment of the path: `http://127.0.0.1:3900/photos/key`.
    Path,
}

/// A store that speaks S3.
#[derive(Clone, Debug)]
pub struct Endpoint {
    origin: Origin,
    addressing: Addressing,
    region: String,
}

/// A bucket, or an object in it, at the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) origin: Origin,
    /// Escaped once, as it is sent and signed.
    pub(super) path: String,
}

impl Endpoint {
    /// The store at `origin`, whose requests are signed for `region`. Without `addressing`, Amazon's own is addressed by
    /// host and every other store by path, since few have names for their buckets.
    pub fn new(origin: Origin, addressing: Option<Addressing>, region: String) -> Self {
        let own = if is_amazon(&origin) { Addressing::Host } else { Addressing::Path };
        Self { origin, addressing: addressing.unwrap_or(own), region }
    }

    /// The region that signatures are for.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whether it is Amazon S3 itself, whose conditional writes hold.
    pub(super) fn is_amazon(&self) -> bool {
        is_amazon(&self.origin)
    }

    /// A bucket itself.
    pub(super) fn bucket(&self, bucket: &BucketName) -> Place {
        self.place(bucket, "")
    }

    /// An object.
    pub(super) fn object(&self, bucket: &BucketName, key: &ObjectKey) -> Place {
        // Each segment on its own, so that the slashes stay; an empty one is part of a key like any other.
        let segments: Vec<String> = key.as_str().split('/').map(|segment| encode(segment.as_bytes())).collect();
        self.place(bucket, &segments.join("/"))
    }

    /// The origins that a page of ours sends to for `bucket`.
    pub(super) fn origin_of(&self, bucket: &BucketName) -> Origin {
        self.bucket(bucket).origin
    }

    fn place(&self, bucket: &BucketName, key: &str) -> Place {
        // A certificate for *.s3.amazonaws.com is not good for a.b.s3.amazonaws.com.
        let by_host =
            self.addressing == Addressing::Host && !(self.origin.is_secret() && bucket.as_str().contains('.'));
        // An IP address has no names in front of it.
        let named = by_host.then(|| self.origin.with_label(bucket.as_str()).ok()).flatten();
        match named {
            Some(origin) => Place { origin, path: format!("/{key}") },
            None if key.is_empty() => Place { origin: self.origin.clone(), path: format!("/{bucket}") },
            None => Place { origin: self.origin.clone(), path: format!("/{bucket}/{key}") },
        }
    }
}

fn is_amazon(origin: &Origin) -> bool {
    let host = origin.host();
    [".amazonaws.com", ".amazonaws.com.cn"].iter().any(|suffix| host.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn url(origin: &str, addressing: Option<Addressing>, bucket: &str, key: Option<&str>) -> String {
        let endpoint = Endpoint::new(origin.parse().unwrap(), addressing, "eu-west-1".into());
        let bucket = BucketName::new(bucket).unwrap();
        let place = match key {
            Some(key) => endpoint.object(&bucket, &ObjectKey::new(key).unwrap()),
            None => endpoint.bucket(&bucket),
        };
        format!("{}{}", place.origin, place.path)
    }

    #[test]
    fn buckets_are_named_by_host_at_amazon_and_by_path_elsewhere() {
        let amazon = "https://s3.eu-west-1.amazonaws.com";
        let near = "http://127.0.0.1:3900";
        for (origin, addressing, bucket, key, expected) in [
            (amazon, None, "photos", Some("a"), "https://photos.s3.eu-west-1.amazonaws.com/a"),
            (amazon, None, "photos", None, "https://photos.s3.eu-west-1.amazonaws.com/"),
            (amazon, None, "my.photos", Some("a"), "https://s3.eu-west-1.amazonaws.com/my.photos/a"),
            (amazon, Some(Addressing::Path), "photos", Some("a"), "https://s3.eu-west-1.amazonaws.com/photos/a"),
            (near, None, "photos", Some("a"), "http://127.0.0.1:3900/photos/a"),
            (near, None, "photos", None, "http://127.0.0.1:3900/photos"),
            (near, Some(Addressing::Host), "photos", Some("a"), "http://127.0.0.1:3900/photos/a"),
            ("https://s3.example", Some(Addressing::Host), "photos", Some("a"), "https://photos.s3.example/a"),
            ("https://xamazonaws.com", None, "photos", Some("a"), "https://xamazonaws.com/photos/a"),
        ] {
            assert_eq!(url(origin, addressing, bucket, key), expected);
        }
    }

    #[test]
    fn a_key_is_escaped_once_and_keeps_its_slashes() {
        for (key, path) in [
            ("a b+c", "a%20b%2Bc"),
            ("/a//b/", "/a//b/"),
            ("a%2Fb", "a%252Fb"),
            ("%2e%2e/x", "%252e%252e/x"),
            ("a?b#c&d=e", "a%3Fb%23c%26d%3De"),
            ("Größe\\", "Gr%C3%B6%C3%9Fe%5C"),
            ("~'()*!", "~%27%28%29%2A%21"),
        ] {
            assert_eq!(
                url("http://127.0.0.1:1", None, "photos", Some(key)),
                format!("http://127.0.0.1:1/photos/{path}")
            );
        }
    }
}
