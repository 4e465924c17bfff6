//! The rules of `glacier-upload`, without I/O, clock, randomness or JavaScript.
//!
//! Everything that can be decided without touching the outside world is decided here, once, for the browser, the
//! gateway and the embedded store alike: how a file is cut into parts ([`PartPlan`]), how parts are hashed
//! ([`TreeHasher`], [`PartHasher`]), what the browser asks the gateway for ([`Intent`]) and what it gets back
//! ([`SignedRequest`]), what an answer of the store means ([`glacier`]) and what to do next ([`upload::Upload`],
//! [`download::Download`], [`call::Call`]).
//! `now` and `jitter` are arguments, so whole uploads with faults run in a test in microseconds.

pub mod call;
pub mod clock;
pub mod date;
pub mod download;
pub mod error;
pub mod event_stream;
pub mod glacier;
pub mod hex;
pub mod intent;
pub mod inventory;
pub mod job_watch;
pub mod json;
pub mod part;
pub mod plan;
pub mod progress;
pub mod range;
pub mod retry;
pub mod s3;
#[cfg(feature = "schema")]
mod schema;
pub mod settings;
pub mod sha256;
#[cfg(feature = "sigv4")]
pub mod sigv4;
mod text_type;
pub mod tree_hash;
pub mod upload;

pub use call::Call;
pub use clock::{Instant, Jitter};
pub use download::Download;
pub use error::{ErrorCode, UploadError};
pub use intent::{Intent, SignedRequest};
pub use part::{MIB, PartSize};
pub use plan::{PartPlan, PlanError};
pub use progress::Progress;
pub use range::ByteRange;
pub use sha256::PayloadHash;
pub use tree_hash::{PartDigest, PartHasher, TreeHash, TreeHasher};
pub use upload::Upload;
