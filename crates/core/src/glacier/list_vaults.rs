//! ListVaults: the account's vaults in this region, by name.
//!
//! Up to ten a page; follow the marker (a vault's ARN) until there is none.
//!
//! **Source:** API reference, "List Vaults (GET vaults)".

use super::describe_vault::{self, VaultDescription};
use super::{AnswerError, Method, Request, Response, field};

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In order of name.
    pub vaults: Vec<VaultDescription>,
    /// Where the next page begins, or `None` after the last.
    pub marker: Option<String>,
}

/// The request for the page after `marker`. `account` is twelve digits or `-`.
pub fn request(account: &str, marker: Option<&str>) -> Request {
    Request::without_body(Method::Get, format!("/{account}/vaults")).query("marker", marker)
}

/// Reads a page.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with every field in its form.
pub fn read(response: &Response) -> Result<Page, AnswerError> {
    let body = response.expect_json(200)?;
    Ok(Page {
        vaults: field::items(body, "VaultList", describe_vault::read_description)?,
        marker: field::optional(body, "Marker"),
    })
}
