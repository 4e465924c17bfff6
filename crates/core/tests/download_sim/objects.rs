//! Objects of a bucket, one thing at a time.

use glacier_core::download::{
    Checkpoint, DownloadConfig, Event, ObjectSource, SinkOrder, Source, State, Unverifiable, Verified,
};
use glacier_core::error::ErrorCode;
use glacier_core::glacier::Date;
use glacier_core::intent::Intent;
use glacier_core::s3::head_object::{ObjectHead, Restore};
use glacier_core::s3::{self, BucketName, CompositeChecksum, ObjectChecksum, ObjectKey, VersionId};
use glacier_core::upload::PauseReason;
use glacier_core::{ByteRange, Download, Instant, MIB, PartSize};

use crate::assert_delivered;
use crate::driver::plain_hash_of;
use crate::faults::{Fault, OF_ONE_RANGE, Rng};
use crate::refusal::Refusal::Answer;
use crate::refusal::S3_EXPIRED;
use crate::scenarios::{failure, verified};
use crate::world::{Happening, World, hash_of};

const EVERY_ORDER: [SinkOrder; 2] = [SinkOrder::InOrder, SinkOrder::Any];

/// An object of so many bytes that the store keeps a tree hash of.
pub fn object(len: u64) -> ObjectSource {
    let head = ObjectHead {
        size: len,
        storage_class: "DEEP_ARCHIVE".into(),
        etag: "5a6f-2".into(),
        version_id: None,
        last_modified: Date::new("2026-03-20T17:03:43Z").unwrap(),
        content_type: None,
        checksum: None,
        part_size: None,
        tree_hash: ByteRange::new(0, len).map(|range| hash_of(len, range)),
        metadata: Vec::new(),
        restore: Some(Restore { ongoing: false, expiry: Date::new("2026-03-27T00:00:00Z").ok() }),
        archived: true,
    };
    let (bucket, key) = (BucketName::new("photos").unwrap(), ObjectKey::new("a").unwrap());
    ObjectSource { bucket, key, version_id: None, head }
}

/// An object without a tree hash, but with the checksum of parts of that size.
pub fn of_parts(len: u64, part_size: u64) -> ObjectSource {
    let mut object = object(len);
    let part = |n| ByteRange::new(n * part_size, len.min((n + 1) * part_size)).unwrap();
    let hashes = (0..len.div_ceil(part_size)).map(|n| plain_hash_of(hash_of(len, part(n))));
    object.head.checksum = CompositeChecksum::of_parts(hashes).map(ObjectChecksum::Composite);
    object.head.part_size = Some(part_size);
    object.head.tree_hash = None;
    object
}

/// One or the other.
pub fn any(rng: &mut Rng, len: u64) -> Source {
    Source::Object(Box::new(if rng.chance(700) { object(len) } else { of_parts(len, MIB << rng.below(3)) }))
}

/// Nothing is claimed that is not so.
pub fn assert_judged(object: &ObjectSource, verified: Verified) {
    let head = &object.head;
    match verified {
        Verified::Whole => assert!(head.tree_hash.is_some() || head.checksum.is_some()),
        Verified::None { why: Unverifiable::NoChecksum } => {
            assert!(head.tree_hash.is_none() && head.checksum.is_none());
        }
        Verified::None { why: Unverifiable::OnlyPart } => {}
        Verified::None { why: Unverifiable::PartsUnknown | Unverifiable::EarlierVisit } => {
            assert!(head.tree_hash.is_none() && head.checksum.is_some());
        }
        other => panic!("{other:?}"),
    }
}

fn world(object: ObjectSource, order: SinkOrder, script: &[(u32, Fault)]) -> World {
    let mut world = World::new(7, Source::Object(Box::new(object)), order);
    world.script = script.to_vec();
    world
}

fn object_of(config: &mut DownloadConfig) -> &mut ObjectSource {
    match &mut config.source {
        Source::Object(object) => object,
        Source::Job { .. } => panic!("a job is no object"),
    }
}

#[test]
fn without_faults_every_byte_is_fetched_once() {
    for order in EVERY_ORDER {
        let mut world = world(object(20 * MIB - 5), order, &[]);
        let state = world.run();
        assert_delivered(&world, &state);
        assert_eq!((verified(&state), world.fetched), (Verified::Whole, 20));
        for (intent, ..) in &world.signed {
            let Intent::S3(s3::Intent::GetObject { bucket, key, range: Some(_), version_id: None }) = intent else {
                panic!("{intent:?}")
            };
            assert_eq!((bucket.as_str(), key.as_str()), ("photos", "a"));
        }
    }
}

