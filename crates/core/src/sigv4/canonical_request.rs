//! Step 1: the request in a form that proxies and client libraries cannot change without notice.

use std::borrow::Cow;

use crate::{hex, sha256};

/// A request whose headers are exactly those to be signed.
#[derive(Clone, Copy, Debug)]
pub struct CanonicalRequest<'a> {
    /// `GET`, `PUT`, …
    pub method: &'a str,
    /// The path as sent, percent-encodings and all.
    pub path: &'a str,
    /// What the service makes of it.
    pub path_form: PathForm,
    /// The query as sent, without the question mark.
    pub query: &'a str,
    /// Lower-case names with their values, `host` included, in any order.
    pub headers: &'a [(&'a str, &'a str)],
    /// Plain SHA-256 of the body, in hexadecimal.
    pub payload_hash: &'a str,
}

/// How a path gets into the canonical request.
///
/// **Source:** IAM User Guide, "Create a signed AWS API request": "Each path segment must be URI-encoded twice (except
/// for Amazon S3 which only gets URI-encoded once)", and S3 does not normalise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathForm {
    /// Dot segments resolved, empty ones dropped, each segment encoded once more than it came: every service but S3.
    Normalized,
    /// Each segment encoded once in the canonical way and nothing else: S3, where `a//b/../c` is a key.
    AsKey,
}

impl CanonicalRequest<'_> {
    /// Names of the signed headers, sorted, joined by `;`.
    pub fn signed_headers(&self) -> String {
        let mut names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        names.join(";")
    }

    /// The canonical form.
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n{}\n{}\n{}",
            self.method,
            match self.path_form {
                PathForm::Normalized => normalized_path(self.path),
                PathForm::AsKey => key_path(self.path),
            },
            canonical_query(self.query),
            canonical_headers(self.headers),
            self.signed_headers(),
            self.payload_hash
        )
    }

    /// SHA-256 of [`text`](Self::text), in hexadecimal.
    pub fn hash(&self) -> String {
        hex::encode(&sha256::digest(self.text().as_bytes()))
    }
}

fn normalized_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let mut canonical: String = segments.iter().map(|segment| format!("/{}", encode(segment.as_bytes()))).collect();
    if canonical.is_empty() || path.ends_with('/') {
        canonical.push('/');
    }
    canonical
}

/// Decoded and encoded again, so that a client that leaves a `+` or a `(` as it is signs the same.
fn key_path(path: &str) -> String {
    let segments: Vec<String> = path.split('/').map(|segment| encode(&decode(segment))).collect();
    segments.join("/")
}

/// Parameters decoded, encoded again in the one canonical way, and sorted by name and then by value.
fn canonical_query(query: &str) -> String {
    let mut parameters: Vec<(String, String)> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .map(|(name, value)| (encode(&decode(name)), encode(&decode(value))))
        .collect();
    parameters.sort_unstable();
    let pairs: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// One `name:value` line for each name; values of a repeated header joined by commas in the order they came.
fn canonical_headers(headers: &[(&str, &str)]) -> String {
    let mut sorted: Vec<&(&str, &str)> = headers.iter().collect();
    sorted.sort_by_key(|(name, _)| *name); // stable: repeated headers keep their order
    let mut text = String::new();
    for same_name in sorted.chunk_by(|a, b| a.0 == b.0) {
        let values: Vec<Cow<'_, str>> = same_name.iter().map(|(_, value)| collapse_spaces(value)).collect();
        text.push_str(same_name[0].0);
        text.push(':');
        text.push_str(&values.join(","));
        text.push('\n');
    }
    text
}

/// Without blanks at the ends, and with every inner run of them made one space.
fn collapse_spaces(value: &str) -> Cow<'_, str> {
    let blank = |character| matches!(character, ' ' | '\t');
    let value = value.trim_matches(blank);
    if !value.contains("  ") && !value.contains('\t') {
        return Cow::Borrowed(value);
    }
    let words: Vec<&str> = value.split(blank).filter(|word| !word.is_empty()).collect();
    Cow::Owned(words.join(" "))
}

