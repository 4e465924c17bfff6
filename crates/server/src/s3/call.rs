//! One call to the store, signed with the real credentials.

use std::time::Duration;

use bytes::Bytes;
use glacier_core::PayloadHash;
use glacier_core::sigv4::canonical_request::encode;
use glacier_core::sigv4::{self, CanonicalRequest, PathForm, S3 as S3_SERVICE, Scope};
use http::{HeaderMap, Method, Request, StatusCode};

use super::S3;
use super::document::{StoreError, read_error};
use super::endpoint::Place;
use super::refusal::S3Refused;
use super::xml::MAX_LEN;
use crate::upstream::UpstreamError;

/// How long an answer may take, all of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long S3 may take to put an object together. It sends white space meanwhile.
///
/// **Source:** API reference, CompleteMultipartUpload: "Processing … can take several minutes to complete."
pub(super) const COMPLETE_PATIENCE: Duration = Duration::from_secs(15 * 60);

/// How often what only reads is tried.
const READ_ATTEMPTS: u32 = 3;

/// The pause before the second attempt; twice as long before the third.
const PAUSE: Duration = Duration::from_millis(200);

/// A call to the store.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) place: Place,
    /// Escaped, with an equals sign for each name.
    pub(super) query: String,
    /// Lower-case names; all are signed.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
    pub(super) patience: Duration,
}

/// What the store answered, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Call {
    pub(super) fn new(method: Method, place: Place) -> Self {
        Self { method, place, query: String::new(), headers: Vec::new(), body: Bytes::new(), patience: PATIENCE }
    }

    /// With a parameter of the query.
    pub(super) fn query(mut self, name: &str, value: &str) -> Self {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query += &format!("{}={}", encode(name.as_bytes()), encode(value.as_bytes()));
        self
    }

    /// With a parameter of the query, where there is a value for it.
    pub(super) fn query_if(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// With a header.
    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With a body in XML.
    pub(super) fn xml(self, body: String) -> Self {
        let call = self.header("content-type", "application/xml");
        Self { body: body.into(), ..call }
    }
}

impl Answer {
    /// The answer, if it is a success.
    ///
    /// # Errors
    /// The store's refusal.
    pub(super) fn success(self) -> Result<Self, S3Refused> {
        if self.status.is_success() { Ok(self) } else { Err(self.refusal()) }
    }

    /// The store's refusal.
    pub(super) fn refusal(&self) -> S3Refused {
        S3Refused::store(self.status, &self.error())
    }

    /// What the store says went wrong.
    pub(super) fn error(&self) -> StoreError {
        read_error(&self.body)
    }

    /// The only header of that name, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }
}

impl S3 {
    /// Sends `call` and gives whatever the store answers. What only reads is tried again after trouble of the network or
    /// of the store.
    ///
    /// # Errors
    /// [`S3Refused`] when there are no credentials or there is no answer.
    pub(super) async fn call(&self, call: &Call) -> Result<Answer, S3Refused> {
        let attempts = if matches!(call.method, Method::GET | Method::HEAD) { READ_ATTEMPTS } else { 1 };
        let mut attempt = 1;
        loop {
            let answer = self.call_once(call).await;
            let is_last = attempt == attempts;
            match answer {
                Err(CallError::Upstream(error)) if is_last => return Err(error.into()),
                Ok(answer) if is_last || !answer.status.is_server_error() => return Ok(answer),
                Ok(answer) if answer.status == StatusCode::NOT_IMPLEMENTED => return Ok(answer),
                Err(CallError::Refused(refused)) => return Err(refused),
                Ok(_) | Err(CallError::Upstream(_)) => {}
            }
            tokio::time::sleep(PAUSE * attempt).await;
            attempt += 1;
        }
    }

    /// Sends `call` once.
    pub(super) async fn call_once(&self, call: &Call) -> Result<Answer, CallError> {
        let credentials = self.credentials.get().await.map_err(|error| CallError::Refused(error.into()))?;
        let now = (self.clock)();
        let payload_hash = PayloadHash::of(&call.body).to_string();
        let mut headers = call.headers.clone();
        headers.push(("host".to_owned(), call.place.origin.authority().to_owned()));
        headers.push(("x-amz-content-sha256".to_owned(), payload_hash.clone()));
        headers.push(("x-amz-date".to_owned(), now.to_string()));
        if let Some(token) = &credentials.session_token {
            headers.push(("x-amz-security-token".to_owned(), token.clone()));
        }
        let signed: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let canonical = CanonicalRequest {
            method: call.method.as_str(),
            path: &call.place.path,
            path_form: PathForm::AsKey,
            query: &call.query,
            headers: &signed,
            payload_hash: &payload_hash,
        };
        let scope = Scope { region: self.endpoint.region().to_owned(), service: S3_SERVICE };
        let authorization = sigv4::sign(&canonical, &credentials, &scope, now);
        let mut request =
            Request::builder().method(&call.method).uri(target(call)).header("authorization", authorization);
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let request = request.body(call.body.clone()).map_err(|_| UpstreamError::Unsendable)?;
        let answer = self.client.fetch(&call.place.origin, request, MAX_LEN, call.patience).await?;
        let (parts, body) = answer.into_parts();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// Sends `call` as anybody could, without a signature.
    pub(super) async fn call_unsigned(&self, call: &Call) -> Result<Answer, UpstreamError> {
        let mut request = Request::builder().method(&call.method).uri(target(call));
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let request = request.body(call.body.clone()).map_err(|_| UpstreamError::Unsendable)?;
        let answer = self.client.fetch(&call.place.origin, request, MAX_LEN, call.patience).await?;
        let (parts, body) = answer.into_parts();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

fn target(call: &Call) -> String {
    if call.query.is_empty() { call.place.path.clone() } else { format!("{}?{}", call.place.path, call.query) }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum CallError {
    /// It may or may not have been carried out.
    Upstream(UpstreamError),
    /// It was not sent.
    Refused(S3Refused),
}

impl From<UpstreamError> for CallError {
    fn from(error: UpstreamError) -> Self {
        Self::Upstream(error)
    }
}

impl From<CallError> for S3Refused {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Upstream(error) => error.into(),
            CallError::Refused(refused) => refused,
        }
    }
}
