//! Uploads to which one particular thing happens.

use glacier_core::glacier::{Response, VaultName};
use glacier_core::retry::Operation as O;
use glacier_core::upload::{Command, Event, HashFailure, Outcome, PauseReason, State, UploadConfig};
use glacier_core::{ErrorCode, Instant, Jitter, MIB, PartPlan, PartSize, Upload, UploadError};

use crate::faults::Fault;
use crate::store::Archive;
use crate::world::{Happening, World};

fn scripted(n_parts: u32, script: &[(O, u32, Fault)]) -> World {
    let mut world = World::new(7, n_parts);
    world.script = script.to_vec();
    world
}

/// The archive is the only one, ours, and what the upload says it is.
fn assert_stored(world: &World, state: &State) {
    let State::Done(Outcome { archive_id, tree_hash, size }) = state else { panic!("{state:?}") };
    let id = archive_id.as_str().to_owned();
    assert_eq!(world.store.archives, [Archive { id, tree_hash: *tree_hash, size: *size }]);
    assert_eq!(*tree_hash, world.tree_hash());
    assert_eq!(world.journal, None, "the record of a finished upload is dropped");
}

fn failure(state: State) -> UploadError {
    let State::Failed(error) = state else { panic!("{state:?}") };
    error
}

fn count(world: &World, wanted: impl Fn(&Command) -> bool) -> usize {
    world.trace.iter().filter(|(_, command)| wanted(command)).count()
}

/// When parts were sent, in order.
fn sends(world: &World, wanted: u32) -> Vec<Instant> {
    let sent = |command: &Command| matches!(command, Command::SendPart { part, .. } if *part == wanted);
    world.trace.iter().filter(|(_, command)| sent(command)).map(|(at, _)| *at).collect()
}

