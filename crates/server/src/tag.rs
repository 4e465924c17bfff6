//! Tags: what shows that a text was made with a secret key. The one place where they are made and compared.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The HMAC-SHA-256 of the texts one after the other. Where they end is not covered.
pub(crate) fn tag(key: &[u8], texts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    for text in texts {
        mac.update(text);
    }
    mac.finalize().into_bytes().into()
}

/// Whether they are equal, in a time that depends on their lengths only.
pub(crate) fn equal(ours: &[u8], theirs: &[u8]) -> bool {
    ours.ct_eq(theirs).into()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn equal_bytes_are_equal() {
        assert!(equal(b"", b"") && equal(b"abc", b"abc"));
        assert!(!equal(b"abc", b"abd") && !equal(b"abc", b"ab") && !equal(b"", b"a"));
    }

    /// A comparison beside this one would stop at the first byte that differs, and its time would tell which.
    #[test]
    fn tags_are_made_and_compared_here_only() {
        let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut users = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                if path.ends_with("tests.rs") {
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap();
                if ["ct_eq", "subtle::", "hmac::", "verify_slice"].iter().any(|word| code.contains(word)) {
                    users.push(path.file_name().unwrap().to_owned());
                }
                // Whoever makes a tag to check another has it compared here.
                let (n_made, n_compared) = (code.matches("tag::tag(").count(), code.matches("tag::equal(").count());
                assert_eq!(n_made > 0, n_compared > 0, "{}", path.display());
            }
        }
        assert_eq!(users, ["tag.rs"]);
    }
}
