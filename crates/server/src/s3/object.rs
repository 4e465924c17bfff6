//! What is asked of an object: HeadObject, RestoreObject, DeleteObject.

use std::num::NonZeroU32;

use glacier_core::glacier::Date;
use glacier_core::glacier::initiate_job::Tier;
use glacier_core::s3::head_object::{ObjectHead, Restore};
use glacier_core::s3::restore_object::Restoring;
use glacier_core::s3::{ObjectChecksum, TREE_HASH_NAME, VersionId, header as s3_header};
use glacier_core::sigv4::Timestamp;
use glacier_core::{PayloadHash, TreeHash, date};
use http::{Method, StatusCode};

use super::call::{Answer, Call};
use super::document::restore_body;
use super::endpoint::Place;
use super::{S3, S3Refused};

impl S3 {
    /// The object at `place`, whatever the store says of it, with its checksum.
    pub(super) async fn head_answer(&self, place: &Place, version_id: Option<&VersionId>) -> Result<Answer, S3Refused> {
        let call = Call::new(Method::HEAD, place.clone())
            .query_if("versionId", version_id.map(VersionId::as_str))
            .header("x-amz-checksum-mode", "ENABLED");
        self.call(&call).await
    }

    /// What the object is.
    pub(super) async fn head(&self, place: &Place, version_id: Option<&VersionId>) -> Result<ObjectHead, S3Refused> {
        let answer = self.head_answer(place, version_id).await?.success()?;
        let mut head = read_head(&answer).ok_or_else(unreadable)?;
        let has_tags = answer.header("x-amz-tagging-count").is_some_and(|count| count != "0");
        if head.tree_hash.is_none() && has_tags {
            let tags = self.tags(place, version_id).await.unwrap_or_default();
            let tag = tags.unwrap_or_default().into_iter().find(|(key, _)| key == TREE_HASH_NAME);
            head.tree_hash = tag.and_then(|(_, value)| TreeHash::from_hex(&value).ok());
        }
        let is_composite = matches!(head.checksum, Some(ObjectChecksum::Composite(_)));
        if head.tree_hash.is_none() && is_composite {
            head.part_size = self.first_part_len(place, version_id, &head.etag).await;
        }
        Ok(head)
    }

    /// Bytes in the first part of the object with that ETag, which its checksum alone does not tell; `None` where the
    /// store does not say.
    async fn first_part_len(&self, place: &Place, version_id: Option<&VersionId>, etag: &str) -> Option<u64> {
        let call = Call::new(Method::HEAD, place.clone())
            .query("partNumber", "1")
            .query_if("versionId", version_id.map(VersionId::as_str));
        let answer = self.call(&call).await.ok()?.success().ok()?;
        let is_same = answer.header(s3_header::ETAG)?.trim_matches('"') == etag;
        answer.header(s3_header::CONTENT_LENGTH)?.parse().ok().filter(|_| is_same)
    }

    /// Refuses where there is an object already, unless it is one of that length and hash: then what is about to be sent
    /// is what is there, and an answer was lost.
    ///
    /// Amazon S3 and LocalStack keep the promise of `If-None-Match: *` themselves. Garage 2.5 does not look at it, and
    /// with it an object that is stored by somebody else between this look and the upload's end is overwritten.
    pub(super) async fn check_vacant(&self, place: &Place, same: Option<(u64, PayloadHash)>) -> Result<(), S3Refused> {
        let answer = self.head_answer(place, None).await?;
        // Who may not list a bucket is refused where there is nothing (403), and that is not what was asked.
        if !answer.status.is_success() {
            return Ok(());
        }
        let is_same = same.is_some_and(|(size, hash)| {
            let head = read_head(&answer);
            head.is_some_and(|head| head.size == size && head.checksum == Some(ObjectChecksum::Whole(hash)))
        });
        if is_same { Ok(()) } else { Err(S3Refused::exists()) }
    }

