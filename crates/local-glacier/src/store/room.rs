//! How much of the file system bodies may fill.
//!
//! A database that cannot write can neither complete an upload nor forget one. So bytes are refused while there is still
//! room for metadata, and counted before they arrive: parts that come side by side would otherwise each find room.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::statvfs;

use super::Failure;
use super::failure::while_doing;

/// Bytes of the file system that stay free for metadata, unless set otherwise.
pub const MIN_FREE: u64 = 64 << 20;

/// The room for bodies. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    min_free: AtomicU64,
    /// Bytes that were announced and are not written yet.
    pledged: AtomicU64,
}

/// Room for bytes that are about to arrive. What was not used is given back.
#[derive(Debug)]
pub(super) struct Pledge {
    room: Room,
    left: u64,
}

impl Room {
    pub(super) fn in_folder(folder: PathBuf) -> Self {
        Self(Arc::new(Shared { folder, min_free: AtomicU64::new(MIN_FREE), pledged: AtomicU64::new(0) }))
    }

    pub(super) fn keep_free(&self, bytes: u64) {
        self.0.min_free.store(bytes, Ordering::Relaxed);
    }

    /// Room for that many bytes beyond all that was pledged before, or [`Failure::Full`].
    pub(super) fn pledge(&self, len: u64) -> Result<Pledge, Failure> {
        let pledge = Pledge { room: self.clone(), left: len };
        let pledged = self.0.pledged.fetch_add(len, Ordering::AcqRel).saturating_add(len);
        let system = statvfs(&self.0.folder).map_err(|error| while_doing("asking for free space")(error.into()))?;
        let free = system.f_bavail.saturating_mul(system.f_frsize);
        let needed = self.0.min_free.load(Ordering::Relaxed).saturating_add(pledged);
        if free < needed { Err(Failure::Full) } else { Ok(pledge) }
    }
}

impl Pledge {
    /// That many bytes were written, and the file system counts them from now on.
    pub(super) fn spend(&mut self, len: u64) {
        let spent = len.min(self.left);
        self.left -= spent;
        self.room.0.pledged.fetch_sub(spent, Ordering::AcqRel);
    }
}

impl Drop for Pledge {
    fn drop(&mut self) {
        self.spend(self.left);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const EXABYTE: u64 = 1 << 60;

    #[test]
    fn what_was_pledged_counts_until_it_is_written_or_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::in_folder(folder.path().to_owned());
        room.keep_free(0);
        assert!(matches!(room.pledge(EXABYTE), Err(Failure::Full)));
        let mut first = room.pledge(1000).unwrap();
        first.spend(400);
        let second = room.pledge(10).unwrap();
        assert_eq!(room.0.pledged.load(Ordering::Relaxed), 610);
        drop(first);
        assert_eq!(room.0.pledged.load(Ordering::Relaxed), 10);
        drop(second);
        assert_eq!(room.0.pledged.load(Ordering::Relaxed), 0, "what was refused is not pledged either");
    }

    #[test]
    fn nothing_is_taken_where_less_is_free_than_is_to_stay_so() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::in_folder(folder.path().to_owned());
        room.keep_free(EXABYTE);
        assert!(matches!(room.pledge(1), Err(Failure::Full)));
        room.keep_free(0);
        room.pledge(1).unwrap();
    }
}
