//! PurchaseProvisionedCapacity: buys a unit of capacity for Expedited retrievals, for a month.
//!
//! Not idempotent, and not to be repeated after a lost answer: each success buys another unit. An account has at most
//! two.
//!
//! **Source:** API reference, "Purchase Provisioned Capacity (POST provisioned-capacity)".

use super::{AnswerError, Method, Request, Response, header};

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str) -> Request {
    Request::without_body(Method::Post, format!("/{account}/provisioned-capacity"))
}

/// The ID of the unit.
///
/// # Errors
/// [`AnswerError`] unless the answer is 201 with `x-amz-capacity-id`.
pub fn read(response: &Response) -> Result<String, AnswerError> {
    response.expect_status(201)?.required_header(header::CAPACITY_ID).map(str::to_owned)
}
