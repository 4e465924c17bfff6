//! What is written to a stream, gathered into one Blob a part, so that a worker reads, hashes and sends it exactly as
//! a slice of a file. Only the bytes of the part that is being filled are on this thread.

use std::cell::RefCell;

use glacier_core::ByteRange;
use glacier_core::upload::NotData;
use js_sys::{Array, ArrayBuffer, Function, Object, Reflect, Uint8Array};
use litemap::LiteMap;
use wasm_bindgen::prelude::{JsCast, JsValue};
use web_sys::Blob;

use crate::file;

/// Bytes are gathered in blocks of this size: a Blob made of millions of small pieces costs a hundred times their bytes.
const BLOCK: u32 = 1 << 20;

/// One chunk as it was written.
pub(crate) enum Chunk {
    Bytes(Uint8Array),
    Blob(Blob),
}

impl Chunk {
    /// Takes what is bytes, and refuses everything else.
    pub(crate) fn new(value: &JsValue) -> Result<Self, NotData> {
        if let Some(blob) = value.dyn_ref::<Blob>() {
            return Ok(Self::Blob(blob.clone()));
        }
        let (buffer, bytes) = match (value.dyn_ref::<Uint8Array>(), value.dyn_ref::<ArrayBuffer>()) {
            (Some(bytes), _) => (JsValue::from(bytes.buffer()), Some(bytes.clone())),
            (None, Some(buffer)) => (buffer.into(), None),
            (None, None) => return Err(NotData::Kind),
        };
        // A detached buffer has no bytes, as an empty one; but only of the empty one a view can be made.
        let constructor = Reflect::get(&js_sys::global(), &"Uint8Array".into()).unwrap_or_default();
        let constructor: Function = constructor.dyn_into().map_err(|_| NotData::Kind)?;
        let view = Reflect::construct(&constructor, &Array::of1(&buffer)).map_err(|_| NotData::Detached)?;
        Ok(Self::Bytes(bytes.unwrap_or_else(|| view.unchecked_into())))
    }

    /// Bytes in it. 0 where the buffer was handed to somebody else since.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => u64::from(bytes.length()),
            Self::Blob(blob) => file::size(blob),
        }
    }
}

/// The parts of a stream that are not yet acknowledged.
#[derive(Default)]
pub(crate) struct Intake {
    filling: RefCell<Filling>,
    full: RefCell<LiteMap<u32, Blob>>,
}

#[derive(Default)]
struct Filling {
    /// Blobs and whole blocks.
    pieces: Vec<JsValue>,
    block: Option<Uint8Array>,
    /// Bytes in `block`.
    filled: u32,
}

impl Intake {
    /// Adds these bytes of a chunk to the part that is being filled.
    pub(crate) fn take(&self, chunk: &Chunk, range: ByteRange) {
        let mut filling = self.filling.borrow_mut();
        match chunk {
            Chunk::Bytes(bytes) => filling.copy(bytes, range),
            Chunk::Blob(blob) => {
                filling.flush();
                // A slice is a handle; it fails for no range.
                filling.pieces.extend(file::slice(blob, range).map(JsValue::from));
            }
        }
    }

    /// The part that was being filled is complete.
    pub(crate) fn seal(&self, part: u32) {
        let mut filling = std::mem::take(&mut *self.filling.borrow_mut());
        filling.flush();
        let pieces: Array = filling.pieces.iter().collect();
        if let Ok(blob) = Blob::new_with_blob_sequence(&pieces) {
            self.full.borrow_mut().insert(part, blob);
        }
    }

    /// The bytes of a part. Of one that could not be made they are too few, and the worker says so.
    pub(crate) fn part(&self, part: u32, range: ByteRange) -> (Blob, ByteRange) {
        let blob = self.full.borrow().get(&part).cloned();
        let blob = blob.unwrap_or_else(|| Blob::new().unwrap_or_else(|_| Object::new().unchecked_into()));
        (blob, ByteRange::new(0, range.len()).unwrap_or(range))
    }

    pub(crate) fn drop_part(&self, part: u32) {
        self.full.borrow_mut().remove(&part);
    }

    /// The upload is over.
    pub(crate) fn clear(&self) {
        self.filling.take();
        self.full.take();
    }
}

impl Filling {
    fn copy(&mut self, bytes: &Uint8Array, range: ByteRange) {
        let (mut at, end) = (index(range.start()), index(range.end()));
        while at < end {
            let block = self.block.get_or_insert_with(|| Uint8Array::new_with_length(BLOCK));
            let now = (end - at).min(BLOCK - self.filled);
            block.set(&bytes.subarray(at, at + now), self.filled);
            self.filled += now;
            at += now;
            if self.filled == BLOCK {
                self.flush();
            }
        }
    }

    /// What the block has becomes a piece.
    fn flush(&mut self) {
        let filled = std::mem::take(&mut self.filled);
        if let Some(block) = self.block.take_if(|_| filled > 0) {
            self.pieces.push(block.subarray(0, filled).into());
        }
    }
}

/// Places in a typed array, which has less than 2^32 bytes where a browser runs 32-bit WebAssembly.
fn index(at: u64) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
