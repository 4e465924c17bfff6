//! A Glacier store on one machine: Amazon Glacier's REST API, version 2012-06-01, over a database and archive files.
//!
//! Any Glacier client can use it alone (`local-glacier --help`), and a server can mount it: open a [`Store`], wrap it in
//! a [`Glacier`], and give that every request. So far: vaults, archives and multipart uploads.
//!
//! A request goes through one file after the other: `route` (which operation, on what), `auth` (who asks), then
//! `vaults`, `archives` or `multipart` (the operation), `receive` (a body on its way to the disk) and [`store`] (what
//! is kept, and when it is safe). `error` has every refusal with the words that Glacier's clients look for.

mod answer;
mod archives;
mod auth;
mod clock;
mod cors;
mod error;
mod glacier;
mod head;
mod multipart;
mod receive;
mod route;
pub mod store;
mod vaults;

pub use answer::Body;
pub use clock::Clock;
pub use cors::{InvalidOrigin, Origin};
pub use glacier::{Glacier, GlacierConfig};
pub use store::{OpenError, Store, StoreConfig, StoreError};
