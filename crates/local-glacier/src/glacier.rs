//! The API: one request in, one answer out.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use glacier_core::PayloadHash;
use glacier_core::glacier::{UploadId, VaultName, header};
use glacier_core::sigv4::Credentials;
use http::header::{CONNECTION, DATE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::BodyExt;
use tokio::sync::broadcast;
use tracing::Instrument;

use crate::answer::{Answer, Body};
use crate::auth::{self, Authority};
use crate::completions::JobCompletion;
use crate::cors::{Cors, Origin};
use crate::delivery::Courier;
use crate::endpoint::Topic;
use crate::error::{self, Refusal};
use crate::head::Head;
use crate::receive::{ReceiveError, RequestBody, read_small};
use crate::route::Route;
use crate::scheduler::{Scheduler, Works};
use crate::store::{Failure, MAX_VAULTS, RequestId, Store, StoreError};

/// Most bytes in the body of an operation that takes no archive bytes. The longest legal one is a policy of 20 KiB.
const MAX_SMALL_BODY_LEN: usize = 64 << 10;

/// Whom the API serves, and as what.
#[derive(Clone, Debug)]
pub struct GlacierConfig {
    /// All belong to the one account.
    pub credentials: Vec<Credentials>,
    /// Signatures must be for this region.
    pub region: String,
    /// Twelve digits.
    pub account_id: String,
    /// Origins of web pages that may use the store without a gateway.
    pub allowed_origins: Vec<Origin>,
    /// Where the messages of topics go. Those of other topics go nowhere.
    pub topics: Vec<Topic>,
}

/// Glacier's REST API over a [`Store`]. Clones share it.
#[derive(Clone, Debug)]
pub struct Glacier {
    pub(crate) store: Store,
    pub(crate) authority: Authority,
    pub(crate) scheduler: Arc<Scheduler>,
    notification_key: String,
    cors: Cors,
}

impl Glacier {
    /// The API for `store`. Starts the threads that finish jobs; the last clone to be dropped ends them. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where the key that signs notifications cannot be read or made.
    pub fn new(store: Store, config: GlacierConfig) -> Result<Self, StoreError> {
        let authority = Authority::new(config.credentials, config.region, config.account_id);
        let courier = Courier::new(&store.notification_seed()?, &config.topics);
        let notification_key = courier.public_key_pem();
        let scheduler = Arc::new(Scheduler::start(Works::new(store.clone(), authority.clone(), courier)));
        Ok(Self { store, authority, scheduler, notification_key, cors: Cors::new(config.allowed_origins) })
    }

    /// The public key, as PEM, that notifications are to be checked with.
    pub fn notification_key(&self) -> &str {
        &self.notification_key
    }

    /// Tells of every job that ends from now on. The receiver learns where it was too slow and missed some, and is closed
    /// when the last clone of this is gone.
    pub fn completions(&self) -> broadcast::Receiver<Arc<JobCompletion>> {
        self.scheduler.completions()
    }

    /// Does at once all that is due by the store's clock: ends jobs, writes inventories, removes what is over. The API
    /// does so by itself within seconds; call this after turning a clock by hand.
    ///
    /// Blocks.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn settle(&self) -> Result<(), StoreError> {
        self.scheduler.settle()
    }

    /// Answers a request. It need not come through a socket.
    ///
    /// The body is not read before the request has been found to be signed, legal and for something that exists, so a
    /// client that waits for `100 Continue` learns of a refusal without sending it. Never fails: what goes wrong is in
    /// the answer, and details of our own faults only in the log.
    pub async fn handle<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let started = Instant::now();
        let request_id = RequestId::random();
        let (parts, body) = request.into_parts();
        let has_body = !body.is_end_stream();
        let body = body.map_err(Into::into).boxed_unsync();

        let span = tracing::info_span!("request", request_id = request_id.as_str());
        let (operation, outcome) = self.answer(&parts, body).instrument(span).await;
        let code = outcome.as_ref().err().map(|refusal| refusal.code.name());
        let answer = match outcome {
            // The body may be unread, and a connection in the middle of one is good for nothing more. Closing it
            // without saying so would make the client's next request fail.
            Err(refusal) if has_body => Answer::refusal(&refusal).with(CONNECTION, "close".into()),
            Err(refusal) => Answer::refusal(&refusal),
            Ok(answer) => answer,
        };

        tracing::info!(
            request_id = request_id.as_str(),
            operation,
            status = answer.status().as_u16(),
            code,
            duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
        self.finish(&parts, &request_id, answer)
    }

    /// Adds what every answer has.
    fn finish(&self, request: &Parts, request_id: &RequestId, answer: Answer) -> Response<Body> {
        let mut response = answer.into_response();
        let headers = response.headers_mut();
        for (name, value) in [
            (HeaderName::from_static(header::REQUEST_ID), request_id.as_str()),
            (DATE, &self.store.clock().http_date()),
        ] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        self.cors.mark(&request.headers, headers);
        response
    }

    async fn answer(&self, parts: &Parts, body: RequestBody) -> (&'static str, Result<Answer, Refusal>) {
        if parts.method == Method::OPTIONS {
            return ("Preflight", Ok(self.cors.preflight(&parts.headers)));
        }
        let parsed = Head::new(parts).and_then(|head| {
            Ok((Route::parse(head.method, head.path, head.parameter("operation")?.as_deref())?, head))
        });
        match parsed {
            Ok(((account, route), head)) => {
                let operation = route.operation();
                let checked = self.authenticate(&head, &route, body).await;
                let outcome = match checked.and_then(|content| self.authority.check_account(&account).map(|()| content))
                {
                    Ok(content) => self.perform(route, &head, content).await,
                    Err(refusal) => Err(refusal),
                };
                (operation, outcome)
            }
            Err(refusal) => ("None", Err(refusal)),
        }
    }

    /// Finds out who asks. Of a body only the payload hash is believed until its bytes are here; a small body is read
    /// and compared at once.
    async fn authenticate(&self, head: &Head<'_>, route: &Route, body: RequestBody) -> Result<Content, Refusal> {
        auth::expect_signed(head)?;
        let now = self.store.clock().timestamp();
        let signed = auth::signed_payload_hash(head)?;
        if route.is_upload() {
            let payload_hash = signed.ok_or_else(|| error::missing(header::CONTENT_SHA256))?;
            self.authority.check_signature(head, payload_hash, now)?;
            auth::check_api_version(head)?;
            return Ok(Content { payload_hash, body, bytes: Vec::new() });
        }
        if let Some(payload_hash) = signed {
            self.authority.check_signature(head, payload_hash, now)?;
        }
        let bytes = read_small(body, MAX_SMALL_BODY_LEN).await.map_err(|error| body_refusal(&error))?;
        let bytes = bytes.ok_or_else(|| error::body_too_large(MAX_SMALL_BODY_LEN))?;
        let computed = PayloadHash::of(&bytes);
        match signed {
            Some(given) if given != computed => {
                return Err(error::payload_hash_mismatch(&given.to_string(), &computed.to_string()));
            }
            Some(_) => {}
            None => self.authority.check_signature(head, computed, now)?,
        }
        auth::check_api_version(head)?;
        Ok(Content { payload_hash: computed, body: RequestBody::default(), bytes })
    }

    async fn perform(&self, route: Route, head: &Head<'_>, content: Content) -> Result<Answer, Refusal> {
        if let Some((vault, archive)) = route.subject() {
            self.authorize(route.operation(), vault, archive).await?;
        }
        match route {
            Route::ListVaults => self.list_vaults(head).await,
            Route::CreateVault(vault) => self.create_vault(vault).await,
            Route::DescribeVault(vault) => self.describe_vault(vault).await,
            Route::DeleteVault(vault) => self.delete_vault(vault).await,
            Route::UploadArchive(vault) => self.upload_archive(vault, head, content).await,
            Route::DeleteArchive(vault, id) => self.delete_archive(vault, id).await,
            Route::InitiateMultipartUpload(vault) => self.initiate_multipart_upload(vault, head).await,
            Route::ListMultipartUploads(vault) => self.list_multipart_uploads(vault, head).await,
            Route::UploadMultipartPart(vault, id) => self.upload_multipart_part(vault, id, head, content).await,
            Route::ListParts(vault, id) => self.list_parts(vault, id, head).await,
            Route::CompleteMultipartUpload(vault, id) => self.complete_multipart_upload(vault, id, head).await,
            Route::AbortMultipartUpload(vault, id) => self.abort_multipart_upload(vault, id).await,
            Route::InitiateJob(vault) => self.initiate_job(vault, &content.bytes).await,
            Route::ListJobs(vault) => self.list_jobs(vault, head).await,
            Route::DescribeJob(vault, id) => self.describe_job(vault, id).await,
            Route::GetJobOutput(vault, id) => self.get_job_output(vault, id, head).await,
            Route::SetVaultNotifications(vault) => self.set_vault_notifications(vault, &content.bytes).await,
            Route::GetVaultNotifications(vault) => self.get_vault_notifications(vault).await,
            Route::DeleteVaultNotifications(vault) => self.delete_vault_notifications(vault).await,
            Route::AddTagsToVault(vault) => self.add_tags_to_vault(vault, &content.bytes).await,
            Route::RemoveTagsFromVault(vault) => self.remove_tags_from_vault(vault, &content.bytes).await,
            Route::ListTagsForVault(vault) => self.list_tags_for_vault(vault).await,
            Route::SetVaultAccessPolicy(vault) => self.set_vault_access_policy(vault, &content.bytes).await,
            Route::GetVaultAccessPolicy(vault) => self.get_vault_access_policy(vault).await,
            Route::DeleteVaultAccessPolicy(vault) => self.delete_vault_access_policy(vault).await,
            Route::InitiateVaultLock(vault) => self.initiate_vault_lock(vault, &content.bytes).await,
            Route::GetVaultLock(vault) => self.get_vault_lock(vault).await,
            Route::CompleteVaultLock(vault, id) => self.complete_vault_lock(vault, id).await,
            Route::AbortVaultLock(vault) => self.abort_vault_lock(vault).await,
            Route::SetDataRetrievalPolicy => self.set_data_retrieval_policy(&content.bytes).await,
            Route::GetDataRetrievalPolicy => self.get_data_retrieval_policy().await,
            Route::ListProvisionedCapacity => self.list_provisioned_capacity().await,
            Route::PurchaseProvisionedCapacity => self.purchase_provisioned_capacity().await,
        }
    }

    /// As [`Store::keep_free`], which nobody else has once the store is served.
    pub fn keep_free(&self, bytes: u64) {
        self.store.keep_free(bytes);
    }

    /// As [`Store::bound_open_uploads`].
    pub fn bound_open_uploads(&self, count: u64) {
        self.store.bound_open_uploads(count);
    }

    /// Does something that waits for the disk.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.unwrap_or(Err(StoreError::Failed(Failure::ThreadGone)))
    }

    pub(crate) fn vault_arn(&self, vault: &str) -> String {
        self.authority.vault_arn(vault)
    }

    /// `/123456789012/vaults/{vault}`: the number also where the request said `-`.
    pub(crate) fn vault_path(&self, vault: &VaultName) -> String {
        format!("/{}/vaults/{vault}", self.authority.account_id())
    }

    /// What to answer where the store failed at something that is about no vault.
    #[expect(clippy::unused_self, reason = "as the refusals that need it")]
    pub(crate) fn account_refusal(&self, fault: &StoreError) -> Refusal {
        tracing::error!(error = %fault, "the store failed");
        if let StoreError::Failed(Failure::Full) = fault { error::full() } else { error::internal() }
    }

    /// What to answer where the store refused. Errors that an operation words in its own way do not come here.
    pub(crate) fn refusal(&self, error: StoreError, vault: &VaultName, upload_id: Option<&UploadId>) -> Refusal {
        match error {
            StoreError::VaultNotFound => error::vault_not_found(&self.vault_arn(vault.as_str())),
            StoreError::VaultNotEmpty => error::vault_not_empty(&self.vault_arn(vault.as_str())),
            StoreError::TooManyVaults => error::too_many_vaults(MAX_VAULTS),
            StoreError::TooManyUploads => error::too_many_uploads(),
            StoreError::BodyIncomplete => error::body_incomplete(),
            StoreError::MissingPart { first_byte } => error::missing_part(first_byte),
            StoreError::Failed(Failure::Full) => {
                tracing::error!("the file system is full");
                error::full()
            }
            StoreError::UploadNotFound if let Some(id) = upload_id => error::upload_not_found(id),
            fault => {
                tracing::error!(error = %fault, "the store failed");
                error::internal()
            }
        }
    }
}

/// The body of a request that is known to be signed.
#[derive(Debug)]
pub(crate) struct Content {
    /// What the body's plain SHA-256 is, or has to turn out to be.
    pub(crate) payload_hash: PayloadHash,
    /// Unread for uploads, empty for all else.
    pub(crate) body: RequestBody,
    /// The whole body for all but uploads.
    pub(crate) bytes: Vec<u8>,
}

fn body_refusal(error: &ReceiveError) -> Refusal {
    match error {
        ReceiveError::TooSlow => error::body_too_slow(),
        ReceiveError::Broken | ReceiveError::Store(_) => error::body_incomplete(),
    }
}
