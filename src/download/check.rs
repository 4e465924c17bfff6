//! What an earlier visit left in a file, hashed again: files change between visits.

use std::collections::VecDeque;
use std::rc::Rc;

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
pub(super) async fn found(driver: &Rc<Driver>, mut claimed: Checkpoint) -> Result<Checkpoint, JsValue> {
    let file = driver.sink().read().await?;
    let delivered = std::mem::take(&mut claimed.delivered);
    let mut found = claimed;
    for (range, expected) in delivered {
        let mut parts = Checkpoint::parts_of(range);
        let mut under_way = VecDeque::new();
        let mut hashes = Vec::new();
        loop {
            while under_way.len() < AT_ONCE {
                let Some(part) = parts.next() else { break };
                under_way.push_back(driver.pool().hash_tree(file.clone(), part, |_| {}));
            }
            let Some(hash) = under_way.pop_front() else { break };
            hashes.push(hash.end().await);
        }
        // A part that cannot be read, because the file ends before it, is not as it was.
        let hashes: Result<Vec<_>, _> = hashes.into_iter().collect();
        if driver.state() != State::Planned {
            break;
        }
        if hashes.is_ok_and(|hashes| tree_hash::combine(&hashes) == expected) {
            found.delivered.push((range, expected));
        }
    }
    Ok(found)
}