/// Percent-encodes every byte but `A-Z a-z 0-9 - _ . ~`, digits in upper case.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push_str(&hex::encode(&[byte]).to_ascii_uppercase());
        }
    }
    text
}

/// Undoes percent-encoding. `+` stays a plus sign, which is what the services make of it; a `%` without two digits
/// after it stands for itself.
pub fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => char::from(*high).to_digit(16).zip(char::from(*low).to_digit(16)),
            _ => None,
        };
        match escaped.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guide_example() {
        let request = CanonicalRequest {
            method: "PUT",
            path: "/-/vaults/examplevault",
            path_form: PathForm::Normalized,
            query: "",
            headers: &[
                ("x-amz-glacier-version", "2012-06-01"),
                ("host", "glacier.us-east-1.amazonaws.com"),
                ("x-amz-date", "20120525T002453Z"),
            ],
            payload_hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        };
        assert_eq!(
            request.text(),
            "PUT\n/-/vaults/examplevault\n\nhost:glacier.us-east-1.amazonaws.com\nx-amz-date:20120525T002453Z\n\
             x-amz-glacier-version:2012-06-01\n\nhost;x-amz-date;x-amz-glacier-version\n\
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(request.hash(), "5f1da1a2d0feb614dd03d71e87928b8e449ac87614479332aced3a701f916743");
    }

    #[test]
    fn path_segments_are_resolved_and_encoded_again() {
        for (path, canonical) in [
            ("/", "/"),
            ("", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/foo/..", "/"),
            ("/foo/bar/../..", "/"),
            ("//foo//", "/foo/"),
            ("/./foo", "/foo"),
            ("/%20/foo", "/%2520/foo"),
            ("/a b", "/a%20b"),
            ("/\u{1234}", "/%E1%88%B4"),
            ("/-._~Az09", "/-._~Az09"),
            ("/a=b+c", "/a%3Db%2Bc"),
        ] {
            assert_eq!(normalized_path(path), canonical, "{path:?}");
        }
    }

    #[test]
    fn the_path_of_a_key_stays_as_it_is() {
        for (path, canonical) in [
            ("/", "/"),
            ("/bucket/a//b/../c/", "/bucket/a//b/../c/"),
            ("/bucket/a%20b", "/bucket/a%20b"),
            ("/bucket/a%2Fb", "/bucket/a%2Fb"),
            ("/bucket/a+(b)", "/bucket/a%2B%28b%29"),
            ("/bucket/%7e%e1%88%b4", "/bucket/~%E1%88%B4"),
        ] {
            assert_eq!(key_path(path), canonical, "{path:?}");
        }
    }

    #[test]
    fn parameters_are_sorted_after_encoding_and_have_an_equals_sign() {
        for (query, canonical) in [
            ("", ""),
            ("a", "a="),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1", "a=1&a=2"),
            ("a=%7e%2f", "a=~%2F"),
            ("marker=arn:aws:x/y", "marker=arn%3Aaws%3Ax%2Fy"),
            ("a=1+2", "a=1%2B2"),
            ("a=b=c", "a=b%3Dc"),
            ("&&a=1&", "a=1"),
            ("a=%zz%4", "a=%25zz%254"),
            ("\u{1234}=bar", "%E1%88%B4=bar"),
        ] {
            assert_eq!(canonical_query(query), canonical, "{query:?}");
        }
    }

    #[test]
    fn header_values_lose_blanks_but_no_words() {
        let headers = [("b", "  two   words "), ("a", "2"), ("a", " 1"), ("c", "\"x  y\"\tz"), ("d", "")];
        assert_eq!(canonical_headers(&headers), "a:2,1\nb:two words\nc:\"x y\" z\nd:\n");
    }
}
