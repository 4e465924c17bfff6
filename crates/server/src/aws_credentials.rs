//! The keys that requests to AWS are signed with, from where AWS's own tools take them, and new ones before they expire.
//!
//! In this order: environment, the profile of the shared configuration (`AWS_PROFILE`, else `default`: its role, single
//! sign-on, keys or process), web identity, the container's role, the instance's role. A source that is set up but fails
//! ends the search, because the next one may be somebody else. Nothing here shows a secret: not in the log, not in an
//! error, not with `Debug`.
//!
//! **Source:** AWS SDKs and Tools reference, "Standardized credential providers".

mod chain;
mod outside;
mod profile;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use glacier_core::sigv4::{Credentials, SecretKey, Timestamp};
use tokio::sync::Mutex;

use self::chain::Chain;
use crate::upstream::Client;

/// How long before they expire new ones are asked for, in seconds: the instance's role has its next ones ready by then.
const AHEAD_S: u64 = 300;
/// How long credentials without an end are kept before their file is read again, in seconds.
const REREAD_S: u64 = 900;
/// How long a failure is believed, in seconds. A search may last seconds and every request would begin one.
const FAILURE_S: u64 = 5;
/// How long after a failure to renew credentials that are still good it is tried again, in seconds.
const RENEW_AGAIN_S: u64 = 30;

/// Credentials that stay good. Clones share them.
#[derive(Clone)]
pub struct AwsCredentials(Arc<Shared>);

struct Shared {
    source: Source,
    clock: fn() -> Timestamp,
    state: RwLock<State>,
    /// Held by the one that searches.
    search: Arc<Mutex<()>>,
}

enum Source {
    Fixed,
    Chain(Chain),
}

#[derive(Default)]
struct State {
    current: Option<Loaded>,
    failure: Option<(Timestamp, NoCredentials)>,
}

#[derive(Clone)]
struct Loaded {
    credentials: Arc<Credentials>,
    renew_at: Timestamp,
    /// `None` for those without an end.
    expires: Option<Timestamp>,
}

/// There are no credentials. `Display` names every source that was tried and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoCredentials {
    tried: Vec<Tried>,
}

/// One source without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tried {
    source: &'static str,
    why: String,
}

impl fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there are no AWS credentials. Tried")?;
        for (index, tried) in self.tried.iter().enumerate() {
            let separator = if index == 0 { ":" } else { ";" };
            write!(f, "{separator} {} ({})", tried.source, tried.why)?;
        }
        Ok(())
    }
}

impl std::error::Error for NoCredentials {}

impl fmt::Debug for AwsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsCredentials")
    }
}

impl AwsCredentials {
    /// Those of the ordinary chain. Asks for none yet. `region` is where roles are assumed.
    pub fn ordinary(client: Client, region: &str, clock: fn() -> Timestamp) -> Self {
        Self::of(Source::Chain(Chain::new(client, region, reqsign_core::OsEnv)), clock, State::default())
    }

    /// Always these.
    pub fn fixed(credentials: Credentials) -> Self {
        let start = Timestamp::from_unix(0);
        let current = Loaded { credentials: Arc::new(credentials), renew_at: start, expires: None };
        Self::of(Source::Fixed, || Timestamp::from_unix(0), State { current: Some(current), failure: None })
    }

    fn of(source: Source, clock: fn() -> Timestamp, state: State) -> Self {
        Self(Arc::new(Shared { source, clock, state: RwLock::new(state), search: Arc::default() }))
    }

    /// Credentials that are good now. Waits only when there are none; those that will expire soon are renewed meanwhile.
    ///
    /// # Errors
    /// [`NoCredentials`], for some seconds the same one.
    pub async fn get(&self) -> Result<Arc<Credentials>, NoCredentials> {
        let Source::Chain(chain) = &self.0.source else {
            return self.current().map(|loaded| loaded.credentials).ok_or(NoCredentials { tried: Vec::new() });
        };
        let now = (self.0.clock)();
        if let Some(loaded) = self.current().filter(|loaded| loaded.is_good(now)) {
            if now >= loaded.renew_at
                && let Ok(searching) = Arc::clone(&self.0.search).try_lock_owned()
            {
                let this = self.clone();
                tokio::spawn(async move {
                    if let Source::Chain(chain) = &this.0.source {
                        this.renew(chain).await;
                    }
                    drop(searching);
                });
            }
            return Ok(loaded.credentials);
        }
        let _searching = self.0.search.lock().await;
        // Somebody else may have found some, or found none, in the meantime.
        let now = (self.0.clock)();
        if let Some(loaded) = self.current().filter(|loaded| loaded.is_good(now)) {
            return Ok(loaded.credentials);
        }
        if let Some((_, failure)) = self.failure().filter(|(at, _)| now < at.plus(FAILURE_S)) {
            return Err(failure);
        }
        match self.load(chain).await {
            Ok(loaded) => Ok(loaded.credentials),
            Err(failure) => {
                tracing::warn!(%failure, "no AWS credentials");
                self.write(|state| state.failure = Some(((self.0.clock)(), failure.clone())));
                Err(failure)
            }
        }
    }

    async fn renew(&self, chain: &Chain) {
        if let Err(failure) = self.load(chain).await {
            tracing::warn!(%failure, "the AWS credentials could not be renewed; they are good for now");
            let renew_at = (self.0.clock)().plus(RENEW_AGAIN_S);
            self.write(|state| {
                if let Some(loaded) = &mut state.current {
                    loaded.renew_at = renew_at;
                }
            });
        }
    }

    async fn load(&self, chain: &Chain) -> Result<Loaded, NoCredentials> {
        let found = chain.find().await.map_err(|tried| NoCredentials { tried })?;
        let now = (self.0.clock)();
        let loaded = Loaded::new(found.credential, now).ok_or_else(|| {
            let why = "what it gives is expired or cannot stand in a header".to_owned();
            NoCredentials { tried: vec![Tried { source: found.source, why }] }
        })?;
        tracing::info!(
            source = found.source,
            expires = loaded.expires.map(tracing::field::display),
            "AWS credentials loaded"
        );
        self.write(|state| *state = State { current: Some(loaded.clone()), failure: None });
        Ok(loaded)
    }

    fn current(&self) -> Option<Loaded> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner).current.clone()
    }

    fn failure(&self) -> Option<(Timestamp, NoCredentials)> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner).failure.clone()
    }

    fn write(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.state.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Loaded {
    /// `None` when nothing can be signed with it.
    fn new(credential: reqsign_aws_core::Credential, now: Timestamp) -> Option<Self> {
        let reqsign_aws_core::Credential { access_key_id, secret_access_key, session_token, expires_in } = credential;
        let is_text = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let session_token = session_token.filter(|token| !token.is_empty());
        if !is_text(&access_key_id) || secret_access_key.is_empty() || !session_token.as_deref().is_none_or(is_text) {
            return None;
        }
        let expires = expires_in.map(|at| Timestamp::from_unix(u64::try_from(at.as_second()).unwrap_or(0)));
        let renew_at = match expires {
            None => now.plus(REREAD_S),
            Some(at) => {
                let left = at.as_unix().saturating_sub(now.as_unix());
                // Short ones are not asked for again at once.
                at.minus(AHEAD_S.min(left / 2))
            }
        };
        let credentials =
            Credentials { access_key_id, secret_access_key: SecretKey::new(secret_access_key), session_token };
        Some(Self { credentials: Arc::new(credentials), renew_at, expires }).filter(|loaded| loaded.is_good(now))
    }

    fn is_good(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|at| now < at)
    }
}

#[cfg(test)]
mod tests;
