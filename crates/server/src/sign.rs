//! `POST /v1/sign`: intents in, signed requests out.

use axum::extract::{Request, State};
use axum::response::Response;
use glacier_core::glacier::header as glacier_header;
use glacier_core::intent::{Intent, RefusalCode, SignedRequest};
use glacier_core::sigv4::canonical_request::encode;
use glacier_core::sigv4::{self, CanonicalRequest, Credentials, PathForm, Scope, Timestamp};
use http::{Extensions, HeaderMap, StatusCode, header};
use serde::Serialize;

use crate::app::Gateway;
use crate::body;
use crate::client::Client;
use crate::error::{Refused, RequestId, json};
use crate::s3::{self, S3Refused};
use crate::token::{Claims, TokenError};
use crate::{audit, batch, policy, relay};

/// For how long the browser may use a signature, in milliseconds: a minute less than the store accepts it, for what is
/// slow on the way.
pub const LIFETIME_MS: u64 = glacier_core::glacier::SIGNATURE_LIFETIME_MS - 60_000;

/// Whom a request was made for, by its token. Among the answer's extensions, for the log.
#[derive(Clone, Debug)]
pub struct Subject(pub String);

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Signed"))]
pub(crate) struct Answer {
    requests: Vec<SignedRequest>,
}

/// A refusal, by the gateway itself or about S3.
enum SignRefused {
    Gateway(Refused),
    S3 { refused: S3Refused, intent: usize },
}

impl From<Refused> for SignRefused {
    fn from(refused: Refused) -> Self {
        Self::Gateway(refused)
    }
}

/// Signs a whole batch or nothing of it.
pub async fn handle(State(gateway): State<Gateway>, id: axum::Extension<RequestId>, request: Request) -> Response {
    let claims = match authenticate(request.headers(), request.extensions(), &gateway).await {
        Ok(claims) => claims,
        Err(refused) => return refused.into_response(&id),
    };
    // Before its body, which it may send slowly.
    let _seat = match gateway.watch.seats.take(&claims.sub) {
        Ok(seat) => seat,
        Err(refused) => return refused.into_response(&id),
    };
    let mut response = match sign_batch(&gateway, &claims, request).await {
        Ok(requests) => json(StatusCode::OK, &Answer { requests }),
        Err(SignRefused::Gateway(refused)) => refused.into_response(&id),
        Err(SignRefused::S3 { refused, intent }) => refused.into_response(&id, Some(intent)),
    };
    response.extensions_mut().insert(Subject(claims.sub));
    response
}

/// Whose request it is.
///
/// # Errors
/// [`Refused`] with one of the three codes about tokens, or because of too many requests.
pub(crate) async fn authenticate(
    headers: &HeaderMap,
    extensions: &Extensions,
    gateway: &Gateway,
) -> Result<Claims, Refused> {
    match verify(headers, gateway).await {
        Ok(claims) => gateway.watch.rates.count_subject(&claims.sub).map(|()| claims),
        Err(refused) => {
            gateway.watch.rates.count_anonymous(Client::of(extensions))?;
            Err(refused)
        }
    }
}

async fn verify(headers: &HeaderMap, gateway: &Gateway) -> Result<Claims, Refused> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let missing = Refused::new(RefusalCode::TokenMissing, "send a token: \"authorization: Bearer TOKEN\"");
    let invalid = Refused::new(RefusalCode::TokenInvalid, "not a token of this gateway; get a new one");
    let value = values.next().ok_or(missing.clone())?;
    if values.next().is_some() {
        return Err(invalid);
    }
    let value = value.to_str().map_err(|_| invalid.clone())?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(missing);
    }
    gateway.tokens.verify(token, gateway.now().as_unix()).await.map_err(|error| match error {
        TokenError::Invalid => invalid,
        TokenError::Expired => Refused::new(RefusalCode::TokenExpired, "the token's time is over; get a new one"),
    })
}

async fn sign_batch(gateway: &Gateway, claims: &Claims, request: Request) -> Result<Vec<SignedRequest>, SignRefused> {
    // Checked by the layer in front to be exactly one, and ours.
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    let host = host.ok_or(Refused::new(RefusalCode::Internal, "the request's Host is gone"))?;
    let id = request.extensions().get::<RequestId>().cloned();
    // Only browsers send it, and only they ask a bucket for leave.
    let origin = request.headers().get(header::ORIGIN).cloned();
    let body = body::read_json(request, batch::MAX_LEN).await?;
    let intents = batch::read(&body)?;
    for (index, intent) in intents.iter().enumerate() {
        policy::check(claims, intent).map_err(|(code, message)| Refused { code, message, intent: Some(index) })?;
    }
    let now = gateway.now();
    let prefix = if gateway.relay.is_some() { relay::PREFIX } else { "" };
    let mut requests = Vec::with_capacity(intents.len());
    for (index, intent) in intents.iter().enumerate() {
        let at_place = |refused| SignRefused::S3 { refused, intent: index };
        let signed = match (intent, &gateway.s3) {
            (Intent::S3(intent), Some(s3)) => {
                s3.sign(claims, intent, &host, origin.as_ref()).await.map_err(at_place)?
            }
            (Intent::S3(_), None) => return Err(at_place(s3::not_configured())),
            _ => {
                let page = Page { host: &host, subject: Some(&claims.sub) };
                sign(intent, prefix, &gateway.account_id, page, &gateway.credentials, &gateway.scope, now)
                    .ok_or_else(|| at_place(s3::not_configured()))?
            }
        };
        requests.push(signed);
    }
    audit::signed(gateway, id.as_ref(), claims, &intents);
    Ok(requests)
}

