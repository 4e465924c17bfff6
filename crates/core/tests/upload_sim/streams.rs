//! Streams: data of unknown length, while it is written.

use glacier_core::retry::Operation as O;
use glacier_core::upload::{Command, Event, Intake, Limits, NotData, State, Target, UploadConfig};
use glacier_core::{ErrorCode, Instant, Intent, MIB, PartPlan, PartSize, Upload};

use crate::faults::{Fault, Rng};
use crate::refusal::Refusal::Answer;
use crate::scenarios::{assert_stored, count, failure};
use crate::world::{Happening, World, to_a_vault};
use crate::writer::{Finish, Writer};
use crate::{seeds, swarm};

fn config(most: u64) -> UploadConfig {
    UploadConfig::new(to_a_vault(), PartPlan::exact(most, PartSize::MIN).unwrap())
}

fn writing(wanted: u64) -> World {
    World::stream(7, config(10_000 * MIB), Writer::new(wanted, Finish::Closes))
}

fn build(seed: u64) -> World {
    build_to(seed, to_a_vault())
}

pub fn build_to(seed: u64, target: Target) -> World {
    let mut rng = Rng(seed ^ 0x57_e4);
    let most = if rng.chance(100) { 80 } else { 12 };
    let parts = 1 + rng.below(most);
    let wanted = match rng.below(8) {
        0 => 0,
        1 => 1,
        2 => parts * MIB - 1,
        3 | 4 => parts * MIB,
        5 => parts * MIB + 1,
        _ => rng.below(parts * MIB),
    };
    // One in twelve is opened for less than it becomes.
    let most = if rng.chance(80) { (wanted * 3 / 4).max(1) } else { wanted.max(1) + rng.below(1 << 30) };
    let finish = match rng.below(10) {
        0 => Finish::Aborts,
        1 => Finish::Blunders,
        _ => Finish::Closes,
    };
    let mut writer = Writer::new(wanted, finish);
    (writer.chunk, writer.gap_ms) = match rng.below(3) {
        0 => (3 * MIB, 0),
        1 => (300_000, 20),
        _ => (MIB, 5_000),
    };
    let mut config = UploadConfig { target, ..config(most) };
    config.limits = swarm::limits(&mut rng);
    config.deadlines.byte_progress = rng.chance(900);
    let mut world = World::stream(seed, config, writer);
    swarm::faults(&mut world, &mut rng);
    let aborts = |world: &mut World, rng: &mut Rng, begin| {
        if rng.chance(250) {
            world.user(begin, Event::Abort);
        }
    };
    swarm::happenings(&mut world, &mut rng, |rng| rng.below(20_000), aborts);
    world
}

fn run(seed: u64) -> (World, State) {
    let mut world = build(seed);
    let state = world.run();
    seeds::show(seed, &world.trace, &(&world.writer, &state));
    let (wanted, written, ended, finish) = {
        let writer = world.writer();
        (writer.wanted, writer.written, writer.ended, writer.finish)
    };
    assert!(world.store.archives.len() <= 1);
    match &state {
        State::Done(outcome) => {
            assert_stored(&world, &state);
            assert_eq!((outcome.size, written, ended), (wanted, wanted, true));
            let progress = world.upload.progress(world.now);
            assert_eq!([progress.bytes_confirmed, progress.bytes_sent, progress.bytes_hashed], [wanted; 3]);
            assert_eq!(world.upload.current_tree_hash(), Some(outcome.tree_hash));
            assert!(world.parts_sent <= world.n_parts() + world.excused);
        }
        State::Aborted => assert!(world.store.archives.is_empty()),
        State::Failed(error) => {
            let expected = match error.code {
                ErrorCode::FileEmpty => wanted == 0 && world.store.initiated == 0,
                ErrorCode::FileTooLarge => written > world.config.plan.size(),
                ErrorCode::InvalidOption => finish == Finish::Blunders,
                // Gone, or given up while it was completed and nobody could tell which came first.
                ErrorCode::UploadExpired => world.harmed || world.asked("AbortMultipartUpload"),
                ErrorCode::ChecksumMismatchWhole => world.harmed,
                _ => false,
            };
            assert!(expected && !error.retryable, "{error:?}");
            assert!(world.store.archives.is_empty());
        }
        other => panic!("stuck in {other:?}"),
    }
    world.assert_nothing_left(&state);
    (world, state)
}

