//! Files and the numbers JavaScript measures them in. The only place where `f64` and `u64` meet.

use glacier_core::ByteRange;
use glacier_core::upload::FileIdentity;
use js_sys::{ArrayBuffer, Function, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, ReadableStreamDefaultReader};

use crate::{hash, json};

/// Largest whole number an `f64` holds exactly. Archives end far below it (2^45.3 bytes).
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// A number from JavaScript as a whole one: the fraction is dropped, what is negative or not a number is 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what both types hold exactly")]
pub(crate) fn whole(number: f64) -> u64 {
    number.clamp(0.0, MAX_EXACT) as u64
}

/// A number from JavaScript that must be whole, not negative and exact.
pub(crate) fn exact(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && (0.0..=MAX_EXACT).contains(&number)).then(|| whole(number))
}

/// A count of bytes for JavaScript.
#[expect(clippy::cast_precision_loss, reason = "byte counts stay below 2^53")]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

/// A count that may be larger than a number of JavaScript holds exactly, and is a `bigint` then.
pub(crate) fn count(count: u64) -> JsValue {
    if count < 1 << 53 { number(count).into() } else { count.into() }
}

/// The size of a file.
pub(crate) fn size(blob: &Blob) -> u64 {
    whole(blob.size())
}

/// What a file is known by. A blob that is no file is known by nothing.
pub(crate) fn identity(blob: &Blob) -> Option<FileIdentity> {
    let file: &File = blob.dyn_ref()?;
    Some(FileIdentity { name: file.name(), size: size(blob), last_modified: whole(file.last_modified()) })
}

/// The slice of a file, a handle without bytes.
pub(crate) fn slice(blob: &Blob, range: ByteRange) -> Result<Blob, JsValue> {
    blob.slice_with_f64_and_f64(number(range.start()), number(range.end()))
}

/// Why a slice could not be read.
pub(crate) enum ReadError {
    /// Fewer or more bytes than asked for. Firefox reads a truncated file as nothing, without an error.
    Length,
    /// The browser's own error: `NotReadableError` where the file changed on disk, `NotFoundError` where it is gone.
    Browser(JsValue),
}

/// Reads a range of a file.
pub(crate) async fn read(blob: &Blob, range: ByteRange) -> Result<ArrayBuffer, ReadError> {
    let slice = slice(blob, range).map_err(ReadError::Browser)?;
    let buffer = JsFuture::from(slice.array_buffer()).await.map_err(ReadError::Browser)?;
    let buffer: ArrayBuffer = buffer.unchecked_into();
    if u64::from(buffer.byte_length()) == range.len() { Ok(buffer) } else { Err(ReadError::Length) }
}

/// Reads a range of a file into a buffer of its length, whose bytes are not needed any more. Memory that is used again is not
/// paid for again: in Chromium, `arrayBuffer()` spends a fifth of its processor time on pages that are new.
pub(crate) async fn read_into(blob: &Blob, range: ByteRange, buffer: ArrayBuffer) -> Result<ArrayBuffer, ReadError> {
    let slice = slice(blob, range).map_err(ReadError::Browser)?;
    let Some((reader, into)) = byob_reader(&slice) else {
        hash::free(&buffer);
        return read(blob, range).await;
    };
    match stream_into(&reader, &into, buffer).await {
        Some(buffer) if u64::from(buffer.byte_length()) == range.len() => Ok(buffer),
        // Streams say less about what is wrong.
        _ => read(blob, range).await,
    }
}

/// The buffer, if it was filled to its end.
async fn stream_into(
    reader: &ReadableStreamDefaultReader,
    read: &Function,
    mut buffer: ArrayBuffer,
) -> Option<ArrayBuffer> {
    let len = buffer.byte_length();
    let mut at = 0;
    while at < len {
        let rest = Uint8Array::new_with_byte_offset_and_length(&buffer, at, len - at);
        let reading: Promise = read.call1(reader, &rest).ok()?.unchecked_into();
        let chunk = JsFuture::from(reading).await.ok()?;
        // Every read takes the buffer away and gives it back as another object.
        let filled: Uint8Array = json::get(&chunk, "value").dyn_into().ok()?;
        if filled.length() == 0 {
            return None;
        }
        at += filled.length();
        buffer = filled.buffer();
    }
    // Its end is known, and would otherwise be waited for.
    let _ = JsFuture::from(reader.cancel()).await;
    Some(buffer)
}

/// A reader that fills buffers it is given, and its `read`: by name, because a browser that knows none throws, and because
/// bindings of its own would be glue on the page's thread.
fn byob_reader(blob: &Blob) -> Option<(ReadableStreamDefaultReader, Function)> {
    let options = Object::new();
    json::set(&options, "mode", &"byob".into());
    let stream = blob.stream();
    let get_reader: Function = json::get(&stream, "getReader").dyn_into().ok()?;
    let reader = get_reader.call1(&stream, &options).ok()?;
    let read = json::get(&reader, "read").dyn_into().ok()?;
    Some((reader.unchecked_into(), read))
}
