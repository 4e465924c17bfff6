//! The data folder: bytes under names of our own making, and the order of writes that makes them durable.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::failure::{Health, while_doing};
use super::incoming::{Incoming, Segment};
use super::room::Room;
use super::{Failure, OpenError, ids};

#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    files: PathBuf,
    incoming: PathBuf,
    health: Health,
    pub(super) room: Room,
    /// Held as long as the store is open.
    _lock: File,
}

impl Folder {
    pub(super) fn open(root: &Path, health: Health) -> Result<Self, OpenError> {
        let (files, incoming) = (root.join("files"), root.join("incoming"));
        make_private_folder(root)?;
        let lock = lock(root)?;
        for folder in [&files, &incoming] {
            make_private_folder(folder)?;
            // A link could lead the bytes out of the data folder.
            if !fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir()) {
                return Err(OpenError::NotAFolder { path: folder.clone() });
            }
        }
        let room = Room::in_folder(root.to_owned());
        Ok(Self { root: root.to_owned(), files, incoming, health, room, _lock: lock })
    }

    /// Makes the folder's own entries durable.
    pub(super) fn sync(&self) -> Result<(), OpenError> {
        let synced = File::open(&self.root).and_then(|folder| folder.sync_all());
        synced.map_err(|reason| OpenError::Folder { path: self.root.clone(), reason })
    }

    /// Removes what an interrupted process left: everything still arriving, and files that no metadata names.
    pub(super) fn sweep(&self, known: &HashSet<String>) -> Result<(), OpenError> {
        let nothing = HashSet::new();
        for (folder, keep) in [(&self.incoming, &nothing), (&self.files, known)] {
            let failed = |reason| OpenError::Folder { path: folder.clone(), reason };
            for entry in fs::read_dir(folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                if !entry.file_name().to_str().is_some_and(|name| keep.contains(name)) {
                    remove(&entry.path()).map_err(failed)?;
                }
            }
        }
        Ok(())
    }

    /// A new file for so many bytes that are about to arrive.
    pub(super) fn incoming_of(&self, len: u64) -> Result<Incoming, Failure> {
        let pledge = self.room.pledge(len)?;
        Ok(self.incoming()?.pledged(pledge))
    }

    /// A new file for bytes of our own making.
    pub(super) fn incoming(&self) -> Result<Incoming, Failure> {
        self.health.check()?;
        let name = ids::file_name()?;
        let path = self.incoming.join(&name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        Ok(Incoming::new(file.map_err(while_doing("creating a file"))?, name, RemoveOnDrop::new(path)))
    }

    /// Makes the bytes durable under their final name. They are removed again unless the metadata is committed.
    pub(super) fn keep(&self, incoming: Incoming) -> Result<StoredFile, Failure> {
        self.health.check()?;
        let (file, segment, mut guard) = incoming.into_parts();
        match file.sync_all().map_err(while_doing("flushing a file")) {
            // This file is lost and goes; no other was promised anything.
            Err(Failure::Full) => return Err(Failure::Full),
            flushed => self.flushed(flushed)?,
        }
        let path = self.files.join(&segment.file);
        guard.rename_to(path).map_err(while_doing("renaming a file"))?;
        let folder = File::open(&self.files).map_err(while_doing("opening the folder of files"))?;
        self.flushed(folder.sync_all().map_err(while_doing("flushing the folder of files")))?;
        Ok(StoredFile { segment, guard })
    }

    /// The removal of files that no metadata names any more. May outlive the folder: names are never used again.
    pub(super) fn removal(&self, names: Vec<String>) -> Removal {
        Removal { files: self.files.clone(), names }
    }

    /// Where a file of the metadata is.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.files.join(name)
    }

    /// As if a flush had failed, which cannot be had from a healthy disk.
    #[cfg(test)]
    pub(super) fn poison_for_test(&self) {
        self.health.poison(&Failure::Poisoned);
    }

    fn flushed(&self, outcome: Result<(), Failure>) -> Result<(), Failure> {
        if let Err(failure) = &outcome {
            self.health.poison(failure);
        }
        outcome
    }
}

fn make_private_folder(path: &Path) -> Result<(), OpenError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    let private = made.and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o700)));
    private.map_err(|reason| OpenError::Folder { path: path.to_owned(), reason })
}

fn lock(root: &Path) -> Result<File, OpenError> {
    let path = root.join("lock");
    let failed = |reason| OpenError::Folder { path: path.clone(), reason };
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { data: root.to_owned() }),
        Err(TryLockError::Error(reason)) => Err(failed(reason)),
    }
}

/// Files to be removed.
#[derive(Debug)]
pub(super) struct Removal {
    files: PathBuf,
    names: Vec<String>,
}

impl Removal {
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn run(self) {
        for name in &self.names {
            if let Err(error) = remove(&self.files.join(name)) {
                tracing::warn!(%error, file = name, "a file without an archive could not be removed");
            }
        }
    }
}

/// Removes a file that somebody else may have removed at the same time.
fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// A file under its final name whose metadata is not committed yet.
#[derive(Debug)]
pub(super) struct StoredFile {
    pub(super) segment: Segment,
    guard: RemoveOnDrop,
}

impl StoredFile {
    /// The metadata that names the file is durable.
    pub(super) fn committed(mut self) {
        self.guard.path = None;
    }
}

/// Removes a file unless told that it is to stay.
#[derive(Debug)]
pub(super) struct RemoveOnDrop {
    path: Option<PathBuf>,
}

impl RemoveOnDrop {
    fn new(path: PathBuf) -> Self {
        Self { path: Some(path) }
    }

    fn rename_to(&mut self, to: PathBuf) -> std::io::Result<()> {
        if let Some(from) = &self.path {
            fs::rename(from, &to)?;
            self.path = Some(to);
        }
        Ok(())
    }
}

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        if let Some(path) = &self.path
            && let Err(error) = fs::remove_file(path)
        {
            tracing::warn!(%error, "a file that was not kept could not be removed; opening the store again removes it");
        }
    }
}
