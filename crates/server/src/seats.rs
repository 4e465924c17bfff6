//! How many requests of one subject are in flight, so that one token does not hold all that there is room for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::Request;
use glacier_core::glacier::header as glacier_header;
use glacier_core::intent::RefusalCode;
use glacier_core::sigv4::canonical_request::decode;
use glacier_core::sigv4::{self, ReceivedRequest};

use crate::app::Gateway;
use crate::error::Refused;
use crate::s3::SUBJECT_HEADER;

/// Requests in flight, by subject. Clones share the counts.
#[derive(Clone)]
pub struct Seats {
    /// Invariant: no subject is there with 0.
    taken: Arc<Mutex<HashMap<String, usize>>>,
    most: usize,
}

/// One of a subject's requests for as long as this lives.
pub struct Seat {
    seats: Seats,
    subject: String,
}

/// As many as there is room for altogether.
impl Default for Seats {
    fn default() -> Self {
        Self::new(usize::MAX)
    }
}

impl std::fmt::Debug for Seats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seats({} of each)", self.most)
    }
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seat")
    }
}

impl Seats {
    /// At most so many requests of one subject at once.
    pub fn new(most: usize) -> Self {
        Self { taken: Arc::default(), most }
    }

    /// Room for one more request of that subject.
    ///
    /// # Errors
    /// [`Refused`] with [`RefusalCode::TooManyRequests`] where it has as many in flight as one may.
    pub fn take(&self, subject: &str) -> Result<Seat, Refused> {
        let mut taken = self.taken();
        match taken.get_mut(subject) {
            Some(count) if *count >= self.most => {
                let message = "this subject has too many requests in flight; wait as long as retry-after says";
                return Err(Refused::new(RefusalCode::TooManyRequests, message));
            }
            Some(count) => *count += 1,
            None => drop(taken.insert(subject.to_owned(), 1)),
        }
        Ok(Seat { seats: self.clone(), subject: subject.to_owned() })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        // No code that holds the lock can leave the counts half changed.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        match taken.get_mut(&self.subject) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(taken.remove(&self.subject)),
        }
    }
}

/// A seat for a request to the store or the relay. `None` for one that was signed for no subject, as by who runs the store,
/// and for one whose signature is not ours, which is refused there before its body is read: nobody can take the seats of
/// somebody else by saying that he is it.
///
/// # Errors
/// As [`Seats::take`].
pub(crate) fn of_signed(gateway: &Gateway, request: &Request) -> Result<Option<Seat>, Refused> {
    subject_of(gateway, request).map(|subject| gateway.watch.seats.take(&subject)).transpose()
}

/// Whom a gateway signed the request for.
fn subject_of(gateway: &Gateway, request: &Request) -> Option<String> {
    let headers = request.headers();
    let mut subjects = headers.get_all(SUBJECT_HEADER).iter();
    let (Some(subject), None) = (subjects.next(), subjects.next()) else { return None };
    let subject = String::from_utf8(decode(subject.to_str().ok()?)).ok()?;
    // One that is no text is not among the signed.
    let texts = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let texts: Vec<(&str, &str)> = texts.collect();
    let received = ReceivedRequest {
        method: request.method().as_str(),
        path: request.uri().path(),
        query: request.uri().query().unwrap_or(""),
        headers: &texts,
        payload_hash: headers.get(glacier_header::CONTENT_SHA256)?.to_str().ok()?,
    };
    let known = std::slice::from_ref(&gateway.credentials);
    sigv4::verify(&received, known, &gateway.scope, gateway.now()).ok().map(|_| subject)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn each_subject_has_so_many_and_gets_them_back() {
        let seats = Seats::new(2);
        let first = seats.take("one").unwrap();
        let _second = seats.take("one").unwrap();
        assert_eq!(seats.take("one").unwrap_err().code, RefusalCode::TooManyRequests);
        let other = seats.clone().take("other").unwrap();
        drop(first);
        let _third = seats.take("one").unwrap();
        assert!(seats.take("one").is_err());
        drop(other);
        assert!(!seats.taken().contains_key("other"), "who has none is forgotten");
    }
}
