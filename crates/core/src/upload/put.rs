//! An object in one request, and what is done about a lost answer to it.
//!
//! Without `overwrite` S3 stores an object only where there is none, so that a request may be repeated: once the object is
//! there, the repetition is refused. Whether it is ours or somebody else's is then seen by its checksum.

use super::Upload;
use super::parts::Step;
use super::stage::{Call, Looking, Phase, Put, Stage};
use super::target::{Stored, StoredObject};
use crate::clock::{Instant, Jitter};
use crate::error::{ErrorCode, UploadError};
use crate::glacier::Response;
use crate::retry::Operation;
use crate::retry::fault::Fault;
use crate::s3::head_object::ObjectHead;
use crate::s3::upload_part::Acknowledgement;
use crate::s3::{ObjectChecksum, put_object};
use crate::tree_hash::PartDigest;

impl Upload {
    fn put_mut(&mut self) -> Option<&mut Put> {
        match &mut self.phase {
            Phase::Running(Stage::Put(put)) => Some(put),
            _ => None,
        }
    }

    /// The request is on its way. A later visit has to know that.
    pub(super) fn put_begins(&mut self, now: Instant) {
        let Some(put) = self.put_mut() else { return };
        put.doubt_before = std::mem::replace(&mut put.doubt, true);
        if !put.doubt_before {
            let (_, save) = self.save_journal(now);
            self.outbox.push_back(save);
        }
    }

    /// The request was answered.
    pub(super) fn put_answered(
        &mut self,
        part: u32,
        digest: &PartDigest,
        response: &Response,
        now: Instant,
        jitter: Jitter,
    ) {
        let Some(object) = self.config.target.object() else { return };
        match put_object::read(response, &digest.payload_hash) {
            Ok(put_object::Stored { acknowledgement: Acknowledgement::Confirmed, etag, version_id }) => {
                let made = object.stored(ObjectChecksum::Whole(digest.payload_hash));
                let made = StoredObject { etag, version_id, ..made };
                self.put_done(part, digest, made);
            }
            Ok(_) => self.look(part, digest, false),
            Err(error) => {
                // A code is S3's own word that it did not; below 500 at least.
                let definite = response.status == 412 || response.service_error().code.is_some();
                let Some(put) = self.put_mut() else { return };
                if definite && response.status < 500 {
                    put.doubt = put.doubt_before;
                }
                if response.status == 412 && put.doubt_before {
                    return self.look(part, digest, true);
                }
                self.part_fault(part, Fault::answer(Operation::S3PutObject, error, response), now, jitter);
            }
        }
    }

    /// Asks what is there.
    fn look(&mut self, part: u32, digest: &PartDigest, refused: bool) {
        if let Some(active) = self.parts.active.get_mut(&part) {
            active.step = Step::Hashed(*digest);
        }
        if let Some(put) = self.put_mut() {
            put.looking = Some(Looking { call: Call::default(), refused });
        }
    }

    /// What is there is known.
    pub(super) fn looked(&mut self, head: ObjectHead, now: Instant) {
        let refused = self.put_mut().and_then(|put| put.looking.as_ref()).is_some_and(|looking| looking.refused);
        let digest = self.parts.records().next().and_then(|(_, record)| record.digest);
        let (Some(object), Some(digest)) = (self.config.target.object(), digest) else { return };
        let checksum = ObjectChecksum::Whole(digest.payload_hash);
        if head.checksum == Some(checksum) && head.size == self.parts.plan().size() {
            let made = StoredObject {
                version_id: head.version_id,
                etag: Some(head.etag),
                tree_hash_kept: head.tree_hash == Some(digest.tree_hash),
                ..object.stored(checksum)
            };
            return self.put_done(0, &digest, made);
        }
        if refused {
            // Whatever became of the earlier request, it did not make this.
            let words = "The bucket has another object of that key, and it was not to be overwritten";
            return self.fail(UploadError::new(ErrorCode::ObjectExists, words), now);
        }
        if head.checksum.is_none() {
            let words = "The store keeps no SHA-256 of the object, so that nothing proves what it holds";
            let error = UploadError::new(ErrorCode::Unsupported, words);
            return self.fail(error.hint("Use a store that keeps the checksums of S3, or another target."), now);
        }
        self.put_again(now);
    }

    /// What S3 said to have stored is not there.
    pub(super) fn put_again(&mut self, now: Instant) {
        let Some(put) = self.put_mut() else { return };
        put.looking = None;
        if !self.may_reread(0) {
            let words = "The store said that it had stored the object, and does not hold it";
            self.fail(UploadError::new(ErrorCode::ChecksumMismatchPart, words).retryable(true), now);
        }
    }

    fn put_done(&mut self, part: u32, digest: &PartDigest, made: StoredObject) {
        self.parts.note_confirmed(part);
        self.release(part);
        self.done(Stored::Object(made), digest.tree_hash);
    }
}
