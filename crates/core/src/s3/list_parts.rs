//! ListParts: which parts of an upload S3 holds, up to 1,000 a page. The gateway answers 200.

use super::PartNumber;
use crate::glacier::{AnswerError, Response, field};
use crate::json::Json;
use crate::sha256::PayloadHash;

/// The gateway's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Page {
    /// In order of number.
    pub parts: Vec<Part>,
    /// Where the next page begins, or `None` after the last.
    pub marker: Option<String>,
}

/// One part that S3 holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct Part {
    /// Which.
    pub part_number: PartNumber,
    /// Bytes in it.
    pub size: u64,
    /// Of its bytes, as S3 computed it; `None` where the store keeps none.
    pub payload_hash: Option<PayloadHash>,
}

/// Reads a page.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with every field in its form.
pub fn read(response: &Response) -> Result<Page, AnswerError> {
    let body = response.expect_json(200)?;
    Ok(Page { parts: field::items(body, "parts", read_part)?, marker: field::optional(body, "marker") })
}

fn read_part(part: &Json) -> Result<Part, AnswerError> {
    let name = "partNumber";
    Ok(Part {
        part_number: PartNumber::new(field::required_number(part, name)?).ok_or(AnswerError::Unreadable { name })?,
        size: field::required_number(part, "size")?,
        payload_hash: field::parsed(part, "payloadHash", |text| PayloadHash::from_hex(text).ok())?,
    })
}
