//! Who listens, and passing events on to them without ever waiting for one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use glacier_core::glacier::VaultName;
use glacier_core::intent::RefusalCode;
use tokio::sync::mpsc;

use crate::error::Refused;

/// Most streams at a time. A quarter of the connections that the server has at once.
pub const MAX_STREAMS: usize = 128;

/// Most streams at a time of the tokens of one subject: some tabs on some devices.
pub const MAX_STREAMS_PER_SUBJECT: usize = 16;

/// Most events that wait for one reader. The texts are shared by all who get them. Many jobs may end in one moment; who
/// is further behind does not read.
const MAX_WAITING: usize = 1024;

/// The streams that are open. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Events(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    closed: bool,
    next: u64,
    listeners: BTreeMap<u64, Listener>,
}

#[derive(Debug)]
struct Listener {
    subject: String,
    vaults: Vec<VaultName>,
    /// `None`: the stream is to end, but its connection is still there and counts.
    sender: Option<mpsc::Sender<Bytes>>,
}

/// A place among the streams, free again when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    /// Closed when the stream is to end.
    pub(super) receiver: mpsc::Receiver<Bytes>,
    number: u64,
    events: Events,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.events.lock().listeners.remove(&self.number);
    }
}

impl Events {
    /// Tells those who listen to `vault` of a job that has ended. `description` is what DescribeJob answers, as JSON.
    ///
    /// Never waits: who is too far behind is cut off.
    pub fn publish(&self, vault: &VaultName, description: &str) {
        // In JSON a line break is space between values; in an event it ends the line.
        let description = description.replace(['\r', '\n'], " ");
        let event = Bytes::from(format!("event: job\ndata: {description}\n\n"));
        for listener in self.lock().listeners.values_mut().filter(|listener| listener.vaults.contains(vault)) {
            if listener.sender.as_ref().is_some_and(|sender| sender.try_send(event.clone()).is_err()) {
                tracing::info!(subject = listener.subject, "a stream of events was cut off, because nobody reads it");
                listener.sender = None;
            }
        }
    }

    /// Ends all streams. Pages open them again.
    pub fn end_all(&self) {
        for listener in self.lock().listeners.values_mut() {
            listener.sender = None;
        }
    }

    /// Ends all streams and every later one, because the server ends.
    pub fn close(&self) {
        self.lock().closed = true;
        self.end_all();
    }

    pub(super) fn listen(&self, subject: String, vaults: Vec<VaultName>) -> Result<Seat, Refused> {
        let mut state = self.lock();
        if state.listeners.len() >= MAX_STREAMS {
            return Err(Refused::new(
                RefusalCode::TooManyStreams,
                "too many streams are open; ask for the job instead",
            ));
        }
        if state.listeners.values().filter(|listener| listener.subject == subject).count() >= MAX_STREAMS_PER_SUBJECT {
            let message = "too many streams are open for this subject; close some, or ask for the job instead";
            return Err(Refused::new(RefusalCode::TooManyStreams, message));
        }
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let number = state.next;
        state.next += 1;
        let sender = (!state.closed).then_some(sender);
        state.listeners.insert(number, Listener { subject, vaults, sender });
        Ok(Seat { receiver, number, events: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can leave the state half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn vault(name: &str) -> VaultName {
        VaultName::new(name).unwrap()
    }

    #[test]
    fn a_seat_is_free_again_when_its_connection_is_gone_and_not_before() {
        let events = Events::default();
        let listen = |subject: &str| events.listen(subject.into(), vec![vault("v")]);
        let mut seats: Vec<Seat> = (0..MAX_STREAMS_PER_SUBJECT).map(|_| listen("a").unwrap()).collect();
        assert_eq!(listen("a").unwrap_err().code, RefusalCode::TooManyStreams);
        events.end_all();
        assert_eq!(listen("a").unwrap_err().code, RefusalCode::TooManyStreams);
        drop(seats.pop());
        seats.push(listen("a").unwrap());
        let others = (0..MAX_STREAMS - MAX_STREAMS_PER_SUBJECT).map(|number| listen(&number.to_string()).unwrap());
        let others: Vec<Seat> = others.collect();
        assert_eq!(listen("last").unwrap_err().code, RefusalCode::TooManyStreams);
        drop((seats, others));
        assert!(events.lock().listeners.is_empty());
        assert!(listen("last").is_ok());
    }

    #[test]
    fn who_does_not_read_is_cut_off_and_no_other() {
        let events = Events::default();
        let mut deaf = events.listen("deaf".into(), vec![vault("v")]).unwrap();
        let mut reader = events.listen("reader".into(), vec![vault("v"), vault("w")]).unwrap();
        let mut elsewhere = events.listen("elsewhere".into(), vec![vault("w")]).unwrap();
        for number in 0..=MAX_WAITING {
            events.publish(&vault("v"), &format!("{{\"n\":\r\n{number}}}"));
            let expected = format!("event: job\ndata: {{\"n\":  {number}}}\n\n");
            assert_eq!(reader.receiver.try_recv().unwrap(), expected);
        }
        let mut heard = 0;
        while deaf.receiver.try_recv().is_ok() {
            heard += 1;
        }
        assert_eq!(heard, MAX_WAITING);
        assert_eq!(deaf.receiver.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
        assert_eq!(elsewhere.receiver.try_recv(), Err(mpsc::error::TryRecvError::Empty));
    }

    #[test]
    fn a_server_that_ends_has_no_streams() {
        let events = Events::default();
        let mut before = events.listen("a".into(), vec![vault("v")]).unwrap();
        events.close();
        let mut after = events.listen("a".into(), vec![vault("v")]).unwrap();
        for seat in [&mut before, &mut after] {
            assert_eq!(seat.receiver.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
        }
    }
}
