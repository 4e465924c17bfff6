//! Names and texts that reach a path or a header. Each has a private constructor, so a value that exists is legal.

use std::fmt;

use crate::date;

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
        })
    }
}

impl std::error::Error for InvalidName {}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $error:expr, $legal:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "String", into = "String"))]
        pub struct $name(String);

        impl $name {
            /// Checks the text.
            ///
            /// # Errors
            /// [`InvalidName`] naming the rule that was broken.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
                let text = text.into();
                let legal: fn(&str) -> bool = $legal;
                if legal(&text) { Ok(Self(text)) } else { Err($error) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), self.0)
            }
        }
    };
}

text_type!(
    /// A vault's name: `[A-Za-z0-9_.-]{1,255}`, unique in an account and region. `.` and `..` are refused although the
    /// service's own rule does not name them, because browsers and proxies resolve them as path segments.
    ///
    /// **Source:** API reference, CreateVault.
    VaultName,
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
    InvalidName::Description,
    |text| text.len() <= 1024 && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
);

text_type!(
    /// Names one multipart upload; opaque (92 characters on the real service).
    UploadId,
    InvalidName::UploadId,
    is_opaque_id
);

text_type!(
    /// Names one archive; opaque (138 characters on the real service).
    ArchiveId,
    InvalidName::ArchiveId,
    is_opaque_id
);

text_type!(
    /// Names one job; opaque (92 characters on the real service).
    JobId,
    InvalidName::JobId,
    is_opaque_id
);

text_type!(
    /// Where the service tells that a job is done: the ARN of an SNS topic. Whether there is such a topic is not
    /// checked before it is needed.
    SnsTopic,
    InvalidName::SnsTopic,
    |text| text.len() <= 512
        && text.strip_prefix("arn:").is_some_and(|rest| !rest.is_empty())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:.-".contains(&byte))
);

text_type!(
    /// A moment in UTC to the second, as `2026-03-20T17:03:43Z`: what an inventory is limited by. Texts in order are
    /// moments in order.
    Date,
    InvalidName::Date,
    is_date
);

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
    fn descriptions_are_printable_ascii() {
        for good in ["", "double  spaces  here", "~", &"d".repeat(1024)] {
            assert!(Description::new(good).is_ok(), "{good:?}");
        }
        for bad in ["\r\n", "\u{7f}", "Ísland", "\t", &"d".repeat(1025)] {
            assert_eq!(Description::new(bad), Err(InvalidName::Description), "{bad:?}");
        }
    }
}
