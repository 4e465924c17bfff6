//! A request to the store before it is signed, and an answer of the store as the browser saw it.

use std::fmt;

use super::header;
use crate::hex::InvalidHash;
use crate::json::Json;
use crate::sha256::PayloadHash;
use crate::tree_hash::TreeHash;

/// The methods Glacier's API uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "UPPERCASE"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(missing_docs, reason = "each is its own name")]
pub enum Method {
    Delete,
    Get,
    Post,
    Put,
}

impl Method {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }

    /// The method of that name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Delete, Self::Get, Self::Post, Self::Put].into_iter().find(|method| method.as_str() == name)
    }
}

/// A request without host, date and signature, which whoever holds the credentials adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Absolute path; every segment is of an alphabet that needs no escaping.
    pub path: String,
    /// Query parameters, unescaped.
    pub query: Vec<(&'static str, String)>,
    /// Headers to send and sign, names in lower case, [`header::VERSION`] included.
    pub headers: Vec<(&'static str, String)>,
    /// Plain SHA-256 of the body.
    pub payload_hash: PayloadHash,
    /// The body where it is text made here: JSON. A part's bytes are not, and `payload_hash` is then all that is
    /// known of them.
    pub body: Option<String>,
}

impl Request {
    pub(super) fn without_body(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            headers: vec![(header::VERSION, super::API_VERSION.to_owned())],
            payload_hash: PayloadHash::of(&[]),
            body: None,
        }
    }

    pub(super) fn with_json(method: Method, path: String, body: &Json) -> Self {
        let text = body.to_text();
        let mut request = Self::without_body(method, path);
        request.headers.push((header::CONTENT_TYPE, "application/json".to_owned()));
        Self { payload_hash: PayloadHash::of(text.as_bytes()), body: Some(text), ..request }
    }

    /// With a query parameter, where there is a value for it.
    pub(super) fn query(mut self, name: &'static str, value: Option<&str>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_owned())));
        self
    }
}

/// An answer as the browser saw it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers that the browser lets us read; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body where it was JSON.
    pub body: Option<Json>,
}

impl Response {
    /// Whether it brings what was asked for, and no refusal.
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// What the store says went wrong. An answer that no Glacier store would give (a proxy's HTML, say) has no
    /// service code.
    pub fn service_error(&self) -> ServiceError {
        let text = |key| self.body.as_ref().and_then(|body| body.text(key)).map(str::to_owned);
        ServiceError {
            status: self.status,
            code: text("code"),
            message: text("message"),
            request_id: self
                .header(header::REQUEST_ID)
                .or_else(|| self.header(crate::s3::header::REQUEST_ID))
                .map(str::to_owned)
                .or_else(|| text("requestId")),
        }
    }

    /// The answer, if it has the status that `operation` answers success with.
    pub(crate) fn expect_status(&self, expected: u16) -> Result<&Self, AnswerError> {
        match self.status {
            status if status == expected => Ok(self),
            // Success of another kind was given by somebody else: a captive portal, a cache, a page's fallback.
            200..=399 => Err(AnswerError::NotGlacier { status: self.status }),
            _ => Err(AnswerError::Refused(self.service_error())),
        }
    }

    /// The JSON object of a success with that status.
    pub(crate) fn expect_json(&self, expected: u16) -> Result<&Json, AnswerError> {
        match self.expect_status(expected)?.body.as_ref() {
            Some(body @ Json::Object(_)) => Ok(body),
            _ => Err(AnswerError::NotGlacier { status: expected }),
        }
    }

    /// The JSON object of a success, or `None` where the vault is there and has nothing of the kind set. The service
    /// answers 404 with the same code for both a vault that is not there and one with nothing set, and only the words
    /// tell which: `Vault not found for ARN: …` and, say, `No notification configuration is set for vault: …`. Without
    /// words it stays a refusal.
    pub(super) fn expect_setting(&self) -> Result<Option<&Json>, AnswerError> {
        if self.says_not_set() { Ok(None) } else { self.expect_json(200).map(Some) }
    }

    /// Whether the answer to a removal means that nothing is set: what was not set needs no removal.
    pub(super) fn expect_no_setting(&self) -> Result<(), AnswerError> {
        if self.says_not_set() { Ok(()) } else { self.expect_status(204).map(drop) }
    }

    fn says_not_set(&self) -> bool {
        let error = self.service_error();
        self.status == 404
            && error.code.as_deref() == Some("ResourceNotFoundException")
            && error.message.is_some_and(|message| !message.is_empty() && !message.contains("Vault not found"))
    }

