//! The one reading of a path: from the raw bytes to an operation on names that are known to be legal.

use glacier_core::glacier::{ArchiveId, UploadId, VaultName};

use crate::error::{self, Refusal};
use crate::store::{JobId, LockId};

/// Whose resources a path speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// `-`: whoever signed.
    Own,
    /// Twelve digits.
    Number(String),
}

/// An operation with the names in its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    ListVaults,
    CreateVault(VaultName),
    DescribeVault(VaultName),
    DeleteVault(VaultName),
    UploadArchive(VaultName),
    DeleteArchive(VaultName, ArchiveId),
    InitiateMultipartUpload(VaultName),
    ListMultipartUploads(VaultName),
    UploadMultipartPart(VaultName, UploadId),
    ListParts(VaultName, UploadId),
    CompleteMultipartUpload(VaultName, UploadId),
    AbortMultipartUpload(VaultName, UploadId),
    InitiateJob(VaultName),
    ListJobs(VaultName),
    DescribeJob(VaultName, JobId),
    GetJobOutput(VaultName, JobId),
    SetVaultNotifications(VaultName),
    GetVaultNotifications(VaultName),
    DeleteVaultNotifications(VaultName),
    AddTagsToVault(VaultName),
    RemoveTagsFromVault(VaultName),
    ListTagsForVault(VaultName),
    SetVaultAccessPolicy(VaultName),
    GetVaultAccessPolicy(VaultName),
    DeleteVaultAccessPolicy(VaultName),
    InitiateVaultLock(VaultName),
    GetVaultLock(VaultName),
    CompleteVaultLock(VaultName, LockId),
    AbortVaultLock(VaultName),
    SetDataRetrievalPolicy,
    GetDataRetrievalPolicy,
    ListProvisionedCapacity,
    PurchaseProvisionedCapacity,
}

impl Route {
    /// Reads method and raw path, and the query's `operation`, which tells adding tags from removing them.
    ///
    /// Nothing of the path is decoded: every legal name is of an alphabet that needs no encoding, so a name with a `%`
    /// is an illegal one, and what is checked here is what is used.
    pub(crate) fn parse(method: &str, path: &str, operation: Option<&str>) -> Result<(Account, Self), Refusal> {
        let path = path.strip_prefix('/').ok_or_else(error::no_such_operation)?;
        let segments: Vec<&str> = path.split('/').collect();
        let [account, rest @ ..] = segments.as_slice() else { return Err(error::no_such_operation()) };
        let account = parse_account(account)?;
        let route = match (method, rest) {
            (_, ["vaults", name, names @ ..]) => Self::of_vault(method, name, names, operation)?,
            ("GET", ["vaults"]) => Self::ListVaults,
            ("PUT", ["policies", "data-retrieval"]) => Self::SetDataRetrievalPolicy,
            ("GET", ["policies", "data-retrieval"]) => Self::GetDataRetrievalPolicy,
            ("GET", ["provisioned-capacity"]) => Self::ListProvisionedCapacity,
            ("POST", ["provisioned-capacity"]) => Self::PurchaseProvisionedCapacity,
            _ => return Err(error::no_such_operation()),
        };
        Ok((account, route))
    }

