//! The configuration: what it holds, and the checks that make a start fail rather than be unsafe.
//!
//! A key is declared once, as a field of [`Config`]: its flag, its environment variable, its name in the file of
//! `--config` and its line in `--print-config` follow from that. What is wrong with one is a [`ConfigError`] that names
//! it; where it came from is added by [`Origins::explain`].

mod file;
mod load;
mod origin;
mod print;
mod tokens;
mod watch;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use glacier_core::glacier::VaultName;
use local_glacier::TopicArn;

use crate::cors::AllowedOrigins;
use crate::credentials::TOKEN_KEY_VARIABLE;
use crate::edge::EdgeOptions;
use crate::page::Page;
use crate::relay;
use crate::s3::{Buckets, S3Options};
use crate::sns::StoreKey;
use crate::upstream::{self, Trust};

pub use load::{LoadError, Loaded, PREFIX, load};
pub use origin::{Origin, Origins};
pub use tokens::TokenOptions;
pub use watch::WatchOptions;

/// The signing gateway, with the upload page and an embedded Glacier-compatible store.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "glacier-upload-server",
    version,
    after_help = "`glacier-upload-server check`, with the same options, looks at what is needed from others and says what to \
                  fix; --json says it for programs. It ends with 1 when something must be fixed."
)]
pub struct Config {
    /// File of keys and values in TOML; flags and environment variables come before it
    #[arg(long, env = "GLACIER_UPLOAD_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print the configuration that counts, with where each value came from and without secrets, and end
    #[arg(long)]
    pub print_config: bool,
    /// Folder for secrets, metadata and archives; made if need be
    #[arg(long, env = "GLACIER_UPLOAD_DATA")]
    pub data: PathBuf,
    /// Bytes of that folder's file system that stay free for metadata: parts that would leave less get 507
    #[arg(long, env = "GLACIER_UPLOAD_MIN_FREE_BYTES", default_value_t = local_glacier::MIN_FREE, value_name = "BYTES")]
    pub min_free_bytes: u64,
    /// Uploads of one vault of that folder that may be in progress; more are answered with 429
    #[arg(
        long,
        env = "GLACIER_UPLOAD_MAX_OPEN_UPLOADS",
        default_value_t = local_glacier::MAX_OPEN_UPLOADS,
        value_parser = clap::value_parser!(u64).range(1..),
        value_name = "COUNT"
    )]
    pub max_open_uploads: u64,
    /// Address to listen on; port 0 picks a free one
    #[arg(long, env = "GLACIER_UPLOAD_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Folder of the page, with an index.html; needed only if the program was built without a page of its own
    #[arg(long, env = "GLACIER_UPLOAD_PAGE")]
    pub page: Option<PathBuf>,
    /// Vault to make in the embedded store at start; may be given several times
    #[arg(long = "vault", env = "GLACIER_UPLOAD_VAULTS", value_delimiter = ',')]
    pub vaults: Vec<String>,
    /// Account that the vaults are in
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
    /// Glacier elsewhere in place of the embedded store: `aws` for Amazon's in the region, or https://HOST
    #[arg(long, env = "GLACIER_UPLOAD_GLACIER", value_name = "aws|URL")]
    pub glacier: Option<String>,
    /// Certificates, in PEM, of private authorities that stores and the issuer of --jwks are believed by, beside the public ones
    #[arg(long, env = "GLACIER_UPLOAD_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    /// Confirms that a proxy in front speaks TLS; required to listen on other addresses than loopback
    #[arg(long, env = "GLACIER_UPLOAD_BEHIND_TLS_PROXY")]
    pub behind_tls_proxy: bool,
    /// Who calls, how often, and where that is to be seen
    #[command(flatten)]
    pub watch: WatchOptions,
    /// Which tokens are good
    #[command(flatten)]
    pub tokens: TokenOptions,
    /// Whether tokens are given out for the asking to whoever sits at this machine; unless given, on loopback without
    /// a public host and a proxy
    #[arg(long, env = "GLACIER_UPLOAD_DEV_TOKENS", value_name = "BOOL")]
    pub dev_tokens: Option<bool>,
    /// TLS, limits and the end
    #[command(flatten)]
    pub edge: EdgeOptions,
    /// Objects in S3.
    #[command(flatten)]
    pub s3: S3Options,
}

/// What is checked of a [`Config`].
#[derive(Clone, Debug)]
pub struct Checked {
    /// At least one where there are no buckets.
    pub vaults: Vec<VaultName>,
    /// Origins that may call.
    pub origins: AllowedOrigins,
    /// Whether development tokens may be handed out.
    pub dev_tokens: bool,
    /// Topics whose messages are taken.
    pub topics: Vec<TopicArn>,
    /// Of a store elsewhere.
    pub store_key: Option<StoreKey>,
    /// Glacier elsewhere.
    pub glacier: Option<upstream::Origin>,
    /// Whom the stores elsewhere and the issuer are believed by.
    pub trust: Trust,
    /// `None` without any.
    pub buckets: Option<Buckets>,
    /// Where the page is.
    pub page: Page,
}

