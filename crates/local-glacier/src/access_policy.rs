//! Operations on a vault's access policy, and the judgement of all policies.
//!
//! **Source:** API reference, "Set/Get/Delete Vault Access Policy".

use glacier_core::glacier::{ArchiveId, VaultName};
use serde::Serialize;

use crate::answer::Answer;
use crate::error::{self, Refusal};
use crate::glacier::Glacier;
use crate::json_body::{self, Fields};
use crate::policy::{Policy, Question, Subject};
use crate::store::StoreError;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyDocument {
    policy: String,
}

impl Glacier {
    pub(crate) async fn set_vault_access_policy(&self, vault: VaultName, body: &[u8]) -> Result<Answer, Refusal> {
        let policy = self.read_policy(&vault, body)?;
        let name = vault.clone();
        let set = self.blocking(move |store| store.set_access_policy(&name, policy)).await;
        set.map_err(|error| self.refusal(error, &vault, None))?;
        Ok(Answer::no_content())
    }

    pub(crate) async fn get_vault_access_policy(&self, vault: VaultName) -> Result<Answer, Refusal> {
        let name = vault.clone();
        let found = self.blocking(move |store| store.access_policy(&name)).await;
        let policy = found.map_err(|error| match error {
            StoreError::NotSet => error::not_set("access policy", &self.vault_arn(vault.as_str())),
            other => self.refusal(other, &vault, None),
        })?;
        Ok(Answer::json(&PolicyDocument { policy }))
    }

    pub(crate) async fn delete_vault_access_policy(&self, vault: VaultName) -> Result<Answer, Refusal> {
        let name = vault.clone();
        let deleted = self.blocking(move |store| store.delete_access_policy(&name)).await;
        deleted.map_err(|error| self.refusal(error, &vault, None))?;
        Ok(Answer::no_content())
    }

    /// The policy in a body, once it is sure that it can be judged.
    pub(crate) fn read_policy(&self, vault: &VaultName, body: &[u8]) -> Result<String, Refusal> {
        let body = json_body::parse(body)?;
        let text = Fields::of(&body)?.required_text("Policy")?;
        let vault_arn = self.vault_arn(vault.as_str());
        Policy::parse(text, Subject { account_id: self.authority.account_id(), vault_arn: &vault_arn })?;
        Ok(text.to_owned())
    }

    /// Asks the vault's policies whether a request may go on. `archive`: the one it is about, if there is one.
    pub(crate) async fn authorize(
        &self,
        operation: &'static str,
        vault: &VaultName,
        archive: Option<&ArchiveId>,
    ) -> Result<(), Refusal> {
        if !self.store.has_policies() {
            return Ok(());
        }
        let (name, id) = (vault.clone(), archive.cloned());
        let found = self.blocking(move |store| store.policies(&name, id.as_ref())).await;
        let found = found.map_err(|error| self.refusal(error, vault, None))?;
        let vault_arn = self.vault_arn(vault.as_str());
        let age = |created_ms: i64| self.store.clock().now_ms().saturating_sub(created_ms) / DAY_MS;
        let question = Question {
            operation,
            vault_arn: &vault_arn,
            archive_age_days: found.archive_created_ms.map(|created| u64::try_from(age(created)).unwrap_or_default()),
            tags: &found.tags,
        };
        let is_about_itself =
            matches!(operation, "SetVaultAccessPolicy" | "GetVaultAccessPolicy" | "DeleteVaultAccessPolicy");
        for (kind, text) in
            [("vault lock policy", found.lock), ("vault access policy", found.access.filter(|_| !is_about_itself))]
        {
            let Some(text) = text else { continue };
            let subject = Subject { account_id: self.authority.account_id(), vault_arn: &vault_arn };
            let policy = Policy::parse(&text, subject).map_err(|refusal| {
                // It was read when it was set, for this account and region. What it denies is not known any more.
                tracing::error!(kind, vault = vault.as_str(), reason = refusal.message, "a policy cannot be judged");
                error::internal()
            })?;
            if let Some(statement) = policy.denies(&question) {
                return Err(error::denied_by_policy(operation, &vault_arn, kind, &statement));
            }
        }
        Ok(())
    }
}
