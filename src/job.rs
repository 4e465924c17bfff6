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
use glacier_core::job_watch::{Command, Event, JobWatch, Outcome};
use wasm_bindgen::prelude::JsValue;
use web_sys::AbortSignal;

use crate::call::{Failure, call};
use crate::clock;
use crate::connection::Connection;
use crate::event_feed::EventFeed;
use crate::mailbox::Mailbox;
use crate::task;
use crate::vaults::Vault;

/// A job, and what is known of it.
pub(crate) struct Job {
    pub(crate) vault: Vault,
    /// As of the last answer.
    pub(crate) description: RefCell<JobDescription>,
}

/// What a wait hears: of the job, or why the store did not say.
pub(crate) type Heard = Result<Event, Failure>;

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
    pub(crate) async fn done(&self, signal: Option<AbortSignal>) -> Result<(), Failure> {
        let session = &self.vault.session;
        let job_id = self.description.borrow().job_id.clone();
        let mut machine = JobWatch::new(&self.description.borrow(), clock::now());
        let mut mailbox = Mailbox::<Heard>::new();
        let (aborting, connected) = (mailbox.address(), mailbox.address());
        let _aborts = session.on_abort(signal.as_ref(), move || aborting.tell(Err(Failure::Aborted)))?;
        let _connection = Connection::new(move |online| {
            if online {
                connected.tell(Ok(Event::Online));
            }
        });
        let (mut watching, mut thrown) = (None, JsValue::UNDEFINED);
        loop {
            while let Some(Command::Describe) = machine.poll_command(clock::now()) {
                let (address, vault) = (mailbox.address(), self.vault.clone());
                let (job_id, signal) = (job_id.clone(), signal.clone());
                task::spawn(async move {
                    let described = Self::describe(vault, job_id, signal).await;
                    address.tell(described.map(|description| Event::Described(Box::new(description))));
                });
            }
            if let Some(Outcome::Succeeded(description) | Outcome::Failed(_, Some(description))) = machine.outcome() {
                self.description.replace((**description).clone());
            }
            match machine.outcome() {
                None => {}
                Some(Outcome::Succeeded(_)) => return Ok(()),
                Some(Outcome::Failed(error, _)) => return Err(Failure::Error(error.clone(), thrown)),
            }
            let event = match mailbox.next(machine.poll_timeout()).await {
                None => continue,
                Some(Ok(event)) => event,
                Some(Err(Failure::Error(error, cause))) => {
                    thrown = cause;
                    Event::DescribeFailed(error)
                }
                Some(Err(Failure::Aborted)) => return Err(Failure::Aborted),
            };
            if watching.is_none() && is_in_progress(&event) {
                // Not before: a job that is done needs no stream.
                let watch =
                    |events: &Rc<EventFeed>| events.watch(self.vault.name.clone(), job_id.clone(), mailbox.address());
                watching = session.events.as_ref().map(watch);
            }
            machine.handle_event(event, clock::now(), clock::jitter());
        }
    }
}

fn is_in_progress(event: &Event) -> bool {
    matches!(event, Event::Described(job) if !job.is_completed())
}
