//! One thing at a time.

use glacier_core::download::{
    Checkpoint, Command, DownloadConfig, Event, Limits, SinkOrder, State, Unverifiable, Verified,
};
use glacier_core::error::{ErrorCode, UploadError};
use glacier_core::glacier::Response;
use glacier_core::glacier::describe_job::{Action, JobStatus};
use glacier_core::upload::Ticket;
use glacier_core::{ByteRange, Download, Instant, Jitter, MIB, TreeHash};

use crate::assert_delivered;
use crate::faults::{Fault, OF_ONE_RANGE};
use crate::refusal::EXPIRED;
use crate::refusal::Refusal::Answer;
use crate::world::{Happening, World, hash_of, job, job_of, output_of};

/// The whole of an archive of so many MiB, in pieces of one.
fn whole(n: u64, script: &[(u32, Fault)]) -> World {
    world(ByteRange::new(0, n * MIB).unwrap(), SinkOrder::InOrder, script)
}

fn world(range: ByteRange, order: SinkOrder, script: &[(u32, Fault)]) -> World {
    let mut world = World::new(7, output_of(job("job-1", range, range.end())), order);
    world.script = script.to_vec();
    world
}

pub fn failure(state: &State) -> UploadError {
    match state {
        State::Failed(error) => error.clone(),
        other => panic!("{other:?}"),
    }
}