    /// Has an archived object made readable, and says with which status.
    pub(super) async fn restore(
        &self,
        place: Place,
        version_id: Option<&VersionId>,
        days: Option<NonZeroU32>,
        tier: Tier,
    ) -> Result<(StatusCode, Restoring), S3Refused> {
        let call = Call::new(Method::POST, place)
            .query("restore", "")
            .query_if("versionId", version_id.map(VersionId::as_str))
            .xml(restore_body(days, tier.as_str()));
        let answer = self.call(&call).await?;
        if answer.status == StatusCode::OK {
            return Ok((StatusCode::OK, Restoring { started: false }));
        }
        // It was begun before, by a request whose answer was lost or by somebody else.
        let is_begun = answer.status == StatusCode::CONFLICT && answer.error().code == "RestoreAlreadyInProgress";
        if !is_begun {
            answer.success()?;
        }
        Ok((StatusCode::ACCEPTED, Restoring { started: true }))
    }

    /// Removes an object, also one that is not there.
    pub(super) async fn delete(&self, place: Place, version_id: Option<&VersionId>) -> Result<(), S3Refused> {
        let call = Call::new(Method::DELETE, place).query_if("versionId", version_id.map(VersionId::as_str));
        self.call(&call).await?.success().map(drop)
    }
}

/// What the headers say of an object; `None` where they do not make sense.
pub(super) fn read_head(answer: &Answer) -> Option<ObjectHead> {
    let text = |name: &str| answer.header(name).map(str::to_owned);
    let storage_class = text(s3_header::STORAGE_CLASS).unwrap_or_else(|| "STANDARD".to_owned());
    // INTELLIGENT_TIERING says so in a header of its own when it has put an object away.
    let is_put_away = answer.header("x-amz-archive-status").is_some();
    let (mut metadata, mut tree_hash) = (Vec::new(), None);
    for (name, value) in &answer.headers {
        let Some(name) = name.as_str().strip_prefix(s3_header::METADATA_PREFIX) else { continue };
        let Ok(value) = value.to_str() else { continue };
        match name {
            TREE_HASH_NAME => tree_hash = TreeHash::from_hex(value).ok(),
            name => metadata.push((name.to_owned(), value.to_owned())),
        }
    }
    metadata.sort_unstable();
    // Several values of one name are one, as HTTP has it.
    metadata.dedup_by(|next, kept| {
        let is_again = next.0 == kept.0;
        if is_again {
            kept.1 = format!("{},{}", kept.1, next.1);
        }
        is_again
    });
    Some(ObjectHead {
        size: answer.header(s3_header::CONTENT_LENGTH)?.parse().ok()?,
        archived: is_put_away || matches!(storage_class.as_str(), "GLACIER" | "DEEP_ARCHIVE"),
        storage_class,
        etag: answer.header(s3_header::ETAG)?.trim_matches('"').to_owned(),
        version_id: text(s3_header::VERSION_ID).and_then(|id| VersionId::new(id).ok()),
        last_modified: date_of(answer.header("last-modified")?)?,
        content_type: text(s3_header::CONTENT_TYPE),
        checksum: answer.header(s3_header::CHECKSUM_SHA256).and_then(ObjectChecksum::parse),
        part_size: None,
        tree_hash,
        metadata,
        restore: match answer.header("x-amz-restore") {
            Some(text) => Some(read_restore(text)?),
            None => None,
        },
    })
}

/// `ongoing-request="true"`, or `ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`.
fn read_restore(text: &str) -> Option<Restore> {
    let ongoing = match text.strip_prefix("ongoing-request=\"")?.split_once('"')?.0 {
        "true" => true,
        "false" => false,
        _ => return None,
    };
    let expiry = match text.split_once("expiry-date=\"") {
        Some((_, rest)) => Some(date_of(rest.split_once('"')?.0)?),
        None => None,
    };
    Some(Restore { ongoing, expiry })
}

