//! `check` of the gateway's binary, with vaults elsewhere.

use std::path::Path;
use std::process::{Command, Output};

use http::Method;
use serde_json::Value;

use crate::aws::{ACCOUNT, Aws, Fault, KEY_ID, SECRET};
use crate::gateway::VAULT;

const BIN: &str = env!("CARGO_BIN_EXE_glacier-upload-server");

/// Who asks, and for what.
struct Check<'a> {
    glacier: String,
    ca_file: Option<&'a Path>,
    vaults: &'a [&'a str],
    account: &'a str,
    region: &'a str,
    credentials: Option<(&'a str, &'a str)>,
}

impl<'a> Check<'a> {
    fn of(aws: &'a Aws) -> Self {
        Self {
            glacier: format!("https://localhost:{}", aws.address.port()),
            ca_file: Some(&aws.ca_file),
            vaults: &[VAULT],
            account: ACCOUNT,
            region: "us-east-1",
            credentials: Some((KEY_ID, SECRET)),
        }
    }

    fn run(&self, flags: &[&str]) -> Output {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
        let mut check = Command::new(BIN);
        check.arg("check").args(flags).args(["--listen", "127.0.0.1:0", "--data", "data", "--page", "."]);
        check.args(["--glacier", &self.glacier, "--account-id", self.account, "--region", self.region]);
        check.args(self.vaults.iter().flat_map(|vault| ["--vault", vault]));
        check.arg("--s3-region").arg("us-east-1").current_dir(folder.path()).env_clear();
        check.env("AWS_EC2_METADATA_DISABLED", "true").env("RUST_LOG", "trace").env("HOME", folder.path());
        if let Some(ca_file) = self.ca_file {
            check.arg("--ca-file").arg(ca_file);
        }
        if let Some((id, secret)) = self.credentials {
            check.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
        }
        let output = check.output().unwrap();
        let written = format!("{output:?}");
        assert!(!written.contains(SECRET), "{written}");
        assert!(!folder.path().join("data").exists(), "it makes nothing");
        output
    }

