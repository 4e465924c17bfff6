//! A download that becomes a `Blob`.

use std::cell::RefCell;

use glacier_core::ByteRange;
use js_sys::{Array, ArrayBuffer};
use litemap::LiteMap;
use wasm_bindgen::prelude::JsValue;
use web_sys::Blob;

use crate::hash;

/// Each range is a blob of its own as soon as it is there, so that the browser may put it on the disk.
#[derive(Default)]
pub(crate) struct BlobSink {
    /// By first byte.
    pieces: RefCell<LiteMap<u64, Blob>>,
    whole: RefCell<Option<Blob>>,
}

impl BlobSink {
    pub(super) fn write(&self, range: ByteRange, bytes: &ArrayBuffer) -> Result<(), JsValue> {
        let blob = Blob::new_with_buffer_source_sequence(&Array::of1(bytes))?;
        hash::free(bytes);
        self.pieces.borrow_mut().insert(range.start(), blob);
        Ok(())
    }

    pub(super) fn close(&self) -> Result<(), JsValue> {
        let pieces: Array = self.pieces.take().values().collect();
        *self.whole.borrow_mut() = Some(Blob::new_with_blob_sequence(&pieces)?);
        Ok(())
    }

    pub(super) fn clear(&self) {
        self.pieces.borrow_mut().clear();
    }

    pub(super) fn whole(&self) -> Option<Blob> {
        self.whole.borrow().clone()
    }
}