    pub(super) fn required_header(&self, name: &'static str) -> Result<&str, AnswerError> {
        self.header(name).ok_or(AnswerError::HeaderMissing { name })
    }

    /// The tree hash the store computed, if it is `expected`.
    pub(super) fn expect_tree_hash(&self, expected: TreeHash) -> Result<(), AnswerError> {
        let reported = TreeHash::from_hex(self.required_header(header::TREE_HASH)?)?;
        if reported == expected { Ok(()) } else { Err(AnswerError::TreeHashMismatch { computed: expected, reported }) }
    }
}

/// A refusal in Glacier's form (`{"code", "message", "type"}`), or the gateway's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    /// HTTP status.
    pub status: u16,
    /// The service's own code, `InvalidParameterValueException` and the like.
    pub code: Option<String>,
    /// The service's own words.
    pub message: Option<String>,
    /// To quote when asking the operator.
    pub request_id: Option<String>,
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, ", {code}")?;
        }
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}

/// Why an answer is no acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerError {
    /// The store said no.
    Refused(ServiceError),
    /// A success, but not in a form a Glacier store gives.
    NotGlacier {
        /// HTTP status.
        status: u16,
    },
    /// A success without a header it must have.
    HeaderMissing {
        /// Its name.
        name: &'static str,
    },
    /// A success with a header or field that cannot be read.
    Unreadable {
        /// Its name.
        name: &'static str,
    },
    /// A success with other bytes of the output than were asked for, or not as many as it says.
    OtherRange {
        /// First and last byte, as `a-b`.
        wanted: String,
    },
    /// The store holds other bytes than we have.
    TreeHashMismatch {
        /// Ours.
        computed: TreeHash,
        /// The store's.
        reported: TreeHash,
    },
    /// The store holds other bytes than we have, by their SHA-256.
    ChecksumMismatch {
        /// Ours.
        computed: PayloadHash,
        /// The store's.
        reported: PayloadHash,
    },
    /// A success about an object of another length or checksum than ours.
    OtherObject,
    /// A success with bytes of another object than was looked at, under the same name.
    ObjectChanged,
}

impl From<InvalidHash> for AnswerError {
    fn from(_: InvalidHash) -> Self {
        Self::Unreadable { name: header::TREE_HASH }
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::NotGlacier { status } => write!(f, "status {status} is not what this operation answers"),
            Self::HeaderMissing { name } => write!(f, "the answer has no readable header {name}"),
            Self::Unreadable { name } => write!(f, "the answer's {name} cannot be read"),
            Self::OtherRange { wanted } => write!(f, "the answer does not hold the bytes {wanted} that were asked for"),
            Self::TreeHashMismatch { computed, reported } => {
                write!(f, "the store reports tree hash {reported} and ours is {computed}")
            }
            Self::ChecksumMismatch { computed, reported } => {
                write!(f, "the store reports SHA-256 {reported} and ours is {computed}")
            }
            Self::OtherObject => f.write_str("the store's object has another size or checksum than ours"),
            Self::ObjectChanged => f.write_str("the object is another one than it was when the download began"),
        }
    }
}

impl std::error::Error for AnswerError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, code: &str, message: Option<&str>) -> Response {
        let text = |text: &str| Json::Text(text.into());
        let body = Json::object([("code", text(code)), ("message", message.map_or(Json::Null, text))]);
        Response { status, headers: Vec::new(), body: Some(body) }
    }

    #[test]
    fn nothing_set_is_told_from_a_vault_that_is_not_there() {
        const CODE: &str = "ResourceNotFoundException";
        let not_set = refusal(404, CODE, Some("No access policy is set for vault: arn:aws:glacier:x"));
        assert_eq!(not_set.expect_setting(), Ok(None));
        assert_eq!(not_set.expect_no_setting(), Ok(()));
        for other in [
            refusal(404, CODE, Some("Vault not found for ARN: arn:aws:glacier:x")),
            refusal(404, CODE, Some("")),
            refusal(404, CODE, None),
            refusal(404, "not_found", Some("no such path")),
            refusal(403, CODE, Some("No access policy is set for vault: arn:aws:glacier:x")),
        ] {
            let expected = AnswerError::Refused(other.service_error());
            assert_eq!(other.expect_setting(), Err(expected.clone()));
            assert_eq!(other.expect_no_setting(), Err(expected));
        }
    }
}
