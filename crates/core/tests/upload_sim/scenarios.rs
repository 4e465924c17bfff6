//! Uploads to which one particular thing happens.

use glacier_core::retry::Operation as O;
use glacier_core::upload::{Command, Event, HashFailure, Outcome, PauseReason, State, Ticket, UploadConfig};
use glacier_core::{ErrorCode, Instant, MIB, PartPlan, PartSize, Upload, UploadError};

use crate::faults::Fault;
use crate::world::{Happening, JOURNAL_MS, World, to_a_vault};

pub fn scripted(n_parts: u32, script: &[(O, u32, Fault)]) -> World {
    let mut world = World::new(7, n_parts);
    world.script = script.to_vec();
    world
}

/// The archive is the only one, ours, and what the upload says it is.
pub fn assert_stored(world: &World, state: &State) {
    let State::Done(Outcome { stored, tree_hash, size }) = state else { panic!("{state:?}") };
    let [archive] = world.store.archives.as_slice() else { panic!("{:?}", world.store.archives) };
    assert_eq!((&archive.stored(), &archive.tree_hash, &archive.size), (stored, tree_hash, size));
    assert_eq!(*tree_hash, world.tree_hash());
    assert_eq!(world.journal, None, "the record of a finished upload is dropped");
}

pub fn failure(state: State) -> UploadError {
    let State::Failed(error) = state else { panic!("{state:?}") };
    error
}

pub fn count(world: &World, wanted: impl Fn(&Command) -> bool) -> usize {
    world.trace.iter().filter(|(_, command)| wanted(command)).count()
}

/// When parts were sent, in order.
pub fn sends(world: &World, wanted: u32) -> Vec<Instant> {
    let sent = |command: &Command| matches!(command, Command::SendPart { part, .. } if *part == wanted);
    world.trace.iter().filter(|(_, command)| sent(command)).map(|(at, _)| *at).collect()
}

#[test]
fn one_byte_is_uploaded_in_one_part() {
    let config = UploadConfig::new(to_a_vault(), PartPlan::auto(1, PartSize::from_bytes(8 * MIB).unwrap()).unwrap());
    let mut world = World::with(1, config);
    let state = world.run();
    assert_stored(&world, &state);
    assert_eq!(world.parts_sent, 1);
}

#[test]
fn ten_thousand_parts_complete() {
    let mut world = scripted(10_000, &[]);
    let state = world.run();
    assert_stored(&world, &state);
    assert_eq!(world.parts_sent, 10_000);
    // Hashes, of 64 digits each: 128 KB a second at the most, however long the record becomes.
    let written = world.trace.iter().map(|(_, command)| match command {
        Command::SaveJournal { journal, .. } => u64::try_from(journal.acknowledged.len()).unwrap(),
        _ => 0,
    });
    assert!(written.sum::<u64>() < 10_000 + world.now.0 * 2);
}

#[test]
fn parts_hashed_and_stored_out_of_order_are_combined_by_their_place() {
    // The first part arrives last, and the second hardly before.
    let script = [(O::UploadMultipartPart, 1, Fault::Slow(20_000)), (O::UploadMultipartPart, 2, Fault::Slow(15_000))];
    let mut world = scripted(9, &script);
    let state = world.run();
    assert_stored(&world, &state);
    let stored: Vec<u64> = world.store.arrived.iter().map(|range| range.start() / MIB).collect();
    assert_eq!(stored.len(), 9);
    assert_eq!(stored[7..].iter().sum::<u64>(), 1, "{stored:?}");
}

#[test]
fn lost_answer_to_complete_gives_the_same_archive() {
    for lost in [Fault::LostAnswer, Fault::SilentAnswer, Fault::WrongEcho, Fault::Html] {
        let mut world = scripted(3, &[(O::CompleteMultipartUpload, 1, lost)]);
        let state = world.run();
        assert_stored(&world, &state);
        assert_eq!((world.store.initiated, world.parts_sent), (1, 3), "{lost:?}");
    }
}

#[test]
fn page_closed_after_complete_was_sent_repeats_complete_and_uploads_nothing_again() {
    let mut world = scripted(3, &[(O::CompleteMultipartUpload, 1, Fault::SilentAnswer)]);
    world.tell(Event::Start);
    world.run_until(Instant(20_000));
    assert_eq!(world.upload.state(), State::Completing);
    assert_eq!(world.store.archives.len(), 1);
    world.crash();
    let state = world.run_on();
    assert_stored(&world, &state);
    assert_eq!((world.store.initiated, world.store.listed, world.parts_sent), (1, 0, 3));
}

