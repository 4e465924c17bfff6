//! A download into a `WritableStream`.

use glacier_core::ByteRange;
use js_sys::{ArrayBuffer, Object, Uint8Array};
use wasm_bindgen::prelude::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{WritableStream, WritableStreamDefaultWriter};

use crate::json::set;
use crate::task;
use crate::{file, hash};

/// A stream that is written to by nobody else.
pub(crate) struct StreamSink {
    writer: WritableStreamDefaultWriter,
    /// A file's stream, which takes bytes at any offset.
    at_any_position: bool,
}

impl StreamSink {
    pub(super) fn in_order(stream: &JsValue) -> Result<Self, JsValue> {
        Ok(Self { writer: writer(stream)?, at_any_position: false })
    }

    pub(super) fn at_any_position(stream: &JsValue) -> Result<Self, JsValue> {
        Ok(Self { writer: writer(stream)?, at_any_position: true })
    }

    /// Waits until the stream wants more and has taken this.
    pub(super) async fn write(&self, range: ByteRange, bytes: ArrayBuffer) -> Result<(), JsValue> {
        JsFuture::from(self.writer.ready()).await?;
        if !self.at_any_position {
            // The bytes are the consumer's from here on.
            return JsFuture::from(self.writer.write_with_chunk(&Uint8Array::new(&bytes))).await.map(drop);
        }
        let command = Object::new();
        set(&command, "type", &"write".into());
        set(&command, "position", &file::number(range.start()).into());
        set(&command, "data", &bytes);
        let written = JsFuture::from(self.writer.write_with_chunk(&command)).await;
        hash::free(&bytes);
        written.map(drop)
    }

    /// Closes it; a file is cut off after `len` bytes before.
    pub(super) async fn close(&self, len: u64) -> Result<(), JsValue> {
        if self.at_any_position {
            let command = Object::new();
            set(&command, "type", &"truncate".into());
            set(&command, "size", &file::number(len).into());
            JsFuture::from(self.writer.write_with_chunk(&command)).await?;
        }
        self.close_as_it_is().await
    }

    pub(super) async fn close_as_it_is(&self) -> Result<(), JsValue> {
        JsFuture::from(self.writer.close()).await.map(drop)
    }

    /// Aborts it. Nobody waits for the end of that, because a stream that is stuck has none.
    pub(super) fn abort(&self, reason: &JsValue) {
        let aborting = JsFuture::from(self.writer.abort_with_reason(reason));
        task::spawn(async move {
            let _ = aborting.await;
        });
    }
}

fn writer(stream: &JsValue) -> Result<WritableStreamDefaultWriter, JsValue> {
    stream.unchecked_ref::<WritableStream>().get_writer()
}
