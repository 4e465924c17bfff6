//! JSON text as a sequence of events, read as it arrives. All of RFC 8259 is checked; nothing but strings is kept, and
//! of those one at a time.
//!
//! `core` has no parser of JSON elsewhere: the browser's own parses what is short. It takes nothing but whole documents,
//! though, and a whole inventory does not fit a string of a browser.

use super::{Input, InventoryError, MAX_ITEM_LEN, Place, Problem};

/// Objects and lists inside each other. An inventory has three.
pub(super) const MAX_DEPTH: u32 = 32;

/// What a document is made of.
#[derive(Debug, PartialEq)]
pub(super) enum Event<'a> {
    BeginObject,
    BeginList,
    /// Of the object or list that began last and has not ended.
    End,
    /// Of the member whose value follows.
    Key(&'a str),
    Text(&'a str),
    /// `None`: not a whole number from 0 to 2^64.
    Number(Option<u64>),
    Bool,
    Null,
}

/// Where in the grammar the text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expected {
    #[default]
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    /// The document is over.
    Nothing,
}

/// The reader of events.
#[derive(Debug, Default)]
pub(super) struct Events {
    expected: Expected,
    depth: u32,
    /// A bit for each object or list that has begun, the innermost lowest: 1 is an object.
    objects: u32,
    /// So many bytes of a string are there and do not end it.
    scanned: usize,
    /// A string whose escapes were replaced.
    unescaped: String,
}

impl Events {
    /// The next event; `None` until more has arrived, or at the end.
    pub(super) fn next<'a>(&'a mut self, input: &'a mut Input) -> Result<Option<Event<'a>>, InventoryError> {
        use Expected::{Colon, CommaOrEnd, Key, KeyOrEnd, Nothing, Value, ValueOrEnd};
        loop {
            let blank = input.rest().iter().take_while(|byte| b" \t\n\r".contains(byte)).count();
            let Some(byte) = input.rest().get(blank).copied() else {
                input.take(blank);
                return if self.expected == Nothing { Ok(None) } else { more(input) };
            };
            input.take(blank);
            let in_object = self.objects & 1 == 1;
            match (self.expected, byte) {
                (Colon, b':') => self.expected = Value,
                (CommaOrEnd, b',') => self.expected = if in_object { Key } else { Value },
                (CommaOrEnd | KeyOrEnd, b'}') if in_object => return Ok(Some(self.end(input))),
                (CommaOrEnd | ValueOrEnd, b']') if !in_object => return Ok(Some(self.end(input))),
                (Value | ValueOrEnd, b'{' | b'[') => return self.begin(byte, input).map(Some),
                (Key | KeyOrEnd | Value | ValueOrEnd, b'"') => return self.string(input),
                (Value | ValueOrEnd, b'-' | b'0'..=b'9') => return self.number(input),
                (Value | ValueOrEnd, b't') => return self.word("true", Event::Bool, input),
                (Value | ValueOrEnd, b'f') => return self.word("false", Event::Bool, input),
                (Value | ValueOrEnd, b'n') => return self.word("null", Event::Null, input),
                _ => return Err(here(input, Problem::Syntax)),
            }
            input.take(1);
        }
    }

