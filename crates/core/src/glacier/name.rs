//! Names and texts that reach a path, a header or a body. Each has a private constructor, so a value that exists is legal.

use std::fmt;

use crate::date;
use crate::json::Json;
use crate::text_type::text_type;

/// Why a text is not what it should be. The text is left out: it may be long, hostile or private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidName {
    /// Not `[A-Za-z0-9_.-]{1,255}`.
    Vault,
    /// Not 0..=1024 printable ASCII characters.
    Description,
    /// Not `[A-Za-z0-9_-]{1,256}`.
    UploadId,
    /// Not `[A-Za-z0-9_-]{1,256}`.
    ArchiveId,
    /// Not `[A-Za-z0-9_-]{1,256}`.
    JobId,
    /// Not `arn:` and up to 508 of `[A-Za-z0-9_:.-]`.
    SnsTopic,
    /// Not `YYYY-MM-DDThh:mm:ssZ`.
    Date,
    /// Not `[A-Za-z0-9_-]{1,256}`.
    LockId,
    /// Not 1..=128 letters, digits, spaces and `_./=+-@`, or it begins with `aws:`.
    TagKey,
    /// Not 0..=255 letters, digits, spaces and `_./=+-@`.
    TagValue,
    /// No JSON object, or over [`MAX_POLICY_LEN`].
    Policy,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vault => {
                "a vault name is 1 to 255 letters, digits, '_', '.' or '-' of ASCII, and neither '.' nor '..'"
            }
            Self::Description => "a description is at most 1024 printable ASCII characters (space to '~')",
            Self::UploadId => "an upload ID is 1 to 256 letters, digits, '_' or '-' of ASCII",
            Self::JobId => "a job ID is 1 to 256 letters, digits, '_' or '-' of ASCII",
            Self::SnsTopic => {
                "a notification topic is named by its ARN: \"arn:\" and up to 508 letters, digits, '_', ':', '.' or '-'"
            }
            Self::Date => "a date is UTC with seconds, as 2026-03-20T17:03:43Z",
            Self::ArchiveId => "an archive ID is 1 to 256 letters, digits, '_' or '-' of ASCII",
            Self::LockId => "a lock ID is 1 to 256 letters, digits, '_' or '-' of ASCII",
            Self::TagKey => {
                "a tag's key is 1 to 128 letters, digits, spaces and any of _./=+-@, and does not begin with aws:"
            }
            Self::TagValue => "a tag's value is at most 255 letters, digits, spaces and any of _./=+-@",
            Self::Policy => "a policy is the text of a JSON object, at most 20480 bytes of UTF-8",
        })
    }
}

impl std::error::Error for InvalidName {}

text_type!(
    /// A vault's name: `[A-Za-z0-9_.-]{1,255}`, unique in an account and region. `.` and `..` are refused although the
    /// service's own rule does not name them, because browsers and proxies resolve them as path segments.
    ///
    /// **Source:** API reference, CreateVault.
    VaultName,
    InvalidName,
    InvalidName::Vault,
    |text| (1..=255).contains(&text.len())
        && text != "." && text != ".."
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
);

text_type!(
    /// What a person writes about an archive: 0..=1024 printable ASCII characters. Immutable and not searchable.
    ///
    /// **Source:** API reference, InitiateMultipartUpload, `x-amz-archive-description`.
    Description,
    InvalidName,
    InvalidName::Description,
    |text| text.len() <= 1024 && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
);

text_type!(
    /// Names one multipart upload; opaque (92 characters on the real service).
    UploadId,
    InvalidName,
    InvalidName::UploadId,
    is_opaque_id
);

text_type!(
    /// Names one archive; opaque (138 characters on the real service).
    ArchiveId,
    InvalidName,
    InvalidName::ArchiveId,
    is_opaque_id
);

text_type!(
    /// Names one job; opaque (92 characters on the real service).
    JobId,
    InvalidName,
    InvalidName::JobId,
    is_opaque_id
);

text_type!(
    /// Where the service tells that a job is done: the ARN of an SNS topic. Whether there is such a topic is not
    /// checked before it is needed.
    SnsTopic,
    InvalidName,
    InvalidName::SnsTopic,
    |text| text.len() <= 512
        && text.strip_prefix("arn:").is_some_and(|rest| !rest.is_empty())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:.-".contains(&byte))
);

text_type!(
    /// A moment in UTC to the second, as `2026-03-20T17:03:43Z`: what an inventory is limited by. Texts in order are
    /// moments in order.
    Date,
    InvalidName,
    InvalidName::Date,
    is_date
);

text_type!(
    /// Names one attempt to lock a vault; opaque (24 characters on the real service).
    LockId,
    InvalidName,
    InvalidName::LockId,
    is_opaque_id
);

text_type!(
    /// A tag's key: 1..=128 characters, letters and digits of any script, spaces and `_./=+-@`. The prefix `aws:` is
    /// reserved, in any case.
    ///
    /// **Source:** developer guide, "Tagging Vaults", "Tag Restrictions".
    TagKey,
    InvalidName,
    InvalidName::TagKey,
    |text| (1..=128).contains(&text.chars().count())
        && !text.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
        && text.chars().all(is_tag_character)
);

text_type!(
    /// A tag's value: 0..=255 characters of the alphabet of a [`TagKey`].
    ///
    /// **Source:** as [`TagKey`].
    TagValue,
    InvalidName,
    InvalidName::TagValue,
    |text| text.chars().count() <= 255 && text.chars().all(is_tag_character)
);

