//! Objects in S3 and in stores that speak it.
//!
//! Bytes go straight from the page to the bucket and back, by URLs presigned here. Everything else the
//! gateway does itself: `POST /v1/sign` answers with a request to `POST /v1/s3` that is signed with a key of the
//! gateway's own, and there the intent is carried out with the real credentials. So a page never has a
//! signature with which more could be done than it was allowed to, never sees XML, and never needs an ETag, which buckets
//! hide from pages unless they are told not to.

mod call;
mod check;
mod complete;
mod cors;
mod create;
mod document;
mod endpoint;
mod handle;
mod object;
mod options;
mod own;
mod presign;
mod refusal;
mod tree_hash_tag;
mod upload;
mod xml;

use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::Response;
use glacier_core::intent::{RefusalCode, SignedRequest};
use glacier_core::s3::{BucketName, Intent, MAX_PART_LEN};
use glacier_core::sigv4::Timestamp;
use http::{HeaderValue, Method, StatusCode, header};

use self::call::Call;
use self::cors::{Ask, Memory, Missing};
pub use self::endpoint::{Addressing, Endpoint};
use self::handle::{Seal, Upload};
pub use self::options::{Buckets, S3Options};
use self::own::OwnRequests;
pub use self::own::SUBJECT_HEADER;
use self::presign::Presigned;
pub(crate) use self::refusal::S3Refused;
use crate::app::Gateway;
use crate::aws_credentials::AwsCredentials;
use crate::error::{RequestId, json};
use crate::objects::ObjectGrant;
use crate::token::{Claims, TokenKey};
use crate::upstream::Client;
pub use glacier_core::s3::GATEWAY_PATH as PATH;

/// A store that speaks S3, and what the gateway needs to be trusted by it and by pages.
#[derive(Debug)]
pub struct S3 {
    endpoint: Endpoint,
    client: Client,
    credentials: AwsCredentials,
    /// That pages may use, whatever their tokens say.
    objects: Vec<ObjectGrant>,
    max_object_len: u64,
    seal: Seal,
    own: OwnRequests,
    memory: Memory,
    clock: fn() -> Timestamp,
}

impl S3 {
    /// The store of `buckets`, called by `client` with `credentials`. `key` makes the seals of uploads, so that every
    /// gateway with the same one knows them.
    pub fn new(
        buckets: Buckets,
        client: Client,
        credentials: AwsCredentials,
        key: &TokenKey,
        clock: fn() -> Timestamp,
    ) -> Self {
        let Buckets { endpoint, objects, max_object_len } = buckets;
        let (seal, own) = (Seal::new(key), OwnRequests::new(key, endpoint.region()));
        Self { endpoint, client, credentials, objects, max_object_len, seal, own, memory: Memory::default(), clock }
    }

    /// Objects that pages may use.
    pub fn objects(&self) -> &[ObjectGrant] {
        &self.objects
    }

    /// Where pages send bytes: what their content security policy must allow.
    pub fn bucket_origins(&self) -> Vec<String> {
        let mut origins: Vec<String> =
            self.objects.iter().map(|grant| self.endpoint.origin_of(grant.bucket()).to_string()).collect();
        origins.sort_unstable();
        origins.dedup();
        origins
    }

    /// The request that does what `intent` says. `host` is the gateway's, `origin` the page's, which only browsers send.
    ///
    /// # Errors
    /// [`S3Refused`], also where the bucket would not let the page in.
    pub(crate) async fn sign(
        &self,
        claims: &Claims,
        intent: &Intent,
        host: &str,
        origin: Option<&HeaderValue>,
    ) -> Result<SignedRequest, S3Refused> {
        let upload = self.admit(claims, intent)?;
        let (bucket, presigned) = match (intent, intent.kept(), &upload) {
            (Intent::PutObject { bucket, key, size, payload_hash, tree_hash, .. }, Some(kept), _) => {
                self.check_len(*size)?;
                if *size > MAX_PART_LEN {
                    let message = "more than 5 GiB do not go in one request; send the object in parts";
                    return Err(S3Refused::gateway(RefusalCode::InvalidRequest, message));
                }
                let place = self.endpoint.object(bucket, key);
                if !kept.overwrite && !self.endpoint.is_amazon() {
                    self.check_vacant(&place, Some((*size, *payload_hash))).await?;
                }
                self.check_keeps_tags(&place, &kept).await?;
                (bucket, Presigned::object(place, payload_hash, *size, tree_hash, &kept))
            }
            (Intent::UploadPart { upload: _, part_number, payload_hash, size }, _, Some(upload)) => {
                let len = part_len(upload, *part_number, *size)?;
                let place = self.endpoint.object(&upload.bucket, &upload.key);
                (&upload.bucket, Presigned::part(place, &upload.upload_id, *part_number, payload_hash, len))
            }
            (Intent::GetObject { bucket, key, version_id, range }, _, _) => {
                let range = range.map(|range| format!("bytes={}", range.inclusive()));
                let version_id = version_id.as_ref().map(glacier_core::s3::VersionId::as_str);
                (bucket, Presigned::download(self.endpoint.object(bucket, key), version_id, range))
            }
            _ => {
                if let Intent::CreateMultipartUpload { size, part_size, .. } = intent {
                    self.check_plan(*size, *part_size)?;
                }
                return Ok(self.own.sign(intent, host, &claims.sub, (self.clock)()));
            }
        };
        if let Some(origin) = origin {
            self.check_cors(bucket, origin, presigned.method(), presigned.header_names()).await?;
        }
        let credentials = self.credentials.get().await?;
        Ok(presigned.sign(&credentials, self.endpoint.region(), (self.clock)()))
    }

