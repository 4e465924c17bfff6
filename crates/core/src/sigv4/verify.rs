//! The other end: is this request signed by someone we know, for us, now?

use subtle::ConstantTimeEq;

use super::signature::signature;
use super::string_to_sign::TERMINATOR;
use super::{ALGORITHM, CanonicalRequest, Credentials, PathForm, Scope, SignatureError, Timestamp};

/// How far the time of signing may be from the server's clock, both ways.
pub(super) const WINDOW_SECONDS: u64 = crate::glacier::SIGNATURE_LIFETIME_MS / 1000;

/// A request as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedRequest<'a> {
    /// `GET`, `PUT`, …
    pub method: &'a str,
    /// The path as received, not decoded.
    pub path: &'a str,
    /// The query as received, without the question mark.
    pub query: &'a str,
    /// Every header received, `host` as the client sent it; lower-case names, in the order they came.
    pub headers: &'a [(&'a str, &'a str)],
    /// Value of `x-amz-content-sha256` where sent, else the plain SHA-256 of the body, in hexadecimal. Whoever calls
    /// compares the former with the bytes.
    pub payload_hash: &'a str,
}

/// Checks the signature in the `Authorization` header, the only place where one is accepted.
///
/// Besides the signature itself: the key is known and its session token is right; the scope is ours, of the day of
/// `x-amz-date`; that date (or an ISO 8601 `date` in its absence) is within five minutes of `now`; `host`, the date
/// and every `x-amz-*` header are signed; names of signed headers are sorted and given once.
///
/// Returns the credentials it was signed with.
///
/// # Errors
/// [`SignatureError`] for the first rule broken.
pub fn verify<'c>(
    request: &ReceivedRequest<'_>,
    known: &'c [Credentials],
    scope: &Scope,
    now: Timestamp,
) -> Result<&'c Credentials, SignatureError> {
    let authorization = Authorization::of(request)?;
    let date_header = if request.header("x-amz-date").is_some() { "x-amz-date" } else { "date" };
    let date = request.only_header(date_header)?.ok_or(SignatureError::DateMissing)?;
    let at = Timestamp::parse(date).map_err(|_| SignatureError::DateMalformed)?;

    let credentials = known
        .iter()
        .find(|credentials| credentials.access_key_id == authorization.access_key_id)
        .ok_or(SignatureError::UnknownKey)?;
    check_session_token(request, credentials)?;
    authorization.check_scope(scope, at)?;
    check_time(at, now)?;
    let signed = authorization.signed_headers(request, date_header)?;

    let canonical = CanonicalRequest {
        method: request.method,
        path: request.path,
        path_form: PathForm::Normalized,
        query: request.query,
        headers: &signed,
        payload_hash: request.payload_hash,
    };
    let expected = signature(&canonical, &credentials.secret_access_key, scope, at);
    if bool::from(expected.as_bytes().ct_eq(authorization.signature.as_bytes())) {
        Ok(credentials)
    } else {
        Err(SignatureError::Mismatch)
    }
}

/// The names in an `Authorization` header of the headers that its signature covers, in lower case and sorted once
/// [`verify()`] has said yes. Empty where it cannot be read.
pub fn signed_header_names(authorization: &str) -> Vec<&str> {
    Authorization::parse(authorization).map_or_else(Vec::new, |parsed| parsed.signed_headers.split(';').collect())
}

impl<'a> ReceivedRequest<'a> {
    fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    /// The header of that name, which must not come twice.
    fn only_header(&self, name: &'static str) -> Result<Option<&'a str>, SignatureError> {
        match self.headers.iter().filter(|(key, _)| *key == name).count() {
            0 | 1 => Ok(self.header(name)),
            _ => Err(SignatureError::HeaderRepeated { name }),
        }
    }
}

fn check_session_token(request: &ReceivedRequest<'_>, credentials: &Credentials) -> Result<(), SignatureError> {
    let given = request.only_header("x-amz-security-token")?.unwrap_or_default();
    let right = credentials.session_token.as_deref().unwrap_or_default();
    if bool::from(given.as_bytes().ct_eq(right.as_bytes())) { Ok(()) } else { Err(SignatureError::UnknownKey) }
}

fn check_time(at: Timestamp, now: Timestamp) -> Result<(), SignatureError> {
    if at < now.minus(WINDOW_SECONDS) {
        Err(SignatureError::Expired { at, now })
    } else if at > now.plus(WINDOW_SECONDS) {
        Err(SignatureError::NotYetCurrent { at, now })
    } else {
        Ok(())
    }
}

/// The parts of an `Authorization` header, unjudged.
struct Authorization<'a> {
    access_key_id: &'a str,
    /// What follows the key ID in `Credential`.
    scope: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn of(request: &ReceivedRequest<'a>) -> Result<Self, SignatureError> {
        let value = request.only_header("authorization")?.ok_or(SignatureError::Missing)?;
        if request.query.split('&').any(|parameter| parameter.to_ascii_lowercase().starts_with("x-amz-")) {
            return Err(SignatureError::TwoSources);
        }
        Self::parse(value).ok_or(SignatureError::Malformed)
    }

