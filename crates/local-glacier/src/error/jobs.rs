//! Refusals of operations on jobs.

use glacier_core::glacier::{ArchiveId, InvalidName};

use super::{Code, Refusal, invalid, quoted, refusal};
use crate::store::JobId;

pub(crate) fn job_not_found(id: &JobId) -> Refusal {
    refusal(Code::ResourceNotFound, format!("The job ID was not found: {id}"))
}

pub(crate) fn job_not_ready(id: &JobId) -> Refusal {
    invalid(format!("The job is not currently available for download: {id}"))
}

pub(crate) fn archive_not_found(id: &ArchiveId) -> Refusal {
    refusal(Code::ResourceNotFound, format!("The archive ID was not found: {id}"))
}

pub(crate) fn invalid_job_type(given: &str) -> Refusal {
    invalid(format!("Invalid Type: {}. A job is an archive-retrieval or an inventory-retrieval.", quoted(given)))
}

pub(crate) fn select_not_supported() -> Refusal {
    invalid("select is not supported")
}

pub(crate) fn field_not_for_job_type(field: &str, job_type: &str) -> Refusal {
    invalid(format!("{field} is not a parameter of {job_type} jobs"))
}

pub(crate) fn invalid_job_description(error: InvalidName) -> Refusal {
    invalid(format!("Invalid Description: {error}"))
}

pub(crate) fn invalid_topic(given: &str) -> Refusal {
    invalid(format!("Invalid SNSTopic: {}. A topic is named arn:aws:sns:REGION:ACCOUNT:NAME.", quoted(given)))
}

pub(crate) fn invalid_tier(given: &str) -> Refusal {
    invalid(format!("Invalid Tier: {}. A tier is Expedited, Standard or Bulk.", quoted(given)))
}

pub(crate) fn invalid_format(given: &str) -> Refusal {
    invalid(format!("Invalid Format: {}. A format is CSV or JSON.", quoted(given)))
}

pub(crate) fn invalid_date(field: &str, given: &str) -> Refusal {
    invalid(format!("Invalid {field}: {}. A date is YYYY-MM-DDThh:mm:ssZ.", quoted(given)))
}

pub(crate) fn dates_reversed() -> Refusal {
    invalid("Invalid StartDate: it is after EndDate")
}

pub(crate) fn invalid_retrieval_range(given: &str) -> Refusal {
    invalid(format!("Invalid RetrievalByteRange: {}. A range is FIRST-LAST in bytes.", quoted(given)))
}

pub(crate) fn retrieval_range_not_aligned(given: &str, size: u64) -> Refusal {
    invalid(format!(
        "Invalid RetrievalByteRange: {given}. A range begins at a multiple of 1048576 bytes and ends before one, or with \
         the last of the {size} bytes of the archive."
    ))
}

pub(crate) fn policy_enforced() -> Refusal {
    refusal(Code::PolicyEnforced, "InitiateJob request denied by current data retrieval policy.")
}

pub(crate) fn insufficient_capacity() -> Refusal {
    let message = "There is no capacity for another Expedited retrieval now; try again later, use Standard, or \
                   purchase provisioned capacity";
    refusal(Code::InsufficientCapacity, message)
}

pub(crate) fn invalid_status_code(given: &str) -> Refusal {
    invalid(format!("The job status code is not valid: {}", quoted(given)))
}

pub(crate) fn invalid_completed(given: &str) -> Refusal {
    invalid(format!("Invalid completed: {}. It is true or false.", quoted(given)))
}

pub(crate) fn invalid_range(given: &str) -> Refusal {
    let given = quoted(given);
    invalid(format!("Invalid Range: {given}. A range is bytes=FIRST-LAST and begins inside the output."))
}
