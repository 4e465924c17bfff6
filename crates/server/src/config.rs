//! Flags, each also from the environment, and the checks that make a start fail rather than be unsafe.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use glacier_core::glacier::{InvalidName, VaultName};

use local_glacier::TopicArn;

use crate::cors::AllowedOrigins;
use crate::sns::StoreKey;
use crate::upstream::{Trust, TrustError};

/// The signing gateway, with the upload page and an embedded Glacier-compatible store.
#[derive(Clone, Debug, Parser)]
#[command(name = "glacier-upload-server", version)]
pub struct Config {
    /// Folder for secrets, metadata and archives; made if need be
    #[arg(long, env = "GLACIER_UPLOAD_DATA")]
    pub data: PathBuf,
    /// Address to listen on; port 0 picks a free one
    #[arg(long, env = "GLACIER_UPLOAD_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Folder of the page, with an index.html
    #[arg(long, env = "GLACIER_UPLOAD_PAGE")]
    pub page: PathBuf,
    /// Vault to make in the embedded store at start; may be given several times
    #[arg(long = "vault", env = "GLACIER_UPLOAD_VAULTS", value_delimiter = ',', required = true)]
    pub vaults: Vec<String>,
    /// Account that the embedded store's vaults are in
    #[arg(long, env = "GLACIER_UPLOAD_ACCOUNT_ID", default_value = "123456789012")]
    pub account_id: String,
    /// Region that signatures are good for
    #[arg(long, env = "GLACIER_UPLOAD_REGION", default_value = "us-east-1")]
    pub region: String,
    /// Host that browsers know this server by, with the port if it is not the scheme's; may be given several times
    #[arg(long = "public-host", env = "GLACIER_UPLOAD_PUBLIC_HOSTS", value_delimiter = ',')]
    pub public_hosts: Vec<String>,
    /// Other origin whose pages may call, as `https://app.example.com`; may be given several times
    #[arg(long = "allow-origin", env = "GLACIER_UPLOAD_ALLOW_ORIGINS", value_delimiter = ',')]
    pub allow_origins: Vec<String>,
    /// Topic whose messages about completed jobs are taken at /v1/sns; may be given several times
    #[arg(long = "sns-topic", env = "GLACIER_UPLOAD_SNS_TOPICS", value_delimiter = ',')]
    pub sns_topics: Vec<String>,
    /// The notification-key.pem of a store elsewhere whose messages are taken as well
    #[arg(long, env = "GLACIER_UPLOAD_STORE_TOPIC_KEY")]
    pub store_topic_key: Option<PathBuf>,
    /// Certificates, in PEM, of private authorities that stores are believed by, beside the public ones
    #[arg(long, env = "GLACIER_UPLOAD_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    /// Confirms that a proxy in front speaks TLS; required to listen on other addresses than loopback
    #[arg(long, env = "GLACIER_UPLOAD_BEHIND_TLS_PROXY")]
    pub behind_tls_proxy: bool,
}

/// What is checked of a [`Config`].
#[derive(Clone, Debug)]
pub struct Checked {
    /// At least one.
    pub vaults: Vec<VaultName>,
    /// Origins that may call.
    pub origins: AllowedOrigins,
    /// Whether development tokens may be handed out.
    pub dev_tokens: bool,
    /// Topics whose messages are taken.
    pub topics: Vec<TopicArn>,
    /// Of a store elsewhere.
    pub store_key: Option<StoreKey>,
    /// Whom the stores elsewhere are believed by.
    pub trust: Trust,
}

