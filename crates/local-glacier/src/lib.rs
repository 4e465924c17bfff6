//! A Glacier store on one machine: Amazon Glacier's REST API, version 2012-06-01, over a database and archive files.
//!
//! Any Glacier client can use it alone (`local-glacier --help`), and a server can mount it: open a [`Store`], wrap it in
//! a [`Glacier`], and give that every request. All 33 operations are there; jobs end on a clock that can be turned.
//!
//! A request goes through one file after the other: `route` (which operation, on what), `auth` (who asks), then
//! the operation's own (`vaults`, `archives`, `multipart`, `jobs`, `job_output`, …), `receive` or `send` (bytes on their
//! way to or from the disk) and [`store`] (what is kept, and when it is safe). `error` has every refusal with the words
//! that Glacier's clients look for. What happens without a request, `scheduler` does.

mod access_policy;
mod answer;
mod archives;
mod auth;
mod clock;
mod completions;
mod cors;
mod delivery;
mod endpoint;
mod error;
mod glacier;
mod head;
mod job_output;
mod job_request;
mod jobs;
mod json_body;
mod multipart;
mod notifications;
mod pace;
mod policy;
mod provisioned_capacity;
mod receive;
mod retrieval_policy;
mod route;
mod scheduler;
mod send;
pub mod store;
mod tags;
mod topic;
mod vault_lock;
mod vaults;

pub use answer::Body;
pub use clock::Clock;
pub use completions::JobCompletion;
pub use cors::{InvalidOrigin, Origin};
pub use endpoint::{Authorities, InvalidAuthorities, InvalidTopic, Topic};
pub use glacier::{Glacier, GlacierConfig};
pub use pace::Pace;
pub use send::BodyError;
pub use store::{MAX_OPEN_UPLOADS, MIN_FREE, OpenError, Store, StoreConfig, StoreError};
pub use topic::{InvalidTopicArn, TopicArn};
