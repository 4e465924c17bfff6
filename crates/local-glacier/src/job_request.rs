//! What InitiateJob is asked for: which field may stand in a job of which type, and what it may be.
//!
//! **Source:** API reference, InitiateJob. The body is the object of parameters itself, although the reference shows a
//! wrapper around it: that is what every SDK sends.

use glacier_core::ByteRange;
use glacier_core::glacier::{ArchiveId, Description};
use glacier_core::range::parse_decimal;
use serde_json::Value;

use crate::clock::parse_iso;
use crate::error::{self, Refusal};
use crate::json_body::{self, Fields};
use crate::store::{Format, InventoryMarker, InventoryQuery, NewJob, NewTask, Tier};
use crate::topic::TopicArn;

/// Reads a body.
pub(crate) fn parse(body: &[u8]) -> Result<NewJob, Refusal> {
    let body = json_body::parse(body)?;
    let fields = Fields::of(&body)?;
    let task = match fields.required_text("Type")? {
        "archive-retrieval" => retrieval(&fields)?,
        "inventory-retrieval" => inventory(&fields)?,
        "select" => return Err(error::select_not_supported()),
        other => return Err(error::invalid_job_type(other)),
    };
    let description = fields.text("Description")?.map(Description::new).transpose();
    let topic = fields.text("SNSTopic")?.map(|text| TopicArn::new(text).map_err(|_| error::invalid_topic(text)));
    Ok(NewJob { description: description.map_err(error::invalid_job_description)?, topic: topic.transpose()?, task })
}

fn retrieval(fields: &Fields<'_>) -> Result<NewTask, Refusal> {
    refuse(
        fields,
        "archive-retrieval",
        &["Format", "InventoryRetrievalParameters", "SelectParameters", "OutputLocation"],
    )?;
    let archive = ArchiveId::new(fields.required_text("ArchiveId")?).map_err(error::invalid_name)?;
    let range = match fields.text("RetrievalByteRange")? {
        Some(text) => Some(ByteRange::parse_inclusive(text).ok_or_else(|| error::invalid_retrieval_range(text))?),
        None => None,
    };
    let tier = match fields.text("Tier")? {
        Some(text) => Tier::from_name(text).ok_or_else(|| error::invalid_tier(text))?,
        None => Tier::Standard,
    };
    Ok(NewTask::Retrieval { archive, range, tier })
}

/// `Tier` is not refused: the reference defines it for the other types and says nothing of this one.
fn inventory(fields: &Fields<'_>) -> Result<NewTask, Refusal> {
    refuse(fields, "inventory-retrieval", &["ArchiveId", "RetrievalByteRange", "SelectParameters", "OutputLocation"])?;
    let format = match fields.text("Format")? {
        Some(text) => Format::from_name(text).ok_or_else(|| error::invalid_format(text))?,
        None => Format::Json,
    };
    let Some(parameters) = fields.object("InventoryRetrievalParameters")? else {
        return Ok(NewTask::Inventory(InventoryQuery {
            format,
            start_ms: None,
            end_ms: None,
            limit: None,
            after: None,
        }));
    };
    let (start_ms, end_ms) = (date(&parameters, "StartDate")?, date(&parameters, "EndDate")?);
    if let (Some(start), Some(end)) = (start_ms, end_ms)
        && start > end
    {
        return Err(error::dates_reversed());
    }
    let after = match parameters.text("Marker")? {
        Some(text) => Some(InventoryMarker::parse(text).ok_or_else(|| error::invalid_marker(text))?),
        None => None,
    };
    Ok(NewTask::Inventory(InventoryQuery { format, start_ms, end_ms, limit: limit(&parameters)?, after }))
}

fn date(parameters: &Fields<'_>, name: &'static str) -> Result<Option<i64>, Refusal> {
    let Some(text) = parameters.text(name)? else { return Ok(None) };
    parse_iso(text).map(Some).ok_or_else(|| error::invalid_date(name, text))
}

/// The model says a string; boto 2 sends a number.
fn limit(parameters: &Fields<'_>) -> Result<Option<u64>, Refusal> {
    let text = match parameters.get("Limit") {
        None => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err(error::wrong_json_type("Limit", "a string or a number")),
    };
    let digits_only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match parse_decimal(&text).or(digits_only.then_some(u64::MAX)) {
        None | Some(0) => Err(error::invalid_limit(&text)),
        // More than the database counts is more than there are archives.
        Some(limit) => Ok(Some(limit.min(i64::MAX.unsigned_abs()))),
    }
}

fn refuse(fields: &Fields<'_>, job_type: &str, names: &[&str]) -> Result<(), Refusal> {
    match names.iter().find(|name| fields.get(name).is_some()) {
        Some(name) => Err(error::field_not_for_job_type(name, job_type)),
        None => Ok(()),
    }
}
