//! What the gateway shows to the network: TLS, how much it takes at once, and how it ends.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use accept::Limits;
use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket};

use crate::certificate::Certificate;
use crate::config::ConfigError;

/// Flags of the network's edge.
#[derive(Clone, Debug, Args)]
pub struct EdgeOptions {
    /// Chain of certificates in PEM, the server's own first; with --tls-key the server speaks TLS and HTTP/2 itself
    #[arg(long, env = "GLACIER_UPLOAD_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the first certificate in PEM, which only its owner and its group may read
    #[arg(long, env = "GLACIER_UPLOAD_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Connections open at once; unless given 4096, and at most half of the files that may be open
    #[arg(long, env = "GLACIER_UPLOAD_MAX_CONNECTIONS", value_name = "COUNT", value_parser = at_least_one)]
    pub max_connections: Option<usize>,
    /// Connections open at once from one address, or one /64 of IPv6; unless given 256, and no limit behind a proxy or on
    /// loopback
    #[arg(long, env = "GLACIER_UPLOAD_MAX_CONNECTIONS_PER_ADDRESS", value_name = "COUNT", value_parser = at_least_one)]
    pub max_connections_per_address: Option<usize>,
    /// Requests in flight at once, beyond which the answer is 429; unless given 1024, and at most a quarter of the files
    /// that may be open
    #[arg(long, env = "GLACIER_UPLOAD_MAX_REQUESTS", value_name = "COUNT", value_parser = at_least_one)]
    pub max_requests: Option<usize>,
    /// Requests of one subject in flight at once, its parts included, beyond which the answer is 429; unless given a
    /// quarter of --max-requests
    #[arg(long, env = "GLACIER_UPLOAD_MAX_REQUESTS_PER_SUBJECT", value_name = "COUNT", value_parser = at_least_one)]
    pub max_requests_per_subject: Option<usize>,
    /// Seconds that requests in flight have to finish once the server was asked to end
    #[arg(long, env = "GLACIER_UPLOAD_SHUTDOWN_GRACE", value_name = "SECONDS", default_value_t = 30)]
    pub shutdown_grace: u64,
    /// Seconds between saying that it is not ready and taking no more connections, for the load balancer to notice
    #[arg(long, env = "GLACIER_UPLOAD_SHUTDOWN_DELAY", value_name = "SECONDS", default_value_t = 0)]
    pub shutdown_delay: u64,
}

fn at_least_one(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|count| *count > 0).ok_or("expected a whole number of at least 1")
}

impl EdgeOptions {
    /// Whether the server speaks TLS itself.
    ///
    /// # Errors
    /// Where there is only one of the two files.
    pub fn has_tls(&self) -> Result<bool, ConfigError> {
        let why = "TLS needs both --tls-cert and --tls-key";
        match (&self.tls_cert, &self.tls_key) {
            (Some(_), Some(_)) => Ok(true),
            (None, None) => Ok(false),
            (Some(_), None) => Err(ConfigError::new("tls-cert", why)),
            (None, Some(_)) => Err(ConfigError::new("tls-key", why)),
        }
    }

    /// The certificate, if the server speaks TLS itself.
    ///
    /// # Errors
    /// Where its files are of no use.
    pub fn certificate(&self) -> Result<Option<Certificate>, ConfigError> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(chain), Some(key)) => Certificate::load(chain, key).map(Some).map_err(|error| error.of_key()),
            _ => Ok(None),
        }
    }

    /// The bounds that hold for a server at that address, which may have so many files open.
    pub fn limits(&self, listen: IpAddr, behind_proxy: bool, open_files: usize) -> Limits {
        // A proxy, and whoever sits at this machine, is one address for everybody.
        let is_shared = behind_proxy || listen.is_loopback();
        let per_address = if is_shared { usize::MAX } else { PER_ADDRESS };
        Limits {
            connections: self.max_connections.unwrap_or(CONNECTIONS).min(open_files / 2).max(1),
            connections_per_address: self.max_connections_per_address.unwrap_or(per_address),
            // Each may hold a file of the store as well.
            requests: self.max_requests.unwrap_or(REQUESTS).min(open_files / 4).max(1),
            interim_answers: !behind_proxy,
            shutdown: Duration::from_secs(self.shutdown_grace),
            ..Limits::default()
        }
    }
}

