//! The gateway contract: what the browser says it intends, and the signed request it gets back.
//!
//! `POST /v1/sign` takes `{"intents": [Intent, …]}` (1 to [`MAX_INTENTS`]) and answers `{"requests": [SignedRequest,
//! …]}` in the same order, or a [`Refusal`] for the whole batch. An intent is typed by operation and names nothing
//! that is signed verbatim: host, path, headers, date and expiry are the gateway's. That is the security boundary:
//! a signer that takes strings from a page signs whatever a page was made to ask for.
//!
//! Any back end may take the gateway's place by answering the same JSON.

use crate::glacier::{
    Description, Method, Request, UploadId, VaultName, abort_multipart_upload, complete_multipart_upload,
    initiate_multipart_upload, list_parts, upload_multipart_part,
};
use crate::json::Json;
use crate::part::PartSize;
use crate::range::ByteRange;
use crate::sha256::PayloadHash;
use crate::tree_hash::{PartDigest, TreeHash};

/// Most intents in one batch. Bounds what a stolen token can harvest at once.
pub const MAX_INTENTS: usize = 100;

/// What the browser means to do next. As JSON: an object with `op` and the fields below in camel case; sizes are
/// numbers of bytes, hashes lower-case hex, ranges inclusive text as in `RangeInBytes` (`"0-1048575"`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "op", rename_all_fields = "camelCase", deny_unknown_fields)
)]
pub enum Intent {
    /// Open an upload.
    InitiateMultipartUpload {
        /// Where to.
        vault: VaultName,
        /// Of all parts but the last.
        part_size: PartSize,
        /// Bytes in the whole archive: checked against the token's limit before a byte is sent.
        size: u64,
        /// Kept with the archive.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        description: Option<Description>,
    },
    /// Send one part.
    UploadMultipartPart {
        /// The upload's vault.
        vault: VaultName,
        /// As returned by InitiateMultipartUpload.
        upload_id: UploadId,
        /// Which bytes of the archive.
        range: ByteRange,
        /// Of the part's bytes; the signature holds for no others.
        payload_hash: PayloadHash,
        /// Of the part's bytes.
        tree_hash: TreeHash,
    },
    /// See which parts the store holds.
    ListParts {
        /// The upload's vault.
        vault: VaultName,
        /// As returned by InitiateMultipartUpload.
        upload_id: UploadId,
        /// Where the page begins; absent for the first.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        marker: Option<String>,
    },
    /// Make the archive.
    CompleteMultipartUpload {
        /// The upload's vault.
        vault: VaultName,
        /// As returned by InitiateMultipartUpload.
        upload_id: UploadId,
        /// Bytes in the whole archive.
        size: u64,
        /// Of the whole archive.
        tree_hash: TreeHash,
    },
    /// Remove the upload and its parts.
    AbortMultipartUpload {
        /// The upload's vault.
        vault: VaultName,
        /// As returned by InitiateMultipartUpload.
        upload_id: UploadId,
    },
}

