//! The sink behind a page's `ArchiveWriter`: what the standard asks of one, answered by the upload's machine.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use glacier_core::ByteRange;
use glacier_core::upload::{Event, NotData, State};
use wasm_bindgen::prelude::{JsCast, JsValue};
use web_sys::{AbortSignal, WritableStreamDefaultController};

use crate::intake::Chunk;
use crate::upload::Upload;
use crate::{error, json};

/// One stream on its way into one archive.
pub(crate) struct Stream {
    pub(crate) upload: Rc<Upload>,
    controller: RefCell<Option<WritableStreamDefaultController>>,
    /// Writes and closes that wait for the machine to move.
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
    /// The stream was told that it failed.
    told: Cell<bool>,
}

impl Stream {
    pub(crate) fn new(upload: Rc<Upload>) -> Rc<Self> {
        Rc::new(Self { upload, controller: RefCell::default(), waiting: RefCell::default(), told: Cell::new(false) })
    }

    /// The stream exists. Its own signal says that it is aborted while a write waits: `abort` of the sink is called
    /// only when that write has ended, which it might never do by itself.
    pub(crate) fn start(&self, controller: WritableStreamDefaultController) {
        if let Some(signal) = signal_of(&controller) {
            self.upload.follow(signal);
        }
        *self.controller.borrow_mut() = Some(controller);
        self.tell();
    }

    /// Takes a chunk, as there is room.
    pub(crate) async fn write(self: Rc<Self>, value: JsValue) -> Result<JsValue, JsValue> {
        let driver = &self.upload.driver;
        let chunk = match Chunk::new(&value) {
            Ok(chunk) => chunk,
            Err(why) => {
                driver.feed(Event::NotData(why));
                return self.end().await;
            }
        };
        let (mut at, len) = (0, chunk.len());
        loop {
            // Also after the last byte: it may have been one too many.
            let Some(intake) = driver.with_machine(|machine| machine.intake()) else {
                return self.end().await;
            };
            if at == len {
                return Ok(JsValue::UNDEFINED);
            }
            if chunk.len() != len {
                driver.feed(Event::NotData(NotData::Detached));
                continue;
            }
            let Some(range) = ByteRange::new(at, at + intake.room.min(len - at)) else {
                self.changed().await;
                continue;
            };
            if let Some(parts) = driver.intake() {
                parts.take(&chunk, range);
                if range.len() == intake.missing {
                    parts.seal(intake.part);
                }
            }
            at = range.end();
            let bytes = driver.with_machine(|machine| machine.bytes_written()) + range.len();
            driver.feed(Event::Written { bytes });
        }
    }

    /// Nothing more comes: resolves when the archive exists.
    pub(crate) async fn close(self: Rc<Self>) -> Result<JsValue, JsValue> {
        let driver = &self.upload.driver;
        if let (Some(last), Some(parts)) = (driver.with_machine(|machine| machine.intake()), driver.intake()) {
            parts.seal(last.part);
        }
        driver.feed(Event::Ended);
        self.end().await
    }

    /// Waits until the upload is over, however long it is paused or failed with something that may pass.
    async fn end(&self) -> Result<JsValue, JsValue> {
        loop {
            match self.upload.driver.state() {
                State::Done(_) => return Ok(JsValue::UNDEFINED),
                State::Failed(error) if !error.retryable => return Err(self.upload.error()),
                State::Aborted => return Err(error::aborted("upload")),
                _ => self.changed().await,
            }
        }
    }

    async fn changed(&self) {
        let (sender, receiver) = oneshot::channel();
        self.waiting.borrow_mut().push(sender);
        // The sender is dropped only together with the stream.
        let _ = receiver.await;
    }

    /// After every change of the upload.
    pub(crate) fn wake(&self) {
        self.tell();
        for waiting in self.waiting.take() {
            // Nobody waits any more where the stream was dropped.
            let _ = waiting.send(());
        }
    }

    /// Errors the stream where the upload came to a bad end, so that its writer hears of it without writing.
    fn tell(&self) {
        let error = match self.upload.driver.state() {
            State::Failed(error) if !error.retryable => self.upload.error(),
            State::Aborted => error::aborted("upload"),
            _ => return,
        };
        if let Some(parts) = self.upload.driver.intake() {
            parts.clear();
        }
        let Some(controller) = self.controller.borrow().clone() else { return };
        if !self.told.replace(true) {
            // A stream that is being aborted gives its writer the reason that it was given itself.
            if !signal_of(&controller).is_some_and(|signal| signal.aborted()) {
                controller.error_with_e(&error);
            }
        }
    }
}

/// The stream's own signal. Browsers had streams before they had it.
fn signal_of(controller: &WritableStreamDefaultController) -> Option<AbortSignal> {
    json::get(controller, "signal").dyn_into().ok()
}
