//! Through the gateway's binary to a Glacier elsewhere, over TLS.
#![expect(clippy::unwrap_used, reason = "tests")]

mod abuse;
mod authority;
mod aws;
mod broken;
mod check;
mod gateway;
mod operations;
mod secrets;