    fn begin(&mut self, byte: u8, input: &mut Input) -> Result<Event<'static>, InventoryError> {
        if self.depth == MAX_DEPTH {
            return Err(here(input, Problem::TooDeep));
        }
        input.take(1);
        self.depth += 1;
        let (expected, event) = if byte == b'{' {
            (Expected::KeyOrEnd, Event::BeginObject)
        } else {
            (Expected::ValueOrEnd, Event::BeginList)
        };
        self.objects = self.objects << 1 | u32::from(event == Event::BeginObject);
        self.expected = expected;
        Ok(event)
    }

    fn end(&mut self, input: &mut Input) -> Event<'static> {
        input.take(1);
        self.depth -= 1;
        self.objects >>= 1;
        self.value_is_over();
        Event::End
    }

    fn value_is_over(&mut self) {
        self.expected = if self.depth == 0 { Expected::Nothing } else { Expected::CommaOrEnd };
    }

    fn string<'a>(&'a mut self, input: &'a mut Input) -> Result<Option<Event<'a>>, InventoryError> {
        let start = here(input, Problem::Syntax);
        let rest = input.rest();
        let mut at = self.scanned.max(1);
        loop {
            match rest.get(at).copied() {
                Some(b'"') => break,
                Some(b'\\') if at + 1 < rest.len() => at += 2,
                Some(0..0x20) => return Err(start),
                Some(byte) if byte != b'\\' => at += 1,
                _ if rest.len() > MAX_ITEM_LEN => return Err(here(input, Problem::TooLong)),
                _ => {
                    self.scanned = at;
                    return more(input);
                }
            }
        }
        if at > MAX_ITEM_LEN {
            return Err(here(input, Problem::TooLong));
        }
        self.scanned = 0;
        let is_key = matches!(self.expected, Expected::Key | Expected::KeyOrEnd);
        if is_key {
            self.expected = Expected::Colon;
        } else {
            self.value_is_over();
        }
        let text = str::from_utf8(&input.take(at + 1)[1..at]);
        let text = text.map_err(|_| InventoryError { problem: Problem::NotText, ..start.clone() })?;
        let text = if text.contains('\\') {
            self.unescaped.clear();
            unescape(text, &mut self.unescaped).ok_or(start)?;
            &self.unescaped
        } else {
            text
        };
        Ok(Some(if is_key { Event::Key(text) } else { Event::Text(text) }))
    }

    fn number(&mut self, input: &mut Input) -> Result<Option<Event<'static>>, InventoryError> {
        let rest = input.rest();
        let len = rest.iter().take_while(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte)).count();
        if len > MAX_ITEM_LEN {
            return Err(here(input, Problem::TooLong));
        }
        if len == rest.len() {
            return more(input); // perhaps it has further digits
        }
        let digits = &rest[..len];
        let number = if digits.iter().all(u8::is_ascii_digit) {
            digits.iter().try_fold(0_u64, |number, digit| number.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
        } else {
            None
        };
        if !is_number(digits) {
            return Err(here(input, Problem::Syntax));
        }
        input.take(len);
        self.value_is_over();
        Ok(Some(Event::Number(number)))
    }

    fn word(
        &mut self,
        word: &str,
        event: Event<'static>,
        input: &mut Input,
    ) -> Result<Option<Event<'static>>, InventoryError> {
        let rest = input.rest();
        if rest.starts_with(word.as_bytes()) {
            input.take(word.len());
            self.value_is_over();
            return Ok(Some(event));
        }
        if word.as_bytes().starts_with(rest) { more(input) } else { Err(here(input, Problem::Syntax)) }
    }
}

/// More is needed; there may be no more.
fn more(input: &Input) -> Result<Option<Event<'static>>, InventoryError> {
    if input.ended { Err(InventoryError::whole(Problem::CutOff)) } else { Ok(None) }
}

fn here(input: &Input, problem: Problem) -> InventoryError {
    InventoryError { place: Place::Byte(input.at()), problem }
}

/// `-`, digits without a zero before others, a fraction and an exponent, of which only the digits must be there.
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text[0] == b'0') {
        return false;
    }
    let mut rest = &text[whole..];
    if let [b'.', fraction @ ..] = rest {
        let len = digits(fraction);
        if len == 0 {
            return false;
        }
        rest = &fraction[len..];
    }
    match rest {
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
        rest => rest.is_empty(),
    }
}

/// Appends `text` with its escapes replaced; `None` where one is none, or stands for half a character.
fn unescape(text: &str, to: &mut String) -> Option<()> {
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        to.push_str(plain);
        rest = escape.get(1..)?;
        to.push(match escape.as_bytes()[0] {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = code_unit(&mut rest)?;
                let is_half = (0xd800..0xe000).contains(&first);
                let second = if is_half {
                    rest = rest.strip_prefix("\\u")?;
                    Some(code_unit(&mut rest)?)
                } else {
                    None
                };
                char::decode_utf16([first].into_iter().chain(second)).next()?.ok()?
            }
            _ => return None,
        });
    }
    to.push_str(rest);
    Some(())
}

