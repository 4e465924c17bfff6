//! What the machine asks of its driver, and what the driver reports.

use crate::glacier::Response;
use crate::intent::{Intent, SignedRequest};
use crate::range::ByteRange;
use crate::sha256::PayloadHash;
use crate::tree_hash::TreeHash;
use crate::upload::{SignFailure, Ticket};

/// What is to be done. A FetchRange's ticket names the bytes it brought until they are delivered or discarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Have these intents signed. Ends in [`Event::Signed`], [`Event::SignRefused`] or [`Event::SignFailed`].
    Sign {
        /// For the report.
        ticket: Ticket,
        /// 1 to [`MAX_INTENTS`](crate::intent::MAX_INTENTS).
        intents: Vec<Intent>,
    },
    /// Send the request. Where the answer's status is 2xx, read the body as bytes, hash and keep them, report
    /// [`Event::Received`] as they arrive, at least every few seconds, and end in [`Event::Fetched`]; stop after one
    /// byte more than `range` has. Where it is another, read the body as JSON and end in [`Event::Answered`]. Where
    /// none comes or it breaks off, end in [`Event::FetchFailed`]. Only after Fetched is anything kept.
    FetchRange {
        /// For the report.
        ticket: Ticket,
        /// Which bytes of the output.
        range: ByteRange,
        /// As it is, once.
        request: SignedRequest,
        /// Whether the plain SHA-256 of the bytes is wanted besides.
        plain_hash: bool,
    },
    /// Write the bytes that this ticket brought at this offset of the sink, then let go of them. Ends in
    /// [`Event::Delivered`] once the sink has taken them, or in [`Event::DeliverFailed`].
    Deliver {
        /// Of the FetchRange.
        ticket: Ticket,
        /// Which bytes of the output.
        range: ByteRange,
    },
    /// Everything is delivered and verified: cut the sink off after the output's last byte and close it. Ends in
    /// [`Event::Closed`] or in [`Event::CloseFailed`].
    Close {
        /// For the report.
        ticket: Ticket,
    },
    /// Let go of the bytes that this ticket brought; if they are being written, when that ends. No report is wanted.
    Discard {
        /// Of the FetchRange.
        ticket: Ticket,
    },
    /// Stop that Sign or FetchRange now and let go of what it brought. No report is wanted.
    Cancel {
        /// Of what is to stop.
        ticket: Ticket,
    },
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Begin. Until then nothing is asked of the driver.
    Start,

    /// The intents were signed.
    Signed {
        /// Of the Sign.
        ticket: Ticket,
        /// One an intent, in the same order.
        requests: Vec<SignedRequest>,
    },
    /// The gateway answered, but not with signed requests.
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

    /// So many bytes have arrived.
    Received {
        /// Of the FetchRange.
        ticket: Ticket,
        /// Of this answer so far.
        bytes: u64,
    },
    /// An answer of status 2xx arrived to its end and is kept.
    Fetched {
        /// Of the FetchRange.
        ticket: Ticket,
        /// Status and headers; no body.
        response: Response,
        /// Bytes in the body.
        len: u64,
        /// Of the body.
        tree_hash: TreeHash,
        /// Of the body, where it was wanted.
        payload_hash: Option<PayloadHash>,
    },
    /// An answer of another status.
    Answered {
        /// Of the FetchRange.
        ticket: Ticket,
        /// The answer.
        response: Response,
    },
    /// No answer, or one that broke off.
    FetchFailed {
        /// Of the FetchRange.
        ticket: Ticket,
    },

    /// The sink has taken the bytes.
    Delivered {
        /// Of the Deliver.
        ticket: Ticket,
    },
    /// The sink has not taken the bytes, or nobody knows how many of them.
    DeliverFailed {
        /// Of the Deliver.
        ticket: Ticket,
    },

    /// The sink is closed and has everything.
    Closed {
        /// Of the Close.
        ticket: Ticket,
    },
    /// The sink did not close, and nobody knows what it has.
    CloseFailed {
        /// Of the Close.
        ticket: Ticket,
    },

    /// What the sink has taken before is lost, or may be: a file could not be written out at a pause, say.
    SinkLost,

    /// The user: stop fetching, keep what is delivered. What is being written is written to its end.
    Pause,
    /// The user: go on, after a pause or a retryable failure.
    Resume,
    /// The user: give up. What becomes of the bytes delivered is the sink's business.
    Abort,
    /// The browser says it has no network.
    Offline,
    /// The browser says it has network again.
    Online,
}
