//! The page is closed, and opened again: with the same file, or with another.

use glacier_core::retry::Operation as O;
use glacier_core::upload::{Command, Event, State};
use glacier_core::{ErrorCode, Instant, Upload};

use crate::faults::Fault;
use crate::scenarios::{assert_stored, count, failure, scripted};
use crate::world::World;

/// An upload of 200 parts of which more than 60 are stored and more than 20 recorded.
fn begun() -> World {
    let mut world = scripted(200, &[]);
    world.tell(Event::Start);
    world.run_until(Instant(11_000));
    assert!(world.store.parts_stored > 60);
    assert!(recorded(&world) > 20);
    world
}

/// All parts are stored, and the answer to CompleteMultipartUpload was lost.
fn completed() -> World {
    let mut world = scripted(3, &[(O::CompleteMultipartUpload, 1, Fault::SilentAnswer)]);
    world.tell(Event::Start);
    world.run_until(Instant(20_000));
    assert_eq!((world.upload.state(), world.store.archives.len()), (State::Completing, 1));
    world
}

fn recorded(world: &World) -> usize {
    world.journal.as_ref().unwrap().acknowledged.len()
}

#[test]
fn a_guess_that_is_right_sends_nothing_twice() {
    let mut world = begun();
    let (stored, sent) = (world.store.parts_stored, world.parts_sent);
    world.guesses = true;
    world.crash();
    let state = world.run_on();
    assert_stored(&world, &state);
    assert!(world.parts_sent - sent <= 200 - stored);
}

#[test]
fn a_guess_that_is_wrong_stores_the_file_that_was_given() {
    let mut world = begun();
    let sent = world.parts_sent;
    world.guesses = true;
    world.file_version += 1;
    world.crash();
    let state = world.run_on();
    assert_stored(&world, &state);
    assert_eq!((world.parts_sent - sent, world.store.initiated), (200, 1));
}

#[test]
fn a_wrong_guess_leaves_a_record_of_the_file_that_was_given() {
    let mut world = begun();
    world.guesses = true;
    world.file_version += 1;
    world.crash();
    let begun_again = world.now;
    world.run_until(begun_again + 9_000);
    assert!(recorded(&world) > 20);
    // It is good enough for a later visit that makes no guess.
    world.guesses = false;
    world.crash();
    let state = world.run_on();
    assert_stored(&world, &state);
}

#[test]
fn visits_that_end_at_once_lose_nothing_of_the_record() {
    let mut world = begun();
    let before = recorded(&world);
    for guesses in [false, true, false] {
        world.guesses = guesses;
        world.crash();
        let crashed = world.now;
        world.run_until(crashed + 300);
        world.tell(Event::Pause);
        world.run_until(crashed + 600);
        assert!(recorded(&world) >= before, "{} of {before}", recorded(&world));
    }
}

#[test]
fn another_file_than_that_of_the_record_changes_nothing() {
    let mut world = begun();
    let (journal, sent) = (world.journal.clone(), world.parts_sent);
    world.file_version += 1;
    world.crash();
    let error = failure(world.run_on());
    assert_eq!((error.code, error.retryable), (ErrorCode::FileChanged, false));
    assert!(error.message.contains("earlier visit"), "{}", error.message);
    assert!(world.journal == journal && world.parts_sent == sent);
    // The right one, at last.
    world.file_version -= 1;
    world.visit(Upload::resume(world.config.clone(), journal.unwrap()).unwrap());
    let state = world.run();
    assert_stored(&world, &state);
}

#[test]
fn nothing_is_completed_again_for_another_file() {
    let mut world = completed();
    let journal = world.journal.clone();
    world.file_version += 1;
    world.crash();
    let asked = world.trace.len();
    let error = failure(world.run_on());
    assert_eq!(error.code, ErrorCode::FileChanged);
    assert_eq!(world.journal, journal);
    let signed = world.trace[asked..].iter().any(|(_, command)| matches!(command, Command::Sign { .. }));
    assert!(!signed, "nothing was asked of the store");
}

#[test]
fn a_guess_at_a_completed_upload_that_is_wrong_is_another_upload() {
    let mut world = completed();
    let first = world.store.archives[0].clone();
    world.guesses = true;
    world.file_version += 1;
    world.crash();
    let State::Done(outcome) = world.run_on() else { panic!("{:?}", world.upload.state()) };
    assert_eq!(outcome.tree_hash, world.tree_hash());
    assert_ne!(outcome.tree_hash, first.tree_hash);
    assert_eq!((world.store.archives.len(), world.store.initiated), (2, 2));
}

#[test]
fn what_was_completed_is_read_once_and_completed_again() {
    let mut world = completed();
    let read = |world: &World| count(world, |command| matches!(command, Command::HashPart { .. }));
    let before = read(&world);
    for _ in 0..2 {
        world.guesses = !world.guesses;
        world.crash();
    }
    world.run_until(Instant(20_001));
    assert_eq!(world.upload.state(), State::Initiating);
    let state = world.run_on();
    assert_stored(&world, &state);
    assert_eq!((world.store.initiated, world.parts_sent), (1, 3));
    assert!((3..=6).contains(&(read(&world) - before)));
}

#[test]
fn a_pause_while_a_completed_file_is_read_again_holds() {
    let mut world = completed();
    world.crash();
    world.run_until(Instant(20_010));
    world.tell(Event::Pause);
    world.run_until(Instant(40_000));
    world.tell(Event::Resume);
    world.tell(Event::Offline);
    world.run_until(Instant(60_000));
    world.tell(Event::Online);
    let state = world.run_on();
    assert_stored(&world, &state);
    assert_eq!(world.parts_sent, 3);
}

#[test]
fn an_upload_that_is_gone_for_good_leaves_no_record() {
    let mut world = completed();
    world.store.forget_completed();
    world.crash();
    let error = failure(world.run_on());
    assert_eq!((error.code, error.retryable), (ErrorCode::UploadExpired, false));
    assert_eq!(world.journal, None, "or every later visit would end in the same way");
}

#[test]
fn an_upload_given_up_at_a_later_visit_is_removed_without_the_file() {
    let mut world = begun();
    let hashed = count(&world, |command| matches!(command, Command::HashPart { .. }));
    let journal = world.journal.clone().unwrap();
    world.visit(Upload::resume(journal.config(), journal).unwrap());
    world.tell(Event::Abort);
    assert_eq!(world.run_on(), State::Aborted);
    assert_eq!((world.store.n_open(), &world.journal), (0, &None));
    assert_eq!(count(&world, |command| matches!(command, Command::HashPart { .. })), hashed);
}