/// Why the server does not start. Names the flag.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// A `--vault` is no vault name.
    Vault(InvalidName),
    /// `--account-id` is not twelve digits.
    AccountId,
    /// `--region` is not lower-case letters, digits and hyphens.
    Region,
    /// An `--allow-origin` is no origin.
    AllowOrigin,
    /// A `--public-host` is no host with an optional port.
    PublicHost,
    /// An `--sns-topic` is no ARN of a topic.
    SnsTopic,
    /// `--store-topic-key` cannot be read or is no key, or there is no `--sns-topic`.
    StoreTopicKey(PathBuf),
    /// `--ca-file` has no usable certificates.
    CaFile(TrustError),
    /// `--page` has no `index.html`.
    Page(PathBuf),
    /// `--listen` is not loopback and there is no `--public-host`.
    PublicHostMissing,
    /// `--listen` is not loopback and `--behind-tls-proxy` was not given.
    TlsMissing,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vault(error) => write!(f, "--vault: {error}"),
            Self::AccountId => f.write_str("--account-id: an account ID is twelve digits"),
            Self::Region => f.write_str("--region: a region is lower-case letters, digits and hyphens"),
            Self::AllowOrigin => f.write_str(
                "--allow-origin: an origin is a scheme and a host in lower case, without a path, \
                 as https://app.example.com; there is no wildcard",
            ),
            Self::PublicHost => {
                f.write_str("--public-host: expected a host with an optional port, as upload.example.com")
            }
            Self::SnsTopic => f.write_str("--sns-topic: a topic is named arn:aws:sns:REGION:ACCOUNT:NAME"),
            Self::StoreTopicKey(path) => write!(
                f,
                "--store-topic-key: {} must be the notification-key.pem of a store, and goes with --sns-topic",
                path.display()
            ),
            Self::CaFile(error) => error.fmt(f),
            Self::Page(path) => write!(f, "--page: there is no index.html in {}; build the page first", path.display()),
            Self::PublicHostMissing => f.write_str(
                "--listen: an address that others can reach needs --public-host, the host that browsers use",
            ),
            Self::TlsMissing => f.write_str(
                "--listen: tokens and signatures must not travel in the clear; put a proxy that speaks TLS in front \
                 and say so with --behind-tls-proxy, or listen on 127.0.0.1",
            ),
        }
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Checks everything that can be checked without making anything.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn check(&self) -> Result<Checked, ConfigError> {
        let is_loopback = self.listen.ip().is_loopback();
        if !is_loopback && self.public_hosts.is_empty() {
            return Err(ConfigError::PublicHostMissing);
        }
        if !is_loopback && !self.behind_tls_proxy {
            return Err(ConfigError::TlsMissing);
        }
        let vaults = self.vaults.iter().map(VaultName::new).collect::<Result<_, _>>().map_err(ConfigError::Vault)?;
        if self.account_id.len() != 12 || !self.account_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ConfigError::AccountId);
        }
        let in_region = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.region.is_empty() || !self.region.bytes().all(in_region) {
            return Err(ConfigError::Region);
        }
        let is_host = |host: &String| {
            host.parse::<http::uri::Authority>()
                .is_ok_and(|host| !host.host().is_empty() && !host.as_str().contains('@'))
        };
        if !self.public_hosts.iter().all(is_host) {
            return Err(ConfigError::PublicHost);
        }
        let origins = AllowedOrigins::new(&self.allow_origins).map_err(|_| ConfigError::AllowOrigin)?;
        if !self.page.join("index.html").is_file() {
            return Err(ConfigError::Page(self.page.clone()));
        }
        let topics: Vec<TopicArn> = self
            .sns_topics
            .iter()
            .map(|arn| TopicArn::new(arn))
            .collect::<Result<_, _>>()
            .map_err(|_| ConfigError::SnsTopic)?;
        let read_key = |path: &PathBuf| {
            let key = std::fs::read_to_string(path).ok().and_then(|text| StoreKey::from_pem(&text).ok());
            key.filter(|_| !topics.is_empty()).ok_or_else(|| ConfigError::StoreTopicKey(path.clone()))
        };
        let store_key = self.store_topic_key.as_ref().map(read_key).transpose()?;
        let trust = Trust::new(self.ca_file.as_deref()).map_err(ConfigError::CaFile)?;
        // With a public host a proxy may make everybody look like loopback.
        let dev_tokens = is_loopback && self.public_hosts.is_empty() && !self.behind_tls_proxy;
        Ok(Checked { vaults, origins, dev_tokens, topics, store_key, trust })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn check(flags: &[&str]) -> Result<bool, String> {
        let page = tempfile::tempdir().unwrap();
        std::fs::write(page.path().join("index.html"), "").unwrap();
        let always = ["server", "--data", "d", "--page", page.path().to_str().unwrap()];
        let config = Config::try_parse_from(always.iter().chain(flags)).map_err(|error| error.to_string())?;
        config.check().map(|checked| checked.dev_tokens).map_err(|error| error.to_string())
    }

    #[test]
    fn dev_tokens_are_for_loopback_without_a_proxy() {
        assert_eq!(check(&["--vault", "v"]), Ok(true));
        assert_eq!(check(&["--vault", "v", "--listen", "[::1]:0"]), Ok(true));
        assert_eq!(check(&["--vault", "v", "--public-host", "a.example"]), Ok(false));
        assert_eq!(check(&["--vault", "v", "--behind-tls-proxy"]), Ok(false));
        let public = ["--vault", "v", "--listen", "0.0.0.0:80", "--public-host", "a.example", "--behind-tls-proxy"];
        assert_eq!(check(&public), Ok(false));
    }

    #[test]
    fn an_unsafe_start_names_the_flag() {
        for (flags, flag) in [
            (&[][..], "--vault"),
            (&["--vault", "../x"], "--vault"),
            (&["--vault", "v", "--listen", "0.0.0.0:80"], "--public-host"),
            (&["--vault", "v", "--listen", "0.0.0.0:80", "--public-host", "a.example"], "--behind-tls-proxy"),
            (&["--vault", "v", "--listen", "[::]:80", "--behind-tls-proxy"], "--public-host"),
            (&["--vault", "v", "--public-host", "a@b"], "--public-host"),
            (&["--vault", "v", "--public-host", "https://a"], "--public-host"),
            (&["--vault", "v", "--allow-origin", "*"], "--allow-origin"),
            (&["--vault", "v", "--allow-origin", "null"], "--allow-origin"),
            (&["--vault", "v", "--account-id", "12"], "--account-id"),
            (&["--vault", "v", "--region", "us east"], "--region"),
            (&["--vault", "v", "--page", "/nowhere"], "--page"),
            (&["--vault", "v", "--listen", "here"], "--listen"),
            (&["--vault", "v", "--sns-topic", "jobs"], "--sns-topic"),
            (&["--vault", "v", "--store-topic-key", "/nowhere"], "--store-topic-key"),
            (&["--vault", "v", "--ca-file", "/nowhere"], "--ca-file"),
        ] {
            let error = check(flags).unwrap_err();
            assert!(error.contains(flag), "{flags:?}: {error}");
        }
    }
}
