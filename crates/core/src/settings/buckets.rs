//! What `createBuckets` and the calls of a bucket are told.

use super::gateway::{GATEWAY_KEYS, GatewaySettings};
use super::strict::{check_keys, text};
use super::vaults::VaultsSettings;
use crate::error::UploadError;
use crate::json::Json;
use crate::s3::{KeyPrefix, ObjectKey, VersionId};

const OBJECT_KEYS: &[&str] = &["versionId"];
const UPLOADS_KEYS: &[&str] = &["prefix", "signal"];

/// Reads the plain data among the options of `createBuckets`. Nobody tells when a restore is done, so that there are no
/// events.
///
/// # Errors
/// [`ErrorCode::InvalidOption`](crate::ErrorCode::InvalidOption) naming the key.
pub fn buckets(options: &Json) -> Result<VaultsSettings, UploadError> {
    check_keys(options, "", &[], GATEWAY_KEYS)?;
    Ok(VaultsSettings { gateway: GatewaySettings::read(options)?, events: false })
}

/// Reads an object's name and the options of `object`.
///
/// # Errors
/// [`ErrorCode::InvalidKey`](crate::ErrorCode::InvalidKey), and
/// [`ErrorCode::InvalidOption`](crate::ErrorCode::InvalidOption) naming the key.
pub fn object(key: &str, options: &Json) -> Result<(ObjectKey, Option<VersionId>), UploadError> {
    check_keys(options, "", OBJECT_KEYS, &[])?;
    Ok((ObjectKey::new(key)?, text(options, "versionId")?.map(VersionId::new).transpose()?))
}

/// Reads the options of a bucket's `uploads`: what the keys begin with.
///
/// # Errors
/// [`ErrorCode::InvalidOption`](crate::ErrorCode::InvalidOption) naming the key.
pub fn object_uploads(options: &Json) -> Result<Option<KeyPrefix>, UploadError> {
    check_keys(options, "", UPLOADS_KEYS, &[])?;
    Ok(text(options, "prefix")?.map(KeyPrefix::new).transpose()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn what_is_given_is_read_and_what_is_misspelt_is_named() {
        let one = |key: &str, value: &str| Json::Object(vec![(key.to_owned(), Json::Text(value.to_owned()))]);
        let none = Json::Object(Vec::new());
        assert!(!buckets(&none).unwrap().events);
        assert_eq!(buckets(&one("target", "a")).unwrap_err().message, "there is no option \"target\"");
        let (key, version) = object("a/b", &one("versionId", "v1")).unwrap();
        assert_eq!((key.as_str(), version.as_ref().map(VersionId::as_str)), ("a/b", Some("v1")));
        assert_eq!(object("a/b", &none).unwrap().1, None);
        assert_eq!(object("", &none).unwrap_err().code, ErrorCode::InvalidKey);
        assert_eq!(object("a", &one("version", "v1")).unwrap_err().message, "there is no option \"version\"");
        let prefix = object_uploads(&one("prefix", "a/")).unwrap();
        assert_eq!(prefix.as_ref().map(KeyPrefix::as_str), Some("a/"));
        assert_eq!(object_uploads(&none), Ok(None));
        assert_eq!(object_uploads(&one("prefx", "a/")).unwrap_err().code, ErrorCode::InvalidOption);
    }
}
