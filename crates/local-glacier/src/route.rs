//! The one reading of a path: from the raw bytes to an operation on names that are known to be legal.

use glacier_core::glacier::{ArchiveId, UploadId, VaultName};

use crate::error::{self, Refusal};

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
}

impl Route {
    /// Reads method and raw path.
    ///
    /// Nothing is decoded: every legal name is of an alphabet that needs no encoding, so a `%` is never part of one,
    /// and what is checked here is what is used.
    pub(crate) fn parse(method: &str, path: &str) -> Result<(Account, Self), Refusal> {
        let path = path.strip_prefix('/').ok_or_else(error::no_such_operation)?;
        if path.contains('%') {
            return Err(error::no_such_operation());
        }
        let segments: Vec<&str> = path.split('/').collect();
        let [account, "vaults", names @ ..] = segments.as_slice() else {
            return Err(error::no_such_operation());
        };
        let account = parse_account(account)?;
        let vault = |name: &str| VaultName::new(name).map_err(error::invalid_name);
        let archive = |id: &str| ArchiveId::new(id).map_err(error::invalid_name);
        let upload = |id: &str| UploadId::new(id).map_err(error::invalid_name);
        let route = match (method, names) {
            ("GET", []) => Self::ListVaults,
            ("PUT", [name]) => Self::CreateVault(vault(name)?),
            ("GET", [name]) => Self::DescribeVault(vault(name)?),
            ("DELETE", [name]) => Self::DeleteVault(vault(name)?),
            ("POST", [name, "archives"]) => Self::UploadArchive(vault(name)?),
            ("DELETE", [name, "archives", id]) => Self::DeleteArchive(vault(name)?, archive(id)?),
            ("POST", [name, "multipart-uploads"]) => Self::InitiateMultipartUpload(vault(name)?),
            ("GET", [name, "multipart-uploads"]) => Self::ListMultipartUploads(vault(name)?),
            ("PUT", [name, "multipart-uploads", id]) => Self::UploadMultipartPart(vault(name)?, upload(id)?),
            ("GET", [name, "multipart-uploads", id]) => Self::ListParts(vault(name)?, upload(id)?),
            ("POST", [name, "multipart-uploads", id]) => Self::CompleteMultipartUpload(vault(name)?, upload(id)?),
            ("DELETE", [name, "multipart-uploads", id]) => Self::AbortMultipartUpload(vault(name)?, upload(id)?),
            _ => return Err(error::no_such_operation()),
        };
        Ok((account, route))
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

    #[test]
    fn the_twelve_operations_are_found_by_method_and_path() {
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
        ] {
            let (method, path) = line.split_once(' ').unwrap();
            assert_eq!(Route::parse(method, path).unwrap().1.operation(), operation, "{line}");
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
            "GET /-/vaults/%2e%2e",
            "PUT /-/vaults/mine%2F..%2Ftheirs",
            "PUT /-/vaults/a/../b",
            "TRACE /-/vaults",
        ] {
            let (method, path) = line.split_once(' ').unwrap();
            assert_eq!(Route::parse(method, path).unwrap_err().code, Code::BadRequest, "{line}");
        }
    }

    #[test]
    fn illegal_names_are_told_apart_from_unknown_paths() {
        let long = format!("PUT /-/vaults/{}", "v".repeat(256));
        for line in [
            "PUT /-/vaults/..",
            "PUT /-/vaults/.",
            "GET /-/vaults/a\\b",
            "PUT /-/vaults/v/multipart-uploads/u.v",
            "DELETE /-/vaults/v/archives/",
            "GET /-/vaults/a\u{202e}b",
            &long,
        ] {
            let (method, path) = line.split_once(' ').unwrap();
            assert_eq!(Route::parse(method, path).unwrap_err().code, Code::InvalidParameterValue, "{line}");
        }
    }
}
