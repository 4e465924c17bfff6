//! Why the store did not do as asked, and whether it may still be trusted.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use glacier_core::TreeHash;

/// An answer of the store other than success.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// No vault of that name.
    VaultNotFound,
    /// The vault holds archives, or parts of uploads in progress.
    VaultNotEmpty,
    /// The account has [`MAX_VAULTS`](super::MAX_VAULTS) already.
    TooManyVaults,
    /// The vault has as many uploads in progress as it may.
    TooManyUploads,
    /// No such upload in that vault: never begun, completed, aborted or expired.
    UploadNotFound,
    /// Fewer bytes arrived than were announced.
    BodyIncomplete,
    /// The plain SHA-256 of the bytes is not the one that was signed.
    PayloadHashMismatch {
        /// In hexadecimal.
        computed: String,
    },
    /// The tree hash of the bytes is not the one that was claimed.
    TreeHashMismatch {
        /// Ours.
        computed: TreeHash,
    },
    /// The upload has a gap.
    MissingPart {
        /// The first byte that no part covers.
        first_byte: u64,
    },
    /// The parts have another size together than the archive was said to have.
    ArchiveSizeMismatch {
        /// Bytes in all parts.
        held: u64,
    },
    /// No such archive in that vault.
    ArchiveNotFound,
    /// A range to retrieve whose ends are neither on a MiB nor the end of the archive.
    RangeNotAligned {
        /// Bytes of the archive.
        size: u64,
    },
    /// The data retrieval policy does not let the job begin.
    PolicyEnforced,
    /// No capacity for another Expedited retrieval right now.
    InsufficientCapacity,
    /// No such job in that vault: never begun, or completed more than a day ago.
    JobNotFound,
    /// The job is in progress, or failed.
    JobNotReady,
    /// The vault has no notification configuration, policy or lock to show or complete.
    NotSet,
    /// The vault would have more than 50 tags.
    TooManyTags,
    /// A lock of the vault is in progress.
    LockInProgress,
    /// The vault is locked for good.
    Locked,
    /// The lock in progress has another ID.
    WrongLockId,
    /// The account has two units of capacity already.
    TooMuchCapacity,
    /// Nothing the client did.
    Failed(Failure),
}

/// A failure of the machine. For the log, never for an answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Failure {
    /// A file operation failed.
    File {
        /// What was being done.
        doing: &'static str,
        /// The operating system's reason.
        reason: Arc<io::Error>,
    },
    /// The file system has no room for it, or no more than metadata needs.
    Full,
    /// The database failed at a statement; nothing was changed.
    Database(Arc<rusqlite::Error>),
    /// The database failed at a commit.
    Commit {
        /// Its reason.
        reason: Arc<rusqlite::Error>,
    },
    /// A flush to disk failed earlier; nothing is acknowledged any more.
    Poisoned,
    /// A thread of the store is gone, which it is only after a panic.
    ThreadGone,
    /// The operating system gave no random bytes.
    Random,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VaultNotFound => f.write_str("there is no vault of that name"),
            Self::VaultNotEmpty => f.write_str("the vault is not empty"),
            Self::TooManyVaults => write!(f, "an account has at most {} vaults", super::MAX_VAULTS),
            Self::TooManyUploads => f.write_str("the vault has too many uploads in progress"),
            Self::UploadNotFound => f.write_str("there is no such upload in progress"),
            Self::BodyIncomplete => f.write_str("fewer bytes arrived than were announced"),
            Self::PayloadHashMismatch { computed } => write!(f, "the bytes have payload hash {computed}"),
            Self::TreeHashMismatch { computed } => write!(f, "the bytes have tree hash {computed}"),
            Self::MissingPart { first_byte } => write!(f, "no part begins at byte {first_byte}"),
            Self::ArchiveSizeMismatch { held } => write!(f, "the parts have {held} bytes together"),
            Self::ArchiveNotFound => f.write_str("there is no such archive in the vault"),
            Self::RangeNotAligned { size } => {
                write!(f, "the range is not aligned to MiB in an archive of {size} bytes")
            }
            Self::PolicyEnforced => f.write_str("the data retrieval policy does not allow the job"),
            Self::InsufficientCapacity => f.write_str("there is no capacity for another Expedited retrieval"),
            Self::JobNotFound => f.write_str("there is no such job"),
            Self::JobNotReady => f.write_str("the job has no output"),
            Self::NotSet => f.write_str("the vault has nothing of that kind"),
            Self::TooManyTags => write!(f, "a vault has at most {} tags", super::MAX_TAGS),
            Self::LockInProgress => f.write_str("a vault lock is in progress"),
            Self::Locked => f.write_str("the vault is locked"),
            Self::WrongLockId => f.write_str("the lock in progress has another ID"),
            Self::TooMuchCapacity => write!(f, "an account has at most {} units of capacity", super::MAX_UNITS),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for StoreError {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { doing, reason } => write!(f, "{doing}: {reason}"),
            Self::Full => f.write_str("the file system is full"),
            Self::Database(reason) => write!(f, "database: {reason}"),
            Self::Commit { reason } => write!(f, "commit: {reason}"),
            Self::Poisoned => f.write_str("a flush to disk failed earlier; restart to see what is really stored"),
            Self::ThreadGone => f.write_str("a thread of the store is gone"),
            Self::Random => f.write_str("no random bytes from the operating system"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Failure::Full,
            _ => Failure::Database(Arc::new(error)),
        })
    }
}

