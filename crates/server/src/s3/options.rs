//! What the configuration says of S3.

use clap::Args;
use glacier_core::s3::MAX_OBJECT_LEN;

use super::{Addressing, Endpoint};
use crate::config::ConfigError;
use crate::objects::ObjectGrant;
use crate::upstream::Origin;

/// The keys.
#[derive(Clone, Debug, Args)]
pub struct S3Options {
    /// Bucket that pages may use, or BUCKET/PREFIX for those of its objects whose keys begin so; may be given several
    /// times
    #[arg(long = "bucket", env = "GLACIER_UPLOAD_BUCKETS", value_name = "BUCKET[/PREFIX]", value_delimiter = ',')]
    pub buckets: Vec<String>,
    /// Store that speaks S3, as `https://s3.example.com`; unless given, Amazon S3 in the region
    #[arg(long, env = "GLACIER_UPLOAD_S3_ENDPOINT", value_name = "URL")]
    pub s3_endpoint: Option<String>,
    /// Region that signatures for buckets are good for; unless given, that of --region
    #[arg(long, env = "GLACIER_UPLOAD_S3_REGION", value_name = "REGION")]
    pub s3_region: Option<String>,
    /// Where a bucket's name stands in its URL; unless given, in the host at Amazon S3 and in the path elsewhere
    #[arg(long, env = "GLACIER_UPLOAD_S3_ADDRESSING", value_enum)]
    pub s3_addressing: Option<Addressing>,
    /// Most bytes in one object
    #[arg(long, env = "GLACIER_UPLOAD_S3_MAX_OBJECT_BYTES", value_name = "BYTES", default_value_t = MAX_OBJECT_LEN)]
    pub s3_max_object_bytes: u64,
}

/// A store, and the objects in it that pages may use.
#[derive(Clone, Debug)]
pub struct Buckets {
    /// The store.
    pub endpoint: Endpoint,
    /// At least one.
    pub objects: Vec<ObjectGrant>,
    /// Most bytes in one object.
    pub max_object_len: u64,
}

impl S3Options {
    /// The store and its buckets, or `None` without any. `region` is that of all else.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn check(&self, region: &str) -> Result<Option<Buckets>, ConfigError> {
        let grant = |text: &String| {
            let text = if text.contains('/') { text.clone() } else { format!("{text}/") };
            let why =
                "expected the name of a bucket, with or without a slash and what keys begin with, as photos/2026/";
            ObjectGrant::new(&text).map_err(|_| ConfigError::new("bucket", why))
        };
        let objects = self.buckets.iter().map(grant).collect::<Result<Vec<_>, _>>()?;
        let region = self.s3_region.as_deref().unwrap_or(region);
        let in_region = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if region.is_empty() || !region.bytes().all(in_region) {
            return Err(ConfigError::new("s3-region", "a region is lower-case letters, digits and hyphens"));
        }
        let origin: Result<Origin, _> = match &self.s3_endpoint {
            Some(url) => url.parse(),
            None => Origin::https(&format!("s3.{region}.amazonaws.com")),
        };
        let origin = origin.map_err(|error| ConfigError::new("s3-endpoint", error.to_string()))?;
        if objects.is_empty() && self.s3_endpoint.is_some() {
            return Err(ConfigError::new("s3-endpoint", "goes with --bucket, the buckets that pages may use"));
        }
        let endpoint = Endpoint::new(origin, self.s3_addressing, region.to_owned());
        let buckets = Buckets { endpoint, objects, max_object_len: self.s3_max_object_bytes };
        Ok((!buckets.objects.is_empty()).then_some(buckets))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        s3: S3Options,
    }

    fn check(flags: &[&str]) -> Result<Option<Buckets>, String> {
        let flags = Flags::try_parse_from(["server"].iter().chain(flags)).map_err(|error| error.to_string())?;
        flags.s3.check("eu-west-1").map_err(|error| error.to_string())
    }

    #[test]
    fn without_buckets_there_is_no_store() {
        assert!(check(&[]).unwrap().is_none());
    }

    #[test]
    fn a_bucket_is_at_amazon_in_the_region_unless_said_otherwise() {
        let buckets = check(&["--bucket", "photos", "--bucket", "films/2026/"]).unwrap().unwrap();
        let texts: Vec<String> = buckets.objects.iter().cloned().map(String::from).collect();
        assert_eq!(texts, ["photos/", "films/2026/"]);
        let origin = buckets.endpoint.origin_of(buckets.objects[0].bucket()).to_string();
        assert_eq!(
            (origin.as_str(), buckets.endpoint.region()),
            ("https://photos.s3.eu-west-1.amazonaws.com", "eu-west-1")
        );
        assert_eq!(buckets.max_object_len, 53_687_091_200_000);
        let near = ["--bucket", "photos", "--s3-endpoint", "http://127.0.0.1:3900", "--s3-region", "garage"];
        let buckets = check(&near).unwrap().unwrap();
        let origin = buckets.endpoint.origin_of(buckets.objects[0].bucket()).to_string();
        assert_eq!((origin.as_str(), buckets.endpoint.region()), ("http://127.0.0.1:3900", "garage"));
    }

    #[test]
    fn what_cannot_work_names_the_flag() {
        for (flags, flag) in [
            (&["--bucket", "Photos"][..], "--bucket"),
            (&["--bucket", ""], "--bucket"),
            (&["--bucket", "photos", "--s3-endpoint", "http://store.example"], "--s3-endpoint"),
            (&["--bucket", "photos", "--s3-endpoint", "https://store.example/path"], "--s3-endpoint"),
            (&["--s3-endpoint", "https://store.example"], "--bucket"),
            (&["--bucket", "photos", "--s3-region", "EU west"], "--s3-region"),
            (&["--bucket", "photos", "--s3-addressing", "virtual"], "--s3-addressing"),
        ] {
            let error = check(flags).unwrap_err();
            assert!(error.contains(flag), "{flags:?}: {error}");
        }
    }
}
