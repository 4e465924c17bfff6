//! CreateMultipartUpload.

use glacier_core::PartSize;
use glacier_core::intent::RefusalCode;
use glacier_core::s3::create_multipart_upload::Created;
use glacier_core::s3::{Intent, MIN_PART_LEN, header as s3_header};
use http::{HeaderValue, Method};

use super::call::Call;
use super::document::read_upload_id;
use super::handle::{Plan, Upload};
use super::{S3, S3Refused, presign};

impl S3 {
    /// Opens an upload for `subject`, whose page has that origin, if it is one.
    pub(super) async fn create(
        &self,
        intent: &Intent,
        subject: &str,
        origin: Option<&HeaderValue>,
    ) -> Result<Created, S3Refused> {
        let (Intent::CreateMultipartUpload { bucket, key, size, part_size, .. }, Some(kept)) = (intent, intent.kept())
        else {
            return Err(S3Refused::gateway(RefusalCode::Internal, "another operation"));
        };
        self.check_plan(*size, *part_size)?;
        let place = self.endpoint.object(bucket, key);
        // S3 would only say so at the end, when all the bytes are there.
        let vacant = async { if kept.overwrite { Ok(()) } else { self.check_vacant(&place, None).await } };
        let cors = async {
            let Some(origin) = origin else { return Ok(()) };
            self.check_cors(bucket, origin, "PUT", [s3_header::CHECKSUM_SHA256].into_iter()).await
        };
        // Side by side, because the page waits for the slowest of them and not for their sum. What is to be mended first
        // is said first, whichever is known first.
        let (cors, vacant, tags) = tokio::join!(cors, vacant, self.check_keeps_tags(&place, &kept));
        cors.and(vacant).and(tags)?;
        let mut call = Call::new(Method::POST, place)
            .query("uploads", "")
            .header("x-amz-checksum-algorithm", "SHA256")
            .header("x-amz-checksum-type", "COMPOSITE");
        call.headers.extend(presign::headers(&kept));
        let answer = self.call(&call).await?.success()?;
        let upload_id = read_upload_id(&answer.body).map_err(|_| unreadable())?;
        let plan = Plan { size: *size, part_size: *part_size, overwrite: kept.overwrite };
        let upload = Upload { bucket: bucket.clone(), key: key.clone(), upload_id, plan: Some(plan) };
        // A store that does not know the header leaves it out of its answer, and would keep parts without checksums.
        if answer.header("x-amz-checksum-algorithm") != Some("SHA256") {
            // What is left there is removed by the bucket's lifecycle rule, if not by this.
            let _ = self.abort(&upload).await;
            return Err(S3Refused::no_checksums());
        }
        let upload = self.seal.seal(&upload, subject).ok_or_else(unreadable)?;
        Ok(Created { upload })
    }

    /// Whether an object of that size can be put together of such parts.
    pub(super) fn check_plan(&self, size: u64, part_size: PartSize) -> Result<(), S3Refused> {
        self.check_len(size)?;
        let refuse = |message| Err(S3Refused::gateway(RefusalCode::InvalidRequest, message));
        if part_size.bytes() < MIN_PART_LEN {
            return refuse("S3 takes no parts of less than 5 MiB; use parts of 8 MiB or more");
        }
        if !(Plan { size, part_size, overwrite: false }).is_legal() {
            return refuse("the object has more than 10,000 parts of that size; use larger parts");
        }
        Ok(())
    }
}

fn unreadable() -> S3Refused {
    S3Refused::unavailable("the store's answer makes no sense")
}
