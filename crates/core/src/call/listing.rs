//! A list that comes in pages.

use super::Answer;
use crate::error::{ErrorCode, UploadError};
use crate::glacier::{UploadId, VaultName};
use crate::intent::Intent;
use crate::s3::{self, BucketName, KeyPrefix};
use crate::settings::JobFilter;

/// What is listed.
#[derive(Clone, Debug)]
pub enum List {
    /// The account's vaults.
    Vaults,
    /// The uploads of a vault that are neither completed nor aborted.
    Uploads(VaultName),
    /// The parts of an upload.
    Parts(VaultName, UploadId),
    /// The jobs of a vault.
    Jobs(VaultName, JobFilter),
    /// The uploads of a bucket that are neither completed nor aborted, of keys that begin like that.
    ObjectUploads(BucketName, Option<KeyPrefix>),
}

/// A list on its way: one page is asked for when the one before is used up, and none twice.
#[derive(Clone, Debug)]
pub struct Listing {
    list: List,
    marker: Option<String>,
    over: bool,
}

impl Listing {
    /// From the first page on.
    pub const fn new(list: List) -> Self {
        Self { list, marker: None, over: false }
    }

    /// The request for the next page; `None` after the last, and after [`end`](Self::end).
    pub fn next_page(&self) -> Option<Intent> {
        if self.over {
            return None;
        }
        let marker = self.marker.clone();
        Some(match self.list.clone() {
            List::Vaults => Intent::ListVaults { marker },
            List::Uploads(vault) => Intent::ListMultipartUploads { vault, marker },
            List::Parts(vault, upload_id) => Intent::ListParts { vault, upload_id, marker },
            List::Jobs(vault, JobFilter { completed, status }) => {
                Intent::ListJobs { vault, status_code: status, completed, marker }
            }
            List::ObjectUploads(bucket, prefix) => {
                Intent::S3(s3::Intent::ListMultipartUploads { bucket, prefix, marker })
            }
        })
    }

    /// Takes the answer to [`next_page`](Self::next_page).
    ///
    /// # Errors
    /// [`ErrorCode::NotOurServer`] where the page after it is the same again, which would go on for ever.
    pub fn turn(&mut self, page: &Answer) -> Result<(), UploadError> {
        let next = match page {
            Answer::Vaults(page) => &page.marker,
            Answer::Uploads(page) => &page.marker,
            Answer::Parts(page) => &page.marker,
            Answer::Jobs(page) => &page.marker,
            Answer::ObjectUploads(page) => &page.marker,
            _ => &None,
        };
        self.over = next.is_none();
        if next.is_some() && *next == self.marker {
            self.over = true;
            let words = "The store's list goes in a circle: a page is followed by itself";
            return Err(UploadError::new(ErrorCode::NotOurServer, words));
        }
        self.marker.clone_from(next);
        Ok(())
    }

    /// Nothing more is wanted.
    pub const fn end(&mut self) {
        self.over = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glacier::list_vaults::Page;

    fn page(marker: Option<&str>) -> Answer {
        Answer::Vaults(Page { vaults: Vec::new(), marker: marker.map(str::to_owned) })
    }

    #[test]
    fn pages_follow_each_other_to_the_last() {
        let mut listing = Listing::new(List::Vaults);
        for (asked, next) in [(None, Some("a")), (Some("a"), Some("b")), (Some("b"), None)] {
            let marker = asked.map(str::to_owned);
            assert_eq!(listing.next_page(), Some(Intent::ListVaults { marker }));
            listing.turn(&page(next)).unwrap();
        }
        assert_eq!(listing.next_page(), None);
    }

    #[test]
    fn a_circle_ends() {
        let mut listing = Listing::new(List::Vaults);
        listing.turn(&page(Some("a"))).unwrap();
        assert_eq!(listing.turn(&page(Some("a"))).unwrap_err().code, ErrorCode::NotOurServer);
        assert_eq!(listing.next_page(), None);
    }
}
