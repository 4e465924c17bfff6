use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use hmac::{Hmac, KeyInit, Mac};

pub fn token(key: &[u8], subject: &str, now: u64) -> String {
    let claims = serde_json::json!({ "sub": subject, "vaults": ["photos"], "ops": ["upload", "read"],
        "maxArchiveBytes": 1_u64 << 40, "iat": now, "exp": now + 3600 });
    let signed = format!("{}.{}", B64.encode(r#"{"alg":"HS256","typ":"JWT"}"#), B64.encode(claims.to_string()));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", B64.encode(mac.finalize().into_bytes()))
}
