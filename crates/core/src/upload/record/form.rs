//! The form in which a record is kept.
//!
//! `{version: 1, id, savedAt, begunAt, endpoint, target: {vault}, file: {name, size, lastModified}, description, partSize,
//! uploadId, acknowledged: [[part, hashes], …], completing}`, where `hashes` are the tree hashes of that part and of those
//! right behind it, one after the other, and what is unknown is left out. Every version has `version` and `savedAt`.

use super::{FileIdentity, Record, Unreadable};
use crate::glacier::{Description, UploadId, VaultName};
use crate::json::Json;
use crate::part::PartSize;
use crate::plan::PartPlan;
use crate::s3::UploadHandle;
use crate::tree_hash::TreeHash;
use crate::upload::{Journal, ObjectTarget, StoreUpload, Target};

/// Of the form above. One that is written otherwise is not guessed at.
const VERSION: u64 = 1;

/// The store forgets an upload a day after its last part, so nothing can be gone on with after this time.
const KEPT_MS: u64 = 30 * 24 * 3_600_000;

/// Hexadecimal digits of a hash.
const HASH_LEN: usize = 64;

impl Record {
    /// As plain data, which [`read`](Self::read) reads back.
    pub fn to_json(&self) -> Json {
        let Self { id, endpoint, file, begun_at, saved_at, journal } = self;
        let mut members = vec![
            ("version", Json::Number(VERSION)),
            ("id", Json::Text(id.clone())),
            ("savedAt", Json::Number(*saved_at)),
            ("begunAt", Json::Number(*begun_at)),
            ("target", target_json(&journal.target)),
            (
                "file",
                Json::object([
                    ("name", Json::Text(file.name.clone())),
                    ("size", Json::Number(file.size)),
                    ("lastModified", Json::Number(file.last_modified)),
                ]),
            ),
            ("partSize", Json::Number(journal.plan.part_size().bytes())),
            ("acknowledged", Json::List(runs(&journal.acknowledged))),
        ];
        let texts = [
            ("endpoint", endpoint.clone()),
            ("description", description(&journal.target).map(Description::to_string)),
            ("uploadId", journal.upload.as_ref().map(|upload| upload.name().to_owned())),
            ("completing", journal.completing.map(|hash| hash.to_string())),
        ];
        members.extend(texts.into_iter().filter_map(|(key, text)| Some((key, Json::Text(text?)))));
        Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// Reads what [`to_json`](Self::to_json) wrote and anybody may have changed.
    ///
    /// # Errors
    /// [`Unreadable`] for anything else.
    pub fn read(json: &Json) -> Result<Self, Unreadable> {
        match json.number("version") {
            Some(VERSION) => read(json).ok_or(Unreadable::Damaged),
            Some(_) => Err(Unreadable::Version),
            None => Err(Unreadable::Damaged),
        }
    }
}

/// Whether a record of whatever version is so old at `now` (milliseconds since 1970) that it is of no use.
pub fn is_outdated(json: &Json, now: u64) -> bool {
    json.number("savedAt").is_some_and(|saved_at| now.saturating_sub(saved_at) > KEPT_MS)
}

fn read(json: &Json) -> Option<Record> {
    let file = json.get("file")?;
    let file = FileIdentity {
        name: file.text("name")?.to_owned(),
        size: file.number("size")?,
        last_modified: file.number("lastModified")?,
    };
    let part_size = PartSize::from_bytes(json.number("partSize")?).ok()?;
    let plan = PartPlan::exact(file.size, part_size).ok()?;
    let description = text(json, "description", |text| Description::new(text).ok())?;
    let target = read_target(json.get("target")?, description)?;
    let journal = Journal {
        upload: text(json, "uploadId", |text| read_name(text, &target))?,
        target,
        plan,
        acknowledged: acknowledged(json.list("acknowledged")?, plan.n_parts())?,
        completing: text(json, "completing", |text| TreeHash::from_hex(text).ok())?,
    };
    Some(Record {
        id: json.text("id")?.to_owned(),
        endpoint: text(json, "endpoint", |text| Some(text.to_owned()))?,
        file,
        begun_at: json.number("begunAt")?,
        saved_at: json.number("savedAt")?,
        journal,
    })
}

pub(super) fn target_json(target: &Target) -> Json {
    match target {
        Target::Vault { vault, description: _ } => Json::object([("vault", Json::Text(vault.to_string()))]),
        Target::Object(object) => object.to_json(),
    }
}

fn read_target(json: &Json, description: Option<Description>) -> Option<Target> {
    match json.text("bucket") {
        None => VaultName::new(json.text("vault")?).ok().map(|vault| Target::Vault { vault, description }),
        Some(_) if description.is_none() => {
            ObjectTarget::from_json(json).map(|object| Target::Object(Box::new(object)))
        }
        Some(_) => None,
    }
}

pub(super) const fn description(target: &Target) -> Option<&Description> {
    match target {
        Target::Vault { description, .. } => description.as_ref(),
        Target::Object(_) => None,
    }
}

fn read_name(name: &str, target: &Target) -> Option<StoreUpload> {
    match target {
        Target::Vault { vault, .. } => {
            UploadId::new(name).ok().map(|upload_id| StoreUpload::Vault { vault: vault.clone(), upload_id })
        }
        Target::Object(_) => UploadHandle::new(name).ok().map(StoreUpload::Object),
    }
}

/// A text that may be absent; `None` where it is there and no such thing.
fn text<T>(json: &Json, key: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    match json.get(key) {
        None => Some(None),
        Some(Json::Text(text)) => read(text).map(Some),
        Some(_) => None,
    }
}

/// Parts in order, those that follow each other in one run.
fn runs(acknowledged: &[(u32, TreeHash)]) -> Vec<Json> {
    let mut runs: Vec<(u32, u32, String)> = Vec::new();
    for (part, hash) in acknowledged {
        match runs.last_mut() {
            Some((_, next, hashes)) if next == part => {
                *next += 1;
                hashes.push_str(&hash.to_string());
            }
            _ => runs.push((*part, part + 1, hash.to_string())),
        }
    }
    let run =
        |(first, _, hashes): (u32, u32, String)| Json::List(vec![Json::Number(u64::from(first)), Json::Text(hashes)]);
    runs.into_iter().map(run).collect()
}

fn acknowledged(runs: &[Json], n_parts: u32) -> Option<Vec<(u32, TreeHash)>> {
    let mut acknowledged = Vec::new();
    let mut next = 0;
    for run in runs {
        let Json::List(run) = run else { return None };
        let [Json::Number(first), Json::Text(hashes)] = run.as_slice() else { return None };
        let first = u32::try_from(*first).ok().filter(|first| *first >= next)?;
        if hashes.is_empty() || hashes.len() % HASH_LEN != 0 {
            return None;
        }
        next = first;
        for at in (0..hashes.len()).step_by(HASH_LEN) {
            let hash = TreeHash::from_hex(hashes.get(at..at + HASH_LEN)?).ok()?;
            acknowledged.push((next, hash));
            next = next.checked_add(1).filter(|next| *next <= n_parts)?;
        }
    }
    Some(acknowledged)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, full, hash, record};
    use super::*;
    use crate::part::MIB;

