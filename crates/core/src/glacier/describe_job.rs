//! DescribeJob: how far a job is, and what is known of its output.
//!
//! Answers 404 once the output is gone, a day after the job was done.
//!
//! **Source:** API reference, "Describe Job (GET JobID)".

use super::initiate_job::{InventoryFormat, Tier};
use super::{AnswerError, ArchiveId, JobId, Method, Request, Response, VaultName, field};
use crate::json::Json;
use crate::range::{ByteRange, parse_decimal};
use crate::tree_hash::TreeHash;

/// What a job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the service's name for it")]
pub enum Action {
    ArchiveRetrieval,
    InventoryRetrieval,
    Select,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum JobStatus {
    /// Not done.
    InProgress,
    /// Done; there is output.
    Succeeded,
    /// Done; there is none.
    Failed,
}

impl JobStatus {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }

    /// The status of that name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::InProgress, Self::Succeeded, Self::Failed].into_iter().find(|status| status.as_str() == name)
    }
}

/// What an inventory was limited to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryParameters {
    /// Of the output.
    pub format: Option<InventoryFormat>,
    /// Archives made at that moment or later.
    pub start_date: Option<String>,
    /// Archives made before that moment.
    pub end_date: Option<String>,
    /// Most archives in the output.
    pub limit: Option<u64>,
    /// Where the next inventory is to continue, or `None` where this one reached the end.
    pub marker: Option<String>,
}

/// A job as DescribeJob, ListJobs and notifications show it. What does not apply to the kind of job is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct JobDescription {
    /// What names it.
    pub job_id: JobId,
    /// What it is for.
    pub action: Action,
    /// `arn:aws:glacier:{region}:{account}:vaults/{name}`.
    pub vault_arn: String,
    /// UTC, with milliseconds.
    pub creation_date: String,
    /// How far it is.
    pub status: JobStatus,
    /// The same in words; why, where it failed.
    pub status_message: Option<String>,
    /// UTC, or `None` while it is in progress.
    pub completion_date: Option<String>,
    /// What was given with it.
    pub description: Option<String>,
    /// Told when it is done.
    pub sns_topic: Option<String>,
    /// The archive that is retrieved.
    pub archive_id: Option<ArchiveId>,
    /// Bytes in the whole archive, also where a range of it is retrieved.
    pub archive_size: Option<u64>,
    /// Of the whole archive.
    pub archive_tree_hash: Option<TreeHash>,
    /// Which bytes of the archive are retrieved.
    pub range: Option<ByteRange>,
    /// Of those bytes. `None` where they are not tree-hash-aligned in the archive, and with some stores while the job
    /// is in progress.
    pub tree_hash: Option<TreeHash>,
    /// Of a retrieval. `None` where the service names one that is not known here.
    pub tier: Option<Tier>,
    /// Bytes of an inventory's output, once it is done.
    pub inventory_size: Option<u64>,
    /// What an inventory was limited to.
    pub inventory: Option<InventoryParameters>,
    /// Where a select job writes.
    pub job_output_path: Option<String>,
    /// Of a select job, as the service wrote it.
    pub output_location: Option<Json>,
    /// Of a select job, as the service wrote it.
    pub select_parameters: Option<Json>,
}

impl JobDescription {
    /// Whether it is done, well or not.
    pub fn is_completed(&self) -> bool {
        self.status != JobStatus::InProgress
    }

    /// Bytes of its output, where the service says.
    pub fn output_len(&self) -> Option<u64> {
        match self.action {
            Action::ArchiveRetrieval => self.range.map(ByteRange::len).or(self.archive_size),
            Action::InventoryRetrieval => self.inventory_size,
            Action::Select => None,
        }
    }

    /// Whether the whole archive is retrieved.
    fn is_whole_archive(&self) -> bool {
        self.range.is_none_or(|range| range.start() == 0 && Some(range.len()) == self.archive_size)
    }

    /// Tree hash of its output, where the service vouches for it. That of the archive will do where the whole archive
    /// is retrieved.
    pub fn output_tree_hash(&self) -> Option<TreeHash> {
        self.tree_hash.or(self.archive_tree_hash.filter(|_| self.is_whole_archive()))
    }

    /// Whether its output is tree-hash-aligned in the archive, so that the store vouches for aligned ranges of it.
    pub fn is_tree_hash_aligned(&self) -> bool {
        self.action == Action::ArchiveRetrieval
            && (self.is_whole_archive()
                || self.range.zip(self.archive_size).is_some_and(|(range, size)| range.is_tree_hash_aligned(size)))
    }
}

