use super::*;
use crate::glacier::initiate_job::JobParameters;
use crate::glacier::{Method, VaultName};
use crate::json::Json;
use crate::upload::SignFailure;

const JITTER: f64 = 0.5;

/// What becomes of one request, of the gateway or the store.
enum Fate {
    Answer(Response),
    /// No answer comes, and that is noticed.
    Lost,
    /// No answer comes, and nobody notices.
    Silence,
}
use Fate::{Answer as Says, Lost, Silence};

fn vault() -> VaultName {
    VaultName::new("photos").unwrap()
}

fn answer(status: u16, body: Option<Json>, headers: &[(&str, &str)]) -> Fate {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Says(Response { status, headers, body })
}

fn refusal(status: u16, code: &str, message: &str) -> Fate {
    let text = |text: &str| Json::Text(text.into());
    answer(status, Some(Json::object([("code", text(code)), ("message", text(message))])), &[])
}

/// Runs a call in simulated time. `gateway` and `store` say what becomes of each request in turn; a gateway whose list
/// is over signs. Gives the outcome, what was sent, and how long it took.
fn run(intent: Intent, gateway: Vec<Fate>, store: Vec<Fate>) -> (Outcome, Vec<Intent>, u64) {
    let mut call = Call::new(intent, RetryPolicy::default());
    let (mut gateway, mut store) = (gateway.into_iter(), store.into_iter());
    let (mut now, jitter) = (Instant(1_000), Jitter::new(JITTER));
    let (mut signed, mut sent) = (None, Vec::new());
    loop {
        while let Some(command) = call.poll_command(now) {
            now = now + 10;
            let event = match command {
                Command::Sign { ticket, intents: [intent] } => match gateway.next() {
                    None => {
                        signed = Some(intent);
                        let request = SignedRequest {
                            method: Method::Get,
                            url: "/".into(),
                            headers: Vec::new(),
                            body: None,
                            expires_in_ms: 240_000,
                        };
                        Some(Event::Signed { ticket, requests: vec![request] })
                    }
                    Some(Says(response)) => Some(Event::SignRefused { ticket, response }),
                    Some(Lost) => Some(Event::SignFailed { ticket, failure: SignFailure::Network }),
                    Some(Silence) => None,
                },
                Command::Send { ticket, .. } => {
                    sent.push(signed.take().expect("each attempt is signed anew"));
                    match store.next().expect("no more requests than the test foresees") {
                        Says(response) => Some(Event::Answered { ticket, response }),
                        Lost => Some(Event::SendFailed { ticket }),
                        Silence => None,
                    }
                }
                Command::Cancel { .. } => None,
            };
            if let Some(event) = event {
                call.handle_event(event, now, jitter);
            }
        }
        if let Some(outcome) = call.outcome() {
            assert!(store.next().is_none(), "a request that the test foresees was not made");
            return (outcome.clone(), sent, now.0 - 1_000);
        }
        now = call.poll_timeout().expect("a call that is not over waits for something").max(now);
        call.handle_timeout(now, jitter);
    }
}

fn error(outcome: Outcome) -> UploadError {
    match outcome {
        Outcome::Failed(error) => error,
        other => panic!("{other:?}"),
    }
}

fn describe() -> Intent {
    Intent::DescribeVault { vault: vault() }
}

fn described() -> Fate {
    let body = Json::object([
        ("VaultARN", Json::Text("arn:aws:glacier:us-east-1:012345678901:vaults/photos".into())),
        ("VaultName", Json::Text("photos".into())),
        ("CreationDate", Json::Text("2026-03-20T17:03:43.221Z".into())),
        ("LastInventoryDate", Json::Null),
        ("NumberOfArchives", Json::Number(0)),
        ("SizeInBytes", Json::Number(0)),
    ]);
    answer(200, Some(body), &[])
}

fn retrieval() -> Intent {
    let parameters = JobParameters::ArchiveRetrieval {
        archive_id: crate::glacier::ArchiveId::new("archive").unwrap(),
        range: None,
        tier: None,
        description: None,
        sns_topic: None,
    };
    Intent::InitiateJob { vault: vault(), job: parameters }
}

fn job(id: &str, archive: &str, created: &str, status: &str) -> Json {
    let text = |text: &str| Json::Text(text.into());
    Json::object([
        ("JobId", text(id)),
        ("Action", text("ArchiveRetrieval")),
        ("VaultARN", text("arn")),
        ("CreationDate", text(created)),
        ("StatusCode", text(status)),
        ("ArchiveId", text(archive)),
        ("ArchiveSizeInBytes", Json::Number(10)),
        ("RetrievalByteRange", text("0-9")),
        ("Tier", text("Standard")),
    ])
}

