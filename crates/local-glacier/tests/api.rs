//! The API without a socket: real store, real signatures, a clock that is turned by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "api/client.rs"]
mod client;
#[path = "api/durability.rs"]
mod durability;
#[path = "api/multipart.rs"]
mod multipart;
#[path = "api/refusals.rs"]
mod refusals;
#[path = "api/vaults.rs"]
mod vaults;