#[test]
fn every_fault_of_one_range_is_found_out_and_the_range_fetched_again() {
    let of_buckets = [Answer(500, "InternalError", ""), Answer(503, "SlowDown", ""), S3_EXPIRED, Answer(403, "", "")];
    for fault in OF_ONE_RANGE.into_iter().chain(of_buckets.map(Fault::Refused)) {
        for nth in 1..=5 {
            let mut world = world(object(5 * MIB), SinkOrder::InOrder, &[(nth, fault)]);
            let state = world.run();
            assert_delivered(&world, &state);
            assert_eq!((verified(&state), world.fetched), (Verified::Whole, 6), "{fault:?} at {nth}");
        }
    }
}

#[test]
fn wrong_bytes_are_never_reported_as_done() {
    for object in [object(5 * MIB), of_parts(5 * MIB, MIB)] {
        for nth in 1..=5 {
            let mut world = world(object.clone(), SinkOrder::Any, &[(nth, Fault::Corrupt)]);
            let error = failure(&world.run());
            assert_eq!((error.code, error.retryable), (ErrorCode::ChecksumMismatchWhole, false));
            assert_eq!(world.sink.closed, 0);
        }
    }
}

#[test]
fn checksum_of_parts_is_as_good_as_a_tree_hash_where_ranges_can_be_those_parts() {
    let run = |object: ObjectSource, piece_size, order| {
        let mut world = world(object, order, &[]);
        world.configure(|config| config.piece_size = PartSize::from_bytes(piece_size).unwrap());
        let state = world.run();
        assert_delivered(&world, &state);
        verified(&state)
    };
    for order in EVERY_ORDER {
        for (len, part) in [(5 * MIB, MIB), (5 * MIB - 1, 2 * MIB), (4 * MIB, 4 * MIB), (9 * MIB, 8 * MIB)] {
            assert_eq!(run(of_parts(len, part), part, order), Verified::Whole, "{len} {part}");
            let (other, why) = (if part == MIB { 2 * MIB } else { MIB }, Unverifiable::PartsUnknown);
            assert_eq!(run(of_parts(len, part), other, order), Verified::None { why }, "{len} {part}");
        }
        let mut unknown = of_parts(5 * MIB, MIB);
        unknown.head.part_size = None;
        assert_eq!(run(unknown, MIB, order), Verified::None { why: Unverifiable::PartsUnknown });
        let mut without = object(5 * MIB);
        without.head.tree_hash = None;
        assert_eq!(run(without, MIB, order), Verified::None { why: Unverifiable::NoChecksum });
        let mut in_one = of_parts(5 * MIB, 8 * MIB);
        let hash = plain_hash_of(hash_of(5 * MIB, ByteRange::new(0, 5 * MIB).unwrap()));
        in_one.head.checksum = Some(ObjectChecksum::Whole(hash));
        assert_eq!(run(in_one, 16 * MIB, order), Verified::Whole);
    }
}

#[test]
fn parts_of_an_earlier_visit_have_no_checksum_any_more() {
    let mut n_same_size = 0;
    for seed in 0..20 {
        let source = Source::Object(Box::new(of_parts(30 * MIB, MIB)));
        let mut world = World::new(seed, source, SinkOrder::Any);
        world.at(600, Happening::Crash);
        let state = world.run();
        assert_delivered(&world, &state);
        // Another visit may choose another size.
        let is_same_size = world.config.piece_size == PartSize::MIN;
        n_same_size += u32::from(is_same_size);
        let why = if is_same_size { Unverifiable::EarlierVisit } else { Unverifiable::PartsUnknown };
        assert_eq!(verified(&state), Verified::None { why }, "{seed}");
    }
    assert!(n_same_size > 0);
}

#[test]
fn an_object_that_takes_the_place_of_another_is_not_mixed_with_it() {
    let mut world = world(object(60 * MIB), SinkOrder::InOrder, &[]);
    world.tell(Event::Start);
    world.run_until(Instant(2_000));
    world.etag = "other".into();
    let error = failure(&world.run_on());
    assert_eq!((error.code, error.retryable), (ErrorCode::ObjectChanged, false));
    assert!(world.sink.end > 0 && world.sink.closed == 0);
}

#[test]
fn shorter_object_in_its_place_is_found_out_by_the_ranges_it_has_not() {
    let gone = [(3, Fault::Refused(Answer(416, "InvalidRange", "The requested range is not satisfiable")))];
    let mut world = world(object(5 * MIB), SinkOrder::InOrder, &gone);
    assert_eq!(failure(&world.run()).code, ErrorCode::ObjectChanged);
    // A bucket that hides headers is not let off.
    let total = [(3, Fault::OtherTotal)];
    let mut world = self::world(object(5 * MIB), SinkOrder::InOrder, &total);
    world.etag.clear();
    assert_eq!(failure(&world.run()).code, ErrorCode::ObjectChanged);
}

#[test]
fn headers_that_the_bucket_hides_are_not_missed() {
    let mut world = world(object(5 * MIB), SinkOrder::InOrder, &[]);
    world.shows_headers = false;
    let state = world.run();
    assert_delivered(&world, &state);
    assert_eq!(verified(&state), Verified::Whole);
}

