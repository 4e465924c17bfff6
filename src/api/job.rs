//! A job as JavaScript sees it.

use std::rc::Rc;

use glacier_core::TreeHash;
use glacier_core::download::Source;
use glacier_core::glacier::describe_job::{Action, JobDescription};
use glacier_core::glacier::initiate_job::{InventoryFormat, Tier};
use glacier_core::inventory;
use js_sys::Promise;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::downloads::Download;
use super::pages::Pages;
use super::plain;
use crate::archives::Archives;
use crate::sink::Target;
use crate::vaults::{byte_range, date, object, promise};
use crate::{file, job, options};

/// A retrieval or an inventory.
#[wasm_bindgen(skip_typescript)]
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct Job {
    job: Rc<job::Job>,
}

impl Job {
    pub(super) const fn new(job: Rc<job::Job>) -> Self {
        Self { job }
    }

    pub(super) fn source(&self) -> Source {
        self.job.source()
    }

    fn field<T>(&self, read: impl FnOnce(&JobDescription) -> Option<T>) -> JsValue
    where
        JsValue: From<T>,
    {
        read(&self.job.description.borrow()).map_or(JsValue::NULL, JsValue::from)
    }
}

#[wasm_bindgen]
impl Job {
    /// What names it.
    #[wasm_bindgen(getter, js_name = jobId)]
    pub fn job_id(&self) -> String {
        self.job.description.borrow().job_id.to_string()
    }

    /// The name of its vault.
    #[wasm_bindgen(getter)]
    pub fn vault(&self) -> String {
        self.job.vault.name.to_string()
    }

    /// What it is for.
    #[wasm_bindgen(getter)]
    pub fn action(&self) -> String {
        match self.job.description.borrow().action {
            Action::ArchiveRetrieval => "ArchiveRetrieval",
            Action::InventoryRetrieval => "InventoryRetrieval",
            Action::Select => "Select",
        }
        .to_owned()
    }

    /// One of `JobStatus`.
    #[wasm_bindgen(getter)]
    pub fn status(&self) -> String {
        self.job.description.borrow().status.as_str().to_owned()
    }

    /// Whether it is done, well or not.
    #[wasm_bindgen(getter)]
    pub fn completed(&self) -> bool {
        self.job.description.borrow().is_completed()
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
        date(&self.job.description.borrow().creation_date)
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

    /// Of those bytes.
    #[wasm_bindgen(getter, js_name = treeHash)]
    pub fn tree_hash(&self) -> JsValue {
        self.field(|job| hex(job.tree_hash))
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
            job.job.refresh(signal?).await?;
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
            self.job.vault.session.downloads.start(self.source(), target, wishes)
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
            inventory::format(&self.job.description.borrow())?;
            Ok(Pages::of(Archives::new(Rc::clone(&self.job), signal)))
        };
        start().map_err(plain)
    }

    /// Waits until it has succeeded.
    pub fn done(&self, options: &JsValue) -> Promise {
        let (job, signal) = (self.clone(), options::call(options));
        promise(Box::pin(async move {
            job.job.done(signal?).await?;
            Ok(job.into())
        }))
    }
}

fn hex(hash: Option<TreeHash>) -> Option<String> {
    hash.map(|hash| hash.to_string())
}
