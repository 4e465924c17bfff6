//! Operations on vaults.
//!
//! **Source:** API reference, "Vault Operations".

use glacier_core::glacier::VaultName;
use serde::Serialize;

use crate::answer::Answer;
use crate::clock::iso;
use crate::error::{self, Refusal};
use crate::glacier::Glacier;
use crate::head::Head;
use crate::store::{StoreError, VaultDescription};

/// Most vaults on a page, and as many if no limit is given.
const MAX_PAGE: usize = 10;

/// A vault in JSON. The service's numbers are as of the last inventory; here they are of this moment, unless the store
/// keeps the service's pace.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct VaultDocument {
    #[serde(rename = "VaultARN")]
    vault_arn: String,
    vault_name: String,
    creation_date: String,
    /// Null until an inventory was taken.
    last_inventory_date: Option<String>,
    number_of_archives: i64,
    size_in_bytes: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct VaultList {
    marker: Option<String>,
    vault_list: Vec<VaultDocument>,
}

impl Glacier {
    pub(crate) async fn list_vaults(&self, head: &Head<'_>) -> Result<Answer, Refusal> {
        let limit = head.limit(MAX_PAGE)?;
        let after = head.parameter("marker")?.map(|marker| self.read_marker(&marker)).transpose()?;
        let page = self.blocking(move |store| store.list_vaults(after.as_ref(), limit)).await;
        let page = page.map_err(|error| {
            tracing::error!(%error, "the store failed");
            error::internal()
        })?;
        let vault_list: Vec<VaultDocument> = page.vaults.into_iter().map(|vault| self.vault_document(vault)).collect();
        let marker = vault_list.last().filter(|_| page.more).map(|last| last.vault_arn.clone());
        Ok(Answer::json(&VaultList { marker, vault_list }))
    }

    pub(crate) async fn create_vault(&self, vault: VaultName) -> Result<Answer, Refusal> {
        let name = vault.clone();
        let created = self.blocking(move |store| store.create_vault(&name)).await;
        created.map_err(|error| self.refusal(error, &vault, None))?;
        Ok(Answer::created_at(self.vault_path(&vault)))
    }

    pub(crate) async fn describe_vault(&self, vault: VaultName) -> Result<Answer, Refusal> {
        let name = vault.clone();
        let described = self.blocking(move |store| store.describe_vault(&name)).await;
        let described = described.map_err(|error| self.refusal(error, &vault, None))?;
        Ok(Answer::json(&self.vault_document(described)))
    }

    pub(crate) async fn delete_vault(&self, vault: VaultName) -> Result<Answer, Refusal> {
        let name = vault.clone();
        let deleted = self.blocking(move |store| store.delete_vault(&name)).await;
        deleted.map_err(|error| self.refusal(error, &vault, None))?;
        Ok(Answer::no_content())
    }

    /// Refuses an unknown vault before a body is read.
    pub(crate) async fn expect_vault(&self, vault: &VaultName) -> Result<(), Refusal> {
        let name = vault.clone();
        let found: Result<(), StoreError> = self.blocking(move |store| store.expect_vault(&name)).await;
        found.map_err(|error| self.refusal(error, vault, None))
    }

    fn vault_document(&self, vault: VaultDescription) -> VaultDocument {
        VaultDocument {
            vault_arn: self.vault_arn(&vault.name),
            vault_name: vault.name,
            creation_date: iso(vault.created_ms),
            last_inventory_date: vault.inventory_ms.map(iso),
            number_of_archives: vault.archives,
            size_in_bytes: vault.bytes,
        }
    }

    /// A marker is the ARN of the last vault of the page before.
    fn read_marker(&self, marker: &str) -> Result<VaultName, Refusal> {
        let name = marker.strip_prefix(&self.vault_arn("")).and_then(|name| VaultName::new(name).ok());
        name.ok_or_else(|| error::invalid_marker(marker))
    }
}