fn run_reporting(seed: u64) -> (World, State) {
    seeds::run(seed, "upload_sim", "one_stream", run)
}

#[test]
fn one_stream() {
    run_reporting(seeds::named().unwrap_or(1));
}

#[test]
fn every_stream_ends_well() {
    let (mut done, mut aborted, mut failed, mut waited) = (0, 0, std::collections::BTreeMap::new(), 0);
    for seed in seeds::all() {
        let (mut world, state) = run_reporting(seed);
        waited += u32::from(world.writer().waited > 0);
        match state {
            State::Done(_) => done += 1,
            State::Failed(error) => *failed.entry(error.code.as_str()).or_insert(0) += 1,
            _ => aborted += 1,
        }
    }
    println!("{done} done, {aborted} aborted, failed {failed:?}, {waited} had to wait");
    assert!(done > aborted && aborted > 0 && waited > 0, "the mixture of writers is not what it was");
    assert_eq!(failed.len(), 5, "{failed:?}");
}

#[test]
fn lengths_on_the_seams_are_stored_in_as_many_parts_as_they_have() {
    for parts in [1, 2, 3, 7] {
        for (wanted, n_parts) in [(parts * MIB - 1, parts), (parts * MIB, parts), (parts * MIB + 1, parts + 1)] {
            let mut world = writing(wanted);
            let state = world.run();
            assert_stored(&world, &state);
            assert_eq!((world.store.archives[0].size, u64::from(world.parts_sent)), (wanted, n_parts));
        }
    }
    let mut world = writing(1);
    let state = world.run();
    assert_stored(&world, &state);
}

#[test]
fn empty_stream_asks_nobody() {
    let mut world = writing(0);
    let error = failure(world.run());
    assert_eq!((error.code, error.retryable), (ErrorCode::FileEmpty, false));
    assert_eq!((world.signed.len(), world.store.initiated), (0, 0));
}

#[test]
fn upload_is_opened_when_the_first_part_is_full_and_not_before() {
    let mut upload = Upload::stream(config(10 * MIB));
    let now = Instant(0);
    let jitter = glacier_core::Jitter::new(0.5);
    upload.handle_event(Event::Start, now, jitter);
    upload.handle_event(Event::Written { bytes: MIB - 1 }, now, jitter);
    assert_eq!(upload.poll_command(now), None);
    upload.handle_event(Event::Written { bytes: MIB }, now, jitter);
    let Some(Command::Sign { intents, .. }) = upload.poll_command(now) else { panic!("nothing to sign") };
    assert!(matches!(intents[..], [Intent::InitiateMultipartUpload { size, .. }] if size == 10 * MIB), "{intents:?}");
    assert!(matches!(upload.poll_command(now), Some(Command::HashPart { part: 0, .. })));
}

#[test]
fn upload_of_a_stream_that_has_ended_is_opened_for_its_size() {
    let mut world = writing(5);
    world.run();
    assert!(matches!(world.signed[0].0, Intent::InitiateMultipartUpload { size: 5, .. }));
}

