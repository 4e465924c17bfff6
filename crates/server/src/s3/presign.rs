//! URLs that a page may send bytes to, or get them from, straight at the bucket.
//!
//! What a URL is good for is bound by what is signed: method, bucket, key, upload and part number by the URL itself, the
//! bytes by their SHA-256 and their length, all else by the headers that are signed with it. LocalStack 2026.3 and Garage
//! 2.5 were seen to refuse other bytes, another length, a signed header left out and an `x-amz-…` header put in; of the
//! length, Amazon S3 documents the same ("any header can be added to the signed headers").

use glacier_core::PayloadHash;
use glacier_core::glacier::Method;
use glacier_core::intent::SignedRequest;
use glacier_core::s3::{Kept, Metadata, PartNumber, TREE_HASH_NAME, checksum_header, header as s3_header};
use glacier_core::sigv4::canonical_request::encode;
use glacier_core::sigv4::{
    CanonicalRequest, Credentials, PathForm, S3 as S3_SERVICE, Scope, Timestamp, UNSIGNED_PAYLOAD, presign,
};
use glacier_core::tree_hash::TreeHash;

use super::endpoint::Place;

/// For how long a URL is good, in seconds: what somebody who steals one has.
pub(super) const LIFETIME_S: u32 = 300;

/// How much sooner the page takes a URL for expired, in milliseconds, for what is slow on the way.
const MARGIN_MS: u64 = 30_000;

/// A request to be presigned.
#[derive(Clone, Debug)]
pub(super) struct Presigned {
    method: Method,
    place: Place,
    query: String,
    /// That the page sends.
    headers: Vec<(String, String)>,
    /// Set by the browser, of the body.
    content_length: Option<u64>,
}

impl Presigned {
    /// One part of `len` bytes.
    pub(super) fn part(place: Place, upload_id: &str, number: PartNumber, hash: &PayloadHash, len: u64) -> Self {
        Self {
            method: Method::Put,
            place,
            query: format!("partNumber={}&uploadId={}", number.get(), encode(upload_id.as_bytes())),
            headers: vec![(s3_header::CHECKSUM_SHA256.to_owned(), checksum_header(hash))],
            content_length: Some(len),
        }
    }

    /// A whole object.
    pub(super) fn object(place: Place, hash: &PayloadHash, len: u64, tree_hash: &TreeHash, kept: &Kept<'_>) -> Self {
        let mut headers = self::headers(kept);
        headers.push((s3_header::CHECKSUM_SHA256.to_owned(), checksum_header(hash)));
        headers.push((format!("{}{TREE_HASH_NAME}", s3_header::METADATA_PREFIX), tree_hash.to_string()));
        if !kept.overwrite {
            headers.push((s3_header::IF_NONE_MATCH.to_owned(), "*".to_owned()));
        }
        headers.sort_unstable();
        Self { method: Method::Put, place, query: String::new(), headers, content_length: Some(len) }
    }

    /// An object, or some of it.
    pub(super) fn download(place: Place, version_id: Option<&str>, range: Option<String>) -> Self {
        Self {
            method: Method::Get,
            place,
            query: version_id.map_or_else(String::new, |id| format!("versionId={}", encode(id.as_bytes()))),
            headers: range.map(|range| ("range".to_owned(), range)).into_iter().collect(),
            content_length: None,
        }
    }

    /// Names of the headers that the page sends.
    pub(super) fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| name.as_str())
    }

    /// The method's name.
    pub(super) fn method(&self) -> &'static str {
        self.method.as_str()
    }

    /// The request, signed.
    pub(super) fn sign(self, credentials: &Credentials, region: &str, now: Timestamp) -> SignedRequest {
        let content_length = self.content_length.map(|len| len.to_string());
        let mut signed: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        signed.push(("host", self.place.origin.authority()));
        signed.extend(content_length.as_deref().map(|len| (s3_header::CONTENT_LENGTH, len)));
        let canonical = CanonicalRequest {
            method: self.method.as_str(),
            path: &self.place.path,
            path_form: PathForm::AsKey,
            query: &self.query,
            headers: &signed,
            payload_hash: UNSIGNED_PAYLOAD,
        };
        let scope = Scope { region: region.to_owned(), service: S3_SERVICE };
        let query = presign(&canonical, credentials, &scope, now, LIFETIME_S);
        SignedRequest {
            method: self.method,
            url: format!("{}{}?{query}", self.place.origin, self.place.path),
            headers: self.headers,
            body: None,
            expires_in_ms: u64::from(LIFETIME_S) * 1000 - MARGIN_MS,
        }
    }
}

/// The headers that say how an object is to be kept, but for whether another may be there before.
pub(super) fn headers(kept: &Kept<'_>) -> Vec<(String, String)> {
    let mut headers = vec![(s3_header::STORAGE_CLASS.to_owned(), kept.storage_class.as_str().to_owned())];
    headers.extend(kept.content_type.map(|kind| (s3_header::CONTENT_TYPE.to_owned(), kind.to_string())));
    for (name, value) in kept.metadata.map_or(&[][..], Metadata::pairs) {
        headers.push((format!("{}{name}", s3_header::METADATA_PREFIX), value.to_string()));
    }
    if let Some(tags) = kept.tags {
        let pair = |(key, value): &(_, _)| {
            let (key, value): (&glacier_core::s3::TagKey, &glacier_core::s3::TagValue) = (key, value);
            format!("{}={}", encode(key.as_str().as_bytes()), encode(value.as_str().as_bytes()))
        };
        let pairs: Vec<String> = tags.pairs().iter().map(pair).collect();
        headers.push((s3_header::TAGGING.to_owned(), pairs.join("&")));
    }
    headers
}
