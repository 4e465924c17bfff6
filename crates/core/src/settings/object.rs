//! What `createUploader`, `add` and `stream` are told of objects of S3.

use super::strict::{check_keys, invalid};
use crate::error::{ErrorCode, UploadError};
use crate::json::Json;
use crate::s3::{
    BucketName, ContentType, KeyPrefix, Metadata, MetadataName, MetadataValue, ObjectKey, ObjectTags, StorageClass,
    TagKey, TagValue,
};
use crate::upload::ObjectTarget;

const TARGET_KEYS: &[&str] = &["bucket", "key", "prefix", "storageClass", "metadata", "tags", "overwrite"];
const RECORD_KEYS: &[&str] = &["contentType"];

/// The objects that an uploader makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectSettings {
    bucket: BucketName,
    naming: Naming,
    storage_class: StorageClass,
    metadata: Option<Metadata>,
    tags: Option<ObjectTags>,
    overwrite: bool,
}

/// What an object is called where its file does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Naming {
    /// So.
    Key(ObjectKey),
    /// As its file, after this.
    Prefix(KeyPrefix),
}

/// What is said of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectOptions {
    key: Option<ObjectKey>,
    content_type: Option<ContentType>,
}

/// What a file says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileKind<'f> {
    /// Its name; `None` of a blob that is no file, and of a stream.
    pub name: Option<&'f str>,
    /// Its type, as the browser guesses it; often empty.
    pub content_type: &'f str,
}

impl ObjectSettings {
    /// Reads a target with a bucket.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] naming the key, [`ErrorCode::InvalidBucketName`], [`ErrorCode::InvalidKey`].
    pub fn read(target: &Json) -> Result<Self, UploadError> {
        check_keys(target, "target.", TARGET_KEYS, &[])?;
        Self::read_known(target)
    }

    fn read_known(target: &Json) -> Result<Self, UploadError> {
        let bucket = target.text("bucket").ok_or_else(|| invalid("target.bucket", "must be the bucket's name"))?;
        let naming = match (target.get("key"), target.get("prefix")) {
            (Some(Json::Text(key)), None) => Naming::Key(ObjectKey::new(key.as_str())?),
            (None, Some(Json::Text(prefix))) => Naming::Prefix(KeyPrefix::new(prefix.as_str())?),
            _ => {
                return Err(invalid(
                    "target",
                    "must have either key, one object's, or prefix, which file names follow",
                )
                .hint("Give prefix: \"\" to call objects as their files are called."));
            }
        };
        Ok(Self {
            bucket: BucketName::new(bucket)?,
            naming,
            storage_class: storage_class(target)?,
            metadata: metadata(target)?,
            tags: tags(target)?,
            overwrite: match target.get("overwrite") {
                None => false,
                Some(Json::Bool(overwrite)) => *overwrite,
                Some(_) => return Err(invalid("target.overwrite", "must be true or false")),
            },
        })
    }

    /// Where the objects go.
    pub const fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    /// The object that one file, or one stream, becomes.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidKey`] where it has no name, or one that with the prefix makes no key.
    pub fn target(&self, options: ObjectOptions, file: FileKind<'_>) -> Result<ObjectTarget, UploadError> {
        let key = match (options.key, &self.naming, file.name) {
            (Some(key), _, _) => key,
            (None, Naming::Key(key), _) => key.clone(),
            (None, Naming::Prefix(prefix), Some(name)) => ObjectKey::new(format!("{prefix}{name}"))?,
            (None, Naming::Prefix(_), None) => {
                return Err(UploadError::new(ErrorCode::InvalidKey, "what is no file has no name to make a key of")
                    .hint("Say what the object is to be called: { key: \"…\" }."));
            }
        };
        // What a browser guesses is left out where it is no type that S3 would keep.
        let content_type = options.content_type.or_else(|| ContentType::new(file.content_type).ok());
        Ok(ObjectTarget {
            bucket: self.bucket.clone(),
            key,
            storage_class: self.storage_class,
            content_type,
            metadata: self.metadata.clone(),
            tags: self.tags.clone(),
            overwrite: self.overwrite,
        })
    }
}

