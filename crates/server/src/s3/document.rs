//! S3's documents: what stores answer, read strictly, and the three bodies that are sent to them.
//!
//! **Source:** S3 API reference, the operation of each function's name. What two stores were seen to do, LocalStack
//! 2026.3 and Garage 2.5, stands where it shaped the code.

use std::fmt::Write as _;
use std::num::NonZeroU32;

use glacier_core::PayloadHash;
use glacier_core::s3::{PartNumber, checksum_header, read_checksum_header};
use quick_xml::escape::escape;

use super::xml::{Element, XmlError};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// A part that the store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeldPart {
    pub(super) number: PartNumber,
    pub(super) size: u64,
    /// As the store wrote it, quotes and all.
    pub(super) etag: String,
    /// `None` where the store keeps no checksums of parts, or was sent none.
    pub(super) hash: Option<PayloadHash>,
}

/// Up to 1,000 parts, and where the next page begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PartPage {
    pub(super) parts: Vec<HeldPart>,
    pub(super) next: Option<String>,
}

/// An upload that is neither completed nor aborted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OpenUpload {
    pub(super) key: String,
    pub(super) upload_id: String,
    pub(super) initiated: String,
    pub(super) storage_class: Option<String>,
}

/// Up to 1,000 uploads, and where the next page begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UploadPage {
    pub(super) uploads: Vec<OpenUpload>,
    pub(super) next: Option<(String, String)>,
}

/// What a store said went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoreError {
    /// Letters, digits and dots, at most 64; empty where the answer had none.
    pub(super) code: String,
    /// The store's own words. They may repeat what was sent: for the log and for operators, not for pages.
    pub(super) message: String,
}

/// The upload ID in the answer to CreateMultipartUpload.
pub(super) fn read_upload_id(document: &[u8]) -> Result<String, XmlError> {
    Element::parse_root(document, "InitiateMultipartUploadResult")?.needed("UploadId").map(str::to_owned)
}

/// The answer to ListParts. Parts with numbers that S3 does not have are left out: Garage takes number 0 and 10,001.
pub(super) fn read_parts(document: &[u8]) -> Result<PartPage, XmlError> {
    let root = Element::parse_root(document, "ListPartsResult")?;
    let mut parts = Vec::new();
    for part in root.all("Part") {
        let Some(number) = PartNumber::new(part.number("PartNumber")?) else { continue };
        let hash = match part.text("ChecksumSHA256")? {
            Some(text) => Some(read_checksum_header(text).ok_or(XmlError::Element("ChecksumSHA256"))?),
            None => None,
        };
        parts.push(HeldPart { number, size: part.number("Size")?, etag: part.needed("ETag")?.to_owned(), hash });
    }
    // LocalStack gives the next marker on the last page as well, and only this says that it is the last.
    let next = if root.flag("IsTruncated")? { Some(root.number("NextPartNumberMarker")?.to_string()) } else { None };
    Ok(PartPage { parts, next })
}

/// The ETag in the answer to CompleteMultipartUpload, which may be an error although its status is 200.
///
/// **Source:** API reference, CompleteMultipartUpload: "the 200 OK response can contain either a success or an error".
pub(super) fn read_completed(document: &[u8]) -> Result<Result<String, StoreError>, XmlError> {
    let root = Element::parse(document)?;
    match root.name() {
        "CompleteMultipartUploadResult" => root.needed("ETag").map(|etag| Ok(etag.to_owned())),
        "Error" => Ok(Err(store_error(&root)?)),
        _ => Err(XmlError::Root),
    }
}

/// The answer to ListMultipartUploads.
pub(super) fn read_uploads(document: &[u8]) -> Result<UploadPage, XmlError> {
    let root = Element::parse_root(document, "ListMultipartUploadsResult")?;
    let upload = |upload: &Element| {
        Ok(OpenUpload {
            key: upload.needed("Key")?.to_owned(),
            upload_id: upload.needed("UploadId")?.to_owned(),
            initiated: upload.needed("Initiated")?.to_owned(),
            storage_class: upload.text("StorageClass")?.map(str::to_owned),
        })
    };
    let uploads = root.all("Upload").map(upload).collect::<Result<_, XmlError>>()?;
    let next = match root.flag("IsTruncated")? {
        true => Some((root.needed("NextKeyMarker")?.to_owned(), root.needed("NextUploadIdMarker")?.to_owned())),
        false => None,
    };
    Ok(UploadPage { uploads, next })
}

/// The error in the body of a refusal. Proxies in front of a store refuse with anything.
pub(super) fn read_error(document: &[u8]) -> StoreError {
    let read = Element::parse_root(document, "Error").and_then(|root| store_error(&root));
    read.unwrap_or(StoreError { code: String::new(), message: String::new() })
}

fn store_error(root: &Element) -> Result<StoreError, XmlError> {
    let code = root.text("Code")?.unwrap_or_default();
    let is_code = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    let message = root.text("Message")?.unwrap_or_default();
    let message = message.chars().filter(|character| !character.is_control()).take(400).collect();
    Ok(StoreError { code: if is_code { code.to_owned() } else { String::new() }, message })
}

