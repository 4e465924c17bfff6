//! SHA-256 checksums as S3 writes them: base64, and for an object of parts one over the checksums of the parts.

use std::fmt;

use sha2::{Digest, Sha256};

use super::{MAX_PARTS, PartNumber};
use crate::range::parse_decimal;
use crate::sha256::PayloadHash;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Characters of 32 bytes in base64, the last of which is always `=`.
const ENCODED_LEN: usize = 44;

/// The value of `x-amz-checksum-sha256` for a body of that hash.
pub fn checksum_header(hash: &PayloadHash) -> String {
    encode(hash.as_bytes())
}

/// Reads the value of `x-amz-checksum-sha256` of a body, or `None` where it is none in its one legal form.
pub fn read_checksum_header(text: &str) -> Option<PayloadHash> {
    decode(text).map(PayloadHash::from_bytes)
}

/// **Source:** RFC 4648, section 4.
fn encode(bytes: &[u8; 32]) -> String {
    let mut text = String::with_capacity(ENCODED_LEN);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for nth in 0..=group.len() {
            let index = bits >> (18 - 6 * nth) & 63;
            text.push(char::from(ALPHABET[index as usize]));
        }
    }
    text.push('=');
    text
}

/// Of the one encoding of each value: a text that is decoded is the text that would be encoded.
fn decode(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_suffix('=')?.as_bytes();
    if digits.len() != ENCODED_LEN - 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(33);
    for group in digits.chunks(4) {
        let mut bits = 0;
        for digit in group {
            let value = ALPHABET.iter().position(|letter| letter == digit)?;
            bits = bits << 6 | u32::try_from(value).ok()?;
        }
        bits <<= 6 * (4 - group.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    // The last of 43 digits has two bits too many, which are zero.
    match bytes.pop() {
        Some(0) => bytes.try_into().ok(),
        _ => None,
    }
}

/// The checksum of an object of parts: SHA-256 over the parts' raw SHA-256 values in order, and how many there are. As
/// text base64, `-` and the number.
///
/// **Source:** user guide, "Checking object integrity in Amazon S3", "Composite checksums".
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub struct CompositeChecksum {
    hash: [u8; 32],
    parts: PartNumber,
}

impl CompositeChecksum {
    /// Of parts with these hashes, in order; `None` unless there are 1 to 10,000.
    pub fn of_parts(parts: impl IntoIterator<Item = PayloadHash>) -> Option<Self> {
        let mut hasher = Sha256::new();
        let mut count = 0;
        for part in parts {
            hasher.update(part.as_bytes());
            count += 1;
        }
        Some(Self { hash: hasher.finalize().into(), parts: PartNumber::new(count)? })
    }

    /// Reads the text.
    pub fn parse(text: &str) -> Option<Self> {
        let (hash, parts) = text.split_once('-')?;
        let is_plain = !parts.starts_with('0') && parts.len() <= MAX_PARTS.to_string().len();
        Some(Self { hash: decode(hash)?, parts: PartNumber::new(parse_decimal(parts).filter(|_| is_plain)?)? })
    }

    /// How many parts.
    pub fn parts(self) -> u32 {
        self.parts.get()
    }
}

impl fmt::Display for CompositeChecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", encode(&self.hash), self.parts.get())
    }
}

impl fmt::Debug for CompositeChecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CompositeChecksum({self})")
    }
}

impl TryFrom<String> for CompositeChecksum {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a composite checksum is SHA-256 in base64, \"-\" and the number of parts")
    }
}

impl From<CompositeChecksum> for String {
    fn from(checksum: CompositeChecksum) -> Self {
        checksum.to_string()
    }
}

/// The SHA-256 checksum that S3 keeps of an object: of all its bytes, where it came in one request, or composite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub enum ObjectChecksum {
    /// `FULL_OBJECT`.
    Whole(PayloadHash),
    /// `COMPOSITE`.
    Composite(CompositeChecksum),
}

