//! The wait for the end of a job, or of an object's restore.

use std::pin::Pin;

use glacier_core::job_watch::{Command, Event, JobWatch, Outcome, Seen};
use wasm_bindgen::prelude::JsValue;
use web_sys::AbortSignal;

use crate::call::Failure;
use crate::clock;
use crate::connection::Connection;
use crate::event_feed::Watching;
use crate::mailbox::{Address, Mailbox};
use crate::session::Session;
use crate::task;

/// What a wait hears: how far it is, or why the store did not say.
pub(crate) type Heard = Result<Event, Failure>;

/// One question to the store.
pub(crate) type Question = Pin<Box<dyn Future<Output = Result<Seen, Failure>>>>;

/// Waits until what was last `seen` is done. `ask` asks the store, and keeps the answer for the page; `watch` has the
/// gateway tell when it is worth asking, where it can.
pub(crate) async fn wait(
    session: &Session,
    seen: Seen,
    signal: Option<AbortSignal>,
    ask: &dyn Fn() -> Question,
    watch: &dyn Fn(Address<Heard>) -> Option<Watching>,
) -> Result<(), Failure> {
    let mut machine = JobWatch::new(seen, clock::now());
    let mut mailbox = Mailbox::<Heard>::new();
    let (aborting, connected) = (mailbox.address(), mailbox.address());
    let _aborts = session.on_abort(signal.as_ref(), move || aborting.tell(Err(Failure::Aborted)))?;
    let _connection = Connection::new(move |online| {
        if online {
            connected.tell(Ok(Event::Online));
        }
    });
    let (mut watching, mut thrown) = (None, JsValue::UNDEFINED);
    loop {
        while let Some(Command::Describe) = machine.poll_command(clock::now()) {
            let (address, question) = (mailbox.address(), ask());
            task::spawn(async move { address.tell(question.await.map(Event::Described)) });
        }
        match machine.outcome() {
            None => {}
            Some(Outcome::Ready) => return Ok(()),
            Some(Outcome::Failed(error)) => return Err(Failure::Error(error.clone(), thrown)),
        }
        let event = match mailbox.next(machine.poll_timeout()).await {
            None => continue,
            Some(Ok(event)) => event,
            Some(Err(Failure::Error(error, cause))) => {
                thrown = cause;
                Event::DescribeFailed(error)
            }
            Some(Err(Failure::Aborted)) => return Err(Failure::Aborted),
        };
        if watching.is_none() && event == Event::Described(Seen::InProgress) {
            // Not before: what is done needs no stream.
            watching = watch(mailbox.address());
        }
        machine.handle_event(event, clock::now(), clock::jitter());
    }
}
