//! Who is asking: no token, a token for something else, one that is over, and forged ones.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::case::{Case, batch, list_parts};
use crate::signer::{mac, now};
use crate::wire::Request;

/// The 33 operations, as anybody could ask for them.
pub(crate) const OPERATIONS: [(&str, &str); 33] = [
    ("GET", "/-/vaults"),
    ("PUT", "/-/vaults/mine"),
    ("GET", "/-/vaults/demo"),
    ("DELETE", "/-/vaults/demo"),
    ("POST", "/-/vaults/demo/archives"),
    ("DELETE", "/-/vaults/demo/archives/a"),
    ("POST", "/-/vaults/demo/multipart-uploads"),
    ("GET", "/-/vaults/demo/multipart-uploads"),
    ("PUT", "/-/vaults/demo/multipart-uploads/u"),
    ("GET", "/-/vaults/demo/multipart-uploads/u"),
    ("POST", "/-/vaults/demo/multipart-uploads/u"),
    ("DELETE", "/-/vaults/demo/multipart-uploads/u"),
    ("POST", "/-/vaults/demo/jobs"),
    ("GET", "/-/vaults/demo/jobs"),
    ("GET", "/-/vaults/demo/jobs/j"),
    ("GET", "/-/vaults/demo/jobs/j/output"),
    ("PUT", "/-/vaults/demo/notification-configuration"),
    ("GET", "/-/vaults/demo/notification-configuration"),
    ("DELETE", "/-/vaults/demo/notification-configuration"),
    ("POST", "/-/vaults/demo/tags?operation=add"),
    ("POST", "/-/vaults/demo/tags?operation=remove"),
    ("GET", "/-/vaults/demo/tags"),
    ("PUT", "/-/vaults/demo/access-policy"),
    ("GET", "/-/vaults/demo/access-policy"),
    ("DELETE", "/-/vaults/demo/access-policy"),
    ("POST", "/-/vaults/demo/lock-policy"),
    ("GET", "/-/vaults/demo/lock-policy"),
    ("POST", "/-/vaults/demo/lock-policy/l"),
    ("DELETE", "/-/vaults/demo/lock-policy"),
    ("PUT", "/-/policies/data-retrieval"),
    ("GET", "/-/policies/data-retrieval"),
    ("GET", "/-/provisioned-capacity"),
    ("POST", "/-/provisioned-capacity"),
];

