//! What is under way as a page hears of it: listeners of its state and, now and then, of its progress.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use glacier_core::clock::Instant;
use glacier_core::error::{ErrorCode, UploadError};
use js_sys::Function;
use wasm_bindgen::prelude::{Closure, JsCast, JsValue};

use crate::clock::{self, Timer};
use crate::json;
use crate::task;

/// Least time between two progress events. A page cannot show more, and thousands of files must not freeze it.
const PROGRESS_INTERVAL_MS: u64 = 100;

/// The events of a page's `on`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventName {
    Progress,
    State,
}

impl EventName {
    /// The event of that name.
    pub(crate) fn from_name(name: &str) -> Result<Self, UploadError> {
        match name {
            "progress" => Ok(Self::Progress),
            "state" => Ok(Self::State),
            _ => {
                let message = "there is no such event: known are \"progress\" and \"state\"";
                Err(UploadError::new(ErrorCode::InvalidOption, message))
            }
        }
    }
}

/// Who listens to one upload or download, and what they were shown last.
pub(crate) struct Events {
    listeners: RefCell<Vec<Listener>>,
    next_listener: Cell<u32>,
    shown_state: Cell<&'static str>,
    shown_progress: Cell<Option<Instant>>,
    trailing: RefCell<Option<Timer>>,
}

struct Listener {
    id: u32,
    event: EventName,
    callback: Function,
}

/// What is under way, for its events.
pub(crate) trait Shown: 'static {
    fn events(&self) -> &Events;
    /// In the page's words.
    fn state(&self) -> &'static str;
    /// As the page reads it.
    fn progress(&self) -> JsValue;
}

impl Events {
    /// Nobody listens yet. `state` needs no event.
    pub(crate) fn new(state: &'static str) -> Self {
        Self {
            listeners: RefCell::default(),
            next_listener: Cell::new(0),
            shown_state: Cell::new(state),
            shown_progress: Cell::new(None),
            trailing: RefCell::default(),
        }
    }

    fn emit(&self, event: EventName, detail: &JsValue) {
        // A copy: a listener may add or remove listeners.
        let callbacks: Vec<Function> = {
            let listeners = self.listeners.borrow();
            listeners.iter().filter(|listener| listener.event == event).map(|one| one.callback.clone()).collect()
        };
        for callback in callbacks {
            if let Err(thrown) = callback.call1(&JsValue::UNDEFINED, detail) {
                report(&thrown);
            }
        }
    }
}

/// Adds a listener; the function returned removes it.
pub(crate) fn on<T: Shown>(shown: &Rc<T>, event: EventName, callback: Function) -> Function {
    let events = shown.events();
    let id = events.next_listener.get();
    events.next_listener.set(id + 1);
    events.listeners.borrow_mut().push(Listener { id, event, callback });
    let shown = Rc::downgrade(shown);
    let off = Closure::<dyn FnMut()>::new(move || {
        if let Some(shown) = shown.upgrade() {
            shown.events().listeners.borrow_mut().retain(|listener| listener.id != id);
        }
    });
    off.into_js_value().unchecked_into()
}

/// Shows what changed to whoever listens: a new state and the end at once, progress when it is time.
pub(crate) fn publish<T: Shown>(shown: &Rc<T>, is_over: bool) {
    let state = shown.state();
    let is_new = state != shown.events().shown_state.replace(state);
    if is_new || is_over {
        show_progress(&**shown);
    } else {
        show_progress_soon(shown);
    }
    if is_new {
        shown.events().emit(EventName::State, &state.into());
    }
}

fn show_progress_soon<T: Shown>(shown: &Rc<T>) {
    let events = shown.events();
    let now = clock::now();
    let wait = events.shown_progress.get().map_or(0, |last| PROGRESS_INTERVAL_MS.saturating_sub(now.since(last)));
    if wait == 0 {
        return show_progress(&**shown);
    }
    if events.trailing.borrow().is_some() {
        return;
    }
    let weak = Rc::downgrade(shown);
    let timer = Timer::after(i32::try_from(wait).unwrap_or(0), move || {
        if let Some(shown) = weak.upgrade() {
            // Out of the timer's own callback, which showing drops.
            task::spawn(async move { show_progress(&*shown) });
        }
    });
    *events.trailing.borrow_mut() = Some(timer);
}

fn show_progress<T: Shown>(shown: &T) {
    let events = shown.events();
    *events.trailing.borrow_mut() = None;
    events.shown_progress.set(Some(clock::now()));
    if events.listeners.borrow().iter().any(|listener| listener.event == EventName::Progress) {
        events.emit(EventName::Progress, &shown.progress());
    }
}

/// What a listener throws is the page's own error: it is shown where the page's errors are, and the work goes on.
fn report(thrown: &JsValue) {
    let scope = clock::scope();
    if let Ok(report_error) = json::get(&scope, "reportError").dyn_into::<Function>() {
        let _ = report_error.call1(&scope, thrown);
    }
}
