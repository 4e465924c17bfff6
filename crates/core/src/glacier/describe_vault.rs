//! DescribeVault: what the last inventory counted.
//!
//! **Source:** API reference, "Describe Vault (GET vault)".

use super::{AnswerError, Method, Request, Response, VaultName, field};
use crate::json::Json;

/// A vault as DescribeVault and ListVaults show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultDescription {
    /// `arn:aws:glacier:{region}:{account}:vaults/{name}`.
    pub arn: String,
    /// Its name.
    pub name: VaultName,
    /// UTC, with milliseconds.
    pub creation_date: String,
    /// UTC, or `None` before the first inventory.
    pub last_inventory_date: Option<String>,
    /// As of the last inventory; `None` where the service does not say (its documentation has null before the first
    /// inventory, the service itself 0).
    pub n_archives: Option<u64>,
    /// Bytes as of the last inventory, with what the service adds for each archive. `None` as for `n_archives`.
    pub size: Option<u64>,
}

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName) -> Request {
    Request::without_body(Method::Get, format!("/{account}/vaults/{vault}"))
}

/// Reads the description.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with every field in its form.
pub fn read(response: &Response) -> Result<VaultDescription, AnswerError> {
    read_description(response.expect_json(200)?)
}

pub(super) fn read_description(vault: &Json) -> Result<VaultDescription, AnswerError> {
    let name = field::required(vault, "VaultName")?;
    Ok(VaultDescription {
        arn: field::required(vault, "VaultARN")?.to_owned(),
        name: VaultName::new(name).map_err(|_| AnswerError::Unreadable { name: "VaultName" })?,
        creation_date: field::required(vault, "CreationDate")?.to_owned(),
        last_inventory_date: field::optional(vault, "LastInventoryDate"),
        n_archives: field::count(vault, "NumberOfArchives"),
        size: field::count(vault, "SizeInBytes"),
    })
}