    fn of_vault(method: &str, name: &str, names: &[&str], operation: Option<&str>) -> Result<Self, Refusal> {
        let vault = || VaultName::new(name).map_err(error::invalid_name);
        let archive = |id: &str| ArchiveId::new(id).map_err(error::invalid_name);
        let upload = |id: &str| UploadId::new(id).map_err(error::invalid_name);
        let job = |id: &str| JobId::new(id).ok_or_else(|| error::invalid_id("job ID", id));
        let lock = |id: &str| LockId::new(id).ok_or_else(|| error::invalid_id("lock ID", id));
        Ok(match (method, names) {
            ("PUT", []) => Self::CreateVault(vault()?),
            ("GET", []) => Self::DescribeVault(vault()?),
            ("DELETE", []) => Self::DeleteVault(vault()?),
            ("POST", ["archives"]) => Self::UploadArchive(vault()?),
            ("DELETE", ["archives", id]) => Self::DeleteArchive(vault()?, archive(id)?),
            ("POST", ["multipart-uploads"]) => Self::InitiateMultipartUpload(vault()?),
            ("GET", ["multipart-uploads"]) => Self::ListMultipartUploads(vault()?),
            ("PUT", ["multipart-uploads", id]) => Self::UploadMultipartPart(vault()?, upload(id)?),
            ("GET", ["multipart-uploads", id]) => Self::ListParts(vault()?, upload(id)?),
            ("POST", ["multipart-uploads", id]) => Self::CompleteMultipartUpload(vault()?, upload(id)?),
            ("DELETE", ["multipart-uploads", id]) => Self::AbortMultipartUpload(vault()?, upload(id)?),
            ("POST", ["jobs"]) => Self::InitiateJob(vault()?),
            ("GET", ["jobs"]) => Self::ListJobs(vault()?),
            ("GET", ["jobs", id]) => Self::DescribeJob(vault()?, job(id)?),
            ("GET", ["jobs", id, "output"]) => Self::GetJobOutput(vault()?, job(id)?),
            ("PUT", ["notification-configuration"]) => Self::SetVaultNotifications(vault()?),
            ("GET", ["notification-configuration"]) => Self::GetVaultNotifications(vault()?),
            ("DELETE", ["notification-configuration"]) => Self::DeleteVaultNotifications(vault()?),
            ("GET", ["tags"]) => Self::ListTagsForVault(vault()?),
            ("POST", ["tags"]) => match operation {
                Some("add") => Self::AddTagsToVault(vault()?),
                Some("remove") => Self::RemoveTagsFromVault(vault()?),
                Some(other) => return Err(error::invalid_tags_operation(other)),
                None => return Err(error::missing("operation")),
            },
            ("PUT", ["access-policy"]) => Self::SetVaultAccessPolicy(vault()?),
            ("GET", ["access-policy"]) => Self::GetVaultAccessPolicy(vault()?),
            ("DELETE", ["access-policy"]) => Self::DeleteVaultAccessPolicy(vault()?),
            ("POST", ["lock-policy"]) => Self::InitiateVaultLock(vault()?),
            ("GET", ["lock-policy"]) => Self::GetVaultLock(vault()?),
            ("POST", ["lock-policy", id]) => Self::CompleteVaultLock(vault()?, lock(id)?),
            ("DELETE", ["lock-policy"]) => Self::AbortVaultLock(vault()?),
            _ => return Err(error::no_such_operation()),
        })
    }

    /// The vault whose policies are to be asked, and the archive in the path. `None` where there is no vault, and for
    /// InitiateJob, whose archive is in the body.
    pub(crate) const fn subject(&self) -> Option<(&VaultName, Option<&ArchiveId>)> {
        match self {
            Self::ListVaults
            | Self::InitiateJob(_)
            | Self::SetDataRetrievalPolicy
            | Self::GetDataRetrievalPolicy
            | Self::ListProvisionedCapacity
            | Self::PurchaseProvisionedCapacity => None,
            Self::DeleteArchive(vault, id) => Some((vault, Some(id))),
            Self::CreateVault(vault)
            | Self::DescribeVault(vault)
            | Self::DeleteVault(vault)
            | Self::UploadArchive(vault)
            | Self::InitiateMultipartUpload(vault)
            | Self::ListMultipartUploads(vault)
            | Self::UploadMultipartPart(vault, _)
            | Self::ListParts(vault, _)
            | Self::CompleteMultipartUpload(vault, _)
            | Self::AbortMultipartUpload(vault, _)
            | Self::ListJobs(vault)
            | Self::DescribeJob(vault, _)
            | Self::GetJobOutput(vault, _)
            | Self::SetVaultNotifications(vault)
            | Self::GetVaultNotifications(vault)
            | Self::DeleteVaultNotifications(vault)
            | Self::AddTagsToVault(vault)
            | Self::RemoveTagsFromVault(vault)
            | Self::ListTagsForVault(vault)
            | Self::SetVaultAccessPolicy(vault)
            | Self::GetVaultAccessPolicy(vault)
            | Self::DeleteVaultAccessPolicy(vault)
            | Self::InitiateVaultLock(vault)
            | Self::GetVaultLock(vault)
            | Self::CompleteVaultLock(vault, _)
            | Self::AbortVaultLock(vault) => Some((vault, None)),
        }
    }

