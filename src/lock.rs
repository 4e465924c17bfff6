//! One at a time, among all tabs of an origin: Web Locks. The browser gives back those of a tab that is gone, however it
//! went.
//!
//! Where there are none (they need a secure context), only the uploads of this page keep out of each other's way. Two tabs
//! that go on with the same upload then send the same parts of the same file twice over and get the same archive.

use std::cell::RefCell;

use js_sys::{Array, Function, Object, Promise};
use wasm_bindgen::prelude::{Closure, JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::clock;
use crate::dynamic::{call, call_async};
use crate::json::{self, set};

/// A page that was reloaded holds its locks until the browser has taken it down, which the next page may not see.
const PATIENCE_MS: u32 = 1_000;

thread_local! {
    /// Those of this page, where there are no Web Locks.
    static HELD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// A lock, held until it is dropped.
pub(crate) struct Lock {
    name: String,
    /// `None` where there are no Web Locks.
    release: Option<Function>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        match &self.release {
            // The function of a promise does not throw.
            Some(release) => drop(release.call0(&JsValue::UNDEFINED)),
            None => HELD.with_borrow_mut(|held| held.retain(|name| *name != self.name)),
        }
    }
}

/// Takes the lock, or `None` where somebody has it.
pub(crate) async fn take(name: String) -> Option<Lock> {
    match request(&name).await {
        Ok(release) => release.dyn_into().ok().map(|release| Lock { name, release: Some(release) }),
        Err(error) if json::get(&error, "name") == "TimeoutError" => None,
        Err(_) => take_here(name),
    }
}

fn take_here(name: String) -> Option<Lock> {
    let is_free = HELD.with_borrow_mut(|held| {
        let is_free = !held.contains(&name);
        if is_free {
            held.push(name.clone());
        }
        is_free
    });
    is_free.then_some(Lock { name, release: None })
}

/// The names of all locks that are held.
pub(crate) async fn held() -> Vec<String> {
    let Ok(snapshot) = call_async(&manager(), "query", &[]).await else {
        return HELD.with_borrow(Clone::clone);
    };
    let held: Array = json::get(&snapshot, "held").dyn_into().unwrap_or_default();
    held.iter().filter_map(|lock: JsValue| json::get(&lock, "name").as_string()).collect()
}

fn manager() -> JsValue {
    json::get(&clock::scope().navigator(), "locks")
}

/// What gives the lock back, or `null`. The browser holds it as long as the promise that the callback returned is open.
async fn request(name: &str) -> Result<JsValue, JsValue> {
    let mut told = None;
    let granted = Promise::new(&mut |resolve, _| told = Some(resolve));
    let tell = move |what: &JsValue| {
        if let Some(told) = &told {
            let _ = told.call1(&JsValue::UNDEFINED, what);
        }
    };
    let callback = Closure::<dyn FnMut(JsValue) -> JsValue>::new(move |lock: JsValue| {
        if lock.is_null() {
            tell(&lock);
            return lock;
        }
        Promise::new(&mut |release, _| tell(&release)).into()
    });
    let options = Object::new();
    match call(&json::get(&clock::scope(), "AbortSignal"), "timeout", &[&PATIENCE_MS.into()]) {
        Ok(signal) => set(&options, "signal", &signal),
        Err(_) => set(&options, "ifAvailable", &true.into()),
    }
    let requested = call(&manager(), "request", &[&name.into(), &options, callback.as_ref()])?;
    // A request that is refused calls nobody; one that is granted ends when the lock is given back.
    JsFuture::from(Promise::race(&Array::of2(&granted, &requested))).await
}
