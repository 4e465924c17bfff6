//! The shared key's tokens.
#![expect(clippy::unwrap_used, reason = "tests")]

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};

use super::*;

const NOW: u64 = 1_800_000_000;
const OTHER_KEY: &str = "100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn key() -> TokenKey {
    TokenKey::from_text("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").unwrap()
}

fn claims() -> Claims {
    Claims {
        sub: "user-7".into(),
        vaults: vec![VaultName::new("photos").unwrap()],
        ops: vec!["upload".into(), "read".into()],
        max_archive_bytes: 1 << 40,
        iat: NOW,
        exp: NOW + 3600,
        ..Claims::default()
    }
}

/// A token with any header and claims, signed properly.
fn signed_as(header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key: Vec<u8> = (0..32).collect();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn signed(claims: &str) -> String {
    signed_as(r#"{"alg":"HS256"}"#, claims)
}

#[test]
fn a_token_is_good_from_its_making_to_its_end_with_leeway() {
    let token = key().mint(&claims()).unwrap();
    for (now, expected) in [
        (NOW - LEEWAY_S - 1, Err(TokenError::Invalid)),
        (NOW - LEEWAY_S, Ok(claims())),
        (NOW + 3600 + LEEWAY_S - 1, Ok(claims())),
        (NOW + 3600 + LEEWAY_S, Err(TokenError::Expired)),
        (u64::MAX, Err(TokenError::Expired)),
    ] {
        assert_eq!(key().verify(&token, now), expected, "at {now}");
    }
}

#[test]
fn no_changed_byte_survives() {
    let token = key().mint(&claims()).unwrap();
    for at in 0..token.len() {
        for bit in 0..8 {
            let mut bytes = token.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let Ok(forged) = String::from_utf8(bytes) else { continue };
            assert_eq!(key().verify(&forged, NOW), Err(TokenError::Invalid), "bit {bit} of byte {at}");
        }
    }
    for len in 0..token.len() {
        assert_eq!(key().verify(&token[..len], NOW), Err(TokenError::Invalid), "cut at {len}");
    }
    let other = TokenKey::from_text(OTHER_KEY).unwrap();
    assert_eq!(other.verify(&token, NOW), Err(TokenError::Invalid));
}

#[test]
fn signed_claims_that_break_a_rule_are_invalid() {
    let good = serde_json::to_value(claims()).unwrap();
    assert!(key().verify(&signed(&good.to_string()), NOW).is_ok());
    for (claim, value) in [
        ("exp", serde_json::json!(NOW + MAX_LIFETIME_S + 1)),
        ("exp", serde_json::json!(NOW)),
        ("exp", serde_json::json!("never")),
        ("exp", serde_json::json!(null)),
        ("iat", serde_json::json!(NOW + 3599)),
        ("iat", serde_json::json!(-1)),
        ("ops", serde_json::json!(["UploadArchive"])),
        ("ops", serde_json::json!("ListParts")),
        ("ops", serde_json::json!(["everything"])),
        ("ops", serde_json::json!(["upload", "*"])),
        ("vaults", serde_json::json!(["../b"])),
        ("vaults", serde_json::json!(["*"])),
        ("sub", serde_json::json!("")),
        ("sub", serde_json::json!("s".repeat(257))),
        ("maxArchiveBytes", serde_json::json!(1.5)),
        ("alg", serde_json::json!("none")),
        ("maxArchiveByte", serde_json::json!(1)),
        ("maxParts", serde_json::json!("many")),
        ("maxPartBytes", serde_json::json!(-1)),
        ("vaultPrefixes", serde_json::json!(["photos*"])),
        ("vaultPrefixes", serde_json::json!([""])),
        ("objects", serde_json::json!(["photos"])),
        ("objects", serde_json::json!("photos/")),
        ("objects", serde_json::json!([{"bucket": "photos", "prefix": ""}])),
        ("jti", serde_json::json!("")),
        ("jti", serde_json::json!(7)),
        ("nbf", serde_json::json!(NOW + LEEWAY_S + 1)),
        ("aud", serde_json::json!("somebody-else")),
    ] {
        let mut bad = good.clone();
        bad[claim] = value.clone();
        assert_eq!(key().verify(&signed(&bad.to_string()), NOW), Err(TokenError::Invalid), "{claim} {value}");
    }
    for claim in ["sub", "ops", "maxArchiveBytes", "iat", "exp"] {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(claim);
        assert_eq!(key().verify(&signed(&bad.to_string()), NOW), Err(TokenError::Invalid), "without {claim}");
    }
    let twice = good.to_string().replacen('{', "{\"exp\":1,", 1);
    assert_eq!(key().verify(&signed(&twice), NOW), Err(TokenError::Invalid));
}

#[test]
fn keys_are_long_and_never_shown() {
    for bad in ["", "00", "hunter2", &"00".repeat(32), &"ab".repeat(31), &"z".repeat(64)] {
        assert!(TokenKey::from_text(bad).is_err(), "{bad}");
    }
    assert!(TokenKey::from_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").is_ok());
    assert_eq!(format!("{:?}", key()), "TokenKey(…)");
}

#[test]
fn keys_of_documents_and_words_are_known_to_everybody() {
    assert!(key().is_published());
    assert!(TokenKey::from_text(OTHER_KEY).unwrap().is_published());
    let words = STANDARD.encode("a-string-secret-at-least-256-bits-long");
    assert!(TokenKey::from_text(&words).unwrap().is_published());
    let random = "8f1d3c5e7a9b0c2d4e6f80a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5";
    assert!(!TokenKey::from_text(random).unwrap().is_published());
}

#[test]
fn a_header_chooses_nothing() {
    let claims = serde_json::to_string(&claims()).unwrap();
    for good in [
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"typ":"at+jwt","alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"application/jwt","kid":null}"#,
    ] {
        assert!(key().verify(&signed_as(good, &claims), NOW).is_ok(), "{good}");
    }
    for bad in [
        "",
        "{}",
        r#"["HS256"]"#,
        r#"{"alg":"none"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"HS384"}"#,
        r#"{"alg":"HS512"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"ES256","kid":"a"}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#"{"alg":"HS256","typ":"secevent+jwt"}"#,
        r#"{"alg":"HS256","kid":"any"}"#,
        r#"{"alg":"HS256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
    ] {
        assert_eq!(key().verify(&signed_as(bad, &claims), NOW), Err(TokenError::Invalid), "{bad}");
    }
    let good = signed(&claims);
    let (unsigned, _) = good.rsplit_once('.').unwrap();
    for bad in [unsigned.to_owned(), format!("{unsigned}."), format!("{good}."), format!(".{good}"), format!("{good}=")]
    {
        assert_eq!(key().verify(&bad, NOW), Err(TokenError::Invalid), "{bad}");
    }
}

#[test]
fn a_key_takes_the_place_of_another_while_both_are_good() {
    let text = |keys: &[&str]| TokenKey::from_text(&keys.join("\n")).unwrap();
    let new = "5f".to_owned() + &OTHER_KEY[2..];
    let (before, during, after) = (text(&[OTHER_KEY]), text(&[&new, OTHER_KEY, ""]), text(&[&new]));
    let (old_token, new_token) = (before.mint(&claims()).unwrap(), during.mint(&claims()).unwrap());
    assert!(during.verify(&old_token, NOW).is_ok() && during.verify(&new_token, NOW).is_ok());
    assert!(after.verify(&new_token, NOW).is_ok());
    assert_eq!(after.verify(&old_token, NOW), Err(TokenError::Invalid));
    assert_eq!(before.verify(&new_token, NOW), Err(TokenError::Invalid));
}

#[tokio::test]
async fn a_token_is_for_whom_it_names() {
    let audience = |name: Option<&str>| Tokens::new(key(), name.map(str::to_owned), None, None);
    let meant = |aud: Option<Audience>| key().mint(&Claims { aud, ..claims() }).unwrap();
    let one = |name: &str| Some(Audience::One(name.into()));
    let several = |names: &[&str]| Some(Audience::Several(names.iter().map(|name| (*name).into()).collect()));
    for (ours, aud, is_good) in [
        (None, None, true),
        (None, one("upload"), false),
        (Some("upload"), None, false),
        (Some("upload"), one("upload"), true),
        (Some("upload"), one("uploads"), false),
        (Some("upload"), several(&["a", "upload"]), true),
        (Some("upload"), several(&[]), false),
    ] {
        let shown = format!("{ours:?} {aud:?}");
        assert_eq!(audience(ours).verify(&meant(aud), NOW).await.is_ok(), is_good, "{shown}");
    }
    let minted = audience(Some("upload")).mint(&claims()).unwrap();
    assert!(audience(Some("upload")).verify(&minted, NOW).await.is_ok());
}

#[test]
fn vaults_and_objects_are_named_or_begun() {
    let claims = Claims {
        vault_prefixes: vec![VaultName::new("anna-").unwrap()],
        objects: vec![ObjectGrant::new("films/anna/").unwrap()],
        ..claims()
    };
    for (vault, allows) in [("photos", true), ("photos2", false), ("anna-1", true), ("anna-", true), ("anna", false)] {
        assert_eq!(claims.allows_vault(&VaultName::new(vault).unwrap()), allows, "{vault}");
    }
    let films = BucketName::new("films").unwrap();
    assert!(claims.allows_object(&films, "anna/1") && !claims.allows_object(&films, "ben/1"));
}

#[tokio::test]
async fn what_the_deny_list_has_is_no_good_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deny.json");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    write("{}");
    let list = DenyList::open(&path).unwrap();
    let tokens = Tokens::new(key(), None, None, Some(list.clone()));
    let token = key().mint(&Claims { jti: Some("t1".into()), ..claims() }).unwrap();
    let changes = [
        (r#"{"jti":["t2"]}"#.to_owned(), true),
        (r#"{"jti":["t2","t1"]}"#.to_owned(), false),
        (r#"{"sub":{"user-7":null}}"#.to_owned(), false),
        (format!(r#"{{"sub":{{"user-7":{NOW}}}}}"#), false),
        // Of the same length, and likely within the same tick of the file system's clock.
        (format!(r#"{{"sub":{{"user-7":{}}}}}"#, NOW - 1), true),
        (r#"{"sub":{"user-8":null}}"#.to_owned(), true),
        (r#"{"jti":["t1"]}"#.to_owned(), false),
    ];
    for (text, is_good) in changes {
        write(&text);
        assert!(list.reread().unwrap(), "{text}");
        assert!(!list.reread().unwrap(), "{text}");
        let expected = if is_good { Ok(()) } else { Err(TokenError::Invalid) };
        assert_eq!(tokens.verify(&token, NOW).await.map(drop), expected, "{text}");
    }
    // What cannot be read changes nothing, and repeats nothing.
    for bad in [
        "",
        "canary",
        "[]",
        r#"{"jti":"canary"}"#,
        r#"{"sub":{"canary":-1}}"#,
        r#"{"sub":["canary"]}"#,
        r#"{"canary":1}"#,
    ] {
        write(bad);
        assert!(!list.reread().unwrap_err().to_string().contains("canary"), "{bad}");
        assert!(tokens.verify(&token, NOW).await.is_err(), "{bad}");
        assert!(DenyList::open(&path).is_err(), "{bad}");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(list.reread().is_err());
    assert!(tokens.verify(&token, NOW).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_token_is_taken_back_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deny.json");
    std::fs::write(&path, "{}").unwrap();
    let list = DenyList::open(&path).unwrap();
    let tokens = Tokens::new(key(), None, None, Some(list.clone()));
    let token = key().mint(&claims()).unwrap();
    tokio::spawn(list.follow());
    assert!(tokens.verify(&token, NOW).await.is_ok());
    std::fs::write(&path, r#"{"sub":{"user-7":null}}"#).unwrap();
    // Of the clock that is paused, not of the wall.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(tokens.verify(&token, NOW).await.is_err());
}

#[test]
fn keys_for_other_purposes_are_no_keys_for_tokens() {
    let hex = |bytes: [u8; 32]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let derived = TokenKey::from_text(&hex(key().derive("a"))).unwrap();
    assert_ne!(key().derive("a"), key().derive("b"));
    assert_eq!(key().derive("a"), key().derive("a"));
    assert_eq!(key().verify(&derived.mint(&claims()).unwrap(), NOW), Err(TokenError::Invalid));
}