impl ObjectOptions {
    /// Keys of the options.
    pub(super) const KEYS: &[&str] = &["key", "contentType"];

    /// Reads what is said of one object.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] naming the key, [`ErrorCode::InvalidKey`].
    pub(super) fn read(options: &Json) -> Result<Self, UploadError> {
        let key = super::strict::text(options, "key")?.map(ObjectKey::new).transpose()?;
        let content_type = super::strict::text(options, "contentType")?.map(ContentType::new).transpose()?;
        Ok(Self { key, content_type })
    }
}

impl ObjectTarget {
    /// As plain data, which [`from_json`](Self::from_json) reads back.
    pub(crate) fn to_json(&self) -> Json {
        let mut members = vec![
            ("bucket", Json::Text(self.bucket.to_string())),
            ("key", Json::Text(self.key.to_string())),
            ("storageClass", Json::Text(self.storage_class.as_str().into())),
        ];
        members.extend(self.content_type.as_ref().map(|kind| ("contentType", Json::Text(kind.to_string()))));
        members.extend(self.metadata.as_ref().map(|metadata| ("metadata", metadata.to_json())));
        members.extend(self.tags.as_ref().map(|tags| ("tags", tags.to_json())));
        members.extend(self.overwrite.then_some(("overwrite", Json::Bool(true))));
        Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// Reads what [`to_json`](Self::to_json) wrote and anybody may have changed.
    pub(crate) fn from_json(json: &Json) -> Option<Self> {
        check_keys(json, "", TARGET_KEYS, RECORD_KEYS).ok()?;
        let settings = ObjectSettings::read_known(json).ok()?;
        let content_type = super::strict::text(json, "contentType").ok()?.map(ContentType::new).transpose().ok()?;
        settings.target(ObjectOptions { key: None, content_type }, FileKind::default()).ok()
    }
}

fn storage_class(target: &Json) -> Result<StorageClass, UploadError> {
    match target.get("storageClass") {
        None => Ok(StorageClass::Glacier),
        Some(Json::Text(name)) if StorageClass::from_name(name).is_some() => {
            Ok(StorageClass::from_name(name).unwrap_or(StorageClass::Glacier))
        }
        Some(_) => Err(invalid(
            "target.storageClass",
            "must be GLACIER, DEEP_ARCHIVE, GLACIER_IR, STANDARD, STANDARD_IA, ONEZONE_IA or INTELLIGENT_TIERING",
        )),
    }
}

/// The members of an object of texts; `None` where there is no object, or none in it.
fn texts<'t>(target: &'t Json, key: &str) -> Result<Option<Vec<(&'t str, &'t str)>>, UploadError> {
    let rule = || invalid(&format!("target.{key}"), "must be an object of texts");
    let members = match target.get(key) {
        None => return Ok(None),
        Some(Json::Object(members)) => members,
        Some(_) => return Err(rule()),
    };
    let mut pairs = Vec::new();
    for (name, value) in members {
        let Json::Text(value) = value else { return Err(rule()) };
        pairs.push((name.as_str(), value.as_str()));
    }
    Ok((!pairs.is_empty()).then_some(pairs))
}

fn metadata(target: &Json) -> Result<Option<Metadata>, UploadError> {
    let Some(texts) = texts(target, "metadata")? else { return Ok(None) };
    let mut pairs = Vec::new();
    for (name, value) in texts {
        pairs.push((MetadataName::new(name)?, MetadataValue::new(value)?));
    }
    Ok(Some(Metadata::new(pairs)?))
}

