//! Waiting for a job, or for the restore of an object: when to ask how far it is.
//!
//! Built as [`Upload`](crate::Upload) is. Asking is one [`Call`](crate::Call) of DescribeJob or HeadObject, which repeats
//! itself through passing trouble; what is decided here is when the next one is due. A job of the embedded store takes a
//! second and one of Amazon's half a day, so that the wait grows with the time that has passed, up to five minutes: the
//! end is seen at most an eighth later than it could have been, after some two hundred questions in twelve hours.
//!
//! Where the gateway tells when jobs are done ([`event_stream`](crate::event_stream)), each telling is a hint that
//! leads to a question at once, and without hints questions are few. A hint is believed only after the store says the
//! same.

use crate::clock::{Instant, Jitter};
use crate::error::{ErrorCode, UploadError};
use crate::glacier::describe_job::{JobDescription, JobStatus};
use crate::s3::head_object::ObjectHead;

/// Least and most between two questions, in milliseconds.
const SHORTEST_MS: u64 = 500;
const LONGEST_MS: u64 = 5 * 60_000;
/// The part of the time waited so far that may pass before the next question.
const SHARE: u64 = 8;
/// Calls in a row that may fail in a way that passes, each after repeating itself for minutes: a wait of hours should
/// survive a gateway that is restarted, and not one that is gone.
const MAX_FAILURES: u32 = 10;

/// How far it is, by the store's last answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Not done.
    InProgress,
    /// There is something to download.
    Ready,
    /// There is not, and will not be.
    Over(UploadError),
}

impl From<&JobDescription> for Seen {
    fn from(job: &JobDescription) -> Self {
        match job.status {
            JobStatus::InProgress => Self::InProgress,
            JobStatus::Succeeded => Self::Ready,
            JobStatus::Failed => {
                let said = job.status_message.as_deref().unwrap_or("it does not say why");
                let words = ["The store could not do the job: ", said].concat();
                Self::Over(UploadError::new(ErrorCode::JobFailed, words))
            }
        }
    }
}

impl From<&ObjectHead> for Seen {
    fn from(head: &ObjectHead) -> Self {
        match head.restore_status() {
            JobStatus::InProgress => Self::InProgress,
            JobStatus::Succeeded => Self::Ready,
            // A store does not tell a restore that was never asked for from one whose days are over.
            JobStatus::Failed => {
                let words = "The object is archived, and neither is there a restored copy nor is one being made";
                let hint = "Its days are over, or nobody asked for it: have it restored with retrieve().";
                Self::Over(UploadError::new(ErrorCode::JobExpired, words).hint(hint))
            }
        }
    }
}

/// What the driver is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Ask the store. Ends in [`Event::Described`] or [`Event::DescribeFailed`].
    Describe,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The store said how far it is.
    Described(Seen),
    /// It did not.
    DescribeFailed(UploadError),
    /// Somebody says that the job is done.
    Hint,
    /// Hints will come from now on. What happened before is not told.
    HintsBegin,
    /// No hints will come any more.
    HintsEnd,
    /// The browser says it has network again.
    Online,
}

/// How a wait ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It can be downloaded.
    Ready,
    /// [`ErrorCode::JobFailed`], [`ErrorCode::JobExpired`], or why the store cannot be asked.
    Failed(UploadError),
}

/// One wait for one job. See the [module](self).
#[derive(Debug)]
pub struct JobWatch {
    began: Instant,
    step: Step,
    /// Hints come, so that asking is only a precaution.
    hints: bool,
    /// A hint came while the store was being asked: the answer may be older.
    hinted: bool,
    failures: u32,
}

#[derive(Debug)]
enum Step {
    /// To be asked then.
    Waiting(Instant),
    Asking,
    Over(Outcome),
}

impl JobWatch {
    /// Waits from `now` on for a job that was last seen like that, and asks at once unless it was done then.
    pub fn new(seen: Seen, now: Instant) -> Self {
        let step = match seen {
            Seen::InProgress => Step::Waiting(now),
            Seen::Ready => Step::Over(Outcome::Ready),
            Seen::Over(error) => Step::Over(Outcome::Failed(error)),
        };
        Self { began: now, step, hints: false, hinted: false, failures: 0 }
    }

