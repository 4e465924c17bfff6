//! The embedded store, mounted in this process. It checks the signature of every request as it would alone: being in
//! the same process is no credential.

use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use glacier_core::glacier::VaultName;
use glacier_core::sigv4::Credentials;
use local_glacier::{Clock, Glacier, GlacierConfig, OpenError, Pace, Store, StoreConfig, StoreError};

/// Why the store cannot be mounted.
#[derive(Debug)]
#[non_exhaustive]
pub enum MountError {
    /// Its data folder cannot be opened.
    Open(OpenError),
    /// A vault cannot be made.
    Vault(StoreError),
    /// The key of its notifications cannot be read or made.
    Store(StoreError),
}

impl std::fmt::Display for MountError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Open(_) | Self::Store(_) => "the embedded store cannot be opened; check --data",
            Self::Vault(_) => "the vaults of --vault cannot be made",
        })
    }
}

impl std::error::Error for MountError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Open(error) => Some(error),
            Self::Vault(error) | Self::Store(error) => Some(error),
        }
    }
}

/// Opens the store in `data` and makes `vaults`. Blocks.
///
/// # Errors
/// [`MountError`].
pub fn open(
    data: &Path,
    vaults: &[VaultName],
    credentials: Credentials,
    region: &str,
    account_id: &str,
) -> Result<Glacier, MountError> {
    let store = Store::open(StoreConfig { data: data.to_owned(), clock: Clock::system(), pace: Pace::default() })
        .map_err(MountError::Open)?;
    for vault in vaults {
        store.create_vault(vault).map_err(MountError::Vault)?;
    }
    let config = GlacierConfig {
        credentials: vec![credentials],
        region: region.to_owned(),
        account_id: account_id.to_owned(),
        // The layer around all routes decides, for the store as for the gateway.
        allowed_origins: Vec::new(),
        topics: Vec::new(),
    };
    Glacier::new(store, config).map_err(MountError::Store)
}

/// All paths to the store.
pub fn router(glacier: Glacier) -> Router {
    Router::new().fallback(move |request: Request| {
        let glacier = glacier.clone();
        async move { glacier.handle(request).await.map(Body::new) }
    })
}
