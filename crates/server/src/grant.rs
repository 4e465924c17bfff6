//! What a token's `ops` can say: an operation by AWS's name, or one of four sets of them.
//!
//! The sets follow what can be lost by them. `upload` adds and takes away nothing but unfinished uploads; `read` sees
//! what is there and gets it back, which Amazon charges for; `delete` removes what nobody can bring back; `admin` shapes
//! vaults and the account. Together they are all operations there are. Two are in
//! two sets: `ListParts` shows what is there, and whoever may delete archives may also abort unfinished uploads.

use glacier_core::intent::OPERATIONS;
use glacier_core::s3;

const UPLOAD: &[&str] = &[
    "InitiateMultipartUpload",
    "UploadMultipartPart",
    "ListParts",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
    "s3:PutObject",
    "s3:CreateMultipartUpload",
    "s3:UploadPart",
    "s3:ListParts",
    "s3:CompleteMultipartUpload",
    "s3:AbortMultipartUpload",
];

const READ: &[&str] = &[
    "ListVaults",
    "DescribeVault",
    "ListTagsForVault",
    "GetVaultNotifications",
    "GetVaultAccessPolicy",
    "GetVaultLock",
    "ListMultipartUploads",
    "ListParts",
    "InitiateJob",
    "DescribeJob",
    "ListJobs",
    "GetJobOutput",
    "GetDataRetrievalPolicy",
    "ListProvisionedCapacity",
    "s3:ListMultipartUploads",
    "s3:ListParts",
    "s3:HeadObject",
    "s3:RestoreObject",
    "s3:GetObject",
];

const DELETE: &[&str] = &["DeleteArchive", "AbortMultipartUpload", "s3:DeleteObject", "s3:AbortMultipartUpload"];

const ADMIN: &[&str] = &[
    "CreateVault",
    "DeleteVault",
    "AddTagsToVault",
    "RemoveTagsFromVault",
    "SetVaultNotifications",
    "DeleteVaultNotifications",
    "SetVaultAccessPolicy",
    "DeleteVaultAccessPolicy",
    "InitiateVaultLock",
    "CompleteVaultLock",
    "AbortVaultLock",
    "SetDataRetrievalPolicy",
    "PurchaseProvisionedCapacity",
];

/// The sets, by the names that stand in a token.
pub const SETS: [(&str, &[&str]); 4] = [("upload", UPLOAD), ("read", READ), ("delete", DELETE), ("admin", ADMIN)];

/// All operations there are: Glacier's, and S3's with `s3:` before the name, because some have the same.
pub fn operations() -> impl Iterator<Item = &'static str> {
    OPERATIONS.into_iter().chain(s3::OPERATIONS)
}

/// Whether `grant` is a set or an operation.
pub fn is_known(grant: &str) -> bool {
    SETS.iter().any(|(name, _)| *name == grant) || operations().any(|op| op == grant)
}

/// Whether `grant` allows the operation `op`.
pub fn allows(grant: &str, op: &str) -> bool {
    match SETS.iter().find(|(name, _)| *name == grant) {
        Some((_, operations)) => operations.contains(&op),
        None => grant == op,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_in_a_set_and_every_name_in_a_set_is_an_operation() {
        for op in operations() {
            let sets: Vec<&str> = SETS.iter().filter(|(name, _)| allows(name, op)).map(|(name, _)| *name).collect();
            let expected: &[&[&str]] = match op {
                "AbortMultipartUpload" | "s3:AbortMultipartUpload" => &[&["upload", "delete"]],
                "ListParts" | "s3:ListParts" => &[&["upload", "read"]],
                _ => &[&["upload"], &["read"], &["delete"], &["admin"]],
            };
            assert!(expected.contains(&sets.as_slice()), "{op} is in {sets:?}");
        }
        for name in SETS.iter().flat_map(|(_, operations)| *operations) {
            assert!(operations().any(|op| op == *name), "{name} is no operation");
        }
    }

    #[test]
    fn a_grant_is_a_set_or_an_operation_and_nothing_else() {
        for grant in ["upload", "read", "delete", "admin", "GetJobOutput"] {
            assert!(is_known(grant), "{grant}");
        }
        for grant in
            ["", "*", "Upload", "all", "glacier:*", "s3:*", "PutObject", "UploadArchive", "getJobOutput", "read,delete"]
        {
            assert!(!is_known(grant), "{grant}");
            assert!(operations().all(|op| !allows(grant, op)), "{grant}");
        }
        assert!(allows("GetJobOutput", "GetJobOutput"));
        assert!(!allows("GetJobOutput", "DescribeJob"));
    }
}
