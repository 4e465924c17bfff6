//! A range of an object, or of a job's output.

use glacier_core::download::{DownloadConfig, SinkOrder, Source, Unverifiable, Verified};
use glacier_core::error::ErrorCode;
use glacier_core::intent::Intent;
use glacier_core::{ByteRange, Download, MIB, PartSize, s3};

use crate::assert_delivered;
use crate::faults::Fault;
use crate::objects::{object, of_parts};
use crate::scenarios::{failure, verified};
use crate::world::{World, hash_of, job, output_of};

const LEN: u64 = 9 * MIB + 7;

fn range(start: u64, end: u64) -> ByteRange {
    ByteRange::new(start, end).unwrap()
}

/// Those with a tree hash, those with a SHA-256 over parts, and an archive with a tree hash, retrieved in whole.
fn sources() -> [Source; 3] {
    let archive = output_of(job("job-1", range(0, LEN), LEN));
    [Source::Object(Box::new(object(LEN))), Source::Object(Box::new(of_parts(LEN, MIB))), archive]
}

fn world(source: Source, wanted: ByteRange, order: SinkOrder, script: &[(u32, Fault)]) -> World {
    let mut world = World::new(7, source, order);
    world.configure(|config| config.only(wanted).unwrap());
    world.script = script.to_vec();
    world
}

fn asked(world: &World) -> Vec<ByteRange> {
    let range = |intent: &Intent| match intent {
        Intent::S3(s3::Intent::GetObject { range, .. }) | Intent::GetJobOutput { range, .. } => range.unwrap(),
        other => panic!("{other:?}"),
    };
    world.signed.iter().map(|(intent, ..)| range(intent)).collect()
}

#[test]
fn those_bytes_are_fetched_and_no_others_and_nothing_is_claimed_of_them() {
    for order in [SinkOrder::InOrder, SinkOrder::Any] {
        for wanted in
            [range(0, 1), range(5, 2 * MIB + 6), range(MIB, 3 * MIB), range(3 * MIB, LEN), range(LEN - 1, LEN)]
        {
            for source in sources() {
                let is_archive = matches!(source, Source::Job { .. });
                let mut world = world(source, wanted, order, &[]);
                let state = world.run();
                assert_delivered(&world, &state);
                let mut asked = asked(&world);
                asked.sort_unstable();
                assert_eq!(asked.first().map(|range| range.start()), Some(wanted.start()));
                assert_eq!(asked.last().map(|range| range.end()), Some(wanted.end()));
                assert_eq!(asked.iter().map(|range| range.len()).sum::<u64>(), wanted.len(), "{asked:?}");
                let why = Unverifiable::OnlyPart;
                let each = is_archive && wanted.start().is_multiple_of(MIB);
                assert_eq!(verified(&state), if each { Verified::Ranges { why } } else { Verified::None { why } });
            }
        }
    }
}

#[test]
fn a_tree_hash_that_the_page_knows_verifies_a_part() {
    let wanted = range(2 * MIB, 4 * MIB);
    let expected = hash_of(wanted.len(), range(0, wanted.len()));
    for source in sources() {
        let is_archive = matches!(source, Source::Job { .. });
        let mut good = world(source.clone(), wanted, SinkOrder::Any, &[]);
        good.configure(|config| config.expected = Some(expected));
        assert_eq!(verified(&good.run()), Verified::Whole);
        let mut bad = world(source, wanted, SinkOrder::Any, &[(2, Fault::Corrupt)]);
        bad.configure(|config| config.expected = Some(expected));
        match bad.run() {
            // Of a range that the store vouches for, that is found out before it is written.
            state if is_archive => assert_eq!(verified(&state), Verified::Whole),
            state => assert_eq!(failure(&state).code, ErrorCode::ChecksumMismatchWhole),
        }
    }
}

#[test]
fn all_of_it_is_no_part() {
    for source in sources() {
        let mut world = world(source, range(0, LEN), SinkOrder::InOrder, &[]);
        assert_eq!(world.config.range(), None);
        assert_eq!(verified(&world.run()), Verified::Whole);
    }
}

#[test]
fn every_fault_of_one_range_is_found_out_and_the_range_fetched_again() {
    for fault in [Fault::Lost, Fault::Broken, Fault::Short, Fault::OtherRange, Fault::OtherTotal, Fault::Html] {
        for source in sources() {
            let mut world = world(source, range(MIB + 5, 6 * MIB), SinkOrder::InOrder, &[(2, fault)]);
            let state = world.run();
            assert_delivered(&world, &state);
            assert_eq!(world.fetched, 6, "{fault:?}");
        }
    }
}

#[test]
fn what_is_not_there_is_refused_before_any_request() {
    for source in sources() {
        let mut config = DownloadConfig::new(source, SinkOrder::Any);
        for wanted in [range(0, LEN + 1), range(LEN, LEN + 1), range(u64::MAX - 1, u64::MAX)] {
            assert_eq!(config.only(wanted).unwrap_err().code, ErrorCode::InvalidRange);
        }
        assert_eq!(config.range(), None);
    }
    let mut archived = object(LEN);
    archived.head.restore = None;
    let mut config = DownloadConfig::new(Source::Object(Box::new(archived)), SinkOrder::Any);
    assert_eq!(config.only(range(0, 1)).unwrap_err().code, ErrorCode::JobNotReady);
}

#[test]
fn a_part_goes_on_where_it_was_and_not_as_another_part_of_the_same_length() {
    for source in sources() {
        let (wanted, other) = (range(MIB, 5 * MIB), range(2 * MIB, 6 * MIB));
        let mut world = world(source, wanted, SinkOrder::Any, &[]);
        let state = world.run();
        assert_delivered(&world, &state);
        let checkpoint = world.download.checkpoint();
        assert_eq!((checkpoint.len, checkpoint.range), (4 * MIB, Some(wanted)));
        let resume = |wanted: Option<ByteRange>| {
            let mut config = DownloadConfig::new(world.config.source.clone(), SinkOrder::Any);
            config.piece_size = PartSize::MIN;
            if let Some(wanted) = wanted {
                config.only(wanted).unwrap();
            }
            Download::resume_from(config, &checkpoint).map(|download| download.delivered())
        };
        assert_eq!(resume(Some(wanted)), Ok(checkpoint.delivered.clone()));
        for other in [Some(other), None] {
            assert_eq!(resume(other).unwrap_err().code, ErrorCode::InvalidOption);
        }
    }
}

#[test]
fn a_part_of_an_object_that_is_restored_again_goes_on() {
    let mut world = world(Source::Object(Box::new(object(60 * MIB))), range(MIB, 50 * MIB), SinkOrder::InOrder, &[]);
    world.at(2_000, crate::world::Happening::Expiry);
    assert_eq!(failure(&world.run()).code, ErrorCode::JobExpired);
    world.renew();
    world.tell(glacier_core::download::Event::Resume);
    let state = world.run_on();
    assert_delivered(&world, &state);
    assert_eq!(verified(&state), Verified::None { why: Unverifiable::OnlyPart });
}
