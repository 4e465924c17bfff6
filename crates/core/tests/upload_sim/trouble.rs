//! Uploads that a server, a network or a worker troubles in one particular way.

use glacier_core::glacier::Response;
use glacier_core::retry::Operation as O;
use glacier_core::upload::{Command, Event, State};
use glacier_core::{ErrorCode, Instant, Jitter, Upload};

use crate::faults::Fault;
use crate::refusal::EXPIRED;
use crate::refusal::Refusal::{Answer, RetryAfter};
use crate::scenarios::{assert_stored, count, failure, scripted, sends};
use crate::world::World;

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
    let expired = Fault::Refused(EXPIRED);
    let script: Vec<_> = (1..=3).map(|nth| (O::UploadMultipartPart, nth, expired)).collect();
    let mut world = scripted(1, &script);
    world.config.retry.max_attempts = 1;
    world.upload = Upload::new(world.config.clone());
    let state = world.run();
    assert_stored(&world, &state);

    let script: Vec<_> = (1..=4).map(|nth| (O::UploadMultipartPart, nth, expired)).collect();
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
        let mut world = scripted(1, &[(O::UploadMultipartPart, 1, Fault::Refused(RetryAfter(503, asked)))]);
        let state = world.run();
        assert_stored(&world, &state);
        let sends = sends(&world, 0);
        assert!(waits.contains(&sends[1].since(sends[0])), "{asked}: {}", sends[1].since(sends[0]));
    }
    for junk in ["-1", "soon", "", "Wed, 21 Oct 2026 07:28:00 GMT", "1e9"] {
        let mut world = scripted(1, &[(O::UploadMultipartPart, 1, Fault::Refused(RetryAfter(503, junk)))]);
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
    let expired = Fault::Refused(Answer(401, "token_expired", "The token's time is over"));
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
    let mut world = scripted(4, &[(O::Sign, 2, Fault::Refused(Answer(401, "token_expired", "")))]);
    let state = world.run();
    assert_stored(&world, &state);
}

#[test]
fn throttling_halves_what_is_in_flight() {
    let throttled = Fault::Refused(Answer(400, "ThrottlingException", "Rate exceeded"));
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
        (O::Sign, Fault::Refused(Answer(404, "", ""))),
        (O::InitiateMultipartUpload, Fault::Html),
        (O::InitiateMultipartUpload, Fault::Refused(Answer(404, "", ""))),
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
        let mut world = scripted(2, &[(operation, 1, Fault::Refused(Answer(status, code, "no")))]);
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

#[test]
fn progress_of_other_parts_fills_the_budget_again() {
    let mut world = scripted(200, &[]);
    world.config.retry.max_attempts = 5;
    world.upload = Upload::new(world.config.clone());
    world.intensities.network = 400;
    let state = world.run();
    assert_stored(&world, &state);
}

#[test]
fn part_that_never_arrives_as_it_was_read_ends_the_upload() {
    let script: Vec<_> = (1..=4).map(|nth| (O::UploadMultipartPart, nth, Fault::Corrupt)).collect();
    let mut world = scripted(1, &script);
    let error = failure(world.run());
    assert_eq!((error.code, error.retryable), (ErrorCode::ChecksumMismatchPart, true));
    assert_eq!((error.status, error.part_number, world.parts_sent), (Some(400), Some(1), 4));
}
