//! The monotonic clock, timers and chance. The wall clock is never read: it is often wrong.

use glacier_core::clock::{Instant, Jitter};
use wasm_bindgen::prelude::{Closure, JsCast};
use web_sys::WorkerGlobalScope;

/// The global object, of a page or of a worker. Typed as the worker's because all that is used of it (`fetch`,
/// `setTimeout`, `performance`, `crypto`, `navigator.hardwareConcurrency`) is of the mixin both share.
pub(crate) fn scope() -> WorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Milliseconds since the page or worker began.
pub(crate) fn now() -> Instant {
    let ms = scope().performance().map_or(0.0, |performance| performance.now());
    Instant(crate::file::whole(ms))
}

/// A fresh fraction in [0, 1).
pub(crate) fn jitter() -> Jitter {
    Jitter::new(js_sys::Math::random())
}

/// A pending timer; dropping it cancels it.
pub(crate) struct Timer {
    id: i32,
    _callback: Closure<dyn FnMut()>,
}

impl Timer {
    /// Calls `callback` once after `ms` milliseconds.
    pub(crate) fn after(ms: i32, callback: impl FnMut() + 'static) -> Self {
        Self::boxed(ms, Box::new(callback))
    }

    // Once for all callbacks: a closure of JavaScript is glue of its own for every type it is made of.
    fn boxed(ms: i32, callback: Box<dyn FnMut()>) -> Self {
        let callback = Closure::wrap(callback);
        let id = scope()
            .set_timeout_with_callback_and_timeout_and_arguments_0(callback.as_ref().unchecked_ref(), ms)
            .unwrap_or_default();
        Self { id, _callback: callback }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        scope().clear_timeout_with_handle(self.id);
    }
}
