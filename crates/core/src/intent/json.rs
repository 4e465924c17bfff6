//! The JSON form of an intent.

use super::Intent;
use crate::json::Json;

impl Intent {
    /// The JSON form, for the browser. The servers encode by `serde`; a test holds the two together.
    pub fn to_json(&self) -> Json {
        if let Self::S3(intent) = self {
            return intent.to_json();
        }
        let mut members = vec![("op", Json::Text(self.op().into()))];
        members.extend(self.vault().map(|vault| ("vault", Json::Text(vault.to_string()))));
        let text = |value: &Option<String>| value.clone().map(Json::Text);
        match self {
            Self::InitiateMultipartUpload { vault: _, part_size, size, description } => {
                members.push(("partSize", Json::Number(part_size.bytes())));
                members.push(("size", Json::Number(*size)));
                if let Some(description) = description {
                    members.push(("description", Json::Text(description.to_string())));
                }
            }
            Self::UploadMultipartPart { vault: _, upload_id, range, payload_hash, tree_hash } => {
                members.push(("uploadId", Json::Text(upload_id.to_string())));
                members.push(("range", Json::Text(range.inclusive())));
                members.push(("payloadHash", Json::Text(payload_hash.to_string())));
                members.push(("treeHash", Json::Text(tree_hash.to_string())));
            }
            Self::ListParts { vault: _, upload_id, marker } => {
                members.push(("uploadId", Json::Text(upload_id.to_string())));
                members.extend(text(marker).map(|marker| ("marker", marker)));
            }
            Self::CompleteMultipartUpload { vault: _, upload_id, size, tree_hash } => {
                members.push(("uploadId", Json::Text(upload_id.to_string())));
                members.push(("size", Json::Number(*size)));
                members.push(("treeHash", Json::Text(tree_hash.to_string())));
            }
            Self::AbortMultipartUpload { vault: _, upload_id } => {
                members.push(("uploadId", Json::Text(upload_id.to_string())));
            }
            Self::ListMultipartUploads { vault: _, marker } | Self::ListVaults { marker } => {
                members.extend(text(marker).map(|marker| ("marker", marker)));
            }
            Self::DeleteArchive { vault: _, archive_id } => {
                members.push(("archiveId", Json::Text(archive_id.to_string())));
            }
            Self::CreateVault { vault: _ }
            | Self::DescribeVault { vault: _ }
            | Self::DeleteVault { vault: _ }
            | Self::ListTagsForVault { vault: _ }
            | Self::GetVaultNotifications { vault: _ }
            | Self::DeleteVaultNotifications { vault: _ }
            | Self::GetVaultAccessPolicy { vault: _ }
            | Self::DeleteVaultAccessPolicy { vault: _ }
            | Self::AbortVaultLock { vault: _ }
            | Self::GetVaultLock { vault: _ }
            | Self::GetDataRetrievalPolicy {}
            | Self::ListProvisionedCapacity {}
            | Self::PurchaseProvisionedCapacity {}
            | Self::S3(_) => {}
            Self::InitiateJob { vault: _, job } => members.push(("job", job.to_json())),
            Self::DescribeJob { vault: _, job_id } => members.push(("jobId", Json::Text(job_id.to_string()))),
            Self::ListJobs { vault: _, status_code, completed, marker } => {
                members.extend(status_code.map(|status| ("statusCode", Json::Text(status.as_str().into()))));
                members.extend(completed.map(|completed| ("completed", Json::Bool(completed))));
                members.extend(text(marker).map(|marker| ("marker", marker)));
            }
            Self::AddTagsToVault { vault: _, tags } => members.push(("tags", tags.to_json())),
            Self::RemoveTagsFromVault { vault: _, tag_keys } => members.push(("tagKeys", tag_keys.to_json())),
            Self::SetVaultNotifications { vault: _, sns_topic, events } => {
                members.push(("snsTopic", Json::Text(sns_topic.to_string())));
                members.push(("events", events.to_json()));
            }
            Self::SetVaultAccessPolicy { vault: _, policy } | Self::InitiateVaultLock { vault: _, policy } => {
                members.push(("policy", Json::Text(policy.to_string())));
            }
            Self::CompleteVaultLock { vault: _, lock_id } => {
                members.push(("lockId", Json::Text(lock_id.to_string())));
            }
            Self::SetDataRetrievalPolicy(rule) => {
                members.push(("strategy", Json::Text(rule.strategy().into())));
                members.extend(rule.bytes_per_hour().map(|bytes| ("bytesPerHour", Json::Number(bytes.get()))));
            }
            Self::GetJobOutput { vault: _, job_id, range } => {
                members.push(("jobId", Json::Text(job_id.to_string())));
                members.extend(range.map(|range| ("range", Json::Text(range.inclusive()))));
            }
        }
        Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}
