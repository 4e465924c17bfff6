//! The browser package: adapters that carry out what `glacier-core` decides.
//!
//! Nothing here knows a status code, a limit, a header or a back-off; if something needs a test without a browser it
//! belongs in core. `api` is all that JavaScript can call on the page, `worker` all that it can call in a web worker.

pub mod api;
mod clock;
mod driver;
mod error;
mod fetch;
mod file;
mod gateway;
mod hash;
mod hash_pool;
mod intake;
mod json;
mod message;
mod options;
mod stream;
mod tree_hash;
mod upload;
mod uploader;
pub mod worker;
