//! Lists as JavaScript sees them. `js/index.js` makes them iterable, which no export of Rust can be.

use std::rc::Rc;

use glacier_core::call::{Answer, List};
use js_sys::Promise;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use web_sys::AbortSignal;

use crate::archives::Archives;
use crate::pages::{self, Listed};
use crate::session::Session;
use crate::vaults::object;

/// An async iterator over a list.
#[wasm_bindgen(skip_typescript)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct Pages {
    pages: Rc<pages::Pages>,
}

impl Pages {
    pub(super) fn new(
        session: &Rc<Session>,
        list: List,
        signal: Option<AbortSignal>,
        read: impl Fn(Answer) -> Vec<JsValue> + 'static,
    ) -> Self {
        Self { pages: pages::Pages::new(Listed::new(Rc::clone(session), list, signal, read)) }
    }

    pub(super) fn of(archives: Rc<Archives>) -> Self {
        Self { pages: pages::Pages::new(archives) }
    }
}

#[wasm_bindgen]
impl Pages {
    /// The promise of `{ value, done }`.
    pub fn next(&self) -> Promise {
        self.pages.next()
    }

    /// Ends it; what `for await` calls when it is left.
    #[wasm_bindgen(js_name = return)]
    pub fn end(&self, value: JsValue) -> Promise {
        self.pages.end();
        let ended: JsValue = object(&[("value", value), ("done", true.into())]).into();
        Promise::resolve(&ended)
    }
}
