//! What earlier visits left unfinished.

use std::rc::Rc;

use glacier_core::error::{ErrorCode, UploadError};
use glacier_core::upload::Record;
use web_sys::Blob;

use crate::file;
use crate::keeping::{Kept, NotHad, lock_name};
use crate::lock;
use crate::upload::Upload;
use crate::uploader::Uploader;

/// One upload of an earlier visit, or of another tab.
#[derive(Clone)]
pub(crate) struct Unfinished {
    uploader: Rc<Uploader>,
    pub(crate) record: Rc<Record>,
    /// Whether somebody was at it when the list was made.
    pub(crate) in_use: bool,
}

impl Unfinished {
    /// All of them, those begun first first. None where nothing can be kept.
    pub(crate) async fn of(uploader: Rc<Uploader>) -> Vec<Self> {
        let records = uploader.records().await.unwrap_or_default();
        let held = lock::held().await;
        let unfinished = |record: Record| {
            let in_use = held.contains(&lock_name(&record));
            Self { uploader: Rc::clone(&uploader), record: Rc::new(record), in_use }
        };
        records.into_iter().map(unfinished).collect()
    }

    /// Goes on with it; without a file only to be aborted.
    pub(crate) async fn go_on(&self, blob: Option<Blob>) -> Result<Rc<Upload>, UploadError> {
        let blob = match blob {
            Some(blob) => {
                let no_file = || UploadError::new(ErrorCode::InvalidOption, "the file must be a File");
                self.record.check(&file::identity(&blob).ok_or_else(no_file)?)?;
                blob
            }
            None => Blob::new().map_err(|_| UploadError::new(ErrorCode::Unsupported, "no Blob can be made"))?,
        };
        self.uploader.go_on(self.take().await?, blob)
    }

    async fn take(&self) -> Result<Kept, UploadError> {
        let taken = Kept::take(Rc::clone(self.uploader.journal()), &self.record).await;
        taken.map_err(|why| match why {
            NotHad::InUse => {
                UploadError::new(ErrorCode::UploadInUse, "this upload is going on, in another tab or in this one")
            }
            NotHad::Gone => {
                UploadError::new(ErrorCode::UploadExpired, "this upload was finished or discarded meanwhile")
                    .hint("Ask again for what is unfinished, or upload the file anew.")
            }
        })
    }
}