impl ObjectChecksum {
    /// Reads the text of either.
    pub fn parse(text: &str) -> Option<Self> {
        match read_checksum_header(text) {
            Some(hash) => Some(Self::Whole(hash)),
            None => CompositeChecksum::parse(text).map(Self::Composite),
        }
    }

    /// S3's word for the kind: `FULL_OBJECT` or `COMPOSITE`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Whole(_) => "FULL_OBJECT",
            Self::Composite(_) => "COMPOSITE",
        }
    }
}

impl fmt::Display for ObjectChecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(hash) => f.write_str(&checksum_header(hash)),
            Self::Composite(checksum) => checksum.fmt(f),
        }
    }
}

impl TryFrom<String> for ObjectChecksum {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
            .ok_or("a checksum is SHA-256 in base64, with \"-\" and the number of parts if it is composite")
    }
}

impl From<ObjectChecksum> for String {
    fn from(checksum: ObjectChecksum) -> Self {
        checksum.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mod251(len: usize) -> Vec<u8> {
        (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect()
    }

    /// Checksums of 6.5 MiB of bytes 0 to 250 over and over, in parts of 5 MiB, as boto3 and S3 compute them.
    #[test]
    fn checksums_of_parts_and_of_an_object_are_those_of_boto3() {
        let object = mod251(13 << 19);
        let parts: Vec<PayloadHash> = object.chunks(5 << 20).map(PayloadHash::of).collect();
        let texts: Vec<String> = parts.iter().map(checksum_header).collect();
        assert_eq!(
            texts,
            ["FrYy8Rz5UN2mfcTBhKP54Kof+kwYknu4l359qXyiW8o=", "7qvazut9KSEC83r2YsOHVfsy9EagD60OcdPLY2uAKW0="]
        );
        let composite = CompositeChecksum::of_parts(parts.iter().copied()).unwrap();
        assert_eq!(composite.to_string(), "jqAnQtsv/6cGBvjP2NMnHs4G15Nc8ibSe6rKu8pOhzc=-2");
        assert_eq!(CompositeChecksum::parse(&composite.to_string()), Some(composite));
        assert_eq!(read_checksum_header(&texts[0]), Some(parts[0]));
    }

    #[test]
    fn every_value_has_one_text() {
        for seed in 0..=255_u8 {
            let hash = PayloadHash::of(&[seed]);
            assert_eq!(read_checksum_header(&checksum_header(&hash)), Some(hash));
        }
        let zero = format!("{}=", "A".repeat(43));
        assert_eq!(read_checksum_header(&zero), Some(PayloadHash::from_bytes([0; 32])));
        for bad in [
            String::new(),
            "=".into(),
            zero.replacen('A', "AA", 1),
            zero.replacen('A', "", 1),
            zero.replacen('A', "-", 1),
            zero.replacen('A', "é", 1),
            zero.replacen("A=", "B=", 1),
            zero.replacen("A=", "==", 1),
            format!("{zero}="),
            format!(" {zero}"),
        ] {
            assert_eq!(read_checksum_header(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn composite_checksums_count_their_parts() {
        let hash = PayloadHash::of(b"part");
        assert_eq!(CompositeChecksum::of_parts([]), None);
        assert_eq!(CompositeChecksum::of_parts([hash; 10_000]).unwrap().parts(), 10_000);
        assert_eq!(CompositeChecksum::of_parts([hash; 10_001]), None);
        let text = checksum_header(&hash);
        for bad in ["", "-0", "-01", "-10001", "-1-1", "-+1", "-"] {
            assert_eq!(CompositeChecksum::parse(&format!("{text}{bad}")), None, "{bad:?}");
        }
        let kinds = [text.clone(), format!("{text}-3")].map(|text| ObjectChecksum::parse(&text).unwrap().kind());
        assert_eq!(kinds, ["FULL_OBJECT", "COMPOSITE"]);
    }
}
