//! Whether the browser says that it has a network.

use crate::clock;
use crate::listening::Listening;

/// Listens to the browser, until it is dropped. Only changes are heeded: what it says at first is wrong on machines
/// with a loopback alone.
pub(crate) struct Connection {
    _online: Listening,
    _offline: Listening,
}

impl Connection {
    /// Calls `changed` with whether there is a network again.
    pub(crate) fn new(changed: impl Fn(bool) + Clone + 'static) -> Self {
        let also = changed.clone();
        Self {
            _online: Listening::new(&clock::scope(), "online", move || changed(true)),
            _offline: Listening::new(&clock::scope(), "offline", move || also(false)),
        }
    }
}