const NOW: &str = "Sat, 21 Nov 2026 05:22:00 GMT";

fn jobs(jobs: Vec<Json>, marker: Option<&str>, date: Option<&str>) -> Fate {
    let marker = marker.map_or(Json::Null, |marker| Json::Text(marker.into()));
    let headers: Vec<_> = date.map(|date| ("date", date)).into_iter().collect();
    answer(200, Some(Json::object([("JobList", Json::List(jobs)), ("Marker", marker)])), &headers)
}

fn started(id: &str) -> Fate {
    answer(202, None, &[("x-amz-job-id", id)])
}

fn job_started(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Answered(Answer::JobStarted(id)) => id.as_str(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn passing_trouble_is_overcome() {
    let (outcome, sent, _) = run(
        describe(),
        vec![Lost, Silence, refusal(503, "", ""), refusal(401, "token_expired", "")],
        vec![
            Lost,
            Silence,
            refusal(400, "ThrottlingException", ""),
            refusal(403, "InvalidSignatureException", "Signature expired: x"),
            described(),
        ],
    );
    assert!(matches!(outcome, Outcome::Answered(Answer::Vault(vault)) if vault.n_archives == Some(0)));
    assert_eq!(sent, vec![describe(); 5]);
}

#[test]
fn trouble_that_does_not_pass_ends() {
    let (outcome, sent, ms) = run(describe(), vec![], (0..8).map(|_| Lost).collect());
    let error = error(outcome);
    assert_eq!((error.code, error.retryable, sent.len()), (ErrorCode::Network, true, 8));
    // Seven waits of half of 250, 500, ... 16,000 ms, and sixteen requests of 10 ms.
    assert_eq!(ms, (250 + 500 + 1_000 + 2_000 + 4_000 + 8_000 + 16_000) / 2 + 160);
}

#[test]
fn a_token_is_asked_for_again_once() {
    let expired = || refusal(401, "token_expired", "");
    let error = error(run(describe(), vec![expired(), expired()], vec![]).0);
    assert_eq!((error.code, error.retryable), (ErrorCode::AuthExpired, true));
}

#[test]
fn a_stranger_at_the_gateways_address_is_told_at_once() {
    let error = error(run(describe(), vec![answer(404, None, &[])], vec![]).0);
    assert_eq!((error.code, error.retryable, error.status), (ErrorCode::NotOurServer, true, Some(404)));
}

#[test]
fn refusals_are_not_repeated() {
    for (refused, code) in [
        (refusal(403, "AccessDeniedException", ""), ErrorCode::AuthDenied),
        (refusal(404, "ResourceNotFoundException", "Vault not found for ARN: x"), ErrorCode::VaultNotFound),
        (refusal(400, "LimitExceededException", ""), ErrorCode::LimitExceeded),
    ] {
        let error = error(run(describe(), vec![], vec![refused]).0);
        assert_eq!((error.code, error.retryable), (code, false));
    }
}

#[test]
fn a_job_that_is_gone_has_expired() {
    let intent = Intent::DescribeJob { vault: vault(), job_id: crate::glacier::JobId::new("job").unwrap() };
    let gone = refusal(404, "ResourceNotFoundException", "The job ID was not found: job");
    assert_eq!(error(run(intent, vec![], vec![gone]).0).code, ErrorCode::JobExpired);
}

#[test]
fn an_answer_in_another_form_is_no_answer() {
    let nonsense = answer(200, Some(Json::object([("VaultARN", Json::Null)])), &[]);
    let (outcome, sent, _) = run(describe(), vec![], vec![nonsense, described()]);
    assert!(matches!(outcome, Outcome::Answered(_)));
    assert_eq!(sent.len(), 2);
}

#[test]
fn a_job_whose_answer_was_lost_is_found_and_not_started_again() {
    for lost in [Lost, Silence, refusal(500, "ServiceUnavailableException", ""), answer(502, None, &[])] {
        // Silence is noticed after a minute; the job was made at its beginning.
        let page = jobs(
            vec![
                job("yesterday", "archive", "2026-11-20T06:00:00.000Z", "Succeeded"),
                job("other", "other", "2026-11-21T05:21:59.000Z", "InProgress"),
                job("this", "archive", "2026-11-21T05:21:58.123Z", "Succeeded"),
            ],
            None,
            Some(NOW),
        );
        let (outcome, sent, _) = run(retrieval(), vec![], vec![lost, page]);
        assert_eq!(job_started(&outcome), "this");
        assert_eq!(sent[0], retrieval());
        assert!(matches!(&sent[1], Intent::ListJobs { status_code: None, completed: None, marker: None, .. }));
    }
}

#[test]
fn a_job_that_is_not_there_is_started() {
    let old = || job("yesterday", "archive", "2026-11-20T06:00:00.000Z", "Succeeded");
    let pages = || [jobs(vec![old()], Some("next"), Some(NOW)), jobs(vec![], None, Some(NOW))];
    let [first, second] = pages();
    let (outcome, sent, _) = run(retrieval(), vec![], vec![Lost, first, second, started("new")]);
    assert_eq!(job_started(&outcome), "new");
    assert!(matches!(&sent[2], Intent::ListJobs { marker: Some(marker), .. } if marker == "next"));
    assert_eq!(sent[3], retrieval());
}

#[test]
fn without_the_stores_time_only_a_running_job_is_taken_for_it() {
    let made = "2026-11-21T05:21:58.123Z";
    let page = || jobs(vec![job("done", "archive", made, "Succeeded")], None, None);
    let (outcome, ..) = run(retrieval(), vec![], vec![Lost, page(), started("new")]);
    assert_eq!(job_started(&outcome), "new");
    let running = jobs(vec![job("running", "archive", made, "InProgress")], None, None);
    let (outcome, ..) = run(retrieval(), vec![], vec![Lost, running]);
    assert_eq!(job_started(&outcome), "running");
}

#[test]
fn a_definite_refusal_needs_no_search() {
    let refused = refusal(400, "ThrottlingException", "");
    let (outcome, sent, _) = run(retrieval(), vec![], vec![refused, started("new")]);
    assert_eq!((job_started(&outcome), sent.len()), ("new", 2));
}

#[test]
fn where_the_search_fails_the_user_is_told_to_look() {
    let denied = refusal(403, "AccessDeniedException", "");
    let error = error(run(retrieval(), vec![], vec![Lost, denied]).0);
    assert_eq!((error.code, error.retryable), (ErrorCode::Network, false));
    assert!(error.hint.contains("jobs()"), "{}", error.hint);
}

#[test]
fn an_inventory_that_cannot_be_recognised_is_asked_for_again() {
    let job = JobParameters::InventoryRetrieval {
        format: None,
        start_date: None,
        end_date: None,
        limit: None,
        marker: Some("next".into()),
        description: None,
        sns_topic: None,
    };
    let intent = Intent::InitiateJob { vault: vault(), job };
    let (outcome, sent, _) = run(intent.clone(), vec![], vec![Lost, started("new")]);
    assert_eq!((job_started(&outcome), sent), ("new", vec![intent.clone(), intent]));
}

#[test]
fn what_was_never_set_is_an_answer() {
    let unset = refusal(404, "ResourceNotFoundException", "No access policy is set for vault: x");
    let (outcome, ..) = run(Intent::GetVaultAccessPolicy { vault: vault() }, vec![], vec![unset]);
    assert_eq!(outcome, Outcome::Answered(Answer::AccessPolicy(None)));
}

#[test]
fn what_costs_money_or_has_a_secret_answer_is_sent_once() {
    let policy = crate::glacier::PolicyText::new("{}").unwrap();
    for (intent, hint) in [
        (Intent::PurchaseProvisionedCapacity {}, "provisionedCapacity()"),
        (Intent::InitiateVaultLock { vault: vault(), policy }, "abortLock()"),
    ] {
        for lost in [Lost, Silence, answer(504, None, &[])] {
            let (outcome, sent, _) = run(intent.clone(), vec![Lost], vec![lost]);
            let error = error(outcome);
            assert_eq!((error.retryable, sent.len()), (false, 1), "{}", error.message);
            assert!(error.hint.contains(hint), "{}", error.hint);
        }
        let busy = refusal(400, "ThrottlingException", "");
        let denied = refusal(403, "AccessDeniedException", "");
        let (outcome, sent, _) = run(intent, vec![], vec![busy, denied]);
        assert_eq!((error(outcome).code, sent.len()), (ErrorCode::AuthDenied, 2));
    }
}

#[test]
fn a_call_that_was_aborted_or_offline_sends_nothing() {
    let (now, jitter) = (Instant(0), Jitter::new(JITTER));
    let mut call = Call::new(describe(), RetryPolicy::default());
    call.handle_event(Event::Offline, now, jitter);
    assert_eq!((call.poll_command(now), call.poll_timeout()), (None, None));
    call.handle_event(Event::Online, now, jitter);
    let Some(Command::Sign { ticket, .. }) = call.poll_command(now) else { panic!() };
    call.handle_event(Event::Abort, now, jitter);
    assert_eq!(call.poll_command(now), Some(Command::Cancel { ticket }));
    call.handle_event(Event::Signed { ticket, requests: Vec::new() }, now, jitter);
    assert_eq!((call.poll_command(now), call.outcome()), (None, Some(&Outcome::Aborted)));
}
