//! What `check` looks at in a store and its buckets.

use glacier_core::PayloadHash;
use glacier_core::s3::{BucketName, ObjectKey, PartNumber, TREE_HASH_NAME, checksum_header, header as s3_header};
use http::{HeaderValue, Method, StatusCode};

use super::call::{Answer, Call, CallError};
use super::cors::{self, Ask};
use super::document::{read_days_to_abort, read_parts, read_upload_id};
use super::endpoint::Place;
use super::handle::Upload;
use super::{S3, S3Refused};
use crate::check::{self, Finding};
use crate::upstream::Chained;

/// Days that unfinished uploads may reasonably be kept.
const DAYS: u64 = 7;

/// Begins the key of the upload that is opened and aborted.
const KEY: &str = ".glacier-upload-check";

impl S3 {
    /// Looks at credentials, clock and every bucket. `origins` are those whose pages will call.
    pub async fn check(&self, origins: &[String]) -> Vec<Finding> {
        let credentials = match self.credentials.get().await {
            Ok(credentials) => credentials,
            Err(error) => return vec![check::no_credentials(&error)],
        };
        let mut findings = Vec::new();
        let mut seen: Vec<&BucketName> = Vec::new();
        let mut is_clock_seen = false;
        for grant in &self.objects {
            let bucket = grant.bucket();
            if seen.contains(&bucket) {
                continue;
            }
            seen.push(bucket);
            let call =
                Call::new(Method::GET, self.endpoint.bucket(bucket)).query("max-uploads", "1").query("uploads", "");
            let answer = match self.call_once(&call).await {
                Ok(answer) => answer,
                Err(error) => {
                    findings.push(unreachable(bucket, &error));
                    continue;
                }
            };
            if !is_clock_seen {
                findings.extend(answer.header("date").and_then(|date| check::clock((self.clock)(), date)));
                is_clock_seen = true;
            }
            if !answer.status.is_success() {
                findings.push(refused(bucket, &answer, &credentials.access_key_id));
                continue;
            }
            findings.push(Finding::ok(format!("{bucket}"), "the bucket is there and the credentials are good for it"));
            for origin in origins {
                findings.push(self.cors_finding(bucket, origin).await);
            }
            findings.push(self.lifecycle_finding(bucket).await);
            let key = ObjectKey::new(format!("{}{KEY}", grant.prefix()));
            if let Ok(key) = key {
                findings.extend(self.write_findings(bucket, &key).await);
            }
        }
        findings
    }

    async fn cors_finding(&self, bucket: &BucketName, origin: &str) -> Finding {
        let subject = format!("{bucket}: CORS");
        let tree_hash = format!("{}{TREE_HASH_NAME}", s3_header::METADATA_PREFIX);
        let sent = [
            s3_header::CHECKSUM_SHA256,
            s3_header::CONTENT_TYPE,
            s3_header::IF_NONE_MATCH,
            s3_header::STORAGE_CLASS,
            &tree_hash,
        ];
        for (method, headers) in [("PUT", &sent[..]), ("GET", &[])] {
            let ask = HeaderValue::from_str(origin)
                .ok()
                .and_then(|origin| Ask::new(bucket, &origin, method, headers.iter().copied()));
            let Some(ask) = ask else {
                return Finding::problem(subject, "the origin is none that a browser sends", "Correct allow-origin.");
            };
            match self.ask_cors(&ask).await {
                None => {
                    let fix = "Run check again; if it happens again, look at the store's log.";
                    return Finding::warning(subject, "the store did not answer a preflight", fix);
                }
                Some(None) => {}
                Some(Some(missing)) => {
                    let fix = format!(
                        "Set these rules in the console (Permissions, CORS), or with aws s3api put-bucket-cors \
                         --bucket {bucket} --cors-configuration '{{\"CORSRules\": …}}':\n{}",
                        cors::rules(origin, &[])
                    );
                    return Finding::problem(subject, format!("{method} from {origin}: {}", missing.message()), fix);
                }
            }
        }
        Finding::ok(subject, format!("pages of {origin} are let in"))
    }

    async fn lifecycle_finding(&self, bucket: &BucketName) -> Finding {
        let subject = format!("{bucket}: unfinished uploads");
        let call = Call::new(Method::GET, self.endpoint.bucket(bucket)).query("lifecycle", "");
        let unseen = |words: &str| {
            let fix = "Make sure that a lifecycle rule aborts incomplete multipart uploads, or let the gateway look \
                       (s3:GetLifecycleConfiguration).";
            Finding::warning(subject.clone(), words, fix)
        };
        let Ok(answer) = self.call(&call).await else { return unseen("the store did not say what it does with them") };
        let has_none = answer.status == StatusCode::NOT_FOUND;
        if !answer.status.is_success() && !has_none {
            return unseen("the gateway may not see the lifecycle rules");
        }
        let days = if has_none { Ok(None) } else { read_days_to_abort(&answer.body) };
        match days {
            Ok(Some(days)) => Finding::ok(subject, format!("the bucket removes them after {days} days")),
            Ok(None) => {
                let rule = format!(
                    "{{\"Rules\":[{{\"ID\":\"unfinished-uploads\",\"Status\":\"Enabled\",\"Filter\":{{\"Prefix\":\"\"}},\
                     \"AbortIncompleteMultipartUpload\":{{\"DaysAfterInitiation\":{DAYS}}}}}]}}"
                );
                let fix = format!(
                    "Add a lifecycle rule. If there are no others: aws s3api put-bucket-lifecycle-configuration \
                     --bucket {bucket} --lifecycle-configuration\n'{rule}'"
                );
                Finding::problem(subject, "they stay, and are paid for, for ever", fix)
            }
            Err(_) => unseen("the lifecycle rules make no sense"),
        }
    }

