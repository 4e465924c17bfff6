//! What `stream` is told.

use super::object::FileKind;
use super::strict::whole;
use super::uploader::{Settings, Share};
use crate::error::{ErrorCode, UploadError};
use crate::glacier::{MAX_ARCHIVE_LEN, MAX_PARTS};
use crate::json::Json;
use crate::part::PartSize;
use crate::plan::{PREFERRED_PART_SIZE, PartPlan};
use crate::upload::{Limits, Target};

const STREAM_KEYS: &[&str] = &["signal", "maxSize", "partSize"];

/// Bytes in a part where nothing is said of how long the stream becomes: 156 GiB in all, which is four days of video at
/// 4 Mbit/s, while two parts still fit any memory.
const STREAM_PART_SIZE: u64 = 2 * PREFERRED_PART_SIZE;

/// Parts that are full and wait, beside those in flight, for each of them and at the most. The one being filled is
/// among them.
const MAX_WAITING: u32 = 4;

/// What a stream was told.
#[derive(Clone, Debug)]
pub struct StreamSettings {
    /// What it becomes.
    pub target: Target,
    /// For the most that the stream may become.
    pub plan: PartPlan,
}

impl Settings {
    /// Reads the plain data among the options of `stream`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] naming the key, and as [`upload`](Self::upload), [`PartPlan::auto`] and
    /// [`PartPlan::exact`].
    pub fn stream(&self, options: &Json) -> Result<StreamSettings, UploadError> {
        let target = self.target(STREAM_KEYS, options, FileKind::default())?;
        let most = whole(options, "", "maxSize", 1, MAX_ARCHIVE_LEN)?;
        let part_size = match options.get("partSize") {
            None => self.part_size,
            Some(Json::Number(bytes)) => Some(PartSize::from_bytes(*bytes)?),
            Some(_) => {
                return Err(UploadError::new(ErrorCode::InvalidPartSize, "partSize must be a number of bytes"));
            }
        };
        if let Some(part_size) = part_size {
            self.check_part_size(part_size)?;
        }
        let plan = match (most, part_size) {
            (Some(most), _) => super::plan(most, part_size)?,
            (None, Some(part_size)) => longest(part_size)?,
            (None, None) => longest(PartSize::from_bytes(STREAM_PART_SIZE)?)?,
        };
        Ok(StreamSettings { target, plan })
    }

    /// What a stream may use while `sharing` uploads run. At least two parts, however small the budget: one that is
    /// filled while the other is on its way. Their bytes are in memory already, so workers keep no second copy.
    pub fn share_for_stream(&self, plan: &PartPlan, sharing: u32) -> Share {
        let sharing = sharing.max(1);
        let part_len = plan.part_size().bytes();
        let budget = self.gateway.memory_budget / u64::from(sharing);
        let affordable = u32::try_from(budget / part_len).unwrap_or(u32::MAX).max(2);
        let in_flight = (self.gateway.concurrency / sharing).max(1).min(affordable - 1);
        let hash_ahead = (affordable - in_flight).min(MAX_WAITING);
        Share { limits: Limits { in_flight, hash_ahead }, keep: false, recycle: false }
    }
}

