//! Who calls, how often, and where that is to be seen.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use clap::Args;
use ipnet::IpNet;

use super::ConfigError;
use crate::client::TrustedProxies;
use crate::metrics::Metrics;
use crate::rate::{Quotas, Rates};
use crate::seats::Seats;
use crate::watch::Watch;

/// Keys about proxies, limits and metrics.
#[derive(Args, Clone, Debug)]
pub struct WatchOptions {
    /// Network of proxies whose x-forwarded-for counts, as `10.0.0.0/8`; may be given several times
    #[arg(long = "trusted-proxy", env = "GLACIER_UPLOAD_TRUSTED_PROXIES", value_name = "CIDR", value_delimiter = ',')]
    pub trusted_proxies: Vec<String>,
    /// Requests a second that one subject may make with its tokens; ten seconds' worth at once; 0 for any number
    #[arg(long, env = "GLACIER_UPLOAD_SUBJECT_RATE", value_name = "COUNT", default_value_t = 200)]
    pub subject_rate: u32,
    /// Requests a second that one address, or /64 of IPv6, may make without a good token; 0 for any number
    #[arg(long, env = "GLACIER_UPLOAD_ANONYMOUS_RATE", value_name = "COUNT", default_value_t = 5)]
    pub anonymous_rate: u32,
    /// Answers a minute to one address, or /64 of IPv6, and to one subject, that something is not there; 0 for any number
    #[arg(long, env = "GLACIER_UPLOAD_MISS_RATE", value_name = "COUNT", default_value_t = 60)]
    pub miss_rate: u32,
    /// Address to serve metrics for Prometheus at, as 127.0.0.1:9090; unless given, there are none
    #[arg(long, env = "GLACIER_UPLOAD_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<SocketAddr>,
    /// Confirms that metrics may be read by whoever can reach their address
    #[arg(long, env = "GLACIER_UPLOAD_METRICS_PUBLIC")]
    pub metrics_public: bool,
}

impl WatchOptions {
    /// What these keys say.
    ///
    /// # Errors
    /// [`ConfigError`] when a network is none, or everybody's, and when metrics would be for everybody.
    pub fn watch(&self) -> Result<Watch, ConfigError> {
        if self.metrics_listen.is_some_and(|address| !address.ip().is_loopback()) && !self.metrics_public {
            let why = "metrics are for this machine: listen on 127.0.0.1, or confirm with --metrics-public that whoever \
                       can reach them may read them";
            return Err(ConfigError::new("metrics-listen", why));
        }
        let network = |text: &String| {
            let network =
                text.parse::<IpNet>().or_else(|_| text.parse().map(|address: std::net::IpAddr| address.into()));
            let why = "expected the network of a proxy as 10.0.0.0/8, or its address";
            let network = network.map_err(|_| ConfigError::new("trusted-proxy", why))?;
            if network.prefix_len() == 0 {
                let why = "that is everybody, and then everybody can say where a request comes from";
                return Err(ConfigError::new("trusted-proxy", why));
            }
            Ok(network)
        };
        let networks = self.trusted_proxies.iter().map(network).collect::<Result<_, _>>()?;
        let quotas = Quotas {
            subject: NonZeroU32::new(self.subject_rate),
            anonymous: NonZeroU32::new(self.anonymous_rate),
            misses: NonZeroU32::new(self.miss_rate),
        };
        let (metrics, rates, proxies) = (Metrics::new(), Rates::new(quotas), TrustedProxies::new(networks));
        // How many at once depends on the edge.
        Ok(Watch { metrics, rates, seats: Seats::default(), proxies })
    }
}
