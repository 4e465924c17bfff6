//! What the gateway knows of who calls, how often, and how it goes.

use crate::client::TrustedProxies;
use crate::metrics::Metrics;
use crate::rate::Rates;
use crate::seats::Seats;

/// By default nothing is limited and no proxy trusted.
#[derive(Debug, Default)]
pub struct Watch {
    /// What is counted.
    pub metrics: Metrics,
    /// Who has asked how often.
    pub rates: Rates,
    /// Who has how many requests in flight.
    pub seats: Seats,
    /// Whose word counts for where a request comes from.
    pub proxies: TrustedProxies,
}
