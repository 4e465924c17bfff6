//! Operations on a vault's lock: begun, tried for a day, and then either final or gone.
//!
//! **Source:** API reference, "Initiate/Get/Complete/Abort Vault Lock".

use glacier_core::glacier::VaultName;
use serde::Serialize;

use crate::answer::Answer;
use crate::clock::iso;
use crate::error::{self, Refusal};
use crate::glacier::Glacier;
use crate::store::{LockId, StoreError};

const LOCK_ID: &str = "x-amz-lock-id";

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LockDocument {
    policy: String,
    state: &'static str,
    expiration_date: Option<String>,
    creation_date: String,
}

impl Glacier {
    pub(crate) async fn initiate_vault_lock(&self, vault: VaultName, body: &[u8]) -> Result<Answer, Refusal> {
        let policy = self.read_policy(&vault, body)?;
        let name = vault.clone();
        let initiated = self.blocking(move |store| store.initiate_lock(&name, policy)).await;
        let id = initiated.map_err(|error| self.lock_refusal(error, &vault))?;
        Ok(Answer::created().with_name(LOCK_ID, id))
    }

    pub(crate) async fn get_vault_lock(&self, vault: VaultName) -> Result<Answer, Refusal> {
        let name = vault.clone();
        let found = self.blocking(move |store| store.vault_lock(&name)).await;
        let lock = found.map_err(|error| self.lock_refusal(error, &vault))?;
        Ok(Answer::json(&LockDocument {
            policy: lock.policy,
            state: if lock.expires_ms.is_some() { "InProgress" } else { "Locked" },
            expiration_date: lock.expires_ms.map(iso),
            creation_date: iso(lock.created_ms),
        }))
    }

    pub(crate) async fn complete_vault_lock(&self, vault: VaultName, id: LockId) -> Result<Answer, Refusal> {
        let (name, lock_id) = (vault.clone(), id.clone());
        let completed = self.blocking(move |store| store.complete_lock(&name, &lock_id)).await;
        completed.map_err(|error| match error {
            StoreError::WrongLockId => error::wrong_lock_id(&id),
            other => self.lock_refusal(other, &vault),
        })?;
        Ok(Answer::no_content())
    }

    pub(crate) async fn abort_vault_lock(&self, vault: VaultName) -> Result<Answer, Refusal> {
        let name = vault.clone();
        let aborted = self.blocking(move |store| store.abort_lock(&name)).await;
        aborted.map_err(|error| self.lock_refusal(error, &vault))?;
        Ok(Answer::no_content())
    }

    fn lock_refusal(&self, error: StoreError, vault: &VaultName) -> Refusal {
        let arn = self.vault_arn(vault.as_str());
        match error {
            StoreError::NotSet => error::not_set("vault lock", &arn),
            StoreError::LockInProgress => error::lock_in_progress(&arn),
            StoreError::Locked => error::locked(&arn),
            other => self.refusal(other, vault, None),
        }
    }
}
