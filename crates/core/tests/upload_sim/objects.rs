//! Uploads to a bucket of S3: of files in one request and in parts, and of streams.

use glacier_core::retry::Operation as O;
use glacier_core::s3::{BucketName, CompositeChecksum, ObjectChecksum, ObjectKey, StorageClass};
use glacier_core::upload::{Command, Event, Limits, ObjectTarget, State, Stored, StoredObject, Target, UploadConfig};
use glacier_core::{ErrorCode, Instant, MIB, PartPlan, PartSize, Upload};

use crate::faults::{Fault, Rng};
use crate::refusal::S3_EXPIRED;
use crate::scenarios::{count, failure};
use crate::streams;
use crate::world::{Happening, World};
use crate::writer::{Finish, Writer};
use crate::{seeds, swarm};

fn to_a_bucket(overwrite: bool) -> Target {
    Target::Object(Box::new(ObjectTarget {
        bucket: BucketName::new("photos").unwrap(),
        key: ObjectKey::new("a").unwrap(),
        storage_class: StorageClass::Glacier,
        content_type: None,
        metadata: None,
        tags: None,
        overwrite,
    }))
}

fn world(seed: u64, n_parts: u32, overwrite: bool) -> World {
    let size = u64::from(n_parts) * MIB - seed % MIB;
    let plan = PartPlan::exact(size, PartSize::MIN).unwrap();
    World::with(seed, UploadConfig::new(to_a_bucket(overwrite), plan))
}

fn scripted(n_parts: u32, script: &[(O, u32, Fault)]) -> World {
    let mut world = world(7, n_parts, false);
    world.script = script.to_vec();
    world
}

fn checksum(world: &World) -> ObjectChecksum {
    let hash = |part| world.digest(part).payload_hash;
    if world.s3.created == 0 {
        return ObjectChecksum::Whole(hash(0));
    }
    ObjectChecksum::Composite(CompositeChecksum::of_parts((0..world.n_parts()).map(hash)).unwrap())
}

/// The object is ours, and what the upload says it is.
fn assert_stored(world: &World, state: &State) {
    let State::Done(outcome) = state else { panic!("{state:?}") };
    let Stored::Object(StoredObject { bucket, key, checksum: reported, tree_hash_kept, .. }) = &outcome.stored else {
        panic!("{outcome:?}")
    };
    assert_eq!((bucket.as_str(), key.as_str(), *tree_hash_kept), ("photos", "a", true));
    let object = world.s3.object.as_ref().expect("done without an object");
    assert!(!object.foreign);
    assert_eq!((object.checksum, object.size), (*reported, outcome.size));
    assert_eq!(object.tree_hash, Some(outcome.tree_hash));
    if world.file_version == 0 {
        assert_eq!((*reported, outcome.tree_hash), (checksum(world), world.tree_hash()));
    }
    assert_eq!(world.journal, None, "the record of a finished upload is dropped");
}

/// One request, or a few parts, and every fault there is.
fn build(seed: u64) -> World {
    let mut rng = Rng(seed ^ 0x0b_1e_c7);
    let most = if rng.chance(50) { 100 } else { 12 };
    let n_parts = if rng.chance(350) { 1 } else { u32::try_from(1 + rng.below(most)).unwrap() };
    let mut world = world(seed, n_parts, rng.chance(200));
    world.config.limits = swarm::limits(&mut rng);
    world.config.reread = rng.chance(100);
    world.config.deadlines.byte_progress = rng.chance(900);
    world.upload = Upload::new(world.config.clone());
    world.s3.hides_headers = rng.chance(300);
    swarm::faults(&mut world, &mut rng);
    let others = |world: &mut World, rng: &mut Rng, begin| match rng.below(4) {
        0 if rng.chance(300) => world.at(begin, Happening::Occupation),
        _ => swarm::of_a_file(world, rng, begin),
    };
    swarm::happenings(&mut world, &mut rng, |rng| rng.below(20_000), others);
    world
}

