//! Names and texts of S3 that reach a path, a header or a body. Each has a private constructor, so a value that exists
//! is legal.

use std::fmt;

use super::TREE_HASH_NAME;
use crate::text_type::text_type;

/// Why a text is not what it should be. The text is left out: it may be long, hostile or private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidName {
    /// Not 3..=63 lower-case letters, digits, '-' and '.' that begin and end with a letter or digit, or like an IP
    /// address.
    Bucket,
    /// Not 1..=1024 bytes of UTF-8 without control characters, or with a segment that is `.` or `..`.
    Key,
    /// Not 0..=1024 bytes of UTF-8 without control characters.
    Prefix,
    /// Not 1..=1024 printable ASCII characters without spaces.
    VersionId,
    /// Not `type/subtype` in at most 255 printable ASCII characters.
    ContentType,
    /// Not 1..=2048 of `[A-Za-z0-9_.-]`.
    UploadHandle,
    /// Not 1..=128 of `[a-z0-9_.-]`, or the name the tree hash is kept under.
    MetadataName,
    /// Not 1..=2048 printable ASCII characters without spaces at the ends.
    MetadataValue,
    /// Not 1..=128 letters, digits, spaces and `+-=._:/@`, or it begins with `aws:`, or is the tree hash's.
    TagKey,
    /// Not 0..=256 letters, digits, spaces and `+-=._:/@`.
    TagValue,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bucket => {
                "a bucket name is 3 to 63 lower-case letters, digits, '-' or '.', begins and ends with a letter or a \
                 digit, has no two dots in a row and is no IP address"
            }
            Self::Key => {
                "a key is 1 to 1024 bytes of UTF-8 without control characters, and no browser can address one with \"/./\" \
                 or \"/../\" in it"
            }
            Self::Prefix => "a prefix is at most 1024 bytes of UTF-8 without control characters",
            Self::VersionId => "a version ID is 1 to 1024 printable ASCII characters without spaces",
            Self::ContentType => "a content type is \"type/subtype\" in at most 255 printable ASCII characters",
            Self::UploadHandle => "an upload is named by 1 to 2048 letters, digits, '_', '.' or '-' of ASCII",
            Self::MetadataName => {
                "the name of metadata is 1 to 128 lower-case letters, digits, '_', '.' or '-', and not sha256-tree-hash"
            }
            Self::MetadataValue => {
                "the value of metadata is printable ASCII, has 1 to 2048 characters, and no space at its ends"
            }
            Self::TagKey => {
                "a tag's key is 1 to 128 letters, digits, spaces and any of +-=._:/@, does not begin with aws: and is not \
                 sha256-tree-hash"
            }
            Self::TagValue => "a tag's value is at most 256 letters, digits, spaces and any of +-=._:/@",
        })
    }
}

impl std::error::Error for InvalidName {}