    /// Opens an upload, sends a part that is right and one that is not, and aborts it.
    async fn write_findings(&self, bucket: &BucketName, key: &ObjectKey) -> Vec<Finding> {
        let subject = format!("{bucket}: checksums");
        let place = self.endpoint.object(bucket, key);
        let call = Call::new(Method::POST, place.clone())
            .query("uploads", "")
            .header("x-amz-checksum-algorithm", "SHA256")
            .header("x-amz-checksum-type", "COMPOSITE");
        let opened = match self.call(&call).await {
            Ok(answer) => answer,
            Err(refused) => return vec![not_done(subject, &refused)],
        };
        if !opened.status.is_success() {
            return vec![write_refused(bucket, &opened)];
        }
        let Ok(upload_id) = read_upload_id(&opened.body) else {
            let fix = "Look whether s3-endpoint is a store that speaks S3.";
            return vec![Finding::problem(subject, "the store's answer makes no sense", fix)];
        };
        let upload = Upload { bucket: bucket.clone(), key: key.clone(), upload_id, plan: None };
        let mut findings = vec![match self.checksums_hold(&place, &upload).await {
            Ok(true) => Finding::ok(subject, "the store computes the SHA-256 of parts and refuses what differs"),
            Ok(false) => Finding::problem(
                subject,
                "the store does not compute the SHA-256 of parts, so that nothing could be proved",
                "Use another store: Amazon S3, or one that supports additional checksums.",
            ),
            Err(refused) => not_done(subject, &refused),
        }];
        if self.abort(&upload).await.is_err() {
            let fix = "Allow s3:AbortMultipartUpload.";
            findings.push(Finding::problem(format!("{bucket}: aborting"), "an upload could not be aborted", fix));
        }
        if matches!(self.tags(&place, None).await, Ok(None)) {
            let fix = "Nothing has to be done; large files are then proved by the checksums of their parts alone. At Amazon \
                       S3 allow s3:GetObjectTagging and s3:PutObjectTagging.";
            let words =
                "the tree hash of large files is not kept: the store has no tags, or the gateway may not set them";
            findings.push(Finding::warning(format!("{bucket}: tags"), words, fix));
        }
        findings
    }

    async fn checksums_hold(&self, place: &Place, upload: &Upload) -> Result<bool, S3Refused> {
        let (right, wrong) = (PayloadHash::of(b"a"), PayloadHash::of(b"b"));
        let part = |hash: &PayloadHash| {
            let call = Call::new(Method::PUT, place.clone())
                .query("partNumber", "1")
                .query("uploadId", &upload.upload_id)
                .header(s3_header::CHECKSUM_SHA256, checksum_header(hash));
            Call { body: "a".into(), ..call }
        };
        self.call(&part(&right)).await?.success()?;
        let call = Call::new(Method::GET, place.clone()).query("uploadId", &upload.upload_id);
        let listed = self.call(&call).await?.success()?;
        let page = read_parts(&listed.body).map_err(|_| S3Refused::unavailable("the store's list makes no sense"))?;
        let is_kept = page.parts.iter().any(|part| part.hash == Some(right) && Some(part.number) == PartNumber::new(1));
        let other = self.call(&part(&wrong)).await?;
        Ok(is_kept && other.status.is_client_error())
    }
}

fn unreachable(bucket: &BucketName, error: &CallError) -> Finding {
    let words = match error {
        CallError::Upstream(error) => format!("the store could not be reached: {}", Chained(error)),
        CallError::Refused(refused) => format!("the store could not be asked ({})", refused.code()),
    };
    let fix = "Look at s3-endpoint, the network and, for a private authority, ca-file.";
    Finding::problem(bucket.to_string(), words, fix)
}

fn refused(bucket: &BucketName, answer: &Answer, key_id: &str) -> Finding {
    let error = answer.error();
    let fix = match (error.code.as_str(), answer.status.as_u16()) {
        ("NoSuchBucket", _) => "Make the bucket, or correct bucket, s3-endpoint and s3-region.",
        ("InvalidAccessKeyId" | "InvalidToken" | "ExpiredToken", _) => "Give the gateway other credentials.",
        ("SignatureDoesNotMatch", _) => "Look at the secret access key, and at s3-region.",
        ("RequestTimeTooSkewed", _) => "Set this machine's clock.",
        ("AuthorizationHeaderMalformed" | "PermanentRedirect", _) | (_, 301 | 307) => {
            "Set s3-region to the bucket's own region."
        }
        _ => "Allow the gateway's user or role what docs/s3.md names, and look whether the secret access key is right.",
    };
    let code = if error.code.is_empty() { answer.status.as_u16().to_string() } else { error.code };
    Finding::problem(bucket.to_string(), format!("the store refuses {key_id}: {code} {}", error.message), fix)
}

fn write_refused(bucket: &BucketName, answer: &Answer) -> Finding {
    let error = answer.error();
    let words = format!("nothing can be stored: {} {}", error.code, error.message);
    Finding::problem(bucket.to_string(), words, "Allow the gateway's user or role s3:PutObject in this bucket.")
}

fn not_done(subject: String, refused: &S3Refused) -> Finding {
    let fix = "Run check again; if it happens again, look at the store's log.";
    Finding::problem(subject, format!("the store refused ({})", refused.code()), fix)
}
