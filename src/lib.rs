//! The browser package: adapters that carry out what `glacier-core` decides.
//!
//! Nothing here knows a status code, a limit, a header or a back-off; if something needs a test without a browser it
//! belongs in core. `api` is all that JavaScript can call on the page, `worker` all that it can call in a web worker.

pub mod api;
mod archives;
mod arriving;
mod bucket;
mod call;
mod clock;
mod connection;
mod download;
mod downloads;
mod driver;
mod dynamic;
mod ending;
mod error;
mod event_feed;
mod events;
mod fetch;
mod file;
mod gateway;
mod hash;
mod hash_pool;
mod intake;
mod job;
mod journal;
mod json;
mod keeping;
mod listening;
mod lock;
mod mailbox;
mod message;
mod open_file;
mod options;
mod pages;
mod session;
mod sink;
mod stream;
mod task;
mod tree_hash;
mod unfinished;
mod upload;
mod uploader;
mod vaults;
mod waiting;
pub mod worker;
