//! The tree hash of an object of parts, kept as a tag.
//!
//! It is known only when the last byte has been read, and metadata are fixed when the upload is opened; tags can be set
//! at any time and in every storage class. Garage 2.5 has none: it answers 501 and drops tags that are sent with an
//! upload without a word.

use glacier_core::TreeHash;
use glacier_core::intent::RefusalCode;
use glacier_core::s3::{Kept, TREE_HASH_NAME, VersionId};
use http::{Method, StatusCode};

use super::call::Call;
use super::document::{read_tags, tagging_body};
use super::endpoint::Place;
use super::{S3, S3Refused};

/// Most tags of an object.
const MAX_TAGS: usize = 10;

/// How often it is tried to set the tag.
const ATTEMPTS: u32 = 3;

impl S3 {
    /// The object's tags, or `None` where the store or the gateway's permissions know of none.
    pub(super) async fn tags(
        &self,
        place: &Place,
        version_id: Option<&VersionId>,
    ) -> Result<Option<Vec<(String, String)>>, S3Refused> {
        let call = Call::new(Method::GET, place.clone())
            .query("tagging", "")
            .query_if("versionId", version_id.map(VersionId::as_str));
        let answer = self.call(&call).await?;
        if matches!(answer.status, StatusCode::NOT_IMPLEMENTED | StatusCode::FORBIDDEN) {
            return Ok(None);
        }
        let unreadable = |_| S3Refused::unavailable("the store's tags make no sense");
        read_tags(&answer.success()?.body).map(Some).map_err(unreadable)
    }

    /// Sets the tag beside those that are there. Says whether it is kept.
    pub(super) async fn keep_tree_hash(
        &self,
        place: &Place,
        version_id: Option<&VersionId>,
        tree_hash: &TreeHash,
    ) -> bool {
        for _ in 0..ATTEMPTS {
            match self.set_tag(place, version_id, tree_hash).await {
                Ok(is_kept) => return is_kept,
                // The object is stored and proved; without its tag it is read back by the checksums of its parts.
                Err(refused) => tracing::warn!(code = refused.code(), "the tree hash was not kept"),
            }
        }
        false
    }

    async fn set_tag(
        &self,
        place: &Place,
        version_id: Option<&VersionId>,
        tree_hash: &TreeHash,
    ) -> Result<bool, S3Refused> {
        // All tags are set at once, so that those that the page gave have to be given again.
        let Some(mut tags) = self.tags(place, version_id).await? else { return Ok(false) };
        let tag = (TREE_HASH_NAME.to_owned(), tree_hash.to_string());
        if tags.contains(&tag) {
            return Ok(true);
        }
        tags.retain(|(key, _)| key != TREE_HASH_NAME);
        tags.push(tag);
        if tags.len() > MAX_TAGS {
            return Ok(false);
        }
        let call = Call::new(Method::PUT, place.clone())
            .query("tagging", "")
            .query_if("versionId", version_id.map(VersionId::as_str))
            .xml(tagging_body(&tags));
        let answer = self.call(&call).await?;
        if matches!(answer.status, StatusCode::NOT_IMPLEMENTED | StatusCode::FORBIDDEN) {
            return Ok(false);
        }
        answer.success().map(|_| true)
    }

    /// Refuses tags where the store would drop them.
    pub(super) async fn check_keeps_tags(&self, place: &Place, kept: &Kept<'_>) -> Result<(), S3Refused> {
        if kept.tags.is_none() || self.endpoint.is_amazon() {
            return Ok(());
        }
        let call = Call::new(Method::GET, place.clone()).query("tagging", "");
        if self.call(&call).await?.status == StatusCode::NOT_IMPLEMENTED {
            return Err(S3Refused::gateway(
                RefusalCode::InvalidRequest,
                "this store keeps no tags; use metadata instead",
            ));
        }
        Ok(())
    }
}
