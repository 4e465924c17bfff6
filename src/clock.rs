//! The monotonic clock, timers and chance. The wall clock is often wrong: it dates records for people, and no more.

use std::cell::RefCell;

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

/// Milliseconds since 1970, as this computer believes.
pub(crate) fn wall_ms() -> u64 {
    crate::file::whole(js_sys::Date::now())
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

/// The timer of a state machine, which has one at a time.
#[derive(Default)]
pub(crate) struct Alarm(RefCell<Option<(Instant, Timer)>>);

impl Alarm {
    /// Rings at `at` instead of when it would have; `None` is never. What rings must not [`stop`](Self::stop) or set
    /// the alarm within the call, which would drop the timer in its own callback.
    pub(crate) fn set(&self, at: Option<Instant>, ring: impl FnMut() + 'static) {
        if self.0.borrow().as_ref().map(|(armed, _)| *armed) == at {
            return;
        }
        let timer = at.map(|at| (at, Timer::after(i32::try_from(at.since(now())).unwrap_or(i32::MAX), ring)));
        *self.0.borrow_mut() = timer;
    }

    /// It has rung, or is not wanted any more.
    pub(crate) fn stop(&self) {
        *self.0.borrow_mut() = None;
    }
}
