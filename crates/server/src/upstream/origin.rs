//! Where a call may go.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, InvalidUri, PathAndQuery, Scheme};

/// Scheme, host and port of a server that may be called: `https`, or `http` where [`Origin::from_str`] or
/// [`Origin::in_the_clear`] allows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: Scheme,
    authority: Authority,
}

/// Not an origin, or one in the clear over a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidOrigin;

impl fmt::Display for InvalidOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected https://HOST or https://HOST:PORT, without a path; http:// for 127.0.0.1, [::1] and localhost only")
    }
}

impl std::error::Error for InvalidOrigin {}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    /// `https://HOST[:PORT]`, or `http://` at a loopback address.
    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        Self::parse(text).filter(|origin| origin.is_secret() || origin.is_loopback()).ok_or(InvalidOrigin)
    }
}

impl Origin {
    /// As [`Origin::from_str`], and in the clear to any address that `is_near` says is on this machine's own link.
    ///
    /// # Errors
    /// [`InvalidOrigin`].
    pub fn in_the_clear(text: &str, is_near: impl Fn(IpAddr) -> bool) -> Result<Self, InvalidOrigin> {
        let may = |origin: &Self| origin.is_secret() || origin.is_loopback() || origin.address().is_some_and(&is_near);
        Self::parse(text).filter(may).ok_or(InvalidOrigin)
    }

    /// `https://HOST`.
    ///
    /// # Errors
    /// [`InvalidOrigin`] when `host` is not a host with an optional port.
    pub fn https(host: &str) -> Result<Self, InvalidOrigin> {
        format!("https://{host}").parse()
    }

    /// The same server by a name that has `label` in front, as buckets have. An address has no such names.
    ///
    /// # Errors
    /// [`InvalidOrigin`] when that is no host.
    pub fn with_label(&self, label: &str) -> Result<Self, InvalidOrigin> {
        let is_name =
            self.address().is_none() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
        let authority = format!("{label}.{}", self.authority).parse().map_err(|_| InvalidOrigin)?;
        if is_name { Ok(Self { scheme: self.scheme.clone(), authority }) } else { Err(InvalidOrigin) }
    }

    /// Host and port as `host` has them: no port where it is the scheme's own.
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// The host alone.
    pub fn host(&self) -> &str {
        self.authority.host()
    }

    /// Whether nobody on the way can read along.
    pub fn is_secret(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    pub(super) fn uri(&self, path: PathAndQuery) -> Result<Uri, http::Error> {
        Uri::builder().scheme(self.scheme.clone()).authority(self.authority.clone()).path_and_query(path).build()
    }

    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (scheme, own_port) = match scheme {
            "https" => (Scheme::HTTPS, ":443"),
            "http" => (Scheme::HTTP, ":80"),
            _ => return None,
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let rest = rest.strip_suffix(own_port).unwrap_or(rest).to_ascii_lowercase();
        let authority: Authority = rest.parse().map_err(|_: InvalidUri| ()).ok()?;
        let is_plain = !authority.host().is_empty() && !authority.as_str().contains('@');
        // A port that is no number is left in the text but not found.
        let has_port = authority.as_str().len() > authority.host().len();
        (is_plain && has_port == authority.port_u16().is_some()).then_some(Self { scheme, authority })
    }

    fn address(&self) -> Option<IpAddr> {
        self.host().trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    fn is_loopback(&self) -> bool {
        self.host() == "localhost" || self.address().is_some_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn an_origin_is_secret_or_on_this_machine() {
        for (text, shown) in [
            ("https://glacier.us-east-1.amazonaws.com", "https://glacier.us-east-1.amazonaws.com"),
            ("https://Store.Example:443/", "https://store.example"),
            ("https://store.example:8443", "https://store.example:8443"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://localhost:4566", "http://localhost:4566"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), shown);
        }
        for text in [
            "",
            "store.example",
            "http://store.example",
            "http://10.0.0.1",
            "http://169.254.169.254",
            "http://localhost.example",
            "https://",
            "https://:443",
            "https://a@b",
            "https://store.example/path",
            "https://store.example?x",
            "https://store.example:x",
            "https://store.example:99999",
            "ftp://store.example",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(InvalidOrigin), "{text:?}");
        }
    }

    #[test]
    fn the_link_is_near_only_where_it_was_said() {
        let is_metadata = |address: IpAddr| address == IpAddr::from([169, 254, 169, 254]);
        assert!(Origin::in_the_clear("http://169.254.169.254", is_metadata).is_ok());
        assert!(Origin::in_the_clear("http://169.254.169.253", is_metadata).is_err());
        assert!(Origin::in_the_clear("http://metadata", is_metadata).is_err());
    }

    #[test]
    fn a_label_goes_in_front_of_names_only() {
        let origin: Origin = "https://s3.eu-west-1.amazonaws.com".parse().unwrap();
        assert_eq!(origin.with_label("photos").unwrap().authority(), "photos.s3.eu-west-1.amazonaws.com");
        for label in ["a@", "a/b", "a:1", "a#"] {
            assert!(origin.with_label(label).is_err(), "{label}");
        }
        assert!("https://10.0.0.1".parse::<Origin>().unwrap().with_label("photos").is_err());
    }
}