/// Something that comes from a file or from the environment only: other users of a machine can see flags, and the file of
/// `--config` is for everybody to read.
#[derive(Clone, Copy, Debug)]
pub struct Secret {
    /// What it is called. `KEY-file` is the key of the file that it may be in.
    pub key: &'static str,
    /// The environment variable that it may be in.
    pub variable: &'static str,
    /// Where it comes from without the variable.
    pub otherwise: &'static str,
}

impl Secret {
    /// Whether its variable is set, and not to nothing.
    pub fn is_in_variable(&self) -> bool {
        std::env::var_os(self.variable).is_some_and(|value| !value.is_empty())
    }
}

/// All secrets that are not of the data folder alone.
pub const SECRETS: [Secret; 1] = [Secret {
    key: "token-key",
    variable: TOKEN_KEY_VARIABLE,
    otherwise: "the file of token-key-file, or made in the data folder",
}];

/// Why the server does not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The key that is wrong or missing, as in the file: `public-host`.
    pub key: &'static str,
    /// In words, with what to do. Holds no secret.
    pub why: String,
}

impl ConfigError {
    /// `key` is wrong or missing.
    pub fn new(key: &'static str, why: impl Into<String>) -> Self {
        Self { key, why: why.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--{}: {}", self.key, self.why)
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
        self.check_listen(is_loopback)?;
        let vaults = self.vaults.iter().map(VaultName::new).collect::<Result<Vec<_>, _>>();
        let vaults = vaults.map_err(|error| ConfigError::new("vault", error.to_string()))?;
        if self.account_id.len() != 12 || !self.account_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ConfigError::new("account-id", "an account ID is twelve digits"));
        }
        let in_region = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.region.is_empty() || !self.region.bytes().all(in_region) {
            return Err(ConfigError::new("region", "a region is lower-case letters, digits and hyphens"));
        }
        let is_host = |host: &String| {
            host.parse::<http::uri::Authority>()
                .is_ok_and(|host| !host.host().is_empty() && !host.as_str().contains('@'))
        };
        if !self.public_hosts.iter().all(is_host) {
            let why = "expected a host with an optional port, as upload.example.com";
            return Err(ConfigError::new("public-host", why));
        }
        let origins = AllowedOrigins::new(&self.allow_origins).map_err(|_| {
            let why = "an origin is a scheme and a host in lower case, without a path, as https://app.example.com; \
                       there is no wildcard";
            ConfigError::new("allow-origin", why)
        })?;
        let page = match &self.page {
            Some(folder) if folder.join("index.html").is_file() => Page::Folder(folder.clone()),
            Some(folder) => {
                let why = format!("there is no index.html in {}; build the page first", folder.display());
                return Err(ConfigError::new("page", why));
            }
            None => Page::embedded().ok_or_else(|| {
                let why = "this program was built without a page; name the folder of one, as target/site";
                ConfigError::new("page", why)
            })?,
        };
        let topics = self.sns_topics.iter().map(|arn| TopicArn::new(arn)).collect::<Result<Vec<_>, _>>();
        let topics =
            topics.map_err(|_| ConfigError::new("sns-topic", "a topic is named arn:aws:sns:REGION:ACCOUNT:NAME"))?;
        let read_key = |path: &PathBuf| {
            let key = std::fs::read_to_string(path).ok().and_then(|text| StoreKey::from_pem(&text).ok());
            key.filter(|_| !topics.is_empty()).ok_or_else(|| {
                let path = path.display();
                let why = format!("{path} must be the notification-key.pem of a store, and goes with --sns-topic");
                ConfigError::new("store-topic-key", why)
            })
        };
        let store_key = self.store_topic_key.as_ref().map(read_key).transpose()?;
        let glacier = self.glacier.as_deref().map(|text| match text {
            "aws" => relay::endpoint_of_aws(&self.region).parse(),
            text => text.parse(),
        });
        let glacier = glacier
            .transpose()
            .map_err(|error| ConfigError::new("glacier", format!("expected \"aws\" or an address: {error}")))?;
        let trust =
            Trust::new(self.ca_file.as_deref()).map_err(|error| ConfigError::new("ca-file", error.to_string()))?;
        // With a public host a proxy may make everybody look like loopback.
        let is_private = is_loopback && self.public_hosts.is_empty() && !self.behind_tls_proxy;
        if self.dev_tokens == Some(true) && !is_private {
            let why = "tokens for the asking are for 127.0.0.1 without --public-host and --behind-tls-proxy: \
                       anybody could have one";
            return Err(ConfigError::new("dev-tokens", why));
        }
        let dev_tokens = self.dev_tokens.unwrap_or(is_private);
        let buckets = self.s3.check(&self.region)?;
        if vaults.is_empty() && buckets.is_none() {
            return Err(ConfigError::new("vault", "name at least one vault, or with --bucket a bucket"));
        }
        Ok(Checked { vaults, origins, dev_tokens, topics, store_key, glacier, trust, buckets, page })
    }

    fn check_listen(&self, is_loopback: bool) -> Result<(), ConfigError> {
        if !is_loopback && self.public_hosts.is_empty() {
            let why = "an address that others can reach needs --public-host, the host that browsers use";
            return Err(ConfigError::new("listen", why));
        }
        let has_tls = self.edge.has_tls()?;
        if !is_loopback && !self.behind_tls_proxy && !has_tls {
            let why = "tokens and signatures must not travel in the clear; give --tls-cert and --tls-key, or put a proxy \
                       that speaks TLS in front and say so with --behind-tls-proxy, or listen on 127.0.0.1";
            return Err(ConfigError::new("listen", why));
        }
        Ok(())
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
        let loaded = load(always.iter().chain(flags)).map_err(|error| error.to_string())?;
        loaded.config.check().map(|checked| checked.dev_tokens).map_err(|error| loaded.origins.explain(&error))
    }

    #[test]
    fn dev_tokens_are_for_loopback_without_a_proxy() {
        assert_eq!(check(&["--vault", "v"]), Ok(true));
        assert_eq!(check(&["--vault", "v", "--listen", "[::1]:0"]), Ok(true));
        assert_eq!(check(&["--vault", "v", "--public-host", "a.example"]), Ok(false));
        assert_eq!(check(&["--vault", "v", "--behind-tls-proxy"]), Ok(false));
        assert_eq!(check(&["--vault", "v", "--behind-tls-proxy=false"]), Ok(true));
        assert_eq!(check(&["--vault", "v", "--dev-tokens", "false"]), Ok(false));
        let public = ["--vault", "v", "--listen", "0.0.0.0:80", "--public-host", "a.example", "--behind-tls-proxy"];
        assert_eq!(check(&public), Ok(false));
    }

    /// The cells of the documentation's table of keys.
    fn documented() -> Vec<[String; 3]> {
        let document = include_str!("../../../docs/configuration.md");
        let table = document.split("## Keys").nth(1).unwrap().split("## Secrets").next().unwrap();
        let rows = table.lines().filter(|line| line.starts_with("| `"));
        let cell = |row: &str, index: usize| row.split('|').nth(index).unwrap().trim().replace('`', "");
        rows.map(|row| [cell(row, 1), cell(row, 2), cell(row, 3)]).collect()
    }

    #[test]
    fn the_documentation_has_a_row_for_every_key_and_no_other() {
        use clap::CommandFactory;
        let command = Config::command();
        let documented = documented();
        let declared: Vec<[String; 3]> = command
            .get_arguments()
            .map(|argument| {
                let key = argument.get_long().unwrap().to_owned();
                let variable = argument.get_env().map_or(String::new(), |name| name.to_str().unwrap().to_owned());
                let defaults = argument.get_default_values().iter().map(|value| value.to_str().unwrap());
                let default = match argument.get_action() {
                    _ if argument.is_required_set() => "required".to_owned(),
                    clap::ArgAction::SetTrue if !variable.is_empty() => "false".to_owned(),
                    _ => defaults.collect::<Vec<_>>().join(" "),
                };
                [key, variable, default]
            })
            .collect();
        assert_eq!(
            documented.iter().map(|row| &row[0]).collect::<Vec<_>>(),
            declared.iter().map(|row| &row[0]).collect::<Vec<_>>()
        );
        for (documented, declared) in documented.iter().zip(&declared) {
            assert_eq!(documented[1], declared[1], "{}", declared[0]);
            // In words where it depends on other keys.
            let is_in_words = declared[2].is_empty() && !documented[2].is_empty();
            assert!(documented[2] == declared[2] || is_in_words, "{documented:?} {declared:?}");
        }
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
            (&["--vault", "v", "--dev-tokens", "true", "--public-host", "a.example"], "--dev-tokens"),
            (&["--vault", "v", "--dev-tokens", "true", "--behind-tls-proxy"], "--dev-tokens"),
            (&["--vault", "v", "--sns-topic", "jobs"], "--sns-topic"),
            (&["--vault", "v", "--store-topic-key", "/nowhere"], "--store-topic-key"),
            (&["--vault", "v", "--ca-file", "/nowhere"], "--ca-file"),
            (&["--vault", "v", "--glacier", "glacier.example"], "--glacier"),
            (&["--vault", "v", "--glacier", "http://glacier.example"], "--glacier"),
            (&["--vault", "v", "--glacier", "https://glacier.example/path"], "--glacier"),
        ] {
            let error = check(flags).unwrap_err();
            assert!(error.contains(flag), "{flags:?}: {error}");
        }
    }
}
