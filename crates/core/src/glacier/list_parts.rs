//! ListParts: which parts of an upload the store holds.
//!
//! Up to 50 parts a page, in order of range; follow the marker until there is none. Answers 404 for completed and
//! aborted uploads.
//!
//! **Source:** API reference, "List Parts (GET uploadID)".

use super::{AnswerError, Method, Request, Response, UploadId, VaultName};
use crate::json::Json;
use crate::part::PartSize;
use crate::range::ByteRange;
use crate::tree_hash::TreeHash;

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The upload's part size.
    pub part_size: PartSize,
    /// Finished parts with the tree hashes the store computed, in order of range.
    pub parts: Vec<(ByteRange, TreeHash)>,
    /// Where the next page begins, or `None` after the last.
    pub marker: Option<String>,
}

/// The request for the page that begins at `marker`. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName, upload_id: &UploadId, marker: Option<&str>) -> Request {
    let path = format!("/{account}/vaults/{vault}/multipart-uploads/{upload_id}");
    let mut request = Request::without_body(Method::Get, path);
    if let Some(marker) = marker {
        request.query.push(("marker", marker.to_owned()));
    }
    request
}

/// Reads a page.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with every field in its form.
pub fn read(response: &Response) -> Result<Page, AnswerError> {
    let body = response.expect_status(200)?.body.as_ref().ok_or(AnswerError::NotGlacier { status: 200 })?;
    let unreadable = |name| AnswerError::Unreadable { name };
    let part_size = body.number("PartSizeInBytes").ok_or(unreadable("PartSizeInBytes"))?;
    Ok(Page {
        part_size: PartSize::from_bytes(part_size).map_err(|_| unreadable("PartSizeInBytes"))?,
        parts: body.list("Parts").ok_or(unreadable("Parts"))?.iter().map(read_part).collect::<Result<_, _>>()?,
        marker: body.text("Marker").map(str::to_owned),
    })
}

fn read_part(part: &Json) -> Result<(ByteRange, TreeHash), AnswerError> {
    let range = part.text("RangeInBytes").and_then(ByteRange::parse_inclusive);
    let tree_hash = part.text("SHA256TreeHash").and_then(|hex| TreeHash::from_hex(hex).ok());
    range.zip(tree_hash).ok_or(AnswerError::Unreadable { name: "Parts" })
}
