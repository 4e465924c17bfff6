//! Counts, on the wire, the headers that decide where a request ends.
//!
//! Hyper resolves a repeated `Content-Length`, or one beside `Transfer-Encoding`, as RFC 9112 section 6.3 allows, and
//! drops the loser before a handler can see it. A proxy in front may have resolved it the other way, and then the two
//! disagree where the next request begins (request smuggling). So the bytes are followed here as they pass, only far
//! enough to count. Where this reader loses its place it stops for good and every later request is refused.

use std::collections::VecDeque;

/// What was counted in one request's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) content_lengths: u32,
    pub(crate) transfer_encodings: u32,
    /// A line ended without a carriage return.
    pub(crate) bare_line_feed: bool,
    /// `None` where it is no decimal number.
    content_length: Option<u64>,
}

impl Default for Head {
    fn default() -> Self {
        Self { content_lengths: 0, transfer_encodings: 0, bare_line_feed: false, content_length: Some(0) }
    }
}

/// Follows the requests of one connection.
#[derive(Debug)]
pub(crate) struct HeadReader {
    place: Place,
    /// The line being read, cut at the length of the longest line that matters.
    line: Vec<u8>,
    line_len: u64,
    head: Head,
    /// Heads that ended and that the handler has not been called for yet.
    ended: VecDeque<Head>,
    n_ended: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the first byte of a head.
    Between,
    /// In a head, before the end of the request line.
    RequestLine,
    Header,
    /// In a body with that many bytes to come.
    Sized(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailer,
    Lost,
}

// Longer than `transfer-encoding:` and than `content-length:` with twenty digits and some spaces.
const KEPT: usize = 256;

impl HeadReader {
    pub(crate) fn new() -> Self {
        Self {
            place: Place::Between,
            line: Vec::new(),
            line_len: 0,
            head: Head::default(),
            ended: VecDeque::new(),
            n_ended: 0,
        }
    }

    /// Whether a head has begun and not ended.
    pub(crate) fn is_inside_head(&self) -> bool {
        matches!(self.place, Place::RequestLine | Place::Header)
    }

    /// Whether a request has ended and no other begun.
    pub(crate) fn is_between(&self) -> bool {
        self.place == Place::Between
    }

    /// Bytes still to come of the body that has begun, or as many as are certain to.
    pub(crate) fn left(&self) -> u64 {
        match self.place {
            Place::Sized(left) | Place::Chunk(left) => left,
            _ => 0,
        }
    }

    /// How many heads have ended.
    pub(crate) fn n_ended(&self) -> u64 {
        self.n_ended
    }

    /// The oldest head that ended and was not taken yet.
    pub(crate) fn take(&mut self) -> Option<Head> {
        self.ended.pop_front()
    }

    /// Reads on.
    pub(crate) fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.place != Place::Lost {
            bytes = match self.place {
                Place::Sized(left) => self.skip(bytes, left, Place::Sized, Place::Between),
                Place::Chunk(left) => self.skip(bytes, left, Place::Chunk, Place::ChunkEnd),
                _ => self.read_line(bytes),
            };
        }
    }

