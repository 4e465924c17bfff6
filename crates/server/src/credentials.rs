//! The gateway's own secrets: its key for tokens and its credentials for the embedded store. Neither leaves the process
//! but to its data folder.

use std::path::Path;

use glacier_core::hex;
use glacier_core::sigv4::{Credentials, SecretKey};

use crate::config::ConfigError;
use crate::secret_file::{self, SecretFileError};
use crate::token::TokenKey;

/// The environment variable with the token key, for back ends that make tokens. No flag, because other users of the
/// machine can see flags.
pub const TOKEN_KEY_VARIABLE: &str = "GLACIER_UPLOAD_TOKEN_KEY";

/// The key for tokens: of the environment, of the file `given`, or of the data folder, made on first start.
///
/// # Errors
/// [`ConfigError`] when there are two, or it is unusable, known to others or open to others.
pub fn token_key(data: &Path, given: Option<&Path>) -> Result<TokenKey, ConfigError> {
    let (key, text) = match (std::env::var_os(TOKEN_KEY_VARIABLE).filter(|text| !text.is_empty()), given) {
        (Some(_), Some(_)) => {
            let why = format!("there is another key in {TOKEN_KEY_VARIABLE}; give one of the two");
            return Err(ConfigError::new("token-key-file", why));
        }
        (Some(text), None) => ("token-key", text.into_string().map_err(|_| ConfigError::new("token-key", "not text"))?),
        (None, Some(path)) => {
            let text = secret_file::read(path).map_err(|error| ConfigError::new("token-key-file", error.whole()))?;
            ("token-key-file", text)
        }
        (None, None) => {
            let make = || Ok(hex::encode(&random::<32>()?));
            let text = secret_file::read_or_make(&data.join("token-key"), make);
            ("data", text.map_err(|error| ConfigError::new("data", error.whole()))?)
        }
    };
    let token_key = TokenKey::from_text(&text).map_err(|error| ConfigError::new(key, error.to_string()))?;
    if token_key.is_published() {
        return Err(ConfigError::new(key, "this key is printed where anybody can read it; openssl rand -hex 32"));
    }
    Ok(token_key)
}

/// The embedded store's credentials, made on first start and known to nobody else.
///
/// # Errors
/// [`SecretFileError`].
pub fn store_credentials(data: &Path) -> Result<Credentials, SecretFileError> {
    let path = data.join("store-credentials");
    let text = secret_file::read_or_make(&path, || {
        let key_id: String = random::<16>()?.iter().map(|byte| char::from(b'A' + byte % 26)).collect();
        Ok(format!("AKIA{key_id}\n{}\n", hex::encode(&random::<32>()?)))
    })?;
    let mut lines = text.lines();
    let (Some(key_id), Some(secret)) = (lines.next(), lines.next().filter(|secret| secret.len() >= 40)) else {
        return Err(unusable(&path, "expected an access key ID and a secret access key, a line each"));
    };
    Ok(Credentials {
        access_key_id: key_id.to_owned(),
        secret_access_key: SecretKey::new(secret.to_owned()),
        session_token: None,
    })
}

/// Bytes from the operating system's random source.
///
/// # Errors
/// When there is none.
pub fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

fn unusable(path: &Path, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SecretFileError {
    SecretFileError::Io { path: path.to_owned(), source: std::io::Error::new(std::io::ErrorKind::InvalidData, why) }
}