fn tags(target: &Json) -> Result<Option<ObjectTags>, UploadError> {
    let Some(texts) = texts(target, "tags")? else { return Ok(None) };
    let mut pairs = Vec::new();
    for (key, value) in texts {
        pairs.push((TagKey::new(key)?, TagValue::new(value)?));
    }
    Ok(Some(ObjectTags::new(pairs)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Json {
        Json::Text(text.into())
    }

    fn target<const N: usize>(more: [(&str, Json); N]) -> Json {
        let mut members = vec![("bucket".to_owned(), text("photos"))];
        members.extend(more.map(|(key, value)| (key.to_owned(), value)));
        Json::Object(members)
    }

    fn prefixed(prefix: &str) -> ObjectSettings {
        ObjectSettings::read(&target([("prefix", text(prefix))])).unwrap()
    }

    const FILE: FileKind<'static> = FileKind { name: Some("a.mov"), content_type: "video/quicktime" };

    #[test]
    fn objects_are_called_as_their_files_after_the_prefix() {
        let object = prefixed("2026/").target(ObjectOptions::default(), FILE).unwrap();
        assert_eq!(object.key.as_str(), "2026/a.mov");
        assert_eq!(object.content_type.as_ref().map(ContentType::as_str), Some("video/quicktime"));
        assert_eq!((object.storage_class, object.overwrite), (StorageClass::Glacier, false));
        let options = ObjectOptions::read(&Json::object([("key", text("b")), ("contentType", text("a/b"))])).unwrap();
        let object = prefixed("2026/").target(options, FileKind::default()).unwrap();
        assert_eq!((object.key.as_str(), object.content_type.unwrap().as_str()), ("b", "a/b"));
        let one = ObjectSettings::read(&target([("key", text("one"))])).unwrap();
        let object = one.target(ObjectOptions::default(), FileKind { content_type: "é", ..FILE }).unwrap();
        assert_eq!((object.key.as_str(), object.content_type), ("one", None));
        for (prefix, file) in [("", FileKind::default()), ("", FileKind { name: Some(".."), ..FILE })] {
            let error = prefixed(prefix).target(ObjectOptions::default(), file).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidKey);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        use ErrorCode as E;
        let object = |key: &str, value| Json::object([(key, value)]);
        for (more, code, message) in [
            (("storageclass", text("GLACIER")), E::InvalidOption, "there is no option \"target.storageclass\""),
            (("storageClass", text("glacier")), E::InvalidOption, "target.storageClass must be GLACIER, DEEP_ARCHIVE"),
            (("overwrite", text("true")), E::InvalidOption, "target.overwrite must be true or false"),
            (("metadata", text("a")), E::InvalidOption, "target.metadata must be an object of texts"),
            (("metadata", object("a", Json::Number(1))), E::InvalidOption, "target.metadata must be an object of"),
            (("metadata", object("A", text("b"))), E::InvalidOption, "the name of metadata is 1 to 128 lower-case"),
            (("tags", object("aws:a", text("b"))), E::InvalidOption, "a tag's key is 1 to 128 letters"),
            (("key", text("a")), E::InvalidOption, "target must have either key, one object's, or prefix"),
        ] {
            let error = ObjectSettings::read(&target([("prefix", text("")), more])).unwrap_err();
            assert_eq!(error.code, code);
            assert!(error.message.starts_with(message), "{}", error.message);
        }
        assert_eq!(ObjectSettings::read(&target([])).unwrap_err().code, E::InvalidOption);
        assert_eq!(ObjectSettings::read(&target([("key", text("a/../b"))])).unwrap_err().code, E::InvalidKey);
        let bucket = Json::object([("bucket", text("B")), ("key", text("a"))]);
        assert_eq!(ObjectSettings::read(&bucket).unwrap_err().code, E::InvalidBucketName);
        assert!(ObjectSettings::read(&target([("prefix", text("")), ("tags", Json::object([]))])).is_ok());
    }

    #[test]
    fn a_record_keeps_all_that_was_said() {
        let pair = |value: &str| Json::object([("a", text(value))]);
        let settings = ObjectSettings::read(&target([
            ("prefix", text("p/")),
            ("storageClass", text("DEEP_ARCHIVE")),
            ("metadata", pair("b")),
            ("tags", pair("")),
            ("overwrite", Json::Bool(true)),
        ]));
        for settings in [settings.unwrap(), prefixed("")] {
            for file in [FILE, FileKind { content_type: "", ..FILE }] {
                let object = settings.target(ObjectOptions::default(), file).unwrap();
                assert_eq!(ObjectTarget::from_json(&object.to_json()), Some(object));
            }
        }
        assert_eq!(ObjectTarget::from_json(&target([("prefix", text("a"))])), None);
    }
}
