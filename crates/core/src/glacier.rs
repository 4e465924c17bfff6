//! Glacier's REST API, version 2012-06-01, as far as both ends have to agree on it: limits, names, header names,
//! requests and answers. One file an operation; each has the request the gateway signs and the reading of the answer
//! that the browser makes of it.
//!
//! **Source:** Amazon Glacier API reference; `docs/` says where the reference and the service differ.

pub mod abort_multipart_upload;
pub mod abort_vault_lock;
pub mod add_tags_to_vault;
pub mod complete_multipart_upload;
pub mod complete_vault_lock;
pub mod create_vault;
pub mod delete_archive;
pub mod delete_vault;
pub mod delete_vault_access_policy;
pub mod delete_vault_notifications;
pub mod describe_job;
pub mod describe_vault;
pub(crate) mod field;
pub mod get_data_retrieval_policy;
pub mod get_job_output;
pub mod get_vault_access_policy;
pub mod get_vault_lock;
pub mod get_vault_notifications;
pub mod header;
pub mod initiate_job;
pub mod initiate_multipart_upload;
pub mod initiate_vault_lock;
pub mod list_jobs;
pub mod list_multipart_uploads;
pub mod list_parts;
pub mod list_provisioned_capacity;
pub mod list_tags_for_vault;
pub mod list_vaults;
mod message;
pub mod name;
pub mod purchase_provisioned_capacity;
pub mod remove_tags_from_vault;
pub mod set_data_retrieval_policy;
pub mod set_vault_access_policy;
pub mod set_vault_notifications;
mod setting;
pub mod upload_multipart_part;

pub use message::{AnswerError, Method, Request, Response, ServiceError};
pub use name::{
    ArchiveId, Date, Description, InvalidName, JobId, LockId, MAX_POLICY_LEN, PolicyText, SnsTopic, TagKey, TagValue,
    UploadId, VaultName,
};
pub use setting::{
    BytesPerHour, InvalidSetting, MAX_BYTES_PER_HOUR, MAX_TAGS, MAX_TAGS_PER_REQUEST, NotificationEvent,
    NotificationEvents, RetrievalRule, TagKeys, Tags,
};

use crate::part::MIB;

/// Value of `x-amz-glacier-version`, required on every request.
pub const API_VERSION: &str = "2012-06-01";

/// Most parts in one upload. **Source:** developer guide, "Uploading Large Archives in Parts: Quick Facts".
pub const MAX_PARTS: u32 = 10_000;

/// Most bytes in one archive: 10,000 parts of 4 GiB. **Source:** as [`MAX_PARTS`].
pub const MAX_ARCHIVE_LEN: u64 = MAX_PARTS as u64 * 4096 * MIB;

/// Most bytes in the body of one request, part or whole archive: 4 GiB. **Source:** as [`MAX_PARTS`].
pub const MAX_BODY_LEN: u64 = 4096 * MIB;

/// How long a signature is accepted, both ways around the server's clock. **Source:** the service's own message
/// "Signature expired: … is now earlier than … (… - 5 min.)".
pub const SIGNATURE_LIFETIME_MS: u64 = 5 * 60 * 1000;