/// As many parts of this size as the store takes.
fn longest(part_size: PartSize) -> Result<PartPlan, UploadError> {
    Ok(PartPlan::exact(part_size.bytes() * u64::from(MAX_PARTS), part_size)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::MIB;

    const GIB: u64 = 1024 * MIB;

    fn settings<const N: usize>(more: [(&str, Json); N]) -> Settings {
        let target = Json::object([("vault", Json::Text("photos".into()))]);
        let mut members = vec![("target".to_owned(), target)];
        members.extend(more.map(|(key, value)| (key.to_owned(), value)));
        Settings::read(&Json::Object(members.into_iter().collect())).unwrap()
    }

    fn plan<const N: usize>(settings: &Settings, options: [(&str, Json); N]) -> Result<(u64, u64), UploadError> {
        let stream = settings.stream(&Json::object(options))?;
        Ok((stream.plan.part_size().bytes() / MIB, stream.plan.size()))
    }

    #[test]
    fn part_size_follows_from_what_is_known_of_the_length() {
        let usual = settings([]);
        let number = Json::Number;
        assert_eq!(plan(&usual, []).unwrap(), (16, 160_000 * MIB));
        assert_eq!(plan(&usual, [("maxSize", number(5))]).unwrap(), (8, 5));
        assert_eq!(plan(&usual, [("maxSize", number(100 * GIB))]).unwrap(), (16, 100 * GIB));
        assert_eq!(plan(&usual, [("maxSize", number(MAX_ARCHIVE_LEN))]).unwrap(), (4096, MAX_ARCHIVE_LEN));
        assert_eq!(plan(&usual, [("partSize", number(MIB))]).unwrap(), (1, 10_000 * MIB));
        assert_eq!(plan(&usual, [("partSize", number(4 * GIB))]).unwrap(), (4096, MAX_ARCHIVE_LEN));
        assert_eq!(plan(&usual, [("partSize", number(2 * MIB)), ("maxSize", number(7))]).unwrap(), (2, 7));
        // The uploader's own, where the stream has no other.
        let small = settings([("partSize", number(MIB))]);
        assert_eq!(plan(&small, []).unwrap(), (1, 10_000 * MIB));
        assert_eq!(plan(&small, [("partSize", number(2 * MIB))]).unwrap(), (2, 20_000 * MIB));
        assert_eq!(plan(&small, [("maxSize", number(10_000 * MIB + 1))]).unwrap_err().code, ErrorCode::TooManyParts);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (option, code, message) in [
            (("maxsize", Json::Number(5)), ErrorCode::InvalidOption, "there is no option \"maxsize\""),
            (
                ("maxSize", Json::Number(0)),
                ErrorCode::InvalidOption,
                "maxSize must be a whole number from 1 to 42949672960000",
            ),
            (
                ("maxSize", Json::Text("1 GB".into())),
                ErrorCode::InvalidOption,
                "maxSize must be a whole number from 1 to 42949672960000",
            ),
            (
                ("partSize", Json::Number(3 * MIB)),
                ErrorCode::InvalidPartSize,
                "3145728 bytes is no part size: it must be a power of two from 1 MiB to 4 GiB",
            ),
            (("partSize", Json::Text("auto".into())), ErrorCode::InvalidPartSize, "partSize must be a number of bytes"),
            (("description", Json::Text("é".into())), ErrorCode::InvalidDescription, ""),
        ] {
            let error = plan(&settings([]), [option]).unwrap_err();
            assert_eq!(error.code, code);
            assert!(error.message.starts_with(message), "{}", error.message);
        }
    }

    #[test]
    fn streams_hold_two_parts_or_what_the_budget_allows() {
        for part_mib in [1, 8, 16, 64, 4096] {
            for concurrency in [1, 4, 16] {
                for sharing in [1, 2, 16] {
                    let mut settings = settings([]);
                    settings.gateway.concurrency = concurrency;
                    let plan = longest(PartSize::from_bytes(part_mib * MIB).unwrap()).unwrap();
                    let Share { limits, keep, .. } = settings.share_for_stream(&plan, sharing);
                    assert!(limits.in_flight >= 1 && limits.hash_ahead >= 1 && !keep);
                    let parts = u64::from(limits.in_flight + limits.hash_ahead);
                    let held = parts * part_mib * MIB * u64::from(sharing);
                    assert!(parts == 2 || held <= settings.gateway.memory_budget, "{part_mib} MiB x {limits:?}");
                }
            }
        }
        let usual = settings([]);
        let plan = usual.stream(&Json::object([])).unwrap().plan;
        assert_eq!(usual.share_for_stream(&plan, 1).limits, Limits { in_flight: 4, hash_ahead: 4 });
        assert_eq!(usual.share_for_stream(&plan, 2).limits, Limits { in_flight: 2, hash_ahead: 2 });
    }
}