/// The request. `account` is twelve digits or `-`.
pub fn request(account: &str, vault: &VaultName, job_id: &JobId) -> Request {
    Request::without_body(Method::Get, format!("/{account}/vaults/{vault}/jobs/{job_id}"))
}

/// Reads the description. The reference's syntax box has status 201; its examples and the service have 200.
///
/// # Errors
/// [`AnswerError`] unless the answer is 200 with every field in its form.
pub fn read(response: &Response) -> Result<JobDescription, AnswerError> {
    read_description(response.expect_json(200)?)
}

/// Reads a description from a list or a notification.
///
/// # Errors
/// [`AnswerError::Unreadable`] with the first field that is not in its form.
pub fn read_description(job: &Json) -> Result<JobDescription, AnswerError> {
    let unreadable = |name| AnswerError::Unreadable { name };
    let hash = |name| field::parsed(job, name, |text| TreeHash::from_hex(text).ok());
    let any = |name| job.get(name).filter(|value| **value != Json::Null).cloned();
    Ok(JobDescription {
        job_id: JobId::new(field::required(job, "JobId")?).map_err(|_| unreadable("JobId"))?,
        action: match field::required(job, "Action")? {
            "ArchiveRetrieval" => Action::ArchiveRetrieval,
            "InventoryRetrieval" => Action::InventoryRetrieval,
            "Select" => Action::Select,
            _ => return Err(unreadable("Action")),
        },
        vault_arn: field::required(job, "VaultARN")?.to_owned(),
        creation_date: field::required(job, "CreationDate")?.to_owned(),
        status: JobStatus::from_name(field::required(job, "StatusCode")?).ok_or(unreadable("StatusCode"))?,
        status_message: field::optional(job, "StatusMessage"),
        completion_date: field::optional(job, "CompletionDate"),
        description: field::optional(job, "JobDescription"),
        sns_topic: field::optional(job, "SNSTopic"),
        archive_id: field::parsed(job, "ArchiveId", |text| ArchiveId::new(text).ok())?,
        archive_size: job.number("ArchiveSizeInBytes"),
        archive_tree_hash: hash("ArchiveSHA256TreeHash")?,
        range: field::parsed(job, "RetrievalByteRange", ByteRange::parse_inclusive)?,
        tree_hash: hash("SHA256TreeHash")?,
        tier: job.text("Tier").and_then(Tier::from_name),
        inventory_size: job.number("InventorySizeInBytes"),
        inventory: match job.get("InventoryRetrievalParameters") {
            Some(parameters @ Json::Object(_)) => Some(read_inventory(parameters)?),
            _ => None,
        },
        job_output_path: field::optional(job, "JobOutputPath"),
        output_location: any("OutputLocation"),
        select_parameters: any("SelectParameters"),
    })
}

