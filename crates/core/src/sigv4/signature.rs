//! Steps 3 and 4: the signing key, the signature, and the `Authorization` header.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::string_to_sign::{TERMINATOR, string_to_sign};
use super::{ALGORITHM, CanonicalRequest, Credentials, Scope, SecretKey, Timestamp};
use crate::hex;

/// The value of `Authorization` for `request`, whose headers must already hold `host`, `x-amz-date` equal to `at`,
/// and `x-amz-security-token` where the credentials have a session token. Every header given is signed.
pub fn sign(request: &CanonicalRequest<'_>, credentials: &Credentials, scope: &Scope, at: Timestamp) -> String {
    format!(
        "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={}",
        credentials.access_key_id,
        scope.on(at),
        request.signed_headers(),
        signature(request, &credentials.secret_access_key, scope, at)
    )
}

/// The signature alone, 64 hexadecimal digits.
pub(super) fn signature(request: &CanonicalRequest<'_>, secret: &SecretKey, scope: &Scope, at: Timestamp) -> String {
    let key = signing_key(secret, scope, at);
    hex::encode(&hmac_sha256(&key, string_to_sign(request, scope, at).as_bytes()))
}

/// The key of one day, region and service.
fn signing_key(secret: &SecretKey, scope: &Scope, at: Timestamp) -> [u8; 32] {
    let seed = [b"AWS4", secret.as_bytes()].concat();
    let of_date = hmac_sha256(&seed, at.date().as_bytes());
    let of_region = hmac_sha256(&of_date, scope.region.as_bytes());
    let of_service = hmac_sha256(&of_region, scope.service.as_bytes());
    hmac_sha256(&of_service, TERMINATOR.as_bytes())
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::super::{GLACIER, PathForm};
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const MIB_HASH: &str = "631b84027d6b9e52b539c4e8373622d23032dfadc64d60af87339c9037e4f769";

    fn glacier() -> Scope {
        Scope { region: "us-east-1".into(), service: GLACIER }
    }

    fn secret() -> SecretKey {
        SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into())
    }

    /// Checks a request to Glacier in us-east-1 with `extra` headers against the signature (and, where known, the
    /// canonical request's hash) that AWS's guide or botocore gives.
    fn check(line: &str, date: &str, extra: &[(&str, &str)], payload_hash: &str, hash: &str, expected: &str) {
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = vec![
            ("host", "glacier.us-east-1.amazonaws.com"),
            ("x-amz-date", date),
            ("x-amz-glacier-version", "2012-06-01"),
        ];
        headers.extend(extra);
        let request =
            CanonicalRequest { method, path, path_form: PathForm::Normalized, query, headers: &headers, payload_hash };
        if !hash.is_empty() {
            assert_eq!(request.hash(), hash, "{line}");
        }
        let at = Timestamp::parse(date).unwrap();
        assert_eq!(signature(&request, &secret(), &glacier(), at), expected, "{line}");
    }

    #[test]
    fn glacier_requests_have_the_signatures_of_the_guide_and_of_botocore() {
        check(
            "PUT /-/vaults/examplevault",
            "20120525T002453Z",
            &[],
            EMPTY,
            "5f1da1a2d0feb614dd03d71e87928b8e449ac87614479332aced3a701f916743",
            "3ce5b2f2fffac9262b4da9256f8d086b4aaf42eba5f111c21681a65a127b7c2a",
        );
        let sha = "726e392cb4d09924dbad1cc0ba3b00c3643d03d14cb4b823e2f041cff612a628";
        check(
            "POST /-/vaults/examplevault/archives",
            "20120507T000000Z",
            &[("x-amz-content-sha256", sha)],
            sha,
            "",
            "b092397439375d59119072764a1e9a144677c43d9906fd98a5742c57a2855de6",
        );
        check(
            "PUT /-/vaults/examplevault/multipart-uploads/UPLOADID",
            "20260101T000000Z",
            &[
                ("content-range", "bytes 0-1048575/*"),
                ("x-amz-content-sha256", MIB_HASH),
                ("x-amz-sha256-tree-hash", MIB_HASH),
            ],
            MIB_HASH,
            "69bc0796c22049cd74fffd80e4616cdd3caf2f2892016cb7bed0558ee3a6ebfa",
            "fd17a4c4ecaf129c9743bbc5622f2d9e9fea20a17082a9144f8f367995ab0722",
        );
        check(
            "GET /-/vaults?limit=2&marker=arn%3Aaws%3Aglacier%3Aus-east-1%3A012345678901%3Avaults%2Fexamplevault1",
            "20260101T000000Z",
            &[],
            EMPTY,
            "f6efec442f55b5e04f49ae90a2e8ee068903efc5b8a02c945bb1378dd3e81cc1",
            "e80d6fd46e386e96e1298e83ed5a33ca568fd6a6296a359016c1390169e522bb",
        );
        check(
            "POST /-/vaults/examplevault/multipart-uploads",
            "20260101T000000Z",
            &[("x-amz-archive-description", "double  spaces  here"), ("x-amz-part-size", "4194304")],
            EMPTY,
            "2b1456ced4a3fda73d4ece4c18bca1b58d96063211656b564d333f1dcff59efe",
            "1064b42ee6fafa2a6946784a7ea8e42caa92df2f687ee8fdf4d2c8d522772695",
        );
    }

    #[test]
    fn signing_keys_are_those_of_botocore() {
        for (date, key) in [
            ("20260101T000000Z", "51b1a095b844c4ee746be22b0177ec387bb24017d7441334ad9bc4821c60712c"),
            ("20120525T002453Z", "75fb39ae89095e144a7b5b520c6761dcedc4fe3acf1fc6e51fee65489bfacf74"),
        ] {
            assert_eq!(hex::encode(&signing_key(&secret(), &glacier(), Timestamp::parse(date).unwrap())), key);
        }
    }

    /// AWS's signing test suite: key `AKIDEXAMPLE`, service `service`, host `example.amazonaws.com`.
    #[test]
    fn classic_cases_of_the_aws_suite() {
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE".into(),
            secret_access_key: SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into()),
            session_token: None,
        };
        let scope = Scope { region: "us-east-1".into(), service: "service" };
        let at = Timestamp::parse("20150830T123600Z").unwrap();
        for (method, path, query, expected) in [
            ("GET", "/", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("POST", "/", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            (
                "GET",
                "/",
                "Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            ("GET", "/./", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ] {
            let headers = [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];
            let request = CanonicalRequest {
                method,
                path,
                path_form: PathForm::Normalized,
                query,
                headers: &headers,
                payload_hash: EMPTY,
            };
            assert_eq!(
                sign(&request, &credentials, &scope, at),
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature={expected}"
                ),
                "{method} {path}?{query}"
            );
        }
    }
}
