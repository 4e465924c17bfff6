//! A small store that behaves as S3 is documented to, and the gateway before it, with symbolic parts: of bytes it keeps
//! the SHA-256.

use std::collections::BTreeMap;

use glacier_core::glacier::Response;
use glacier_core::json::Json;
use glacier_core::s3::{CompositeChecksum, Intent, ObjectChecksum, checksum_header};
use glacier_core::{PartDigest, PartPlan, PartSize, PayloadHash, TreeHash};

use crate::refusal::refusal;

#[derive(Debug, Default)]
pub struct S3Store {
    uploads: BTreeMap<String, Open>,
    /// What is there under the one key that is ever used.
    pub object: Option<Object>,
    /// How many times an object was made.
    pub made: u32,
    /// Something else was there, and is not any more.
    pub overwritten: u32,
    /// The page sees no header of the bucket's answers but those that every page may.
    pub hides_headers: bool,
    pub created: u32,
    pub listed: u32,
    pub parts_stored: u32,
}

#[derive(Debug)]
struct Open {
    size: u64,
    part_size: PartSize,
    overwrite: bool,
    parts: BTreeMap<u32, (u64, PayloadHash)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub checksum: ObjectChecksum,
    pub size: u64,
    pub tree_hash: Option<TreeHash>,
    pub foreign: bool,
}

/// Few, so that small uploads have several.
const PAGE: usize = 7;

fn answer<const N: usize>(status: u16, members: [(&str, Json); N]) -> Response {
    Response { status, headers: Vec::new(), body: Some(Json::object(members)) }
}

fn text(text: impl ToString) -> Json {
    Json::Text(text.to_string())
}

fn gone() -> Response {
    refusal(404, "NoSuchUpload", "The specified upload does not exist.")
}

impl S3Store {
    /// Carries out a request. `body` is what the bytes that arrived with it hash to.
    pub fn handle(&mut self, intent: &Intent, body: Option<PartDigest>) -> Response {
        match intent {
            Intent::PutObject { size, payload_hash, tree_hash, overwrite, .. } => {
                if self.object.is_some() && !overwrite {
                    return refusal(412, "PreconditionFailed", "At least one of the pre-conditions did not hold");
                }
                if body.map(|body| body.payload_hash) != Some(*payload_hash) {
                    return refusal(
                        400,
                        "BadDigest",
                        "The SHA256 you specified did not match the calculated checksum.",
                    );
                }
                let checksum = ObjectChecksum::Whole(*payload_hash);
                self.make(Object { checksum, size: *size, tree_hash: Some(*tree_hash), foreign: false });
                self.stored(payload_hash)
            }
            Intent::CreateMultipartUpload { size, part_size, overwrite, .. } => {
                self.created += 1;
                let handle = format!("handle.{}", self.created);
                let open = Open { size: *size, part_size: *part_size, overwrite: *overwrite, parts: BTreeMap::new() };
                self.uploads.insert(handle.clone(), open);
                answer(201, [("upload", text(handle))])
            }
            Intent::UploadPart { upload, part_number, payload_hash, size } => {
                let Some(open) = self.uploads.get_mut(upload.as_str()) else { return gone() };
                if body.map(|body| body.payload_hash) != Some(*payload_hash) {
                    return refusal(
                        400,
                        "BadDigest",
                        "The SHA256 you specified did not match the calculated checksum.",
                    );
                }
                let plan = PartPlan::exact(open.size, open.part_size).unwrap();
                let planned = plan.range(part_number.index()).unwrap().len();
                let len = size.unwrap_or(planned);
                assert!((1..=planned).contains(&len), "a part longer than planned");
                open.parts.insert(part_number.index(), (len, *payload_hash));
                self.parts_stored += 1;
                self.stored(payload_hash)
            }
            Intent::ListParts { upload, marker } => {
                let Some(open) = self.uploads.get(upload.as_str()) else { return gone() };
                self.listed += 1;
                let from: u32 = marker.as_ref().map_or(0, |marker| marker.parse().unwrap());
                let rest: Vec<_> = open.parts.range(from..).collect();
                let parts = rest.iter().take(PAGE).map(|(index, (len, hash))| {
                    Json::object([
                        ("partNumber", Json::Number(u64::from(**index) + 1)),
                        ("size", Json::Number(*len)),
                        ("payloadHash", text(hash)),
                    ])
                });
                let marker = rest.get(PAGE).map_or(Json::Null, |(index, _)| text(index));
                answer(200, [("parts", Json::List(parts.collect())), ("marker", marker)])
            }
            Intent::CompleteMultipartUpload { upload, size, checksum, tree_hash } => {
                self.complete(upload.as_str(), *size, *checksum, *tree_hash)
            }
            Intent::AbortMultipartUpload { upload } => {
                self.uploads.remove(upload.as_str());
                Response { status: 204, ..Response::default() }
            }
            Intent::HeadObject { .. } => match &self.object {
                None => refusal(404, "NoSuchKey", "The specified key does not exist."),
                Some(object) => answer(200, head(object)),
            },
            other => panic!("an upload has no use for {}", other.op()),
        }
    }

