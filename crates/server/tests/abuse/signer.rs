//! Tokens and signatures of our own making, right or wrong: nothing here is the server's code.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use glacier_core::sigv4::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::case::hash;
use crate::wire::Request;

pub(crate) struct Keys {
    pub(crate) token_key: Vec<u8>,
    pub(crate) access_key_id: String,
    pub(crate) secret: String,
    pub(crate) host: String,
}

impl Keys {
    pub(crate) fn new(token_key: &str, credentials: &str, host: &str) -> Self {
        let mut lines = credentials.lines().map(str::to_owned);
        let digits = |at: usize| u8::from_str_radix(&token_key[at..at + 2], 16).unwrap();
        Self {
            token_key: (0..token_key.len()).step_by(2).map(digits).collect(),
            access_key_id: lines.next().unwrap(),
            secret: lines.next().unwrap(),
            host: host.to_owned(),
        }
    }

    /// Claims that are good for an hour.
    pub(crate) fn claims(&self, vaults: &[&str], ops: &[&str]) -> Value {
        let now = now();
        json!({
            "sub": "user-7", "vaults": vaults, "ops": ops, "maxArchiveBytes": 64 << 20, "iat": now, "exp": now + 3600,
        })
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_of(&claims.to_string())
    }

    /// With any text where the claims belong.
    pub(crate) fn token_of(&self, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEAD), URL_SAFE_NO_PAD.encode(claims));
        let tag = URL_SAFE_NO_PAD.encode(mac(&self.token_key, &signed));
        format!("{signed}.{tag}")
    }
}

/// The head of a good token.
pub(crate) const HEAD: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

pub(crate) fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// A request that is signed with Signature Version 4, wrongly where the case says so.
///
/// **Source:** AWS's description of the algorithm; the program `openssl` agrees, by the tests of the store.
#[derive(Clone)]
pub(crate) struct Signed<'k> {
    keys: &'k Keys,
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) terminator: String,
    /// Instead of the day of `date`.
    pub(crate) day: Option<String>,
    pub(crate) access_key_id: String,
    /// Of the body, unless something else is claimed.
    pub(crate) payload: Option<String>,
    /// Left out of the signature though it is sent.
    pub(crate) unsigned: Vec<&'static str>,
}

impl<'k> Signed<'k> {
    pub(crate) fn new(keys: &'k Keys, method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            keys,
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: vec![("x-amz-glacier-version".to_owned(), "2012-06-01".to_owned())],
            body: Vec::new(),
            date: Timestamp::from_unix(now()).to_string(),
            region: "us-east-1".to_owned(),
            service: "glacier".to_owned(),
            terminator: "aws4_request".to_owned(),
            day: None,
            access_key_id: keys.access_key_id.clone(),
            payload: None,
            unsigned: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(key, _)| key != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Changes what has no setter.
    pub(crate) fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// At another time than now, in seconds.
    pub(crate) fn later(self, seconds: i64) -> Self {
        let at = now().checked_add_signed(seconds).unwrap();
        self.but(|signed| signed.date = Timestamp::from_unix(at).to_string())
    }

    pub(crate) fn request(self) -> Request {
        let payload = self.payload.clone().unwrap_or_else(|| hash(&self.body));
        let day = self.day.clone().unwrap_or_else(|| self.date.chars().take(8).collect());
        let mut headers = self.headers.clone();
        headers.push(("host".to_owned(), self.keys.host.clone()));
        headers.push(("x-amz-date".to_owned(), self.date.clone()));
        headers.push(("x-amz-content-sha256".to_owned(), payload.clone()));
        let mut signed: Vec<_> =
            headers.iter().filter(|(name, _)| !self.unsigned.contains(&name.as_str())).cloned().collect();
        signed.sort();
        let names = signed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let lines: String = signed.iter().map(|(name, value)| format!("{name}:{}\n", squeezed(value))).collect();
        let canonical = format!("{}\n{}\n{}\n{lines}\n{names}\n{payload}", self.method, self.path, self.query);
        let scope = format!("{day}/{}/{}/{}", self.region, self.service, self.terminator);
        let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", self.date, hash(canonical.as_bytes()));
        let key = [&day, &self.region, &self.service, &self.terminator]
            .iter()
            .fold(format!("AWS4{}", self.keys.secret).into_bytes(), |key, text| mac(&key, text));
        let signature: String = mac(&key, &to_sign).iter().map(|byte| format!("{byte:02x}")).collect();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.access_key_id
        );
        headers.push(("authorization".to_owned(), authorization));
        let target = if self.query.is_empty() { self.path } else { format!("{}?{}", self.path, self.query) };
        let mut request = Request::new(&self.method, &target).body(self.body);
        request.headers = headers;
        request
    }
}

/// As signatures see it: runs of blanks are one.
fn squeezed(value: &str) -> String {
    value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
