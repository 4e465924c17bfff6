//! How what is under way comes to an end: the promises a page waits for, and the signal that it gives up by.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::JsValue;
use web_sys::AbortSignal;

use crate::listening::Listening;

/// What somebody waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// `done()`: what came of it, or why nothing did.
    Outcome,
    /// `abort()`: that it is over, however.
    End,
}

struct Waiter {
    for_what: Awaited,
    resolve: Function,
    reject: Function,
}

/// Promises that are not settled yet.
#[derive(Default)]
pub(crate) struct Waiters(RefCell<Vec<Waiter>>);

impl Waiters {
    /// One more.
    pub(crate) fn wait(&self, for_what: Awaited) -> Promise {
        Promise::new(&mut |resolve, reject| self.0.borrow_mut().push(Waiter { for_what, resolve, reject }))
    }

    /// Settles who waits for the outcome; and where it is the end, who waits for that.
    pub(crate) fn settle(&self, outcome: &Result<JsValue, JsValue>, is_end: bool) {
        let ended: Vec<Waiter> = {
            let mut waiting = self.0.borrow_mut();
            let (ended, rest) = std::mem::take(&mut *waiting)
                .into_iter()
                .partition(|waiter| waiter.for_what == Awaited::Outcome || is_end);
            *waiting = rest;
            ended
        };
        for waiter in ended {
            let settled = match (outcome, waiter.for_what) {
                (_, Awaited::End) => waiter.resolve.call0(&JsValue::UNDEFINED),
                (Ok(value), Awaited::Outcome) => waiter.resolve.call1(&JsValue::UNDEFINED, value),
                (Err(error), Awaited::Outcome) => waiter.reject.call1(&JsValue::UNDEFINED, error),
            };
            // The functions of a promise do not throw.
            drop(settled);
        }
    }
}

/// Calls `abort` when `signal` aborts, until what is returned is dropped; now, if it already has.
pub(crate) fn follow<T: 'static>(target: &Rc<T>, signal: &AbortSignal, abort: fn(&Rc<T>)) -> Option<Listening> {
    if signal.aborted() {
        abort(target);
        return None;
    }
    let target = Rc::downgrade(target);
    Some(Listening::new(signal, "abort", move || {
        if let Some(target) = target.upgrade() {
            abort(&target);
        }
    }))
}