    /// Whether the token is good for the place that `intent` is about, and the upload where it is about one.
    fn admit(&self, claims: &Claims, intent: &Intent) -> Result<Option<Upload>, S3Refused> {
        let upload = match intent.upload() {
            Some(handle) => Some(self.seal.open(handle, &claims.sub).ok_or_else(S3Refused::no_such_upload)?),
            None => None,
        };
        let place = upload.as_ref().map(|upload| (&upload.bucket, upload.key.as_str())).or_else(|| intent.place());
        let covers = |grants: &[ObjectGrant], (bucket, key)| grants.iter().any(|grant| grant.covers(bucket, key));
        if place.is_some_and(|place| covers(&claims.objects, place) && covers(&self.objects, place)) {
            Ok(upload)
        } else {
            let message = "the token is not good for this bucket and key; get one that names them";
            Err(S3Refused::gateway(RefusalCode::OperationDenied, message))
        }
    }

    fn check_len(&self, size: u64) -> Result<(), S3Refused> {
        if size <= self.max_object_len {
            return Ok(());
        }
        Err(S3Refused::gateway(RefusalCode::LimitExceeded, "the object is larger than the store takes"))
    }

    /// Whether the bucket lets a page of `origin` send that request.
    ///
    /// # Errors
    /// [`S3Refused::cors`] when it does not. A bucket that cannot be asked is let pass: the request itself will say why.
    async fn check_cors<'h>(
        &self,
        bucket: &BucketName,
        origin: &HeaderValue,
        method: &'static str,
        headers: impl Iterator<Item = &'h str>,
    ) -> Result<(), S3Refused> {
        let Some(ask) = Ask::new(bucket, origin, method, headers) else {
            return Err(S3Refused::gateway(RefusalCode::InvalidRequest, "the page's origin is none"));
        };
        if self.memory.has(&ask, Instant::now()) {
            return Ok(());
        }
        let Some(missing) = self.ask_cors(&ask).await else { return Ok(()) };
        match missing {
            None => {
                self.memory.keep(ask, Instant::now());
                Ok(())
            }
            Some(missing) => Err(S3Refused::cors(&missing, cors::rules(&ask.origin, &ask.headers))),
        }
    }

    /// What the bucket's rules say to `ask`, and what they lack; `None` when it did not answer.
    async fn ask_cors(&self, ask: &Ask) -> Option<Option<Missing>> {
        if self.is_let_in(ask).await? {
            return Some(None);
        }
        // With fewer wishes, to find out which of them is refused.
        if !ask.headers.is_empty() && self.is_let_in(&ask.with_headers(&[])).await? {
            return Some(Some(Missing::Headers));
        }
        for method in ["GET", "PUT", "HEAD", "POST", "DELETE"] {
            if method != ask.method && self.is_let_in(&ask.with_method(method)).await? {
                return Some(Some(Missing::Method));
            }
        }
        Some(Some(Missing::Origin))
    }

    /// Sends one preflight.
    async fn is_let_in(&self, ask: &Ask) -> Option<bool> {
        // The key does not matter to the rules, and need not exist.
        let mut place = self.endpoint.bucket(&ask.bucket);
        let slash = if place.path.ends_with('/') { "" } else { "/" };
        place.path = format!("{}{slash}preflight", place.path);
        let mut call = Call::new(Method::OPTIONS, place);
        for (name, value) in &ask.request_headers()? {
            call = call.header(name.as_str(), value.to_str().ok()?);
        }
        let answer = self.call_unsigned(&call).await.ok()?;
        (!answer.status.is_server_error()).then(|| ask.is_allowed(answer.status, &answer.headers))
    }

    /// Does what `intent` says.
    async fn perform(
        &self,
        intent: &Intent,
        subject: &str,
        origin: Option<&HeaderValue>,
    ) -> Result<Response, S3Refused> {
        let upload = match intent.upload() {
            Some(handle) => Some(self.seal.open(handle, subject).ok_or_else(S3Refused::no_such_upload)?),
            None => None,
        };
        match (intent, &upload) {
            (Intent::CreateMultipartUpload { .. }, _) => {
                Ok(json(StatusCode::CREATED, &self.create(intent, subject, origin).await?))
            }
            (Intent::ListParts { upload: _, marker }, Some(upload)) => {
                Ok(json(StatusCode::OK, &self.list_parts(upload, marker.as_deref()).await?))
            }
            (Intent::CompleteMultipartUpload { upload: _, size, checksum, tree_hash }, Some(upload)) => {
                Ok(json(StatusCode::OK, &self.complete(upload, *size, checksum, tree_hash).await?))
            }
            (Intent::AbortMultipartUpload { .. }, Some(upload)) => {
                self.abort(upload).await?;
                Ok(no_content())
            }
            (Intent::ListMultipartUploads { bucket, prefix, marker }, _) => {
                let prefix = prefix.as_ref().map(glacier_core::s3::KeyPrefix::as_str);
                Ok(json(StatusCode::OK, &self.list_uploads(bucket, prefix, marker.as_deref(), subject).await?))
            }
            (Intent::HeadObject { bucket, key, version_id }, _) => {
                Ok(json(StatusCode::OK, &self.head(&self.endpoint.object(bucket, key), version_id.as_ref()).await?))
            }
            (Intent::RestoreObject { bucket, key, version_id, days, tier }, _) => {
                let place = self.endpoint.object(bucket, key);
                let (status, restoring) = self.restore(place, version_id.as_ref(), *days, *tier).await?;
                Ok(json(status, &restoring))
            }
            (Intent::DeleteObject { bucket, key, version_id }, _) => {
                self.delete(self.endpoint.object(bucket, key), version_id.as_ref()).await?;
                Ok(no_content())
            }
            // Those are sent to the bucket, and nothing here ever signs them for this path.
            _ => Err(S3Refused::gateway(RefusalCode::InvalidRequest, "the store takes that, not the gateway")),
        }
    }
}

