//! A request without its body, as text.

use glacier_core::glacier::header;
use glacier_core::range::parse_decimal;
use glacier_core::sigv4::canonical_request::decode;
use http::request::Parts;

use crate::error::{self, Refusal};

/// Method, target and headers, each read in one place.
#[derive(Clone, Debug)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    /// Lower-case names, in the order they came.
    pub(crate) headers: Vec<(&'a str, &'a str)>,
}

impl<'a> Head<'a> {
    /// A header that is no text is left out unless it is one of Glacier's; if it was signed, the signature fails.
    pub(crate) fn new(parts: &'a Parts) -> Result<Self, Refusal> {
        let mut headers = Vec::with_capacity(parts.headers.len());
        for (name, value) in &parts.headers {
            match std::str::from_utf8(value.as_bytes()) {
                Ok(value) => headers.push((name.as_str(), value)),
                Err(_) if name.as_str().starts_with("x-amz-") => return Err(error::not_text(name.as_str())),
                Err(_) => {}
            }
        }
        Ok(Self {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers,
        })
    }

    /// The header of that lower-case name, which must not come twice.
    pub(crate) fn header(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        let mut values = self.headers.iter().filter(|(key, _)| *key == name).map(|(_, value)| *value);
        match (values.next(), values.next()) {
            (Some(_), Some(_)) => Err(error::repeated(name)),
            (value, _) => Ok(value),
        }
    }

    /// The header of that lower-case name, which must come.
    pub(crate) fn required(&self, name: &str) -> Result<&'a str, Refusal> {
        self.header(name)?.ok_or_else(|| error::missing(name))
    }

    /// The query parameter of that name, which must not come twice. An empty one counts as none.
    pub(crate) fn parameter(&self, name: &str) -> Result<Option<String>, Refusal> {
        let mut values = self
            .query
            .split('&')
            .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
            .filter(|(key, _)| decode(key) == name.as_bytes())
            .map(|(_, value)| String::from_utf8_lossy(&decode(value)).into_owned());
        match (values.next(), values.next()) {
            (Some(_), Some(_)) => Err(error::repeated(name)),
            (value, _) => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    /// How many items to list: what was asked for, but at most `most`.
    pub(crate) fn limit(&self, most: usize) -> Result<usize, Refusal> {
        let Some(text) = self.parameter("limit")? else { return Ok(most) };
        // More digits than a number holds is still a number, and more than enough.
        let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
        match parse_decimal(&text).or(digits_only.then_some(u64::MAX)) {
            None | Some(0) => Err(error::invalid_limit(&text)),
            Some(limit) => Ok(usize::try_from(limit).unwrap_or(most).min(most)),
        }
    }

    /// The length that was announced, if one was.
    pub(crate) fn content_length(&self) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.header("content-length")? else { return Ok(None) };
        parse_decimal(text).map(Some).ok_or_else(|| error::unreadable_content_length(text))
    }

    /// The tree hash that was claimed: 64 hexadecimal digits, or 32, which the service takes for a hash as well (that
    /// can only be a wrong one).
    pub(crate) fn tree_hash(&self) -> Result<&'a str, Refusal> {
        let text = self.required(header::TREE_HASH)?;
        let is_hash = matches!(text.len(), 32 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash { Ok(text) } else { Err(error::invalid_tree_hash(text)) }
    }
}