    fn with(key: &str, value: Option<Json>) -> Json {
        let Json::Object(mut members) = full().to_json() else { unreachable!() };
        members.retain(|(name, _)| name != key);
        members.extend(value.map(|value| (key.to_owned(), value)));
        Json::Object(members)
    }

    #[test]
    fn what_was_written_is_read_back() {
        for record in [record(), full()] {
            assert_eq!(Record::read(&record.to_json()), Ok(record));
        }
    }

    #[test]
    fn the_form_is_the_documented_one() {
        let text = record().to_json().to_text();
        assert_eq!(
            text,
            "{\"version\":1,\"id\":\"a\",\"savedAt\":1790000000001,\"begunAt\":1790000000000,\
             \"target\":{\"vault\":\"photos\"},\
             \"file\":{\"name\":\"film \\\"1\\\" \u{1f30b}.mov\",\"size\":9437183,\"lastModified\":1789999999995},\
             \"partSize\":1048576,\"acknowledged\":[]}"
        );
        let full = full().to_json();
        let runs = full.list("acknowledged").unwrap();
        let run = |first: u64, hashes: &[u8]| {
            let hashes: String = hashes.iter().map(|byte| hash(*byte).to_string()).collect();
            Json::List(vec![Json::Number(first), Json::Text(hashes)])
        };
        assert_eq!(runs, [run(0, &[0, 1, 2]), run(5, &[5]), run(7, &[7, 8])]);
    }

