//! The way to Amazon SNS.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::place::Place;

/// For everything of one call.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer that is read. A certificate has two KiB.
const MAX_LEN: u64 = 64 << 10;

/// How a [`Place`] is called. Tests have another one than [`Outside::network`]; the places are the same.
#[derive(Clone)]
pub struct Outside {
    pub(super) get: Get,
}

type Get = Arc<dyn Fn(&Place) -> Result<Vec<u8>, Unreachable> + Send + Sync>;

/// The place did not answer as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreachable;

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outside")
    }
}

impl Outside {
    /// Calls places by `get`, which gives the body of an answer with status 200. May block for some seconds.
    pub fn new(get: impl Fn(&Place) -> Result<Vec<u8>, Unreachable> + Send + Sync + 'static) -> Self {
        Self { get: Arc::new(get) }
    }

    /// Over TLS, to hosts with a certificate of a public authority. Follows no redirect and uses no proxy.
    pub fn network() -> Self {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .https_only(true)
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .user_agent("glacier-upload-server")
            .build()
            .into();
        Self::new(move |place| {
            let fail = |error: ureq::Error| {
                tracing::warn!(%error, "Amazon SNS could not be reached");
                Unreachable
            };
            let mut answer = agent.get(place.as_str()).call().map_err(fail)?;
            if answer.status() != 200 {
                tracing::warn!(status = answer.status().as_u16(), "Amazon SNS did not answer as it should");
                return Err(Unreachable);
            }
            answer.body_mut().with_config().limit(MAX_LEN).read_to_vec().map_err(fail)
        })
    }
}
