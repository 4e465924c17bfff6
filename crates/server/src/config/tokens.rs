//! Which tokens are good.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::uri::{Authority, PathAndQuery};
use http::{Request, StatusCode, header};

use super::ConfigError;
use crate::token::{DenyList, Fetch, Issuer, TokenKey, Tokens};
use crate::upstream::{Chained, Client, Origin};

/// For everything of one call of an issuer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest JWKS that is read. Most have a few KiB.
const MAX_LEN: usize = 256 << 10;

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
    /// What these keys say, beside the shared key. An issuer is asked through `client`.
    ///
    /// # Errors
    /// [`ConfigError`] when a file cannot be used, or a key is missing that goes with another.
    pub fn tokens(&self, key: TokenKey, client: &Client) -> Result<Tokens, ConfigError> {
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
                let fetch = fetch(place, client).map_err(|why| ConfigError::new("jwks", why))?;
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
fn fetch(place: &str, client: &Client) -> Result<Fetch, String> {
    if !place.contains("://") {
        let path = PathBuf::from(place);
        let json = read_file(&path)?;
        crate::token::KeySet::read(&json).map_err(|error| format!("{place}: {error}"))?;
        return Ok(Arc::new(move || {
            let path = path.clone();
            let read = tokio::task::spawn_blocking(move || read_file(&path));
            Box::pin(async { read.await.map_err(|error| error.to_string())? })
        }));
    }
    let url: http::Uri = place.parse().map_err(|_| "expected a URL or the path of a file".to_owned())?;
    let (scheme, authority) = (url.scheme_str().unwrap_or_default(), url.authority().map_or("", Authority::as_str));
    if authority.contains('@') {
        return Err("a URL here has no user and no password: it is printed and logged".to_owned());
    }
    let origin: Origin = format!("{scheme}://{authority}").parse().map_err(|_| {
        "keys must come over https, or from this machine: whoever can change them on the way can make tokens".to_owned()
    })?;
    let path = url.path_and_query().map_or("/", PathAndQuery::as_str).to_owned();
    let client = client.clone();
    Ok(Arc::new(move || {
        let (client, origin, path) = (client.clone(), origin.clone(), path.clone());
        Box::pin(async move {
            let request = Request::get(path)
                .header(header::USER_AGENT, "glacier-upload-server")
                .body(Bytes::new())
                .map_err(|error| error.to_string())?;
            let answer = client.fetch(&origin, request, MAX_LEN, PATIENCE).await;
            let answer = answer.map_err(|error| Chained(&error).to_string())?;
            // A redirect as well: where it goes is none of the configuration.
            match answer.status() {
                StatusCode::OK => Ok(answer.into_body().into()),
                status => Err(format!("the answer has status {}", status.as_u16())),
            }
        })
    }))
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let len = std::fs::metadata(path).map_err(failed)?.len();
    if len > MAX_LEN as u64 {
        return Err(format!("{}: longer than {MAX_LEN} bytes", path.display()));
    }
    std::fs::read(path).map_err(failed)
}
