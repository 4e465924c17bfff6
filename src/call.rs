//! Carries out what one call's state machine commands, and feeds back what came of it.

use std::rc::Rc;

use glacier_core::Intent;
use glacier_core::call::{Answer, Call, Command, Event, Outcome};
use glacier_core::error::UploadError;
use glacier_core::upload::Ticket;
use wasm_bindgen::prelude::JsValue;
use web_sys::AbortSignal;

use crate::clock;
use crate::connection::Connection;
use crate::error;
use crate::fetch::{self, Canceller, NoAnswer};
use crate::gateway::NotSigned;
use crate::mailbox::{Address, Mailbox};
use crate::session::Session;
use crate::task;

/// Why there is no answer.
pub(crate) enum Failure {
    /// With what a function of the page threw, if one did.
    Error(UploadError, JsValue),
    /// By the page.
    Aborted,
}

impl Failure {
    /// As JavaScript throws it.
    pub(crate) fn to_js(&self) -> JsValue {
        match self {
            Self::Error(error, thrown) => error::to_js(error, thrown),
            Self::Aborted => error::aborted("call"),
        }
    }
}

impl From<UploadError> for Failure {
    fn from(error: UploadError) -> Self {
        Self::Error(error, JsValue::UNDEFINED)
    }
}

/// An event, with what a function of the page threw.
type Happening = (Event, JsValue);

/// Carries an intent to its answer.
pub(crate) async fn call(session: Rc<Session>, intent: Intent, signal: Option<AbortSignal>) -> Result<Answer, Failure> {
    let mut machine = Call::new(intent, session.settings.gateway.retry);
    let mut mailbox = Mailbox::<Happening>::new();
    let (aborting, connected) = (mailbox.address(), mailbox.address());
    let _aborts = session.on_abort(signal.as_ref(), move || aborting.tell((Event::Abort, JsValue::UNDEFINED)))?;
    let _connection = Connection::new(move |online| {
        connected.tell((if online { Event::Online } else { Event::Offline }, JsValue::UNDEFINED));
    });
    let mut under_way: Option<(Ticket, Canceller)> = None;
    let mut thrown = JsValue::UNDEFINED;
    loop {
        while let Some(command) = machine.poll_command(clock::now()) {
            match command {
                Command::Cancel { ticket } => {
                    if let Some((_, canceller)) = under_way.take_if(|(current, _)| *current == ticket) {
                        canceller.cancel();
                    }
                }
                Command::Sign { ticket, intents: [intent] } => {
                    let canceller = Canceller::new();
                    under_way = Some((ticket, canceller.clone()));
                    task::spawn(sign(Rc::clone(&session), ticket, intent, canceller, mailbox.address()));
                }
                Command::Send { ticket, request } => {
                    let canceller = Canceller::new();
                    under_way = Some((ticket, canceller.clone()));
                    let address = mailbox.address();
                    task::spawn(async move {
                        let event = match fetch::send(&request, request.body.as_deref(), &canceller).await {
                            Ok(response) => Event::Answered { ticket, response },
                            Err(NoAnswer::Network) => Event::SendFailed { ticket },
                            Err(NoAnswer::Cancelled) => return,
                        };
                        address.tell((event, JsValue::UNDEFINED));
                    });
                }
            }
        }
        match machine.outcome() {
            None => {}
            Some(Outcome::Answered(answer)) => return Ok(answer.clone()),
            Some(Outcome::Failed(error)) => return Err(Failure::Error(error.clone(), thrown)),
            Some(Outcome::Aborted) => return Err(Failure::Aborted),
        }
        match mailbox.next(machine.poll_timeout()).await {
            Some((event, cause)) => {
                thrown = cause;
                machine.handle_event(event, clock::now(), clock::jitter());
            }
            None => machine.handle_timeout(clock::now(), clock::jitter()),
        }
    }
}

async fn sign(session: Rc<Session>, ticket: Ticket, intent: Intent, canceller: Canceller, address: Address<Happening>) {
    address.tell(match session.gateway.sign(&[intent], &canceller).await {
        Ok(requests) => (Event::Signed { ticket, requests }, JsValue::UNDEFINED),
        Err(NotSigned::Refused(response)) => (Event::SignRefused { ticket, response }, JsValue::UNDEFINED),
        Err(NotSigned::Failed(failure, thrown)) => (Event::SignFailed { ticket, failure }, thrown),
        Err(NotSigned::Cancelled) => return,
    });
}