text_type!(
    /// A bucket's name. Of today's rules those that keep it a host name; names that are reserved, but name something
    /// (the alias of an access point), are S3's to refuse. Buckets of before 2018 with capitals are not addressed.
    ///
    /// **Source:** user guide, "General purpose bucket naming rules".
    BucketName,
    InvalidName,
    InvalidName::Bucket,
    |text| (3..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
        && !text.starts_with(['.', '-']) && !text.ends_with(['.', '-'])
        && !text.contains("..") && !looks_like_an_address(text)
);

text_type!(
    /// An object's key: 1..=1024 bytes of UTF-8. Control characters are refused, because no XML can name them in a list;
    /// segments `.` and `..`, because browsers resolve them however they are escaped; `soap`, because S3 keeps it for
    /// itself.
    ///
    /// **Source:** user guide, "Naming Amazon S3 objects"; URL Standard, "path state".
    ObjectKey,
    InvalidName,
    InvalidName::Key,
    |text| (1..=1024).contains(&text.len())
        && !text.contains(char::is_control)
        && text.split('/').all(|segment| segment != "." && segment != "..")
        && text != "soap"
);

text_type!(
    /// What keys begin with: 0..=1024 bytes of UTF-8.
    ///
    /// **Source:** as [`ObjectKey`].
    KeyPrefix,
    InvalidName,
    InvalidName::Prefix,
    |text| text.len() <= 1024 && !text.contains(char::is_control)
);

text_type!(
    /// Names one version of an object; opaque, and `null` for one of before the bucket kept them.
    ///
    /// **Source:** user guide, "Retaining multiple versions of objects": at most 1,024 bytes.
    VersionId,
    InvalidName,
    InvalidName::VersionId,
    |text| (1..=1024).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
);

text_type!(
    /// What kind of bytes an object is of, as in the header `Content-Type`.
    ///
    /// **Source:** RFC 9110, 8.3.1.
    ContentType,
    InvalidName,
    InvalidName::ContentType,
    |text| text.len() <= 255 && is_trimmed_printable(text)
        && text.split(';').next().and_then(|kind| kind.trim_end().split_once('/'))
            .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
);

text_type!(
    /// Names one upload. Made and sealed by the gateway: all that a page can do with it is give it back.
    UploadHandle,
    InvalidName,
    InvalidName::UploadHandle,
    |text| (1..=2048).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
);

text_type!(
    /// The name of one piece of metadata, without `x-amz-meta-`. S3 makes lower case of every name, so that it is asked
    /// for at once.
    ///
    /// **Source:** user guide, "Working with object metadata".
    MetadataName,
    InvalidName,
    InvalidName::MetadataName,
    |text| (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte))
        && text != TREE_HASH_NAME
);

text_type!(
    /// The value of one piece of metadata. Text that is not ASCII would come back in another form, and an empty header or
    /// spaces at the ends may be lost on the way, with which the signature fails.
    ///
    /// **Source:** as [`MetadataName`].
    MetadataValue,
    InvalidName,
    InvalidName::MetadataValue,
    |text| text.len() <= 2048 && is_trimmed_printable(text)
);

text_type!(
    /// The key of an object's tag. The prefix `aws:` is reserved, in any case.
    ///
    /// **Source:** user guide, "Categorizing your storage using tags".
    TagKey,
    InvalidName,
    InvalidName::TagKey,
    |text| (1..=128).contains(&text.chars().count())
        && !text.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
        && text.chars().all(is_tag_character)
        && text != TREE_HASH_NAME
);

text_type!(
    /// The value of an object's tag.
    ///
    /// **Source:** as [`TagKey`].
    TagValue,
    InvalidName,
    InvalidName::TagValue,
    |text| text.chars().count() <= 256 && text.chars().all(is_tag_character)
);

