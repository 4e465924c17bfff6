//! A job as a page sees it, and the wait for its end.

use std::cell::RefCell;
use std::rc::Rc;

use glacier_core::Intent;
use glacier_core::call::Answer;
use glacier_core::download::Source;
use glacier_core::error::{ErrorCode, UploadError};
use glacier_core::glacier::JobId;
use glacier_core::glacier::describe_job::JobDescription;
use glacier_core::glacier::initiate_job::JobParameters;
use glacier_core::job_watch::Seen;
use web_sys::AbortSignal;

use crate::call::{Failure, call};
use crate::vaults::Vault;
use crate::waiting::{self, Question};

/// A job, and what is known of it.
pub(crate) struct Job {
    pub(crate) vault: Vault,
    /// As of the last answer.
    pub(crate) description: RefCell<JobDescription>,
}

impl Job {
    pub(crate) fn new(vault: Vault, description: JobDescription) -> Rc<Self> {
        Rc::new(Self { vault, description: RefCell::new(description) })
    }

    /// Asks the store for a job.
    pub(crate) async fn describe(
        vault: Vault,
        job_id: JobId,
        signal: Option<AbortSignal>,
    ) -> Result<JobDescription, Failure> {
        let intent = Intent::DescribeJob { vault: vault.name.clone(), job_id };
        match call(Rc::clone(&vault.session), intent, signal).await? {
            Answer::Job(description) => Ok(*description),
            _ => Err(UploadError::new(ErrorCode::Internal, "DescribeJob had another operation's answer").into()),
        }
    }

    /// Starts a job.
    pub(crate) async fn start(
        vault: Vault,
        job: JobParameters,
        signal: Option<AbortSignal>,
    ) -> Result<Rc<Self>, Failure> {
        let intent = Intent::InitiateJob { vault: vault.name.clone(), job };
        let Answer::JobStarted(job_id) = call(Rc::clone(&vault.session), intent, signal.clone()).await? else {
            return Err(UploadError::new(ErrorCode::Internal, "InitiateJob had another operation's answer").into());
        };
        match Self::describe(vault.clone(), job_id.clone(), signal).await {
            Ok(description) => Ok(Self::new(vault, description)),
            Err(Failure::Error(error, thrown)) => {
                let hint = ["The job was started and has the ID ", job_id.as_str(), ": see job() and jobs()."].concat();
                Err(Failure::Error(error.hint(hint), thrown))
            }
            Err(Failure::Aborted) => Err(Failure::Aborted),
        }
    }

    /// What it made, to be downloaded.
    pub(crate) fn source(&self) -> Source {
        Source::Job { vault: self.vault.name.clone(), job: Box::new(self.description.borrow().clone()) }
    }

    /// Asks the store how far it is.
    pub(crate) async fn refresh(&self, signal: Option<AbortSignal>) -> Result<(), Failure> {
        let job_id = self.description.borrow().job_id.clone();
        let description = Self::describe(self.vault.clone(), job_id, signal).await?;
        self.description.replace(description);
        Ok(())
    }

    /// Waits until it has succeeded.
    pub(crate) async fn done(self: &Rc<Self>, signal: Option<AbortSignal>) -> Result<(), Failure> {
        let session = &self.vault.session;
        let seen = Seen::from(&*self.description.borrow());
        let ask = || -> Question {
            let (job, signal) = (Rc::clone(self), signal.clone());
            Box::pin(async move {
                job.refresh(signal).await?;
                Ok(Seen::from(&*job.description.borrow()))
            })
        };
        let watch = |address| {
            let job_id = self.description.borrow().job_id.clone();
            session.events.as_ref().map(|events| events.watch(self.vault.name.clone(), job_id, address))
        };
        waiting::wait(session, seen, signal.clone(), &ask, &watch).await
    }
}
