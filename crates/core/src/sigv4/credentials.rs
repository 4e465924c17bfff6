//! Who signs.

use std::fmt;

/// A secret access key. Shows itself only to the signing code: its `Debug` is redacted and there is no `Display`.
#[derive(Clone)]
pub struct SecretKey(String);

impl SecretKey {
    /// The key as AWS hands it out.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// An access key ID with its secret.
#[derive(Clone)]
pub struct Credentials {
    /// Public half; travels in every `Authorization` header.
    pub access_key_id: String,
    /// Secret half; never travels.
    pub secret_access_key: SecretKey,
    /// Token of temporary credentials, sent and signed as `x-amz-security-token`.
    pub session_token: Option<String>,
}

// Hand-written, because a session token is as secret as the key.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.access_key_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_key_id_only() {
        let credentials = Credentials {
            access_key_id: "AKID".into(),
            secret_access_key: SecretKey::new("canary-secret".into()),
            session_token: Some("canary-token".into()),
        };
        let shown = format!("{credentials:?} {:?}", credentials.secret_access_key);
        assert!(shown.contains("AKID") && !shown.contains("canary"), "{shown}");
    }
}