    #[test]
    fn ten_thousand_parts_are_one_run_of_their_hashes() {
        let mut record = record();
        record.journal.plan = PartPlan::exact(10_000 * MIB, PartSize::MIN).unwrap();
        record.file.size = 10_000 * MIB;
        record.journal.acknowledged = (0..10_000).map(|part| (part, hash(7))).collect();
        let text = record.to_json().to_text();
        assert!(text.len() < 10_000 * HASH_LEN + 500, "{}", text.len());
        assert_eq!(Record::read(&record.to_json()), Ok(record));
    }

    #[test]
    fn another_version_is_left_alone_and_damage_is_no_record() {
        assert_eq!(Record::read(&with("version", Some(Json::Number(2)))), Err(Unreadable::Version));
        let run = |first: u64, hashes: &str| {
            with(
                "acknowledged",
                Some(Json::List(vec![Json::List(vec![Json::Number(first), Json::Text(hashes.into())])])),
            )
        };
        let text = |text: &str| Some(Json::Text(text.into()));
        let good = "0a".repeat(32);
        assert!(Record::read(&run(8, &good)).is_ok());
        let twice = Json::List(vec![Json::Number(3), Json::Text(good.clone())]);
        for (nth, damaged) in [
            Json::Null,
            Json::Text("{}".into()),
            with("version", None),
            with("version", text("1")),
            with("id", None),
            with("savedAt", None),
            with("begunAt", text("yesterday")),
            with("endpoint", Some(Json::Null)),
            with("target", Some(Json::object([]))),
            with("target", Some(Json::object([("vault", Json::Text("a/b".into()))]))),
            with("target", Some(Json::object([("bucket", Json::Text("photos".into()))]))),
            with("file", None),
            with("file", Some(Json::object([("name", Json::Text("a".into())), ("size", Json::Number(5))]))),
            with("description", text("\n")),
            with("partSize", Some(Json::Number(5))),
            with("partSize", Some(Json::Number(1 << 40))),
            with("uploadId", text("../vaults")),
            with("completing", text("0A")),
            with("acknowledged", None),
            with("acknowledged", Some(Json::List(vec![Json::Number(1)]))),
            with("acknowledged", Some(Json::List(vec![twice.clone(), twice]))),
            run(9, &good),
            run(8, &good.repeat(2)),
            run(u64::MAX, &good),
            run(0, ""),
            run(0, &good[1..]),
            run(0, &"é".repeat(32)),
            run(0, &good.to_uppercase()),
        ]
        .iter()
        .enumerate()
        {
            assert_eq!(Record::read(damaged), Err(Unreadable::Damaged), "{nth}: {damaged:?}");
        }
    }

    #[test]
    fn records_are_outdated_after_thirty_days_whatever_their_version() {
        let day = 24 * 3_600_000;
        for json in [with("x", None), with("version", Some(Json::Number(9)))] {
            assert!(!is_outdated(&json, NOW + 30 * day));
            assert!(is_outdated(&json, NOW + 30 * day + 2));
            assert!(!is_outdated(&json, 0), "a clock that was set back makes nothing old");
        }
        assert!(!is_outdated(&with("savedAt", None), u64::MAX));
    }
}
