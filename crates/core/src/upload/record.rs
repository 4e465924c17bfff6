//! What is kept of an upload from one visit to the next, as plain data.

mod form;

use self::form::{description, target_json};
use super::Journal;
use crate::error::{ErrorCode, UploadError};
use crate::json::Json;
use crate::settings::Place;

pub use self::form::is_outdated;

/// What a file is known by without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    /// Without its folder.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// Milliseconds since 1970.
    pub last_modified: u64,
}

/// One upload as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Names the record among those of one [fingerprint](Self::fingerprint).
    pub id: String,
    /// Of the gateway; `None` where a function of the page takes its place.
    pub endpoint: Option<String>,
    /// What was chosen.
    pub file: FileIdentity,
    /// Milliseconds since 1970, by this computer's clock.
    pub begun_at: u64,
    /// Milliseconds since 1970, by this computer's clock.
    pub saved_at: u64,
    /// How far it is.
    pub journal: Journal,
}

/// Why a record is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Of another version of this library, for which it is to be left alone.
    Version,
    /// Of no version.
    Damaged,
}

impl Record {
    /// What two uploads have in common that are the same file to the same place, as far as one can tell without reading
    /// it.
    pub fn fingerprint(&self) -> Json {
        let Self { endpoint, file, journal, .. } = self;
        Json::List(vec![
            endpoint.clone().map_or(Json::Null, Json::Text),
            target_json(&journal.target),
            Json::Text(file.name.clone()),
            Json::Number(file.size),
            Json::Number(file.last_modified),
            description(&journal.target).map_or(Json::Null, |words| Json::Text(words.to_string())),
        ])
    }

    /// Whether it is of an upload to the same place.
    pub fn is_to(&self, endpoint: Option<&str>, place: &Place) -> bool {
        self.endpoint.as_deref() == endpoint && place.holds(&self.journal.target)
    }

    /// Whether the record's owner can have meant this file. What it is called and when it was last written may have
    /// changed since, by copying, say, or because it is chosen on a telephone: its bytes are compared with what the
    /// store has. Where the store has nothing there is no such proof, and the names have to do.
    ///
    /// # Errors
    /// [`ErrorCode::FileChanged`], saying what differs.
    pub fn check(&self, file: &FileIdentity) -> Result<(), UploadError> {
        let known = &self.file;
        let proved = !self.journal.acknowledged.is_empty() || self.journal.completing.is_some();
        let difference = if file.size != known.size {
            format!("it has {} bytes and not {}", file.size, known.size)
        } else if proved || file == known {
            return Ok(());
        } else if file.name != known.name {
            "it has another name".to_owned()
        } else {
            "it was modified at another time".to_owned()
        };
        let message = format!("this is not the file that the upload was begun with: {difference}");
        Err(UploadError::new(ErrorCode::FileChanged, message)
            .hint(format!("Choose {} again, or add this file as a new upload.", known.name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glacier::{Description, UploadId, VaultName};
    use crate::part::{MIB, PartSize};
    use crate::plan::PartPlan;
    use crate::tree_hash::TreeHash;
    use crate::upload::{StoreUpload, Target, UploadConfig};

    pub(super) const NOW: u64 = 1_790_000_000_000;

    pub(super) fn hash(byte: u8) -> TreeHash {
        TreeHash::from_bytes([byte; 32])
    }

    fn to(vault: &str, description: Option<&str>) -> Target {
        let description = description.map(|text| Description::new(text).unwrap());
        Target::Vault { vault: VaultName::new(vault).unwrap(), description }
    }

    pub(super) fn record() -> Record {
        let plan = PartPlan::exact(9 * MIB - 1, PartSize::MIN).unwrap();
        let config = UploadConfig::new(to("photos", None), plan);
        let file = FileIdentity { name: "film \"1\" \u{1f30b}.mov".into(), size: plan.size(), last_modified: NOW - 5 };
        let journal = Journal::new(&config);
        Record { id: "a".into(), endpoint: None, file, begun_at: NOW, saved_at: NOW + 1, journal }
    }

    pub(super) fn full() -> Record {
        let mut full = record();
        full.endpoint = Some("https://example.com/v1/sign".into());
        full.journal.target = to("photos", Some("{\"a\": 1}"));
        full.journal.upload = Some(StoreUpload::Vault {
            vault: VaultName::new("photos").unwrap(),
            upload_id: UploadId::new("u-1_").unwrap(),
        });
        full.journal.acknowledged = [0, 1, 2, 5, 7, 8].map(|part| (part, hash(u8::try_from(part).unwrap()))).to_vec();
        full.journal.completing = Some(hash(9));
        full
    }

    #[test]
    fn one_fingerprint_is_one_file_to_one_place() {
        let same = |change: fn(&mut Record)| {
            let mut other = full();
            change(&mut other);
            other.fingerprint() == full().fingerprint()
        };
        assert!(same(|other| {
            (other.id, other.begun_at, other.saved_at) = ("b".into(), 0, 0);
            other.journal.acknowledged.clear();
            other.journal.plan = PartPlan::exact(other.file.size, PartSize::MAX).unwrap();
            (other.journal.upload, other.journal.completing) = (None, None);
        }));
        assert!(!same(|other| other.endpoint = None));
        assert!(!same(|other| other.file.name.push('x')));
        assert!(!same(|other| other.file.size += 1));
        assert!(!same(|other| other.file.last_modified += 1));
        assert!(!same(|other| other.journal.target = to("other", Some("{\"a\": 1}"))));
        assert!(!same(|other| other.journal.target = to("photos", None)));
        let (here, place) = (full().endpoint, |vault| Place::Vault(VaultName::new(vault).unwrap()));
        assert!(full().is_to(here.as_deref(), &place("photos")));
        assert!(!full().is_to(None, &place("photos")));
        assert!(!full().is_to(here.as_deref(), &place("other")));
    }

    #[test]
    fn another_file_is_refused_with_what_differs() {
        let refusal = |record: &Record, change: fn(&mut FileIdentity)| {
            let mut file = record.file.clone();
            change(&mut file);
            let error = record.check(&file).err()?;
            assert!(error.code == ErrorCode::FileChanged && error.hint.contains("film"), "{error:?}");
            Some(error.message)
        };
        let (bare, full) = (record(), full());
        assert_eq!(refusal(&full, |_| {}), None);
        let words = "this is not the file that the upload was begun with: ";
        for record in [&bare, &full] {
            let message = refusal(record, |file| file.size = 5);
            assert_eq!(message, Some(format!("{words}it has 5 bytes and not 9437183")));
        }
        assert_eq!(refusal(&bare, |file| file.name.clear()), Some(format!("{words}it has another name")));
        assert_eq!(
            refusal(&bare, |file| file.last_modified = 0),
            Some(format!("{words}it was modified at another time"))
        );
        assert_eq!(
            refusal(&full, |file| (file.name.clear(), file.last_modified = 0).0),
            None,
            "its bytes are compared"
        );
    }

    #[test]
    fn what_the_store_had_acknowledged_is_counted_in_bytes() {
        assert_eq!(record().journal.bytes_confirmed(), 0);
        assert_eq!(full().journal.bytes_confirmed(), 6 * MIB - 1);
    }
}
