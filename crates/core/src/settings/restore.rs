//! What `retrieve` of an object is told.

use std::num::NonZeroU32;

use super::strict::{check_keys, invalid, text, whole};
use crate::error::UploadError;
use crate::glacier::initiate_job::Tier;
use crate::json::Json;
use crate::s3::restore_object::RestoreOptions;

const KEYS: &[&str] = &["days", "tier", "signal"];

/// Days that a copy is kept where nobody says: a large download may take more than one, and each is paid for.
const DEFAULT_DAYS: NonZeroU32 = NonZeroU32::new(3).unwrap();
/// S3 counts days in 32 bits with a sign.
const MAX_DAYS: u64 = i32::MAX as u64;

/// Reads the options of `retrieve`.
///
/// # Errors
/// [`ErrorCode::InvalidOption`](crate::ErrorCode::InvalidOption) naming the key.
pub fn restore(options: &Json) -> Result<RestoreOptions, UploadError> {
    check_keys(options, "", KEYS, &[])?;
    let days = whole(options, "", "days", 1, MAX_DAYS)?;
    let days = days.and_then(|days| NonZeroU32::new(u32::try_from(days).ok()?));
    let tier = match text(options, "tier")? {
        None => Tier::Standard,
        Some(name) => {
            Tier::from_name(name).ok_or_else(|| invalid("tier", "must be \"Expedited\", \"Standard\" or \"Bulk\""))?
        }
    };
    Ok(RestoreOptions { days: days.unwrap_or(DEFAULT_DAYS), tier })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_tier_are_read_or_have_a_default() {
        let read = |members: &[(&str, Json)]| {
            let members = members.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
            restore(&Json::Object(members.collect())).map(|options| (options.days.get(), options.tier))
        };
        assert_eq!(read(&[]), Ok((3, Tier::Standard)));
        let bulk = ("tier", Json::Text("Bulk".into()));
        assert_eq!(read(&[("days", Json::Number(MAX_DAYS)), bulk]), Ok((i32::MAX.unsigned_abs(), Tier::Bulk)));
        for (key, value, message) in [
            ("days", Json::Number(0), "days must be a whole number from 1 to 2147483647"),
            ("days", Json::Number(MAX_DAYS + 1), "days must be a whole number from 1 to 2147483647"),
            ("days", Json::Text("1".into()), "days must be a whole number from 1 to 2147483647"),
            ("tier", Json::Text("bulk".into()), "tier must be \"Expedited\", \"Standard\" or \"Bulk\""),
            ("range", Json::Null, "there is no option \"range\""),
        ] {
            assert_eq!(read(&[(key, value)]).unwrap_err().message, message);
        }
    }
}