#[test]
fn completion_that_the_store_has_forgotten_is_said_to_be_unknown() {
    let mut world = scripted(3, &[(O::CompleteMultipartUpload, 1, Fault::LostAnswer)]);
    world.script.push((O::CompleteMultipartUpload, 2, Fault::BlackHole));
    world.tell(Event::Start);
    world.run_until(Instant(20_000));
    world.store.forget_completed();
    let error = failure(world.run_on());
    assert_eq!((error.code, error.retryable), (ErrorCode::UploadExpired, false));
    assert!(error.hint.contains("inventory"), "{}", error.hint);
    assert_eq!((world.store.initiated, world.parts_sent), (1, 3));
}

#[test]
fn only_the_record_of_the_intent_counts_as_its_record() {
    let mut world = scripted(2, &[]);
    world.tell(Event::Start);
    while world.upload.state() != State::Completing {
        let now = world.now;
        world.run_until(now + 1);
    }
    let asked = |world: &World| count(world, |command| matches!(command, Command::Sign { .. }));
    let before = asked(&world);
    for earlier in 0..10 {
        world.tell(Event::JournalSaved { ticket: Ticket(earlier) });
    }
    assert_eq!(asked(&world), before);
    let state = world.run_on();
    assert_stored(&world, &state);
}

#[test]
fn nothing_is_completed_before_the_intent_is_recorded() {
    let mut world = scripted(2, &[]);
    let state = world.run();
    assert_stored(&world, &state);
    let when = |wanted: &dyn Fn(&Command) -> bool| {
        world.trace.iter().find(|(_, command)| wanted(command)).map(|(at, _)| *at).unwrap()
    };
    let ours = Some(world.tree_hash());
    let recorded =
        when(&|command| matches!(command, Command::SaveJournal { journal, .. } if journal.completing == ours));
    let asked = when(
        &|command| matches!(command, Command::Sign { intents, .. } if intents[0].op() == "CompleteMultipartUpload"),
    );
    assert_eq!(asked.since(recorded), JOURNAL_MS, "asked as soon as the driver said that the record is stored");
}

#[test]
fn pause_cancels_and_resume_sends_only_what_is_missing() {
    let mut world = scripted(30, &[]);
    world.tell(Event::Start);
    world.run_until(Instant(2_500));
    world.tell(Event::Pause);
    let acknowledged = world.store.parts_stored;
    assert!((3..27).contains(&acknowledged));
    assert_eq!(world.upload.state(), State::Paused(PauseReason::User));
    assert_eq!(world.upload.poll_timeout(), None);
    let cancelled = count(&world, |command| matches!(command, Command::Cancel { .. }));
    assert!(cancelled >= 4);
    let commands = world.trace.len();
    world.run_until(Instant(600_000));
    assert_eq!(world.trace.len(), commands, "nothing is asked of the driver during a pause");
    world.tell(Event::Resume);
    let state = world.run_on();
    assert_stored(&world, &state);
    assert!(world.parts_sent <= 30 + 4);
    assert_eq!(world.store.initiated, 1);
}

#[test]
fn abort_removes_the_upload_at_the_store() {
    for moment in [0, 30, 100, 500, 1_000, 2_000, 3_000] {
        let mut world = scripted(40, &[]);
        world.tell(Event::Start);
        world.run_until(Instant(1_000 + moment));
        world.tell(Event::Abort);
        assert_eq!(world.run_on(), State::Aborted, "{moment}");
        assert_eq!((world.store.n_open(), world.store.archives.len()), (0, 0), "{moment}");
        assert_eq!(world.journal, None);
    }
}

#[test]
fn abort_is_bounded_when_nobody_answers() {
    let mut world = scripted(40, &[]);
    world.tell(Event::Start);
    world.run_until(Instant(3_000));
    world.intensities.silence = 1000;
    world.intensities.sign = 1000;
    world.tell(Event::Abort);
    while world.upload.state() == State::Aborting {
        let now = world.now;
        world.run_until(now + 100);
    }
    assert_eq!(world.upload.state(), State::Aborted);
    assert!(world.now <= Instant(3_000 + 30_100));
}

#[test]
fn abort_that_comes_after_the_archive_was_made_tells_the_truth() {
    let mut world = scripted(2, &[(O::CompleteMultipartUpload, 1, Fault::SilentAnswer)]);
    world.tell(Event::Start);
    world.run_until(Instant(20_000));
    world.tell(Event::Abort);
    let state = world.run_on();
    assert_stored(&world, &state);
}

