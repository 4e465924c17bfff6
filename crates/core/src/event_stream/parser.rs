//! `text/event-stream` from chunks of bytes, wherever they are cut.
//!
//! **Source:** HTML standard, 9.2.6, "Interpreting an event stream".

/// Longest line, and longest data of one event: many times the description of a job. What is longer is passed over, so
/// that a stream without end cannot fill the memory.
const MAX_LEN: usize = 64 << 10;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// `message` where the stream names none.
    pub(super) event: String,
    pub(super) data: String,
}

/// What has come of the event under way.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// Of the line under way; its end may be in the next chunk.
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed after it ends no other line.
    after_return: bool,
    /// The first line, before which a byte order mark may stand, is over.
    begun: bool,
    event: String,
    data: Option<String>,
    /// A line or the data was too long.
    spoilt: bool,
}

impl Parser {
    /// Takes a chunk; gives the events that it ends.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Vec<Message> {
        let mut messages = Vec::new();
        for byte in chunk {
            let after_return = std::mem::replace(&mut self.after_return, *byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => messages.extend(self.end_line()),
                _ if self.line.len() < MAX_LEN => self.line.push(*byte),
                _ => self.spoilt = true,
            }
        }
        messages
    }

    fn end_line(&mut self) -> Option<Message> {
        let bytes = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&bytes);
        let mut line = line.as_ref();
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            let data = self.data.take();
            let spoilt = std::mem::take(&mut self.spoilt);
            let event = if event.is_empty() { "message".to_owned() } else { event };
            return data.filter(|_| !spoilt).map(|data| Message { event, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => match &mut self.data {
                None => self.data = Some(value.to_owned()),
                Some(data) if data.len() + value.len() < MAX_LEN => {
                    data.push('\n');
                    data.push_str(value);
                }
                Some(_) => self.spoilt = true,
            },
            // A comment has no name; IDs and times to wait are not used.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(event: &str, data: &str) -> Message {
        Message { event: event.into(), data: data.into() }
    }

    #[test]
    fn events_are_the_same_however_the_stream_is_cut() {
        let stream = "\u{feff}: hello\n\nevent: job\ndata: {\"a\":\"Ísland\"}\n\nevent: job\r\ndata: one\r\ndata:two\r\n\r\n\
                      event: lost\n\nid: 7\nretry: 5\ndata\rdata:  x: y\r\rdata: unended";
        let expected =
            [message("job", "{\"a\":\"Ísland\"}"), message("job", "one\ntwo"), message("message", "\n x: y")];
        let bytes = stream.as_bytes();
        assert_eq!(Parser::default().push(bytes), expected);
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let mut parser = Parser::default();
                let mut found = parser.push(&bytes[..first]);
                found.extend(parser.push(&bytes[first..second]));
                found.extend(parser.push(&bytes[second..]));
                assert_eq!(found, expected, "cut at {first} and {second}");
            }
        }
        let mut parser = Parser::default();
        let found: Vec<Message> = bytes.iter().flat_map(|byte| parser.push(&[*byte])).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_too_long_is_passed_over_and_what_follows_is_read() {
        for long in ["data: ".to_owned() + &"x".repeat(MAX_LEN), ["data: xxxxxxxxxxxxxxx\n"; MAX_LEN / 15].concat()] {
            let mut parser = Parser::default();
            assert_eq!(parser.push(long.as_bytes()), []);
            assert!(parser.line.len() + parser.data.as_ref().map_or(0, String::len) <= 2 * MAX_LEN);
            assert_eq!(parser.push(b"\n\ndata: short\n\n"), [message("message", "short")]);
        }
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        let mut parser = Parser::default();
        assert_eq!(parser.push(b"data: \xff\xfe\n\n"), [message("message", "\u{fffd}\u{fffd}")]);
    }
}
