//! A small store that behaves as Glacier's multipart upload is documented to, with symbolic parts: of a part's bytes
//! it keeps the tree hash.

use std::collections::BTreeMap;

use glacier_core::glacier::{ArchiveId, Response};
use glacier_core::intent::Intent;
use glacier_core::json::Json;
use glacier_core::upload::Stored;
use glacier_core::{ByteRange, PartSize, TreeHash, tree_hash};

use crate::refusal::refusal;

#[derive(Debug, Default)]
pub struct Store {
    uploads: BTreeMap<String, Open>,
    /// Tombstones: upload ID to archive, so that CompleteMultipartUpload can be repeated.
    completed: BTreeMap<String, Archive>,
    pub archives: Vec<Archive>,
    pub vault_is_missing: bool,
    /// UploadMultipartPart requests that were carried out.
    pub parts_stored: u32,
    /// What they held, in order of arrival.
    pub arrived: Vec<ByteRange>,
    pub initiated: u32,
    pub listed: u32,
}

#[derive(Debug)]
struct Open {
    part_size: PartSize,
    parts: BTreeMap<u64, (ByteRange, TreeHash)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    pub id: String,
    pub tree_hash: TreeHash,
    pub size: u64,
}

impl Archive {
    /// As the machine names it.
    pub fn stored(&self) -> Stored {
        Stored::Archive(ArchiveId::new(self.id.as_str()).unwrap())
    }
}

const PAGE: usize = 50;

fn success(status: u16, headers: &[(&str, String)]) -> Response {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Response { status, headers, body: None }
}

fn bad_value(message: &str) -> Response {
    refusal(400, "InvalidParameterValueException", message)
}

impl Store {
    /// Carries out a request. `body` is the tree hash of the bytes that arrived with it.
    pub fn handle(&mut self, intent: &Intent, body: Option<TreeHash>) -> Response {
        if self.vault_is_missing {
            return refusal(404, "ResourceNotFoundException", "Vault not found for ARN: arn");
        }
        let gone = || refusal(404, "ResourceNotFoundException", "The upload ID was not found: id");
        match intent {
            Intent::InitiateMultipartUpload { part_size, .. } => {
                self.initiated += 1;
                let id = format!("upload-{}", self.initiated);
                self.uploads.insert(id.clone(), Open { part_size: *part_size, parts: BTreeMap::new() });
                success(201, &[("x-amz-multipart-upload-id", id)])
            }
            Intent::UploadMultipartPart { upload_id, range, tree_hash, .. } => {
                let Some(open) = self.uploads.get_mut(upload_id.as_str()) else { return gone() };
                if body != Some(*tree_hash) {
                    return bad_value("Checksum mismatch: expected a, computed b");
                }
                open.parts.insert(range.start(), (*range, *tree_hash));
                self.parts_stored += 1;
                self.arrived.push(*range);
                success(204, &[("x-amz-sha256-tree-hash", tree_hash.to_string())])
            }
            Intent::ListParts { upload_id, marker, .. } => {
                let Some(open) = self.uploads.get(upload_id.as_str()) else { return gone() };
                self.listed += 1;
                let from: u64 = marker.as_ref().map_or(0, |marker| marker.parse().unwrap());
                let rest: Vec<_> = open.parts.range(from..).map(|(_, part)| part).collect();
                let parts = rest.iter().take(PAGE).map(|(range, tree_hash)| {
                    let tree_hash = Json::Text(tree_hash.to_string());
                    Json::object([("RangeInBytes", Json::Text(range.inclusive())), ("SHA256TreeHash", tree_hash)])
                });
                let marker = rest.get(PAGE).map_or(Json::Null, |(range, _)| Json::Text(range.start().to_string()));
                let part_size = Json::Number(open.part_size.bytes());
                let page = [("PartSizeInBytes", part_size), ("Parts", Json::List(parts.collect())), ("Marker", marker)];
                Response { status: 200, headers: Vec::new(), body: Some(Json::object(page)) }
            }
            Intent::CompleteMultipartUpload { upload_id, size, tree_hash, .. } => {
                self.complete(upload_id.as_str(), *size, *tree_hash).unwrap_or_else(gone)
            }
            Intent::AbortMultipartUpload { upload_id, .. } => match self.uploads.remove(upload_id.as_str()) {
                Some(_) => success(204, &[]),
                None => gone(),
            },
            other => panic!("an upload has no use for {}", other.op()),
        }
    }

    fn complete(&mut self, id: &str, size: u64, tree_hash: TreeHash) -> Option<Response> {
        if let Some(archive) = self.completed.get(id) {
            return Some(created(archive));
        }
        let open = self.uploads.get(id)?;
        let mut at = 0;
        for (range, _) in open.parts.values() {
            let whole = range.len() == open.part_size.bytes() || range.end() == size;
            if range.start() != at || !whole {
                return Some(bad_value("Parts of the archive are missing or overlap."));
            }
            at = range.end();
        }
        let hashes: Vec<TreeHash> = open.parts.values().map(|(_, tree_hash)| *tree_hash).collect();
        if at != size || tree_hash::combine(&hashes) != tree_hash {
            return Some(bad_value("Invalid x-amz-sha256-tree-hash: hash"));
        }
        self.uploads.remove(id);
        let archive = Archive { id: format!("archive-of-{id}"), tree_hash, size };
        self.archives.push(archive.clone());
        self.completed.insert(id.to_owned(), archive.clone());
        Some(created(&archive))
    }

    /// A day without activity passed.
    pub fn expire(&mut self) -> bool {
        let any = !self.uploads.is_empty();
        self.uploads.clear();
        any
    }

    /// The store forgets which archives were made of which uploads.
    pub fn forget_completed(&mut self) {
        self.completed.clear();
    }

    /// A part is lost on the store's side.
    pub fn lose_part(&mut self, nth: usize) -> bool {
        self.uploads.values_mut().any(|open| {
            let start = open.parts.keys().nth(nth % open.parts.len().max(1)).copied();
            start.is_some_and(|start| open.parts.remove(&start).is_some())
        })
    }

    pub fn is_open(&self, id: &str) -> bool {
        self.uploads.contains_key(id)
    }

    /// Whether the store has the part that begins there.
    pub fn has_part(&self, start: u64) -> bool {
        self.uploads.values().any(|open| open.parts.contains_key(&start))
    }

    pub fn n_open(&self) -> usize {
        self.uploads.len()
    }
}

fn created(archive: &Archive) -> Response {
    let hash = archive.tree_hash.to_string();
    success(201, &[("x-amz-archive-id", archive.id.clone()), ("x-amz-sha256-tree-hash", hash)])
}