impl Intent {
    /// The operation's name in AWS's words, which is also the JSON's `op`.
    pub const fn op(&self) -> &'static str {
        match self {
            Self::InitiateMultipartUpload { .. } => "InitiateMultipartUpload",
            Self::UploadMultipartPart { .. } => "UploadMultipartPart",
            Self::ListParts { .. } => "ListParts",
            Self::CompleteMultipartUpload { .. } => "CompleteMultipartUpload",
            Self::AbortMultipartUpload { .. } => "AbortMultipartUpload",
        }
    }

    /// The vault it touches.
    pub const fn vault(&self) -> &VaultName {
        match self {
            Self::InitiateMultipartUpload { vault, .. }
            | Self::UploadMultipartPart { vault, .. }
            | Self::ListParts { vault, .. }
            | Self::CompleteMultipartUpload { vault, .. }
            | Self::AbortMultipartUpload { vault, .. } => vault,
        }
    }

    /// How many bytes of archive it speaks of: the whole size, or the end of the part's range.
    pub const fn archive_len(&self) -> Option<u64> {
        match self {
            Self::InitiateMultipartUpload { size, .. } | Self::CompleteMultipartUpload { size, .. } => Some(*size),
            Self::UploadMultipartPart { range, .. } => Some(range.end()),
            Self::ListParts { .. } | Self::AbortMultipartUpload { .. } => None,
        }
    }

    /// The request that does it in a Glacier vault of `account` (twelve digits or `-`).
    pub fn glacier_request(&self, account: &str) -> Request {
        match self {
            Self::InitiateMultipartUpload { vault, part_size, size: _, description } => {
                initiate_multipart_upload::request(account, vault, *part_size, description.as_ref())
            }
            Self::UploadMultipartPart { vault, upload_id, range, payload_hash, tree_hash } => {
                let digest = PartDigest { payload_hash: *payload_hash, tree_hash: *tree_hash };
                upload_multipart_part::request(account, vault, upload_id, *range, &digest)
            }
            Self::ListParts { vault, upload_id, marker } => {
                list_parts::request(account, vault, upload_id, marker.as_deref())
            }
            Self::CompleteMultipartUpload { vault, upload_id, size, tree_hash } => {
                complete_multipart_upload::request(account, vault, upload_id, *size, *tree_hash)
            }
            Self::AbortMultipartUpload { vault, upload_id } => {
                abort_multipart_upload::request(account, vault, upload_id)
            }
        }
    }

    /// The JSON form, for the browser. The servers encode by `serde`; a test holds the two together.
    pub fn to_json(&self) -> Json {
        let mut members = vec![("op", Json::Text(self.op().into())), ("vault", Json::Text(self.vault().to_string()))];
        match self {
            Self::InitiateMultipartUpload { vault: _, part_size, size, description } => {
                members.push(("partSize", Json::Number(part_size.bytes())));
                members.push(("size", Json::Number(*size)));
                if let Some(description) = description {
                    members.push(("description", Json::Text(description.to_string())));
                }
            }
            Self::UploadMultipartPart { vault: _, upload_id, range, payload_hash, tree_hash } => {
                members.push(("uploadId", Json::Text(upload_id.to_string())));
                members.push(("range", Json::Text(range.inclusive())));
                members.push(("payloadHash", Json::Text(payload_hash.to_string())));
                members.push(("treeHash", Json::Text(tree_hash.to_string())));
            }
            Self::ListParts { vault: _, upload_id, marker } => {
                members.push(("uploadId", Json::Text(upload_id.to_string())));
                if let Some(marker) = marker {
                    members.push(("marker", Json::Text(marker.clone())));
                }
            }
            Self::CompleteMultipartUpload { vault: _, upload_id, size, tree_hash } => {
                members.push(("uploadId", Json::Text(upload_id.to_string())));
                members.push(("size", Json::Number(*size)));
                members.push(("treeHash", Json::Text(tree_hash.to_string())));
            }
            Self::AbortMultipartUpload { vault: _, upload_id } => {
                members.push(("uploadId", Json::Text(upload_id.to_string())));
            }
        }
        Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}

/// A request the browser may send as it is, once, within its lifetime.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "camelCase"))]
pub struct SignedRequest {
    /// Method.
    pub method: Method,
    /// Absolute, or relative to the URL of the sign endpoint.
    pub url: String,
    /// Headers to send exactly as they are. Never `Host`, `Date` or `Content-Length`, which a page cannot set.
    #[cfg_attr(feature = "serde", serde(with = "header_map"))]
    pub headers: Vec<(String, String)>,
    /// For how many milliseconds from now the signature is good. A duration and not a date, because the browser's
    /// clock is wrong.
    pub expires_in_ms: u64,
}

// Hand-written, because a signature is a secret while it lives.
impl std::fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        write!(f, "SignedRequest({} {}, headers {names:?}, {} ms)", self.method.as_str(), self.url, self.expires_in_ms)
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
        Ok(Self {
            method,
            url: json.text("url").ok_or("url")?.to_owned(),
            headers,
            expires_in_ms: json.number("expiresInMs").ok_or("expiresInMs")?,
        })
    }
}

/// Why the gateway refused a batch: `{"code", "message", "requestId", "intent"?}`. Nothing of the batch was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct Refusal {
    /// What went wrong, for programs.
    pub code: RefusalCode,
    /// What went wrong and what to do, for people. Never repeats input.
    pub message: String,
    /// To find the refusal in the gateway's log.
    pub request_id: String,
    /// Which intent of the batch, counted from 0.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub intent: Option<usize>,
}

/// The gateway's codes, each with its status. In JSON the names are in snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum RefusalCode {
    /// 500: our fault.
    Internal,
    /// 422: an intent or a field of it is not what the contract says.
    InvalidRequest,
    /// 403: more bytes or parts than the token allows.
    LimitExceeded,
    /// 400: the body is not JSON.
    MalformedJson,
    /// 405: not a method of this path.
    MethodNotAllowed,
    /// 421: this server does not answer for that host.
    MisdirectedRequest,
    /// 404: no such path.
    NotFound,
    /// 403: the token does not allow this operation, or not in this vault.
    OperationDenied,
    /// 413: a body over the limit, or over [`MAX_INTENTS`] intents.
    TooLarge,
    /// 401: the token's time is over; get another.
    TokenExpired,
    /// 401: not a token of this gateway.
    TokenInvalid,
    /// 401: no token.
    TokenMissing,
    /// 415: the body is not said to be `application/json`, or is compressed.
    UnsupportedMediaType,
}

