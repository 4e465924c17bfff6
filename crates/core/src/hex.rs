//! Lower-case hexadecimal, the form of every hash on the wire.

use std::fmt;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Two lower-case hexadecimal digits a byte.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Reads exactly 64 lower-case hexadecimal digits: a SHA-256 value as Glacier and Signature Version 4 write it.
/// Upper case is refused, because the text itself is signed.
///
/// # Errors
/// [`InvalidHash`] for any other length or character.
pub fn decode_sha256(text: &str) -> Result<[u8; 32], InvalidHash> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return Err(InvalidHash);
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Ok(bytes)
}

fn digit(character: u8) -> Result<u8, InvalidHash> {
    match character {
        b'0'..=b'9' => Ok(character - b'0'),
        b'a'..=b'f' => Ok(character - b'a' + 10),
        _ => Err(InvalidHash),
    }
}

/// A text that is not 64 lower-case hexadecimal digits. The text itself is left out: it may be long or hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidHash;

impl fmt::Display for InvalidHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a SHA-256 value is 64 lower-case hexadecimal digits")
    }
}

impl std::error::Error for InvalidHash {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_undoes_encoding() {
        let bytes: [u8; 32] = std::array::from_fn(|i| u8::try_from(i * 8).unwrap());
        assert_eq!(decode_sha256(&encode(&bytes)), Ok(bytes));
    }

    #[test]
    fn other_lengths_and_letters_are_refused() {
        let good = "0".repeat(64);
        for bad in ["", "0", &good[1..], &format!("{good}0"), &good.replacen('0', "A", 1), &good.replacen('0', "g", 1)] {
            assert_eq!(decode_sha256(bad), Err(InvalidHash), "{bad:?}");
        }
        // 64 bytes that are not 64 characters must not be cut inside one.
        assert_eq!(decode_sha256(&"é".repeat(32)), Err(InvalidHash));
    }
}
