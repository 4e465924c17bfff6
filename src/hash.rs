//! Reading and hashing a range of a file, in a worker.
//!
//! WebCrypto hashes a 1 MiB leaf twice as fast as wasm does (950 against 500 MB per CPU second measured) and beside
//! this thread, so it is used where the page's origin is secure; elsewhere `crypto.subtle` does not exist and core's
//! hasher does the work. Both give the same digest, and a test runs every vector through both.

use std::collections::VecDeque;

use glacier_core::tree_hash::LEAF_LEN;
use glacier_core::{ByteRange, MIB, PartDigest, PartHasher, PayloadHash, TreeHasher, settings, sha256};
use js_sys::{Array, ArrayBuffer, Function, Reflect, Uint8Array};
use wasm_bindgen::prelude::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, MessageChannel, SubtleCrypto};

use crate::file::{self, ReadError};
use crate::{clock, json};

/// Bytes read at a time where a part is not kept in memory. Small reads are bound by their number: 292 MB/s in pieces
/// of 1 MiB, 930 in pieces of 8 (measured in Chromium).
const WINDOW: u64 = 8 * MIB;

/// Leaves of one part with WebCrypto at once: it copies each. One keeps Chromium busy, Firefox wants two.
pub(crate) const LEAVES_AT_ONCE: usize = 3;

/// WebCrypto, where the origin is secure.
pub(crate) fn subtle() -> Option<SubtleCrypto> {
    let subtle = clock::scope().crypto().ok()?.subtle();
    (!subtle.is_undefined()).then_some(subtle)
}

/// Reads the whole range into memory, into `spare` if there is one, and hashes it. The buffer is returned so that the very
/// bytes that were hashed are the bytes that are sent.
pub(crate) async fn resident(
    blob: &Blob,
    range: ByteRange,
    spare: Option<ArrayBuffer>,
    progress: impl FnMut(u64),
) -> Result<(PartDigest, ArrayBuffer), ReadError> {
    let buffer = match spare {
        Some(spare) => file::read_into(blob, range, spare).await?,
        None => file::read(blob, range).await?,
    };
    let digest = match subtle() {
        Some(subtle) => by_web_crypto(&subtle, &buffer, progress).await?,
        None => by_core(&buffer, progress),
    };
    Ok((digest, buffer))
}

/// A buffer of zeros.
///
/// # Errors
/// What the browser throws where it has no memory.
pub(crate) fn allocate(len: u64) -> Result<ArrayBuffer, JsValue> {
    // The constructor that js-sys has does not catch what it throws.
    let class: Function = json::get(&clock::scope(), "ArrayBuffer").unchecked_into();
    Reflect::construct(&class, &Array::of1(&file::number(len).into())).map(JsCast::unchecked_into)
}

/// Has the garbage collector count the copy of a body that was sent, which it would keep without knowing of its size: by a
/// buffer that goes with it. Nothing is ever written to that, so no memory is behind it. In Chromium two workers that had sent
/// 512 MiB held 660 MiB without, and 246 with it.
pub(crate) fn count_in(body_len: u64) {
    // Without memory for it there is none to be saved either.
    let _ = allocate(settings::ballast(body_len));
}

/// Gives a part's memory back now. A buffer that is only dropped waits for the garbage collector, and hundreds of MiB
/// gather meanwhile; one that is posted to a closed port goes with the message. (`transfer(0)` detaches it too, but
/// Chromium then keeps the memory and no longer knows that it should collect it: 4 GiB for a file of 2.)
pub(crate) fn free(buffer: &ArrayBuffer) {
    if let Ok(channel) = MessageChannel::new() {
        channel.port2().close();
        // Fails only for a buffer that is gone already.
        let _ = channel.port1().post_message_with_transferable(&JsValue::NULL, &Array::of1(buffer));
        channel.port1().close();
    }
}

/// Hashes the range in bounded steps and keeps nothing. For parts over the memory budget, up to 4 GiB.
pub(crate) async fn streamed(
    blob: &Blob,
    range: ByteRange,
    mut progress: impl FnMut(u64),
) -> Result<PartDigest, ReadError> {
    let mut hasher = PartHasher::new();
    let mut next = window(range, range.start()).map(|window| file::read(blob, window));
    let mut at = range.start();
    while let Some(reading) = next {
        let buffer = reading.await?;
        at += u64::from(buffer.byte_length());
        next = window(range, at).map(|window| file::read(blob, window));
        update(&mut hasher, &buffer);
        free(&buffer);
        progress(hasher.len());
    }
    Ok(hasher.finish())
}

