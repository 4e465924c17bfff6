//! Objects of a bucket, and the wait until one of them can be read.

use std::cell::RefCell;
use std::rc::Rc;

use glacier_core::call::Answer;
use glacier_core::download::{ObjectSource, Source};
use glacier_core::error::{ErrorCode, UploadError};
use glacier_core::job_watch::Seen;
use glacier_core::s3::head_object::ObjectHead;
use glacier_core::s3::restore_object::{self, RestoreOptions};
use glacier_core::s3::{BucketName, ObjectKey, VersionId};
use glacier_core::{Intent, s3};
use wasm_bindgen::prelude::JsValue;
use web_sys::AbortSignal;

use crate::call::{Failure, call};
use crate::file;
use crate::session::Session;
use crate::vaults::{date, object};
use crate::waiting::{self, Question};

/// A bucket of a session.
#[derive(Clone)]
pub(crate) struct Bucket {
    pub(crate) session: Rc<Session>,
    pub(crate) name: BucketName,
}

/// An object by its name.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) bucket: Bucket,
    pub(crate) key: ObjectKey,
    pub(crate) version_id: Option<VersionId>,
}

impl Named {
    /// Asks what it is.
    pub(crate) async fn look(&self, signal: Option<AbortSignal>) -> Result<ObjectSource, Failure> {
        let Self { bucket, key, version_id } = self.clone();
        let intent = s3::Intent::HeadObject { bucket: bucket.name.clone(), key: key.clone(), version_id };
        let Answer::Object(head) = call(bucket.session, Intent::S3(intent), signal).await? else {
            return Err(UploadError::new(ErrorCode::Internal, "HeadObject had another operation's answer").into());
        };
        Ok(ObjectSource { bucket: bucket.name, key, version_id: self.version_id.clone(), head: *head })
    }

    /// To be removed.
    pub(crate) fn deletion(&self) -> Intent {
        let (bucket, key, version_id) = (self.bucket.name.clone(), self.key.clone(), self.version_id.clone());
        Intent::S3(s3::Intent::DeleteObject { bucket, key, version_id })
    }
}

/// A restore, also of an object that needs none.
pub(crate) struct Restore {
    session: Rc<Session>,
    /// As of the last answer.
    pub(crate) object: RefCell<ObjectSource>,
}

impl Restore {
    /// Has the object restored, if that is needed.
    pub(crate) async fn start(
        named: Named,
        options: RestoreOptions,
        signal: Option<AbortSignal>,
    ) -> Result<Rc<Self>, Failure> {
        let session = Rc::clone(&named.bucket.session);
        let object = RefCell::new(named.look(signal.clone()).await?);
        let intent = restore_object::intent(&object.borrow(), options)?;
        let restore = Rc::new(Self { session, object });
        if let Some(intent) = intent {
            call(Rc::clone(&restore.session), Intent::S3(intent), signal.clone()).await?;
            restore.refresh(signal).await?;
        }
        Ok(restore)
    }

    /// Asks the store how far it is.
    pub(crate) async fn refresh(&self, signal: Option<AbortSignal>) -> Result<(), Failure> {
        let before = self.object.borrow().clone();
        let bucket = Bucket { session: Rc::clone(&self.session), name: before.bucket.clone() };
        let version_id = before.seen_version().cloned();
        let now = Named { bucket, key: before.key.clone(), version_id }.look(signal).await?;
        self.object.replace(before.seen_again(now.head)?);
        Ok(())
    }

    /// Waits until it can be read.
    pub(crate) async fn done(self: &Rc<Self>, signal: Option<AbortSignal>) -> Result<(), Failure> {
        let seen = Seen::from(&self.object.borrow().head);
        let ask = || -> Question {
            let (restore, signal) = (Rc::clone(self), signal.clone());
            Box::pin(async move {
                restore.refresh(signal).await?;
                Ok(Seen::from(&restore.object.borrow().head))
            })
        };
        // Nobody tells when a restore is done.
        waiting::wait(&self.session, seen, signal.clone(), &ask, &|_| None).await
    }

    pub(crate) fn source(&self) -> Source {
        Source::Object(Box::new(self.object.borrow().clone()))
    }

    pub(crate) const fn session(&self) -> &Rc<Session> {
        &self.session
    }
}

/// What an object is, as plain data.
pub(crate) fn object_head(head: &ObjectHead) -> JsValue {
    let text = |text: Option<&str>| text.map_or(JsValue::NULL, JsValue::from);
    let restore = head.restore.as_ref().map_or(JsValue::NULL, |restore| {
        let expires_at = restore.expiry.as_ref().map_or(JsValue::NULL, |expiry| date(expiry.as_str()));
        object(&[("ongoing", restore.ongoing.into()), ("expiresAt", expires_at)]).into()
    });
    let metadata: Vec<(&str, JsValue)> =
        head.metadata.iter().map(|(name, value)| (name.as_str(), value.into())).collect();
    object(&[
        ("size", file::count(head.size)),
        ("storageClass", head.storage_class.as_str().into()),
        (s3::header::ETAG, head.etag.as_str().into()),
        ("versionId", text(head.version_id.as_ref().map(VersionId::as_str))),
        ("lastModified", date(head.last_modified.as_str())),
        ("contentType", text(head.content_type.as_deref())),
        ("checksum", text(head.checksum.map(|checksum| checksum.to_string()).as_deref())),
        ("treeHash", text(head.tree_hash.map(|hash| hash.to_string()).as_deref())),
        ("metadata", object(&metadata).into()),
        ("archived", head.archived.into()),
        ("restore", restore),
    ])
    .into()
}
