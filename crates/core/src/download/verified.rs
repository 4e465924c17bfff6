//! What can honestly be said of bytes that arrived.

use std::fmt;

use crate::glacier::describe_job::{Action, JobDescription};

/// What the bytes of an output were compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The tree hash over all of them with the store's, or with the one the caller expected; of an object that has none,
    /// the store's SHA-256.
    Whole,
    /// Each range of them with the store's hash of that range, and nothing with a hash of the whole.
    Ranges {
        /// Why not the whole.
        why: Unverifiable,
    },
    /// All of them, or some, with nothing. They arrived over an encrypted connection and in full number, and that is
    /// all.
    None {
        /// Why.
        why: Unverifiable,
    },
}

/// Why there was nothing to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unverifiable {
    /// The service gives no hash of inventories.
    Inventory,
    /// The range that was retrieved is not tree-hash-aligned in the archive, so that the service has no hash of it.
    NotAligned,
    /// The store could have a hash of the output and its description of the job has none.
    NoTreeHash,
    /// A part of the output or the object was asked for, and the store's hash is of the whole.
    OnlyPart,
    /// The store keeps neither a tree hash nor a SHA-256 of the object.
    NoChecksum,
    /// The store's SHA-256 of the object is over parts that are not known, or not fetched as such.
    PartsUnknown,
    /// The store's SHA-256 of the object is over parts some of which an earlier visit fetched, whose SHA-256 was not
    /// kept.
    EarlierVisit,
}

impl Verified {
    /// What is left where there is no hash of the whole.
    pub(super) fn without_whole(job: &JobDescription, every_range: bool) -> Self {
        let why = if job.action != Action::ArchiveRetrieval {
            Unverifiable::Inventory
        } else if job.is_tree_hash_aligned() {
            Unverifiable::NoTreeHash
        } else {
            Unverifiable::NotAligned
        };
        if every_range { Self::Ranges { why } } else { Self::None { why } }
    }

    /// What can be said of a part of an output or of an object, of which the store has no hash as such.
    pub(super) const fn part(every_range: bool) -> Self {
        let why = Unverifiable::OnlyPart;
        if every_range { Self::Ranges { why } } else { Self::None { why } }
    }

    /// `whole`, `ranges` or `none`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Ranges { .. } => "ranges",
            Self::None { .. } => "none",
        }
    }

    /// Why it is not `whole`.
    pub const fn why(self) -> Option<Unverifiable> {
        match self {
            Self::Whole => None,
            Self::Ranges { why } | Self::None { why } => Some(why),
        }
    }
}

impl fmt::Display for Unverifiable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inventory => "the service gives no checksum of inventories",
            Self::NotAligned => {
                "the range that was retrieved is not tree-hash-aligned, so that the service has no checksum of it"
            }
            Self::NoTreeHash => "the store's description of the job has no checksum",
            Self::OnlyPart => "a part was downloaded, and the store's checksum is of the whole",
            Self::NoChecksum => "the store keeps no SHA-256 of the object",
            Self::PartsUnknown => "the store's checksum of the object is over other parts than were fetched",
            Self::EarlierVisit => {
                "the store's checksum of the object is over parts some of which were fetched in an earlier visit"
            }
        })
    }
}
