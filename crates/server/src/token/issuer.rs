//! Somebody else who signs tokens, and whose keys are fetched.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::jwks::KeySet;
use super::jwt::Compact;
use super::{Audience, Claims, Grants, TokenError};

/// How often keys are fetched when nothing asks for it.
pub const REFRESH: Duration = Duration::from_secs(10 * 60);

/// Shortest time between fetches: anybody can send tokens that name keys there are not.
pub const MIN_INTERVAL: Duration = Duration::from_secs(10);

/// How long keys count when no others can be fetched. Longer, and whoever stole a key that was taken back would only
/// have to keep the issuer from being reached.
pub const MAX_STALE: Duration = Duration::from_secs(60 * 60);

/// Gives the JWKS, or says why not, within some seconds.
pub type Fetch = Arc<dyn Fn() -> Fetching + Send + Sync>;

/// A JWKS on its way.
pub type Fetching = Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send>>;

/// An issuer of tokens.
pub struct Issuer {
    name: String,
    claim: String,
    fetch: Fetch,
    keys: Mutex<Keys>,
    /// Held by whoever fetches.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Keys {
    set: Arc<KeySet>,
    fetched: Option<Instant>,
    tried: Option<Instant>,
}

#[derive(Deserialize)]
struct Payload {
    iss: String,
    aud: Audience,
    sub: String,
    iat: u64,
    exp: u64,
    nbf: Option<u64>,
    jti: Option<String>,
    #[serde(flatten)]
    others: serde_json::Map<String, serde_json::Value>,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({})", self.name)
    }
}

impl Issuer {
    /// The issuer that calls itself `name` in `iss`, and says in `claim` what a token is good for.
    pub fn new(name: String, claim: String, fetch: Fetch) -> Self {
        Self { name, claim, fetch, keys: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Whether there are keys that still count.
    pub fn has_keys(&self) -> bool {
        self.keys().is_some()
    }

    /// Fetches keys now and then, for ever.
    pub async fn follow(&self) {
        loop {
            let is_fetched = self.refresh().await;
            tokio::time::sleep(if is_fetched { REFRESH } else { MIN_INTERVAL }).await;
        }
    }

    /// The claims, if the signature holds. Fetches keys if the one it names is not there, and then it is one of the
    /// issuer's newest or nobody's.
    pub(super) async fn verified(&self, token: &Compact<'_>) -> Result<Claims, TokenError> {
        let kid = token.header.kid.as_deref().ok_or(TokenError::Invalid)?;
        let has_key = |keys: &Option<Arc<KeySet>>| keys.as_ref().is_some_and(|keys| keys.has(kid));
        let mut keys = self.keys();
        if !has_key(&keys) {
            self.refresh().await;
            keys = self.keys();
        }
        if !keys.is_some_and(|keys| keys.verifies(token)) {
            return Err(TokenError::Invalid);
        }
        self.claims(token).ok_or(TokenError::Invalid)
    }

    fn claims(&self, token: &Compact<'_>) -> Option<Claims> {
        let mut payload: Payload = serde_json::from_slice(&token.payload()?).ok()?;
        // An object: serde would read a list of the values in order as well.
        let grants = payload.others.remove(&self.claim).filter(serde_json::Value::is_object)?;
        let grants: Grants = serde_json::from_value(grants).ok()?;
        (payload.iss == self.name).then_some(Claims {
            sub: payload.sub,
            vaults: grants.vaults,
            vault_prefixes: grants.vault_prefixes,
            objects: grants.objects,
            ops: grants.ops,
            max_archive_bytes: grants.max_archive_bytes,
            max_part_bytes: grants.max_part_bytes,
            max_parts: grants.max_parts,
            iat: payload.iat,
            exp: payload.exp,
            nbf: payload.nbf,
            jti: payload.jti,
            iss: Some(payload.iss),
            aud: Some(payload.aud),
        })
    }

    fn keys(&self) -> Option<Arc<KeySet>> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.fetched.filter(|at| at.elapsed() <= MAX_STALE).map(|_| keys.set.clone())
    }

    /// Fetches keys, unless somebody just did or tried to. Whether there are new ones.
    async fn refresh(&self) -> bool {
        let _turn = self.turn.lock().await;
        {
            let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            if keys.tried.is_some_and(|at| at.elapsed() < MIN_INTERVAL) {
                return keys.fetched == keys.tried;
            }
            keys.tried = Some(Instant::now());
        }
        let fetched = (self.fetch)().await;
        match fetched.and_then(|json| KeySet::read(&json).map_err(|error| error.to_string())) {
            Ok(set) => {
                let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
                keys.set = Arc::new(set);
                keys.fetched = keys.tried;
                true
            }
            Err(error) => {
                tracing::warn!(issuer = self.name, error, "keys could not be fetched; the last ones count for a while");
                false
            }
        }
    }
}
