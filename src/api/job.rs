//! A job as JavaScript sees it: a vault's, or an object on its way to being readable.

use std::rc::Rc;

use glacier_core::download::Source;
use glacier_core::error::{ErrorCode, UploadError};
use glacier_core::glacier::describe_job::{Action, JobDescription, JobStatus};
use glacier_core::glacier::initiate_job::{InventoryFormat, Tier};
use glacier_core::{TreeHash, inventory};
use js_sys::Promise;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use web_sys::AbortSignal;

use super::downloads::Download;
use super::pages::Pages;
use super::plain;
use crate::archives::Archives;
use crate::bucket::{Restore, object_head};
use crate::call::Failure;
use crate::session::Session;
use crate::sink::Target;
use crate::vaults::{byte_range, date, object, promise};
use crate::{file, job, options};

/// A retrieval or an inventory, or the restore of an object, also of one that needs none.
#[wasm_bindgen(skip_typescript)]
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct Job {
    of: Of,
}

/// Whose it is.
#[derive(Clone)]
enum Of {
    Vault(Rc<job::Job>),
    Object(Rc<Restore>),
}

impl Job {
    pub(super) const fn new(job: Rc<job::Job>) -> Self {
        Self { of: Of::Vault(job) }
    }

    pub(super) const fn of_object(restore: Rc<Restore>) -> Self {
        Self { of: Of::Object(restore) }
    }

    pub(super) fn source(&self) -> Source {
        match &self.of {
            Of::Vault(job) => job.source(),
            Of::Object(restore) => restore.source(),
        }
    }

    fn session(&self) -> &Rc<Session> {
        match &self.of {
            Of::Vault(job) => &job.vault.session,
            Of::Object(restore) => restore.session(),
        }
    }

    fn job_status(&self) -> JobStatus {
        match &self.of {
            Of::Vault(job) => job.description.borrow().status,
            Of::Object(restore) => restore.object.borrow().head.restore_status(),
        }
    }

    async fn look(&self, signal: Option<AbortSignal>) -> Result<(), Failure> {
        match &self.of {
            Of::Vault(job) => job.refresh(signal).await,
            Of::Object(restore) => restore.refresh(signal).await,
        }
    }

    async fn end(&self, signal: Option<AbortSignal>) -> Result<(), Failure> {
        match &self.of {
            Of::Vault(job) => job.done(signal).await,
            Of::Object(restore) => restore.done(signal).await,
        }
    }

    /// What only a vault's job has.
    fn field<T>(&self, read: impl FnOnce(&JobDescription) -> Option<T>) -> JsValue
    where
        JsValue: From<T>,
    {
        match &self.of {
            Of::Vault(job) => read(&job.description.borrow()).map_or(JsValue::NULL, JsValue::from),
            Of::Object(_) => JsValue::NULL,
        }
    }

    /// What only an object's has.
    fn object(&self, read: impl FnOnce(&Restore) -> JsValue) -> JsValue {
        match &self.of {
            Of::Vault(_) => JsValue::NULL,
            Of::Object(restore) => read(restore),
        }
    }
}

#[wasm_bindgen]
impl Job {
    /// What names it.
    #[wasm_bindgen(getter, js_name = jobId)]
    pub fn job_id(&self) -> JsValue {
        self.field(|job| Some(job.job_id.to_string()))
    }

    /// The name of its vault.
    #[wasm_bindgen(getter)]
    pub fn vault(&self) -> JsValue {
        match &self.of {
            Of::Vault(job) => job.vault.name.as_str().into(),
            Of::Object(_) => JsValue::NULL,
        }
    }

    /// The name of its object's bucket.
    #[wasm_bindgen(getter)]
    pub fn bucket(&self) -> JsValue {
        self.object(|restore| restore.object.borrow().bucket.as_str().into())
    }

    /// The object's name.
    #[wasm_bindgen(getter)]
    pub fn key(&self) -> JsValue {
        self.object(|restore| restore.object.borrow().key.as_str().into())
    }

    /// What the object was when the store was last asked.
    #[wasm_bindgen(getter)]
    pub fn head(&self) -> JsValue {
        self.object(|restore| object_head(&restore.object.borrow().head))
    }

    /// What it is for.
    #[wasm_bindgen(getter)]
    pub fn action(&self) -> String {
        match &self.of {
            Of::Vault(job) => match job.description.borrow().action {
                Action::ArchiveRetrieval => "ArchiveRetrieval",
                Action::InventoryRetrieval => "InventoryRetrieval",
                Action::Select => "Select",
            },
            Of::Object(_) => "ObjectRestore",
        }
        .to_owned()
    }

    /// One of `JobStatus`.
    #[wasm_bindgen(getter)]
    pub fn status(&self) -> String {
        self.job_status().as_str().to_owned()
    }

    /// Whether it is done, well or not.
    #[wasm_bindgen(getter)]
    pub fn completed(&self) -> bool {
        self.job_status() != JobStatus::InProgress
    }

    /// The status in words.
    #[wasm_bindgen(getter, js_name = statusMessage)]
    pub fn status_message(&self) -> JsValue {
        self.field(|job| job.status_message.clone())
    }

