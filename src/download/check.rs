//! What an earlier visit left in a file, hashed again: files change between visits.

use std::rc::Rc;

use futures_util::StreamExt;
use futures_util::stream;
use glacier_core::download::{Checkpoint, State};
use glacier_core::tree_hash;
use wasm_bindgen::prelude::JsValue;

use super::driver::Driver;

/// Ranges being hashed at once: one is read while another is hashed, in each of a few workers.
const AT_ONCE: usize = 4;

/// Those of the ranges `claimed` whose bytes the file still has.
///
/// # Errors
/// What the browser throws where the file cannot be read at all.
pub(super) async fn found(driver: &Rc<Driver>, claimed: Checkpoint) -> Result<Checkpoint, JsValue> {
    let file = driver.sink().read().await?;
    let mut found = Checkpoint { len: claimed.len, delivered: Vec::new() };
    for (range, expected) in claimed.delivered {
        let hashes = stream::iter(Checkpoint::parts_of(range))
            .map(|part| driver.pool().hash_tree(file.clone(), part, |_| {}))
            .buffered(AT_ONCE)
            .collect::<Vec<_>>();
        // A part that cannot be read, because the file ends before it, is not as it was.
        let hashes: Result<Vec<_>, _> = hashes.await.into_iter().collect();
        if driver.state() != State::Planned {
            break;
        }
        if hashes.is_ok_and(|hashes| tree_hash::combine(&hashes) == expected) {
            found.delivered.push((range, expected));
        }
    }
    Ok(found)
}
