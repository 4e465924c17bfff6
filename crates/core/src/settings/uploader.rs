//! What `createUploader` and `add` are told.

use super::gateway::{GATEWAY_KEYS, GatewaySettings};
use super::plan;
use super::strict::{check_keys, invalid};
use crate::error::{ErrorCode, UploadError};
use crate::glacier::{Description, VaultName};
use crate::json::Json;
use crate::part::PartSize;
use crate::plan::PartPlan;
use crate::upload::Limits;

const UPLOADER_KEYS: &[&str] = &["target", "partSize"];
const TARGET_KEYS: &[&str] = &["vault"];
const UPLOAD_KEYS: &[&str] = &["description", "resume", "signal"];

/// Parts hashed ahead of those in flight, for each of them and at the most.
const MAX_HASH_AHEAD: u32 = 4;

/// What an uploader was told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where archives go.
    pub vault: VaultName,
    /// Explicit part size, or `None` to plan one.
    pub part_size: Option<PartSize>,
    /// Shared by all files.
    pub gateway: GatewaySettings,
}

/// What `add` was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadOptions {
    /// Kept with the archive.
    pub description: Option<Description>,
    /// Whether an unfinished upload of the same file is gone on with.
    pub resume: bool,
}

/// How an upload shares the uploader's budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// For the upload.
    pub limits: Limits,
    /// Whether hashed parts are kept in memory until they are sent. Otherwise they are read again.
    pub keep: bool,
}

impl Settings {
    /// Reads the plain data among the options of `createUploader`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] naming the key, [`ErrorCode::InvalidVaultName`], [`ErrorCode::InvalidPartSize`].
    pub fn read(options: &Json) -> Result<Self, UploadError> {
        check_keys(options, "", UPLOADER_KEYS, GATEWAY_KEYS)?;
        let target =
            options.get("target").ok_or_else(|| invalid("target", "must be an object with the vault's name"))?;
        check_keys(target, "target.", TARGET_KEYS, &[])?;
        let vault = target.text("vault").ok_or_else(|| invalid("target.vault", "must be the vault's name"))?;
        Ok(Self {
            vault: VaultName::new(vault)?,
            part_size: part_size(options)?,
            gateway: GatewaySettings::read(options)?,
        })
    }

    /// How a file of `size` bytes is cut.
    ///
    /// # Errors
    /// As [`PartPlan::auto`] and [`PartPlan::exact`].
    pub fn plan(&self, size: u64) -> Result<PartPlan, UploadError> {
        plan(size, self.part_size)
    }

    /// What one of `sharing` running uploads may use.
    pub fn share(&self, plan: &PartPlan, sharing: u32) -> Share {
        let sharing = sharing.max(1);
        let part_len = plan.part_size().bytes().min(plan.size());
        let wanted = (self.gateway.concurrency / sharing).max(1).min(plan.n_parts());
        let affordable = u32::try_from(self.gateway.memory_budget / u64::from(sharing) / part_len).unwrap_or(u32::MAX);
        if affordable < 2 {
            return Share { limits: Limits { in_flight: wanted, hash_ahead: 1 }, keep: false };
        }
        let in_flight = wanted.min(affordable - 1);
        let hash_ahead = (affordable - in_flight).min(in_flight).min(MAX_HASH_AHEAD);
        Share { limits: Limits { in_flight, hash_ahead }, keep: true }
    }

    /// How many uploads run at once: each has at least one part in flight.
    pub fn max_running(&self) -> u32 {
        self.gateway.concurrency
    }
}

impl UploadOptions {
    /// Reads the plain data among the options of `add`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] naming the key, [`ErrorCode::InvalidDescription`].
    pub fn read(options: &Json) -> Result<Self, UploadError> {
        check_keys(options, "", UPLOAD_KEYS, &[])?;
        let resume = match options.get("resume") {
            None => true,
            Some(Json::Bool(resume)) => *resume,
            Some(_) => return Err(invalid("resume", "must be true or false")),
        };
        Ok(Self { description: description_of(options)?, resume })
    }
}

pub(super) fn description_of(options: &Json) -> Result<Option<Description>, UploadError> {
    match options.get("description") {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(Description::new(text.as_str())?)),
        Some(_) => Err(UploadError::new(ErrorCode::InvalidDescription, "the description must be text")),
    }
}

