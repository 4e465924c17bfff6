//! What goes to the sign endpoint, and what comes back.

use super::Intent;
use crate::glacier::{Method, Response};
use crate::json::Json;

/// The body of `POST /v1/sign`.
pub fn sign_body(intents: &[Intent]) -> Json {
    Json::object([("intents", Json::List(intents.iter().map(Intent::to_json).collect()))])
}

/// The signed requests in the gateway's answer to `n` intents, or `None` where it is not that: a refusal, or not the
/// gateway's answer at all.
pub fn read_signed(answer: &Response, n: usize) -> Option<Vec<SignedRequest>> {
    if answer.status != 200 {
        return None;
    }
    read_requests(answer.body.as_ref()?.get("requests")?, n)
}

/// `n` signed requests from a list, as the gateway or a page's own `sign` function gives it.
pub fn read_requests(list: &Json, n: usize) -> Option<Vec<SignedRequest>> {
    let Json::List(items) = list else { return None };
    if items.len() != n {
        return None;
    }
    items.iter().map(|item| SignedRequest::from_json(item).ok()).collect()
}

/// A request the browser may send as it is, once, within its lifetime.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "camelCase"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SignedRequest {
    /// Method.
    pub method: Method,
    /// Absolute, or relative to the URL of the sign endpoint.
    pub url: String,
    /// Headers to send exactly as they are. Never `Host`, `Date` or `Content-Length`, which a page cannot set.
    #[cfg_attr(feature = "serde", serde(with = "header_map"))]
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, String>"))]
    pub headers: Vec<(String, String)>,
    /// Text to send as the body, exactly as it is, because it is signed. Absent where there is no body, and where it is
    /// a part's bytes.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub body: Option<String>,
    /// For how many milliseconds from now the signature is good. A duration and not a date, because the browser's
    /// clock is wrong.
    pub expires_in_ms: u64,
}

// Hand-written, because a signature is a secret while it lives.
impl std::fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        // Of a presigned URL the query is the signature.
        let place = self.url.split('?').next().unwrap_or_default();
        write!(f, "SignedRequest({} {place}, headers {names:?}, {} ms)", self.method.as_str(), self.expires_in_ms)
    }
}

impl SignedRequest {
    /// Reads one element of the gateway's `requests`, or of what a page's own `sign` function returned.
    ///
    /// # Errors
    /// The name of the field that is missing or of the wrong kind.
    pub fn from_json(json: &Json) -> Result<Self, &'static str> {
        let method = json.text("method").and_then(Method::from_name).ok_or("method")?;
        let Some(Json::Object(members)) = json.get("headers") else {
            return Err("headers");
        };
        let headers = members
            .iter()
            .map(|(name, value)| match value {
                Json::Text(value) => Ok((name.to_ascii_lowercase(), value.clone())),
                _ => Err("headers"),
            })
            .collect::<Result<_, _>>()?;
        let body = match json.get("body") {
            None | Some(Json::Null) => None,
            Some(Json::Text(body)) => Some(body.clone()),
            Some(_) => return Err("body"),
        };
        Ok(Self {
            method,
            url: json.text("url").ok_or("url")?.to_owned(),
            headers,
            body,
            expires_in_ms: json.number("expiresInMs").ok_or("expiresInMs")?,
        })
    }
}

#[cfg(feature = "serde")]
mod header_map {
    //! Headers as a JSON object.

    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(headers: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(headers.iter().map(|(name, value)| (name, value)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
        Ok(BTreeMap::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    #[test]
    fn signed_requests_bring_their_body_or_none() {
        let read = |json: serde_json::Value| serde_json::from_value::<SignedRequest>(json);
        let mut json = serde_json::json!({ "method": "GET", "url": "/", "headers": {}, "expiresInMs": 1 });
        let without = read(json.clone()).unwrap();
        assert_eq!((without.body.clone(), serde_json::to_value(&without).unwrap()), (None, json.clone()));
        json["body"] = "{}".into();
        let with = read(json.clone()).unwrap();
        assert_eq!((with.body.as_deref(), serde_json::to_value(&with).unwrap()), (Some("{}"), json));
        let members = |body| {
            Json::object([
                ("method", Json::Text("POST".into())),
                ("url", Json::Text("/".into())),
                ("headers", Json::object([])),
                ("body", body),
                ("expiresInMs", Json::Number(1)),
            ])
        };
        assert_eq!(SignedRequest::from_json(&members(Json::Null)).unwrap().body, None);
        assert_eq!(SignedRequest::from_json(&members(Json::Text("{}".into()))).unwrap().body.as_deref(), Some("{}"));
        assert_eq!(SignedRequest::from_json(&members(Json::object([]))), Err("body"));
    }

    #[test]
    fn debug_shows_no_signature() {
        let request = SignedRequest {
            method: Method::Put,
            url: "/-/vaults/photos".into(),
            headers: vec![("authorization".into(), "AWS4-HMAC-SHA256 Signature=5ec4e7".into())],
            body: None,
            expires_in_ms: 1,
        };
        assert!(!format!("{request:?}").contains("5ec4e7"));
        let presigned = SignedRequest { url: "https://photos.example/1?X-Amz-Signature=5ec4e7".into(), ..request };
        assert!(!format!("{presigned:?}").contains("5ec4e7"));
    }
}
