//! What `retrieve`, `inventory` and `jobs` are told.

use std::num::NonZeroU64;

use super::ranges::byte_range;
use super::strict::{check_keys, invalid, text, whole};
use crate::error::{ErrorCode, UploadError};
use crate::glacier::describe_job::JobStatus;
use crate::glacier::initiate_job::{InventoryFormat, JobParameters, Tier};
use crate::glacier::{ArchiveId, Date, Description, InvalidName, SnsTopic};
use crate::json::Json;
use crate::part::MIB;
use crate::range::ByteRange;

const RETRIEVE_KEYS: &[&str] = &["range", "tier", "description", "snsTopic", "signal"];
const INVENTORY_KEYS: &[&str] =
    &["format", "startDate", "endDate", "limit", "marker", "description", "snsTopic", "signal"];
const FILTER_KEYS: &[&str] = &["completed", "statusCode", "signal"];

/// Which jobs a page wants to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only those that are done, or only those that are not.
    pub completed: Option<bool>,
    /// Only those that are so far.
    pub status: Option<JobStatus>,
}

/// Reads the options of `retrieve`.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] naming the key, [`ErrorCode::InvalidDescription`], and [`ErrorCode::InvalidRange`] for a
/// range that does not begin on a MiB border. Whether its end is on one or is the archive's, only the store knows.
pub fn retrieval(archive_id: &str, options: &Json) -> Result<JobParameters, UploadError> {
    check_keys(options, "", RETRIEVE_KEYS, &[])?;
    Ok(JobParameters::ArchiveRetrieval {
        archive_id: ArchiveId::new(archive_id)?,
        range: options.get("range").map(retrieval_range).transpose()?,
        tier: word(options, "tier", Tier::from_name, "must be \"Expedited\", \"Standard\" or \"Bulk\"")?,
        description: name(options, "description", Description::new)?,
        sns_topic: name(options, "snsTopic", SnsTopic::new)?,
    })
}

fn retrieval_range(range: &Json) -> Result<ByteRange, UploadError> {
    let range = byte_range(range)?;
    if range.start().is_multiple_of(MIB) {
        return Ok(range);
    }
    Err(UploadError::new(ErrorCode::InvalidRange, "range.start must be a multiple of 1 MiB (1048576 bytes)"))
}

/// Reads the options of `inventory`. Dates are ISO 8601 texts in UTC, as a `Date` of JavaScript writes itself; what is
/// less than a second is dropped, because the service counts seconds.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] naming the key, [`ErrorCode::InvalidDescription`].
pub fn inventory(options: &Json) -> Result<JobParameters, UploadError> {
    check_keys(options, "", INVENTORY_KEYS, &[])?;
    let (start_date, end_date) = (date(options, "startDate")?, date(options, "endDate")?);
    if start_date.as_ref().zip(end_date.as_ref()).is_some_and(|(start, end)| start >= end) {
        return Err(invalid("startDate", "must be before endDate, by a second at least"));
    }
    Ok(JobParameters::InventoryRetrieval {
        format: word(options, "format", InventoryFormat::from_name, "must be \"JSON\" or \"CSV\"")?,
        start_date,
        end_date,
        // More than an account can have; 2^53 is the most that JavaScript counts to.
        limit: whole(options, "", "limit", 1, 1 << 53)?.and_then(NonZeroU64::new),
        marker: text(options, "marker")?.map(str::to_owned),
        description: name(options, "description", Description::new)?,
        sns_topic: name(options, "snsTopic", SnsTopic::new)?,
    })
}

fn date(options: &Json, key: &str) -> Result<Option<Date>, UploadError> {
    let Some(value) = options.get(key) else { return Ok(None) };
    let seconds = match value {
        Json::Text(text) => text.get(..19).map(|seconds| [seconds, "Z"].concat()),
        _ => None,
    };
    match seconds.and_then(|seconds| Date::new(seconds).ok()) {
        Some(date) => Ok(Some(date)),
        None => Err(invalid(key, "must be a Date of the years 0 to 9999")),
    }
}

/// Reads the options of `jobs`.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] naming the key.
pub fn job_filter(options: &Json) -> Result<JobFilter, UploadError> {
    check_keys(options, "", FILTER_KEYS, &[])?;
    let statuses = "must be \"InProgress\", \"Succeeded\" or \"Failed\"";
    Ok(JobFilter {
        completed: match options.get("completed") {
            None => None,
            Some(Json::Bool(completed)) => Some(*completed),
            Some(_) => return Err(invalid("completed", "must be true or false")),
        },
        status: word(options, "statusCode", JobStatus::from_name, statuses)?,
    })
}

/// One of a few words.
fn word<T>(options: &Json, key: &str, read: fn(&str) -> Option<T>, rule: &str) -> Result<Option<T>, UploadError> {
    match options.get(key) {
        None => Ok(None),
        Some(value) => match value {
            Json::Text(word) => read(word),
            _ => None,
        }
        .map(Some)
        .ok_or_else(|| invalid(key, rule)),
    }
}