    fn make(&mut self, object: Object) {
        self.made += 1;
        self.overwritten += u32::from(self.object.as_ref().is_some_and(|before| before.checksum != object.checksum));
        self.object = Some(object);
    }

    fn stored(&self, hash: &PayloadHash) -> Response {
        let headers = if self.hides_headers {
            Vec::new()
        } else {
            vec![
                ("etag".to_owned(), "\"etag\"".to_owned()),
                ("x-amz-checksum-sha256".to_owned(), checksum_header(hash)),
            ]
        };
        Response { status: 200, headers, body: None }
    }

    /// As the gateway does it: nothing is completed that is not what the page has.
    fn complete(&mut self, handle: &str, size: u64, checksum: CompositeChecksum, tree_hash: TreeHash) -> Response {
        let made = answer(
            200,
            [
                ("bucket", text("photos")),
                ("key", text("a")),
                ("versionId", Json::Null),
                ("etag", text("etag")),
                ("checksum", text(checksum)),
                ("size", Json::Number(size)),
                ("treeHashKept", Json::Bool(true)),
            ],
        );
        let is_there = self
            .object
            .as_ref()
            .is_some_and(|object| object.checksum == ObjectChecksum::Composite(checksum) && object.size == size);
        let Some(open) = self.uploads.get(handle) else {
            return if is_there { made } else { gone() };
        };
        let n_parts = size.div_ceil(open.part_size.bytes());
        let in_order = (0..).zip(open.parts.keys()).all(|(nth, index): (u32, &u32)| nth == *index);
        let total: u64 = open.parts.values().map(|(len, _)| len).sum();
        let composite = CompositeChecksum::of_parts(open.parts.values().map(|(_, hash)| *hash));
        let is_whole = in_order && u64::try_from(open.parts.len()).unwrap() == n_parts && total == size;
        if !is_whole || composite != Some(checksum) {
            return refusal(400, "InvalidPart", "The parts that are stored are not those that were sent.");
        }
        if self.object.is_some() && !open.overwrite {
            return if is_there { made } else { refusal(412, "PreconditionFailed", "It is there.") };
        }
        self.uploads.remove(handle);
        let checksum = ObjectChecksum::Composite(checksum);
        self.make(Object { checksum, size, tree_hash: Some(tree_hash), foreign: false });
        made
    }

    /// Somebody else stores another object of the same key, where there is none.
    pub fn occupy(&mut self) -> bool {
        let hash = PayloadHash::of(b"somebody else's");
        let is_free = self.object.is_none();
        self.object.get_or_insert(Object {
            checksum: ObjectChecksum::Whole(hash),
            size: 15,
            tree_hash: None,
            foreign: true,
        });
        is_free
    }

    /// A lifecycle rule removes what is not complete.
    pub fn expire(&mut self) -> bool {
        let any = !self.uploads.is_empty();
        self.uploads.clear();
        any
    }

    /// A part is lost on the store's side.
    pub fn lose_part(&mut self, nth: usize) -> bool {
        self.uploads.values_mut().any(|open| {
            let index = open.parts.keys().nth(nth % open.parts.len().max(1)).copied();
            index.is_some_and(|index| open.parts.remove(&index).is_some())
        })
    }

    pub fn has_part(&self, index: u32) -> bool {
        self.uploads.values().any(|open| open.parts.contains_key(&index))
    }

    pub fn n_open(&self) -> usize {
        self.uploads.len()
    }

    pub fn is_open(&self, handle: &str) -> bool {
        self.uploads.contains_key(handle)
    }
}

fn head(object: &Object) -> [(&'static str, Json); 11] {
    [
        ("size", Json::Number(object.size)),
        ("storageClass", text("GLACIER")),
        ("etag", text("etag")),
        ("versionId", Json::Null),
        ("lastModified", text("2026-03-20T17:03:43Z")),
        ("checksum", text(object.checksum)),
        ("checksumType", text(object.checksum.kind())),
        ("treeHash", object.tree_hash.map_or(Json::Null, text)),
        ("metadata", Json::object([])),
        ("restore", Json::Null),
        ("archived", Json::Bool(true)),
    ]
}
