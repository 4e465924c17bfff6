//! ListProvisionedCapacity: the units of capacity for Expedited retrievals that the account has.
//!
//! **Source:** API reference, "List Provisioned Capacity (GET provisioned-capacity)". The path in its example,
//! `priority-capacity`, is an error of the reference.

use super::{AnswerError, Method, Request, Response, field};
use crate::json::Json;

/// One unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvisionedCapacity {
    /// What names it.
    pub capacity_id: String,
    /// When it was purchased, in milliseconds since 1970.
    pub starts_at_ms: u64,
    /// When it ends, a month later, in milliseconds since 1970.
    pub expires_at_ms: u64,
}

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str) -> Request {
    Request::without_body(Method::Get, format!("/{account}/provisioned-capacity"))
}

/// Reads the list.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with every field in its form.
pub fn read(response: &Response) -> Result<Vec<ProvisionedCapacity>, AnswerError> {
    field::items(response.expect_json(200)?, "ProvisionedCapacityList", read_unit)
}

fn read_unit(unit: &Json) -> Result<ProvisionedCapacity, AnswerError> {
    Ok(ProvisionedCapacity {
        capacity_id: field::required(unit, "CapacityId")?.to_owned(),
        starts_at_ms: field::required_date(unit, "StartDate")?,
        expires_at_ms: field::required_date(unit, "ExpirationDate")?,
    })
}
