//! Whole downloads with faults, in virtual time: the real state machine against a simulated store, gateway, network,
//! sink and user. A failing seed is printed; `SIM_SEED=<seed> cargo test -p glacier-core --test download_sim one_seed`
//! runs it alone, `SIM_SEEDS=<n>` runs more of them.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "sim/agenda.rs"]
mod agenda;
#[path = "download_sim/driver.rs"]
mod driver;
#[path = "download_sim/faults.rs"]
mod faults;
#[path = "download_sim/objects.rs"]
mod objects;
#[path = "download_sim/part.rs"]
mod part;
#[path = "sim/refusal.rs"]
mod refusal;
#[path = "sim/rng.rs"]
mod rng;
#[path = "download_sim/scenarios.rs"]
mod scenarios;
#[path = "sim/seeds.rs"]
mod seeds;
#[path = "download_sim/world.rs"]
mod world;

use faults::{Intensities, Rng};
use glacier_core::download::{Event, Limits, SinkOrder, Source, State, Unverifiable, Verified};
use glacier_core::error::ErrorCode;
use glacier_core::{ByteRange, MIB, PartSize};
use world::{Happening, World, job, output_of};

/// Faults stop here.
const QUIET_MS: u64 = 20 * 60_000;

fn build(seed: u64) -> World {
    let mut rng = Rng(seed ^ 0x5eed);
    let most = if rng.chance(50) { 120 } else { 14 };
    let n_leaves = 1 + rng.below(most);
    let before = if rng.chance(600) { 0 } else { rng.below(3) };
    let range = ByteRange::new(before * MIB, (before + n_leaves) * MIB - seed % MIB).unwrap();
    let order = if rng.chance(500) { SinkOrder::InOrder } else { SinkOrder::Any };
    // Of an archive to its end: aligned or not, as it happens.
    let of_archive = |_: &mut Rng| output_of(job("job-1", range, range.end()));
    let source = if rng.chance(300) { objects::any(&mut rng, range.len()) } else { of_archive(&mut rng) };
    let mut world = World::new(seed, source, order);
    let in_flight = u32::try_from(1 + rng.below(6)).unwrap();
    let held = u32::try_from(1 + rng.below(8)).unwrap();
    let piece_size = PartSize::all().nth(usize::try_from(rng.below(4)).unwrap()).unwrap();
    world.configure(|config| {
        config.limits = Limits { in_flight, held };
        config.piece_size = piece_size;
        if rng.chance(100) {
            match &mut config.source {
                Source::Job { job, .. } => job.tree_hash = None,
                Source::Object(object) => object.head.tree_hash = None,
            }
        }
    });
    world.sink_ms = if rng.chance(200) { 90_000 } else { 1 + rng.below(500) };
    if rng.chance(900) {
        world.intensities = Intensities::swarm(&mut rng);
    }
    if rng.chance(200) {
        world.lifetime_ms = rng.below(3_000);
    }
    // Most downloads are over within seconds: what happens to them has to happen early.
    let moment = |rng: &mut Rng| {
        let most = if rng.chance(800) { 4_000 } else { QUIET_MS };
        rng.below(most)
    };
    for _ in 0..rng.below(4) {
        let (begin, end) = (moment(&mut rng), moment(&mut rng));
        match rng.below(8) {
            0 | 1 => {
                world.report(begin, Event::Pause);
                world.report(begin + end, Event::Resume);
            }
            2 | 3 => {
                world.report(begin, Event::Offline);
                world.report(begin + end, Event::Online);
            }
            4 | 5 => world.at(begin, Happening::Expiry),
            6 => world.at(begin, Happening::Crash),
            _ if rng.chance(400) => world.report(begin, Event::Abort),
            _ => {}
        }
    }
    world.at(QUIET_MS, Happening::Quiet);
    world
}

/// What the sink has is the output, every byte of it.
fn assert_delivered(world: &World, state: &State) {
    let State::Done(outcome) = state else { panic!("{state:?}") };
    let len = world.download.len();
    let mut end = 0;
    for (range, hash) in world.sink.written.values() {
        // A file may have been written over with pieces of another size.
        assert!(range.start() <= end, "a gap before {range:?}");
        assert_eq!(*hash, world.hash(*range), "{range:?}");
        end = end.max(range.end());
    }
    assert_eq!(end, len);
    assert_eq!(world.sink.closed, 1);
    let everything = ByteRange::new(0, len).unwrap();
    assert_eq!((outcome.len, outcome.tree_hash), (len, world.hash(everything)));
    let progress = world.download.progress(world.now);
    assert_eq!((progress.bytes_received, progress.bytes_delivered), (len, len));
    let job = match &world.config.source {
        Source::Job { job, .. } => job,
        Source::Object(object) => return objects::assert_judged(object, outcome.verified),
    };
    match outcome.verified {
        Verified::Whole => assert!(job.tree_hash.is_some()),
        Verified::Ranges { why: Unverifiable::OnlyPart } => assert!(world.is_vouched()),
        Verified::None { why: Unverifiable::OnlyPart } => assert!(!world.is_vouched()),
        Verified::Ranges { why } => assert!(world.is_vouched() && why == Unverifiable::NoTreeHash),
        Verified::None { why } if world.is_vouched() => assert_eq!(why, Unverifiable::NoTreeHash),
        Verified::None { why } => assert_eq!(why, Unverifiable::NotAligned),
    }
}

/// Runs one seed to its end and checks the end. Prints what it did if it was asked for by name.
fn run(seed: u64) -> (World, State) {
    let mut world = build(seed);
    let state = world.run();
    seeds::show(seed, &world.trace, &state);
    match &state {
        State::Done(_) => assert_delivered(&world, &state),
        State::Aborted => {}
        State::Failed(error) => {
            let of_a_stream = world.config.order == SinkOrder::InOrder && world.sink.failures > 0;
            let for_good = of_a_stream || world.sink.close_failures > 0;
            assert!(error.code == ErrorCode::SinkFailed && for_good && !error.retryable, "{error:?}");
        }
        other => panic!("stuck in {other:?}"),
    }
    assert!(world.held.is_empty() && world.in_flight.is_empty() && world.writing.is_empty());
    (world, state)
}

fn run_reporting(seed: u64) -> (World, State) {
    seeds::run(seed, "download_sim", "one_seed", run)
}

#[test]
fn one_seed() {
    run_reporting(seeds::named().unwrap_or(1));
}

#[test]
fn every_seed_ends_well() {
    let (mut whole, mut ranges, mut none, mut aborted, mut failed) = (0, 0, 0, 0, 0);
    for seed in seeds::all() {
        match run_reporting(seed).1 {
            State::Done(outcome) => match outcome.verified {
                Verified::Whole => whole += 1,
                Verified::Ranges { .. } => ranges += 1,
                Verified::None { .. } => none += 1,
            },
            State::Aborted => aborted += 1,
            _ => failed += 1,
        }
    }
    println!("{whole} whole, {ranges} by ranges, {none} not verified, {aborted} aborted, {failed} failed for good");
    let every_kind = ranges > 0 && none > 0 && aborted > 0 && failed > 0;
    assert!(whole > failed && every_kind, "the mixture of faults is not what it was");
}

#[test]
fn the_same_seed_gives_the_same_download() {
    for seed in 0..200 {
        assert_eq!(run(seed).0.trace, run(seed).0.trace, "seed {seed}");
    }
}
