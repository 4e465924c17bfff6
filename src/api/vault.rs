//! One vault as JavaScript sees it.

use glacier_core::Intent;
use glacier_core::call::{Answer, List};
use glacier_core::error::UploadError;
use glacier_core::glacier::list_multipart_uploads::UploadInProgress;
use glacier_core::glacier::{ArchiveId, JobId, LockId};
use glacier_core::settings;
use js_sys::Promise;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use web_sys::AbortSignal;

use super::job::Job;
use super::pages::Pages;
use super::plain;
use crate::vaults::{ask, byte_range, date, object, promise};
use crate::{file, job, options, vaults};

/// One vault.
#[wasm_bindgen(skip_typescript)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct Vault {
    vault: vaults::Vault,
}

impl Vault {
    pub(super) const fn new(vault: vaults::Vault) -> Self {
        Self { vault }
    }

    fn one(&self, intent: Intent, options: &JsValue) -> Promise {
        self.ask(Ok(intent), options)
    }

    fn ask(&self, intent: Result<Intent, UploadError>, options: &JsValue) -> Promise {
        self.ask_all(intent.map(|intent| vec![intent]), options)
    }

    fn ask_all(&self, intents: Result<Vec<Intent>, UploadError>, options: &JsValue) -> Promise {
        ask(&self.vault.session, intents.and_then(|intents| Ok((intents, options::call(options)?))))
    }

    fn start(
        &self,
        asked: Result<(glacier_core::glacier::initiate_job::JobParameters, Option<AbortSignal>), UploadError>,
    ) -> Promise {
        let vault = self.vault.clone();
        promise(Box::pin(async move {
            let (parameters, signal) = asked?;
            Ok(Job::new(job::Job::start(vault, parameters, signal).await?).into())
        }))
    }
}

#[wasm_bindgen]
impl Vault {
    /// Its name.
    #[wasm_bindgen(getter)]
    pub fn name(&self) -> String {
        self.vault.name.to_string()
    }

    /// What the last inventory counted.
    pub fn describe(&self, options: &JsValue) -> Promise {
        self.one(Intent::DescribeVault { vault: self.vault.name.clone() }, options)
    }

    /// Removes the vault.
    pub fn delete(&self, options: &JsValue) -> Promise {
        self.one(Intent::DeleteVault { vault: self.vault.name.clone() }, options)
    }

    /// What can be done with its archives.
    #[wasm_bindgen(getter)]
    pub fn archives(&self) -> Archives {
        Archives { vault: self.vault.clone() }
    }

    /// Uploads neither completed nor aborted.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    pub fn uploads(&self, options: &JsValue) -> Result<Pages, JsValue> {
        let signal = options::call(options).map_err(plain)?;
        let vault = self.vault.clone();
        let list = List::Uploads(vault.name.clone());
        Ok(Pages::new(&self.vault.session, list, signal, move |page| match page {
            Answer::Uploads(page) => {
                let upload = |upload| IncompleteUpload { vault: vault.clone(), upload }.into();
                page.uploads.into_iter().map(upload).collect()
            }
            _ => Vec::new(),
        }))
    }

    /// Asks for an archive.
    pub fn retrieve(&self, archive_id: &str, options: &JsValue) -> Promise {
        self.start(options::with_signal(options, |options| settings::retrieval(archive_id, options)))
    }

    /// Asks for the list of archives.
    pub fn inventory(&self, options: &JsValue) -> Promise {
        self.start(options::with_signal(options, settings::inventory))
    }

    /// Jobs that run, or ended less than a day ago.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    pub fn jobs(&self, filter: &JsValue) -> Result<Pages, JsValue> {
        let (filter, signal) = options::with_signal(filter, settings::job_filter).map_err(plain)?;
        let vault = self.vault.clone();
        let list = List::Jobs(vault.name.clone(), filter);
        Ok(Pages::new(&self.vault.session, list, signal, move |page| match page {
            Answer::Jobs(page) => {
                page.jobs.into_iter().map(|job| Job::new(job::Job::new(vault.clone(), job)).into()).collect()
            }
            _ => Vec::new(),
        }))
    }

    /// A job by its ID.
    pub fn job(&self, job_id: &str, options: &JsValue) -> Promise {
        let asked = JobId::new(job_id).map_err(UploadError::from).and_then(|id| Ok((id, options::call(options)?)));
        let vault = self.vault.clone();
        promise(Box::pin(async move {
            let (job_id, signal) = asked?;
            let description = job::Job::describe(vault.clone(), job_id, signal).await?;
            Ok(Job::new(job::Job::new(vault, description)).into())
        }))
    }

    /// Its tags.
    pub fn tags(&self, options: &JsValue) -> Promise {
        self.one(Intent::ListTagsForVault { vault: self.vault.name.clone() }, options)
    }

    /// Gives it tags.
    #[wasm_bindgen(js_name = addTags)]
    pub fn add_tags(&self, tags: &JsValue, options: &JsValue) -> Promise {
        let request = |tags| Intent::AddTagsToVault { vault: self.vault.name.clone(), tags };
        let tags = settings::tags(&options::plain(tags));
        self.ask_all(tags.map(|tags| tags.into_iter().map(request).collect()), options)
    }

    /// Takes tags off.
    #[wasm_bindgen(js_name = removeTags)]
    pub fn remove_tags(&self, keys: &JsValue, options: &JsValue) -> Promise {
        let request = |tag_keys| Intent::RemoveTagsFromVault { vault: self.vault.name.clone(), tag_keys };
        let keys = settings::tag_keys(&crate::json::from_js(keys));
        self.ask_all(keys.map(|keys| keys.into_iter().map(request).collect()), options)
    }

    /// Which topic hears of what.
    pub fn notifications(&self, options: &JsValue) -> Promise {
        self.one(Intent::GetVaultNotifications { vault: self.vault.name.clone() }, options)
    }

    /// Has a topic told.
    #[wasm_bindgen(js_name = setNotifications)]
    pub fn set_notifications(&self, notifications: &JsValue, options: &JsValue) -> Promise {
        let notifications = settings::notifications(&options::plain(notifications));
        let vault = self.vault.name.clone();
        let request = |(sns_topic, events)| Intent::SetVaultNotifications { vault, sns_topic, events };
        self.ask(notifications.map(request), options)
    }

    /// Has nobody told.
    #[wasm_bindgen(js_name = deleteNotifications)]
    pub fn delete_notifications(&self, options: &JsValue) -> Promise {
        self.one(Intent::DeleteVaultNotifications { vault: self.vault.name.clone() }, options)
    }

    /// Who may do what.
    #[wasm_bindgen(js_name = accessPolicy)]
    pub fn access_policy(&self, options: &JsValue) -> Promise {
        self.one(Intent::GetVaultAccessPolicy { vault: self.vault.name.clone() }, options)
    }

    /// Says who may do what.
    #[wasm_bindgen(js_name = setAccessPolicy)]
    pub fn set_access_policy(&self, policy: &JsValue, options: &JsValue) -> Promise {
        let vault = self.vault.name.clone();
        self.ask(options::policy(policy).map(|policy| Intent::SetVaultAccessPolicy { vault, policy }), options)
    }

    /// Leaves the vault to its account.
    #[wasm_bindgen(js_name = deleteAccessPolicy)]
    pub fn delete_access_policy(&self, options: &JsValue) -> Promise {
        self.one(Intent::DeleteVaultAccessPolicy { vault: self.vault.name.clone() }, options)
    }

    /// Its lock.
    pub fn lock(&self, options: &JsValue) -> Promise {
        self.one(Intent::GetVaultLock { vault: self.vault.name.clone() }, options)
    }

    /// Puts a lock on trial.
    #[wasm_bindgen(js_name = initiateLock)]
    pub fn initiate_lock(&self, policy: &JsValue, options: &JsValue) -> Promise {
        let vault = self.vault.name.clone();
        self.ask(options::policy(policy).map(|policy| Intent::InitiateVaultLock { vault, policy }), options)
    }

    /// Makes the lock final.
    #[wasm_bindgen(js_name = completeLock)]
    pub fn complete_lock(&self, lock_id: &str, options: &JsValue) -> Promise {
        let vault = self.vault.name.clone();
        let lock_id = LockId::new(lock_id).map_err(UploadError::from);
        self.ask(lock_id.map(|lock_id| Intent::CompleteVaultLock { vault, lock_id }), options)
    }

    /// Takes a lock on trial away.
    #[wasm_bindgen(js_name = abortLock)]
    pub fn abort_lock(&self, options: &JsValue) -> Promise {
        self.one(Intent::AbortVaultLock { vault: self.vault.name.clone() }, options)
    }
}

