//! A file of the origin's private file system, open in a worker and written in place: what is written is there, also
//! when the tab is killed.

use js_sys::{ArrayBuffer, Function, Promise, Uint8Array};
use wasm_bindgen::prelude::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DomException, FileSystemReadWriteOptions, FileSystemSyncAccessHandle};

use crate::{file, json};

/// The one that has the file's lock.
pub(crate) struct OpenFile(FileSystemSyncAccessHandle);

impl OpenFile {
    /// Opens the file of a `FileSystemFileHandle`.
    ///
    /// # Errors
    /// `InvalidStateError` for a file outside the private file system and `TypeError` where the browser has no such
    /// access; others for a file that is locked or gone.
    pub(crate) async fn open(handle: &JsValue) -> Result<Self, JsValue> {
        let create: Function = json::get(handle, "createSyncAccessHandle")
            .dyn_into()
            .map_err(|_| js_sys::TypeError::new("the browser has no createSyncAccessHandle"))?;
        let opening: Promise = create.call0(handle)?.unchecked_into();
        Ok(Self(JsFuture::from(opening).await?.unchecked_into()))
    }

    /// Writes all of `bytes` at `position`.
    pub(crate) fn write(&self, position: u64, bytes: &ArrayBuffer) -> Result<(), JsValue> {
        let mut rest = Uint8Array::new(bytes);
        let mut at = position;
        while rest.length() > 0 {
            let options = FileSystemReadWriteOptions::new();
            options.set_at(file::number(at));
            // A full disk may be told by a number that is too small.
            let written = self.0.write_with_buffer_source_and_options(&rest, &options)?;
            let taken = u32::try_from(file::whole(written)).unwrap_or(u32::MAX).min(rest.length());
            if taken == 0 {
                let message = "the file takes no more bytes";
                return Err(DomException::new_with_message_and_name(message, "QuotaExceededError")?.into());
            }
            at += u64::from(taken);
            rest = rest.subarray(taken, rest.length());
        }
        Ok(())
    }

    /// Cuts the file off where `len` says so, writes it out and gives its lock back.
    pub(crate) fn close(self, len: Option<u64>) -> Result<(), JsValue> {
        let written = (|| {
            if let Some(len) = len {
                self.0.truncate_with_f64(file::number(len))?;
            }
            self.0.flush()
        })();
        self.0.close();
        written
    }
}
