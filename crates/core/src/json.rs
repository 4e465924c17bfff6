//! A decoded JSON document, in the few kinds the contract uses.
//!
//! Core does not parse JSON text: the browser has a parser of its own, and a second one would double the size of the
//! wasm file. The browser turns objects into this and back; the servers use `serde`. It prints only what the gateway
//! signs as a request's body ([`Json::to_text`]).

use std::borrow::Cow;

/// Most digits of which every number is exact in JavaScript, where numbers are f64: 2^53 has sixteen.
const EXACT_DIGITS: usize = 15;

/// JSON text in which whole numbers of more digits than JavaScript is sure to keep stand in quotes, so that a parser
/// that makes f64 of numbers gives them as text with every digit. A vault may well hold more than 2^53 bytes.
///
/// What is no JSON stays no JSON.
pub fn with_long_integers_as_text(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut quoted = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at),
            b'0'..=b'9' | b'-' => {
                let len = bytes[at..]
                    .iter()
                    .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
                    .count();
                let end = at + len;
                if len > EXACT_DIGITS && bytes[at..end].iter().all(u8::is_ascii_digit) {
                    quoted.push_str(&text[copied..at]);
                    quoted.push('"');
                    quoted.push_str(&text[at..end]);
                    quoted.push('"');
                    copied = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    quoted.push_str(&text[copied..]);
    Cow::Owned(quoted)
}

/// Past the string that begins at `start`; the end of the text where it does not end.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            None => return bytes.len(),
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

/// One JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`, and every value outside the kinds below.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number from 0 to 2^53. Other numbers arrive as [`Json::Null`].
    Number(u64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object; keys in any order, without doubles.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// An object of these members.
    pub fn object<const N: usize>(members: [(&str, Json); N]) -> Self {
        Self::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// The member `key`, or `None` where it is absent or this is no object.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Self::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The member `key` as text.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The member `key` as a number.
    pub fn number(&self, key: &str) -> Option<u64> {
        match self.get(key)? {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The member `key` as true or false.
    pub fn bool(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The member `key` as a list.
    pub fn list(&self, key: &str) -> Option<&[Json]> {
        match self.get(key)? {
            Self::List(items) => Some(items),
            _ => None,
        }
    }
}

impl Json {
    /// As JSON text (RFC 8259), without spaces, in ASCII where the strings are.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        match self {
            Self::Null => text.push_str("null"),
            Self::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => text.push_str(&number.to_string()),
            Self::Text(value) => write_string(value, text),
            Self::List(items) => {
                text.push('[');
                for (nth, item) in items.iter().enumerate() {
                    if nth > 0 {
                        text.push(',');
                    }
                    item.write(text);
                }
                text.push(']');
            }
            Self::Object(members) => {
                text.push('{');
                for (nth, (key, value)) in members.iter().enumerate() {
                    if nth > 0 {
                        text.push(',');
                    }
                    write_string(key, text);
                    text.push(':');
                    value.write(text);
                }
                text.push('}');
            }
        }
    }
}

fn write_string(value: &str, text: &mut String) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\0'..='\u{1f}' => text.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => text.push(character),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_integers_keep_their_digits_and_nothing_else_changes() {
        for (text, expected) in [
            ("", ""),
            ("9007199254740993", "\"9007199254740993\""),
            ("{\"a\":18446744073709551615,\"b\":1}", "{\"a\":\"18446744073709551615\",\"b\":1}"),
            ("[1234567890123456,1234567890123456]", "[\"1234567890123456\",\"1234567890123456\"]"),
            ("123456789012345", "123456789012345"),
            ("-1234567890123456", "-1234567890123456"),
            ("1234567890123456.5", "1234567890123456.5"),
            ("1234567890123456e1", "1234567890123456e1"),
            ("\"1234567890123456\"", "\"1234567890123456\""),
            ("\"a\\\" 1234567890123456\"", "\"a\\\" 1234567890123456\""),
            ("\"a\\\\\" 1234567890123456", "\"a\\\\\" \"1234567890123456\""),
            ("\"1234567890123456", "\"1234567890123456"),
            ("\"\\", "\"\\"),
            ("\"\u{1f30b} 1\" 1234567890123456", "\"\u{1f30b} 1\" \"1234567890123456\""),
        ] {
            assert_eq!(with_long_integers_as_text(text), expected, "{text}");
        }
    }

    #[test]
    fn text_is_what_any_parser_reads_back() {
        let strings = ["", "plain", "a\"b\\c", "\0\u{1f}\n\r\t\u{7f}", "Ísland \u{1f30b}", "\\u0041"];
        let json = Json::object([
            ("n", Json::Null),
            ("b", Json::List(vec![Json::Bool(true), Json::Bool(false)])),
            ("most", Json::Number(u64::MAX)),
            ("\"", Json::List(strings.iter().map(|text| Json::Text((*text).into())).collect())),
            ("empty", Json::List(vec![Json::List(Vec::new()), Json::Object(Vec::new())])),
        ]);
        let parsed: serde_json::Value = serde_json::from_str(&json.to_text()).unwrap();
        let expected = serde_json::json!({
            "n": null, "b": [true, false], "most": u64::MAX, "\"": strings, "empty": [[], {}],
        });
        assert_eq!(parsed, expected);
    }
}