/// The four hexadecimal digits that `text` begins with.
fn code_unit(text: &mut &str) -> Option<u16> {
    let (digits, rest) = text.split_at_checked(4)?;
    *text = rest;
    // `from_str_radix` alone would let `+123` through.
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of `text` as `Debug` shows them, pushed byte by byte.
    fn events(text: &[u8]) -> Result<Vec<String>, InventoryError> {
        let (mut events, mut input, mut seen) = (Events::default(), Input::default(), Vec::new());
        for byte in text {
            input.push(&[*byte]);
            while let Some(event) = events.next(&mut input)? {
                seen.push(format!("{event:?}"));
            }
        }
        input.ended = true;
        assert_eq!(events.next(&mut input)?, None);
        Ok(seen)
    }

    #[test]
    fn every_kind_of_value_is_an_event() {
        let text = br#" {"a" : [ ] , "b":[1,-0, 2.5e-3 ,18446744073709551615,18446744073709551616],"c":{"d":null},
            "e":[true,false,"x"]} "#;
        let expected = "BeginObject Key(\"a\") BeginList End Key(\"b\") BeginList Number(Some(1)) Number(None) Number(None) \
            Number(Some(18446744073709551615)) Number(None) End Key(\"c\") BeginObject Key(\"d\") Null End Key(\"e\") \
            BeginList Bool Bool Text(\"x\") End End";
        assert_eq!(events(text).unwrap().join(" "), expected);
    }

    #[test]
    fn escapes_are_replaced_and_half_characters_refused() {
        let string = |text: &str| {
            let list = events(format!("[\"{text}\"]").as_bytes());
            list.map(|events| events[1].clone())
        };
        for (text, expected) in [
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"\u0041\u00e9\u00E9\u0000", "A\u{e9}\u{e9}\0"),
            (r"\ud83c\udf0b", "\u{1f30b}"),
            ("\u{1f30b}\u{7f}", "\u{1f30b}\u{7f}"),
            (r"\\u0041", r"\u0041"),
        ] {
            assert_eq!(string(text).unwrap(), format!("Text({expected:?})"), "{text}");
        }
        for bad in [
            r"\x",
            r"\u12",
            r"\u+123",
            r"\u12g4",
            r"\ud83c",
            r"\ud83cx",
            r"\ud83c\n",
            r"\ud83c\u0041",
            r"\udf0b",
            "\\\u{e9}",
            "\\u00\u{e9}0",
            "\t",
        ] {
            assert_eq!(string(bad), Err(InventoryError { place: Place::Byte(1), problem: Problem::Syntax }), "{bad}");
        }
        let error = events(b"[\"\xff\"]").unwrap_err();
        assert_eq!(error, InventoryError { place: Place::Byte(1), problem: Problem::NotText });
    }

    #[test]
    fn what_is_not_json_is_refused_where_it_stands() {
        for (text, at) in [
            ("x", 0),
            ("[1 2]", 3),
            ("[1,]", 3),
            ("{,}", 1),
            ("{1:2}", 1),
            ("{\"a\"}", 4),
            ("{\"a\":}", 5),
            ("{\"a\":1,}", 7),
            ("[}", 1),
            ("{]", 1),
            ("[1}", 2),
            ("[]]", 2),
            ("[] []", 3),
            ("[,1]", 1),
            ("[tru]", 1),
            ("[nulL]", 1),
            ("[01]", 1),
            ("[-]", 1),
            ("[1.]", 1),
            ("[.5]", 1),
            ("[+1]", 1),
            ("[1e]", 1),
            ("[1e+]", 1),
            ("[1-2]", 1),
            ("[1.2.3]", 1),
            ("[truefalse]", 5),
            ("\u{feff}[]", 0),
        ] {
            let expected = Err(InventoryError { place: Place::Byte(at), problem: Problem::Syntax });
            assert_eq!(events(text.as_bytes()), expected, "{text}");
        }
        for cut in ["", " ", "[", "{", "{\"a", "{\"a\"", "{\"a\":", "[1", "[1,", "[tr", "[\"\\", "[\"\\\"", "[[]"] {
            assert_eq!(events(cut.as_bytes()), Err(InventoryError::whole(Problem::CutOff)), "{cut}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(events(deep(32).as_bytes()).unwrap().len(), 64);
        let error = events(deep(33).as_bytes()).unwrap_err();
        assert_eq!(error, InventoryError { place: Place::Byte(32), problem: Problem::TooDeep });
        let long = |len: usize, with: &str| format!("[{with}{}{with}]", "1".repeat(len));
        for with in ["\"", ""] {
            assert_eq!(events(long(MAX_ITEM_LEN - 1, with).as_bytes()).unwrap().len(), 3, "{with}");
            let error = events(long(MAX_ITEM_LEN + 1, with).as_bytes()).unwrap_err();
            assert_eq!(error, InventoryError { place: Place::Byte(1), problem: Problem::TooLong }, "{with}");
        }
    }
}