fn run(seed: u64, build: fn(u64) -> World) -> (World, State) {
    let mut world = build(seed);
    let state = world.run();
    seeds::show(seed, &world.trace, &(&world.s3, &state));
    let overwrite = world.config.target.object().unwrap().overwrite;
    if !overwrite {
        assert!(world.s3.made <= 1, "an object was made {} times", world.s3.made);
        assert!(world.s3.overwritten == 0, "something else was overwritten");
    }
    let is_ours = world.s3.object.as_ref().is_some_and(|object| !object.foreign);
    match &state {
        State::Done(_) => {
            assert_stored(&world, &state);
            let progress = world.upload.progress(world.now);
            let total = progress.bytes_total;
            assert_eq!([progress.bytes_confirmed, progress.bytes_sent, progress.bytes_hashed], [total; 3]);
        }
        // Of one request nobody can say when it arrives: it is not an upload that could be removed.
        State::Aborted => assert!(!is_ours || world.s3.created == 0, "said to be aborted and stored"),
        State::Failed(error) => {
            let expected = match error.code {
                ErrorCode::FileChanged => world.file_version > 0,
                // Somebody else's, or ours of before the file changed.
                ErrorCode::ObjectExists => !overwrite && (world.occupied || world.file_version > 0),
                ErrorCode::FileEmpty | ErrorCode::FileTooLarge | ErrorCode::InvalidOption => world.writer.is_some(),
                // Gone, or given up while it was completed and nobody could tell which came first.
                ErrorCode::UploadExpired => {
                    world.writer.is_some() && (world.harmed || world.asked("s3:AbortMultipartUpload"))
                }
                ErrorCode::ChecksumMismatchWhole => world.writer.is_some() && world.harmed,
                _ => false,
            };
            assert!(expected && !error.retryable, "{error:?}");
        }
        other => panic!("stuck in {other:?}"),
    }
    // Whoever gave up and then resumed has it sent anew.
    let anew = if world.asked("s3:AbortMultipartUpload") { world.n_parts() } else { 0 };
    assert!(
        world.parts_sent <= world.n_parts() + anew + world.excused || world.writer.is_some(),
        "{} parts sent for {} and {} excused",
        world.parts_sent,
        world.n_parts(),
        world.excused
    );
    (world, state)
}

fn run_reporting(seed: u64, build: fn(u64) -> World) -> (World, State) {
    seeds::run(seed, "upload_sim", "objects", |seed| run(seed, build))
}

fn all_end_well(build: fn(u64) -> World) -> Vec<State> {
    if let Some(seed) = seeds::named() {
        return vec![run_reporting(seed, build).1];
    }
    seeds::all().map(|seed| run_reporting(seed, build).1).collect()
}

fn mixture(states: &[State]) {
    let done = states.iter().filter(|state| matches!(state, State::Done(_))).count();
    let aborted = states.iter().filter(|state| **state == State::Aborted).count();
    let failed = states.len() - done - aborted;
    println!("{done} done, {aborted} aborted, {failed} failed for good");
    let is_mixed = done > aborted && aborted > 0 && failed > 0;
    assert!(is_mixed || seeds::named().is_some(), "the mixture of faults is not what it was");
}

#[test]
fn every_file_becomes_the_object_or_nothing() {
    mixture(&all_end_well(build));
}

#[test]
fn every_stream_becomes_the_object_or_nothing() {
    fn build(seed: u64) -> World {
        let mut world = streams::build_to(seed, to_a_bucket(seed.is_multiple_of(5)));
        world.s3.hides_headers = seed.is_multiple_of(3);
        world
    }
    mixture(&all_end_well(build));
}

#[test]
fn one_part_is_sent_in_one_request() {
    let mut world = scripted(1, &[]);
    let state = world.run();
    assert_stored(&world, &state);
    assert_eq!((world.s3.created, world.signed.len()), (0, 1));
    assert!(world.asked("s3:PutObject"));
}

#[test]
fn an_answer_that_was_lost_is_no_reason_to_overwrite() {
    for fault in [Fault::LostAnswer, Fault::SilentAnswer, Fault::Duplicate, Fault::WrongEcho] {
        let mut world = scripted(1, &[(O::S3PutObject, 1, fault)]);
        let state = world.run();
        assert_stored(&world, &state);
        assert_eq!(world.s3.made, 1, "{fault:?}");
        assert_eq!(world.asked("s3:HeadObject"), fault != Fault::Duplicate, "{fault:?}");
    }
}

#[test]
fn what_somebody_else_stored_stays_as_it_is() {
    for (n_parts, hides_headers) in [(1, false), (1, true), (3, false)] {
        let mut world = scripted(n_parts, &[]);
        world.s3.hides_headers = hides_headers;
        world.s3.occupy();
        let error = failure(world.run());
        assert_eq!((error.code, error.retryable, error.status), (ErrorCode::ObjectExists, false, Some(412)));
        assert!(error.hint.contains("overwrite: true"), "{}", error.hint);
        assert!(world.s3.object.as_ref().unwrap().foreign && !world.asked("s3:HeadObject"));
    }
}

#[test]
fn an_object_of_somebody_else_is_not_taken_for_ours_after_a_lost_request() {
    let mut world = scripted(1, &[(O::S3PutObject, 1, Fault::LostRequest)]);
    world.s3.occupy();
    let error = failure(world.run());
    assert_eq!(error.code, ErrorCode::ObjectExists);
    assert!(world.asked("s3:HeadObject") && world.s3.object.as_ref().unwrap().foreign);
}

#[test]
fn with_overwrite_the_object_is_replaced() {
    for n_parts in [1, 3] {
        let mut world = world(7, n_parts, true);
        world.s3.occupy();
        let state = world.run();
        assert_stored(&world, &state);
        assert_eq!(world.s3.overwritten, 1);
    }
}

#[test]
fn hidden_checksums_are_asked_for_once_at_the_end() {
    let mut world = scripted(60, &[]);
    world.s3.hides_headers = true;
    let state = world.run();
    assert_stored(&world, &state);
    // Nine pages of seven.
    assert_eq!((world.parts_sent, world.s3.listed), (60, 9));
}