/// Of an answer's extensions: it is about a key that the page may name, so that its absence is no guess that failed.
#[derive(Clone, Copy)]
pub(crate) struct OwnName;

/// `POST /v1/s3`: carries out what `POST /v1/sign` signed for it.
pub async fn handle(State(gateway): State<Gateway>, id: axum::Extension<RequestId>, request: Request) -> Response {
    let Some(s3) = &gateway.s3 else {
        return not_configured().into_response(&id, None);
    };
    let origin = request.headers().get(header::ORIGIN).cloned();
    let (intent, subject) = match s3.own.receive(request, gateway.now()).await {
        Ok(received) => received,
        Err(refused) => return refused.into_response(&id, None),
    };
    if let Err(refused) = gateway.watch.rates.admit_subject(&subject) {
        return refused.into_response(&id);
    }
    let _seat = match gateway.watch.seats.take(&subject) {
        Ok(seat) => seat,
        Err(refused) => return refused.into_response(&id),
    };
    let performed = s3.perform(&intent, &subject, origin.as_ref()).await;
    let mut response = performed.unwrap_or_else(|refused| {
        tracing::info!(request_id = id.0.0, op = intent.op(), code = refused.code(), "not done");
        refused.into_response(&id, None)
    });
    own::mark(&mut response, subject);
    if intent.upload().is_none() {
        response.extensions_mut().insert(OwnName);
    }
    response
}

/// The refusal of a gateway without buckets.
pub(crate) fn not_configured() -> S3Refused {
    S3Refused::gateway(RefusalCode::NotConfigured, "this gateway has no buckets; start it with --bucket")
}

/// Bytes in a part: what the plan says, or fewer of the last part of a stream.
fn part_len(upload: &Upload, number: glacier_core::s3::PartNumber, size: Option<u64>) -> Result<u64, S3Refused> {
    let refuse = |message| Err(S3Refused::gateway(RefusalCode::InvalidRequest, message));
    let plan = upload.plan.ok_or_else(S3Refused::no_such_upload)?;
    let Some(planned) = plan.part_len(number, plan.size) else {
        return refuse("the upload has no part of that number");
    };
    match size {
        None => Ok(planned),
        Some(size) if (1..=planned).contains(&size) => Ok(size),
        Some(_) => refuse("the part is empty, or longer than the upload was opened for"),
    }
}

fn no_content() -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, private"));
    response
}