#[test]
fn version_that_was_seen_is_the_one_that_is_asked_for() {
    for (asked, seen, expected) in
        [(None, Some("v2"), Some("v2")), (Some("v1"), None, Some("v1")), (Some("v1"), Some("v1"), Some("v1"))]
    {
        let id = |text: Option<&str>| text.map(|text| VersionId::new(text).unwrap());
        let mut versioned = object(2 * MIB);
        (versioned.version_id, versioned.head.version_id) = (id(asked), id(seen));
        let mut world = world(versioned, SinkOrder::InOrder, &[]);
        let _ = world.run();
        assert!(world.signed.iter().all(|(intent, ..)| {
            matches!(intent, Intent::S3(s3::Intent::GetObject { version_id, .. }) if *version_id == id(expected))
        }));
    }
}

#[test]
fn final_refusals_end_at_once() {
    for (status, code, expected) in [
        (404, "NoSuchKey", ErrorCode::ObjectNotFound),
        (404, "NoSuchVersion", ErrorCode::ObjectNotFound),
        (404, "NoSuchBucket", ErrorCode::BucketNotFound),
        (405, "MethodNotAllowed", ErrorCode::ObjectNotFound),
        (403, "AccessDenied", ErrorCode::AuthDenied),
        (403, "InvalidObjectState", ErrorCode::JobExpired),
    ] {
        let mut world = world(object(2 * MIB), SinkOrder::Any, &[(1, Fault::Refused(Answer(status, code, "")))]);
        let error = failure(&world.run());
        assert_eq!((error.code, error.retryable, error.status), (expected, false, Some(status)), "{code}");
    }
}

#[test]
fn restored_copy_that_ends_is_restored_again_and_the_download_goes_on() {
    let mut world = world(object(60 * MIB), SinkOrder::InOrder, &[]);
    world.at(2_000, Happening::Expiry);
    assert_eq!(failure(&world.run()).code, ErrorCode::JobExpired);
    let delivered = world.download.position();
    assert!(delivered > 0 && delivered < 60 * MIB);
    let changes: [fn(&mut ObjectSource); 3] = [
        |object| object.head.etag = "other".into(),
        |object| object.head.size += 1,
        |object| object.key = ObjectKey::new("b").unwrap(),
    ];
    for change in changes {
        let mut wrong = object(60 * MIB);
        change(&mut wrong);
        let refused = world.download.continue_with(Source::Object(Box::new(wrong))).unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidOption);
    }
    let mut archived = object(60 * MIB);
    archived.head.restore = Some(Restore { ongoing: true, expiry: None });
    let refused = world.download.continue_with(Source::Object(Box::new(archived))).unwrap_err();
    assert_eq!(refused.code, ErrorCode::JobNotReady);
    let before = world.fetched;
    world.renew();
    assert_eq!(world.download.state(), &State::Paused(PauseReason::User));
    world.tell(Event::Resume);
    let state = world.run_on();
    assert_delivered(&world, &state);
    assert_eq!(u64::from(world.fetched - before), 60 - delivered / MIB);
}

#[test]
fn archived_object_without_a_restored_copy_is_refused_before_any_request() {
    for restore in [None, Some(Restore { ongoing: true, expiry: None })] {
        let mut config = world(object(MIB), SinkOrder::Any, &[]).config;
        object_of(&mut config).head.restore = restore;
        let error = Download::new(config).unwrap_err();
        assert_eq!(error.code, ErrorCode::JobNotReady);
        assert!(error.hint.contains("retrieve()"), "{}", error.hint);
    }
}

#[test]
fn object_without_a_byte_is_downloaded_without_a_request() {
    let mut world = world(object(0), SinkOrder::InOrder, &[]);
    let state = world.run();
    let State::Done(outcome) = &state else { panic!("{state:?}") };
    assert_eq!((outcome.len, world.sink.closed, world.signed.len()), (0, 1, 0));
    assert_eq!(outcome.verified, Verified::None { why: Unverifiable::NoChecksum });
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(outcome.tree_hash.to_string(), empty);
}

#[test]
fn checkpoint_of_another_object_is_no_beginning() {
    let world = world(object(7 * MIB), SinkOrder::Any, &[]);
    let range = ByteRange::new(0, 2 * MIB).unwrap();
    let good = Checkpoint { len: 7 * MIB, delivered: vec![(range, hash_of(7 * MIB, range))], etag: None, range: None };
    let resume = |etag: Option<&str>| {
        let checkpoint = Checkpoint { etag: etag.map(str::to_owned), ..good.clone() };
        Download::resume_from(world.config.clone(), &checkpoint)
    };
    assert_eq!(resume(Some("other")).unwrap_err().code, ErrorCode::ObjectChanged);
    let resumed = resume(Some("5a6f-2")).unwrap();
    assert_eq!(resumed.checkpoint(), Checkpoint { etag: Some("5a6f-2".into()), ..good.clone() });
}