/// The answer to GetObjectTagging.
pub(super) fn read_tags(document: &[u8]) -> Result<Vec<(String, String)>, XmlError> {
    let root = Element::parse_root(document, "Tagging")?;
    let set = root.child("TagSet")?.ok_or(XmlError::Element("TagSet"))?;
    let tag = |tag: &Element| Ok((tag.needed("Key")?.to_owned(), tag.text("Value")?.unwrap_or_default().to_owned()));
    set.all("Tag").map(tag).collect()
}

/// Of the answer to GetBucketLifecycleConfiguration: after how many days incomplete uploads of every key are aborted,
/// or `None` where no rule that is in force says so for all of them.
pub(super) fn read_days_to_abort(document: &[u8]) -> Result<Option<u64>, XmlError> {
    let root = Element::parse_root(document, "LifecycleConfiguration")?;
    let mut days = None;
    for rule in root.all("Rule") {
        let is_for_all = match (rule.text("Prefix")?, rule.child("Filter")?) {
            (Some(prefix), _) => prefix.is_empty(),
            (None, Some(filter)) => filter.is_empty() || filter.text("Prefix")?.is_some_and(str::is_empty),
            (None, None) => true,
        };
        let abort = rule.child("AbortIncompleteMultipartUpload")?;
        if let Some(abort) = abort.filter(|_| is_for_all)
            && rule.text("Status")? == Some("Enabled")
        {
            let of_rule = abort.number("DaysAfterInitiation")?;
            days = Some(days.map_or(of_rule, |days: u64| days.min(of_rule)));
        }
    }
    Ok(days)
}

/// The body of CompleteMultipartUpload.
pub(super) fn complete_body(parts: &[(PartNumber, &str, PayloadHash)]) -> String {
    let mut body = format!("<CompleteMultipartUpload xmlns=\"{NAMESPACE}\">");
    for (number, etag, hash) in parts {
        // Writing to a string does not fail.
        let _ = write!(
            body,
            "<Part><ChecksumSHA256>{}</ChecksumSHA256><ETag>{}</ETag><PartNumber>{}</PartNumber></Part>",
            checksum_header(hash),
            escape(*etag),
            number.get()
        );
    }
    body + "</CompleteMultipartUpload>"
}

/// The body of RestoreObject. `tier` is a word of the contract.
pub(super) fn restore_body(days: Option<NonZeroU32>, tier: &str) -> String {
    let days = days.map(|days| format!("<Days>{days}</Days>")).unwrap_or_default();
    format!(
        "<RestoreRequest xmlns=\"{NAMESPACE}\">{days}<GlacierJobParameters><Tier>{tier}</Tier></GlacierJobParameters>\
         </RestoreRequest>"
    )
}