    /// Whether all is fit, and the findings as `state subject: words`, and `-> fix`.
    fn findings(&self) -> (bool, String) {
        let output = self.run(&["--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let is_fit = report["fit"].as_bool().unwrap();
        assert_eq!(output.status.success(), is_fit);
        let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or("").to_owned();
        let lines = report["findings"].as_array().unwrap().iter().map(|finding| {
            let [state, subject, words, fix] = ["state", "subject", "words", "fix"].map(|key| text(finding, key));
            format!("{state} {subject}: {words} -> {fix}\n")
        });
        (is_fit, lines.collect())
    }

    /// Finds a problem that is told with all of these texts, and no line with another problem.
    fn finds(&self, texts: &[&str]) {
        let (is_fit, findings) = self.findings();
        let problems: Vec<&str> = findings.lines().filter(|line| line.starts_with("problem")).collect();
        assert!(!is_fit && problems.len() == 1, "{findings}");
        assert!(texts.iter().all(|text| problems[0].contains(text)), "{texts:?} in {findings}");
    }
}

#[test]
fn vaults_with_all_that_they_should_have_are_fit() {
    let aws = Aws::start(&[VAULT, "films"]);
    let (is_fit, findings) = Check { vaults: &[VAULT, "films"], ..Check::of(&aws) }.findings();
    let subjects: Vec<&str> = findings.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(subjects, ["ok configuration", "ok clock", "ok demo", "ok demo", "ok films", "ok films"], "{findings}");
    assert!(is_fit && findings.contains("demo: uploads") && findings.contains("films: uploads"), "{findings}");
    // What it opens it takes away.
    let asked: Vec<Method> = aws.seen().iter().map(|seen| seen.head.method.clone()).collect();
    let one = [Method::GET, Method::POST, Method::DELETE];
    assert_eq!(asked, [one.clone(), one].concat());
    let output = Check::of(&aws).run(&[]);
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(words.starts_with("ok       configuration: ") && words.ends_with("fit to serve\n"), "{words}");
}

#[test]
fn a_vault_that_is_not_there_is_named_and_the_others_are_looked_at() {
    let aws = Aws::start(&[VAULT]);
    let check = Check { vaults: &["films", VAULT], ..Check::of(&aws) };
    check.finds(&["problem films: ", KEY_ID, "ResourceNotFoundException", "Make the vault"]);
    assert!(check.findings().1.contains("ok demo: "));
}

#[test]
fn an_account_that_may_have_no_vaults_is_told_so_once_and_where_else_to_go() {
    let aws = Aws::start(&[VAULT]);
    aws.fault(Fault::Answers(400, "NoLongerSupportedException"));
    let check = Check { vaults: &[VAULT, "films"], ..Check::of(&aws) };
    check.finds(&["problem glacier: ", KEY_ID, "no vaults", "15 December 2025", "bucket", "DEEP_ARCHIVE"]);
}

#[test]
fn credentials_that_are_none_or_wrong_or_too_weak_are_told_apart() {
    let aws = Aws::start(&[VAULT]);
    Check { credentials: None, ..Check::of(&aws) }.finds(&["problem credentials: ", "no AWS credentials"]);
    let unknown = Some(("AKIAUNKNOWN", SECRET));
    Check { credentials: unknown, ..Check::of(&aws) }.finds(&[
        "AKIAUNKNOWN",
        "UnrecognizedClient",
        "other credentials",
    ]);
    let wrong = Some((KEY_ID, "not+the+secret+0123456789abcdef0123456789"));
    Check { credentials: wrong, ..Check::of(&aws) }.finds(&["InvalidSignatureException", "secret access key"]);
    Check { region: "eu-west-9", ..Check::of(&aws) }.finds(&["InvalidSignatureException", "region"]);
    Check { account: "999999999999", ..Check::of(&aws) }.finds(&["AccessDeniedException", "account-id"]);
}

#[test]
fn leave_to_look_is_not_needed_and_leave_to_upload_is() {
    let aws = Aws::start(&[VAULT]);
    aws.fault(Fault::Answers(403, "AccessDeniedException"));
    let check = Check::of(&aws);
    check.finds(&["problem demo: uploads: ", "AccessDeniedException", "docs/relay.md"]);
    assert!(check.findings().1.contains("warning demo: the gateway may not look"));
}

#[test]
fn a_clock_that_is_wrong_is_found_with_what_comes_of_it() {
    let aws = Aws::start(&[VAULT]);
    aws.ahead(3600);
    let (is_fit, findings) = Check::of(&aws).findings();
    assert!(!is_fit && findings.contains("problem clock: this machine's clock is 3"), "{findings}");
    assert!(findings.contains("problem demo: ") && findings.contains("InvalidSignatureException"), "{findings}");
    aws.ahead(120);
    let (is_fit, findings) = Check::of(&aws).findings();
    assert!(is_fit && findings.contains("warning clock: this machine's clock is 1"), "{findings}");
}

#[test]
fn a_store_that_is_not_to_be_reached_or_not_to_be_believed_is_said_to_be() {
    let aws = Aws::start(&[VAULT]);
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nowhere.local_addr().unwrap().port();
    drop(nowhere);
    let closed = Check { glacier: format!("https://localhost:{port}"), ..Check::of(&aws) };
    closed.finds(&["problem glacier: https://localhost:", "could not be reached", "refused"]);
    let unknown = Check { ca_file: None, ..Check::of(&aws) };
    unknown.finds(&["problem glacier: ", "could not be reached", "certificate", "ca-file"]);
}

#[test]
fn what_is_no_glacier_makes_no_sense() {
    let aws = Aws::start(&[VAULT]);
    aws.fault(Fault::Answers(200, "Welcome"));
    Check::of(&aws).finds(&["problem demo: ", "makes no sense", "address"]);
    aws.fault(Fault::Redirects("https://elsewhere.example/".into()));
    Check::of(&aws).finds(&["problem demo: ", "307"]);
    aws.fault(Fault::Answers(500, "ServiceUnavailableException"));
    Check::of(&aws).finds(&["problem demo: ", "ServiceUnavailableException", "again"]);
}

#[test]
fn without_a_vault_none_is_looked_at() {
    let aws = Aws::start(&[VAULT]);
    let check = Check { vaults: &[], ..Check::of(&aws) };
    // A gateway without vaults has buckets.
    let output = check.run(&["--json", "--bucket", "photos", "--s3-endpoint", "http://127.0.0.1:9"]);
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.contains("no vault is named") && aws.seen().is_empty(), "{report}");
}