fn part_size(options: &Json) -> Result<Option<PartSize>, UploadError> {
    match options.get("partSize") {
        None => Ok(None),
        Some(Json::Text(text)) if text == "auto" => Ok(None),
        Some(Json::Number(bytes)) => Ok(Some(PartSize::from_bytes(*bytes)?)),
        Some(_) => Err(UploadError::new(ErrorCode::InvalidPartSize, "partSize must be a number of bytes or \"auto\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::MIB;

    fn options<const N: usize>(more: [(&str, Json); N]) -> Json {
        let Json::Object(mut members) =
            Json::object([("target", Json::object([("vault", Json::Text("photos".into()))]))])
        else {
            unreachable!()
        };
        members.extend(more.map(|(key, value)| (key.to_owned(), value)));
        Json::Object(members)
    }

    #[test]
    fn defaults_need_only_a_vault() {
        let settings = Settings::read(&options([("partSize", Json::Text("auto".into()))])).unwrap();
        assert_eq!((settings.gateway.concurrency, settings.part_size, settings.gateway.workers), (4, None, None));
        assert_eq!(settings.gateway.memory_budget, 128 * MIB);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let retry = |key, value| ("retry", Json::object([(key, value)]));
        for (more, code, message) in [
            (("partsize", Json::Number(5)), ErrorCode::InvalidOption, "there is no option \"partsize\""),
            (
                ("partSize", Json::Number(5)),
                ErrorCode::InvalidPartSize,
                "5 bytes is no part size: it must be a power of two from 1 MiB to 4 GiB",
            ),
            (("partSize", Json::Null), ErrorCode::InvalidPartSize, "partSize must be a number of bytes or \"auto\""),
            (
                ("concurrency", Json::Number(0)),
                ErrorCode::InvalidOption,
                "concurrency must be a whole number from 1 to 16",
            ),
            (("concurrency", Json::Null), ErrorCode::InvalidOption, "concurrency must be a whole number from 1 to 16"),
            (
                ("workers", Json::Text("two".into())),
                ErrorCode::InvalidOption,
                "workers must be a whole number from 1 to 16",
            ),
            (
                ("memoryBudget", Json::Bool(true)),
                ErrorCode::InvalidOption,
                "memoryBudget must be a whole number from 1048576 to 1099511627776",
            ),
            (("retry", Json::Number(3)), ErrorCode::InvalidOption, "retry must be an object"),
            (retry("attempts", Json::Number(3)), ErrorCode::InvalidOption, "there is no option \"retry.attempts\""),
            (
                retry("maxAttempts", Json::Number(0)),
                ErrorCode::InvalidOption,
                "retry.maxAttempts must be a whole number from 1 to 100",
            ),
        ] {
            let error = Settings::read(&options([more])).unwrap_err();
            assert_eq!((error.code, error.message.as_str()), (code, message));
        }
        let bad_vault = Json::object([("target", Json::object([("vault", Json::Text("a/b".into()))]))]);
        assert_eq!(Settings::read(&bad_vault).unwrap_err().code, ErrorCode::InvalidVaultName);
        assert_eq!(Settings::read(&Json::Null).unwrap_err().message, "options must be an object");
        for wrong in [("descripton", Json::Null), ("resume", Json::Null), ("resume", Json::Number(1))] {
            let error = UploadOptions::read(&Json::object([wrong])).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidOption);
        }
    }

    #[test]
    fn what_was_begun_is_gone_on_with_unless_the_page_says_otherwise() {
        let resume = |options| UploadOptions::read(&options).unwrap().resume;
        assert!(resume(Json::object([])));
        assert!(resume(Json::object([("resume", Json::Bool(true))])));
        assert!(!resume(Json::object([("resume", Json::Bool(false))])));
    }

    #[test]
    fn memory_stays_within_the_budget_whatever_is_asked() {
        for part_mib in [1, 8, 64, 128, 1024, 4096] {
            for concurrency in [1, 4, 16] {
                for sharing in [1, 2, 16] {
                    let mut settings = Settings::read(&options([])).unwrap();
                    settings.gateway.concurrency = concurrency;
                    let plan = PartPlan::exact(1 << 42, PartSize::from_bytes(part_mib * MIB).unwrap());
                    let Ok(plan) = plan else { continue };
                    let Share { limits, keep } = settings.share(&plan, sharing);
                    assert!(limits.in_flight >= 1 && limits.hash_ahead >= 1);
                    let held = u64::from(limits.in_flight + limits.hash_ahead) * part_mib * MIB * u64::from(sharing);
                    assert!(!keep || held <= settings.gateway.memory_budget, "{part_mib} MiB x {limits:?} x {sharing}");
                }
            }
        }
    }

    #[test]
    fn many_files_share_what_one_would_have() {
        let settings = Settings::read(&options([])).unwrap();
        let plan = settings.plan(1 << 33).unwrap();
        assert_eq!(settings.share(&plan, 1).limits, Limits { in_flight: 4, hash_ahead: 4 });
        assert_eq!(settings.share(&plan, 2).limits, Limits { in_flight: 2, hash_ahead: 2 });
        assert_eq!(settings.share(&plan, 4).limits, Limits { in_flight: 1, hash_ahead: 1 });
    }
}
