//! All downloads through one gateway, within one budget of workers, memory and requests.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use glacier_core::download::Source;
use glacier_core::error::UploadError;
use glacier_core::settings::GatewaySettings;

use crate::download::{Download, Wishes};
use crate::gateway::Gateway;
use crate::hash_pool::HashPool;
use crate::sink::Target;

/// Those that run, and what they share.
pub(crate) struct Downloads {
    settings: GatewaySettings,
    gateway: Rc<Gateway>,
    pool: HashPool,
    /// Weak: each keeps itself while it is under way.
    all: RefCell<Vec<Weak<Download>>>,
    /// How many ran when shares were last given.
    sharing: Cell<usize>,
}

impl Downloads {
    pub(crate) fn new(settings: GatewaySettings, gateway: Rc<Gateway>, pool: HashPool) -> Rc<Self> {
        Rc::new(Self { settings, gateway, pool, all: RefCell::default(), sharing: Cell::new(0) })
    }

    /// Starts the download of a job's output or of an object.
    ///
    /// # Errors
    /// As [`Download::start`].
    pub(crate) fn start(
        self: &Rc<Self>,
        source: Source,
        target: Target,
        wishes: Wishes,
    ) -> Result<Rc<Download>, UploadError> {
        let through = (Rc::clone(&self.gateway), self.pool.clone());
        let download = Download::start(source, target, wishes, &self.settings, through)?;
        self.all.borrow_mut().push(Rc::downgrade(&download));
        let downloads = Rc::downgrade(self);
        download.on_running(move || {
            if let Some(downloads) = downloads.upgrade() {
                downloads.share();
            }
        });
        self.share();
        Ok(download)
    }

    /// Aborts what is not over.
    pub(crate) fn close(&self) {
        for download in self.all() {
            // Whoever waits for one of them hears of it.
            let _ = download.abort();
        }
    }

    fn all(&self) -> Vec<Rc<Download>> {
        self.all.borrow_mut().retain(|download| download.strong_count() > 0);
        self.all.borrow().iter().filter_map(Weak::upgrade).collect()
    }

    fn share(&self) {
        let mut running = self.all();
        running.retain(|download| download.is_running());
        // What is given another share changes, and every change comes back here.
        if self.sharing.replace(running.len()) != running.len() {
            let sharing = u32::try_from(running.len()).unwrap_or(u32::MAX);
            for download in running {
                download.share(|machine| self.settings.download_share(machine.range_size(), sharing));
            }
        }
    }
}