/// `2012-12-21T00:00:00Z` of `Fri, 21 Dec 2012 00:00:00 GMT`.
fn date_of(text: &str) -> Option<Date> {
    let seconds = u64::try_from(date::unix_ms_of_header(text)?).ok()? / 1000;
    let basic = Timestamp::from_unix(seconds).to_string();
    let part = |from: usize, to: usize| basic.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(9, 11)?, part(11, 13)?, part(13, 15)?);
    Date::new(format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).ok()
}

fn unreadable() -> S3Refused {
    S3Refused::unavailable("the store's answer makes no sense")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use bytes::Bytes;
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    fn answer(headers: &[(&str, &str)]) -> Answer {
        let always = [("content-length", "5"), ("etag", "\"e-2\""), ("last-modified", "Sat, 21 Nov 2026 08:20:12 GMT")];
        let mut map = HeaderMap::new();
        for (name, value) in always.iter().chain(headers) {
            let name: HeaderName = name.parse().unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        Answer { status: StatusCode::OK, headers: map, body: Bytes::new() }
    }

    #[test]
    fn an_object_of_a_warm_class_is_readable() {
        let head = read_head(&answer(&[])).unwrap();
        assert_eq!((head.size, head.etag.as_str(), head.storage_class.as_str()), (5, "e-2", "STANDARD"));
        assert_eq!(head.last_modified.as_str(), "2026-11-21T08:20:12Z");
        assert!(!head.archived && head.is_readable());
        assert!(!read_head(&answer(&[("x-amz-storage-class", "GLACIER_IR")])).unwrap().archived);
    }

    #[test]
    fn an_archived_object_is_readable_once_it_is_restored() {
        let ready = "ongoing-request=\"false\", expiry-date=\"Tue, 24 Nov 2026 00:00:00 GMT\"";
        for (class, restore, is_readable) in [
            ("GLACIER", None, false),
            ("DEEP_ARCHIVE", Some("ongoing-request=\"true\""), false),
            ("DEEP_ARCHIVE", Some(ready), true),
        ] {
            let mut headers = vec![("x-amz-storage-class", class)];
            headers.extend(restore.map(|restore| ("x-amz-restore", restore)));
            let head = read_head(&answer(&headers)).unwrap();
            assert_eq!((head.archived, head.is_readable()), (true, is_readable), "{class} {restore:?}");
        }
        let expiry = read_restore(ready).unwrap().expiry.unwrap();
        assert_eq!(expiry.as_str(), "2026-11-24T00:00:00Z");
        let tiered = [("x-amz-storage-class", "INTELLIGENT_TIERING"), ("x-amz-archive-status", "ARCHIVE_ACCESS")];
        assert!(read_head(&answer(&tiered)).unwrap().archived);
        for bad in ["", "ongoing-request=\"perhaps\"", "ongoing-request=\"false\", expiry-date=\"soon\""] {
            assert!(read_head(&answer(&[("x-amz-restore", bad)])).is_none(), "{bad}");
        }
    }

    #[test]
    fn metadata_is_apart_from_the_tree_hash() {
        let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let head = read_head(&answer(&[
            ("x-amz-meta-b", "2"),
            ("x-amz-meta-a", "1"),
            ("x-amz-meta-b", "3"),
            ("x-amz-meta-sha256-tree-hash", hash),
        ]))
        .unwrap();
        assert_eq!(head.metadata, [("a".into(), "1".into()), ("b".into(), "2,3".into())]);
        assert_eq!(head.tree_hash.unwrap().to_string(), hash);
        let sum = "tyoT7AR8CQ15JhjLMJK4Eg+lA6B9TOm1lKPSYXhFnjw=-3";
        let head = read_head(&answer(&[("x-amz-checksum-sha256", sum)])).unwrap();
        assert_eq!(head.checksum.unwrap().to_string(), sum);
    }

    #[test]
    fn an_answer_without_what_every_object_has_makes_no_sense() {
        for name in ["content-length", "etag", "last-modified"] {
            let mut without = answer(&[]);
            without.headers.remove(name);
            assert!(read_head(&without).is_none(), "{name}");
        }
        assert!(read_head(&answer(&[("content-length", "6")])).is_none());
    }
}
