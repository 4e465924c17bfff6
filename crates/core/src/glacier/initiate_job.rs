//! InitiateJob: asks for an archive, a range of one, or the vault's inventory.
//!
//! Not idempotent: each success starts another job, which the service may charge for. Its output can be downloaded
//! once it has succeeded, for at least a day.
//!
//! **Source:** API reference, "Initiate Job (POST jobs)".

use super::{AnswerError, ArchiveId, Date, Description, JobId, Method, Request, Response, SnsTopic, VaultName, header};
use crate::json::Json;
use crate::range::ByteRange;

/// How fast an archive is wanted, and at what price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Tier {
    /// Within 1 to 5 minutes, up to 250 MB. The dearest.
    Expedited,
    /// Within 3 to 5 hours: what is taken where nothing is said.
    Standard,
    /// Within 5 to 12 hours. The cheapest.
    Bulk,
}

impl Tier {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expedited => "Expedited",
            Self::Standard => "Standard",
            Self::Bulk => "Bulk",
        }
    }

    /// The tier of that name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Expedited, Self::Standard, Self::Bulk].into_iter().find(|tier| tier.as_str() == name)
    }
}

/// How an inventory is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "UPPERCASE"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum InventoryFormat {
    /// `text/csv`. A description with backslashes and quotes cannot always be told apart; prefer JSON.
    Csv,
    /// `application/json`: what is taken where nothing is said.
    Json,
}

impl InventoryFormat {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
        }
    }

    /// The format of that name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Csv, Self::Json].into_iter().find(|format| format.as_str() == name)
    }
}

/// What is asked for. Each kind has the fields that are legal for it and no others. `select` jobs are left out: the
/// service has retired them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum JobParameters {
    /// An archive, or some of it.
    ArchiveRetrieval {
        /// Which.
        archive_id: ArchiveId,
        /// Absent for the whole archive. Must be MiB-aligned ([`ByteRange::align_mib`]); only where it is
        /// tree-hash-aligned too does the store vouch for the bytes ([`ByteRange::align_tree_hash`]).
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        range: Option<ByteRange>,
        /// Absent for [`Tier::Standard`].
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        tier: Option<Tier>,
        /// Kept with the job.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        description: Option<Description>,
        /// Told when the job is done.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        sns_topic: Option<SnsTopic>,
    },
    /// The list of the vault's archives as of its last inventory, about once a day.
    InventoryRetrieval {
        /// Absent for [`InventoryFormat::Json`].
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        format: Option<InventoryFormat>,
        /// Archives made at that moment or later.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        start_date: Option<Date>,
        /// Archives made before that moment.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        end_date: Option<Date>,
        /// Most archives in the output; at least 1.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        limit: Option<std::num::NonZeroU64>,
        /// Where to continue: the marker in the description of the inventory job before.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        marker: Option<String>,
        /// Kept with the job.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        description: Option<Description>,
        /// Told when the job is done.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        sns_topic: Option<SnsTopic>,
    },
}

type Members = Vec<(&'static str, Option<Json>)>;

fn object(members: Members) -> Json {
    let given = members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Json::Object(given.collect())
}

fn text(value: Option<&impl ToString>) -> Option<Json> {
    value.map(|value| Json::Text(value.to_string()))
}

fn word(word: &str) -> Option<Json> {
    Some(Json::Text(word.to_owned()))
}

impl JobParameters {
    /// The kind as the service names it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::ArchiveRetrieval { .. } => "archive-retrieval",
            Self::InventoryRetrieval { .. } => "inventory-retrieval",
        }
    }

    /// The JSON of the gateway contract, as `serde` writes it.
    pub(crate) fn to_json(&self) -> Json {
        object(match self {
            Self::ArchiveRetrieval { archive_id, range, tier, description, sns_topic } => vec![
                ("type", word(self.kind())),
                ("archiveId", text(Some(archive_id))),
                ("range", range.map(|range| Json::Text(range.inclusive()))),
                ("tier", tier.and_then(|tier| word(tier.as_str()))),
                ("description", text(description.as_ref())),
                ("snsTopic", text(sns_topic.as_ref())),
            ],
            Self::InventoryRetrieval { format, start_date, end_date, limit, marker, description, sns_topic } => vec![
                ("type", word(self.kind())),
                ("format", format.and_then(|format| word(format.as_str()))),
                ("startDate", text(start_date.as_ref())),
                ("endDate", text(end_date.as_ref())),
                ("limit", limit.map(|limit| Json::Number(limit.get()))),
                ("marker", text(marker.as_ref())),
                ("description", text(description.as_ref())),
                ("snsTopic", text(sns_topic.as_ref())),
            ],
        })
    }

    /// The body of the request. What is not given is left out.
    fn to_body(&self) -> Json {
        object(match self {
            Self::ArchiveRetrieval { archive_id, range, tier, description, sns_topic } => vec![
                ("Type", word(self.kind())),
                ("ArchiveId", text(Some(archive_id))),
                ("RetrievalByteRange", range.map(|range| Json::Text(range.inclusive()))),
                ("Tier", tier.and_then(|tier| word(tier.as_str()))),
                ("Description", text(description.as_ref())),
                ("SNSTopic", text(sns_topic.as_ref())),
            ],
            Self::InventoryRetrieval { format, start_date, end_date, limit, marker, description, sns_topic } => {
                let limits = vec![
                    ("StartDate", text(start_date.as_ref())),
                    ("EndDate", text(end_date.as_ref())),
                    // The service's model has a decimal string here.
                    ("Limit", text(limit.as_ref())),
                    ("Marker", text(marker.as_ref())),
                ];
                let is_limited = limits.iter().any(|(_, value)| value.is_some());
                vec![
                    ("Type", word(self.kind())),
                    ("Format", format.and_then(|format| word(format.as_str()))),
                    ("InventoryRetrievalParameters", is_limited.then(|| object(limits))),
                    ("Description", text(description.as_ref())),
                    ("SNSTopic", text(sns_topic.as_ref())),
                ]
            }
        })
    }
}

/// The request. `account` is twelve digits or `-`. The body is the parameters themselves; the wrapper in the
/// reference's syntax box is an error of the reference.
pub fn request(account: &str, vault: &VaultName, job: &JobParameters) -> Request {
    Request::with_json(Method::Post, format!("/{account}/vaults/{vault}/jobs"), &job.to_body())
}

/// The ID of the job that was started.
///
/// # Errors
/// [`AnswerError`] unless the answer is 202 with `x-amz-job-id`.
pub fn read(response: &Response) -> Result<JobId, AnswerError> {
    let id = response.expect_status(202)?.required_header(header::JOB_ID)?;
    JobId::new(id).map_err(|_| AnswerError::Unreadable { name: header::JOB_ID })
}