#[test]
fn a01_nothing_is_done_for_nobody() {
    let case = Case::new("A01");
    for (method, target) in OPERATIONS {
        for account in ["-", "123456789012"] {
            let request = Request::new(method, &target.replace("/-/", &format!("/{account}/")));
            let request = request.header("x-amz-glacier-version", "2012-06-01");
            case.refused(&request, 400, "MissingAuthenticationTokenException");
        }
    }
    for scheme in
        [None, Some(""), Some("Bearer"), Some("Bearer "), Some("Basic dXNlcjpwYXNz"), Some("canary"), Some("Digest x")]
    {
        let sign = Request::post("/v1/sign").json(batch(&[list_parts("demo")]));
        let events = Request::get("/v1/events?vault=demo");
        for request in [sign, events] {
            let request = match scheme {
                Some(value) => request.header("authorization", value),
                None => request,
            };
            let answer = case.refused(&request, 401, "token_missing");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
    case.end();
}

#[test]
fn a02_a_token_is_for_its_vaults() {
    let case = Case::new("A02");
    let token = case.token(&["demo"], &["upload", "read", "delete", "admin"]);
    let films = |op: &str, rest: Value| {
        let mut intent = json!({ "op": op, "vault": "films" });
        intent.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        intent
    };
    let hash = "0".repeat(64);
    for intent in [
        films("InitiateMultipartUpload", json!({ "partSize": 1 << 20, "size": 1 })),
        films("UploadMultipartPart", json!({ "uploadId": "u", "range": "0-0", "payloadHash": hash, "treeHash": hash })),
        films("ListParts", json!({ "uploadId": "u" })),
        films("CompleteMultipartUpload", json!({ "uploadId": "u", "size": 1, "treeHash": hash })),
        films("AbortMultipartUpload", json!({ "uploadId": "u" })),
        films("DescribeVault", json!({})),
        films("DeleteVault", json!({})),
        films("DeleteArchive", json!({ "archiveId": "a" })),
        films("InitiateJob", json!({ "job": { "type": "archive-retrieval", "archiveId": "a" } })),
        films("GetJobOutput", json!({ "jobId": "j" })),
        films("ListJobs", json!({})),
    ] {
        case.refused(&case.sign(&token, batch(std::slice::from_ref(&intent))), 403, "operation_denied");
        // One that is allowed beside it does not help.
        let answer = case.refused(&case.sign(&token, batch(&[list_parts("demo"), intent])), 403, "operation_denied");
        assert_eq!(answer.json()["intent"], 1);
    }
    let events = Request::get("/v1/events?vault=films").header("authorization", &format!("Bearer {token}"));
    case.refused(&events, 403, "operation_denied");
    case.end();
}

#[test]
fn a03_a_token_that_is_over_is_no_good() {
    let case = Case::new("A03");
    let made = |iat: u64, exp: u64| {
        let mut claims = case.keys.claims(&["demo"], &["upload"]);
        claims["iat"] = iat.into();
        claims["exp"] = exp.into();
        case.keys.token(&claims)
    };
    let now = now();
    // The clocks of maker and gateway may differ by 30 s. Two more are for this test's own time.
    for ago in [32, 60, 3600, 86_400, 10 * 365 * 86_400] {
        let token = made(now - ago - 3600, now - ago);
        case.refused(&case.sign(&token, batch(&[list_parts("demo")])), 401, "token_expired");
    }
    // Not yet made, too long, backwards.
    for (iat, exp) in [(now + 60, now + 3600), (now, now + 12 * 3600 + 1), (now + 20, now + 10), (0, u64::MAX)] {
        case.refused(&case.sign(&made(iat, exp), batch(&[list_parts("demo")])), 401, "token_invalid");
    }
    let answer = case.send(&case.sign(&made(now - 3600, now - 20), batch(&[list_parts("demo")])));
    assert_eq!(answer.status, 200, "the leeway");
    case.end();
}

#[test]
fn a04_forged_tokens_are_all_answered_alike() {
    let case = Case::new("A04");
    let claims = case.keys.claims(&["demo"], &["upload"]);
    let good = case.keys.token(&claims);
    let (signed, tag) = good.rsplit_once('.').unwrap();
    let bits = URL_SAFE_NO_PAD.decode(tag).unwrap();
    let flipped = |at: usize| {
        let mut bits = bits.clone();
        bits[at / 8] ^= 1 << (at % 8);
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bits))
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        case.keys.token(&claims)
    };
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        case.keys.token(&claims)
    };
    let jwt = |head: &str, key: Option<&[u8]>| {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let tag = key.map(|key| URL_SAFE_NO_PAD.encode(mac(key, &signed))).unwrap_or_default();
        format!("{signed}.{tag}")
    };
    let mut forged = vec![
        signed.to_owned(),
        format!("{signed}."),
        format!("{signed}.{}", &tag[..tag.len() - 1]),
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&bits[..16])),
        format!("{signed}.{tag}="),
        format!("{signed}.{tag}.{tag}"),
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 32])),
        format!("gu1.{}.{tag}", signed.split('.').nth(1).unwrap()),
        good.split_once('.').unwrap().1.to_owned(),
        good.replace('.', ","),
        // Another key, no key, and the tag of somebody else's claims.
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac(&[7; 32], signed))),
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac(b"", signed))),
        format!(
            "{}.{tag}",
            case.keys.token(&case.keys.claims(&["demo", "films"], &["admin"])).rsplit_once('.').unwrap().0
        ),
        // The forms of other systems.
        jwt(r#"{"alg":"none"}"#, None),
        jwt(r#"{"alg":"None","typ":"JWT"}"#, None),
        jwt(r#"{"alg":"HS512","typ":"JWT","kid":"../../dev/null"}"#, Some(&case.keys.token_key)),
        jwt(r#"{"alg":"RS256","typ":"JWT","jku":"http://evil.test/keys"}"#, Some(&case.keys.token_key)),
        jwt(r#"{"alg":"ES256","typ":"JWT"}"#, Some(b"")),
        // The shared key has no name, so that whoever names one means another.
        jwt(r#"{"alg":"HS256","typ":"JWT","kid":"unknown"}"#, Some(&case.keys.token_key)),
        jwt(r#"{"kid":"1","alg":"HS256"}"#, Some(&case.keys.token_key)),
        jwt(r#"{"alg":"HS256","kid":""}"#, Some(&case.keys.token_key)),
        jwt(r#"{"alg":"HS256","kid":"../../dev/null"}"#, Some(&case.keys.token_key)),
        jwt(r#"{"alg":"HS256","kid":"' UNION SELECT 'key"}"#, Some(&case.keys.token_key)),
        jwt(r#"{"alg":"HS256","kid":["a"]}"#, Some(&case.keys.token_key)),
        jwt(r#"{"alg":"HS256","kid":7}"#, Some(&case.keys.token_key)),
        jwt(r#"{"alg":"HS256","kid":"a","kid":null}"#, Some(&case.keys.token_key)),
        // Claims that are not those of the contract.
        changed("exp", Value::Null),
        changed("exp", json!("9999999999")),
        changed("exp", json!(1e12)),
        changed("exp", json!(-1)),
        changed("sub", json!("")),
        changed("sub", json!("s".repeat(257))),
        changed("vaults", json!("demo")),
        changed("vaults", json!(["*"])),
        changed("vaults", json!(["../demo"])),
        changed("ops", json!("admin")),
        changed("ops", json!(["everything"])),
        changed("maxArchiveBytes", json!(-1)),
        changed("admin", json!(true)),
        case.keys.token_of(""),
        case.keys.token_of("null"),
        case.keys.token_of("[]"),
        case.keys.token_of(&claims.to_string().replacen('{', r#"{"sub":"other","#, 1)),
        format!("{signed}.{}", "A".repeat(20_000)),
        "g".repeat(8192),
    ];
    forged.extend([0, 7, 100, 128, 255].map(flipped));
    forged.extend(["sub", "ops", "maxArchiveBytes", "iat", "exp"].map(without));
    // Without a name it would be good, and so it is the name that is refused.
    let unnamed = case.sign(&jwt(r#"{"alg":"HS256"}"#, Some(&case.keys.token_key)), batch(&[list_parts("demo")]));
    assert_eq!(case.send(&unnamed).status, 200);
    let mut bodies = Vec::new();
    for token in &forged {
        let answer = case.refused(&case.sign(token, batch(&[list_parts("demo")])), 401, "token_invalid");
        let mut body = answer.json();
        body["requestId"] = Value::Null;
        bodies.push(body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
    let twice = case.sign(&good, batch(&[list_parts("demo")])).header("authorization", &format!("Bearer {good}"));
    case.refused(&twice, 401, "token_invalid");
    case.end();
}

#[test]
fn a32_an_upload_token_takes_nothing_away() {
    let case = Case::new("A32");
    let archive = case.archive("demo", b"kept");
    let upload = case.initiate("demo");
    case.settle();
    let token = case.token(&["demo"], &["upload"]);
    for intent in [
        json!({ "op": "DeleteArchive", "vault": "demo", "archiveId": archive }),
        json!({ "op": "DeleteVault", "vault": "demo" }),
        json!({ "op": "AbortMultipartUpload", "vault": "films", "uploadId": upload }),
        json!({ "op": "SetVaultAccessPolicy", "vault": "demo", "policy": "{}" }),
        json!({ "op": "DeleteVaultAccessPolicy", "vault": "demo" }),
        json!({ "op": "InitiateVaultLock", "vault": "demo", "policy": "{}" }),
        json!({ "op": "CompleteVaultLock", "vault": "demo", "lockId": "AE863rKkWZU53SLW5be4DUcW" }),
        json!({ "op": "AbortVaultLock", "vault": "demo" }),
        json!({ "op": "CreateVault", "vault": "demo" }),
        json!({ "op": "InitiateJob", "vault": "demo", "job": { "type": "archive-retrieval", "archiveId": archive } }),
        json!({ "op": "ListVaults" }),
        json!({ "op": "DescribeVault", "vault": "demo" }),
        json!({ "op": "SetDataRetrievalPolicy", "strategy": "None" }),
        json!({ "op": "PurchaseProvisionedCapacity" }),
        json!({ "op": "RemoveTagsFromVault", "vault": "demo", "tagKeys": ["k"] }),
        json!({ "op": "DeleteVaultNotifications", "vault": "demo" }),
    ] {
        case.refused(&case.sign(&token, batch(&[intent])), 403, "operation_denied");
    }
    // What it may upload is bounded, too.
    let large =
        json!({ "op": "InitiateMultipartUpload", "vault": "demo", "partSize": 1 << 20, "size": (64 << 20) + 1 });
    case.refused(&case.sign(&token, batch(&[large])), 403, "limit_exceeded");
    let job = case.retrieval("demo", &archive);
    let output = case.done(&case.store("GET", &format!("/-/vaults/demo/jobs/{job}/output")).request());
    assert_eq!(output.body, b"kept");
    case.end();
}
