//! Whole uploads with faults, in virtual time: the real state machine against a simulated network, gateway, store,
//! file and user. A failing seed is printed; `SIM_SEED=<seed> cargo test -p glacier-core --test upload_sim one_seed`
//! runs it alone, `SIM_SEEDS=<n>` runs more of them.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "sim/agenda.rs"]
mod agenda;
#[path = "upload_sim/driver.rs"]
mod driver;
#[path = "upload_sim/faults.rs"]
mod faults;
#[path = "upload_sim/objects.rs"]
mod objects;
#[path = "sim/refusal.rs"]
mod refusal;
#[path = "sim/rng.rs"]
mod rng;
#[path = "upload_sim/s3_store.rs"]
mod s3_store;
#[path = "upload_sim/scenarios.rs"]
mod scenarios;
#[path = "sim/seeds.rs"]
mod seeds;
#[path = "upload_sim/store.rs"]
mod store;
#[path = "upload_sim/streams.rs"]
mod streams;
#[path = "upload_sim/swarm.rs"]
mod swarm;
#[path = "upload_sim/trouble.rs"]
mod trouble;
#[path = "upload_sim/visits.rs"]
mod visits;
#[path = "upload_sim/world.rs"]
mod world;
#[path = "upload_sim/writer.rs"]
mod writer;

use faults::Rng;
use glacier_core::ErrorCode;
use glacier_core::upload::State;
use world::World;

/// Faults stop here.
const QUIET_MS: u64 = 20 * 60_000;

fn build(seed: u64) -> World {
    let mut rng = Rng(seed ^ 0x5eed);
    let most = if rng.chance(50) { 120 } else { 14 };
    let n_parts = u32::try_from(1 + rng.below(most)).unwrap();
    let mut world = World::new(seed, n_parts);
    world.config.limits = swarm::limits(&mut rng);
    world.config.reread = rng.chance(150);
    world.config.deadlines.byte_progress = rng.chance(900);
    world.upload = glacier_core::Upload::new(world.config.clone());
    swarm::faults(&mut world, &mut rng);
    // Most uploads are over within seconds: what happens to them has to happen early.
    let moment = |rng: &mut Rng| {
        let most = if rng.chance(800) { 8_000 } else { QUIET_MS };
        rng.below(most)
    };
    swarm::happenings(&mut world, &mut rng, moment, swarm::of_a_file);
    world
}

/// Runs one seed to its end and checks the end. Prints what it did if it was asked for by name.
fn run(seed: u64) -> (World, State) {
    let mut world = build(seed);
    let state = world.run();
    seeds::show(seed, &world.trace, &state);
    let archives = &world.store.archives;
    // A visit that guesses may be given another file after the one before was stored, and that is another archive.
    let of_this_file = archives.iter().filter(|archive| archive.tree_hash == world.tree_hash()).count();
    assert!(of_this_file <= 1, "{of_this_file} archives of one file");
    assert!(archives.len() <= 1 || world.guesses && world.file_version > 0, "{} archives", archives.len());
    match &state {
        State::Done(outcome) => {
            let archive = archives.iter().find(|archive| archive.stored() == outcome.stored);
            let archive = archive.expect("done without an archive");
            assert_eq!((archive.tree_hash, archive.size), (outcome.tree_hash, outcome.size));
            let progress = world.upload.progress(world.now);
            assert_eq!(progress.bytes_confirmed, progress.bytes_total);
            assert_eq!(progress.bytes_sent, progress.bytes_total);
            assert_eq!(progress.bytes_hashed, progress.bytes_total);
        }
        State::Aborted => assert_eq!(of_this_file, 0, "said to be aborted and stored"),
        State::Failed(error) => {
            let expected = match error.code {
                ErrorCode::FileChanged => world.file_version > 0,
                // Expired or completed, and the store cannot tell any more.
                ErrorCode::UploadExpired => of_this_file == 0,
                _ => false,
            };
            assert!(expected && !error.retryable, "{error:?}");
        }
        other => panic!("stuck in {other:?}"),
    }
    assert!(
        world.parts_sent <= world.n_parts() + world.excused,
        "{} parts sent for {} and {} excused",
        world.parts_sent,
        world.n_parts(),
        world.excused
    );
    (world, state)
}

fn run_reporting(seed: u64) -> (World, State) {
    seeds::run(seed, "upload_sim", "one_seed", run)
}

#[test]
fn one_seed() {
    run_reporting(seeds::named().unwrap_or(1));
}

#[test]
fn every_seed_ends_well() {
    let (mut done, mut aborted, mut failed) = (0, 0, 0);
    for seed in seeds::all() {
        match run_reporting(seed).1 {
            State::Done(_) => done += 1,
            State::Aborted => aborted += 1,
            _ => failed += 1,
        }
    }
    println!("{done} done, {aborted} aborted, {failed} failed for good");
    assert!(done > aborted * 4 && aborted > 0 && failed > 0, "the mixture of faults is not what it was");
}

#[test]
fn the_same_seed_gives_the_same_upload() {
    for seed in 0..200 {
        assert_eq!(run(seed).0.trace, run(seed).0.trace, "seed {seed}");
    }
}