/// Whom a request is signed for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    /// Where it is sent.
    pub(crate) host: &'a str,
    /// Of the token, which is named in a header that is signed, so that it is known who has how many requests in flight.
    /// `None` for requests of the gateway's own.
    pub(crate) subject: Option<&'a str>,
}

/// The request that does what `intent` says, signed for that page at paths that begin with `prefix`, or `None` where the
/// intent is about S3. Everything that is signed comes from typed values.
pub(crate) fn sign(
    intent: &Intent,
    prefix: &str,
    account: &str,
    page: Page<'_>,
    credentials: &Credentials,
    scope: &Scope,
    now: Timestamp,
) -> Option<SignedRequest> {
    let request = intent.glacier_request(account)?;
    let query: Vec<String> =
        request.query.iter().map(|(name, value)| format!("{name}={}", encode(value.as_bytes()))).collect();
    let query = query.join("&");
    let path = format!("{prefix}{}", request.path);
    let payload_hash = request.payload_hash.to_string();
    let mut headers: Vec<(String, String)> =
        request.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    headers.push((glacier_header::DATE.to_owned(), now.to_string()));
    if !headers.iter().any(|(name, _)| name == glacier_header::CONTENT_SHA256) {
        headers.push((glacier_header::CONTENT_SHA256.to_owned(), payload_hash.clone()));
    }
    headers.extend(page.subject.map(|subject| (s3::SUBJECT_HEADER.to_owned(), encode(subject.as_bytes()))));
    if let Some(token) = &credentials.session_token {
        headers.push((glacier_header::SECURITY_TOKEN.to_owned(), token.clone()));
    }
    let mut signed: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    signed.push(("host", page.host));
    let canonical = CanonicalRequest {
        method: request.method.as_str(),
        path: &path,
        path_form: PathForm::Normalized,
        query: &query,
        headers: &signed,
        payload_hash: &payload_hash,
    };
    let authorization = sigv4::sign(&canonical, credentials, scope, now);
    headers.push(("authorization".to_owned(), authorization));
    let url = if query.is_empty() { path } else { format!("{path}?{query}") };
    Some(SignedRequest { method: request.method, url, headers, body: request.body, expires_in_ms: LIFETIME_MS })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use glacier_core::PayloadHash;
    use glacier_core::sigv4::{GLACIER, SecretKey};

    use super::*;

    fn signed(intent: serde_json::Value) -> SignedRequest {
        let credentials = Credentials {
            access_key_id: "AKIDGATEWAY".into(),
            secret_access_key: SecretKey::new("0123456789012345678901234567890123456789".into()),
            session_token: None,
        };
        let scope = Scope { region: "us-east-1".into(), service: GLACIER };
        let intent = serde_json::from_value(intent).unwrap();
        let page = Page { host: "localhost:8080", subject: Some("user 7") };
        sign(&intent, "", "123456789012", page, &credentials, &scope, Timestamp::from_unix(1_800_000_000)).unwrap()
    }

    fn header<'a>(request: &'a SignedRequest, name: &str) -> &'a str {
        request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap()
    }

    #[test]
    fn the_body_is_made_here_and_its_hash_is_signed() {
        let job = serde_json::json!({ "type": "archive-retrieval", "archiveId": "a" });
        let request = signed(serde_json::json!({ "op": "InitiateJob", "vault": "photos", "job": job }));
        let body = request.body.as_deref().unwrap();
        assert_eq!(body, r#"{"Type":"archive-retrieval","ArchiveId":"a"}"#);
        assert_eq!(header(&request, "x-amz-content-sha256"), PayloadHash::of(body.as_bytes()).to_string());
        assert!(header(&request, "authorization").contains("SignedHeaders=content-type;host;x-amz-content-sha256;"));
    }

    #[test]
    fn whom_it_is_for_is_signed() {
        let request = signed(serde_json::json!({ "op": "ListParts", "vault": "photos", "uploadId": "u" }));
        assert_eq!(header(&request, "x-amz-subject"), "user%207");
        assert!(header(&request, "authorization").contains(";x-amz-subject,"));
    }

    #[test]
    fn the_range_of_an_output_is_signed() {
        let intent = serde_json::json!({ "op": "GetJobOutput", "vault": "photos", "jobId": "j", "range": "0-1048575" });
        let request = signed(intent);
        assert_eq!((header(&request, "range"), request.body.as_deref()), ("bytes=0-1048575", None));
        assert!(header(&request, "authorization").contains(";range;"));
    }
}
