//! What all calls, waits and downloads of one `createVaults` or `createBuckets` share.

use std::rc::Rc;

use glacier_core::settings::VaultsSettings;
use web_sys::{AbortController, AbortSignal};

use crate::call::Failure;
use crate::downloads::Downloads;
use crate::event_feed::EventFeed;
use crate::gateway::Gateway;
use crate::hash_pool::HashPool;
use crate::listening::Listening;

/// One way to the vaults or buckets. Everything that is under way holds it, so that a page need keep nothing but a promise.
pub(crate) struct Session {
    pub(crate) settings: VaultsSettings,
    pub(crate) gateway: Rc<Gateway>,
    /// For what is downloaded.
    pub(crate) pool: HashPool,
    pub(crate) downloads: Rc<Downloads>,
    /// Tells when jobs are done, where there is somebody to ask.
    pub(crate) events: Option<Rc<EventFeed>>,
    /// Aborted by `close`; every call heeds it as it heeds its own signal.
    closing: Option<AbortController>,
}

impl Session {
    pub(crate) fn new(settings: VaultsSettings, gateway: Gateway, pool: HashPool) -> Rc<Self> {
        let gateway = Rc::new(gateway);
        let events = (settings.events && gateway.has_endpoint())
            .then(|| EventFeed::new(Rc::clone(&gateway), settings.gateway.retry));
        let downloads = Downloads::new(settings.gateway, Rc::clone(&gateway), pool.clone());
        Rc::new(Self { settings, gateway, pool, downloads, events, closing: AbortController::new().ok() })
    }

    /// Calls `tell` when the page aborts the signal or closes the session.
    ///
    /// # Errors
    /// [`Failure::Aborted`] where one of them has happened.
    pub(crate) fn on_abort(
        &self,
        signal: Option<&AbortSignal>,
        tell: impl Fn() + Clone + 'static,
    ) -> Result<Vec<Listening>, Failure> {
        let closing = self.closing.as_ref().map(AbortController::signal);
        let signals: Vec<&AbortSignal> = closing.iter().chain(signal).collect();
        if signals.iter().any(|signal| signal.aborted()) {
            return Err(Failure::Aborted);
        }
        Ok(signals.into_iter().map(|signal| Listening::new(signal, "abort", tell.clone())).collect())
    }

    /// Cancels what runs and stops the workers.
    pub(crate) fn close(&self) {
        if let Some(closing) = &self.closing {
            closing.abort();
        }
        self.downloads.close();
        self.pool.close();
    }
}
