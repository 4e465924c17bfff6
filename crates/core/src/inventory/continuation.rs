//! An inventory that takes several jobs: with a `limit`, each job lists so many archives and says where the next one is
//! to go on.
//!
//! **Source:** API reference, "Initiate Job (POST jobs)", "Range Inventory Retrieval".

use std::num::NonZeroU64;

use crate::error::{ErrorCode, UploadError};
use crate::glacier::describe_job::{Action, JobDescription};
use crate::glacier::initiate_job::{InventoryFormat, JobParameters};
use crate::glacier::{Date, Description, SnsTopic};

/// How the output of a job is written, which says whether it can be read here.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] for a job that is no inventory.
pub fn format(job: &JobDescription) -> Result<InventoryFormat, UploadError> {
    if job.action != Action::InventoryRetrieval {
        let words = "The job is no inventory, and only inventories list archives";
        return Err(UploadError::new(ErrorCode::InvalidOption, words).hint("Download what it made."));
    }
    Ok(job.inventory.as_ref().and_then(|inventory| inventory.format).unwrap_or(InventoryFormat::Json))
}

/// The job for what follows a job that has succeeded: the same, but for where it begins. `None` where nothing follows.
/// `began_at` is the marker that `job` was started with, as far as the caller knows: its description shows only where
/// the next one goes on.
///
/// # Errors
/// [`ErrorCode::NotOurServer`] where the job after it would be the same again, which would go on for ever, and where the
/// description is not what was asked for.
pub fn next_job(job: &JobDescription, began_at: Option<&str>) -> Result<Option<JobParameters>, UploadError> {
    let Some(inventory) = &job.inventory else { return Ok(None) };
    let Some(marker) = &inventory.marker else { return Ok(None) };
    let wrong = |words| UploadError::new(ErrorCode::NotOurServer, words);
    if began_at == Some(marker) {
        return Err(wrong("The store's inventory goes in a circle: a job is followed by itself"));
    }
    let unreadable = |_| wrong("The store describes the inventory otherwise than it was asked for");
    let date = |text: &Option<String>| text.as_deref().map(seconds).transpose().map_err(unreadable);
    Ok(Some(JobParameters::InventoryRetrieval {
        format: inventory.format,
        start_date: date(&inventory.start_date)?,
        end_date: date(&inventory.end_date)?,
        limit: inventory.limit.and_then(NonZeroU64::new),
        marker: Some(marker.clone()),
        description: job.description.as_deref().map(Description::new).transpose().map_err(unreadable)?,
        sns_topic: job.sns_topic.as_deref().map(SnsTopic::new).transpose().map_err(unreadable)?,
    }))
}

/// A date as it is asked for, which is without the fraction that some stores show.
fn seconds(text: &str) -> Result<Date, crate::glacier::InvalidName> {
    text.split_once('.').map_or_else(|| Date::new(text), |(whole, _)| Date::new([whole, "Z"].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glacier::describe_job::read_description;
    use crate::json::Json;

    const TOPIC: &str = "arn:aws:sns:us-east-1:012345678901:done";

    fn text(text: &str) -> Json {
        Json::Text(text.into())
    }

    fn job(parameters: Json) -> JobDescription {
        read_description(&Json::object([
            ("Action", text("InventoryRetrieval")),
            ("CreationDate", text("2026-03-20T13:03:43.221Z")),
            ("InventoryRetrievalParameters", parameters),
            ("JobDescription", text("all")),
            ("JobId", text("job")),
            ("SNSTopic", text(TOPIC)),
            ("StatusCode", text("Succeeded")),
            ("VaultARN", text("arn:aws:glacier:us-east-1:012345678901:vaults/photos")),
        ]))
        .unwrap()
    }

    fn paged(start: &str, end: &str) -> JobDescription {
        job(Json::object([
            ("Format", text("CSV")),
            ("StartDate", text(start)),
            ("EndDate", text(end)),
            ("Limit", text("7")),
            ("Marker", text("next")),
        ]))
    }

    const START: &str = "2026-01-02T03:04:05Z";
    const END: &str = "2026-02-03T04:05:06Z";

    #[test]
    fn the_next_job_differs_in_its_beginning_alone() {
        let next = next_job(&paged(START, "2026-02-03T04:05:06.000Z"), Some("here")).unwrap();
        let expected = JobParameters::InventoryRetrieval {
            format: Some(InventoryFormat::Csv),
            start_date: Some(Date::new(START).unwrap()),
            end_date: Some(Date::new(END).unwrap()),
            limit: NonZeroU64::new(7),
            marker: Some("next".into()),
            description: Some(Description::new("all").unwrap()),
            sns_topic: Some(SnsTopic::new(TOPIC).unwrap()),
        };
        assert_eq!(next, Some(expected));
    }

    #[test]
    fn nothing_follows_where_there_is_no_marker() {
        for last in [Json::Null, Json::object([]), Json::object([("Limit", text("7")), ("Marker", Json::Null)])] {
            assert_eq!(next_job(&job(last.clone()), None), Ok(None), "{last:?}");
        }
    }

    #[test]
    fn a_circle_ends() {
        let error = next_job(&paged(START, END), Some("next")).unwrap_err();
        assert_eq!(error.code, ErrorCode::NotOurServer);
    }

    #[test]
    fn what_was_never_asked_for_is_not_asked_for_again() {
        for (start, end) in [("yesterday", END), (START, "2026-02-03T04:05")] {
            assert_eq!(next_job(&paged(start, end), None).unwrap_err().code, ErrorCode::NotOurServer, "{start} {end}");
        }
    }

    #[test]
    fn only_inventories_are_read_and_those_that_do_not_say_how_are_json() {
        assert_eq!(format(&paged(START, END)), Ok(InventoryFormat::Csv));
        assert_eq!(format(&job(Json::Null)), Ok(InventoryFormat::Json));
        let retrieval = JobDescription { action: Action::ArchiveRetrieval, ..job(Json::Null) };
        assert_eq!(format(&retrieval).unwrap_err().code, ErrorCode::InvalidOption);
    }
}
