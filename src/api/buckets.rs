//! Buckets as JavaScript sees them.

use std::rc::Rc;

use glacier_core::Intent;
use glacier_core::call::{Answer, List};
use glacier_core::s3::list_multipart_uploads::Upload;
use glacier_core::s3::{self, BucketName};
use glacier_core::settings;
use js_sys::Promise;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::object::BucketObject;
use super::pages::Pages;
use super::plain;
use crate::session::Session;
use crate::vaults::{ask, date};
use crate::{bucket, options};

/// The buckets behind one gateway.
#[wasm_bindgen(skip_typescript)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct Buckets {
    session: Rc<Session>,
}

impl Buckets {
    pub(super) const fn new(session: Rc<Session>) -> Self {
        Self { session }
    }
}

#[wasm_bindgen]
impl Buckets {
    /// A bucket by its name.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    pub fn bucket(&self, name: &str) -> Result<Bucket, JsValue> {
        let name = BucketName::new(name).map_err(|error| plain(error.into()))?;
        Ok(Bucket { bucket: bucket::Bucket { session: Rc::clone(&self.session), name } })
    }

    /// Cancels what runs and stops the workers.
    pub fn close(&self) -> Promise {
        self.session.close();
        Promise::resolve(&JsValue::UNDEFINED)
    }
}

/// One bucket.
#[wasm_bindgen(skip_typescript)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct Bucket {
    bucket: bucket::Bucket,
}

#[wasm_bindgen]
impl Bucket {
    /// Its name.
    #[wasm_bindgen(getter)]
    pub fn name(&self) -> String {
        self.bucket.name.to_string()
    }

    /// An object by its name.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    pub fn object(&self, key: &str, options: &JsValue) -> Result<BucketObject, JsValue> {
        let named = options::with_signal(options, |options| settings::object(key, options));
        let ((key, version_id), _) = named.map_err(plain)?;
        Ok(BucketObject::new(bucket::Named { bucket: self.bucket.clone(), key, version_id }))
    }

    /// Uploads neither completed nor aborted.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    pub fn uploads(&self, options: &JsValue) -> Result<Pages, JsValue> {
        let (prefix, signal) = options::with_signal(options, settings::object_uploads).map_err(plain)?;
        let bucket = self.bucket.clone();
        let list = List::ObjectUploads(bucket.name.clone(), prefix);
        Ok(Pages::new(&self.bucket.session, list, signal, move |page| match page {
            Answer::ObjectUploads(page) => {
                let upload = |upload| IncompleteObject { bucket: bucket.clone(), upload }.into();
                page.uploads.into_iter().map(upload).collect()
            }
            _ => Vec::new(),
        }))
    }
}

/// An upload of an object that was begun and neither completed nor aborted.
#[wasm_bindgen(skip_typescript)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct IncompleteObject {
    bucket: bucket::Bucket,
    upload: Upload,
}

#[wasm_bindgen]
impl IncompleteObject {
    /// What the object would be called.
    #[wasm_bindgen(getter)]
    pub fn key(&self) -> String {
        self.upload.key.to_string()
    }

    /// Where the object would be kept.
    #[wasm_bindgen(getter, js_name = storageClass)]
    pub fn storage_class(&self) -> String {
        self.upload.storage_class.clone()
    }

    /// When it was begun.
    #[wasm_bindgen(getter, js_name = createdAt)]
    pub fn created_at(&self) -> JsValue {
        date(self.upload.initiated.as_str())
    }

    /// Removes it.
    pub fn abort(&self, options: &JsValue) -> Promise {
        let intent = Intent::S3(s3::Intent::AbortMultipartUpload { upload: self.upload.upload.clone() });
        ask(&self.bucket.session, options::call(options).map(|signal| (vec![intent], signal)))
    }
}