#[test]
fn one_byte_is_uploaded_in_one_part() {
    let config = UploadConfig::new(
        VaultName::new("photos").unwrap(),
        None,
        PartPlan::auto(1, PartSize::from_bytes(8 * MIB).unwrap()).unwrap(),
    );
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
    assert!(count(&world, |command| matches!(command, Command::SaveJournal { .. })) < 200);
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
fn nothing_is_completed_before_the_intent_is_recorded() {
    let mut world = scripted(2, &[]);
    let state = world.run();
    assert_stored(&world, &state);
    let saved = world.trace.iter().position(
        |(_, command)| matches!(command, Command::SaveJournal { journal, .. } if journal.completing == Some(world.tree_hash())),
    );
    let asked = world.trace.iter().rposition(|(_, command)| matches!(command, Command::Sign { .. }));
    assert!(saved.unwrap() < asked.unwrap());
}

#[test]
fn part_lost_in_flight_is_sent_again() {
    for fault in [Fault::LostRequest, Fault::LostAnswer, Fault::Corrupt, Fault::WrongEcho, Fault::Html] {
        let mut world = scripted(5, &[(O::UploadMultipartPart, 2, fault)]);
        let state = world.run();
        assert_stored(&world, &state);
        assert_eq!(world.parts_sent, 6, "{fault:?}");
    }
}

#[test]
fn part_lost_by_the_store_is_found_and_sent_again() {
    let mut world = scripted(120, &[(O::CompleteMultipartUpload, 1, Fault::LostRequest)]);
    world.tell(Event::Start);
    while world.upload.state() != State::Completing {
        let now = world.now;
        world.run_until(now + 1);
    }
    assert!(world.store.lose_part(60));
    let state = world.run_on();
    assert_stored(&world, &state);
    assert_eq!((world.parts_sent, world.store.initiated, world.store.listed), (121, 1, 3));
}

#[test]
fn expired_signature_is_signed_again_without_burning_a_retry() {
    const EXPIRED: Fault =
        Fault::Answer(403, "InvalidSignatureException", "Signature expired: a is now earlier than b");
    let script: Vec<_> = (1..=3).map(|nth| (O::UploadMultipartPart, nth, EXPIRED)).collect();
    let mut world = scripted(1, &script);
    world.config.retry.max_attempts = 1;
    world.upload = Upload::new(world.config.clone());
    let state = world.run();
    assert_stored(&world, &state);

    let script: Vec<_> = (1..=4).map(|nth| (O::UploadMultipartPart, nth, EXPIRED)).collect();
    let error = failure(scripted(1, &script).run());
    assert_eq!((error.code, error.retryable, error.part_number), (ErrorCode::ClockSkew, true, Some(1)));
    assert_eq!((error.status, error.request_id.as_deref()), (Some(403), Some("request-1")));
}

#[test]
fn signature_past_four_fifths_of_its_life_is_not_sent() {
    let mut world = scripted(40, &[]);
    world.config.limits.in_flight = 1;
    world.upload = Upload::new(world.config.clone());
    world.lifetime_ms = 100;
    let state = world.run();
    assert_stored(&world, &state);
    let mut signed_at = std::collections::BTreeMap::new();
    let mut resigned = 0;
    for (at, command) in &world.trace {
        match command {
            Command::Sign { intents, .. } => {
                for intent in intents.iter().filter(|intent| intent.op() == "UploadMultipartPart") {
                    resigned += u32::from(signed_at.insert(intent.archive_len(), *at).is_some());
                }
            }
            // The gateway takes up to 82 ms to sign.
            Command::SendPart { range, .. } => assert!(at.since(signed_at[&Some(range.end())]) <= 80 + 82),
            _ => {}
        }
    }
    assert!(resigned > 10);
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
fn stalled_part_is_cancelled_and_sent_again() {
    let mut world = scripted(2, &[(O::UploadMultipartPart, 1, Fault::BlackHole)]);
    let state = world.run();
    assert_stored(&world, &state);
    let sends = sends(&world, 0);
    assert_eq!(sends.len(), 2);
    let waited = sends[1].since(sends[0]);
    assert!((30_000..31_000).contains(&waited), "{waited}");
    assert!(count(&world, |command| matches!(command, Command::Cancel { .. })) >= 1);

    let script: Vec<_> = (1..=8).map(|nth| (O::UploadMultipartPart, nth, Fault::BlackHole)).collect();
    let error = failure(scripted(1, &script).run());
    assert_eq!((error.code, error.retryable), (ErrorCode::Stalled, true));
}

#[test]
fn part_that_was_sent_and_never_answered_is_sent_again() {
    let mut world = scripted(2, &[(O::UploadMultipartPart, 1, Fault::SilentAnswer)]);
    let state = world.run();
    assert_stored(&world, &state);
    let sends = sends(&world, 0);
    let waited = sends[1].since(sends[0]);
    assert!((60_000..62_000).contains(&waited), "{waited}");
}

#[test]
fn retry_after_wins_and_is_clamped() {
    for (asked, waits) in
        [("7", 7_000..8_000), ("86400", 300_000..301_000), ("99999999999999999999999", 300_000..301_000)]
    {
        let mut world = scripted(1, &[(O::UploadMultipartPart, 1, Fault::RetryAfter(503, asked))]);
        let state = world.run();
        assert_stored(&world, &state);
        let sends = sends(&world, 0);
        assert!(waits.contains(&sends[1].since(sends[0])), "{asked}: {}", sends[1].since(sends[0]));
    }
    for junk in ["-1", "soon", "", "Wed, 21 Oct 2026 07:28:00 GMT", "1e9"] {
        let mut world = scripted(1, &[(O::UploadMultipartPart, 1, Fault::RetryAfter(503, junk))]);
        let state = world.run();
        assert_stored(&world, &state);
        let sends = sends(&world, 0);
        assert!(sends[1].since(sends[0]) < 2_000, "{junk:?} is no number of seconds");
    }
}

#[test]
fn outage_ends_in_a_failure_that_can_be_resumed() {
    let mut world = scripted(20, &[]);
    world.tell(Event::Start);
    world.run_until(Instant(2_000));
    world.intensities.network = 1000;
    let error = failure(world.run_on());
    assert_eq!((error.code, error.retryable), (ErrorCode::Network, true));
    let (sent, confirmed) = (world.parts_sent, world.upload.progress(world.now).parts.confirmed);
    assert!(confirmed > 0);
    world.intensities.network = 0;
    world.tell(Event::Resume);
    let state = world.run_on();
    assert_stored(&world, &state);
    assert_eq!(world.store.initiated, 1);
    assert!(world.parts_sent - sent <= 20 - confirmed);
}

#[test]
fn token_expired_midway_keeps_acknowledged_parts() {
    let expired = Fault::Answer(401, "token_expired", "The token's time is over");
    let script: Vec<_> = (6..=7).map(|nth| (O::Sign, nth, expired)).collect();
    let mut world = scripted(40, &script);
    let error = failure(world.run());
    assert_eq!((error.code, error.retryable, error.status), (ErrorCode::AuthExpired, true, Some(401)));
    assert_eq!(error.service_code.as_deref(), Some("token_expired"));
    let acknowledged = world.journal.clone().unwrap().acknowledged.len();
    assert_eq!(acknowledged, usize::try_from(world.upload.progress(world.now).parts.confirmed).unwrap());
    let sent = world.parts_sent;
    world.tell(Event::Resume);
    let state = world.run_on();
    assert_stored(&world, &state);
    assert_eq!(usize::try_from(world.parts_sent - sent).unwrap(), 40 - acknowledged);
}

#[test]
fn one_refused_token_is_asked_for_afresh_without_anybody_noticing() {
    let mut world = scripted(4, &[(O::Sign, 2, Fault::Answer(401, "token_expired", ""))]);
    let state = world.run();
    assert_stored(&world, &state);
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
        let config = UploadConfig::new(VaultName::new("photos").unwrap(), None, plan);
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

#[test]
fn throttling_halves_what_is_in_flight() {
    let throttled = Fault::Answer(400, "ThrottlingException", "Rate exceeded");
    let mut world = scripted(60, &(1..=4).map(|nth| (O::UploadMultipartPart, nth, throttled)).collect::<Vec<_>>());
    world.tell(Event::Start);
    let in_flight = |world: &World| world.upload.progress(world.now).parts.in_flight;
    let most_until = |world: &mut World, stored: u32| {
        let mut most = 0;
        while world.store.parts_stored < stored {
            let now = world.now;
            world.run_until(now + 1);
            most = most.max(in_flight(world));
        }
        most
    };
    while world.parts_sent < 4 || in_flight(&world) > 2 {
        let now = world.now;
        world.run_until(now + 1);
    }
    assert_eq!(most_until(&mut world, 2), 2, "halved once for one burst");
    assert_eq!(most_until(&mut world, 30), 4, "and recovers");
    let state = world.run_on();
    assert_stored(&world, &state);
}

#[test]
fn strangers_at_the_first_contact_are_named_at_once() {
    for (operation, fault) in [
        (O::Sign, Fault::Html),
        (O::Sign, Fault::Answer(404, "", "")),
        (O::InitiateMultipartUpload, Fault::Html),
        (O::InitiateMultipartUpload, Fault::Answer(404, "", "")),
    ] {
        let mut world = scripted(2, &[(operation, 1, fault)]);
        let error = failure(world.run());
        assert_eq!(error.code, ErrorCode::NotOurServer, "{operation:?} {fault:?}");
        assert!(world.now < Instant(3_000));
    }
}

#[test]
fn final_refusals_have_codes_of_their_own() {
    for (operation, status, code, expected) in [
        (O::InitiateMultipartUpload, 400, "NoLongerSupportedException", ErrorCode::VaultsClosed),
        (O::InitiateMultipartUpload, 403, "AccessDeniedException", ErrorCode::AuthDenied),
        (O::InitiateMultipartUpload, 404, "ResourceNotFoundException", ErrorCode::VaultNotFound),
        (O::InitiateMultipartUpload, 400, "LimitExceededException", ErrorCode::LimitExceeded),
        (O::UploadMultipartPart, 400, "PolicyEnforcedException", ErrorCode::Refused),
        (O::UploadMultipartPart, 413, "", ErrorCode::Refused),
        (O::Sign, 403, "operation_denied", ErrorCode::AuthDenied),
        (O::Sign, 403, "limit_exceeded", ErrorCode::LimitExceeded),
        (O::CompleteMultipartUpload, 403, "AccessDeniedException", ErrorCode::AuthDenied),
    ] {
        let mut world = scripted(2, &[(operation, 1, Fault::Answer(status, code, "no"))]);
        let error = failure(world.run());
        assert_eq!((error.code, error.retryable, error.status), (expected, false, Some(status)), "{code}");
        if status == 413 {
            assert!(error.hint.contains("part size"));
        }
        world.tell(Event::Resume);
        assert!(matches!(world.upload.state(), State::Failed(_)), "final is final");
    }
}

#[test]
fn worker_that_dies_again_and_again_is_an_error_of_its_own() {
    let mut world = scripted(3, &[]);
    world.intensities.hash = 1000;
    let error = failure(world.run());
    assert!(matches!(error.code, ErrorCode::WorkerFailed | ErrorCode::FileUnreadable), "{error:?}");
    assert!(error.retryable);
    world.intensities.hash = 0;
    world.tell(Event::Resume);
    let state = world.run_on();
    assert_stored(&world, &state);
}

#[test]
fn wrong_number_of_signed_requests_is_the_signers_fault() {
    let mut world = scripted(3, &[]);
    world.tell(Event::Start);
    let Some((_, Command::Sign { ticket, .. })) = world.trace.first().cloned() else { panic!("{:?}", world.trace) };
    world.tell(Event::Signed { ticket, requests: Vec::new() });
    let error = failure(world.upload.state());
    assert_eq!((error.code, error.retryable), (ErrorCode::SignFailed, true));
}

#[test]
fn reports_nobody_waits_for_change_nothing() {
    let mut world = scripted(3, &[]);
    let state = world.run();
    let late: Vec<Event> = (0..200)
        .map(glacier_core::upload::Ticket)
        .flat_map(|ticket| {
            let digest = world.digest(0);
            [
                Event::Answered { ticket, response: Response::default() },
                Event::Hashed { ticket, digest },
                Event::Signed { ticket, requests: Vec::new() },
                Event::JournalSaved { ticket },
                Event::Sent { ticket, bytes: u64::MAX },
            ]
        })
        .chain([Event::Start, Event::Pause, Event::Resume, Event::Offline, Event::Online, Event::Abort])
        .collect();
    for event in late {
        world.upload.handle_event(event, Instant(u64::MAX), Jitter::new(0.5));
        assert_eq!(world.upload.state(), state);
        assert_eq!(world.upload.poll_command(Instant(u64::MAX)), None);
    }
}
