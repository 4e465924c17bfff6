//! UploadMultipartPart: stores one part.
//!
//! Idempotent: the same range again replaces what was there.
//!
//! **Source:** API reference, "Upload Part (PUT uploadID)".

use super::{AnswerError, Method, Request, Response, UploadId, VaultName, header};
use crate::range::ByteRange;
use crate::tree_hash::{PartDigest, TreeHash};

/// The request for the part `range` with that digest. `account` is twelve digits or `-`.
pub fn request(
    account: &str,
    vault: &VaultName,
    upload_id: &UploadId,
    range: ByteRange,
    digest: &PartDigest,
) -> Request {
    Request {
        method: Method::Put,
        path: format!("/{account}/vaults/{vault}/multipart-uploads/{upload_id}"),
        query: Vec::new(),
        headers: vec![
            (header::VERSION, super::API_VERSION.to_owned()),
            (header::CONTENT_RANGE, range.content_range()),
            (header::CONTENT_SHA256, digest.payload_hash.to_string()),
            (header::TREE_HASH, digest.tree_hash.to_string()),
        ],
        payload_hash: digest.payload_hash,
        body: None,
    }
}

/// Whether the store holds the part with the tree hash we computed.
///
/// # Errors
/// [`AnswerError`] unless the answer is 204 and echoes `expected`: a proxy that swallows the body and answers
/// success is not believed.
pub fn acknowledge(response: &Response, expected: TreeHash) -> Result<(), AnswerError> {
    response.expect_status(204)?.expect_tree_hash(expected)
}
