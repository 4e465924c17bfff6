//! CompleteMultipartUpload: nothing is called done that has not been looked at.
//!
//! Before, the gateway lists the parts and compares each length with the plan and the checksum over all of them with the
//! page's; after, it looks at the object and compares again. Neither is for show: LocalStack 2026.3 was seen to report
//! the right checksum for an object one part of which a failed request had emptied, and only the size told; Garage 2.5
//! takes a wrong `x-amz-mp-object-size`.
//!
//! It may be repeated. An upload that is gone is looked for as the object that it would have become, and what has the
//! same length and checksum is that object, whoever asked for it first.

use glacier_core::s3::complete_multipart_upload::Completed;
use glacier_core::s3::head_object::ObjectHead;
use glacier_core::s3::{CompositeChecksum, ObjectChecksum, PartNumber, VersionId, header as s3_header};
use glacier_core::{PayloadHash, TreeHash};
use http::Method;

use super::call::{COMPLETE_PATIENCE, Call};
use super::document::{HeldPart, complete_body, read_completed};
use super::endpoint::Place;
use super::handle::{Plan, Upload};
use super::object::read_head;
use super::{S3, S3Refused};

impl S3 {
    /// Makes one object of `size` bytes of the parts.
    pub(super) async fn complete(
        &self,
        upload: &Upload,
        size: u64,
        checksum: &CompositeChecksum,
        tree_hash: &TreeHash,
    ) -> Result<Completed, S3Refused> {
        let plan = upload.plan.filter(|plan| size <= plan.size).ok_or_else(S3Refused::no_such_upload)?;
        let place = self.endpoint.object(&upload.bucket, &upload.key);
        let made = match self.all_parts(upload).await {
            Ok(held) => {
                let parts = checked(plan, size, &held)?;
                if CompositeChecksum::of_parts(parts.iter().map(|(_, _, hash)| *hash)) != Some(*checksum) {
                    return Err(S3Refused::parts_differ());
                }
                if !plan.overwrite {
                    self.check_vacant(&place, None).await?;
                }
                self.put_together(upload, &place, size, plan, &parts).await
            }
            Err(refused) => Err(refused),
        };
        let head = match made {
            Ok(version_id) => {
                let answer = self.head_answer(&place, version_id.as_ref()).await?.success()?;
                let head = read_head(&answer).ok_or_else(unreadable)?;
                let head = ObjectHead { version_id: version_id.or(head.version_id), ..head };
                if !is_made_of(&head, size, checksum) {
                    tracing::error!(expected = size, found = head.size, "the store made another object of the parts");
                    return Err(S3Refused::other_bytes());
                }
                head
            }
            // Gone, or perhaps done: an earlier answer was lost, or this one.
            Err(refused) => {
                let answer = self.head_answer(&place, None).await?;
                let found = answer.status.is_success().then(|| read_head(&answer)).flatten();
                let head = found.filter(|head| is_made_of(head, size, checksum)).ok_or(refused)?;
                // If somebody else stored the same before us, our parts are of no use any more.
                let _ = self.abort(upload).await;
                head
            }
        };
        let tree_hash_kept = self.keep_tree_hash(&place, head.version_id.as_ref(), tree_hash).await;
        Ok(Completed {
            bucket: upload.bucket.clone(),
            key: upload.key.clone(),
            version_id: head.version_id,
            etag: head.etag,
            checksum: *checksum,
            size,
            tree_hash_kept,
        })
    }

    /// Has the store make the object, and gives its version.
    async fn put_together(
        &self,
        upload: &Upload,
        place: &Place,
        size: u64,
        plan: Plan,
        parts: &[(PartNumber, &str, PayloadHash)],
    ) -> Result<Option<VersionId>, S3Refused> {
        let mut call = Call::new(Method::POST, place.clone())
            .query("uploadId", &upload.upload_id)
            .header("x-amz-mp-object-size", size.to_string())
            .xml(complete_body(parts));
        if !plan.overwrite {
            call = call.header(s3_header::IF_NONE_MATCH, "*");
        }
        call.patience = COMPLETE_PATIENCE;
        let answer = self.call_once(&call).await.map_err(S3Refused::from)?.success()?;
        match read_completed(&answer.body).map_err(|_| unreadable())? {
            Ok(_etag) => Ok(answer.header(s3_header::VERSION_ID).and_then(|id| VersionId::new(id).ok())),
            Err(error) => Err(S3Refused::store(answer.status, &error)),
        }
    }
}

