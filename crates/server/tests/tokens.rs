//! Tokens that others make: by the recipes of the documentation, and by an issuer with keys of its own.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

#[path = "vectors/recipe.rs"]
#[expect(unreachable_pub, reason = "in an application it is reached")]
mod recipe;

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use glacier_core::glacier::VaultName;
use glacier_upload_server::objects::ObjectGrant;
use glacier_upload_server::token::{
    Audience, Claims, Fetch, Issuer, KeySet, MAX_STALE, MIN_INTERVAL, REFRESH, TokenError, TokenKey, Tokens,
};
use serde::Deserialize;

const NOW: u64 = 1_800_000_000;
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const DOCUMENT: &str = include_str!("../../../docs/tokens.md");

/// The one block of the document in this language.
fn recipe_in(language: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let mut blocks = DOCUMENT.split(fence.as_str()).skip(1);
    let block = blocks.next().unwrap().split("```").next().unwrap();
    assert!(blocks.next().is_none(), "two recipes in {language}");
    block
}

fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_recipes_of_the_documentation_make_tokens_that_are_good() {
    let key: Vec<u8> = (0..32).collect();
    let expected = Claims {
        sub: "user-7".into(),
        vaults: vec![VaultName::new("photos").unwrap()],
        ops: vec!["upload".into(), "read".into()],
        max_archive_bytes: 1 << 40,
        iat: NOW,
        exp: NOW + 3600,
        ..Claims::default()
    };
    let python = format!("{}\nprint(token(bytes(range(32)), 'user-7', {NOW}))", recipe_in("python"));
    let node = format!("{}\nconsole.log(token(Buffer.from([...Array(32).keys()]), 'user-7', {NOW}))", recipe_in("js"));
    assert_eq!(recipe_in("rust").trim(), include_str!("vectors/recipe.rs").trim());
    for token in [
        printed("python3", &["-c", &python]),
        printed("node", &["--input-type=module", "--eval", &node]),
        recipe::token(&key, "user-7", NOW),
    ] {
        assert_eq!(TokenKey::from_text(KEY).unwrap().verify(&token, NOW), Ok(expected.clone()), "{token}");
    }
    // "Ten lines" is a promise, too.
    for language in ["python", "js", "rust"] {
        let lines = recipe_in(language).lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines <= 12, "{lines} lines of {language}");
    }
}

#[test]
fn the_documentation_has_the_sets_as_they_are() {
    for (set, operations) in glacier_upload_server::grant::SETS {
        let row = DOCUMENT.lines().find(|line| line.starts_with(&format!("| `{set}` |"))).unwrap();
        let documented: Vec<&str> =
            row.split('|').nth(2).unwrap().split(',').map(|name| name.trim().trim_matches('`')).collect();
        assert_eq!(documented, operations, "{set}");
    }
}

#[derive(Deserialize)]
struct Issued {
    jwks: serde_json::Value,
    good: BTreeMap<String, String>,
    bad: BTreeMap<String, String>,
    expired: String,
}

fn issued() -> Issued {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/issuer.mjs");
    serde_json::from_str(&printed("node", &[script, &NOW.to_string()])).unwrap()
}

fn trusting(fetch: Fetch) -> Tokens {
    let issuer = Issuer::new("https://id.example.com/".into(), "glacierUpload".into(), fetch);
    Tokens::new(TokenKey::from_text(KEY).unwrap(), Some("upload".into()), Some(issuer), None)
}

#[tokio::test]
async fn an_issuers_tokens_are_good_and_no_others() {
    let issued = issued();
    let jwks = serde_json::to_vec(&issued.jwks).unwrap();
    let tokens = trusting(Arc::new(move || Box::pin(std::future::ready(Ok(jwks.clone())))));
    let expected = Claims {
        sub: "user-7".into(),
        vaults: vec![VaultName::new("photos").unwrap()],
        objects: vec![ObjectGrant::new("films/anna/").unwrap()],
        ops: vec!["upload".into()],
        max_archive_bytes: 1 << 40,
        max_parts: Some(9),
        iat: NOW,
        exp: NOW + 3600,
        jti: Some("t1".into()),
        iss: Some("https://id.example.com/".into()),
        aud: Some(Audience::Several(vec!["upload".into(), "mail".into()])),
        ..Claims::default()
    };
    assert_eq!(issued.good.len(), 3);
    for (name, token) in &issued.good {
        assert_eq!(tokens.verify(token, NOW).await.as_ref(), Ok(&expected), "{name}");
        // Without an issuer to trust they are nothing.
        let alone = Tokens::from(TokenKey::from_text(KEY).unwrap());
        assert_eq!(alone.verify(token, NOW).await, Err(TokenError::Invalid), "{name}");
    }
    assert!(issued.bad.len() > 40);
    for (name, token) in &issued.bad {
        assert_eq!(tokens.verify(token, NOW).await, Err(TokenError::Invalid), "{name}");
    }
    assert_eq!(tokens.verify(&issued.expired, NOW).await, Err(TokenError::Expired));
    // The shared key's tokens are as good as before, if they name whom they are for.
    let shared = Claims { iss: None, aud: Some(Audience::One("upload".into())), ..expected };
    let token = TokenKey::from_text(KEY).unwrap().mint(&shared).unwrap();
    assert_eq!(tokens.verify(&token, NOW).await, Ok(shared));
}

