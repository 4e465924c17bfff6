//! Operations on multipart uploads.
//!
//! **Source:** API reference, "Multipart Upload Operations".

use glacier_core::glacier::{MAX_PARTS, UploadId, VaultName, header};
use glacier_core::range::parse_decimal;
use glacier_core::{ByteRange, PartSize};
use serde::Serialize;

use crate::answer::Answer;
use crate::archives::{body_len, read_description};
use crate::clock::iso;
use crate::error::{self, Refusal};
use crate::glacier::{Content, Glacier};
use crate::head::Head;
use crate::receive::Announced;
use crate::store::{Completion, Incoming, Store, StoreError};

/// Most uploads or parts on a page, and as many if no limit is given.
const MAX_PAGE: usize = 50;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct UploadDocument {
    archive_description: Option<String>,
    creation_date: String,
    multipart_upload_id: String,
    part_size_in_bytes: u64,
    #[serde(rename = "VaultARN")]
    vault_arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct UploadList {
    marker: Option<String>,
    uploads_list: Vec<UploadDocument>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PartDocument {
    range_in_bytes: String,
    #[serde(rename = "SHA256TreeHash")]
    tree_hash: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PartList {
    archive_description: Option<String>,
    creation_date: String,
    marker: Option<String>,
    multipart_upload_id: String,
    part_size_in_bytes: u64,
    parts: Vec<PartDocument>,
    #[serde(rename = "VaultARN")]
    vault_arn: String,
}

impl Glacier {
    pub(crate) async fn initiate_multipart_upload(&self, vault: VaultName, head: &Head<'_>) -> Result<Answer, Refusal> {
        let part_size = head.required(header::PART_SIZE)?;
        let bytes = parse_decimal(part_size).and_then(|bytes| PartSize::from_bytes(bytes).ok());
        let bytes = bytes.ok_or_else(|| error::invalid_part_size(part_size))?;
        let description = read_description(head)?;
        let name = vault.clone();
        let initiated = self.blocking(move |store| store.initiate_upload(&name, bytes, description)).await;
        let id = initiated.map_err(|error| self.refusal(error, &vault, None))?;
        Ok(Answer::created_at(format!("{}/multipart-uploads/{id}", self.vault_path(&vault)))
            .with_name(header::MULTIPART_UPLOAD_ID, id.to_string()))
    }

    pub(crate) async fn upload_multipart_part(
        &self,
        vault: VaultName,
        id: UploadId,
        head: &Head<'_>,
        content: Content,
    ) -> Result<Answer, Refusal> {
        let range_text = head.header(header::CONTENT_RANGE)?.ok_or_else(|| error::missing("Content-Range"))?;
        let range =
            ByteRange::parse_content_range(range_text).ok_or_else(|| error::invalid_content_range(range_text))?;
        let tree_hash = head.tree_hash()?.to_owned();
        let len = body_len(head, &content)?;
        if range.len() != len {
            return Err(error::range_and_length_disagree(range_text, len));
        }
        let part_size = self.part_size(&vault, &id).await?.bytes();
        let part_number = range.start() / part_size + 1;
        if !range.start().is_multiple_of(part_size) || range.len() > part_size {
            return Err(error::range_and_part_size_disagree(range, part_size));
        }
        if part_number > u64::from(MAX_PARTS) {
            return Err(error::too_many_parts(part_number));
        }

        let announced = Announced { len, payload_hash: content.payload_hash, tree_hash: tree_hash.clone() };
        let (name, upload_id) = (vault.clone(), id.clone());
        let put = move |store: &Store, bytes: Incoming| store.put_part(&name, &upload_id, range.start(), bytes);
        self.store_body(content, announced, &vault, Some(&id), put).await?;
        Ok(Answer::no_content().with_name(header::TREE_HASH, tree_hash))
    }

    async fn part_size(&self, vault: &VaultName, id: &UploadId) -> Result<PartSize, Refusal> {
        let (name, upload_id) = (vault.clone(), id.clone());
        let found = self.blocking(move |store| store.part_size(&name, &upload_id)).await;
        found.map_err(|error| self.refusal(error, vault, Some(id)))
    }

    pub(crate) async fn list_parts(&self, vault: VaultName, id: UploadId, head: &Head<'_>) -> Result<Answer, Refusal> {
        let limit = head.limit(MAX_PAGE)?;
        let from = read_marker(head)?;
        let (name, upload_id) = (vault.clone(), id.clone());
        let listed = self.blocking(move |store| store.list_parts(&name, &upload_id, from, limit)).await;
        let page = listed.map_err(|error| self.refusal(error, &vault, Some(&id)))?;
        let part = |(range, tree_hash): &(ByteRange, glacier_core::TreeHash)| PartDocument {
            range_in_bytes: range.inclusive(),
            tree_hash: tree_hash.to_string(),
        };
        Ok(Answer::json(&PartList {
            archive_description: page.upload.description,
            creation_date: iso(page.upload.created_ms),
            marker: page.next.map(|first_byte| first_byte.to_string()),
            multipart_upload_id: page.upload.id,
            part_size_in_bytes: page.upload.part_size,
            parts: page.parts.iter().map(part).collect(),
            vault_arn: self.vault_arn(vault.as_str()),
        }))
    }

    pub(crate) async fn list_multipart_uploads(&self, vault: VaultName, head: &Head<'_>) -> Result<Answer, Refusal> {
        let limit = head.limit(MAX_PAGE)?;
        let sequence = i64::try_from(read_marker(head)?).unwrap_or(i64::MAX);
        let name = vault.clone();
        let listed = self.blocking(move |store| store.list_uploads(&name, sequence, limit)).await;
        let page = listed.map_err(|error| self.refusal(error, &vault, None))?;
        let marker = page.uploads.last().filter(|_| page.more).map(|last| last.sequence.to_string());
        let vault_arn = self.vault_arn(vault.as_str());
        let uploads_list = page.uploads.into_iter().map(|upload| UploadDocument {
            archive_description: upload.description,
            creation_date: iso(upload.created_ms),
            multipart_upload_id: upload.id,
            part_size_in_bytes: upload.part_size,
            vault_arn: vault_arn.clone(),
        });
        Ok(Answer::json(&UploadList { marker, uploads_list: uploads_list.collect() }))
    }

    pub(crate) async fn complete_multipart_upload(
        &self,
        vault: VaultName,
        id: UploadId,
        head: &Head<'_>,
    ) -> Result<Answer, Refusal> {
        let tree_hash = head.tree_hash()?.to_owned();
        let size_text = head.required(header::ARCHIVE_SIZE)?;
        let size = parse_decimal(size_text).ok_or_else(|| error::invalid_archive_size(size_text))?;
        let claim = Completion { size, tree_hash: tree_hash.clone() };
        let (name, upload_id) = (vault.clone(), id.clone());
        let completed = self.blocking(move |store| store.complete_upload(&name, &upload_id, claim)).await;
        let archive = completed.map_err(|error| match error {
            StoreError::ArchiveSizeMismatch { held } => error::archive_size_mismatch(size, held),
            StoreError::TreeHashMismatch { .. } => error::invalid_tree_hash(&tree_hash),
            other => self.refusal(other, &vault, Some(&id)),
        })?;
        Ok(self.archive_created(&vault, &archive))
    }

    pub(crate) async fn abort_multipart_upload(&self, vault: VaultName, id: UploadId) -> Result<Answer, Refusal> {
        let (name, upload_id) = (vault.clone(), id.clone());
        let aborted = self.blocking(move |store| store.abort_upload(&name, &upload_id)).await;
        aborted.map_err(|error| self.refusal(error, &vault, Some(&id)))?;
        Ok(Answer::no_content())
    }
}

/// Where a list goes on: a number, opaque to clients. 0 is the beginning.
fn read_marker(head: &Head<'_>) -> Result<u64, Refusal> {
    let Some(marker) = head.parameter("marker")? else { return Ok(0) };
    let number = parse_decimal(&marker).filter(|number| i64::try_from(*number).is_ok());
    number.ok_or_else(|| error::invalid_marker(&marker))
}