fn read_inventory(parameters: &Json) -> Result<InventoryParameters, AnswerError> {
    Ok(InventoryParameters {
        format: field::parsed(parameters, "Format", InventoryFormat::from_name)?,
        start_date: field::optional(parameters, "StartDate"),
        end_date: field::optional(parameters, "EndDate"),
        // A decimal string by the model; a number from some servers.
        limit: match parameters.get("Limit") {
            Some(Json::Number(limit)) => Some(*limit),
            _ => field::parsed(parameters, "Limit", parse_decimal)?,
        },
        marker: field::optional(parameters, "Marker"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::MIB;

    const WHOLE: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const RANGE: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn text(text: &str) -> Json {
        Json::Text(text.into())
    }

    /// A retrieval of seven MiB with every key, `changes` made.
    fn retrieval(changes: &[(&str, Json)]) -> Json {
        let usual = [
            ("Action", text("ArchiveRetrieval")),
            ("ArchiveId", text("archive")),
            ("ArchiveSHA256TreeHash", text(WHOLE)),
            ("ArchiveSizeInBytes", Json::Number(7 * MIB)),
            ("Completed", Json::Bool(true)),
            ("CompletionDate", text("2026-03-20T17:03:43.221Z")),
            ("CreationDate", text("2026-03-20T13:03:43.221Z")),
            ("InventoryRetrievalParameters", Json::Null),
            ("InventorySizeInBytes", Json::Null),
            ("JobDescription", Json::Null),
            ("JobId", text("job")),
            ("JobOutputPath", Json::Null),
            ("OutputLocation", Json::Null),
            ("RetrievalByteRange", text("0-7340031")),
            ("SHA256TreeHash", text(WHOLE)),
            ("SNSTopic", Json::Null),
            ("SelectParameters", Json::Null),
            ("StatusCode", text("Succeeded")),
            ("StatusMessage", text("Succeeded")),
            ("Tier", text("Bulk")),
            ("VaultARN", text("arn:aws:glacier:us-east-1:012345678901:vaults/photos")),
        ];
        let changed = |key: &str| changes.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
        let members = usual.into_iter().map(|(key, value)| (key.to_owned(), changed(key).unwrap_or(value)));
        Json::Object(members.collect())
    }

    #[test]
    fn every_field_of_a_retrieval_is_read() {
        let job = read_description(&retrieval(&[])).unwrap();
        assert_eq!(
            (job.job_id.as_str(), job.action, job.status),
            ("job", Action::ArchiveRetrieval, JobStatus::Succeeded)
        );
        assert_eq!((job.archive_size, job.tier, job.inventory_size), (Some(7 * MIB), Some(Tier::Bulk), None));
        assert_eq!((job.description, job.sns_topic, job.inventory), (None, None, None));
        assert_eq!(job.completion_date.as_deref(), Some("2026-03-20T17:03:43.221Z"));
    }

    #[test]
    fn the_hash_is_of_the_output_or_there_is_none() {
        let (whole, range) = (TreeHash::from_hex(WHOLE).ok(), TreeHash::from_hex(RANGE).ok());
        for (bytes, hash, len, expected, aligned) in [
            ("0-7340031", text(WHOLE), 7, whole, true),
            // Some stores say nothing of the range where it is everything.
            ("0-7340031", Json::Null, 7, whole, true),
            ("4194304-7340031", text(RANGE), 3, range, true),
            ("4194304-7340031", Json::Null, 3, None, true),
            ("1048576-3145727", Json::Null, 2, None, false),
        ] {
            let changes = [("RetrievalByteRange", text(bytes)), ("SHA256TreeHash", hash)];
            let job = read_description(&retrieval(&changes)).unwrap();
            assert_eq!((job.output_len(), job.output_tree_hash()), (Some(len * MIB), expected), "{bytes}");
            assert_eq!(job.is_tree_hash_aligned(), aligned, "{bytes}");
        }
    }

    #[test]
    fn inventories_have_a_length_and_a_marker_and_no_hash() {
        for limit in [text("10000"), Json::Number(10_000)] {
            let parameters = Json::object([
                ("Format", text("CSV")),
                ("StartDate", Json::Null),
                ("EndDate", text("2026-03-21T00:00:00Z")),
                ("Limit", limit),
                ("Marker", text("next")),
            ]);
            let job = read_description(&retrieval(&[
                ("Action", text("InventoryRetrieval")),
                ("ArchiveId", Json::Null),
                ("ArchiveSHA256TreeHash", Json::Null),
                ("ArchiveSizeInBytes", Json::Null),
                ("RetrievalByteRange", Json::Null),
                ("SHA256TreeHash", Json::Null),
                ("Tier", Json::Null),
                ("InventorySizeInBytes", Json::Number(123)),
                ("InventoryRetrievalParameters", parameters),
            ]))
            .unwrap();
            assert_eq!(
                (job.output_len(), job.output_tree_hash(), job.is_tree_hash_aligned()),
                (Some(123), None, false)
            );
            let inventory = job.inventory.unwrap();
            assert_eq!((inventory.format, inventory.limit), (Some(InventoryFormat::Csv), Some(10_000)));
            assert_eq!((inventory.start_date, inventory.marker.as_deref()), (None, Some("next")));
        }
    }

    #[test]
    fn fields_in_another_form_are_named() {
        for (name, value) in [
            ("JobId", text("a/b")),
            ("JobId", Json::Null),
            ("Action", text("Guess")),
            ("StatusCode", text("Done")),
            ("ArchiveId", text("a\r\nb")),
            ("SHA256TreeHash", text("00")),
            ("ArchiveSHA256TreeHash", Json::Number(0)),
            ("RetrievalByteRange", text("5-1")),
            ("VaultARN", Json::Null),
        ] {
            let found = read_description(&retrieval(&[(name, value)]));
            assert_eq!(found, Err(AnswerError::Unreadable { name }));
        }
    }
}