    fn skip<'a>(&mut self, bytes: &'a [u8], left: u64, within: fn(u64) -> Place, after: Place) -> &'a [u8] {
        let here = bytes.len() as u64;
        if here < left {
            self.place = within(left - here);
            return &[];
        }
        self.place = after;
        // `left` is at most `bytes.len()` here.
        bytes.get(usize::try_from(left).unwrap_or(bytes.len())..).unwrap_or(&[])
    }

    fn read_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (piece, rest, ended) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(at) => (&bytes[..at], &bytes[at + 1..], true),
            None => (bytes, &[][..], false),
        };
        if self.place == Place::Between && piece.iter().any(|byte| *byte != b'\r') {
            self.place = Place::RequestLine;
        }
        let room = KEPT.saturating_sub(self.line.len());
        self.line.extend_from_slice(&piece[..piece.len().min(room)]);
        self.line_len += piece.len() as u64;
        // The last byte tells a bare line feed, however long the line is.
        if self.line_len > KEPT as u64
            && let (Some(kept), Some(last)) = (self.line.last_mut(), piece.last())
        {
            *kept = *last;
        }
        if ended {
            let line = std::mem::take(&mut self.line);
            self.line_len = 0;
            self.end_line(&line);
        }
        rest
    }

    fn end_line(&mut self, line: &[u8]) {
        let (line, bare) = match line.strip_suffix(b"\r") {
            Some(line) => (line, false),
            None => (line, true),
        };
        self.place = match self.place {
            // Empty lines before a request are skipped, as hyper does.
            Place::Between => Place::Between,
            Place::RequestLine => {
                self.head.bare_line_feed |= bare;
                Place::Header
            }
            Place::Header => {
                self.head.bare_line_feed |= bare;
                if line.is_empty() {
                    self.end_head()
                } else {
                    self.count(line);
                    Place::Header
                }
            }
            Place::ChunkSize => match chunk_size(line) {
                Some(0) => Place::Trailer,
                Some(size) => Place::Chunk(size),
                None => Place::Lost,
            },
            Place::ChunkEnd if line.is_empty() => Place::ChunkSize,
            Place::Trailer if line.is_empty() => Place::Between,
            Place::Trailer => Place::Trailer,
            Place::ChunkEnd | Place::Sized(_) | Place::Chunk(_) | Place::Lost => Place::Lost,
        };
    }

    fn count(&mut self, line: &[u8]) {
        let (name, value) = match line.iter().position(|byte| *byte == b':') {
            Some(at) => (line[..at].trim_ascii(), line[at + 1..].trim_ascii()),
            None => (line, &[][..]),
        };
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.head.transfer_encodings = self.head.transfer_encodings.saturating_add(1);
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            self.head.content_lengths = self.head.content_lengths.saturating_add(1);
            let length = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
            self.head.content_length = self.head.content_length.and(length);
        }
    }

    fn end_head(&mut self) -> Place {
        let head = std::mem::take(&mut self.head);
        self.n_ended += 1;
        // Hyper refuses what is no decimal number, so what comes after it does not matter. The head goes on to its end
        // all the same: whoever sends one has no more time for it than others.
        let Some(content_length) = head.content_length else { return Place::Lost };
        self.ended.push_back(head);
        match head {
            Head { transfer_encodings: 1.., .. } => Place::ChunkSize,
            _ if content_length == 0 => Place::Between,
            _ => Place::Sized(content_length),
        }
    }
}

fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is counted when the bytes come in pieces of `step`.
    fn heads(bytes: &[u8], step: usize) -> Vec<(u32, u32, bool)> {
        let mut reader = HeadReader::new();
        bytes.chunks(step).for_each(|piece| reader.read(piece));
        std::iter::from_fn(|| reader.take())
            .map(|head| (head.content_lengths, head.transfer_encodings, head.bare_line_feed))
            .collect()
    }

    fn check(bytes: &[u8], expected: &[(u32, u32, bool)]) {
        for step in [1, 2, 3, 7, 64, bytes.len()] {
            assert_eq!(heads(bytes, step), expected, "{:?} by {step}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn lengths_and_codings_are_counted_however_the_bytes_are_cut() {
        check(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &[(0, 0, false)]);
        check(b"PUT / HTTP/1.1\r\nContent-Length: 3\r\ncontent-length:3\r\n\r\nabc", &[(2, 0, false)]);
        check(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", &[(1, 1, false)]);
        check(b"GET / HTTP/1.1\nHost: a\r\n\r\n", &[(0, 0, true)]);
        let long = [
            b"GET / HTTP/1.1\r\nX: ".as_slice(),
            &[b'x'; 1000],
            b"\r\n\r\nGET / HTTP/1.1\r\nX: ",
            &[b'y'; 1000],
            b"\n\r\n",
        ];
        check(&long.concat(), &[(0, 0, false), (0, 0, true)]);
    }

    #[test]
    fn a_body_is_not_taken_for_the_next_head() {
        let smuggled = b"GET /b HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n";
        let sized =
            [b"PUT /a HTTP/1.1\r\nContent-Length: 57\r\n\r\n".as_slice(), smuggled, b"\r\nGET / HTTP/1.1\r\n\r\n"];
        assert_eq!(smuggled.len(), 57);
        check(&sized.concat(), &[(1, 0, false), (0, 0, false)]);
        let chunked = [
            b"PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n39;ext=\"x\"\r\n".as_slice(),
            smuggled,
            b"\r\n0\r\nTrailer: x\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        ];
        check(&chunked.concat(), &[(0, 1, false), (0, 0, false)]);
    }

    #[test]
    fn once_lost_nothing_more_is_counted() {
        let rest = b"\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n".as_slice();
        check(&[b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz", rest].concat(), &[(0, 1, false)]);
        check(&[b"PUT / HTTP/1.1\r\nContent-Length: nine", rest].concat(), &[]);
    }
}
