//! Operations on archives.
//!
//! **Source:** API reference, "Archive Operations".

use glacier_core::glacier::{ArchiveId, Description, MAX_BODY_LEN, UploadId, VaultName, header};

use crate::answer::Answer;
use crate::error::{self, Refusal};
use crate::glacier::{Content, Glacier};
use crate::head::Head;
use crate::receive::{Announced, ReceiveError, receive};
use crate::store::{Incoming, Store, StoreError, StoredArchive};

impl Glacier {
    pub(crate) async fn upload_archive(
        &self,
        vault: VaultName,
        head: &Head<'_>,
        content: Content,
    ) -> Result<Answer, Refusal> {
        let description = read_description(head)?;
        let tree_hash = head.tree_hash()?.to_owned();
        let len = body_len(head, &content)?;
        self.expect_vault(&vault).await?;
        let announced = Announced { len, payload_hash: content.payload_hash, tree_hash };
        let name = vault.clone();
        let put = move |store: &Store, bytes: Incoming| store.put_archive(&name, description, bytes);
        let archive = self.store_body(content, announced, &vault, None, put).await?;
        Ok(self.archive_created(&vault, &archive))
    }

    pub(crate) async fn delete_archive(&self, vault: VaultName, id: ArchiveId) -> Result<Answer, Refusal> {
        let name = vault.clone();
        let deleted = self.blocking(move |store| store.delete_archive(&name, &id)).await;
        deleted.map_err(|error| self.refusal(error, &vault, None))?;
        Ok(Answer::no_content())
    }

    pub(crate) fn archive_created(&self, vault: &VaultName, archive: &StoredArchive) -> Answer {
        Answer::created_at(format!("{}/archives/{}", self.vault_path(vault), archive.id))
            .with_name(header::ARCHIVE_ID, archive.id.to_string())
            .with_name(header::TREE_HASH, archive.tree_hash.to_string())
    }

    /// Takes the body of an upload in, and says what was wrong with it where it is refused.
    pub(crate) async fn store_body<T: Send + 'static>(
        &self,
        content: Content,
        announced: Announced,
        vault: &VaultName,
        upload_id: Option<&UploadId>,
        put: impl FnOnce(&Store, Incoming) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (payload_hash, tree_hash) = (announced.payload_hash, announced.tree_hash.clone());
        receive(&self.store, content.body, announced, put).await.map_err(|error| match error {
            ReceiveError::TooSlow => error::body_too_slow(),
            ReceiveError::Broken => error::body_incomplete(),
            ReceiveError::Store(StoreError::PayloadHashMismatch { computed }) => {
                error::payload_hash_mismatch(&payload_hash.to_string(), &computed)
            }
            ReceiveError::Store(StoreError::TreeHashMismatch { computed }) => {
                error::tree_hash_mismatch(&tree_hash, &computed.to_string())
            }
            ReceiveError::Store(other) => self.refusal(other, vault, upload_id),
        })
    }
}

/// Leading blanks go; doubles inside stay.
pub(crate) fn read_description(head: &Head<'_>) -> Result<Option<Description>, Refusal> {
    let Some(text) = head.header(header::ARCHIVE_DESCRIPTION)? else { return Ok(None) };
    Description::new(text.trim_start()).map(Some).map_err(error::invalid_description)
}

/// The length of the bytes to come, 1 byte to 4 GiB.
pub(crate) fn body_len(head: &Head<'_>, content: &Content) -> Result<u64, Refusal> {
    let exact = http_body::Body::size_hint(&content.body).exact();
    match head.content_length()?.or(exact) {
        None => Err(error::missing("Content-Length")),
        Some(len @ 1..=MAX_BODY_LEN) => Ok(len),
        Some(len) => Err(error::invalid_content_length(len)),
    }
}
