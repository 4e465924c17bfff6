//! What `createUploader` and `add` are told.

use super::gateway::{GATEWAY_KEYS, GatewaySettings};
use super::object::{FileKind, ObjectOptions, ObjectSettings};
use super::plan;
use super::strict::{check_keys, invalid};
use crate::error::{ErrorCode, UploadError};
use crate::glacier::{Description, VaultName};
use crate::json::Json;
use crate::part::PartSize;
use crate::plan::PartPlan;
use crate::upload::{Limits, Target};

const UPLOADER_KEYS: &[&str] = &["target", "partSize"];
const TARGET_KEYS: &[&str] = &["vault"];
const ARCHIVE_KEYS: &[&str] = &["description"];
const UPLOAD_KEYS: &[&str] = &["resume", "signal"];

/// Parts hashed ahead of those in flight, for each of them and at the most.
const MAX_HASH_AHEAD: u32 = 4;

/// What an uploader was told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where archives or objects go.
    pub place: Place,
    /// Explicit part size, or `None` to plan one.
    pub part_size: Option<PartSize>,
    /// Shared by all files.
    pub gateway: GatewaySettings,
}

/// Where an uploader's files go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Into a vault, as archives.
    Vault(VaultName),
    /// Into a bucket, as objects.
    Bucket(ObjectSettings),
}

impl Place {
    /// Whether it is the vault or the bucket of `target`.
    pub fn holds(&self, target: &Target) -> bool {
        match (self, target) {
            (Self::Vault(vault), Target::Vault { vault: of, .. }) => vault == of,
            (Self::Bucket(objects), Target::Object(object)) => *objects.bucket() == object.bucket,
            _ => false,
        }
    }
}

/// What `add` was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadOptions {
    /// What the file becomes.
    pub target: Target,
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
    /// Whether a worker keeps the memory of a part that is no longer needed and reads the next one into it: one such piece
    /// for each worker, within the budget like the parts themselves.
    pub recycle: bool,
}

impl Settings {
    /// Reads the plain data among the options of `createUploader`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] naming the key, [`ErrorCode::InvalidVaultName`], [`ErrorCode::InvalidPartSize`], and as
    /// [`ObjectSettings::read`].
    pub fn read(options: &Json) -> Result<Self, UploadError> {
        check_keys(options, "", UPLOADER_KEYS, GATEWAY_KEYS)?;
        let target = options
            .get("target")
            .ok_or_else(|| invalid("target", "must be an object with the vault's or the bucket's name"))?;
        let place = if target.get("bucket").is_some() {
            Place::Bucket(ObjectSettings::read(target)?)
        } else {
            check_keys(target, "target.", TARGET_KEYS, &[])?;
            let vault = target.text("vault").ok_or_else(|| invalid("target.vault", "must be the vault's name"))?;
            Place::Vault(VaultName::new(vault)?)
        };
        let settings = Self { place, part_size: part_size(options)?, gateway: GatewaySettings::read(options)? };
        if let Some(part_size) = settings.part_size {
            settings.check_part_size(part_size)?;
        }
        Ok(settings)
    }

    /// S3 takes no parts as small as Glacier's.
    pub(super) fn check_part_size(&self, part_size: PartSize) -> Result<(), UploadError> {
        match self.place {
            Place::Vault(_) => Ok(()),
            Place::Bucket(_) => Ok(PartPlan::of_object(1, part_size).map(drop)?),
        }
    }

    /// Reads the plain data among the options of `add`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] naming the key, [`ErrorCode::InvalidDescription`], [`ErrorCode::InvalidKey`].
    pub fn upload(&self, options: &Json, file: FileKind<'_>) -> Result<UploadOptions, UploadError> {
        let target = self.target(UPLOAD_KEYS, options, file)?;
        let resume = match options.get("resume") {
            None => true,
            Some(Json::Bool(resume)) => *resume,
            Some(_) => return Err(invalid("resume", "must be true or false")),
        };
        Ok(UploadOptions { target, resume })
    }

