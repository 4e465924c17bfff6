//! What came back.

use serde_json::Value;

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) bytes: Vec<u8>,
    /// Of a document; empty where the bytes are no text.
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}")).to_str().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn archive_id(&self) -> String {
        assert_eq!(self.status, 201, "{self:?}");
        self.header("x-amz-archive-id").to_owned()
    }

    /// Code and message.
    pub(crate) fn refusal(&self) -> (String, String) {
        let json = self.json();
        let text = |key: &str| json[key].as_str().unwrap().to_owned();
        (text("code"), text("message"))
    }
}
