//! A list as an async iterator: more is asked for when what is at hand is used up.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;

use glacier_core::call::{Answer, List, Listing};
use js_sys::Promise;
use wasm_bindgen::prelude::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use crate::call::{Failure, call};
use crate::session::Session;
use crate::vaults::{object, promise};

/// Where the items of a list come from.
pub(crate) trait Items {
    /// The next one, if it is there already.
    fn at_hand(&self) -> Option<JsValue>;

    /// Waits for more; `false` where there is no more. It is asked for when nothing is at hand, and not twice at once.
    fn more(self: Rc<Self>) -> Pin<Box<dyn Future<Output = Result<bool, Failure>>>>;

    /// Nothing more is wanted: `at_hand` gives nothing from here on, and `more` gives `false`.
    fn end(&self);
}

/// One walk through a list.
pub(crate) struct Pages {
    items: Rc<dyn Items>,
    /// What was asked for last: whoever asks again before it is answered gets what follows.
    last: RefCell<Promise>,
    /// How many are asked for and not answered.
    asked: Cell<u32>,
}

impl Pages {
    pub(crate) fn new(items: Rc<dyn Items>) -> Rc<Self> {
        let last = RefCell::new(Promise::resolve(&JsValue::UNDEFINED));
        Rc::new(Self { items, last, asked: Cell::new(0) })
    }

    /// The promise of `{ value, done }`.
    pub(crate) fn next(self: &Rc<Self>) -> Promise {
        // Almost always, and many times cheaper than what follows.
        if self.asked.get() == 0
            && let Some(item) = self.items.at_hand()
        {
            return Promise::resolve(&answer(Some(item)));
        }
        self.asked.set(self.asked.get() + 1);
        let (pages, before) = (Rc::clone(self), self.last.borrow().clone());
        let next = promise(Box::pin(async move {
            let _ = JsFuture::from(before).await;
            let item = pages.item().await.inspect_err(|_| pages.items.end());
            pages.asked.set(pages.asked.get() - 1);
            Ok(answer(item?))
        }));
        *self.last.borrow_mut() = next.clone();
        next
    }

    async fn item(&self) -> Result<Option<JsValue>, Failure> {
        loop {
            let item = self.items.at_hand();
            if item.is_some() || !Rc::clone(&self.items).more().await? {
                return Ok(item);
            }
        }
    }

    /// Nothing more is wanted.
    pub(crate) fn end(&self) {
        self.items.end();
    }
}

fn answer(item: Option<JsValue>) -> JsValue {
    let is_over = item.is_none();
    object(&[("value", item.unwrap_or(JsValue::UNDEFINED)), ("done", is_over.into())]).into()
}

/// What a list operation of the service gives, a page a request.
pub(crate) struct Listed {
    session: Rc<Session>,
    signal: Option<AbortSignal>,
    listing: RefCell<Listing>,
    /// Of the page at hand, not yet given.
    items: RefCell<VecDeque<JsValue>>,
    read: Box<dyn Fn(Answer) -> Vec<JsValue>>,
}

impl Listed {
    pub(crate) fn new(
        session: Rc<Session>,
        list: List,
        signal: Option<AbortSignal>,
        read: impl Fn(Answer) -> Vec<JsValue> + 'static,
    ) -> Rc<Self> {
        let listing = RefCell::new(Listing::new(list));
        Rc::new(Self { session, signal, listing, items: RefCell::default(), read: Box::new(read) })
    }
}

impl Items for Listed {
    fn at_hand(&self) -> Option<JsValue> {
        self.items.borrow_mut().pop_front()
    }

    fn more(self: Rc<Self>) -> Pin<Box<dyn Future<Output = Result<bool, Failure>>>> {
        Box::pin(async move {
            let Some(intent) = self.listing.borrow().next_page() else { return Ok(false) };
            let page = call(Rc::clone(&self.session), intent, self.signal.clone()).await?;
            self.listing.borrow_mut().turn(&page)?;
            let items = (self.read)(page);
            self.items.borrow_mut().extend(items);
            Ok(true)
        })
    }

    fn end(&self) {
        self.listing.borrow_mut().end();
        self.items.borrow_mut().clear();
    }
}
