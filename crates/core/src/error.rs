//! What an upload or a download fails with: a closed list of codes for programs, and plain words for people.

use std::fmt;

use crate::glacier::{InvalidName, InvalidSetting, ServiceError};
use crate::part::InvalidPartSize;
use crate::plan::PlanError;
use crate::s3;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $hint:literal;)*) => {
        /// Every way an upload or a download can fail. The list is closed; new codes come with a new minor version.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
        }

        impl ErrorCode {
            /// All codes, in alphabetical order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as programs see it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// What to do about it, in a sentence for people, where nothing more exact is known.
            pub const fn hint(self) -> &'static str {
                match self {
                    $(Self::$variant => $hint,)*
                }
            }
        }
    };
}

error_codes! {
    /// The vault has no such archive, or none of that range.
    ArchiveNotFound = "ARCHIVE_NOT_FOUND", "Check the archive's ID: it may have been deleted, or be in another vault.";
    /// The gateway or the store knows who asks and says no.
    AuthDenied = "AUTH_DENIED", "Ask whoever runs the server for permission to do this in this vault.";
    /// The token's time is over and a fresh one was not accepted either.
    AuthExpired = "AUTH_EXPIRED", "Sign in again, then resume or try again: what is done already is kept.";
    /// The gateway wants a token and got none.
    AuthMissing = "AUTH_MISSING", "Sign in, then resume.";
    /// There is no such bucket.
    BucketNotFound = "BUCKET_NOT_FOUND", "Check the bucket's name and region.";
    /// A part did not arrive as it was hashed, several times in a row.
    ChecksumMismatchPart = "CHECKSUM_MISMATCH_PART", "Something between this computer and the store changes bytes. Resume on another network.";
    /// A range of a job's output did not arrive as the store says it is, several times in a row.
    ChecksumMismatchRange = "CHECKSUM_MISMATCH_RANGE", "Something between the store and this computer changes bytes. Resume on another network.";
    /// The store computed another tree hash over the whole archive than we did.
    ChecksumMismatchWhole = "CHECKSUM_MISMATCH_WHOLE", "Abort and upload the file again; if it happens again, tell whoever runs the server.";
    /// Signatures are out of date as soon as they are made.
    ClockSkew = "CLOCK_SKEW", "The clock of the signing server is wrong, or requests take minutes to arrive. Tell whoever runs the server.";
    /// The bucket does not let this page in.
    CorsNotAllowed = "CORS_NOT_ALLOWED", "Tell whoever runs the bucket: its CORS rules must allow this page's origin to PUT and GET.";
    /// The store has no room for an expedited restore now.
    ExpeditedUnavailable = "EXPEDITED_UNAVAILABLE", "Ask with the tier \"Standard\", or try again later.";
    /// The file is no longer the one that was hashed.
    FileChanged = "FILE_CHANGED", "Choose the file again and start a new upload when nothing writes to it any more.";
    /// The file has no bytes.
    FileEmpty = "FILE_EMPTY", "Choose a file with at least one byte.";
    /// More bytes than an archive can hold.
    FileTooLarge = "FILE_TOO_LARGE", "Split the file.";
    /// The browser cannot read the file.
    FileUnreadable = "FILE_UNREADABLE", "Check that the file still exists and may be read, then resume or choose it again.";
    /// A defect of this library.
    Internal = "INTERNAL", "Please report this with the message.";
    /// The bucket's name is not one.
    InvalidBucketName = "INVALID_BUCKET_NAME", "Use 3 to 63 lower-case letters, digits, '-' or '.'.";
    /// The description is not what the store keeps.
    InvalidDescription = "INVALID_DESCRIPTION", "Use at most 1024 printable ASCII characters.";
    /// An object cannot have this key.
    InvalidKey = "INVALID_KEY", "Use 1 to 1024 bytes of UTF-8 without control characters and without \"/./\" and \"/../\".";
    /// An option has a value that cannot work.
    InvalidOption = "INVALID_OPTION", "Correct the option.";
    /// The part size is no power of two from 1 MiB to 4 GiB.
    InvalidPartSize = "INVALID_PART_SIZE", "Use a power of two from 1 MiB to 4 GiB, or \"auto\".";
    /// A range of bytes is empty, outside the archive, or not where the store can cut.
    InvalidRange = "INVALID_RANGE", "Give a start below the end, both inside the archive and on MiB borders, or the end at the archive's end.";
    /// The vault's name is not one.
    InvalidVaultName = "INVALID_VAULT_NAME", "Use 1 to 255 letters, digits, '_', '.' or '-'.";
    /// An inventory is cut short or malformed.
    InventoryUnreadable = "INVENTORY_UNREADABLE", "Start another inventory, in JSON; if it happens again, tell whoever runs the server.";
    /// What was given is a directory.
    IsDirectory = "IS_DIRECTORY", "Choose files; a folder cannot be uploaded as one file.";
    /// The job's output is gone: the store keeps it for a day after the job is done.
    JobExpired = "JOB_EXPIRED", "Start the same retrieval again, and continue this download with the new job when that is done.";
    /// The store could not do the job.
    JobFailed = "JOB_FAILED", "Start another job; the message says what the store reported.";
    /// The job has no output that could be downloaded, or not yet.
    JobNotReady = "JOB_NOT_READY", "Wait until the job has succeeded; start another if it failed.";
    /// More than the account or the token allows.
    LimitExceeded = "LIMIT_EXCEEDED", "Ask whoever runs the server to raise the limit, or upload less.";
    /// No answer, again and again.
    Network = "NETWORK", "Check the connection, then resume or try again: what is done already is kept.";
    /// What answered is neither the gateway nor a Glacier store.
    NotOurServer = "NOT_OUR_SERVER", "Check the address of the gateway, and whether a proxy or a sign-in page of the network stands between.";
    /// Another object has taken the place of the one that was being downloaded.
    ObjectChanged = "OBJECT_CHANGED", "Download it again from the beginning; in a bucket that keeps versions, give a version to have the former one.";
    /// The bucket has an object of that key already.
    ObjectExists = "OBJECT_EXISTS", "Choose another key, or set overwrite: true if the object there may be replaced.";
    /// The bucket has no such object.
    ObjectNotFound = "OBJECT_NOT_FOUND", "Check the object's key: it may have been deleted, or be in another bucket.";
    /// Too many requests, again and again.
    RateLimited = "RATE_LIMITED", "Wait a while, then resume.";
    /// The gateway or the store refuses the request.
    Refused = "REFUSED", "Tell whoever runs the server, with the request ID.";
    /// The gateway or the store is in trouble, again and again.
    Server = "SERVER", "Wait a while, then resume or try again: what is done already is kept.";
    /// No usable signature could be had.
    SignFailed = "SIGN_FAILED", "Tell whoever runs the signing server, or check the page's own sign function.";
    /// What the bytes are written to takes no more.
    SinkFailed = "SINK_FAILED", "Check the free space and that the file may be written, then resume, or download again.";
    /// A request stood still, again and again.
    Stalled = "STALLED", "Check the connection, then resume or try again: what is done already is kept.";
    /// The part size needs more than 10,000 parts.
    TooManyParts = "TOO_MANY_PARTS", "Use a larger part size, or \"auto\".";
    /// This browser or this kind of file cannot do it.
    Unsupported = "UNSUPPORTED", "Use a current browser.";
    /// The store has no such upload any more.
    UploadExpired = "UPLOAD_EXPIRED", "Resume to start from the beginning.";
    /// Another tab, or this one, is at it.
    UploadInUse = "UPLOAD_IN_USE", "Go on where it runs, or close that tab first.";
    /// The account cannot use Glacier vaults.
    VaultsClosed = "VAULTS_CLOSED", "Amazon closed Glacier vaults to new accounts; use another target.";
    /// The vault does not exist.
    VaultNotFound = "VAULT_NOT_FOUND", "Check the vault's name and region, or create the vault.";
    /// A worker stopped or could not start.
    WorkerFailed = "WORKER_FAILED", "Resume; if it happens again, reload the page.";
}