    /// The API's name, for the log.
    pub(crate) const fn operation(&self) -> &'static str {
        match self {
            Self::ListVaults => "ListVaults",
            Self::CreateVault(_) => "CreateVault",
            Self::DescribeVault(_) => "DescribeVault",
            Self::DeleteVault(_) => "DeleteVault",
            Self::UploadArchive(_) => "UploadArchive",
            Self::DeleteArchive(..) => "DeleteArchive",
            Self::InitiateMultipartUpload(_) => "InitiateMultipartUpload",
            Self::ListMultipartUploads(_) => "ListMultipartUploads",
            Self::UploadMultipartPart(..) => "UploadMultipartPart",
            Self::ListParts(..) => "ListParts",
            Self::CompleteMultipartUpload(..) => "CompleteMultipartUpload",
            Self::AbortMultipartUpload(..) => "AbortMultipartUpload",
            Self::InitiateJob(_) => "InitiateJob",
            Self::ListJobs(_) => "ListJobs",
            Self::DescribeJob(..) => "DescribeJob",
            Self::GetJobOutput(..) => "GetJobOutput",
            Self::SetVaultNotifications(_) => "SetVaultNotifications",
            Self::GetVaultNotifications(_) => "GetVaultNotifications",
            Self::DeleteVaultNotifications(_) => "DeleteVaultNotifications",
            Self::AddTagsToVault(_) => "AddTagsToVault",
            Self::RemoveTagsFromVault(_) => "RemoveTagsFromVault",
            Self::ListTagsForVault(_) => "ListTagsForVault",
            Self::SetVaultAccessPolicy(_) => "SetVaultAccessPolicy",
            Self::GetVaultAccessPolicy(_) => "GetVaultAccessPolicy",
            Self::DeleteVaultAccessPolicy(_) => "DeleteVaultAccessPolicy",
            Self::InitiateVaultLock(_) => "InitiateVaultLock",
            Self::GetVaultLock(_) => "GetVaultLock",
            Self::CompleteVaultLock(..) => "CompleteVaultLock",
            Self::AbortVaultLock(_) => "AbortVaultLock",
            Self::SetDataRetrievalPolicy => "SetDataRetrievalPolicy",
            Self::GetDataRetrievalPolicy => "GetDataRetrievalPolicy",
            Self::ListProvisionedCapacity => "ListProvisionedCapacity",
            Self::PurchaseProvisionedCapacity => "PurchaseProvisionedCapacity",
        }
    }

    /// Whether the body is the bytes of an archive, which go to the disk and not into memory.
    pub(crate) const fn is_upload(&self) -> bool {
        matches!(self, Self::UploadArchive(_) | Self::UploadMultipartPart(..))
    }
}

