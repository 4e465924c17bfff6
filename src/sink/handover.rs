//! A download that is read here, in order and no faster than it is asked for.

use std::cell::{Cell, RefCell};

use futures_channel::oneshot::{self, Receiver, Sender};
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::JsValue;

use crate::hash;

/// Most bytes that are taken at once: what is made of them keeps a page busy for a moment only.
const STEP: u32 = 64 << 10;

/// Between a download that writes and somebody who reads.
#[derive(Default)]
pub(crate) struct Handover {
    /// In order there is never more than one.
    piece: RefCell<Option<Piece>>,
    waiting: RefCell<Option<Sender<()>>>,
    is_closed: Cell<bool>,
}

struct Piece {
    bytes: ArrayBuffer,
    /// How many of them are taken.
    taken: u32,
    /// Told when all of them are.
    done: Sender<()>,
}

impl Handover {
    /// Waits until all of it is taken.
    pub(super) async fn write(&self, bytes: ArrayBuffer) -> Result<(), JsValue> {
        let (done, all_taken) = oneshot::channel();
        *self.piece.borrow_mut() = Some(Piece { bytes, taken: 0, done });
        self.wake();
        all_taken.await.map_err(|_| JsValue::UNDEFINED)
    }

    pub(super) fn close(&self) {
        self.is_closed.set(true);
        self.wake();
    }

    pub(super) fn clear(&self) {
        if let Some(piece) = self.piece.take() {
            hash::free(&piece.bytes);
        }
        self.wake();
    }

    /// The next bytes, if some are there.
    pub(crate) fn take(&self) -> Option<Vec<u8>> {
        let mut slot = self.piece.borrow_mut();
        let piece = slot.as_mut()?;
        let step = STEP.min(piece.bytes.byte_length() - piece.taken);
        let bytes = Uint8Array::new_with_byte_offset_and_length(&piece.bytes, piece.taken, step).to_vec();
        piece.taken += step;
        if piece.taken == piece.bytes.byte_length()
            && let Some(piece) = slot.take()
        {
            hash::free(&piece.bytes);
            // Nobody waits for that where the download was given up.
            let _ = piece.done.send(());
        }
        Some(bytes)
    }

    /// Whether everything was written, and well.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.get()
    }

    /// Comes when something has changed since this call.
    pub(crate) fn changed(&self) -> Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        *self.waiting.borrow_mut() = Some(sender);
        receiver
    }

    /// Something has changed.
    pub(crate) fn wake(&self) {
        if let Some(waiting) = self.waiting.take() {
            let _ = waiting.send(());
        }
    }
}
