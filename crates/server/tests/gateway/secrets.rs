//! What `{:?}` shows, which ends up in logs and in messages of panics.

use std::fmt::Debug;

use glacier_core::s3::Intent;
use glacier_core::sigv4::{Credentials, SecretKey, Timestamp};
use glacier_upload_server::aws_credentials::AwsCredentials;
use glacier_upload_server::token::{TokenKey, Tokens};
use serde_json::json;

use crate::setting::{batch, claims, intent, key, setting};

const KEY: &str = "5d0c1ae49b7f2386e0d5c94a1b7e38f260adc5913e7b84f02d69c1a5873be40f";
const SECRET: &str = "canary+secret/of.the.cloud+0123456789abcd";
const SESSION: &str = "canary-session-token";

/// Each form of the key in which it could be printed.
fn secrets() -> Vec<String> {
    let bytes: Vec<u8> =
        (0..KEY.len()).step_by(2).map(|at| u8::from_str_radix(&KEY[at..at + 2], 16).unwrap()).collect();
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &bytes);
    let numbers = format!("{bytes:?}");
    let lines = format!("{bytes:#?}");
    let first = |text: String| text.lines().take(9).collect::<Vec<_>>().join("\n");
    let mut secrets = vec![KEY.to_owned(), KEY.to_uppercase(), base64, numbers, first(lines)];
    secrets.extend(["canary", "session-token"].map(str::to_owned));
    secrets
}

fn shows_nothing(what: &str, shown: &dyn Debug) {
    for text in [format!("{shown:?}"), format!("{shown:#?}")] {
        for secret in secrets() {
            assert!(!text.contains(&secret), "{what} shows {secret}: {text}");
        }
    }
}

#[test]
fn keys_are_not_for_show() {
    let token_key = || TokenKey::from_text(KEY).unwrap();
    let credentials = Credentials {
        access_key_id: "AKIDSHOWN".into(),
        secret_access_key: SecretKey::new(SECRET.into()),
        session_token: Some(SESSION.into()),
    };
    shows_nothing("a token key", &token_key());
    shows_nothing("the keys of tokens", &Tokens::from(token_key()));
    shows_nothing("a secret", &credentials.secret_access_key);
    shows_nothing("credentials", &credentials);
    shows_nothing("credentials with others", &Some(vec![(1, credentials.clone())]));
    shows_nothing("fixed credentials", &AwsCredentials::fixed(credentials));
    let (relayed, scope) = glacier_upload_server::relay::own_signature(&token_key(), "us-east-1");
    let shown = format!("{relayed:?} {scope:?}");
    let signed = glacier_core::sigv4::sign(&a_request(), &relayed, &scope, Timestamp::from_unix(1));
    assert!(!shown.contains(signed.rsplit('=').next().unwrap()), "{shown}");
}

fn a_request() -> glacier_core::sigv4::CanonicalRequest<'static> {
    glacier_core::sigv4::CanonicalRequest {
        method: "GET",
        path: "/",
        path_form: glacier_core::sigv4::PathForm::Normalized,
        query: "",
        headers: &[("host", "localhost")],
        payload_hash: "",
    }
}

/// A request that is signed is good for minutes, for whoever reads it.
#[tokio::test]
async fn signatures_are_not_for_show() {
    let token = key().mint(&claims()).unwrap();
    let answer = setting().sign(&token, batch(&[intent("ListParts", "photos", 1)])).await;
    let signed: glacier_core::intent::SignedRequest =
        serde_json::from_value(answer.json()["requests"][0].clone()).unwrap();
    let authorization = signed.headers.iter().find(|(name, _)| name == "authorization").unwrap().1.clone();
    let signature = authorization.split("Signature=").nth(1).unwrap();
    assert_eq!(signature.len(), 64);
    assert!(!format!("{signed:?} {signed:#?}").contains(signature));
    // Nor is the address of an object, which is all that a browser needs.
    let url = format!("https://photos.example/1?X-Amz-Signature={signature}");
    let presigned = glacier_core::intent::SignedRequest { url, headers: Vec::new(), ..signed };
    assert!(!format!("{presigned:?} {presigned:#?}").contains(signature));
    // A handle is good only for whom it was made for.
    let list: Intent = serde_json::from_value(json!({ "op": "s3:ListParts", "upload": "u1.a.b" })).unwrap();
    assert!(!format!("{list:?}").contains(&token));
}
