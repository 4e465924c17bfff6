//! Streams as JavaScript sees them.

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use web_sys::WritableStreamDefaultController;

use super::uploads::Upload;
use crate::{file, stream, task};

#[wasm_bindgen(raw_module = "./stream.js")]
extern "C" {
    /// The class pages have. Defined in JavaScript, because a class of Rust cannot extend `WritableStream`.
    pub type ArchiveWriter;

    #[wasm_bindgen(constructor)]
    pub(super) fn new(sink: ArchiveSink) -> ArchiveWriter;
}

/// What an `ArchiveWriter` writes into: the standard's underlying sink.
#[wasm_bindgen(skip_typescript)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct ArchiveSink {
    stream: Rc<stream::Stream>,
}

impl ArchiveSink {
    pub(super) const fn new(stream: Rc<stream::Stream>) -> Self {
        Self { stream }
    }
}

#[wasm_bindgen]
impl ArchiveSink {
    /// The upload that the bytes go into.
    #[wasm_bindgen(getter)]
    pub fn upload(&self) -> Upload {
        Upload::new(Rc::clone(&self.stream.upload))
    }

    /// Bytes taken so far.
    #[wasm_bindgen(getter, js_name = bytesWritten)]
    pub fn bytes_written(&self) -> f64 {
        file::number(self.stream.upload.driver.with_machine(|machine| machine.bytes_written()))
    }

    /// Tree hash so far, or `null`.
    #[wasm_bindgen(getter, js_name = currentTreeHash)]
    pub fn current_tree_hash(&self) -> JsValue {
        let hash = self.stream.upload.driver.with_machine(|machine| machine.current_tree_hash());
        hash.map_or(JsValue::NULL, |hash| hash.to_string().into())
    }

    /// The stream exists.
    pub fn start(&self, controller: WritableStreamDefaultController) {
        self.stream.start(controller);
    }

    /// A chunk was written.
    pub fn write(&self, chunk: JsValue) -> Promise {
        task::promise(Rc::clone(&self.stream).write(chunk))
    }

    /// The last chunk was written.
    pub fn close(&self) -> Promise {
        task::promise(Rc::clone(&self.stream).close())
    }

    /// The writer, or the source that is piped, gave up.
    pub fn abort(&self) -> Promise {
        self.stream.upload.abort()
    }
}