    /// What was given with it.
    #[wasm_bindgen(getter)]
    pub fn description(&self) -> JsValue {
        self.field(|job| job.description.clone())
    }

    /// When it was started.
    #[wasm_bindgen(getter, js_name = createdAt)]
    pub fn created_at(&self) -> JsValue {
        self.field(|job| Some(date(&job.creation_date)))
    }

    /// When it was done.
    #[wasm_bindgen(getter, js_name = completedAt)]
    pub fn completed_at(&self) -> JsValue {
        self.field(|job| job.completion_date.as_deref().map(date))
    }

    /// Told when it is done.
    #[wasm_bindgen(getter, js_name = snsTopic)]
    pub fn sns_topic(&self) -> JsValue {
        self.field(|job| job.sns_topic.clone())
    }

    /// The archive that is retrieved.
    #[wasm_bindgen(getter, js_name = archiveId)]
    pub fn archive_id(&self) -> JsValue {
        self.field(|job| job.archive_id.as_ref().map(ToString::to_string))
    }

    /// Bytes in the whole archive.
    #[wasm_bindgen(getter, js_name = archiveSize)]
    pub fn archive_size(&self) -> JsValue {
        self.field(|job| job.archive_size.map(file::count))
    }

    /// Of the whole archive.
    #[wasm_bindgen(getter, js_name = archiveTreeHash)]
    pub fn archive_tree_hash(&self) -> JsValue {
        self.field(|job| hex(job.archive_tree_hash))
    }

    /// Which bytes of the archive are retrieved.
    #[wasm_bindgen(getter)]
    pub fn range(&self) -> JsValue {
        self.field(|job| job.range.map(byte_range))
    }

    /// Bytes that a download brings.
    #[wasm_bindgen(getter)]
    pub fn size(&self) -> JsValue {
        match &self.of {
            Of::Vault(job) => job.description.borrow().output_len().map_or(JsValue::NULL, file::count),
            Of::Object(restore) => file::count(restore.object.borrow().head.size),
        }
    }

    /// Of those bytes.
    #[wasm_bindgen(getter, js_name = treeHash)]
    pub fn tree_hash(&self) -> JsValue {
        match &self.of {
            Of::Vault(_) => self.field(|job| hex(job.tree_hash)),
            Of::Object(restore) => hex(restore.object.borrow().head.tree_hash).map_or(JsValue::NULL, JsValue::from),
        }
    }

    /// How fast.
    #[wasm_bindgen(getter)]
    pub fn tier(&self) -> JsValue {
        self.field(|job| job.tier.map(Tier::as_str))
    }

    /// Bytes of an inventory's output.
    #[wasm_bindgen(getter, js_name = inventorySize)]
    pub fn inventory_size(&self) -> JsValue {
        self.field(|job| job.inventory_size.map(file::count))
    }

    /// What an inventory was limited to.
    #[wasm_bindgen(getter)]
    pub fn inventory(&self) -> JsValue {
        self.field(|job| {
            let inventory = job.inventory.as_ref()?;
            let moment = |text: &Option<String>| text.as_deref().map_or(JsValue::NULL, date);
            Some(object(&[
                ("format", inventory.format.unwrap_or(InventoryFormat::Json).as_str().into()),
                ("startDate", moment(&inventory.start_date)),
                ("endDate", moment(&inventory.end_date)),
                ("limit", inventory.limit.map_or(JsValue::NULL, file::count)),
                ("marker", inventory.marker.as_deref().map_or(JsValue::NULL, JsValue::from)),
            ]))
        })
    }

    /// Asks the store how far it is.
    pub fn refresh(&self, options: &JsValue) -> Promise {
        let (job, signal) = (self.clone(), options::call(options));
        promise(Box::pin(async move {
            job.look(signal?).await?;
            Ok(job.into())
        }))
    }

    /// Downloads what it made.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    pub fn download(&self, to: &JsValue, options: &JsValue) -> Result<Download, JsValue> {
        let start = || {
            let (target, wishes) = (Target::from_js(to)?, options::download(options)?);
            self.session().downloads.start(self.source(), target, wishes)
        };
        start().map(Download::new).map_err(plain)
    }

    /// The archives that an inventory lists.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    pub fn archives(&self, options: &JsValue) -> Result<Pages, JsValue> {
        let start = || {
            let signal = options::call(options)?;
            let Of::Vault(job) = &self.of else {
                return Err(UploadError::new(ErrorCode::InvalidOption, "The job is of an object and no inventory"));
            };
            inventory::format(&job.description.borrow())?;
            Ok(Pages::of(Archives::new(Rc::clone(job), signal)))
        };
        start().map_err(plain)
    }

    /// Waits until there is something to download.
    pub fn done(&self, options: &JsValue) -> Promise {
        let (job, signal) = (self.clone(), options::call(options));
        promise(Box::pin(async move {
            job.end(signal?).await?;
            Ok(job.into())
        }))
    }
}

fn hex(hash: Option<TreeHash>) -> Option<String> {
    hash.map(|hash| hash.to_string())
}
