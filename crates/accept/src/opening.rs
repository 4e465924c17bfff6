//! The first bytes of a connection, of which most that are slow never get any further.

use httparse::{EMPTY_HEADER, Request};

/// Whether no head begins like that, however it goes on: whoever sends the like is answered now, rather than waited for.
/// A browser that speaks TLS to a port in the clear is the ordinary case.
pub(crate) fn is_no_head(bytes: &[u8]) -> bool {
    let mut headers = [EMPTY_HEADER; MOST_HEADERS];
    Request::new(&mut headers).parse(bytes).is_err()
}

/// More than that in the first bytes are not waited for either; how many may come is decided elsewhere.
const MOST_HEADERS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_become_a_head_is_waited_for() {
        for begun in ["", "\r\n", "G", "GET ", "GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nX: \u{e9}"] {
            assert!(!is_no_head(begun.as_bytes()), "{begun:?}");
        }
        let client_hello = "\u{16}\u{3}\u{1}";
        for never in [client_hello, "GET / HTTP/3.0\r\n", "GET / HTTP/1.1\r\nX\0", "{}", "GET / HTTP/1.1\r\n a: b"] {
            assert!(is_no_head(never.as_bytes()), "{never:?}");
        }
    }
}
