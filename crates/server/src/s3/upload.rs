//! What is asked of an upload while it is open: ListParts, AbortMultipartUpload, and ListMultipartUploads to find it.

use glacier_core::glacier::Date;
use glacier_core::s3::list_multipart_uploads as uploads;
use glacier_core::s3::list_parts as parts;
use glacier_core::s3::{BucketName, MAX_PARTS, ObjectKey};
use http::{Method, StatusCode};

use super::call::Call;
use super::document::{HeldPart, PartPage, read_parts, read_uploads};
use super::handle::Upload;
use super::{S3, S3Refused};

/// How often an upload is aborted until it is gone. A part that was on its way may have arrived in between.
///
/// **Source:** API reference, AbortMultipartUpload: "it might be necessary to abort a given multipart upload multiple
/// times in order to completely free all storage".
const ABORTS: u32 = 3;

/// Separates the two texts of a marker. No key has it, nor any upload ID.
const SEPARATOR: char = '\n';

impl S3 {
    /// One page of parts.
    pub(super) async fn list_parts(&self, upload: &Upload, marker: Option<&str>) -> Result<parts::Page, S3Refused> {
        let page = self.page_of_parts(upload, marker).await?;
        let part = |part: HeldPart| parts::Part { part_number: part.number, size: part.size, payload_hash: part.hash };
        Ok(parts::Page { parts: page.parts.into_iter().map(part).collect(), marker: page.next })
    }

    /// All parts, in order of number.
    pub(super) async fn all_parts(&self, upload: &Upload) -> Result<Vec<HeldPart>, S3Refused> {
        let (mut held, mut marker): (Vec<HeldPart>, Option<String>) = (Vec::new(), None);
        loop {
            let page = self.page_of_parts(upload, marker.as_deref()).await?;
            let goes_on = page.parts.first().zip(held.last()).is_none_or(|(next, last)| next.number > last.number);
            let is_sorted = page.parts.is_sorted_by(|a, b| a.number < b.number);
            if !goes_on || !is_sorted || held.len() > MAX_PARTS as usize {
                return Err(unreadable());
            }
            held.extend(page.parts);
            match page.next {
                None => return Ok(held),
                // A store that repeats itself would be asked for ever.
                next if next == marker => return Err(unreadable()),
                next => marker = next,
            }
        }
    }

    async fn page_of_parts(&self, upload: &Upload, marker: Option<&str>) -> Result<PartPage, S3Refused> {
        // It goes into a query, escaped, and S3 knows numbers only.
        let is_marker = |text: &str| text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !marker.is_none_or(is_marker) {
            return Err(invalid_marker());
        }
        let call = Call::new(Method::GET, self.endpoint.object(&upload.bucket, &upload.key))
            .query_if("part-number-marker", marker)
            .query("uploadId", &upload.upload_id);
        let answer = self.call(&call).await?.success()?;
        read_parts(&answer.body).map_err(|_| unreadable())
    }

    /// Removes the upload and its parts.
    pub(super) async fn abort(&self, upload: &Upload) -> Result<(), S3Refused> {
        let place = self.endpoint.object(&upload.bucket, &upload.key);
        let call = Call::new(Method::DELETE, place).query("uploadId", &upload.upload_id);
        for nth in 0..ABORTS {
            let answer = self.call(&call).await?;
            if nth > 0 && answer.status == StatusCode::NOT_FOUND {
                break;
            }
            answer.success()?;
            let left = self.page_of_parts(upload, None).await;
            if !left.is_ok_and(|page| !page.parts.is_empty()) {
                break;
            }
        }
        Ok(())
    }

    /// One page of unfinished uploads, with handles for `subject`.
    pub(super) async fn list_uploads(
        &self,
        bucket: &BucketName,
        prefix: Option<&str>,
        marker: Option<&str>,
        subject: &str,
    ) -> Result<uploads::Page, S3Refused> {
        let markers = match marker.map(|marker| marker.split_once(SEPARATOR)) {
            None => None,
            Some(Some((key, id))) if key.len() <= 1024 && id.len() <= 1024 => Some((key, id)),
            Some(_) => return Err(invalid_marker()),
        };
        let call = Call::new(Method::GET, self.endpoint.bucket(bucket))
            .query_if("key-marker", markers.map(|(key, _)| key))
            .query_if("prefix", prefix)
            .query_if("upload-id-marker", markers.map(|(_, id)| id))
            .query("uploads", "");
        let answer = self.call(&call).await?.success()?;
        let page = read_uploads(&answer.body).map_err(|_| unreadable())?;
        let mut found = Vec::new();
        for open in page.uploads {
            // A store that does not know prefixes must not show more than was asked for; and what has a name that no page
            // can say, somebody else has to remove.
            let is_asked = open.key.starts_with(prefix.unwrap_or(""));
            let (true, Ok(key)) = (is_asked, ObjectKey::new(open.key)) else { continue };
            let upload = Upload { bucket: bucket.clone(), key, upload_id: open.upload_id, plan: None };
            let Some(handle) = self.seal.seal(&upload, subject) else { continue };
            found.push(uploads::Upload {
                key: upload.key,
                initiated: whole_seconds(&open.initiated).ok_or_else(unreadable)?,
                storage_class: open.storage_class.unwrap_or_else(|| "STANDARD".to_owned()),
                upload: handle,
            });
        }
        Ok(uploads::Page { uploads: found, marker: page.next.map(|(key, id)| format!("{key}{SEPARATOR}{id}")) })
    }
}

/// `2026-11-21T08:21:56Z` of `2026-11-21T08:21:56.632Z`.
fn whole_seconds(text: &str) -> Option<Date> {
    let whole = text.split_once('.').map_or_else(|| text.to_owned(), |(whole, _)| format!("{whole}Z"));
    Date::new(whole).ok()
}

fn invalid_marker() -> S3Refused {
    S3Refused::gateway(glacier_core::intent::RefusalCode::InvalidRequest, "the marker is none of the store's")
}

fn unreadable() -> S3Refused {
    S3Refused::unavailable("the store's list makes no sense")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_of_seconds_are_dropped() {
        for (text, date) in [
            ("2026-11-21T08:21:56.632Z", Some("2026-11-21T08:21:56Z")),
            ("2026-11-21T08:21:56Z", Some("2026-11-21T08:21:56Z")),
            ("2026-11-21T08:21:56", None),
            ("yesterday.1Z", None),
        ] {
            assert_eq!(whole_seconds(text).as_ref().map(Date::as_str), date);
        }
    }
}
