//! The gateway: the only program that holds keys. It checks tokens and policy, signs intents, serves the page and
//! mounts the embedded store.

pub mod app;
mod audit;
pub mod aws_credentials;
pub mod batch;
#[cfg(feature = "bench-sink")]
mod bench_sink;
mod body;
pub mod certificate;
pub mod check;
pub mod client;
pub mod config;
pub mod cors;
mod counted;
pub mod credentials;
pub mod dev_token;
pub mod edge;
pub mod error;
pub mod events;
pub mod grant;
pub mod host;
pub mod metrics;
pub mod mount;
pub mod objects;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod page;
pub mod policy;
pub mod rate;
pub mod relay;
pub mod s3;
pub mod seats;
pub mod secret_file;
pub mod sign;
pub mod sns;
mod tag;
pub mod token;
pub mod upstream;
pub mod watch;