#[test]
fn one_byte_too_many_is_refused_and_removed() {
    for (most, wanted) in [(2 * MIB, 2 * MIB + 1), (2 * MIB + 5, 2 * MIB + 6), (1, 2)] {
        let mut world = World::stream(7, config(most), Writer::new(wanted, Finish::Closes));
        world.writer().chunk = 50_000;
        let state = world.run();
        let error = failure(state.clone());
        assert_eq!((error.code, error.retryable), (ErrorCode::FileTooLarge, false));
        assert!(error.message.contains(&most.to_string()), "{}", error.message);
        assert_eq!((world.store.n_open(), world.store.archives.len()), (0, 0));
        let mut world = World::stream(7, config(most), Writer::new(most, Finish::Closes));
        let state = world.run();
        assert_stored(&world, &state);
    }
}

#[test]
fn ten_thousand_parts_and_no_byte_more() {
    for (more, ends_well) in [(0, true), (1, false)] {
        let mut world = writing(10_000 * MIB + more);
        (world.writer().chunk, world.writer().gap_ms) = (4 * MIB, 0);
        let state = world.run();
        if ends_well {
            assert_stored(&world, &state);
        } else {
            assert_eq!(failure(state).code, ErrorCode::FileTooLarge);
            assert_eq!((world.store.n_open(), world.store.archives.len()), (0, 0));
        }
    }
}

#[test]
fn abort_at_any_moment_leaves_nothing_behind() {
    let mut while_opening = 0;
    for moment in 0..3_000 {
        let mut world = writing(6 * MIB);
        world.tell(Event::Start);
        world.run_until(Instant(1_000 + moment));
        // The answer that names the upload is on its way.
        while_opening += u32::from(world.store.initiated == 1 && world.writer().known.is_empty());
        world.tell(Event::Abort);
        let state = world.run_on();
        if world.store.archives.is_empty() {
            assert_eq!(state, State::Aborted, "{moment}");
        } else {
            assert_stored(&world, &state);
        }
        assert_eq!(world.store.n_open(), 0, "{moment}");
    }
    assert!(while_opening > 5, "{while_opening} moments");
}

#[test]
fn writer_waits_while_the_store_is_silent_and_goes_on_after() {
    let mut world = writing(20 * MIB);
    world.intensities.silence = 1_000;
    world.tell(Event::Start);
    world.run_until(Instant(25_000));
    let limits = world.config.limits;
    assert_eq!(world.writer().written, u64::from(limits.in_flight + limits.hash_ahead) * MIB);
    assert!(world.writer().waited > 10);
    world.intensities.silence = 0;
    let state = world.run_on();
    assert_stored(&world, &state);
}

#[test]
fn retryable_failure_keeps_what_was_written_until_resume() {
    let mut world = writing(30 * MIB);
    world.config.retry.max_attempts = 2;
    world.upload = Upload::stream(world.config.clone());
    world.tell(Event::Start);
    world.run_until(Instant(2_000));
    world.intensities.network = 1_000;
    world.run_to(|state| matches!(state, State::Failed(_)));
    assert!(world.upload.error().unwrap().retryable);
    let then = world.now;
    world.run_until(then + 600_000);
    assert!(world.writer().waited > 0 && world.writer().written < 30 * MIB, "the writer waits");
    world.intensities.network = 0;
    world.tell(Event::Resume);
    let state = world.run_on();
    assert_stored(&world, &state);
    assert_eq!(world.store.initiated, 1);
}

#[test]
fn failure_that_no_retry_helps_removes_what_was_stored() {
    let refused = Fault::Refused(Answer(403, "AccessDeniedException", "not you"));
    let mut world = writing(9 * MIB);
    world.script = vec![(O::UploadMultipartPart, 4, refused)];
    let state = world.run();
    let error = failure(state.clone());
    assert!(!error.retryable, "{error:?}");
    assert_eq!((world.store.n_open(), world.store.archives.len()), (0, 0));
    assert_eq!(world.upload.intake(), None);
    world.assert_nothing_left(&state);
}

