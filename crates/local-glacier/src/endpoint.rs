//! Where the messages of a topic go.
//!
//! Any `http` or `https` URL: it is the operator who names it when the store is started, and no request to the store can
//! name another, so there is nobody to be kept from reaching a host of the operator's own network.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use http::Uri;
use ureq::tls::{Certificate, PemItem, parse_pem};

use crate::topic::TopicArn;

/// A topic and the URL its messages are sent to: `arn:aws:sns:…=https://hooks.example.com/path`.
#[derive(Clone, Debug)]
pub struct Topic {
    arn: TopicArn,
    url: String,
    /// `None`: those that browsers trust.
    authorities: Option<Authorities>,
}

/// Certificates of authorities that may vouch for an endpoint. Clones share them.
///
/// Invariant: at least one.
#[derive(Clone, Debug)]
pub struct Authorities(Arc<[Certificate<'static>]>);

impl Topic {
    /// Sends the messages of `arn` to `url`: absolute, `http` or `https`, without a user name, password or fragment.
    /// The host of an `https` URL must show a certificate for its name from an authority in Mozilla's list.
    ///
    /// # Errors
    /// [`InvalidTopic::Url`] for other URLs.
    pub fn new(arn: TopicArn, url: &str) -> Result<Self, InvalidTopic> {
        let uri: Uri = url.parse().map_err(|_| InvalidTopic::Url)?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        let legal = is_web && has_host && !has_user && !url.contains('#');
        if legal { Ok(Self { arn, url: url.to_owned(), authorities: None }) } else { Err(InvalidTopic::Url) }
    }

    /// Trusts these authorities and no others, for an endpoint with a certificate of one's own.
    #[must_use]
    pub fn trusting(self, authorities: Authorities) -> Self {
        Self { authorities: Some(authorities), ..self }
    }

    pub(crate) fn arn(&self) -> &TopicArn {
        &self.arn
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn authorities(&self) -> Option<&[Certificate<'static>]> {
        self.authorities.as_ref().map(|authorities| &*authorities.0)
    }
}

impl FromStr for Topic {
    type Err = InvalidTopic;

    fn from_str(text: &str) -> Result<Self, InvalidTopic> {
        let (arn, url) = text.split_once('=').ok_or(InvalidTopic::Arn)?;
        Self::new(TopicArn::new(arn).map_err(|_| InvalidTopic::Arn)?, url)
    }
}

impl Authorities {
    /// Reads every certificate in a PEM file, and passes over what else is in it.
    ///
    /// # Errors
    /// [`InvalidAuthorities`] where it has none, or one that is no base64.
    pub fn from_pem(pem: &[u8]) -> Result<Self, InvalidAuthorities> {
        let mut certificates = Vec::new();
        for item in parse_pem(pem) {
            if let PemItem::Certificate(certificate) = item.map_err(|_| InvalidAuthorities)? {
                certificates.push(certificate);
            }
        }
        if certificates.is_empty() { Err(InvalidAuthorities) } else { Ok(Self(certificates.into())) }
    }
}

/// A text that is no `ARN=URL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidTopic {
    /// What stands before the `=` is no ARN of a topic.
    Arn,
    /// What stands after it is no `http` or `https` URL.
    Url,
}

impl fmt::Display for InvalidTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Arn => "a topic is arn:aws:sns:REGION:ACCOUNT:NAME=URL",
            Self::Url => "the URL of a topic is http://HOST or https://HOST, without user name and fragment",
        })
    }
}

impl std::error::Error for InvalidTopic {}

/// A file that is no list of certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidAuthorities;

impl fmt::Display for InvalidAuthorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no certificate in PEM")
    }
}

impl std::error::Error for InvalidAuthorities {}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sns:us-east-1:123456789012:jobs";

    #[test]
    fn endpoints_are_web_addresses_without_secrets() {
        for good in [
            "http://127.0.0.1:8080/path",
            "http://localhost/",
            "http://[::1]:9/x?y=z",
            "http://hooks.internal",
            "https://hooks.example.com/path?token=a%20b",
            "https://192.0.2.1:8443/",
        ] {
            let topic: Topic = format!("{ARN}={good}").parse().unwrap();
            assert_eq!((topic.arn().as_str(), topic.url(), topic.authorities().is_none()), (ARN, good, true));
        }
        for bad in [
            "",
            "127.0.0.1",
            "/path",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "http://127.0.0.1@example.com/",
            "https://user:password@example.com/",
            "https://",
            "https:///path",
            "https://example.com/#part",
            "https://example.com/a b",
        ] {
            assert_eq!(format!("{ARN}={bad}").parse::<Topic>().unwrap_err(), InvalidTopic::Url, "{bad}");
        }
        for bad in ["", ARN, "jobs=http://127.0.0.1/"] {
            assert_eq!(bad.parse::<Topic>().unwrap_err(), InvalidTopic::Arn, "{bad}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let broken = "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n";
        for bad in ["", "a certificate", key, broken] {
            assert_eq!(Authorities::from_pem(bad.as_bytes()).unwrap_err(), InvalidAuthorities, "{bad}");
        }
    }
}
