//! One object as JavaScript sees it, and its restore as a job.

use std::rc::Rc;

use glacier_core::download::Source;
use glacier_core::glacier::describe_job::JobStatus;
use glacier_core::settings;
use js_sys::Promise;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::downloads::Download;
use super::plain;
use crate::bucket::{Named, Restore, object_head};
use crate::options;
use crate::sink::Target;
use crate::vaults::{ask, promise};

/// One object, or one version of it.
#[wasm_bindgen(skip_typescript)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct BucketObject {
    named: Named,
}

impl BucketObject {
    pub(super) const fn new(named: Named) -> Self {
        Self { named }
    }
}

#[wasm_bindgen]
impl BucketObject {
    /// Its name.
    #[wasm_bindgen(getter)]
    pub fn key(&self) -> String {
        self.named.key.to_string()
    }

    /// What it is.
    pub fn head(&self, options: &JsValue) -> Promise {
        let (named, signal) = (self.named.clone(), options::call(options));
        promise(Box::pin(async move { Ok(object_head(&named.look(signal?).await?.head)) }))
    }

    /// Has it made readable.
    pub fn retrieve(&self, options: &JsValue) -> Promise {
        let (named, asked) = (self.named.clone(), options::with_signal(options, settings::restore));
        promise(Box::pin(async move {
            let (options, signal) = asked?;
            Ok(ObjectJob { restore: Restore::start(named, options, signal).await? }.into())
        }))
    }

    /// Removes it.
    pub fn delete(&self, options: &JsValue) -> Promise {
        let intent = self.named.deletion();
        ask(&self.named.bucket.session, options::call(options).map(|signal| (vec![intent], signal)))
    }
}

/// A restore, also of an object that needs none.
#[wasm_bindgen(skip_typescript)]
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct ObjectJob {
    restore: Rc<Restore>,
}

impl ObjectJob {
    pub(super) fn source(&self) -> Source {
        self.restore.source()
    }

    fn job_status(&self) -> JobStatus {
        self.restore.object.borrow().head.restore_status()
    }
}

#[wasm_bindgen]
impl ObjectJob {
    /// The object's name.
    #[wasm_bindgen(getter)]
    pub fn key(&self) -> String {
        self.restore.object.borrow().key.to_string()
    }

    /// What the object was when the store was last asked.
    #[wasm_bindgen(getter)]
    pub fn head(&self) -> JsValue {
        object_head(&self.restore.object.borrow().head)
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

    /// Asks the store how far it is.
    pub fn refresh(&self, options: &JsValue) -> Promise {
        let (job, signal) = (self.clone(), options::call(options));
        promise(Box::pin(async move {
            job.restore.refresh(signal?).await?;
            Ok(job.into())
        }))
    }

    /// Waits until it can be read.
    pub fn done(&self, options: &JsValue) -> Promise {
        let (job, signal) = (self.clone(), options::call(options));
        promise(Box::pin(async move {
            job.restore.done(signal?).await?;
            Ok(job.into())
        }))
    }

    /// Downloads it.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    pub fn download(&self, to: &JsValue, options: &JsValue) -> Result<Download, JsValue> {
        let start = || {
            let (target, wishes) = (Target::from_js(to)?, options::download(options)?);
            self.restore.session().downloads.start(self.source(), target, wishes)
        };
        start().map(Download::new).map_err(plain)
    }
}