/// The tree hash of a range alone, for telling a file by its content: half the work. The payload hash in the result is
/// that of no bytes.
pub(crate) async fn tree(
    blob: &Blob,
    range: ByteRange,
    mut progress: impl FnMut(u64),
) -> Result<PartDigest, ReadError> {
    let subtle = subtle();
    let mut tree = TreeHasher::new();
    let mut at = range.start();
    while let Some(window) = window(range, at) {
        let buffer = file::read(blob, window).await?;
        at = window.end();
        match &subtle {
            Some(subtle) => push_leaves(subtle, &buffer, &mut tree, &mut progress).await?,
            None => {
                for leaf in leaves(&buffer) {
                    tree.update(&leaf.to_vec());
                }
                progress(tree.len());
            }
        }
        free(&buffer);
    }
    Ok(PartDigest { payload_hash: PayloadHash::of(&[]), tree_hash: tree.finish() })
}

fn window(range: ByteRange, at: u64) -> Option<ByteRange> {
    ByteRange::new(at, range.end().min(at + WINDOW))
}

fn by_core(buffer: &ArrayBuffer, mut progress: impl FnMut(u64)) -> PartDigest {
    let mut hasher = PartHasher::new();
    update(&mut hasher, buffer);
    progress(hasher.len());
    hasher.finish()
}

/// Feeds a JavaScript buffer to the hasher, a copy of a leaf at a time: wasm cannot see outside its memory.
fn update(hasher: &mut PartHasher, buffer: &ArrayBuffer) {
    for leaf in leaves(buffer) {
        hasher.update(&leaf.to_vec());
    }
}

/// The leaves of a part that starts on a leaf's border, as views without copies.
fn leaves(buffer: &ArrayBuffer) -> impl Iterator<Item = Uint8Array> {
    let len = buffer.byte_length();
    (0..len)
        .step_by(LEAF_LEN)
        .map(move |start| Uint8Array::new_with_byte_offset_and_length(buffer, start, (len - start).min(1 << 20)))
}

async fn by_web_crypto(
    subtle: &SubtleCrypto,
    buffer: &ArrayBuffer,
    mut progress: impl FnMut(u64),
) -> Result<PartDigest, ReadError> {
    // Started before the leaves are: the browser hashes both beside this thread.
    let payload = digest(subtle, buffer)?;
    let mut tree = TreeHasher::new();
    push_leaves(subtle, buffer, &mut tree, &mut progress).await?;
    let payload_hash = PayloadHash::from_bytes(bytes(JsFuture::from(payload).await)?);
    Ok(PartDigest { payload_hash, tree_hash: tree.finish() })
}

async fn push_leaves(
    subtle: &SubtleCrypto,
    buffer: &ArrayBuffer,
    tree: &mut TreeHasher,
    progress: &mut impl FnMut(u64),
) -> Result<(), ReadError> {
    let mut views = leaves(buffer);
    let mut started = VecDeque::new();
    loop {
        while started.len() < LEAVES_AT_ONCE {
            let Some(leaf) = views.next() else { break };
            started.push_back((digest(subtle, &leaf)?, leaf.length()));
        }
        let Some((hash, len)) = started.pop_front() else { return Ok(()) };
        tree.push_leaf(bytes(JsFuture::from(hash).await)?, len);
        progress(tree.len());
    }
}

pub(crate) fn digest(subtle: &SubtleCrypto, data: &js_sys::Object) -> Result<js_sys::Promise, ReadError> {
    subtle.digest_with_str_and_buffer_source(sha256::NAME, data).map_err(ReadError::Browser)
}

pub(crate) fn bytes(digest: Result<JsValue, JsValue>) -> Result<[u8; 32], ReadError> {
    let view = Uint8Array::new(&digest.map_err(ReadError::Browser)?);
    let mut bytes = [0; 32];
    if view.length() != 32 {
        return Err(ReadError::Length);
    }
    view.copy_to(&mut bytes);
    Ok(bytes)
}
