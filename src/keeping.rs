//! The record of one upload, while it runs.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use glacier_core::upload::{Journal as Position, Record};

use crate::clock;
use crate::journal::{self, Journal};
use crate::lock::{self, Lock};

/// One record, and the right to write it.
pub(crate) struct Kept {
    journal: Rc<Journal>,
    record: RefCell<Record>,
    lock: RefCell<Option<Lock>>,
    is_saved: Cell<bool>,
}

/// Why a record cannot be had.
pub(crate) enum NotHad {
    /// Somebody goes on with the upload.
    InUse,
    /// There is none any more.
    Gone,
}

impl Kept {
    /// Takes possession of a record that is there.
    pub(crate) async fn take(journal: Rc<Journal>, record: &Record) -> Result<Self, NotHad> {
        let lock = lock::take(lock_name(record)).await.ok_or(NotHad::InUse)?;
        // Whoever had the lock may have gone on with it, or ended it.
        let record = journal.current(record).await.ok_or(NotHad::Gone)?;
        Ok(Self { journal, record: record.into(), lock: Some(lock).into(), is_saved: true.into() })
    }

    /// As of the last visit, or this one.
    pub(crate) fn position(&self) -> Position {
        self.record.borrow().journal.clone()
    }

    /// Whether there is a record on the disk.
    pub(crate) fn is_saved(&self) -> bool {
        self.is_saved.get()
    }

    /// Writes how far the upload is; `false` where that could not be done. Of one that is not begun at the store there is
    /// nothing to go on with, and no record; an object in one request is begun when it is sent.
    pub(crate) async fn save(&self, position: Position) -> bool {
        if !position.is_begun() {
            self.forget().await;
            return true;
        }
        let entry = {
            let mut record = self.record.borrow_mut();
            (record.journal, record.saved_at) = (position, clock::wall_ms());
            journal::entry(&record)
        };
        let is_saved = self.journal.put(entry).await;
        // One that could not be replaced is still good.
        self.is_saved.set(self.is_saved.get() || is_saved);
        is_saved
    }

    /// Removes the record.
    pub(crate) async fn forget(&self) {
        self.is_saved.set(false);
        let key = journal::key(&self.record.borrow());
        // What could not be removed does no harm: it is found out at the store.
        self.journal.delete(key).await;
    }

    /// Lets others go on with it.
    pub(crate) fn release(&self) {
        self.lock.borrow_mut().take();
    }
}

/// What is looked for before a file is sent.
pub(crate) struct Search {
    pub(crate) journal: Rc<Journal>,
    /// As it would be of a new upload.
    pub(crate) record: Record,
    /// Whether an upload of the same file is gone on with.
    pub(crate) resume: bool,
}

impl Search {
    /// The record of an upload of the same file, or a new one. `None` where none can be kept.
    pub(crate) async fn find(self) -> Option<Kept> {
        let Self { journal, mut record, resume } = self;
        // Also where it is not wanted: it tells whether anything can be kept at all.
        let earlier = journal.alike(&record).await.ok()?;
        for one in earlier.iter().rev().filter(|_| resume) {
            if let Ok(kept) = Kept::take(Rc::clone(&journal), one).await {
                return Some(kept);
            }
        }
        record.id = [clock::jitter().of(1 << 52).to_string(), clock::jitter().of(1 << 52).to_string()].join("-");
        let lock = lock::take(lock_name(&record)).await;
        Some(Kept { journal, record: record.into(), lock: lock.into(), is_saved: false.into() })
    }
}

/// Of the lock that goes with a record.
pub(crate) fn lock_name(record: &Record) -> String {
    ["glacier-upload:", &record.id].concat()
}
