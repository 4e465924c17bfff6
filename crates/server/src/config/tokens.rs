//! Which tokens are good.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::ConfigError;
use crate::token::{DenyList, Fetch, Issuer, TokenKey, Tokens};

/// For everything of one call of an issuer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest JWKS that is read. Most have a few KiB.
const MAX_LEN: u64 = 256 << 10;

/// Keys about tokens.
#[derive(Args, Clone, Debug)]
pub struct TokenOptions {
    /// File with the key for tokens; unless given, one is made in the data folder
    #[arg(long, env = "GLACIER_UPLOAD_TOKEN_KEY_FILE", value_name = "FILE")]
    pub token_key_file: Option<PathBuf>,
    /// Audience that every token must name in `aud`
    #[arg(long, env = "GLACIER_UPLOAD_TOKEN_AUDIENCE", value_name = "NAME")]
    pub token_audience: Option<String>,
    /// URL or file of the public keys (JWKS) of an issuer whose tokens are good as well
    #[arg(long, env = "GLACIER_UPLOAD_JWKS", value_name = "URL|FILE")]
    pub jwks: Option<String>,
    /// What that issuer calls itself in `iss`
    #[arg(long, env = "GLACIER_UPLOAD_JWKS_ISSUER", value_name = "NAME")]
    pub jwks_issuer: Option<String>,
    /// The claim in which that issuer says what a token is good for
    #[arg(long, env = "GLACIER_UPLOAD_JWKS_CLAIM", value_name = "NAME", default_value = "glacierUpload")]
    pub jwks_claim: String,
    /// File with tokens and subjects that are refused, read again when it changes
    #[arg(long, env = "GLACIER_UPLOAD_DENY_LIST", value_name = "FILE")]
    pub deny_list: Option<PathBuf>,
}

impl TokenOptions {
    /// What these keys say, beside the shared key.
    ///
    /// # Errors
    /// [`ConfigError`] when a file cannot be used, or a key is missing that goes with another.
    pub fn tokens(&self, key: TokenKey) -> Result<Tokens, ConfigError> {
        let issuer = match (&self.jwks, &self.jwks_issuer, &self.token_audience) {
            (None, None, _) => None,
            (None, Some(_), _) => return Err(ConfigError::new("jwks-issuer", "goes with --jwks")),
            (Some(_), None, _) => {
                return Err(ConfigError::new("jwks", "needs --jwks-issuer: what its tokens have in `iss`"));
            }
            (Some(_), _, None) => {
                let why = "needs --token-audience: the issuer makes tokens for others, too, and those are not for us";
                return Err(ConfigError::new("jwks", why));
            }
            (Some(place), Some(name), Some(_)) => {
                let fetch = fetch(place).map_err(|why| ConfigError::new("jwks", why))?;
                Some(Issuer::new(name.clone(), self.jwks_claim.clone(), fetch))
            }
        };
        let open = |path: &PathBuf| {
            DenyList::open(path).map_err(|error| ConfigError::new("deny-list", format!("{}: {error}", path.display())))
        };
        let denied = self.deny_list.as_ref().map(open).transpose()?;
        Ok(Tokens::new(key, self.token_audience.clone(), issuer, denied))
    }
}

/// How the keys at `place` are fetched. A file must be there and be a JWKS; an issuer may come up after us.
fn fetch(place: &str) -> Result<Fetch, String> {
    if !place.contains("://") {
        let path = PathBuf::from(place);
        let read = move || read_file(&path);
        let json = read()?;
        crate::token::KeySet::read(&json).map_err(|error| format!("{place}: {error}"))?;
        return Ok(Arc::new(read));
    }
    let url: http::Uri = place.parse().map_err(|_| "expected a URL or the path of a file".to_owned())?;
    let host = url.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    match url.scheme_str() {
        Some("https") => {}
        Some("http") if is_loopback => {}
        _ => return Err("keys must come over https: whoever can change them on the way can make tokens".to_owned()),
    }
    if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("a URL here has no user and no password: it is printed and logged".to_owned());
    }
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .max_redirects(0)
        .http_status_as_error(false)
        .proxy(None)
        .user_agent("glacier-upload-server")
        .build()
        .into();
    let url = place.to_owned();
    Ok(Arc::new(move || {
        let mut answer = agent.get(&url).call().map_err(|error| error.to_string())?;
        if answer.status() != 200 {
            return Err(format!("the answer has status {}", answer.status().as_u16()));
        }
        answer.body_mut().with_config().limit(MAX_LEN).read_to_vec().map_err(|error| error.to_string())
    }))
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let len = std::fs::metadata(path).map_err(failed)?.len();
    if len > MAX_LEN {
        return Err(format!("{}: longer than {MAX_LEN} bytes", path.display()));
    }
    std::fs::read(path).map_err(failed)
}