/// `192.168.5.4` and the like, in range or not.
fn looks_like_an_address(text: &str) -> bool {
    text.split('.').count() == 4 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn is_tag_character(character: char) -> bool {
    character.is_alphanumeric() || character == ' ' || "+-=._:/@".contains(character)
}

/// What a header keeps as it is: at least one character, and no space at either end.
fn is_trimmed_printable(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
        && !text.starts_with(' ')
        && !text.ends_with(' ')
}

/// **Source:** RFC 9110, 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_host_names() {
        for good in ["abc", "my-bucket", "my.bucket.2", "1ab", &"b".repeat(63), "xn--a", "a--b", "1.2.3.4.5"] {
            assert!(BucketName::new(good).is_ok(), "{good:?}");
        }
        for bad in [
            "",
            "ab",
            "Bucket",
            "my_bucket",
            "-ab",
            "ab-",
            ".ab",
            "ab.",
            "a..b",
            "192.168.5.4",
            "a/b",
            "a b",
            "bücket",
            "a\0b",
            "a%2fb",
            &"b".repeat(64),
        ] {
            assert_eq!(BucketName::new(bad), Err(InvalidName::Bucket), "{bad:?}");
        }
    }

    #[test]
    fn keys_stay_what_they_are_in_a_url() {
        for good in [
            "a",
            "a/b",
            "/a",
            "a//b",
            "a/",
            "...",
            "a/.b",
            "Größe & <mehr>?.txt",
            "a b+c%2e",
            "\\",
            "soap/x",
            &"k".repeat(1024),
            &"é".repeat(512),
        ] {
            assert!(ObjectKey::new(good).is_ok(), "{good:?}");
        }
        for bad in [
            "",
            ".",
            "..",
            "a/./b",
            "a/..",
            "../a",
            "soap",
            "a\0",
            "a\n",
            "\u{7f}",
            "\u{85}",
            &"k".repeat(1025),
            &"é".repeat(513),
        ] {
            assert_eq!(ObjectKey::new(bad), Err(InvalidName::Key), "{bad:?}");
        }
        for good in ["", "a/../", &"k".repeat(1024)] {
            assert!(KeyPrefix::new(good).is_ok(), "{good:?}");
        }
        assert_eq!(KeyPrefix::new("a\r"), Err(InvalidName::Prefix));
    }

    #[test]
    fn content_types_have_a_type_and_a_subtype() {
        for good in ["video/mp4", "text/plain;charset=utf-8", "text/plain ; charset=\"a b\"", "image/svg+xml"] {
            assert!(ContentType::new(good).is_ok(), "{good:?}");
        }
        for bad in ["", "video", "/mp4", "video/", " video/mp4", "a/b/c", "text/plain\r\nx: y", "té/x", "a b/c"] {
            assert_eq!(ContentType::new(bad), Err(InvalidName::ContentType), "{bad:?}");
        }
    }

    #[test]
    fn handles_and_versions_are_opaque_but_no_more_than_they_are() {
        assert!(UploadHandle::new("gu.A-_z.9").is_ok());
        for bad in ["", "a/b", "a b", "é", "a=", &"h".repeat(2049)] {
            assert_eq!(UploadHandle::new(bad), Err(InvalidName::UploadHandle), "{bad:?}");
        }
        assert!(VersionId::new("null").is_ok() && VersionId::new("3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY").is_ok());
        for bad in ["", "a b", "é", &"v".repeat(1025)] {
            assert_eq!(VersionId::new(bad), Err(InvalidName::VersionId), "{bad:?}");
        }
    }

    #[test]
    fn metadata_survives_a_header() {
        for good in ["author", "a.b_c-1", &"n".repeat(128)] {
            assert!(MetadataName::new(good).is_ok(), "{good:?}");
        }
        for bad in ["", "Author", "a b", "a:b", "é", "sha256-tree-hash", &"n".repeat(129)] {
            assert_eq!(MetadataName::new(bad), Err(InvalidName::MetadataName), "{bad:?}");
        }
        for good in ["a", "double  spaces", "~"] {
            assert!(MetadataValue::new(good).is_ok(), "{good:?}");
        }
        for bad in ["", " a", "a ", "a\r\nb: c", "é", "\t"] {
            assert_eq!(MetadataValue::new(bad), Err(InvalidName::MetadataValue), "{bad:?}");
        }
    }

    #[test]
    fn tags_are_of_the_documented_alphabet_and_length() {
        for good in ["a", "Ünïcode 7", "+-=._:/@", "aws", &"k".repeat(128), &"é".repeat(128)] {
            assert!(TagKey::new(good).is_ok(), "{good:?}");
            assert!(TagValue::new(good).is_ok(), "{good:?}");
        }
        for bad in ["", "aws:x", "AWS:x", "a*", "a\n", "a&b", "sha256-tree-hash", &"k".repeat(129)] {
            assert_eq!(TagKey::new(bad), Err(InvalidName::TagKey), "{bad:?}");
        }
        assert!(TagValue::new("").is_ok() && TagValue::new("v".repeat(256)).is_ok());
        for bad in ["a&b", "\0", "\u{202e}", &"v".repeat(257)] {
            assert_eq!(TagValue::new(bad), Err(InvalidName::TagValue), "{bad:?}");
        }
    }
}