/// What can be done with a vault's archives.
#[wasm_bindgen(skip_typescript)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct Archives {
    vault: vaults::Vault,
}

#[wasm_bindgen]
impl Archives {
    /// Removes an archive.
    pub fn delete(&self, archive_id: &str, options: &JsValue) -> Promise {
        let vault = self.vault.name.clone();
        let archive_id = ArchiveId::new(archive_id).map_err(UploadError::from);
        let asked = archive_id
            .and_then(|archive_id| Ok((vec![Intent::DeleteArchive { vault, archive_id }], options::call(options)?)));
        ask(&self.vault.session, asked)
    }
}

/// An upload that was begun and neither completed nor aborted.
#[wasm_bindgen(skip_typescript)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct IncompleteUpload {
    vault: vaults::Vault,
    upload: UploadInProgress,
}

#[wasm_bindgen]
impl IncompleteUpload {
    /// What names it.
    #[wasm_bindgen(getter, js_name = uploadId)]
    pub fn upload_id(&self) -> String {
        self.upload.upload_id.to_string()
    }

    /// What will be kept with the archive.
    #[wasm_bindgen(getter)]
    pub fn description(&self) -> JsValue {
        self.upload.description.as_deref().map_or(JsValue::NULL, JsValue::from)
    }

    /// Bytes in every part but the last.
    #[wasm_bindgen(getter, js_name = partSize)]
    pub fn part_size(&self) -> JsValue {
        file::count(self.upload.part_size.bytes())
    }

    /// When it was begun.
    #[wasm_bindgen(getter, js_name = createdAt)]
    pub fn created_at(&self) -> JsValue {
        date(&self.upload.creation_date)
    }

    /// Parts the store has.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    pub fn parts(&self, options: &JsValue) -> Result<Pages, JsValue> {
        let signal = options::call(options).map_err(plain)?;
        let list = List::Parts(self.vault.name.clone(), self.upload.upload_id.clone());
        Ok(Pages::new(&self.vault.session, list, signal, |page| match page {
            Answer::Parts(page) => {
                let part = |(range, tree_hash): (_, glacier_core::TreeHash)| {
                    object(&[("range", byte_range(range)), ("treeHash", tree_hash.to_string().into())]).into()
                };
                page.parts.into_iter().map(part).collect()
            }
            _ => Vec::new(),
        }))
    }

    /// Removes it.
    pub fn abort(&self, options: &JsValue) -> Promise {
        let intent =
            Intent::AbortMultipartUpload { vault: self.vault.name.clone(), upload_id: self.upload.upload_id.clone() };
        ask(&self.vault.session, options::call(options).map(|signal| (vec![intent], signal)))
    }
}
