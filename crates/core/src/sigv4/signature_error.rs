//! Why a signature is refused, in words to answer with.

use std::fmt;

use super::verify::WINDOW_SECONDS;
use super::{ALGORITHM, Timestamp};

/// Why a request is not believed. `Display` is the text to answer with: it names what was expected, and of what was
/// sent only header names and the time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureError {
    /// No `Authorization` header.
    Missing,
    /// `Authorization` is not of the form of Signature Version 4.
    Malformed,
    /// A header and query parameters both want to authenticate.
    TwoSources,
    /// Neither `x-amz-date` nor `date`.
    DateMissing,
    /// A date in another form than `YYYYMMDDTHHMMSSZ`.
    DateMalformed,
    /// No such access key ID, or not with that session token.
    UnknownKey,
    /// The credential scope is for elsewhere.
    Scope {
        /// `date`, `region`, `service` or `terminator`.
        what: &'static str,
        /// What it should have been.
        right: String,
    },
    /// Signed more than five minutes ago.
    Expired {
        /// When it was signed.
        at: Timestamp,
        /// The server's time.
        now: Timestamp,
    },
    /// Signed more than five minutes in the future.
    NotYetCurrent {
        /// When it was signed.
        at: Timestamp,
        /// The server's time.
        now: Timestamp,
    },
    /// The names in SignedHeaders are not sorted, or one comes twice.
    SignedHeadersUnsorted,
    /// A header that must be covered by the signature is not.
    HeaderNotSigned {
        /// Its name.
        name: String,
    },
    /// A header named in SignedHeaders did not come.
    SignedHeaderAbsent,
    /// A header that must come once came more often.
    HeaderRepeated {
        /// Its name.
        name: &'static str,
    },
    /// Another secret, or another request.
    Mismatch,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("Missing Authentication Token"),
            Self::Malformed => write!(
                f,
                "Authorization header requires '{ALGORITHM} Credential=…, SignedHeaders=…, Signature=…' and nothing else"
            ),
            Self::TwoSources => {
                f.write_str("Sign in the Authorization header or not at all: X-Amz-* query parameters are not accepted")
            }
            Self::DateMissing => {
                f.write_str("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header")
            }
            Self::DateMalformed => f.write_str("Date must be in ISO-8601 'basic format': YYYYMMDDTHHMMSSZ"),
            Self::UnknownKey => f.write_str("The security token included in the request is invalid."),
            Self::Scope { what, right } => write!(f, "Credential should be scoped to a valid {what}: '{right}'"),
            Self::Expired { at, now } => {
                let limit = now.minus(WINDOW_SECONDS);
                write!(f, "Signature expired: {at} is now earlier than {limit} ({now} - 5 min.)")
            }
            Self::NotYetCurrent { at, now } => {
                let limit = now.plus(WINDOW_SECONDS);
                write!(f, "Signature not yet current: {at} is still later than {limit} ({now} + 5 min.)")
            }
            Self::SignedHeadersUnsorted => f.write_str("SignedHeaders must be sorted and name every header once"),
            Self::HeaderNotSigned { name } => write!(f, "'{name}' must be a signed header in the Authorization header"),
            Self::SignedHeaderAbsent => f.write_str("SignedHeaders names a header that the request does not have"),
            Self::HeaderRepeated { name } => write!(f, "The request has more than one '{name}' header"),
            Self::Mismatch => f.write_str(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method. Consult the service documentation for details.",
            ),
        }
    }
}

impl std::error::Error for SignatureError {}
