//! The API without a socket: real store, real signatures, a clock that is turned by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "api/answer.rs"]
mod answer;
#[path = "api/client.rs"]
mod client;
#[path = "api/completions.rs"]
mod completions;
#[path = "api/contract.rs"]
mod contract;
#[path = "api/durability.rs"]
mod durability;
#[path = "api/inventories.rs"]
mod inventories;
#[path = "api/jobs.rs"]
mod jobs;
#[path = "api/multipart.rs"]
mod multipart;
#[path = "api/mutation.rs"]
mod mutation;
#[path = "api/nonsense.rs"]
mod nonsense;
#[path = "api/notifications.rs"]
mod notifications;
#[path = "api/plan.rs"]
mod plan;
#[path = "api/policies.rs"]
mod policies;
#[path = "api/races.rs"]
mod races;
#[path = "api/refusals.rs"]
mod refusals;
#[path = "api/settings.rs"]
mod settings;
#[path = "api/state.rs"]
mod state;
#[path = "api/values.rs"]
mod values;
#[path = "api/vaults.rs"]
mod vaults;