#[test]
fn a_page_of_a_proxy_is_no_acknowledgement() {
    let mut world = scripted(5, &[(O::S3UploadPart, 2, Fault::Html)]);
    let state = world.run();
    assert_stored(&world, &state);
    assert_eq!((world.parts_sent, world.s3.parts_stored, world.s3.listed), (6, 5, 1));
    let mut world = scripted(1, &[(O::S3PutObject, 1, Fault::Html)]);
    let state = world.run();
    assert_stored(&world, &state);
    assert_eq!((world.parts_sent, world.s3.made), (2, 1));
}

#[test]
fn bytes_that_changed_on_the_way_are_read_and_sent_again() {
    for (n_parts, operation) in [(1, O::S3PutObject), (3, O::S3UploadPart)] {
        let mut world = scripted(n_parts, &[(operation, 1, Fault::Corrupt)]);
        let state = world.run();
        assert_stored(&world, &state);
        assert_eq!(count(&world, |command| matches!(command, Command::HashPart { part: 0, .. })), 2);
    }
}

#[test]
fn a_url_whose_time_is_over_is_signed_anew() {
    let expired = Fault::Refused(S3_EXPIRED);
    for (n_parts, operation) in [(1, O::S3PutObject), (3, O::S3UploadPart)] {
        let mut world = scripted(n_parts, &[(operation, 1, expired)]);
        let state = world.run();
        assert_stored(&world, &state);
        assert_eq!(world.parts_sent, n_parts + 1);
    }
}

#[test]
fn a_bucket_that_cannot_be_reached_at_all_may_be_one_without_cors_rules() {
    for (n_parts, operation) in [(1, O::S3PutObject), (3, O::S3UploadPart)] {
        let script: Vec<_> = (1..=100).map(|nth| (operation, nth, Fault::LostRequest)).collect();
        let error = failure(scripted(n_parts, &script).run());
        assert_eq!((error.code, error.retryable), (ErrorCode::Network, true));
        assert!(error.hint.contains("CORS"), "{}", error.hint);
        let script: Vec<_> = (2..=100).map(|nth| (operation, nth, Fault::LostRequest)).collect();
        if n_parts > 1 {
            let mut world = scripted(n_parts, &script);
            world.config.limits = Limits { in_flight: 1, hash_ahead: 1 };
            world.upload = Upload::new(world.config.clone());
            let error = failure(world.run());
            assert!(!error.hint.contains("CORS"), "{}", error.hint);
        }
    }
}

#[test]
fn a_lost_answer_to_complete_makes_no_second_object() {
    for fault in [Fault::LostAnswer, Fault::SilentAnswer, Fault::WrongEcho, Fault::Html] {
        let mut world = scripted(3, &[(O::S3CompleteMultipartUpload, 1, fault)]);
        let state = world.run();
        assert_stored(&world, &state);
        assert_eq!((world.s3.made, world.parts_sent), (1, 3), "{fault:?}");
    }
}

#[test]
fn a_part_that_is_lost_is_found_out_and_sent_again() {
    let mut world = scripted(3, &[(O::S3CompleteMultipartUpload, 1, Fault::BlackHole)]);
    world.tell(Event::Start);
    world.run_to(|state| *state == State::Completing);
    assert!(world.s3.lose_part(1));
    let state = world.run_on();
    assert_stored(&world, &state);
    assert_eq!(world.parts_sent, 4);
}

#[test]
fn a_later_visit_goes_on_and_takes_what_was_stored_for_its_own() {
    let mut world = scripted(20, &[]);
    world.tell(Event::Start);
    world.run_until(Instant(2_000));
    let stored = world.s3.parts_stored;
    assert!((1..20).contains(&stored), "{stored}");
    world.crash();
    let state = world.run_on();
    assert_stored(&world, &state);
    assert_eq!(world.s3.created, 1);

    let mut world = scripted(1, &[(O::S3PutObject, 1, Fault::SilentAnswer)]);
    world.tell(Event::Start);
    world.run_until(Instant(5_000));
    assert_eq!(world.s3.made, 1);
    world.crash();
    let state = world.run_on();
    assert_stored(&world, &state);
    assert_eq!(world.s3.made, 1);
}

#[test]
fn an_upload_that_is_given_up_is_removed() {
    let mut world = scripted(20, &[]);
    world.tell(Event::Start);
    world.run_until(Instant(2_000));
    assert_eq!(world.s3.n_open(), 1);
    world.tell(Event::Abort);
    assert_eq!((world.run_on(), world.s3.n_open()), (State::Aborted, 0));
}

#[test]
fn a_stream_whose_acknowledgements_are_hidden_keeps_its_bytes_until_they_are_seen() {
    let plan = PartPlan::exact(10_000 * MIB, PartSize::MIN).unwrap();
    let config = UploadConfig::new(to_a_bucket(false), plan);
    let mut world = World::stream(7, config, Writer::new(40 * MIB + 5, Finish::Closes));
    world.s3.hides_headers = true;
    let state = world.run();
    assert_stored(&world, &state);
    assert_eq!(world.parts_sent, 41);
}