/// Most bytes of a vault access policy or a vault lock policy. **Source:** developer guide, "Vault Access Policies" and
/// "Vault Lock Policies": 20 KB.
pub const MAX_POLICY_LEN: usize = 20 << 10;

text_type!(
    /// A policy: the text of a JSON object, at most [`MAX_POLICY_LEN`] bytes. Only braces around it are looked for; what
    /// is between them is read by the store.
    PolicyText,
    InvalidName,
    InvalidName::Policy,
    |text| text.len() <= MAX_POLICY_LEN
        && text.trim_matches(is_json_space).strip_prefix('{').is_some_and(|rest| rest.ends_with('}'))
);

impl PolicyText {
    /// The body of the requests that set one.
    pub(super) fn to_body(&self) -> Json {
        Json::object([("Policy", Json::Text(self.0.clone()))])
    }
}

fn is_tag_character(character: char) -> bool {
    character.is_alphanumeric() || character == ' ' || "_./=+-@".contains(character)
}

/// **Source:** RFC 8259, section 2.
fn is_json_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

fn is_date(text: &str) -> bool {
    text.len() == "YYYY-MM-DDThh:mm:ssZ".len() && date::unix_ms(text).is_some()
}

fn is_opaque_id(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vault_names_stay_inside_their_path_segment() {
        for good in ["a", "photos", "my.vault-2_x", &"v".repeat(255), "..."] {
            assert!(VaultName::new(good).is_ok(), "{good:?}");
        }
        for bad in ["", ".", "..", "a/b", "a b", "a%2fb", "é", "a\0", "a\r\n", "a\u{202e}b", &"v".repeat(256)] {
            assert_eq!(VaultName::new(bad), Err(InvalidName::Vault), "{bad:?}");
        }
    }

    #[test]
    fn dates_are_days_that_exist() {
        for good in ["2026-03-20T17:03:43Z", "2024-02-29T00:00:00Z", "2000-02-29T23:59:59Z", "0000-12-31T00:00:00Z"] {
            assert!(Date::new(good).is_ok(), "{good:?}");
        }
        for bad in [
            "",
            "2026-03-20",
            "2026-03-20T17:03:43",
            "2026-03-20T17:03:43.221Z",
            "2026-03-20T17:03:43+00:00",
            "2026-13-20T17:03:43Z",
            "2026-00-20T17:03:43Z",
            "2026-02-29T17:03:43Z",
            "1900-02-29T17:03:43Z",
            "2026-04-31T17:03:43Z",
            "2026-03-00T17:03:43Z",
            "2026-03-20T24:00:00Z",
            "2026-03-20T17:60:43Z",
            "2026-03-20T17:03:60Z",
            "2026-03-20t17:03:43z",
            "é26-03-20T17:03:43Z",
        ] {
            assert_eq!(Date::new(bad), Err(InvalidName::Date), "{bad:?}");
        }
    }

    #[test]
    fn topics_are_arns() {
        assert!(SnsTopic::new("arn:aws:sns:us-east-1:012345678901:jobs_done-1.fifo").is_ok());
        for bad in ["", "arn:", "topic", "arn:aws:sns: us", "arn:é", "arn:a\r\nb", &format!("arn:{}", "a".repeat(509))]
        {
            assert_eq!(SnsTopic::new(bad), Err(InvalidName::SnsTopic), "{bad:?}");
        }
    }

    #[test]
    fn tags_are_of_the_documented_alphabet_and_length() {
        for good in ["a", "Ünïcode 7", "_./=+-@", "aws", "awsome", &"k".repeat(128), &"é".repeat(128)] {
            assert!(TagKey::new(good).is_ok(), "{good:?}");
            assert!(TagValue::new(good).is_ok(), "{good:?}");
        }
        for bad in ["a:b", "a\tb", "a*", "a\u{202e}", "\0"] {
            assert_eq!(TagKey::new(bad), Err(InvalidName::TagKey), "{bad:?}");
            assert_eq!(TagValue::new(bad), Err(InvalidName::TagValue), "{bad:?}");
        }
        for bad in ["", "aws:x", "AWS:x", &"k".repeat(129), &"é".repeat(129)] {
            assert_eq!(TagKey::new(bad), Err(InvalidName::TagKey), "{bad:?}");
        }
        assert!(TagValue::new("").is_ok());
        assert!(TagValue::new("é".repeat(255)).is_ok());
        assert_eq!(TagValue::new("v".repeat(256)), Err(InvalidName::TagValue));
    }

    #[test]
    fn policies_are_objects_of_twenty_kib_at_most() {
        let of_length = |len: usize| format!("{{{}}}", " ".repeat(len - 2));
        for good in ["{}", " \t\r\n{\"Statement\":[]}\n", "{\"é\":1}", &of_length(20_480)] {
            assert!(PolicyText::new(good).is_ok(), "{good:?}");
        }
        for bad in ["", "{", "}", "[]", "\"{}\"", "null", "\u{a0}{}", "{}x", &of_length(20_481)] {
            assert_eq!(PolicyText::new(bad), Err(InvalidName::Policy), "{bad:?}");
        }
    }

    #[test]
    fn descriptions_are_printable_ascii() {
        for good in ["", "double  spaces  here", "~", &"d".repeat(1024)] {
            assert!(Description::new(good).is_ok(), "{good:?}");
        }
        for bad in ["\r\n", "\u{7f}", "Ísland", "\t", &"d".repeat(1025)] {
            assert_eq!(Description::new(bad), Err(InvalidName::Description), "{bad:?}");
        }
    }
}