    /// How it ended, once it has.
    pub const fn outcome(&self) -> Option<&Outcome> {
        match &self.step {
            Step::Over(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// The next thing to do, or `None` until something happens.
    pub fn poll_command(&mut self, now: Instant) -> Option<Command> {
        match self.step {
            Step::Waiting(at) if at <= now => {
                (self.step, self.hinted) = (Step::Asking, false);
                Some(Command::Describe)
            }
            _ => None,
        }
    }

    /// When [`poll_command`](Self::poll_command) is to be called if nothing happens before.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.step {
            Step::Waiting(at) => Some(at),
            _ => None,
        }
    }

    /// Takes what happened. Events that come too late or for nothing are ignored.
    pub fn handle_event(&mut self, event: Event, now: Instant, jitter: Jitter) {
        match event {
            Event::Described(seen) if matches!(self.step, Step::Asking) => {
                self.failures = 0;
                self.step = match seen {
                    Seen::InProgress if self.hinted => Step::Waiting(now),
                    Seen::InProgress => Step::Waiting(now + self.interval_ms(now, jitter)),
                    Seen::Ready => Step::Over(Outcome::Ready),
                    Seen::Over(error) => Step::Over(Outcome::Failed(error)),
                };
            }
            Event::DescribeFailed(error) if matches!(self.step, Step::Asking) => {
                self.failures += 1;
                let passes = matches!(
                    error.code,
                    ErrorCode::Network | ErrorCode::RateLimited | ErrorCode::Server | ErrorCode::Stalled
                );
                self.step = if error.retryable && passes && self.failures <= MAX_FAILURES {
                    Step::Waiting(now + self.interval_ms(now, jitter))
                } else {
                    Step::Over(Outcome::Failed(error))
                };
            }
            Event::Hint | Event::Online => self.ask(now),
            Event::HintsBegin => {
                self.hints = true;
                self.ask(now);
            }
            Event::HintsEnd => {
                self.hints = false;
                if let Step::Waiting(at) = &mut self.step {
                    *at = (*at).min(now + wait_ms(self.began, now, jitter));
                }
            }
            Event::Described(_) | Event::DescribeFailed(_) => {}
        }
    }

    const fn ask(&mut self, now: Instant) {
        match &mut self.step {
            Step::Waiting(at) => *at = now,
            Step::Asking => self.hinted = true,
            Step::Over(_) => {}
        }
    }

    fn interval_ms(&self, now: Instant, jitter: Jitter) -> u64 {
        if self.hints { spread(LONGEST_MS, jitter) } else { wait_ms(self.began, now, jitter) }
    }
}

fn wait_ms(began: Instant, now: Instant, jitter: Jitter) -> u64 {
    spread((now.since(began) / SHARE).clamp(SHORTEST_MS, LONGEST_MS), jitter)
}

/// Between three and four quarters: many pages must not ask at the same moment.
const fn spread(ms: u64, jitter: Jitter) -> u64 {
    ms - jitter.of(ms / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glacier::Date;
    use crate::glacier::describe_job::read_description;
    use crate::json::Json;
    use crate::s3::head_object::Restore;

    const JITTER: f64 = 0.5;

    fn waiting(now: Instant) -> JobWatch {
        JobWatch::new(Seen::from(&described("InProgress")), now)
    }

    fn job(status: &str) -> Event {
        Event::Described(Seen::from(&described(status)))
    }

    fn described(status: &str) -> JobDescription {
        let text = |text: &str| Json::Text(text.into());
        let job = Json::object([
            ("JobId", text("job")),
            ("Action", text("ArchiveRetrieval")),
            ("VaultARN", text("arn")),
            ("CreationDate", text("2026-11-21T05:22:00.000Z")),
            ("StatusCode", text(status)),
            ("StatusMessage", text("the archive was deleted")),
        ]);
        read_description(&job).unwrap()
    }

    /// Waits for a job that is done after `done_ms`, where asking takes 20 ms. Gives when each question was asked.
    fn questions(done_ms: u64, hints: bool) -> Vec<u64> {
        let jitter = Jitter::new(JITTER);
        let mut now = Instant(7_000);
        let begin = now;
        let mut watch = waiting(now);
        if hints {
            watch.handle_event(Event::HintsBegin, now, jitter);
        }
        let (mut asked, mut told) = (Vec::new(), false);
        while watch.outcome().is_none() {
            if let Some(Command::Describe) = watch.poll_command(now) {
                asked.push(now.since(begin));
                let is_done = now.since(begin) >= done_ms;
                now = now + 20;
                watch.handle_event(job(if is_done { "Succeeded" } else { "InProgress" }), now, jitter);
                continue;
            }
            let due = watch.poll_timeout().unwrap();
            let done = begin + done_ms;
            now = if hints && !told && due > done { done } else { due };
            if hints && !told && now >= done {
                told = true;
                watch.handle_event(Event::Hint, now, jitter);
            }
        }
        asked
    }

    #[test]
    fn a_job_of_a_second_is_seen_soon_and_one_of_hours_is_not_asked_for_without_end() {
        assert_eq!(questions(0, false), [0]);
        assert!(*questions(1_000, false).last().unwrap() <= 1_500);
        for minutes in [5, 60, 4 * 60, 12 * 60] {
            let done_ms = minutes * 60_000;
            let asked = questions(done_ms, false);
            assert!(*asked.last().unwrap() <= done_ms + done_ms / 7 + 500, "{minutes}");
            assert!(asked.len() < 240, "{minutes} minutes took {} questions", asked.len());
            assert!(asked.windows(2).all(|pair| pair[1] - pair[0] <= LONGEST_MS + 20));
        }
    }

    #[test]
    fn a_hint_is_followed_at_once() {
        let done_ms = 4 * 60 * 60_000 + 123;
        let asked = questions(done_ms, true);
        assert_eq!(*asked.last().unwrap(), done_ms);
        assert!(asked.len() < 70, "{}", asked.len());
    }

    #[test]
    fn a_hint_while_asking_is_not_lost() {
        let (now, jitter) = (Instant(0), Jitter::new(JITTER));
        let mut watch = waiting(now);
        assert!(watch.poll_command(now).is_some());
        watch.handle_event(Event::Hint, now, jitter);
        watch.handle_event(job("InProgress"), now + 20, jitter);
        assert_eq!(watch.poll_command(now + 20), Some(Command::Describe));
    }

    #[test]
    fn when_hints_end_questions_begin_again() {
        let (now, jitter) = (Instant(0), Jitter::new(0.0));
        let mut watch = waiting(now);
        watch.handle_event(Event::HintsBegin, now, jitter);
        assert!(watch.poll_command(now).is_some());
        watch.handle_event(job("InProgress"), now, jitter);
        assert_eq!(watch.poll_timeout(), Some(Instant(LONGEST_MS)));
        watch.handle_event(Event::HintsEnd, now + 1_000, jitter);
        assert_eq!(watch.poll_timeout(), Some(Instant(1_500)));
    }

    #[test]
    fn a_job_that_was_done_when_last_seen_is_not_asked_for() {
        for (status, succeeded) in [("Succeeded", true), ("Failed", false)] {
            let mut watch = JobWatch::new(Seen::from(&described(status)), Instant(0));
            assert_eq!((watch.poll_command(Instant(0)), watch.poll_timeout()), (None, None));
            assert_eq!(matches!(watch.outcome(), Some(Outcome::Ready)), succeeded);
        }
    }

    #[test]
    fn a_failed_or_forgotten_job_is_an_error() {
        let (now, jitter) = (Instant(0), Jitter::new(JITTER));
        let mut watch = waiting(now);
        let _ = watch.poll_command(now);
        watch.handle_event(job("Failed"), now, jitter);
        let Some(Outcome::Failed(error)) = watch.outcome() else { panic!("{watch:?}") };
        assert_eq!(error.code, ErrorCode::JobFailed);
        assert_eq!(error.message, "The store could not do the job: the archive was deleted");

        let mut watch = waiting(now);
        let _ = watch.poll_command(now);
        watch.handle_event(Event::DescribeFailed(UploadError::new(ErrorCode::JobExpired, "")), now, jitter);
        assert!(matches!(watch.outcome(), Some(Outcome::Failed(error)) if error.code == ErrorCode::JobExpired));
    }

    fn head(archived: bool, restore: Option<bool>) -> ObjectHead {
        ObjectHead {
            size: 5,
            storage_class: "DEEP_ARCHIVE".into(),
            etag: "e".into(),
            version_id: None,
            last_modified: Date::new("2026-03-20T17:03:43Z").unwrap(),
            content_type: None,
            checksum: None,
            part_size: None,
            tree_hash: None,
            metadata: Vec::new(),
            restore: restore.map(|ongoing| Restore { ongoing, expiry: None }),
            archived,
        }
    }

    #[test]
    fn restore_is_waited_for_as_a_job_is() {
        let (now, jitter) = (Instant(0), Jitter::new(JITTER));
        let mut watch = JobWatch::new(Seen::from(&head(true, Some(true))), now);
        for restore in [true, true, false] {
            let now = watch.poll_timeout().unwrap();
            assert_eq!(watch.poll_command(now), Some(Command::Describe));
            watch.handle_event(Event::Described(Seen::from(&head(true, Some(restore)))), now, jitter);
        }
        assert_eq!(watch.outcome(), Some(&Outcome::Ready));
    }

    #[test]
    fn object_that_needs_no_restore_is_done_at_once() {
        for readable in [head(false, None), head(true, Some(false))] {
            let watch = JobWatch::new(Seen::from(&readable), Instant(0));
            assert_eq!((watch.outcome(), watch.poll_timeout()), (Some(&Outcome::Ready), None));
        }
    }

    #[test]
    fn restored_copy_whose_days_are_over_is_an_expired_job() {
        let (now, jitter) = (Instant(0), Jitter::new(JITTER));
        let mut watch = JobWatch::new(Seen::from(&head(true, Some(true))), now);
        let _ = watch.poll_command(now);
        watch.handle_event(Event::Described(Seen::from(&head(true, None))), now, jitter);
        assert!(matches!(watch.outcome(), Some(Outcome::Failed(error)) if error.code == ErrorCode::JobExpired));
    }

    #[test]
    fn an_outage_is_waited_through_unless_it_does_not_end() {
        let jitter = Jitter::new(JITTER);
        let outage = || Event::DescribeFailed(UploadError::new(ErrorCode::Network, "").retryable(true));
        let mut now = Instant(0);
        let mut watch = waiting(now);
        let mut failures = 0;
        while watch.outcome().is_none() {
            now = watch.poll_timeout().unwrap();
            assert!(watch.poll_command(now).is_some());
            watch.handle_event(outage(), now, jitter);
            failures += 1;
        }
        assert_eq!(failures, 11);
    }
}