/// A failed upload or download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadError {
    /// For programs.
    pub code: ErrorCode,
    /// What was wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// Whether [`Event::Resume`](crate::upload::Event::Resume) (or the [download's](crate::download::Event::Resume)) may succeed without changing anything else.
    pub retryable: bool,
    /// HTTP status, where an answer was the cause.
    pub status: Option<u16>,
    /// The store's or the gateway's own code.
    pub service_code: Option<String>,
    /// To find the request in the server's log.
    pub request_id: Option<String>,
    /// Counted from 1.
    pub part_number: Option<u32>,
}

impl UploadError {
    /// A failure that trying again would not change, with the code's own hint.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: code.hint().to_owned(),
            retryable: false,
            status: None,
            service_code: None,
            request_id: None,
            part_number: None,
        }
    }

    /// With another hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// One that resuming may overcome.
    #[must_use]
    pub fn retryable(self, retryable: bool) -> Self {
        Self { retryable, ..self }
    }

    /// About part `index`, counted from 0.
    #[must_use]
    pub fn in_part(self, index: Option<u32>) -> Self {
        Self { part_number: index.map(|index| index.saturating_add(1)), ..self }
    }

    /// With what the service said about it.
    #[must_use]
    pub fn said_by(self, service: ServiceError) -> Self {
        Self { status: Some(service.status), service_code: service.code, request_id: service.request_id, ..self }
    }
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for UploadError {}

