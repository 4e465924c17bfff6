//! The options of the API, read strictly: a misspelt key, a number out of range or of the wrong kind is an error that
//! names the key, not a default that is silently taken. One file a subject.
//!
//! Functions and addresses mean nothing to core, which only knows the names of their keys. Keys whose value is
//! `undefined` must be left out by the caller.

mod buckets;
mod download;
mod gateway;
mod hashing;
mod jobs;
mod object;
mod ranges;
mod restore;
mod stream;
mod strict;
mod uploader;
mod vault;
mod vaults;

pub use buckets::{buckets, object, object_uploads};
pub use download::{DownloadOptions, MAX_BLOB, check_blob};
pub use gateway::{GatewaySettings, WORKER_LIFE, ballast, workers};
pub use hashing::{check_tree_hash_keys, plan};
pub use jobs::{JobFilter, inventory, job_filter, retrieval};
pub use object::{FileKind, ObjectOptions, ObjectSettings};
pub use ranges::{RangeInArchive, byte_range};
pub use restore::restore;
pub use stream::StreamSettings;
pub use uploader::{Place, Settings, Share, UploadOptions};
pub use vault::{notifications, retrieval_policy, tag_keys, tags};
pub use vaults::{VaultsSettings, check_call_keys};