/// An issuer whose answer and number of calls the test has in hand.
#[derive(Clone, Default)]
struct Scripted {
    answer: Arc<Mutex<Option<Vec<u8>>>>,
    calls: Arc<AtomicUsize>,
}

impl Scripted {
    fn says(&self, answer: Option<&serde_json::Value>) {
        *self.answer.lock().unwrap() = answer.map(|json| serde_json::to_vec(json).unwrap());
    }

    fn fetch(&self) -> Fetch {
        let scripted = self.clone();
        Arc::new(move || {
            scripted.calls.fetch_add(1, Ordering::SeqCst);
            let answer = scripted.answer.lock().unwrap().clone().ok_or_else(|| "unreachable".to_owned());
            Box::pin(std::future::ready(answer))
        })
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

/// The set with only the keys of these names.
fn only(issued: &Issued, names: &[&str]) -> serde_json::Value {
    let keys = issued.jwks["keys"].as_array().unwrap().iter();
    let keys: Vec<_> = keys.filter(|key| names.contains(&key["kid"].as_str().unwrap())).collect();
    serde_json::json!({ "keys": keys })
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_fetched_when_a_token_names_it_but_not_for_everybody() {
    let issued = issued();
    let (rs256, es256) = (&issued.good["RS256"], &issued.good["ES256"]);
    let scripted = Scripted::default();
    scripted.says(Some(&only(&issued, &["rsa"])));
    let tokens = trusting(scripted.fetch());
    // Nothing is fetched before it is needed, and nothing twice.
    assert!(tokens.verify(rs256, NOW).await.is_ok() && tokens.verify(rs256, NOW).await.is_ok());
    assert_eq!(scripted.calls(), 1);
    // Keys there are not do not become a flood of calls.
    for _ in 0..100 {
        assert!(tokens.verify(es256, NOW).await.is_err());
        assert!(tokens.verify(&issued.bad["an unknown key"], NOW).await.is_err());
    }
    assert_eq!(scripted.calls(), 1);
    scripted.says(Some(&only(&issued, &["ec"])));
    tokio::time::sleep(MIN_INTERVAL).await;
    assert!(tokens.verify(es256, NOW).await.is_ok());
    assert_eq!(scripted.calls(), 2);
    // What the issuer has taken out of its set is gone.
    assert!(tokens.verify(rs256, NOW).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn keys_outlive_their_issuer_for_a_while() {
    let issued = issued();
    let token = &issued.good["EdDSA"];
    let scripted = Scripted::default();
    let tokens = trusting(scripted.fetch());
    assert!(tokens.verify(token, NOW).await.is_err());
    scripted.says(Some(&issued.jwks));
    tokio::time::sleep(MIN_INTERVAL).await;
    assert!(tokens.verify(token, NOW).await.is_ok());
    scripted.says(None);
    tokio::time::sleep(MAX_STALE).await;
    assert!(tokens.verify(token, NOW).await.is_ok());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(tokens.verify(token, NOW).await.is_err());
    scripted.says(Some(&issued.jwks));
    tokio::time::sleep(MIN_INTERVAL).await;
    assert!(tokens.verify(token, NOW).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_taken_back_is_gone_at_the_next_fetch() {
    let issued = issued();
    let scripted = Scripted::default();
    scripted.says(Some(&issued.jwks));
    let tokens = Arc::new(trusting(scripted.fetch()));
    let following = tokens.clone();
    tokio::spawn(async move { following.follow().await });
    assert!(tokens.verify(&issued.good["RS256"], NOW).await.is_ok());
    scripted.says(Some(&only(&issued, &["ed"])));
    tokio::time::sleep(REFRESH + Duration::from_secs(1)).await;
    assert!(tokens.verify(&issued.good["RS256"], NOW).await.is_err());
    assert!(tokens.verify(&issued.good["EdDSA"], NOW).await.is_ok());
    assert!(tokens.is_ready());
    // What is no set leaves the last one in place.
    scripted.says(Some(&serde_json::json!({ "keys": [] })));
    tokio::time::sleep(REFRESH).await;
    assert!(tokens.verify(&issued.good["EdDSA"], NOW).await.is_ok());
}

#[test]
fn a_set_without_a_key_to_use_is_none() {
    let issued = issued();
    for (json, is_set) in [
        (only(&issued, &["rsa"]).to_string(), true),
        (only(&issued, &["oct", "new", "encryption", "rs512", "p384"]).to_string(), false),
        (r#"{"keys":[]}"#.into(), false),
        ("{}".into(), false),
        ("<html>".into(), false),
        (r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"short","x":"AA","y":"AA"}]}"#.into(), false),
        (only(&issued, &["rsa"]).to_string().replace("\"kid\":\"rsa\"", "\"nokid\":1"), false),
    ] {
        assert_eq!(KeySet::read(json.as_bytes()).is_ok(), is_set, "{json}");
    }
}
