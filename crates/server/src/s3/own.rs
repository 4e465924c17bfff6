//! What the gateway does itself: the page's signed request to `POST /v1/s3`, made and recognised.
//!
//! The body is the intent's own JSON. It is signed as requests to the embedded store are, with a key that only gateways
//! with the same token key have, and for whom it was made stands in a header that is signed, too. So a request that
//! arrives here was allowed a few minutes ago to that subject, and what it asks for is read again from what was signed.

use axum::extract::Request;
use axum::response::Response;
use glacier_core::glacier::{Method, header};
use glacier_core::intent::SignedRequest;
use glacier_core::s3::{GATEWAY_PATH, Intent};
use glacier_core::sigv4::canonical_request::{decode, encode};
use glacier_core::sigv4::{
    self, CanonicalRequest, Credentials, PathForm, ReceivedRequest, Scope, SecretKey, SignatureError, Timestamp,
};
use glacier_core::{PayloadHash, hex};

use super::refusal::S3Refused;
use crate::body;
use crate::sign::LIFETIME_MS;
use crate::token::TokenKey;

/// Names the subject of the token that the request was signed for, escaped.
pub const SUBJECT_HEADER: &str = "x-amz-subject";

/// In a credential scope: a signature for the embedded store is none for us, nor one of ours for it or for S3.
const SERVICE: &str = "s3-gateway";

const LABEL: &str = "requests to /v1/s3, 1";

/// Longest body: the largest intent is an upload of the longest key with the most metadata and tags.
const MAX_LEN: usize = 32 << 10;

/// Signs with the first of some keys, and knows the signatures of all.
#[derive(Clone, Debug)]
pub(crate) struct OwnRequests {
    /// Invariant: at least one.
    known: Vec<Credentials>,
    scope: Scope,
}

impl OwnRequests {
    pub(crate) fn new(key: &TokenKey, region: &str) -> Self {
        let credentials = |secret: [u8; 32]| Credentials {
            // Tells the keys apart and nothing of them.
            access_key_id: PayloadHash::of(&secret).to_string().to_ascii_uppercase(),
            secret_access_key: SecretKey::new(hex::encode(&secret)),
            session_token: None,
        };
        let known = key.derive_each(LABEL).into_iter().map(credentials).collect();
        Self { known, scope: Scope { region: region.to_owned(), service: SERVICE } }
    }

    /// The request that has the gateway at `host` do what `intent` says, for `subject`.
    pub(crate) fn sign(&self, intent: &Intent, host: &str, subject: &str, now: Timestamp) -> SignedRequest {
        let body = intent.to_json().to_text();
        let payload_hash = PayloadHash::of(body.as_bytes()).to_string();
        let mut headers: Vec<(String, String)> = [
            (header::CONTENT_TYPE, "application/json".to_owned()),
            (header::CONTENT_SHA256, payload_hash.clone()),
            (header::DATE, now.to_string()),
            (SUBJECT_HEADER, encode(subject.as_bytes())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let mut signed: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        signed.push(("host", host));
        let canonical = CanonicalRequest {
            method: Method::Post.as_str(),
            path: GATEWAY_PATH,
            path_form: PathForm::Normalized,
            query: "",
            headers: &signed,
            payload_hash: &payload_hash,
        };
        let authorization = sigv4::sign(&canonical, &self.known[0], &self.scope, now);
        headers.push(("authorization".to_owned(), authorization));
        SignedRequest {
            method: Method::Post,
            url: GATEWAY_PATH.to_owned(),
            headers,
            body: Some(body),
            expires_in_ms: LIFETIME_MS,
        }
    }

    /// What a request of ours asks for, and for whom it was signed.
    ///
    /// # Errors
    /// [`S3Refused`] unless signature, body and time are good.
    pub(crate) async fn receive(&self, request: Request, now: Timestamp) -> Result<(Intent, String), S3Refused> {
        let (parts, body) = request.into_parts();
        let text = |value: &http::HeaderValue| value.to_str().map(str::to_owned);
        let headers: Vec<(String, String)> = parts
            .headers
            .iter()
            .map(|(name, value)| Ok((name.as_str().to_owned(), text(value)?)))
            .collect::<Result<_, http::header::ToStrError>>()
            .map_err(|_| S3Refused::signature(&SignatureError::Malformed))?;
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        let body = body::read_json(Request::from_parts(parts, body), MAX_LEN).await?;
        let payload_hash = PayloadHash::of(&body).to_string();
        let borrowed: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let received = ReceivedRequest {
            method: method.as_str(),
            path: uri.path(),
            query: uri.query().unwrap_or(""),
            headers: &borrowed,
            // Of the bytes that came, whatever a header says, so that there is no way around them.
            payload_hash: &payload_hash,
        };
        sigv4::verify(&received, &self.known, &self.scope, now).map_err(|error| S3Refused::signature(&error))?;
        // Every header of the kind is signed, or the signature would not have held; and of two values nobody knows which.
        let mut subjects = borrowed.iter().filter(|(name, _)| *name == SUBJECT_HEADER);
        let (Some((_, subject)), None) = (subjects.next(), subjects.next()) else {
            return Err(S3Refused::signature(&SignatureError::Malformed));
        };
        let subject =
            String::from_utf8(decode(subject)).map_err(|_| S3Refused::signature(&SignatureError::Malformed))?;
        let intent = serde_json::from_slice(&body).map_err(|_| {
            let code = glacier_core::intent::RefusalCode::InvalidRequest;
            S3Refused::gateway(code, "the body is no intent of this gateway's version; ask it to sign again")
        })?;
        Ok((intent, subject))
    }
}

/// The subject in an answer's extensions, for the log.
pub(crate) fn mark(response: &mut Response, subject: String) {
    response.extensions_mut().insert(crate::sign::Subject(subject));
}