pub fn verified(state: &State) -> Verified {
    match state {
        State::Done(outcome) => outcome.verified,
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_faults_every_byte_is_fetched_once() {
    for order in [SinkOrder::InOrder, SinkOrder::Any] {
        let mut world = world(ByteRange::new(0, 20 * MIB - 5).unwrap(), order, &[]);
        let state = world.run();
        assert_delivered(&world, &state);
        assert_eq!((verified(&state), world.fetched), (Verified::Whole, 20));
    }
}

#[test]
fn every_fault_of_one_range_is_found_out_and_the_range_fetched_again() {
    let of_glacier = [
        Fault::Refused(Answer(500, "ServiceUnavailableException", "internal")),
        Fault::Refused(Answer(400, "ThrottlingException", "Rate exceeded")),
        Fault::Refused(EXPIRED),
        Fault::Corrupt,
        Fault::WrongHeader,
    ];
    for fault in OF_ONE_RANGE.into_iter().chain(of_glacier) {
        for nth in 1..=5 {
            let mut world = whole(5, &[(nth, fault)]);
            let state = world.run();
            assert_delivered(&world, &state);
            assert_eq!((verified(&state), world.fetched), (Verified::Whole, 6), "{fault:?} at {nth}");
        }
    }
}

#[test]
fn range_that_never_arrives_as_the_store_says_ends_the_download_and_can_be_resumed() {
    let script: Vec<_> = (1..=4).map(|nth| (nth, Fault::Corrupt)).collect();
    let mut world = whole(1, &script);
    let state = world.run();
    let error = failure(&state);
    assert_eq!((error.code, error.retryable), (ErrorCode::ChecksumMismatchRange, true));
    assert_eq!((error.part_number, world.fetched), (Some(1), 4));
    assert!(world.sink.written.is_empty(), "no wrong byte reaches the sink");
    world.tell(Event::Resume);
    let state = world.run_on();
    assert_delivered(&world, &state);
}

#[test]
fn bytes_of_another_archive_do_not_pass_for_the_whole() {
    let mut world = whole(5, &[(3, Fault::OtherArchive)]);
    let state = world.run();
    let error = failure(&state);
    assert_eq!((error.code, error.retryable), (ErrorCode::ChecksumMismatchWhole, false));
}

#[test]
fn whole_is_verified_even_where_a_proxy_takes_the_hashes_of_ranges_away() {
    let script: Vec<_> = (1..=5).map(|nth| (nth, Fault::NoHeader)).collect();
    let mut world = whole(5, &script);
    let state = world.run();
    assert_eq!(verified(&state), Verified::Whole);
}

#[test]
fn what_cannot_be_verified_is_said_with_the_reason() {
    let range = |first: u64, last: u64| ByteRange::new(first * MIB, last * MIB).unwrap();
    let run = |range, change: fn(&mut DownloadConfig), script: &[(u32, Fault)]| {
        let mut world = world(range, SinkOrder::InOrder, script);
        world.configure(change);
        verified(&world.run())
    };
    let why = Unverifiable::NotAligned;
    assert_eq!(run(range(1, 6), |_| {}, &[]), Verified::None { why });
    let expect =
        |config: &mut DownloadConfig| config.expected = Some(hash_of(5 * MIB, ByteRange::new(0, 5 * MIB).unwrap()));
    assert_eq!(run(range(1, 6), expect, &[]), Verified::Whole);
    let why = Unverifiable::NoTreeHash;
    assert_eq!(run(range(0, 5), |config| job_of(config).tree_hash = None, &[]), Verified::Ranges { why });
    let one_without = [(2, Fault::NoHeader)];
    assert_eq!(run(range(0, 5), |config| job_of(config).tree_hash = None, &one_without), Verified::None { why });
    let why = Unverifiable::Inventory;
    let inventory = |config: &mut DownloadConfig| {
        let job = job_of(config);
        job.action = Action::InventoryRetrieval;
        job.inventory_size = Some(5 * MIB);
        (job.range, job.tree_hash, job.archive_id) = (None, None, None);
    };
    assert_eq!(run(range(1, 6), inventory, &[]), Verified::None { why });
}

#[test]
fn other_bytes_than_the_caller_expects_are_refused_before_any_is_fetched() {
    let mut config = whole(5, &[]).config;
    config.expected = Some(TreeHash::from_bytes([1; 32]));
    assert_eq!(Download::new(config.clone()).unwrap_err().code, ErrorCode::ChecksumMismatchWhole);
    // Where only the caller knows, at the end.
    let mut world = world(ByteRange::new(MIB, 6 * MIB).unwrap(), SinkOrder::Any, &[]);
    world.configure(|unaligned| unaligned.expected = config.expected);
    let state = world.run();
    assert_eq!(failure(&state).code, ErrorCode::ChecksumMismatchWhole);
}

#[test]
fn jobs_without_output_are_refused() {
    let good = whole(5, &[]).config;
    let changes: [fn(&mut DownloadConfig); 3] = [
        |config| job_of(config).status = JobStatus::InProgress,
        |config| job_of(config).status = JobStatus::Failed,
        |config| (job_of(config).range, job_of(config).archive_size) = (None, None),
    ];
    for change in changes {
        let mut config = good.clone();
        change(&mut config);
        assert_eq!(Download::new(config).unwrap_err().code, ErrorCode::JobNotReady);
    }
}

#[test]
fn expired_job_is_an_error_of_its_own_and_another_job_goes_on_from_there() {
    let mut world = whole(60, &[]);
    world.at(2_000, Happening::Expiry);
    let state = world.run();
    let error = failure(&state);
    assert_eq!((error.code, error.retryable, error.status), (ErrorCode::JobExpired, false, Some(404)));
    world.tell(Event::Resume);
    assert_eq!(failure(world.download.state()).code, ErrorCode::JobExpired, "the same job is gone for good");

    let delivered = world.download.position();
    assert!(delivered > 0 && delivered < 60 * MIB);
    let same = job("job-2", ByteRange::new(0, 60 * MIB).unwrap(), 60 * MIB);
    let mut of_another_archive = same.clone();
    of_another_archive.archive_id = None;
    let of_other_bytes = job("job-2", ByteRange::new(MIB, 61 * MIB).unwrap(), 61 * MIB);
    let mut with_other_hash = same.clone();
    with_other_hash.tree_hash = Some(TreeHash::from_bytes([1; 32]));
    let mut running = same.clone();
    running.status = JobStatus::InProgress;
    for (wrong, code) in [
        (of_another_archive, ErrorCode::InvalidOption),
        (of_other_bytes, ErrorCode::InvalidOption),
        (with_other_hash, ErrorCode::InvalidOption),
        (running, ErrorCode::JobNotReady),
    ] {
        assert_eq!(world.download.continue_with(output_of(wrong)).unwrap_err().code, code);
    }
    let before = world.fetched;
    world.renew();
    world.tell(Event::Resume);
    let state = world.run_on();
    assert_delivered(&world, &state);
    assert_eq!(u64::from(world.fetched - before), 60 - delivered / MIB, "from the verified beginning");
    assert_eq!(world.download.continue_with(output_of(same)).unwrap_err().code, ErrorCode::InvalidOption);
}

#[test]
fn sink_that_takes_nothing_stops_the_download_and_memory_is_bounded() {
    for order in [SinkOrder::InOrder, SinkOrder::Any] {
        let mut world = world(ByteRange::new(0, 500 * MIB).unwrap(), order, &[]);
        world.configure(|config| config.limits = Limits { in_flight: 3, held: 5 });
        world.sink_ms = u64::MAX >> 8;
        world.tell(Event::Start);
        world.run_until(Instant(3_600_000));
        assert_eq!((world.fetched, world.held.len(), world.in_flight.len()), (5, 5, 0), "and nothing is lost");
        assert_eq!(world.download.poll_timeout(), None, "a slow sink is no fault");
    }
}

#[test]
fn a_stream_that_breaks_ends_the_download_and_a_file_does_not() {
    for (order, retryable) in [(SinkOrder::InOrder, false), (SinkOrder::Any, true)] {
        let mut world = world(ByteRange::new(0, 9 * MIB).unwrap(), order, &[]);
        world.intensities.sink = 1000;
        let error = failure(&world.run());
        assert_eq!((error.code, error.retryable), (ErrorCode::SinkFailed, retryable));
        world.intensities.sink = 0;
        world.tell(Event::Resume);
        let state = world.run_on();
        assert_eq!(matches!(state, State::Done(_)), retryable);
    }
}

#[test]
fn what_does_not_close_is_not_done() {
    for order in [SinkOrder::InOrder, SinkOrder::Any] {
        let mut world = world(ByteRange::new(0, 3 * MIB).unwrap(), order, &[]);
        world.tell(Event::Start);
        while !matches!(world.download.state(), State::Closing { .. }) {
            world.run_until(Instant(world.now.0 + 1));
        }
        world.tell(Event::Pause);
        world.tell(Event::Offline);
        assert!(matches!(world.download.state(), State::Closing { .. }), "there is nothing left to pause");
        world.intensities.sink = 1000;
        let Some((_, Command::Close { ticket })) = world.trace.last().cloned() else { panic!("{:?}", world.trace) };
        world.tell(Event::CloseFailed { ticket: Ticket(ticket.0 + 1) });
        world.tell(Event::CloseFailed { ticket });
        let error = failure(world.download.state());
        assert_eq!((error.code, error.retryable), (ErrorCode::SinkFailed, false));
        world.tell(Event::Closed { ticket });
        world.tell(Event::Resume);
        assert_eq!(failure(world.download.state()), error);
    }
}

#[test]
fn a_sink_that_lost_what_it_had_ends_the_download_even_over_another_failure() {
    for first in [Event::Pause, Event::Resume] {
        let mut world = world(ByteRange::new(0, 30 * MIB).unwrap(), SinkOrder::Any, &[]);
        world.sink_ms = 1;
        world.tell(Event::Start);
        world.run_until(Instant(1_500));
        world.tell(first);
        world.tell(Event::SinkLost);
        let error = failure(world.download.state());
        assert_eq!((error.code, error.retryable), (ErrorCode::SinkFailed, false));
        world.tell(Event::Resume);
        assert_eq!(failure(&world.run_on()), error);
    }
}

#[test]
fn a_download_is_aborted_while_its_sink_is_being_closed() {
    let mut world = whole(2, &[]);
    world.tell(Event::Start);
    while !matches!(world.download.state(), State::Closing { .. }) {
        world.run_until(Instant(world.now.0 + 1));
    }
    world.tell(Event::Abort);
    assert_eq!(world.run_on(), State::Aborted);
}

#[test]
fn a_stream_that_breaks_after_another_failure_is_not_taken_up_again() {
    let mut world = whole(9, &[]);
    world.sink_ms = 1;
    world.tell(Event::Start);
    while world.writing.is_empty() {
        world.run_until(Instant(world.now.0 + 1));
    }
    let ticket = *world.writing.first().unwrap();
    let now = world.now;
    let mut tell = |event| world.download.handle_event(event, now, Jitter::new(0.5));
    tell(Event::Pause);
    tell(Event::DeliverFailed { ticket });
    tell(Event::Resume);
    assert_eq!(failure(world.download.state()).code, ErrorCode::SinkFailed);
}

#[test]
fn pause_lets_go_of_what_is_not_being_written_and_resume_fetches_the_rest() {
    for order in [SinkOrder::InOrder, SinkOrder::Any] {
        let mut world = world(ByteRange::new(0, 40 * MIB).unwrap(), order, &[]);
        world.sink_ms = 800;
        world.tell(Event::Start);
        world.run_until(Instant(2_500));
        world.tell(Event::Pause);
        assert_eq!((world.in_flight.len(), world.held.len()), (0, world.writing.len()));
        let state = world.run_on();
        assert!(matches!(state, State::Paused(_)) && world.held.is_empty(), "what was being written is written");
        world.tell(Event::Resume);
        let state = world.run_on();
        assert_delivered(&world, &state);
    }
}

#[test]
fn interrupted_at_every_piece_and_resumed_it_is_the_same_archive() {
    for (order, at) in
        [SinkOrder::InOrder, SinkOrder::Any].into_iter().flat_map(|order| (0..30).map(move |at| (order, at)))
    {
        let mut world = world(ByteRange::new(0, 13 * MIB - 1).unwrap(), order, &[]);
        world.at(at * 60, Happening::Crash);
        let state = world.run();
        assert_delivered(&world, &state);
        assert_eq!(verified(&state), Verified::Whole);
    }
}

#[test]
fn ranges_of_another_output_are_no_beginning() {
    let config = whole(7, &[]).config;
    let range = |first: u64, last: u64| ByteRange::new(first * MIB, last * MIB).unwrap();
    let hash = TreeHash::from_bytes([1; 32]);
    for bad in [vec![range(1, 3)], vec![range(0, 8)], vec![range(0, 2), range(1, 2)]] {
        let bad: Vec<_> = bad.into_iter().map(|range| (range, hash)).collect();
        assert_eq!(Download::resume(config.clone(), &bad).unwrap_err().code, ErrorCode::InvalidOption);
    }
    let shorter = Checkpoint { len: 6 * MIB, delivered: vec![(range(0, 2), hash)], etag: None, range: None };
    let error = Download::resume_from(config.clone(), &shorter).unwrap_err();
    assert_eq!(error.message, "from is of an output of 6291456 bytes, and this one has 7340032");
    // A stream goes on where its beginning ends, in whole pieces.
    let given = [(range(0, 2), hash), (range(4, 6), hash)];
    let resumed = Download::resume(config.clone(), &given).unwrap();
    assert_eq!((resumed.position(), resumed.delivered()), (2 * MIB, vec![(range(0, 2), hash)]));
    let mut file = config;
    file.order = SinkOrder::Any;
    assert_eq!(Download::resume(file.clone(), &given).unwrap().delivered(), given);
    file.piece_size = glacier_core::PartSize::from_bytes(4 * MIB).unwrap();
    assert_eq!(Download::resume(file, &given).unwrap().delivered(), []);
}

#[test]
fn everything_delivered_before_is_verified_without_a_request() {
    let mut world = whole(7, &[]);
    let everything = ByteRange::new(0, 7 * MIB).unwrap();
    for (hash, is_right) in [(world.hash(everything), true), (TreeHash::from_bytes([1; 32]), false)] {
        world.download = Download::resume(world.config.clone(), &[(everything, hash)]).unwrap();
        let state = world.run();
        assert_eq!((matches!(state, State::Done(_)), world.fetched), (is_right, 0));
    }
}

#[test]
fn the_largest_output_is_only_numbers() {
    let range = ByteRange::new(0, 10_000 * 4096 * MIB).unwrap();
    let mut description = job("job-1", ByteRange::new(0, MIB).unwrap(), MIB);
    (description.range, description.archive_size) = (Some(range), Some(range.len()));
    let config = DownloadConfig::new(output_of(description), SinkOrder::Any);
    let mut download = Download::new(config).unwrap();
    download.handle_event(Event::Start, Instant(0), Jitter::new(0.5));
    let Some(Command::Sign { intents, .. }) = download.poll_command(Instant(0)) else { panic!("nothing to sign") };
    assert_eq!((intents.len(), download.progress(Instant(0)).pieces_total), (4, 5_120_000));
}

#[test]
fn being_told_to_slow_down_halves_what_is_in_flight() {
    let script: Vec<_> = (1..=4).map(|nth| (nth, Fault::Refused(Answer(429, "", "")))).collect();
    let mut world = whole(40, &script);
    world.tell(Event::Start);
    let mut most_after = 0;
    while !world.is_over() {
        let now = world.now;
        world.run_until(now + 1);
        if (5..=8).contains(&world.fetched) {
            most_after = most_after.max(world.in_flight.len());
        }
    }
    assert_eq!(most_after, 2, "halved once for one burst");
    let state = world.run_on();
    assert_delivered(&world, &state);
}

#[test]
fn strangers_and_final_refusals_end_at_once() {
    for (status, code, message, expected) in [
        (403, "AccessDeniedException", "no", ErrorCode::AuthDenied),
        (404, "ResourceNotFoundException", "Vault not found for ARN: arn", ErrorCode::VaultNotFound),
        (404, "ResourceNotFoundException", "The job ID was not found: job", ErrorCode::JobExpired),
        (400, "NoLongerSupportedException", "no", ErrorCode::VaultsClosed),
        (
            400,
            "InvalidParameterValueException",
            "The job is not currently available for download: job",
            ErrorCode::JobNotReady,
        ),
    ] {
        let mut world = whole(2, &[(1, Fault::Refused(Answer(status, code, message)))]);
        let error = failure(&world.run());
        assert_eq!((error.code, error.retryable, error.status), (expected, false, Some(status)), "{code}");
    }
    let mut world = whole(2, &[]);
    world.intensities.sign = 1000;
    world.tell(Event::Start);
    let (_, Command::Sign { ticket, .. }) = world.trace[0].clone() else { panic!("{:?}", world.trace) };
    world.tell(Event::SignRefused { ticket, response: Response { status: 404, ..Response::default() } });
    assert_eq!(failure(world.download.state()).code, ErrorCode::NotOurServer);
}

#[test]
fn reports_nobody_waits_for_change_nothing() {
    let mut world = whole(3, &[]);
    let state = world.run();
    let hash = TreeHash::from_bytes([1; 32]);
    let late = (0..200)
        .map(Ticket)
        .flat_map(|ticket| {
            [
                Event::Fetched { ticket, response: Response::default(), len: MIB, tree_hash: hash, payload_hash: None },
                Event::Answered { ticket, response: Response::default() },
                Event::FetchFailed { ticket },
                Event::Signed { ticket, requests: Vec::new() },
                Event::Delivered { ticket },
                Event::DeliverFailed { ticket },
                Event::Closed { ticket },
                Event::CloseFailed { ticket },
                Event::SinkLost,
                Event::Received { ticket, bytes: u64::MAX },
            ]
        })
        .chain([Event::Start, Event::Pause, Event::Resume, Event::Offline, Event::Online, Event::Abort]);
    for event in late {
        world.download.handle_event(event, Instant(u64::MAX), Jitter::new(0.5));
        assert_eq!(world.download.state(), &state);
        assert_eq!(world.download.poll_command(Instant(u64::MAX)), None);
    }
}
