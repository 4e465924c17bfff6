//! What earlier visits left unfinished, as JavaScript sees it.

use std::rc::Rc;

use glacier_core::error::UploadError;
use glacier_core::glacier::Description;
use glacier_core::upload::{Event, StoreUpload, Target};
use js_sys::{Object, Promise};
use wasm_bindgen::prelude::{JsCast, JsValue, wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Blob};

use super::plain;
use super::uploads::Upload;
use crate::file::number;
use crate::json::set;
use crate::unfinished::Unfinished;
use crate::vaults::moment;
use crate::{options, task};

/// One upload that can be gone on with.
#[wasm_bindgen(skip_typescript)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct UnfinishedUpload {
    unfinished: Unfinished,
}

impl UnfinishedUpload {
    /// With what is known of it as plain properties.
    pub(super) fn describe(unfinished: Unfinished) -> JsValue {
        let (record, in_use) = (Rc::clone(&unfinished.record), unfinished.in_use);
        let journal = &record.journal;
        let text = |text: Option<&str>| text.map_or(JsValue::UNDEFINED, JsValue::from);
        let object: Object = JsValue::from(Self { unfinished }).unchecked_into();
        for (key, value) in [
            ("name", record.file.name.as_str().into()),
            ("size", number(record.file.size).into()),
            ("lastModified", number(record.file.last_modified).into()),
            ("uploadId", text(journal.upload.as_ref().map(StoreUpload::name))),
            ("bytesConfirmed", number(journal.bytes_confirmed()).into()),
            ("begunAt", moment(record.begun_at)),
            ("savedAt", moment(record.saved_at)),
            ("inUse", in_use.into()),
        ] {
            set(&object, key, &value);
        }
        let place = match &journal.target {
            Target::Vault { vault, description } => {
                let description = text(description.as_ref().map(Description::as_str));
                [("vault", vault.as_str().into()), ("description", description)]
            }
            Target::Object(made) => [("bucket", made.bucket.as_str().into()), ("key", made.key.as_str().into())],
        };
        for (key, value) in place {
            set(&object, key, &value);
        }
        object.into()
    }
}

#[wasm_bindgen]
impl UnfinishedUpload {
    /// The promise of an `Upload`.
    pub fn resume(&self, blob: &JsValue, options: &JsValue) -> Promise {
        self.go_on(options::blob(blob).and_then(|blob| Ok((Some(blob), options::call(options)?))))
    }

    /// The promise of its end: the archive, where there turns out to be one.
    pub fn discard(&self) -> Promise {
        self.go_on(Ok((None, None)))
    }
}

impl UnfinishedUpload {
    /// Without a file it is removed.
    fn go_on(&self, asked: Result<(Option<Blob>, Option<AbortSignal>), UploadError>) -> Promise {
        let unfinished = self.unfinished.clone();
        task::promise(async move {
            let (blob, signal) = asked.map_err(plain)?;
            let is_discarded = blob.is_none();
            let upload = unfinished.go_on(blob).await.map_err(plain)?;
            if !is_discarded {
                if let Some(signal) = signal {
                    upload.follow(signal);
                }
                return Ok(Upload::new(upload).into());
            }
            upload.driver.feed(Event::Abort);
            let end = JsFuture::from(upload.done()).await;
            if upload.is_aborted() { Ok(JsValue::UNDEFINED) } else { end }
        })
    }
}