impl RefusalCode {
    /// The HTTP status that goes with the code.
    pub const fn status(self) -> u16 {
        match self {
            Self::Internal => 500,
            Self::InvalidRequest => 422,
            Self::LimitExceeded | Self::OperationDenied => 403,
            Self::MalformedJson => 400,
            Self::MethodNotAllowed => 405,
            Self::MisdirectedRequest => 421,
            Self::NotFound => 404,
            Self::TooLarge => 413,
            Self::TokenExpired | Self::TokenInvalid | Self::TokenMissing => 401,
            Self::UnsupportedMediaType => 415,
        }
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

#[cfg(feature = "serde")]
mod encoding {
    //! The JSON forms of hashes, ranges and part sizes.

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use crate::part::PartSize;
    use crate::range::ByteRange;
    use crate::sha256::PayloadHash;
    use crate::tree_hash::TreeHash;

    macro_rules! as_text {
        ($type:ty, $write:expr, $read:expr, $expected:literal) => {
            impl Serialize for $type {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    let write: fn(&$type) -> String = $write;
                    serializer.serialize_str(&write(self))
                }
            }

            impl<'de> Deserialize<'de> for $type {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let read: fn(&str) -> Option<$type> = $read;
                    read(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom($expected))
                }
            }
        };
    }

    as_text!(ByteRange, |range| range.inclusive(), ByteRange::parse_inclusive, "expected a byte range as \"first-last\"");
    as_text!(
        PayloadHash,
        PayloadHash::to_string,
        |text| PayloadHash::from_hex(text).ok(),
        "expected 64 lower-case hexadecimal digits"
    );
    as_text!(
        TreeHash,
        TreeHash::to_string,
        |text| TreeHash::from_hex(text).ok(),
        "expected 64 lower-case hexadecimal digits"
    );

    impl Serialize for PartSize {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_u64(self.bytes())
        }
    }

    impl<'de> Deserialize<'de> for PartSize {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Self::from_bytes(u64::deserialize(deserializer)?).map_err(D::Error::custom)
        }
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    fn every_intent() -> Vec<Intent> {
        let vault = VaultName::new("photos").unwrap();
        let upload_id = UploadId::new("upload_1-x").unwrap();
        let digest = |byte| [byte; 32];
        vec![
            Intent::InitiateMultipartUpload {
                vault: vault.clone(),
                part_size: PartSize::MAX,
                size: 42_949_672_960_000,
                description: Some(Description::new("double  spaces").unwrap()),
            },
            Intent::InitiateMultipartUpload { vault: vault.clone(), part_size: PartSize::MIN, size: 1, description: None },
            Intent::UploadMultipartPart {
                vault: vault.clone(),
                upload_id: upload_id.clone(),
                range: ByteRange::new(0, 1 << 20).unwrap(),
                payload_hash: PayloadHash::from_bytes(digest(0xab)),
                tree_hash: TreeHash::from_bytes(digest(1)),
            },
            Intent::ListParts { vault: vault.clone(), upload_id: upload_id.clone(), marker: None },
            Intent::ListParts { vault: vault.clone(), upload_id: upload_id.clone(), marker: Some("m".into()) },
            Intent::CompleteMultipartUpload {
                vault: vault.clone(),
                upload_id: upload_id.clone(),
                size: 7,
                tree_hash: TreeHash::from_bytes(digest(2)),
            },
            Intent::AbortMultipartUpload { vault, upload_id },
        ]
    }

    fn to_serde(json: &Json) -> serde_json::Value {
        match json {
            Json::Null => serde_json::Value::Null,
            Json::Bool(value) => (*value).into(),
            Json::Number(value) => (*value).into(),
            Json::Text(value) => value.clone().into(),
            Json::List(items) => items.iter().map(to_serde).collect(),
            Json::Object(members) => members.iter().map(|(key, value)| (key.clone(), to_serde(value))).collect(),
        }
    }

    #[test]
    fn browser_and_server_write_the_same_json_and_the_server_reads_it_back() {
        for intent in every_intent() {
            let by_browser = to_serde(&intent.to_json());
            assert_eq!(by_browser, serde_json::to_value(&intent).unwrap());
            assert_eq!(serde_json::from_value::<Intent>(by_browser).unwrap(), intent);
        }
    }

    #[test]
    fn unknown_fields_and_illegal_values_are_refused() {
        for intent in every_intent() {
            let good = serde_json::to_value(&intent).unwrap();
            for (key, value) in [
                ("host", "evil.test"), ("url", "/"), ("headers", "x"), ("to_sign", "AWS4"), ("vault", "../b"),
                ("uploadId", "a/b"), ("op", "DeleteVault"), ("payloadHash", "UNSIGNED-PAYLOAD"), ("partSize", "1"),
                ("range", "5-1"), ("treeHash", "00"), ("description", "\r\n"), ("size", "1"),
            ] {
                let mut bad = good.clone();
                bad[key] = value.into();
                assert!(serde_json::from_value::<Intent>(bad).is_err(), "{key} in {good}");
            }
        }
    }

    #[test]
    fn debug_shows_no_signature() {
        let request = SignedRequest {
            method: Method::Put,
            url: "/-/vaults/photos".into(),
            headers: vec![("authorization".into(), "AWS4-HMAC-SHA256 Signature=5ec4e7".into())],
            expires_in_ms: 1,
        };
        assert!(!format!("{request:?}").contains("5ec4e7"));
    }
}
