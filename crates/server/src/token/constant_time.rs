//! The one place where secrets and what others send are compared.

use subtle::ConstantTimeEq;

/// Whether they are equal, in a time that depends on their lengths only.
pub(super) fn equal(ours: &[u8], theirs: &[u8]) -> bool {
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
    fn nothing_else_compares_tags_of_tokens() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders = vec![folder];
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
                if code.contains("ct_eq") || code.contains("subtle::") || code.contains("verify_slice") {
                    users.push(path.file_name().unwrap().to_owned());
                }
                // The tag is made in one place, and what is made there goes nowhere but into `equal`.
                if path.ends_with("token/key.rs") {
                    assert_eq!(code.matches("constant_time::equal(&tag").count(), 1);
                    assert_eq!(code.matches("tag(key").count(), 4, "its definition, to make, to check, to derive");
                } else {
                    assert!(!code.contains("Hmac::<"), "{} makes tags as well", path.display());
                }
            }
        }
        assert_eq!(users, ["constant_time.rs"]);
    }
}