    /// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, in any order, each once. The space after the
    /// comma is left out by boto 2.
    fn parse(value: &'a str) -> Option<Self> {
        let fields = value.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let [mut credential, mut signed_headers, mut signature] = [None; 3];
        for field in fields.split(',') {
            let (name, value) = field.trim_matches(' ').split_once('=')?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return None,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        let (access_key_id, scope) = credential?.split_once('/')?;
        Some(Self { access_key_id, scope, signed_headers: signed_headers?, signature: signature? })
    }

    fn check_scope(&self, scope: &Scope, at: Timestamp) -> Result<(), SignatureError> {
        let [date, region, service, terminator] =
            <[&str; 4]>::try_from(self.scope.split('/').collect::<Vec<_>>()).map_err(|_| SignatureError::Malformed)?;
        for (given, right, what) in [
            (date, at.date().as_str(), "date"),
            (region, scope.region.as_str(), "region"),
            (service, scope.service, "service"),
            (terminator, TERMINATOR, "terminator"),
        ] {
            if given != right {
                return Err(SignatureError::Scope { what, right: right.to_owned() });
            }
        }
        Ok(())
    }

    /// The headers that were signed, once it is sure that none is missing from them.
    fn signed_headers(
        &self,
        request: &ReceivedRequest<'a>,
        date_header: &'static str,
    ) -> Result<Vec<(&'a str, &'a str)>, SignatureError> {
        let names: Vec<&str> = self.signed_headers.split(';').collect();
        if !names.is_sorted_by(|a, b| a < b) {
            return Err(SignatureError::SignedHeadersUnsorted);
        }
        let is_signed = |name: &str| names.binary_search(&name).is_ok();
        request.only_header("host")?;
        for name in ["host", date_header] {
            if !is_signed(name) {
                return Err(SignatureError::HeaderNotSigned { name: name.to_owned() });
            }
        }
        for (name, _) in request.headers {
            if name.starts_with("x-amz-") && !is_signed(name) {
                return Err(SignatureError::HeaderNotSigned { name: (*name).to_owned() });
            }
        }
        if names.iter().any(|name| request.header(name).is_none()) {
            return Err(SignatureError::SignedHeaderAbsent);
        }
        Ok(request.headers.iter().copied().filter(|(name, _)| is_signed(name)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{GLACIER, SecretKey, sign};
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const NOW: &str = "20260101T000000Z";

    fn credentials(token: Option<&str>) -> Credentials {
        Credentials {
            access_key_id: "AKID".into(),
            secret_access_key: SecretKey::new("secret".into()),
            session_token: token.map(Into::into),
        }
    }

    fn scope() -> Scope {
        Scope { region: "us-east-1".into(), service: GLACIER }
    }

    type Headers = Vec<(&'static str, String)>;

    /// A signed request that [`outcome`] accepts, before `change` is made to it.
    fn signed_at(date: &str) -> Headers {
        let mut headers: Headers = vec![
            ("host", "localhost:8080".into()),
            ("x-amz-date", date.into()),
            ("x-amz-glacier-version", "2012-06-01".into()),
            ("x-amz-archive-description", "double  spaces  here".into()),
        ];
        let borrowed: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = CanonicalRequest {
            method: "GET",
            path: "/-/vaults",
            path_form: PathForm::Normalized,
            query: "limit=1",
            headers: &borrowed,
            payload_hash: EMPTY,
        };
        let value = sign(&request, &credentials(None), &scope(), Timestamp::parse(date).unwrap());
        headers.push(("authorization", value));
        headers.push(("accept", "*/*".into()));
        headers
    }

    fn outcome(headers: &Headers) -> Result<String, SignatureError> {
        outcome_of("GET", "/-/vaults", "limit=1", headers, EMPTY)
    }

    fn outcome_of(
        method: &str,
        path: &str,
        query: &str,
        headers: &Headers,
        payload_hash: &str,
    ) -> Result<String, SignatureError> {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = ReceivedRequest { method, path, query, headers: &headers, payload_hash };
        let known = [credentials(None)];
        let found = verify(&request, &known, &scope(), Timestamp::parse(NOW).unwrap())?;
        Ok(found.access_key_id.clone())
    }

    fn with(name: &'static str, from: &str, to: &str) -> Headers {
        let mut headers = signed_at(NOW);
        let (_, value) = headers.iter_mut().find(|(key, _)| *key == name).unwrap();
        assert!(value.contains(from), "{value:?} has no {from:?} to change");
        *value = value.replace(from, to);
        headers
    }

    #[test]
    fn what_sign_signed_is_accepted() {
        assert_eq!(outcome(&signed_at(NOW)).unwrap(), "AKID");
        assert_eq!(outcome(&with("authorization", ", ", ",")).unwrap(), "AKID");
        // A proxy that squeezes blanks changes nothing that is signed.
        assert_eq!(outcome(&with("x-amz-archive-description", "double  spaces", " double spaces")).unwrap(), "AKID");
    }

    #[test]
    fn any_change_of_a_signed_part_is_noticed() {
        let good = signed_at(NOW);
        assert_eq!(outcome_of("PUT", "/-/vaults", "limit=1", &good, EMPTY), Err(SignatureError::Mismatch));
        assert_eq!(outcome_of("GET", "/-/vault", "limit=1", &good, EMPTY), Err(SignatureError::Mismatch));
        assert_eq!(outcome_of("GET", "/-/vaults", "limit=2", &good, EMPTY), Err(SignatureError::Mismatch));
        assert_eq!(
            outcome_of("GET", "/-/vaults", "limit=1", &good, &EMPTY.replace('e', "f")),
            Err(SignatureError::Mismatch)
        );
        for (name, from, to) in [
            ("host", "8080", "8081"),
            ("x-amz-glacier-version", "06", "07"),
            ("x-amz-archive-description", "double", "single"),
            ("authorization", "Signature=", "Signature=0"),
        ] {
            assert_eq!(outcome(&with(name, from, to)), Err(SignatureError::Mismatch), "{name}");
        }
    }

    #[test]
    fn every_amz_header_must_be_covered() {
        let mut headers = signed_at(NOW);
        headers.push(("x-amz-part-size", "1048576".into()));
        let not_signed = |name: &str| Err(SignatureError::HeaderNotSigned { name: name.into() });
        assert_eq!(outcome(&headers), not_signed("x-amz-part-size"));
        assert_eq!(outcome(&with("authorization", "host;", "")), not_signed("host"));
        assert_eq!(outcome(&with("authorization", ";x-amz-date;", ";")), not_signed("x-amz-date"));
        let without_version = with("authorization", ";x-amz-glacier-version", "");
        assert_eq!(outcome(&without_version), not_signed("x-amz-glacier-version"));
    }

    #[test]
    fn signed_headers_are_sorted_unique_and_present() {
        let unsorted = Err(SignatureError::SignedHeadersUnsorted);
        assert_eq!(outcome(&with("authorization", "host;", "host;host;")), unsorted);
        assert_eq!(
            outcome(&with("authorization", "host;x-amz-archive-description", "x-amz-archive-description;host")),
            unsorted
        );
        assert_eq!(outcome(&with("authorization", "host;", "accept-x;host;")), Err(SignatureError::SignedHeaderAbsent));
    }

    #[test]
    fn the_scope_is_ours_and_of_the_day() {
        for (from, to, what, right) in [
            ("/20260101/", "/20260102/", "date", "20260101"),
            ("us-east-1", "us-west-2", "region", "us-east-1"),
            ("/glacier/", "/s3/", "service", "glacier"),
            ("aws4_request", "aws4", "terminator", "aws4_request"),
        ] {
            let wrong = SignatureError::Scope { what, right: right.into() };
            assert_eq!(outcome(&with("authorization", from, to)), Err(wrong));
        }
        assert_eq!(outcome(&with("authorization", "/aws4_request", "")), Err(SignatureError::Malformed));
    }

    #[test]
    fn the_window_is_five_minutes_both_ways_to_the_second() {
        for good in ["20251231T235500Z", "20260101T000500Z", "20251231T235600Z"] {
            assert!(outcome(&signed_at(good)).is_ok(), "{good}");
        }
        for (bad, text) in [
            (
                "20251231T235459Z",
                "Signature expired: 20251231T235459Z is now earlier than 20251231T235500Z (20260101T000000Z - 5 min.)",
            ),
            (
                "20260101T000501Z",
                "Signature not yet current: 20260101T000501Z is still later than 20260101T000500Z (20260101T000000Z + 5 min.)",
            ),
            (
                "19700101T000000Z",
                "Signature expired: 19700101T000000Z is now earlier than 20251231T235500Z (20260101T000000Z - 5 min.)",
            ),
        ] {
            assert_eq!(outcome(&signed_at(bad)).unwrap_err().to_string(), text);
        }
        assert!(matches!(outcome(&signed_at("99991231T235959Z")), Err(SignatureError::NotYetCurrent { .. })));
        assert_eq!(outcome(&with("x-amz-date", "T", "X")), Err(SignatureError::DateMalformed));
    }

    #[test]
    fn a_date_header_alone_will_do_in_the_form_that_is_signed() {
        for (date, expected) in
            [(NOW, Ok("AKID".into())), ("Thu, 01 Jan 2026 00:00:00 GMT", Err(SignatureError::DateMalformed))]
        {
            let mut headers: Headers = vec![("host", "localhost".into()), ("date", date.into())];
            let borrowed: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let request = CanonicalRequest {
                method: "GET",
                path: "/",
                path_form: PathForm::Normalized,
                query: "",
                headers: &borrowed,
                payload_hash: EMPTY,
            };
            let authorization = sign(&request, &credentials(None), &scope(), Timestamp::parse(NOW).unwrap());
            headers.push(("authorization", authorization));
            assert_eq!(outcome_of("GET", "/", "", &headers, EMPTY), expected);
        }
        let mut none = signed_at(NOW);
        none.retain(|(name, _)| *name != "x-amz-date");
        assert_eq!(outcome(&none), Err(SignatureError::DateMissing));
    }

    #[test]
    fn exactly_one_authorization_header_is_a_source() {
        let mut none = signed_at(NOW);
        none.retain(|(name, _)| *name != "authorization");
        assert_eq!(outcome(&none), Err(SignatureError::Missing));
        let mut two = signed_at(NOW);
        two.push(two[4].clone());
        assert_eq!(outcome(&two), Err(SignatureError::HeaderRepeated { name: "authorization" }));
        let both = outcome_of("GET", "/-/vaults", "limit=1&X-Amz-Signature=0", &signed_at(NOW), EMPTY);
        assert_eq!(both, Err(SignatureError::TwoSources));
        for (from, to) in [
            ("AWS4-HMAC-SHA256", "aws4-hmac-sha256"),
            ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
            ("AWS4-HMAC-SHA256 ", "AWS "),
            ("Signature=", "Signature:"),
            ("SignedHeaders=", "Signature="),
            ("Credential=AKID/", "Credential=AKID,x=/"),
        ] {
            assert_eq!(outcome(&with("authorization", from, to)), Err(SignatureError::Malformed), "{to}");
        }
    }

    #[test]
    fn unknown_keys_and_wrong_session_tokens_are_told_alike() {
        assert_eq!(outcome(&with("authorization", "AKID/", "AKIE/")), Err(SignatureError::UnknownKey));
        let mut with_token = signed_at(NOW);
        with_token.push(("x-amz-security-token", "t".into()));
        assert_eq!(outcome(&with_token), Err(SignatureError::UnknownKey));
        let headers = signed_at(NOW);
        let borrowed: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = ReceivedRequest {
            method: "GET",
            path: "/-/vaults",
            query: "limit=1",
            headers: &borrowed,
            payload_hash: EMPTY,
        };
        let now = Timestamp::parse(NOW).unwrap();
        assert_eq!(verify(&request, &[credentials(Some("t"))], &scope(), now).unwrap_err(), SignatureError::UnknownKey);
    }
}