#[test]
fn expired_stream_is_begun_anew_only_while_nothing_is_lost() {
    // Nothing was acknowledged: the same bytes go to another upload.
    let mut world = writing(2 * MIB);
    world.script =
        vec![(O::UploadMultipartPart, 1, Fault::Slow(5_000)), (O::UploadMultipartPart, 2, Fault::Slow(5_000))];
    world.at(2_500, Happening::Expiry);
    let state = world.run();
    assert_stored(&world, &state);
    assert_eq!(world.store.initiated, 2);

    // Something was: it exists nowhere any more.
    let mut world = writing(60 * MIB);
    world.at(4_000, Happening::Expiry);
    let error = failure(world.run());
    assert_eq!((error.code, error.retryable), (ErrorCode::UploadExpired, false));
}

#[test]
fn part_that_the_store_lost_after_it_acknowledged_it_ends_the_stream() {
    let mut world = writing(12 * MIB);
    world.script = vec![(O::CompleteMultipartUpload, 1, Fault::LostRequest)];
    world.tell(Event::Start);
    world.run_to(|state| *state == State::Completing);
    assert!(world.store.lose_part(3));
    let error = failure(world.run_on());
    assert_eq!((error.code, error.retryable, error.part_number), (ErrorCode::ChecksumMismatchWhole, false, Some(4)));
    assert_eq!((world.store.n_open(), world.store.archives.len()), (0, 0));
}

#[test]
fn bytes_are_dropped_once_each_and_only_when_acknowledged() {
    let mut world = writing(30 * MIB);
    let state = world.run();
    assert_stored(&world, &state);
    assert_eq!(count(&world, |command| matches!(command, Command::DropPart { .. })), 30);
    // No more than one reading a part.
    assert_eq!(count(&world, |command| matches!(command, Command::HashPart { .. })), 30);
}

#[test]
fn tree_hash_grows_with_the_parts_and_ends_as_the_archive_s() {
    let mut world = writing(5 * MIB + 17);
    world.tell(Event::Start);
    let mut seen = Vec::new();
    while !world.is_over() {
        let now = world.now;
        world.run_until(now + 1);
        let hash = world.upload.current_tree_hash();
        if seen.last() != Some(&hash) {
            seen.push(hash);
        }
    }
    assert_eq!(seen[0], None);
    assert!(seen.len() > 3, "{seen:?}");
    assert_eq!(*seen.last().unwrap(), Some(world.tree_hash()));
}

#[test]
fn what_comes_after_the_end_changes_nothing() {
    let mut world = writing(2 * MIB);
    let state = world.run();
    assert_stored(&world, &state);
    for late in [Event::Written { bytes: u64::MAX }, Event::Ended, Event::NotData(NotData::Detached), Event::Abort] {
        world.upload.handle_event(late, world.now, glacier_core::Jitter::new(0.5));
        assert_eq!(world.upload.state(), state);
    }
    // Not the writer's: a file takes no bytes.
    let mut file = Upload::new(config(2 * MIB));
    file.handle_event(Event::Written { bytes: u64::MAX }, world.now, glacier_core::Jitter::new(0.5));
    file.handle_event(Event::NotData(NotData::Kind), world.now, glacier_core::Jitter::new(0.5));
    assert_eq!((file.state(), file.intake()), (State::Planned, None));
}

#[test]
fn room_never_crosses_the_end_of_a_part_nor_the_bound() {
    let mut upload = Upload::stream(config(100 * MIB));
    upload.set_limits(Limits { in_flight: 1, hash_ahead: 1 });
    let (now, jitter) = (Instant(0), glacier_core::Jitter::new(0.5));
    for (bytes, part, missing, room) in
        [(0, 0, MIB, MIB), (MIB - 1, 0, 1, 1), (MIB, 1, MIB, MIB), (MIB + 9, 1, MIB - 9, MIB - 9), (2 * MIB, 2, MIB, 0)]
    {
        upload.handle_event(Event::Written { bytes }, now, jitter);
        assert_eq!(upload.intake(), Some(Intake { part, missing, room }));
    }
}