fn parse_account(text: &str) -> Result<Account, Refusal> {
    match text {
        "-" => Ok(Account::Own),
        digits if digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(Account::Number(digits.to_owned()))
        }
        _ => Err(error::no_such_operation()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn parse(line: &str) -> Result<(Account, Route), Refusal> {
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Route::parse(method, path, query.strip_prefix("operation="))
    }

    #[test]
    fn the_33_operations_are_found_by_method_and_path() {
        for (line, operation) in [
            ("GET /-/vaults", "ListVaults"),
            ("PUT /-/vaults/v", "CreateVault"),
            ("GET /123456789012/vaults/v", "DescribeVault"),
            ("DELETE /-/vaults/v", "DeleteVault"),
            ("POST /-/vaults/v/archives", "UploadArchive"),
            ("DELETE /-/vaults/v/archives/a", "DeleteArchive"),
            ("POST /-/vaults/v/multipart-uploads", "InitiateMultipartUpload"),
            ("GET /-/vaults/v/multipart-uploads", "ListMultipartUploads"),
            ("PUT /-/vaults/v/multipart-uploads/u", "UploadMultipartPart"),
            ("GET /-/vaults/v/multipart-uploads/u", "ListParts"),
            ("POST /-/vaults/v/multipart-uploads/u", "CompleteMultipartUpload"),
            ("DELETE /-/vaults/v/multipart-uploads/u", "AbortMultipartUpload"),
            ("POST /-/vaults/v/jobs", "InitiateJob"),
            ("GET /-/vaults/v/jobs", "ListJobs"),
            ("GET /-/vaults/v/jobs/j", "DescribeJob"),
            ("GET /-/vaults/v/jobs/j/output", "GetJobOutput"),
            ("PUT /-/vaults/v/notification-configuration", "SetVaultNotifications"),
            ("GET /-/vaults/v/notification-configuration", "GetVaultNotifications"),
            ("DELETE /-/vaults/v/notification-configuration", "DeleteVaultNotifications"),
            ("POST /-/vaults/v/tags?operation=add", "AddTagsToVault"),
            ("POST /-/vaults/v/tags?operation=remove", "RemoveTagsFromVault"),
            ("GET /-/vaults/v/tags", "ListTagsForVault"),
            ("PUT /-/vaults/v/access-policy", "SetVaultAccessPolicy"),
            ("GET /-/vaults/v/access-policy", "GetVaultAccessPolicy"),
            ("DELETE /-/vaults/v/access-policy", "DeleteVaultAccessPolicy"),
            ("POST /-/vaults/v/lock-policy", "InitiateVaultLock"),
            ("GET /-/vaults/v/lock-policy", "GetVaultLock"),
            ("POST /-/vaults/v/lock-policy/l", "CompleteVaultLock"),
            ("DELETE /-/vaults/v/lock-policy", "AbortVaultLock"),
            ("PUT /-/policies/data-retrieval", "SetDataRetrievalPolicy"),
            ("GET /-/policies/data-retrieval", "GetDataRetrievalPolicy"),
            ("GET /-/provisioned-capacity", "ListProvisionedCapacity"),
            ("POST /-/provisioned-capacity", "PurchaseProvisionedCapacity"),
        ] {
            assert_eq!(parse(line).unwrap().1.operation(), operation, "{line}");
        }
    }

    #[test]
    fn other_paths_and_methods_are_no_operation() {
        for line in [
            "GET ",
            "GET /",
            "GET *",
            "GET /-",
            "GET //vaults",
            "POST /-/vaults",
            "PATCH /-/vaults/v",
            "HEAD /-/vaults/v",
            "GET /1234/vaults",
            "GET /12345678901a/vaults",
            "GET /-/vaults/v/archives",
            "GET /-/vaults/v/",
            "GET /-/VAULTS/v",
            "get /-/vaults",
            "GET /-/vaults/v/archives/a/b",
            "GET /%2D/vaults/v",
            "GET /-/vault%73/v",
            "GET /-/vaults/v%2Fjobs/x/y",
            "PUT /-/vaults/a/../b",
            "TRACE /-/vaults",
            "GET /-/vaults/v/jobs/j/output/o",
            "PUT /-/vaults/v/jobs",
            "DELETE /-/vaults/v/jobs/j",
            "GET /-/policies",
            "DELETE /-/policies/data-retrieval",
            "GET /-/provisioned-capacity/c",
        ] {
            assert_eq!(parse(line).unwrap_err().code, Code::BadRequest, "{line}");
        }
    }

    #[test]
    fn illegal_names_are_told_apart_from_unknown_paths() {
        let long = format!("PUT /-/vaults/{}", "v".repeat(256));
        for line in [
            "PUT /-/vaults/..",
            "PUT /-/vaults/.",
            "GET /-/vaults/%2e%2e",
            "GET /-/vaults/a%20b",
            "GET /-/vaults/%76",
            "PUT /-/vaults/mine%2F..%2Ftheirs",
            "GET /-/vaults/a\\b",
            "PUT /-/vaults/v/multipart-uploads/u.v",
            "DELETE /-/vaults/v/archives/",
            "GET /-/vaults/v/jobs/j.k",
            "GET /-/vaults/v/jobs//output",
            "POST /-/vaults/v/lock-policy/l.m",
            "POST /-/vaults/v/tags?operation=replace",
            "GET /-/vaults//tags",
            "GET /-/vaults/a\u{202e}b",
            &long,
        ] {
            assert_eq!(parse(line).unwrap_err().code, Code::InvalidParameterValue, "{line}");
        }
    }
}
