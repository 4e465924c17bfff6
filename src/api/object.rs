//! One object as JavaScript sees it.

use glacier_core::settings;
use js_sys::Promise;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::job::Job;
use crate::bucket::{Named, Restore, object_head};
use crate::options;
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
            Ok(Job::of_object(Restore::start(named, options, signal).await?).into())
        }))
    }

    /// Removes it.
    pub fn delete(&self, options: &JsValue) -> Promise {
        let intent = self.named.deletion();
        ask(&self.named.bucket.session, options::call(options).map(|signal| (vec![intent], signal)))
    }
}
