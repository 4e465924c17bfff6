//! A decoded JSON document, in the few kinds the contract uses.
//!
//! Core neither parses nor prints JSON text: the browser has a parser of its own, and a second one would double the
//! size of the wasm file. The browser turns objects into this and back; the servers use `serde`.

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

    /// The member `key` as a list.
    pub fn list(&self, key: &str) -> Option<&[Json]> {
        match self.get(key)? {
            Self::List(items) => Some(items),
            _ => None,
        }
    }
}
