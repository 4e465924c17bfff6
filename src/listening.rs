//! Listeners of what is not ours, which outlives us.

use wasm_bindgen::prelude::{Closure, JsCast};
use web_sys::EventTarget;

/// A listener, until it is dropped.
pub(crate) struct Listening {
    target: EventTarget,
    event: &'static str,
    callback: Closure<dyn FnMut()>,
}

impl Listening {
    /// Calls `callback` on every event of that name.
    pub(crate) fn new(target: &EventTarget, event: &'static str, callback: impl FnMut() + 'static) -> Self {
        Self::boxed(target, event, Box::new(callback))
    }

    // Once for all callbacks: a closure of JavaScript is glue of its own for every type it is made of.
    fn boxed(target: &EventTarget, event: &'static str, callback: Box<dyn FnMut()>) -> Self {
        let callback = Closure::wrap(callback);
        // Fails only for a listener that is no function.
        let _ = target.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref());
        Self { target: target.clone(), event, callback }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.target.remove_event_listener_with_callback(self.event, self.callback.as_ref().unchecked_ref());
    }
}
