//! A list as an async iterator: one page is asked for when the one before is used up.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use glacier_core::call::{Answer, List, Listing};
use js_sys::Promise;
use wasm_bindgen::prelude::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use crate::call::{Failure, call};
use crate::session::Session;
use crate::vaults::{object, promise};

/// One walk through a list.
pub(crate) struct Pages {
    session: Rc<Session>,
    signal: Option<AbortSignal>,
    listing: RefCell<Listing>,
    /// Of the page at hand, not yet given.
    items: RefCell<VecDeque<JsValue>>,
    read: Box<dyn Fn(Answer) -> Vec<JsValue>>,
    /// What was asked for last: whoever asks again before it is answered gets what follows.
    last: RefCell<Promise>,
}

impl Pages {
    pub(crate) fn new(
        session: Rc<Session>,
        list: List,
        signal: Option<AbortSignal>,
        read: impl Fn(Answer) -> Vec<JsValue> + 'static,
    ) -> Rc<Self> {
        Rc::new(Self {
            session,
            signal,
            listing: RefCell::new(Listing::new(list)),
            items: RefCell::default(),
            read: Box::new(read),
            last: RefCell::new(Promise::resolve(&JsValue::UNDEFINED)),
        })
    }

    /// The promise of `{ value, done }`.
    pub(crate) fn next(self: &Rc<Self>) -> Promise {
        let (pages, before) = (Rc::clone(self), self.last.borrow().clone());
        let next = promise(Box::pin(async move {
            let _ = JsFuture::from(before).await;
            let item = pages.item().await.inspect_err(|_| pages.listing.borrow_mut().end())?;
            let is_over = item.is_none();
            let value = item.unwrap_or(JsValue::UNDEFINED);
            Ok(object(&[("value", value), ("done", is_over.into())]).into())
        }));
        *self.last.borrow_mut() = next.clone();
        next
    }

    async fn item(&self) -> Result<Option<JsValue>, Failure> {
        loop {
            let item = self.items.borrow_mut().pop_front();
            if item.is_some() {
                return Ok(item);
            }
            let Some(intent) = self.listing.borrow().next_page() else { return Ok(None) };
            let page = call(Rc::clone(&self.session), intent, self.signal.clone()).await?;
            self.listing.borrow_mut().turn(&page)?;
            let items = (self.read)(page);
            self.items.borrow_mut().extend(items);
        }
    }

    /// Nothing more is wanted.
    pub(crate) fn end(&self) {
        self.listing.borrow_mut().end();
        self.items.borrow_mut().clear();
    }
}
