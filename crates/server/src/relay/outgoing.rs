//! The request that came, judged, and the one that goes out.

use glacier_core::glacier::header as glacier_header;
use glacier_core::range::parse_decimal;
use glacier_core::sigv4::{
    self, CanonicalRequest, Credentials, PathForm, ReceivedRequest, Scope, SignatureError, Timestamp,
    signed_header_names,
};
use glacier_core::{ByteRange, PayloadHash};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body::Body as _;

use super::{PREFIX, Refusal};
use crate::upstream::Origin;

/// Headers that are passed on, those of them that are signed. All others are the browser's business or nobody's.
const PASSED_ON: [&str; 9] = [
    glacier_header::ARCHIVE_DESCRIPTION,
    glacier_header::ARCHIVE_SIZE,
    glacier_header::CONTENT_RANGE,
    glacier_header::CONTENT_SHA256,
    glacier_header::CONTENT_TYPE,
    glacier_header::PART_SIZE,
    glacier_header::RANGE,
    glacier_header::TREE_HASH,
    glacier_header::VERSION,
];

/// Most bytes in the body of what is not a part. The longest legal one is a policy of 20 KiB, escaped.
const MAX_SMALL_BODY_LEN: u64 = 256 << 10;

/// A request as it arrived, of which everything is text.
pub(super) struct Received<'a> {
    head: &'a Parts,
    headers: Vec<(&'a str, &'a str)>,
    /// For the store: without the prefix.
    path: &'a str,
    payload_hash: &'a str,
}

impl<'a> Received<'a> {
    /// Reads the head.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] for paths that can be read in two ways, and for a payload hash that is none.
    pub(super) fn new(head: &'a Parts) -> Result<Self, Refusal> {
        let path = head.uri.path().strip_prefix(PREFIX).ok_or(Refusal::Malformed)?;
        // The signature does not tell `/a/../b` from `/b`. Glacier's names need no escapes.
        let is_plain = |segment: &str| {
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !matches!(segment, "" | "." | "..") && segment.bytes().all(legal)
        };
        let segments = path.strip_prefix('/').ok_or(Refusal::Malformed)?;
        if !segments.split('/').all(is_plain) {
            return Err(Refusal::Malformed);
        }
        let mut headers = Vec::with_capacity(head.headers.len());
        for (name, value) in &head.headers {
            // One that is no text is not among the signed.
            if let Ok(value) = value.to_str() {
                headers.push((name.as_str(), value));
            }
        }
        if !headers.iter().any(|(name, _)| *name == header::AUTHORIZATION.as_str()) {
            return Err(Refusal::Signature(SignatureError::Missing));
        }
        let payload_hash = only(&head.headers, glacier_header::CONTENT_SHA256)?.ok_or(Refusal::Malformed)?;
        // `UNSIGNED-PAYLOAD` and its kin are none: whoever has a signature with one of those could send any bytes.
        PayloadHash::from_hex(payload_hash).map_err(|_| Refusal::Malformed)?;
        Ok(Self { head, headers, path, payload_hash })
    }

    /// Whether a gateway with our key signed it, within five minutes.
    pub(super) fn check_signature(&self, own: &Credentials, scope: &Scope, now: Timestamp) -> Result<(), Refusal> {
        let request = ReceivedRequest {
            method: self.head.method.as_str(),
            path: self.head.uri.path(),
            query: self.head.uri.query().unwrap_or(""),
            headers: &self.headers,
            payload_hash: self.payload_hash,
        };
        sigv4::verify(&request, std::slice::from_ref(own), scope, now).map(drop).map_err(Refusal::Signature)
    }

    /// Whether the path begins with our account.
    pub(super) fn check_account(&self, account_id: &str) -> Result<(), Refusal> {
        match self.path.split('/').nth(1) {
            Some("-") => Ok(()),
            Some(account) if account == account_id => Ok(()),
            _ => Err(Refusal::ForeignAccount),
        }
    }

    /// How many bytes must come, which has to be said beforehand and, of a part, to be those of its range.
    pub(super) fn body_length(&self, body: &axum::body::Body) -> Result<u64, Refusal> {
        let headers = &self.head.headers;
        let length = match headers.get(header::CONTENT_LENGTH) {
            Some(length) => length.to_str().ok().and_then(parse_decimal).ok_or(Refusal::Malformed)?,
            // Nothing comes where nothing is announced, in either version of HTTP.
            None if body.is_end_stream() => 0,
            None => return Err(Refusal::LengthRequired),
        };
        if headers.contains_key(header::TRANSFER_ENCODING) {
            return Err(Refusal::LengthRequired);
        }
        let is_part = self.head.method == Method::PUT && self.path.contains("/multipart-uploads/");
        if is_part {
            let range = self.signed(glacier_header::CONTENT_RANGE)?.and_then(ByteRange::parse_content_range);
            let range = range.ok_or(Refusal::Malformed)?;
            return if range.len() == length { Ok(length) } else { Err(Refusal::RangeAndLength) };
        }
        if length > MAX_SMALL_BODY_LEN { Err(Refusal::TooLarge) } else { Ok(length) }
    }

    /// The same request for the store, signed with `aws`.
    pub(super) fn sign(
        &self,
        to: &Origin,
        aws: &Credentials,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<Request<()>, Refusal> {
        let date = now.to_string();
        let mut headers: Vec<(&str, &str)> = vec![("host", to.authority()), (glacier_header::DATE, &date)];
        for name in PASSED_ON {
            if let Some(value) = self.signed(name)? {
                headers.push((name, value));
            }
        }
        if let Some(token) = &aws.session_token {
            headers.push((glacier_header::SECURITY_TOKEN, token));
        }
        let query = self.head.uri.query().unwrap_or("");
        let canonical = CanonicalRequest {
            method: self.head.method.as_str(),
            path: self.path,
            path_form: PathForm::Normalized,
            query,
            headers: &headers,
            payload_hash: self.payload_hash,
        };
        let authorization = sigv4::sign(&canonical, aws, scope, now);
        headers.push((header::AUTHORIZATION.as_str(), &authorization));

        let target = if query.is_empty() { self.path.to_owned() } else { format!("{}?{query}", self.path) };
        let mut request =
            Request::builder().method(&self.head.method).uri(target).body(()).map_err(|_| Refusal::Malformed)?;
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Refusal::Malformed)?;
            let mut value = HeaderValue::from_str(value).map_err(|_| Refusal::Malformed)?;
            // Shown by nobody's `Debug`.
            value.set_sensitive(name == header::AUTHORIZATION || name == glacier_header::SECURITY_TOKEN);
            request.headers_mut().insert(name, value);
        }
        Ok(request)
    }

    /// The value of a header, if our signature covers it.
    fn signed(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        let Some(value) = only(&self.head.headers, name)? else { return Ok(None) };
        let authorization = only(&self.head.headers, header::AUTHORIZATION.as_str())?.unwrap_or("");
        Ok(signed_header_names(authorization).contains(&name).then_some(value))
    }
}

/// The header of that name, which must not come twice.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Refusal::Malformed),
        (Some(_), Some(_)) => Err(Refusal::Malformed),
    }
}
