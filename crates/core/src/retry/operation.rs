//! The operations, and what repeating each of them would do.

macro_rules! operations {
    ($($name:ident = $text:literal,)*) => {
        /// What was asked when the answer came.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is the operation of that name")]
        pub enum Operation {
            /// The gateway's `POST /v1/sign`.
            Sign,
            $($name,)*
        }

        impl Operation {
            /// All of them but [`Sign`](Self::Sign).
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The operation's name in AWS's words.
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::Sign => "the request for signatures",
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

operations! {
    AbortMultipartUpload = "AbortMultipartUpload",
    AbortVaultLock = "AbortVaultLock",
    AddTagsToVault = "AddTagsToVault",
    CompleteMultipartUpload = "CompleteMultipartUpload",
    CompleteVaultLock = "CompleteVaultLock",
    CreateVault = "CreateVault",
    DeleteArchive = "DeleteArchive",
    DeleteVault = "DeleteVault",
    DeleteVaultAccessPolicy = "DeleteVaultAccessPolicy",
    DeleteVaultNotifications = "DeleteVaultNotifications",
    DescribeJob = "DescribeJob",
    DescribeVault = "DescribeVault",
    GetDataRetrievalPolicy = "GetDataRetrievalPolicy",
    GetJobOutput = "GetJobOutput",
    GetVaultAccessPolicy = "GetVaultAccessPolicy",
    GetVaultLock = "GetVaultLock",
    GetVaultNotifications = "GetVaultNotifications",
    InitiateJob = "InitiateJob",
    InitiateMultipartUpload = "InitiateMultipartUpload",
    InitiateVaultLock = "InitiateVaultLock",
    ListJobs = "ListJobs",
    ListMultipartUploads = "ListMultipartUploads",
    ListParts = "ListParts",
    ListProvisionedCapacity = "ListProvisionedCapacity",
    ListTagsForVault = "ListTagsForVault",
    ListVaults = "ListVaults",
    PurchaseProvisionedCapacity = "PurchaseProvisionedCapacity",
    RemoveTagsFromVault = "RemoveTagsFromVault",
    SetDataRetrievalPolicy = "SetDataRetrievalPolicy",
    SetVaultAccessPolicy = "SetVaultAccessPolicy",
    SetVaultNotifications = "SetVaultNotifications",
    UploadMultipartPart = "UploadMultipartPart",
    S3AbortMultipartUpload = "s3:AbortMultipartUpload",
    S3CompleteMultipartUpload = "s3:CompleteMultipartUpload",
    S3CreateMultipartUpload = "s3:CreateMultipartUpload",
    S3DeleteObject = "s3:DeleteObject",
    S3GetObject = "s3:GetObject",
    S3HeadObject = "s3:HeadObject",
    S3ListMultipartUploads = "s3:ListMultipartUploads",
    S3ListParts = "s3:ListParts",
    S3PutObject = "s3:PutObject",
    S3RestoreObject = "s3:RestoreObject",
    S3UploadPart = "s3:UploadPart",
}

/// What is to be done where nobody knows whether a request was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repetition {
    /// Send it again: once or twice is the same.
    Safe,
    /// Look for what it may have made, and send it again only where that is not there.
    LookFirst,
    /// Tell the caller, who alone can decide.
    Never,
}

/// What "not found" says is not there, beside the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The archive that is asked for.
    Archive,
    /// The job: it never was, or its day is over.
    Job,
    /// The upload: it never was, or it was completed, aborted or dropped.
    Upload,
    /// Only the vault can be missing. S3 has a code for everything that is not there, the bucket included.
    Vault,
}

impl Operation {
    /// The operation of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|operation| operation.as_str() == name)
    }

    /// Whether the request carries a part's bytes, or an object's.
    pub const fn sends_bytes(self) -> bool {
        matches!(self, Self::UploadMultipartPart | Self::S3UploadPart | Self::S3PutObject)
    }

    /// What a lost answer calls for.
    ///
    /// **Source:** API reference, which calls an operation idempotent where it is.
    pub const fn repetition(self) -> Repetition {
        match self {
            // Every success starts another job, and Amazon charges for each.
            Self::InitiateJob => Repetition::LookFirst,
            // Every success costs a month of a unit, and nothing tells one unit from another.
            Self::PurchaseProvisionedCapacity => Repetition::Never,
            // A second one is denied while the first is on trial, and the lock ID was in the answer that was lost.
            Self::InitiateVaultLock => Repetition::Never,
            // Reads change nothing. A part replaces itself; CompleteMultipartUpload gives the archive it made before; a
            // second InitiateMultipartUpload leaves an empty upload, which the store drops after a day. Vaults, tags,
            // policies and notifications are then as was asked, whoever asked first. What is deleted or aborted
            // twice is gone; CompleteVaultLock with the same ID succeeds again. Of S3's operations PutObject and
            // CompleteMultipartUpload make the same object again or are refused because it is there, which the
            // machine of uploads weighs; an upload that was opened for nothing is a lifecycle rule's to remove.
            _ => Repetition::Safe,
        }
    }

    /// What is not there where the store answers 404 and does not say that it is the vault.
    pub const fn missing(self) -> Missing {
        match self {
            Self::UploadMultipartPart
            | Self::ListParts
            | Self::CompleteMultipartUpload
            | Self::AbortMultipartUpload => Missing::Upload,
            Self::DescribeJob | Self::GetJobOutput => Missing::Job,
            // DeleteArchive succeeds where the archive is not there, but servers have been seen to differ.
            Self::InitiateJob | Self::DeleteArchive => Missing::Archive,
            // A setting that was never made is an answer and no failure: its reader knows.
            _ => Missing::Vault,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::OPERATIONS;
    use crate::s3;

    #[test]
    fn every_intent_has_its_operation() {
        for name in OPERATIONS.into_iter().chain(s3::OPERATIONS) {
            assert_eq!(Operation::from_name(name).map(Operation::as_str), Some(name));
        }
        assert_eq!(Operation::from_name("the request for signatures"), None);
        // All 33 of Glacier's but UploadArchive, which cannot be repeated and is never used.
        assert_eq!(Operation::ALL.len(), 32 + s3::OPERATIONS.len());
    }

    #[test]
    fn what_costs_money_or_loses_an_id_is_not_blindly_repeated() {
        let unsafe_ones: Vec<_> = Operation::ALL
            .iter()
            .filter(|operation| operation.repetition() != Repetition::Safe)
            .map(|operation| (operation.as_str(), operation.repetition()))
            .collect();
        assert_eq!(
            unsafe_ones,
            [
                ("InitiateJob", Repetition::LookFirst),
                ("InitiateVaultLock", Repetition::Never),
                ("PurchaseProvisionedCapacity", Repetition::Never),
            ]
        );
    }
}