impl EdgeOptions {
    /// Requests of one subject in flight at once, where there are these limits for all of them together.
    pub fn requests_per_subject(&self, limits: &Limits) -> usize {
        self.max_requests_per_subject.unwrap_or((limits.requests / SHARE).max(1))
    }
}

/// One subject's part of all requests: four browsers with all the streams of one HTTP/2 connection each, at 1024.
const SHARE: usize = 4;

/// A silent connection holds about 10 kB, so this is 40 MB.
const CONNECTIONS: usize = 4096;

/// Forty browsers of one office with six connections each.
const PER_ADDRESS: usize = 256;

const REQUESTS: usize = 1024;

/// Lets the process open as many files as the system allows it, and says how many that are. The limit that most systems
/// begin with, 1024, is there for programs that use `select`.
pub fn raise_open_files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum;
    let raised = setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).is_ok();
    let count = if raised { most } else { limit.current };
    count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX))
}

/// Listens with a queue that a burst of browsers fits in. That of the standard library, 128, makes the others wait for
/// seconds.
///
/// # Errors
/// Those of the system.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart need not wait for the connections of the process before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// Connections that are open and not accepted yet, of which the system may allow fewer (`net.core.somaxconn`: 4096 since
/// Linux 5.4, 128 before). Whoever finds it full has its first packet dropped and sends it again after 1, 3 and 7 seconds.
/// While [`CONNECTIONS`] are open, others wait here without a deadline of ours: a longer queue would be a longer wait, and
/// no more room.
const QUEUE: u32 = 1024;

/// Whether new requests are welcome. Clones share it.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<AtomicBool>);

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl Readiness {
    /// Says no from now on.
    pub fn end(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Whether a load balancer may send more.
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        edge: EdgeOptions,
    }

    fn limits(flags: &[&str], listen: &str, behind_proxy: bool, open_files: usize) -> (usize, usize, usize) {
        let only = Only::try_parse_from([&["server"], flags].concat()).unwrap();
        let limits = only.edge.limits(listen.parse().unwrap(), behind_proxy, open_files);
        (limits.connections, limits.connections_per_address, limits.requests)
    }

    #[test]
    fn what_is_taken_at_once_leaves_files_to_write_archives() {
        assert_eq!(limits(&[], "::", false, 1 << 20), (4096, 256, 1024));
        assert_eq!(limits(&[], "::", false, 1024), (512, 256, 256));
        assert_eq!(limits(&["--max-connections", "100000"], "::", false, 256), (128, 256, 64));
        assert_eq!(limits(&["--max-connections", "9", "--max-requests", "8"], "::", false, 256), (9, 256, 8));
        assert_eq!(limits(&[], "::", false, 1), (1, 256, 1));
    }

    #[test]
    fn a_subject_has_a_share_of_the_requests() {
        let of = |flags: &[&str], open_files: usize| {
            let only = Only::try_parse_from([&["server"], flags].concat()).unwrap();
            only.edge.requests_per_subject(&only.edge.limits("::".parse().unwrap(), false, open_files))
        };
        assert_eq!(of(&[], 1 << 20), 256);
        assert_eq!(of(&[], 1024), 64);
        assert_eq!(of(&["--max-requests", "40"], 1 << 20), 10);
        assert_eq!(of(&["--max-requests", "3"], 1 << 20), 1);
        assert_eq!(of(&["--max-requests-per-subject", "7"], 1 << 20), 7);
        assert!(Only::try_parse_from(["server", "--max-requests-per-subject", "0"]).is_err());
    }

    #[test]
    fn a_proxy_is_one_address_for_everybody() {
        assert_eq!(limits(&[], "::", true, 1 << 20).1, usize::MAX);
        assert_eq!(limits(&[], "127.0.0.1", false, 1 << 20).1, usize::MAX);
        assert_eq!(limits(&["--max-connections-per-address", "5"], "::", true, 1 << 20).1, 5);
        assert!(Only::try_parse_from(["server", "--max-connections", "0"]).is_err());
    }
}
