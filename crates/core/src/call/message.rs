//! What a call asks of its driver, what the driver reports back, and how it ends.

use super::Answer;
use crate::error::UploadError;
use crate::glacier::Response;
use crate::intent::{Intent, SignedRequest};
use crate::upload::{SignFailure, Ticket};

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Have this intent signed, by the gateway or the page's own function. Headers such as a bearer token are asked
    /// for afresh each time. Ends in [`Event::Signed`], [`Event::SignRefused`] or [`Event::SignFailed`].
    Sign {
        /// For the report.
        ticket: Ticket,
        /// Exactly one.
        intents: [Intent; 1],
    },
    /// Send a request; its body, if it has one, is in it. Ends in [`Event::Answered`] or [`Event::SendFailed`].
    Send {
        /// For the report.
        ticket: Ticket,
        /// As it is, once.
        request: SignedRequest,
    },
    /// Stop that Sign or Send now. No report is wanted.
    Cancel {
        /// Of what is to stop.
        ticket: Ticket,
    },
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The intent was signed.
    Signed {
        /// Of the Sign.
        ticket: Ticket,
        /// Exactly one; any other number is a failure of who signs.
        requests: Vec<SignedRequest>,
    },
    /// The gateway answered, but not with a signed request.
    SignRefused {
        /// Of the Sign.
        ticket: Ticket,
        /// The answer.
        response: Response,
    },
    /// No answer of the gateway, or the page's own function failed.
    SignFailed {
        /// Of the Sign.
        ticket: Ticket,
        /// Why.
        failure: SignFailure,
    },
    /// The store answered, whatever it was.
    Answered {
        /// Of the Send.
        ticket: Ticket,
        /// The answer.
        response: Response,
    },
    /// No answer.
    SendFailed {
        /// Of the Send.
        ticket: Ticket,
    },
    /// The user: give up. What the store has done stays done.
    Abort,
    /// The browser says it has no network: nothing more is sent. What is on its way may still be answered.
    Offline,
    /// The browser says it has network again.
    Online,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Well.
    Answered(Answer),
    /// Not.
    Failed(UploadError),
    /// [`Event::Abort`].
    Aborted,
}