#[test]
fn changed_file_is_refused_before_complete() {
    // A browser that notices.
    let mut world = scripted(8, &[]);
    world.tell(Event::Start);
    world.run_until(Instant(1_001));
    let Some((_, Command::HashPart { ticket, .. })) =
        world.trace.iter().find(|(_, command)| matches!(command, Command::HashPart { .. })).cloned()
    else {
        panic!("nothing is hashed")
    };
    world.tell(Event::HashFailed { ticket, failure: HashFailure::Changed });
    assert_eq!(failure(world.run_on()).code, ErrorCode::FileChanged);

    // One that does not, and a part that has to be read again.
    let mut world = scripted(1, &[(O::UploadMultipartPart, 1, Fault::Corrupt)]);
    world.at(150, Happening::FileChange);
    let error = failure(world.run());
    assert_eq!((error.code, error.retryable, error.part_number), (ErrorCode::FileChanged, false, Some(1)));

    // One that does not, and a second reading of everything.
    let mut world = scripted(8, &[]);
    world.config.reread = true;
    world.upload = Upload::new(world.config.clone());
    world.at(300, Happening::FileChange);
    assert_eq!(failure(world.run()).code, ErrorCode::FileChanged);
    assert!(world.store.archives.is_empty());

    // Another file at the next visit.
    let mut world = scripted(200, &[]);
    world.tell(Event::Start);
    world.run_until(Instant(9_000));
    assert!(!world.journal.as_ref().unwrap().acknowledged.is_empty());
    world.file_version += 1;
    world.crash();
    assert_eq!(failure(world.run_on()).code, ErrorCode::FileChanged);
    assert!(world.store.archives.is_empty());
}

#[test]
fn next_visit_sends_only_what_the_store_does_not_hold() {
    let mut world = scripted(200, &[]);
    world.tell(Event::Start);
    world.run_until(Instant(11_000));
    let stored = world.store.parts_stored;
    assert!(stored > 60, "more than one page of the list");
    let sent = world.parts_sent;
    world.crash();
    let state = world.run_on();
    assert_stored(&world, &state);
    assert!(world.store.listed >= 2);
    assert!(world.parts_sent - sent <= 200 - stored, "{} sent, {stored} stored", world.parts_sent - sent);
}

#[test]
fn record_of_another_upload_is_refused() {
    let mut world = scripted(5, &[]);
    world.tell(Event::Start);
    world.run_until(Instant(1_500));
    let journal = world.journal.clone().unwrap();
    let other = |size: u64, part_size: u64| {
        let plan = PartPlan::exact(size, PartSize::from_bytes(part_size).unwrap()).unwrap();
        let config = UploadConfig::new(to_a_vault(), plan);
        Upload::resume(config, journal.clone()).unwrap_err().code
    };
    let size = world.config.plan.size();
    assert_eq!(other(size + 1, MIB), ErrorCode::FileChanged);
    assert_eq!(other(size, 2 * MIB), ErrorCode::InvalidOption);
}

#[test]
fn expired_upload_is_begun_anew_once() {
    let mut world = scripted(30, &[]);
    world.at(1_500, Happening::Expiry);
    let state = world.run();
    assert_stored(&world, &state);
    assert_eq!(world.store.initiated, 2);

    let mut world = scripted(200, &[]);
    world.at(1_500, Happening::Expiry);
    world.at(4_500, Happening::Expiry);
    let error = failure(world.run());
    assert_eq!((error.code, error.retryable), (ErrorCode::UploadExpired, true));
    world.tell(Event::Resume);
    let state = world.run_on();
    assert_stored(&world, &state);
}

#[test]
fn offline_waits_without_burning_retries_and_reads_nothing_twice() {
    let mut world = scripted(30, &[]);
    world.config.retry.max_attempts = 1;
    world.upload = Upload::new(world.config.clone());
    world.user(800, Event::Offline);
    world.user(7_200_000, Event::Online);
    let state = world.run();
    assert_stored(&world, &state);
    assert_eq!(count(&world, |command| matches!(command, Command::HashPart { .. })), 30);
}

#[test]
fn failing_journal_does_not_stop_the_upload() {
    let mut world = scripted(5, &[]);
    world.journal_works = false;
    let state = world.run();
    assert_stored(&world, &state);
}