/// The body of PutObjectTagging.
pub(super) fn tagging_body(tags: &[(String, String)]) -> String {
    let tag = |(key, value): &(String, String)| {
        format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", escape(key), escape(value))
    };
    let tags: String = tags.iter().map(tag).collect();
    format!("<Tagging xmlns=\"{NAMESPACE}\"><TagSet>{tags}</TagSet></Tagging>")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const SUM: &str = "FrYy8Rz5UN2mfcTBhKP54Kof+kwYknu4l359qXyiW8o=";

    fn part(number: u32, more: &str) -> String {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>&quot;e{number}&quot;</ETag><Size>5</Size>{more}</Part>")
    }

    fn parts(inner: &str) -> Vec<u8> {
        format!("<?xml version=\"1.0\"?>\n<ListPartsResult xmlns=\"{NAMESPACE}\">{inner}</ListPartsResult>").into()
    }

    #[test]
    fn a_page_of_parts_is_read_with_and_without_checksums() {
        let sum = format!("<ChecksumSHA256>{SUM}</ChecksumSHA256>");
        let document = parts(&format!(
            "<NextPartNumberMarker>2</NextPartNumberMarker><IsTruncated>true</IsTruncated>{}{}{}{}",
            part(0, ""),
            part(1, &sum),
            part(2, ""),
            part(10_001, "")
        ));
        let page = read_parts(&document).unwrap();
        let found: Vec<_> = page.parts.iter().map(|part| (part.number.get(), part.etag.as_str(), part.size)).collect();
        assert_eq!(found, [(1, "\"e1\"", 5), (2, "\"e2\"", 5)]);
        assert_eq!(page.parts[0].hash.map(|hash| checksum_header(&hash)).as_deref(), Some(SUM));
        assert_eq!((page.parts[1].hash, page.next.as_deref()), (None, Some("2")));
    }

    #[test]
    fn a_thousand_parts_and_the_next_page() {
        let many: String = (1..=1000).map(|number| part(number, "")).collect();
        let page = read_parts(&parts(&format!(
            "<IsTruncated>true</IsTruncated><NextPartNumberMarker>1000</NextPartNumberMarker>{many}"
        )))
        .unwrap();
        assert_eq!((page.parts.len(), page.next.as_deref()), (1000, Some("1000")));
    }

    #[test]
    fn a_page_of_parts_that_contradicts_itself_is_refused() {
        for inner in [
            &part(1, "<Size>5</Size>"),
            &part(1, "<ChecksumSHA256>no sum</ChecksumSHA256>"),
            &part(1, &format!("<ChecksumSHA256>{SUM}</ChecksumSHA256><ChecksumSHA256>{SUM}</ChecksumSHA256>")),
            "<Part><PartNumber>-1</PartNumber><ETag>e</ETag><Size>5</Size></Part>",
            "<Part><PartNumber>1</PartNumber><Size>5</Size></Part>",
            "<IsTruncated>true</IsTruncated>",
            "<IsTruncated>maybe</IsTruncated>",
        ] {
            assert!(read_parts(&parts(inner)).is_err(), "{inner}");
        }
    }

    #[test]
    fn a_success_may_be_an_error() {
        let done = b"   \n<CompleteMultipartUploadResult><ETag>&quot;a-2&quot;</ETag></CompleteMultipartUploadResult>";
        assert_eq!(read_completed(done), Ok(Ok("\"a-2\"".into())));
        let error = b"\n\n<Error><Code>InternalError</Code><Message>We encountered\nan error</Message></Error>";
        let expected = StoreError { code: "InternalError".into(), message: "We encounteredan error".into() };
        assert_eq!(read_completed(error), Ok(Err(expected)));
        for bad in ["", "  ", "<html/>", "<CompleteMultipartUploadResult/>"] {
            assert!(read_completed(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_code_is_a_word_or_nothing() {
        for (code, expected) in [
            ("NoSuchUpload".to_owned(), "NoSuchUpload"),
            ("a b".into(), ""),
            ("&lt;script&gt;".into(), ""),
            ("A".repeat(65), ""),
        ] {
            let document = format!("<Error><Code>{code}</Code></Error>");
            assert_eq!(read_error(document.as_bytes()).code, expected);
        }
        assert_eq!(read_error(b"<html>502</html>").code, "");
    }

    #[test]
    fn uploads_are_read_with_both_markers() {
        let upload = "<Upload><Key>a &amp; b</Key><UploadId>u</UploadId><Initiated>2026-11-21T08:21:56.632Z</Initiated>\
                      <Owner><ID>1</ID></Owner><StorageClass>GLACIER</StorageClass></Upload>";
        let list = |inner: &str| {
            read_uploads(format!("<ListMultipartUploadsResult>{inner}</ListMultipartUploadsResult>").as_bytes())
        };
        let page = list(&format!(
            "<IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker>{upload}"
        ))
        .unwrap();
        assert_eq!((page.uploads[0].key.as_str(), page.next), ("a & b", Some(("k".into(), "u".into()))));
        assert_eq!(list("<IsTruncated>false</IsTruncated>").unwrap().uploads, []);
        assert!(list("<IsTruncated>true</IsTruncated>").is_err());
        assert!(list("<Upload><Key>k</Key></Upload>").is_err());
    }

    #[test]
    fn tags_and_etags_are_escaped_and_read_back() {
        let tags = [("a".to_owned(), "<&>\"'".to_owned()), ("Größe".into(), String::new())];
        assert_eq!(read_tags(tagging_body(&tags).as_bytes()), Ok(tags.to_vec()));
        let hash = read_checksum_header(SUM).unwrap();
        let body = complete_body(&[(PartNumber::new(1).unwrap(), "\"e</ETag>\"", hash)]);
        let root = Element::parse_root(body.as_bytes(), "CompleteMultipartUpload").unwrap();
        let part = root.child("Part").unwrap().unwrap();
        assert_eq!((part.needed("ETag"), part.needed("ChecksumSHA256")), (Ok("\"e</ETag>\""), Ok(SUM)));
        let restore = |days| {
            let body = restore_body(NonZeroU32::new(days), "Bulk");
            Element::parse_root(body.as_bytes(), "RestoreRequest").unwrap()
        };
        assert!(restore(0).number("Days").is_err());
        let restore = restore(3);
        assert_eq!(restore.number("Days"), Ok(3));
    }

    #[test]
    fn only_a_rule_in_force_for_every_key_counts() {
        let rule = |status: &str, place: &str, days: u64| {
            format!(
                "<Rule><Status>{status}</Status>{place}<AbortIncompleteMultipartUpload><DaysAfterInitiation>{days}\
                 </DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>"
            )
        };
        let everywhere = "<Filter><Prefix></Prefix></Filter>";
        for (rules, days) in [
            (String::new(), None),
            ("<Rule><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>".into(), None),
            (rule("Enabled", everywhere, 7), Some(7)),
            (rule("Enabled", "<Filter/>", 7), Some(7)),
            (rule("Enabled", "<Prefix/>", 7), Some(7)),
            (rule("Enabled", "", 9) + &rule("Enabled", "", 7), Some(7)),
            (rule("Disabled", everywhere, 7), None),
            (rule("Enabled", "<Filter><Prefix>a/</Prefix></Filter>", 7), None),
            (rule("Enabled", "<Filter><And><Prefix></Prefix><Tag/></And></Filter>", 7), None),
        ] {
            let document = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
            assert_eq!(read_days_to_abort(document.as_bytes()), Ok(days), "{rules}");
        }
    }
}