    /// What one upload makes, of options of which the `known` are others' to read.
    pub(super) fn target(&self, known: &[&str], options: &Json, file: FileKind<'_>) -> Result<Target, UploadError> {
        match &self.place {
            Place::Vault(vault) => {
                check_keys(options, "", ARCHIVE_KEYS, known)?;
                Ok(Target::Vault { vault: vault.clone(), description: description(options)? })
            }
            Place::Bucket(objects) => {
                check_keys(options, "", ObjectOptions::KEYS, known)?;
                Ok(Target::Object(Box::new(objects.target(ObjectOptions::read(options)?, file)?)))
            }
        }
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
            return Share { limits: Limits { in_flight: wanted, hash_ahead: 1 }, keep: false, recycle: false };
        }
        let in_flight = wanted.min(affordable - 1);
        let hash_ahead = (affordable - in_flight).min(in_flight).min(MAX_HASH_AHEAD);
        // The workers are everybody's, and so is what is left over.
        let left = (affordable - in_flight - hash_ahead).saturating_mul(sharing);
        let recycle = left >= self.gateway.max_workers();
        Share { limits: Limits { in_flight, hash_ahead }, keep: true, recycle }
    }

    /// How many uploads run at once: each has at least one part in flight.
    pub fn max_running(&self) -> u32 {
        self.gateway.concurrency
    }
}

fn description(options: &Json) -> Result<Option<Description>, UploadError> {
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
        let settings = Settings::read(&options([])).unwrap();
        let upload = |members| settings.upload(&Json::Object(members), FileKind::default());
        for key in ["descripton", "key"] {
            let error = upload(vec![(key.into(), Json::Null)]).unwrap_err();
            assert_eq!(
                (error.code, error.hint.as_str()),
                (ErrorCode::InvalidOption, "Known here: description, resume, signal.")
            );
        }
        for wrong in [Json::Null, Json::Number(1)] {
            assert_eq!(upload(vec![("resume".into(), wrong)]).unwrap_err().code, ErrorCode::InvalidOption);
        }
    }

    #[test]
    fn what_was_begun_is_gone_on_with_unless_the_page_says_otherwise() {
        let settings = Settings::read(&options([])).unwrap();
        let resume = |options| settings.upload(&options, FileKind::default()).unwrap().resume;
        assert!(resume(Json::object([])));
        assert!(resume(Json::object([("resume", Json::Bool(true))])));
        assert!(!resume(Json::object([("resume", Json::Bool(false))])));
    }

    #[test]
    fn a_bucket_takes_larger_parts_and_other_options() {
        let target = Json::object([("bucket", Json::Text("photos".into())), ("prefix", Json::Text("a/".into()))]);
        let read = |mib: u64| {
            let members = [("target", target.clone()), ("partSize", Json::Number(mib * MIB))];
            Settings::read(&Json::object(members))
        };
        for mib in [1, 2, 4] {
            let error = read(mib).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidPartSize);
            assert!(error.message.contains(&format!("and {mib} MiB is less")), "{}", error.message);
        }
        let settings = read(8).unwrap();
        let file = FileKind { name: Some("b"), content_type: "" };
        let target = settings.upload(&Json::object([]), file).unwrap().target;
        assert_eq!(target.object().unwrap().key.as_str(), "a/b");
        assert!(settings.place.holds(&target));
        let error = settings.upload(&Json::object([("description", Json::Text("c".into()))]), file).unwrap_err();
        assert_eq!(error.hint, "Known here: key, contentType, resume, signal.");
        let both = Json::object([("bucket", Json::Text("photos".into())), ("vault", Json::Text("photos".into()))]);
        let error = Settings::read(&Json::object([("target", both)])).unwrap_err();
        assert_eq!(error.message, "there is no option \"target.vault\"");
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
                    let Share { limits, keep, recycle } = settings.share(&plan, sharing);
                    assert!(limits.in_flight >= 1 && limits.hash_ahead >= 1);
                    let parts = (limits.in_flight + limits.hash_ahead) * sharing;
                    let spares = if recycle { 4 } else { 0 };
                    let held = u64::from(parts + spares) * part_mib * MIB;
                    assert!(!keep || held <= settings.gateway.memory_budget, "{part_mib} MiB x {limits:?} x {sharing}");
                    assert!(keep || !recycle);
                }
            }
        }
    }

    #[test]
    fn memory_is_used_again_where_the_budget_has_room_for_a_part_of_each_worker() {
        let recycles = |more: (&str, u64), sharing| {
            let more = (more.0, Json::Number(more.1));
            let settings = Settings::read(&options([("partSize", Json::Number(8 * MIB)), more])).unwrap();
            settings.share(&settings.plan(1 << 33).unwrap(), sharing).recycle
        };
        // Four parts on their way, four hashed ahead, and one for each of four workers.
        assert!(recycles(("memoryBudget", 96 * MIB), 1));
        assert!(!recycles(("memoryBudget", 95 * MIB), 1));
        // By default the budget is 16 parts.
        assert!(recycles(("workers", 8), 1));
        assert!(!recycles(("workers", 9), 1));
        assert!(recycles(("workers", 4), 4));
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