/// A text of a form of its own.
fn name<T>(options: &Json, key: &str, read: fn(String) -> Result<T, InvalidName>) -> Result<Option<T>, UploadError> {
    match text(options, key)? {
        None => Ok(None),
        Some(text) => Ok(Some(read(text.to_owned())?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Json {
        Json::Text(text.into())
    }

    fn range(start: u64, end: u64) -> Json {
        Json::object([("start", Json::Number(start)), ("end", Json::Number(end))])
    }

    #[test]
    fn a_retrieval_is_what_was_said_and_nothing_else() {
        let job = retrieval("archive", &Json::object([("signal", Json::Null)])).unwrap();
        assert_eq!(job.to_json(), Json::object([("type", text("archive-retrieval")), ("archiveId", text("archive"))]));
        let options = Json::object([
            ("range", range(MIB, 3 * MIB + 7)),
            ("tier", text("Bulk")),
            ("description", text("for Anna")),
            ("snsTopic", text("arn:aws:sns:us-east-1:012345678901:done")),
        ]);
        let expected = Json::object([
            ("type", text("archive-retrieval")),
            ("archiveId", text("archive")),
            ("range", text("1048576-3145734")),
            ("tier", text("Bulk")),
            ("description", text("for Anna")),
            ("snsTopic", text("arn:aws:sns:us-east-1:012345678901:done")),
        ]);
        assert_eq!(retrieval("archive", &options).unwrap().to_json(), expected);
    }

    #[test]
    fn what_is_wrong_with_a_retrieval_is_named() {
        use ErrorCode as E;
        let numbers = "range.start and range.end must be whole numbers of bytes";
        let border = "range.start must be a multiple of 1 MiB (1048576 bytes)";
        for (key, value, code, message) in [
            ("Tier", text("Bulk"), E::InvalidOption, "there is no option \"Tier\""),
            ("tier", text("bulk"), E::InvalidOption, "tier must be \"Expedited\", \"Standard\" or \"Bulk\""),
            ("tier", Json::Null, E::InvalidOption, "tier must be \"Expedited\", \"Standard\" or \"Bulk\""),
            ("range", range(5, 5), E::InvalidRange, "there is no byte from 5 up to 5"),
            ("range", range(MIB, 0), E::InvalidRange, "there is no byte from 1048576 up to 0"),
            ("range", range(1, MIB), E::InvalidRange, border),
            ("range", Json::object([("start", Json::Number(0))]), E::InvalidRange, numbers),
            ("range", Json::object([("start", Json::Null), ("end", Json::Null)]), E::InvalidRange, numbers),
            ("range", text("0-1048575"), E::InvalidRange, "range must be an object"),
            (
                "range",
                Json::object([("begin", Json::Number(0))]),
                E::InvalidRange,
                "there is no option \"range.begin\"",
            ),
            ("description", Json::Number(5), E::InvalidOption, "description must be text"),
            (
                "description",
                text("Ísland"),
                E::InvalidDescription,
                "a description is at most 1024 printable ASCII characters (space to '~')",
            ),
        ] {
            let error = retrieval("archive", &Json::object([(key, value)])).unwrap_err();
            assert_eq!((error.code, error.message.as_str()), (code, message));
        }
        assert_eq!(retrieval("a/b", &Json::object([])).unwrap_err().code, E::InvalidOption);
    }

    #[test]
    fn an_inventory_is_what_was_said_and_nothing_else() {
        let options = Json::object([
            ("format", text("CSV")),
            ("startDate", text("2026-01-01T00:00:00.999Z")),
            ("endDate", text("2026-02-01T00:00:00.000Z")),
            ("limit", Json::Number(1)),
            ("marker", text("next")),
        ]);
        let expected = Json::object([
            ("type", text("inventory-retrieval")),
            ("format", text("CSV")),
            ("startDate", text("2026-01-01T00:00:00Z")),
            ("endDate", text("2026-02-01T00:00:00Z")),
            ("limit", Json::Number(1)),
            ("marker", text("next")),
        ]);
        assert_eq!(inventory(&options).unwrap().to_json(), expected);
        assert_eq!(
            inventory(&Json::object([])).unwrap().to_json(),
            Json::object([("type", text("inventory-retrieval"))])
        );
    }

    #[test]
    fn what_is_wrong_with_an_inventory_or_a_filter_is_named() {
        for (key, value, message) in [
            ("startdate", Json::Null, "there is no option \"startdate\""),
            ("format", text("json"), "format must be \"JSON\" or \"CSV\""),
            ("startDate", Json::Number(1_795_238_520), "startDate must be a Date of the years 0 to 9999"),
            ("endDate", text("+010000-01-01T00:00:00.000Z"), "endDate must be a Date of the years 0 to 9999"),
            ("endDate", text("2026-02-30T00:00:00.000Z"), "endDate must be a Date of the years 0 to 9999"),
            ("limit", Json::Number(0), "limit must be a whole number from 1 to 9007199254740992"),
            ("marker", Json::Bool(true), "marker must be text"),
        ] {
            let error = inventory(&Json::object([(key, value)])).unwrap_err();
            assert_eq!((error.code, error.message.as_str()), (ErrorCode::InvalidOption, message));
        }
        let same = text("2026-01-01T00:00:00.000Z");
        let error = inventory(&Json::object([("startDate", same.clone()), ("endDate", same)])).unwrap_err();
        assert_eq!(error.message, "startDate must be before endDate, by a second at least");

        let filter = job_filter(&Json::object([("completed", Json::Bool(false)), ("statusCode", text("Failed"))]));
        assert_eq!(filter.unwrap(), JobFilter { completed: Some(false), status: Some(JobStatus::Failed) });
        for (key, value, message) in [
            ("status", text("Failed"), "there is no option \"status\""),
            ("statusCode", text("Done"), "statusCode must be \"InProgress\", \"Succeeded\" or \"Failed\""),
            ("completed", text("true"), "completed must be true or false"),
        ] {
            assert_eq!(job_filter(&Json::object([(key, value)])).unwrap_err().message, message);
        }
    }
}