/// Makes a [`Failure`] of an I/O error: `.map_err(while_doing("writing a part"))`.
pub(super) fn while_doing(doing: &'static str) -> impl FnOnce(io::Error) -> Failure {
    move |reason| match reason.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            tracing::error!(doing, %reason, "the file system is full");
            Failure::Full
        }
        _ => Failure::File { doing, reason: Arc::new(reason) },
    }
}

/// Whether a flush to disk has ever failed. Clones share the answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    poisoned: Arc<AtomicBool>,
}

impl Health {
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.poisoned.load(Ordering::Acquire) { Err(Failure::Poisoned) } else { Ok(()) }
    }

    /// A flush failed: what the disk holds is not known until the store is opened again.
    pub(super) fn poison(&self, failure: &Failure) {
        tracing::error!(%failure, "a flush to disk failed; nothing will be acknowledged until a restart");
        self.poisoned.store(true, Ordering::Release);
    }
}

/// Why a store could not be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open.
    InUse {
        /// The data folder.
        data: PathBuf,
    },
    /// The folder cannot be made, locked, read or made private.
    Folder {
        /// The path in question.
        path: PathBuf,
        /// The operating system's reason.
        reason: io::Error,
    },
    /// `files` or `incoming` is there but is no folder (a link to one counts as none).
    NotAFolder {
        /// The path in question.
        path: PathBuf,
    },
    /// The database cannot be opened.
    Database(rusqlite::Error),
    /// The database was written by a newer version of this program.
    NewerSchema {
        /// Its version.
        found: i64,
    },
    /// What has expired could not be found or removed.
    Expiry(StoreError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { data } => write!(f, "{} is in use by another process", data.display()),
            Self::Folder { path, .. } => write!(f, "cannot use {}", path.display()),
            Self::NotAFolder { path } => write!(f, "{} is not a folder", path.display()),
            Self::Database(_) => f.write_str("cannot open the database"),
            Self::NewerSchema { found } => {
                write!(f, "the data folder was written by a newer version (schema {found}); update this program")
            }
            Self::Expiry(_) => f.write_str("cannot remove what has expired"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Folder { reason, .. } => Some(reason),
            Self::Database(reason) => Some(reason),
            Self::Expiry(reason) => Some(reason),
            Self::InUse { .. } | Self::NotAFolder { .. } | Self::NewerSchema { .. } => None,
        }
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}