impl From<PlanError> for UploadError {
    fn from(error: PlanError) -> Self {
        let code = match error {
            PlanError::Empty => ErrorCode::FileEmpty,
            PlanError::TooLarge { .. } => ErrorCode::FileTooLarge,
            PlanError::TooManyParts { .. } => ErrorCode::TooManyParts,
            PlanError::PartTooSmall { .. } => ErrorCode::InvalidPartSize,
        };
        Self::new(code, error.to_string())
    }
}

impl From<InvalidName> for UploadError {
    fn from(error: InvalidName) -> Self {
        let code = match error {
            InvalidName::Vault => ErrorCode::InvalidVaultName,
            InvalidName::Description => ErrorCode::InvalidDescription,
            InvalidName::UploadId
            | InvalidName::ArchiveId
            | InvalidName::JobId
            | InvalidName::SnsTopic
            | InvalidName::Date
            | InvalidName::LockId
            | InvalidName::TagKey
            | InvalidName::TagValue
            | InvalidName::Policy => ErrorCode::InvalidOption,
        };
        Self::new(code, error.to_string())
    }
}

impl From<s3::InvalidName> for UploadError {
    fn from(error: s3::InvalidName) -> Self {
        let code = match error {
            s3::InvalidName::Bucket => ErrorCode::InvalidBucketName,
            s3::InvalidName::Key => ErrorCode::InvalidKey,
            _ => ErrorCode::InvalidOption,
        };
        Self::new(code, error.to_string())
    }
}

impl From<s3::InvalidAttribute> for UploadError {
    fn from(error: s3::InvalidAttribute) -> Self {
        Self::new(ErrorCode::InvalidOption, error.to_string())
    }
}

impl From<InvalidSetting> for UploadError {
    fn from(error: InvalidSetting) -> Self {
        Self::new(ErrorCode::InvalidOption, error.to_string())
    }
}

impl From<InvalidPartSize> for UploadError {
    fn from(error: InvalidPartSize) -> Self {
        Self::new(ErrorCode::InvalidPartSize, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::PartSize;
    use crate::plan::PartPlan;

    #[test]
    fn codes_are_sorted_distinct_screaming_snake_and_say_what_to_do() {
        let texts: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert!(texts.is_sorted_by(|a, b| a < b), "{texts:?}");
        for code in ErrorCode::ALL {
            assert!(code.as_str().bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'));
            assert!(code.hint().ends_with('.'));
            let from_variant: String =
                code.as_str().split('_').map(|word| word[..1].to_owned() + &word[1..].to_lowercase()).collect();
            assert_eq!(format!("{code:?}"), from_variant);
        }
    }

    #[test]
    fn impossible_plans_and_names_have_codes_of_their_own() {
        let code = |size, part_size| UploadError::from(PartPlan::exact(size, part_size).unwrap_err()).code;
        assert_eq!(code(0, PartSize::MIN), ErrorCode::FileEmpty);
        assert_eq!(code(u64::MAX, PartSize::MIN), ErrorCode::FileTooLarge);
        assert_eq!(code(1 << 40, PartSize::MIN), ErrorCode::TooManyParts);
        assert_eq!(UploadError::from(InvalidName::Vault).code, ErrorCode::InvalidVaultName);
        assert_eq!(UploadError::from(InvalidName::Description).code, ErrorCode::InvalidDescription);
        assert_eq!(UploadError::from(PartSize::from_bytes(3).unwrap_err()).code, ErrorCode::InvalidPartSize);
    }
}