/// The parts that make an object of `size` bytes, if all of them are there in their lengths and with checksums. More that
/// are there are left out; the store removes them.
fn checked(plan: Plan, size: u64, held: &[HeldPart]) -> Result<Vec<(PartNumber, &str, PayloadHash)>, S3Refused> {
    if held.iter().any(|part| part.hash.is_none()) {
        return Err(S3Refused::no_checksums());
    }
    let wanted = |part: &&HeldPart| plan.part_len(part.number, size).is_some();
    let mut parts = Vec::new();
    for (index, part) in (0..).zip(held.iter().filter(wanted)) {
        let is_next = PartNumber::from_index(index) == Some(part.number);
        match part.hash {
            Some(hash) if is_next && plan.part_len(part.number, size) == Some(part.size) => {
                parts.push((part.number, part.etag.as_str(), hash));
            }
            _ => return Err(S3Refused::parts_differ()),
        }
    }
    if parts.len() as u64 == plan.n_parts(size) { Ok(parts) } else { Err(S3Refused::parts_differ()) }
}

fn is_made_of(head: &ObjectHead, size: u64, checksum: &CompositeChecksum) -> bool {
    head.size == size && head.checksum == Some(ObjectChecksum::Composite(*checksum))
}

fn unreadable() -> S3Refused {
    S3Refused::unavailable("the store's answer makes no sense")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use glacier_core::PartSize;

    use super::*;

    const MIB: u64 = 1 << 20;

    fn part(number: u64, size: u64) -> HeldPart {
        let hash = Some(PayloadHash::of(&number.to_be_bytes()));
        HeldPart { number: PartNumber::new(number).unwrap(), size, etag: format!("\"{number}\""), hash }
    }

    fn check(size: u64, held: &[HeldPart]) -> Result<usize, String> {
        let plan = Plan { size: 80 * MIB, part_size: PartSize::from_bytes(8 * MIB).unwrap(), overwrite: false };
        checked(plan, size, held).map(|parts| parts.len()).map_err(|refused| refused.code().to_owned())
    }

    #[test]
    fn parts_that_make_the_object_are_taken_and_no_others() {
        let whole = [part(1, 8 * MIB), part(2, 8 * MIB), part(3, 4 * MIB)];
        assert_eq!(check(20 * MIB, &whole), Ok(3));
        assert_eq!(check(16 * MIB, &whole), Ok(2), "a stream that ended sooner leaves a part out");
        assert_eq!(check(1, &[part(1, 1)]), Ok(1));
    }

    #[test]
    fn a_part_missing_or_of_another_length_is_noticed() {
        let differ = Err("InvalidPart".to_owned());
        for held in [
            &[][..],
            &[part(1, 8 * MIB), part(2, 8 * MIB)],
            &[part(1, 8 * MIB), part(3, 4 * MIB)],
            &[part(2, 8 * MIB), part(3, 4 * MIB)],
            &[part(1, 8 * MIB), part(2, 8 * MIB - 1), part(3, 4 * MIB)],
            &[part(1, 8 * MIB), part(2, 8 * MIB), part(3, 4 * MIB + 1)],
            &[part(1, 8 * MIB), part(2, 8 * MIB), part(3, 0)],
        ] {
            assert_eq!(check(20 * MIB, held), differ, "{held:?}");
        }
    }

    #[test]
    fn a_store_that_keeps_no_checksums_is_refused() {
        let without = HeldPart { hash: None, ..part(1, 1) };
        assert_eq!(check(1, &[without]), Err("checksums_not_kept".into()));
    }

    #[test]
    fn ten_thousand_parts_are_the_most() {
        let plan = Plan { size: 80_000 * MIB, part_size: PartSize::from_bytes(8 * MIB).unwrap(), overwrite: false };
        let held: Vec<HeldPart> = (1..=10_000).map(|number| part(number, 8 * MIB)).collect();
        let parts = checked(plan, plan.size, &held).unwrap();
        assert_eq!(parts.len(), 10_000);
        assert!(complete_body(&parts).len() < 2 << 20, "S3 takes a body of this size");
    }
}
