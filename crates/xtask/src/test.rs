//! Runs the suites in order and ends with one line, `N passed, N failed`.
//!
//! A suite that crashes counts as one failure more than it reported, and so does a suite that ran nothing: silence is
//! not success. Skipped tests count as failed.

use crate::run::{cargo, command, line, npm_tool, root, say, target};
use crate::{build, setup, tidy};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

type Suite = (&'static str, fn() -> Result<Counts>);

/// In order: what fails fast comes first.
const SUITES: [Suite; 9] = [
    ("tidy", tidy::tidy_counted),
    ("native", native),
    ("wasm", wasm),
    ("api", api),
    ("s3", s3),
    ("contract", contract),
    ("types", types),
    ("package", package),
    ("e2e", e2e),
];

/// Runs the suites named, or all.
pub(crate) fn test(names: &[&str]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| SUITES.iter().all(|(suite, _)| suite != *name)) {
        bail!("there is no suite {unknown}: choose among {}", SUITES.map(|(suite, _)| suite).join(" "));
    }
    if names.is_empty() {
        setup::everything()?;
    }
    let mut total = Counts::default();
    let mut summary = Vec::new();
    for (name, suite) in SUITES.iter().filter(|(name, _)| names.is_empty() || names.contains(name)) {
        say(&format!("suite {name}"));
        let started = Instant::now();
        let counts = judge(name, suite());
        let seconds = started.elapsed().as_secs_f64();
        summary.push(format!("{name:8} {:5} passed {:3} failed {seconds:7.1} s", counts.passed, counts.failed));
        total += counts;
    }
    say("suites");
    println!("{}", summary.join("\n"));
    println!("{} passed, {} failed", total.passed, total.failed);
    std::process::exit(i32::from(total.failed > 0));
}

fn judge(name: &str, result: Result<Counts>) -> Counts {
    match result {
        Ok(Counts { passed: 0, failed: 0 }) => {
            eprintln!("error: suite {name} ran no test");
            Counts { passed: 0, failed: 1 }
        }
        Ok(counts) => counts,
        Err(error) => {
            eprintln!("error: suite {name}: {error:#}");
            Counts { passed: 0, failed: 1 }
        }
    }
}

fn native() -> Result<Counts> {
    setup::for_native()?;
    counted(cargo().args(["test", "--workspace", "--exclude", "glacier-upload", "--all-features", "--no-fail-fast"]))
}

/// The rules as WebAssembly, as fast browsers run them and as the slowest does.
fn wasm() -> Result<Counts> {
    setup::for_wasm()?;
    let mut counts = Counts::default();
    for simd in ["+simd128", "-simd128"] {
        say(&format!("glacier-core as WebAssembly, {simd}"));
        let mut test = cargo();
        test.args(["test", "--package", "glacier-core", "--target", "wasm32-wasip1", "--no-fail-fast"]);
        test.env("CARGO_TARGET_WASM32_WASIP1_RUNNER", format!("node --no-warnings {}", wasi_runner().display()));
        test.env("CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS", format!("-C target-feature={simd}"));
        // A folder each, or each run would throw away the other's build.
        test.env("CARGO_TARGET_DIR", target().join(if simd == "+simd128" { "wasi-simd" } else { "wasi-plain" }));
        counts += counted(&mut test)?;
    }
    Ok(counts)
}

fn wasi_runner() -> std::path::PathBuf {
    root().join("tests/wasi.mjs")
}

/// Glacier's REST API, as boto3 and the AWS command line use it, and signatures as botocore makes them.
fn api() -> Result<Counts> {
    setup::for_python()?;
    let (store, signatures) = (build::store()?, build::signatures()?);
    let mut pytest = command(setup::python());
    pytest.args(["-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", "tests/glacier_api", "tests/oracle"]);
    pytest.env("LOCAL_GLACIER", store).env("SIGNATURES", signatures);
    counted(&mut pytest)
}

/// Objects in two stores that speak S3, read back by boto3.
fn s3() -> Result<Counts> {
    let stores = setup::for_s3()?;
    let server = build::server(&[])?;
    let mut pytest = command(setup::python());
    pytest.args(["-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", "tests/s3"]);
    pytest.env("GLACIER_UPLOAD_SERVER", server).env("GARAGE", stores.garage);
    // Set to nothing, there is none.
    pytest.env("LOCALSTACK_PYTHON", stores.localstack.unwrap_or_default());
    counted(&mut pytest)
}

/// The sign contract: its description against a running gateway, and what checks other back ends against this one, the
/// example in Node, and bad ones.
fn contract() -> Result<Counts> {
    setup::for_python()?;
    setup::for_node_gateway()?;
    let (server, store) = (build::server(&[])?, build::store()?);
    let mut pytest = command(setup::python());
    pytest.args(["-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", "tests/contract"]);
    pytest.env("GLACIER_UPLOAD_SERVER", server).env("LOCAL_GLACIER", store);
    counted(&mut pytest)
}

/// The package's types, as a TypeScript program and two linters of npm packages see them.
fn types() -> Result<Counts> {
    build::package()?;
    let mut counts = Counts::default();
    let package = target().join("npm");
    let mut checks = [
        ("the types type-check with a program that uses it", npm_tool("tsc")),
        ("publint finds nothing", npm_tool("publint")),
        ("are-the-types-wrong finds nothing", npm_tool("attw")),
    ];
    checks[0].1.args(["--project", "tests/types/tsconfig.json"]);
    checks[1].1.args(["run", "--strict"]).arg(&package);
    checks[2].1.arg("--pack").arg(&package).args(["--profile", "esm-only", "--exclude-entrypoints"]);
    checks[2].1.args(["./glacier_upload_bg.wasm", "./worker.js"]);
    for (claim, check) in &mut checks {
        let holds = crate::run::run(claim, check);
        println!("{} {claim}", if holds.is_ok() { "ok    " } else { "FAILED" });
        if let Err(error) = &holds {
            println!("       {error:#}");
        }
        counts += Counts { passed: u64::from(holds.is_ok()), failed: u64::from(holds.is_err()) };
    }
    Ok(counts)
}

/// The npm package as customers install it, and the server as it is shipped.
fn package() -> Result<Counts> {
    setup::for_packaging()?;
    // And the package and the page, which is in it.
    build::static_server()?;
    node_tests("tests/packaging")
}

fn e2e() -> Result<Counts> {
    setup::for_browsers()?;
    setup::for_s3()?;
    build::package()?;
    node_tests("tests/e2e")
}

fn node_tests(folder: &str) -> Result<Counts> {
    let server = build::server(&[])?;
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).with_context(|| format!("read {folder}"))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".spec.mjs") {
            files.push(path);
        }
    }
    files.sort();
    let mut counts = Counts::default();
    for file in files {
        say(&format!("{}", file.strip_prefix(root()).unwrap_or(&file).display()));
        let mut node = command("node");
        node.args(["--test", "--test-reporter=spec"]).arg(&file).env("GLACIER_UPLOAD_SERVER", &server);
        counts += counted(&mut node)?;
    }
    Ok(counts)
}

/// Streams a test program's output and adds up what it reports.
fn counted(command: &mut Command) -> Result<Counts> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{}`", line(command)))?;
    let output = child.stdout.take().context("standard output was piped")?;
    let mut counts = Counts::default();
    for text in BufReader::new(output).split(b'\n') {
        let text = String::from_utf8_lossy(&text?).into_owned();
        let quiet = text.starts_with("test ") && text.ends_with(" ... ok") || text.starts_with("ℹ ");
        if !quiet && !text.trim().is_empty() {
            println!("{text}");
        }
        counts += reported(&text);
    }
    let status = child.wait()?;
    if !status.success() && counts.failed == 0 {
        eprintln!("error: `{}` ended with {status}", line(command));
        counts.failed = 1;
    }
    Ok(counts)
}

/// What one line reports: `test result: …` of cargo, `ℹ pass N` of Node, `N passed in N s` of pytest.
fn reported(line: &str) -> Counts {
    let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || ",;=.".contains(c)).collect();
    let mut counts = Counts::default();
    let mut add = |kind: &str, number: u64| match kind {
        "passed" | "pass" => counts.passed += number,
        "failed" | "fail" | "ignored" | "skipped" | "error" | "errors" | "cancelled" | "todo" | "xfailed" => {
            counts.failed += number;
        }
        _ => {}
    };
    let is_summary = line.starts_with("test result:") || is_pytest_summary(line);
    for pair in words.iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().windows(2) {
        if line.starts_with("ℹ ") {
            pair[1].parse().map(|number| add(pair[0], number)).unwrap_or_default();
        } else if is_summary {
            pair[0].parse().map(|number| add(pair[1], number)).unwrap_or_default();
        }
    }
    counts
}

/// `3 passed, 1 failed in 1.2s`, with or without a frame of `=`.
fn is_pytest_summary(line: &str) -> bool {
    let line = line.trim_matches(['=', ' ']);
    let ends_with_time = line.split(" in ").nth(1).is_some_and(|time| time.starts_with(|c: char| c.is_ascii_digit()));
    line.starts_with(|c: char| c.is_ascii_digit()) && ends_with_time
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, passed: u64, failed: u64) {
        assert_eq!(reported(line), Counts { passed, failed }, "{line}");
    }

    #[test]
    fn summaries_of_cargo_node_and_pytest_are_read() {
        check("test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 1s", 12, 0);
        check("test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out", 10, 2);
        check("ℹ pass 31", 31, 0);
        check("ℹ fail 2", 0, 2);
        check("31 passed in 4.01s", 31, 0);
        check("== 1 failed, 30 passed, 2 errors in 75.20s (0:01:15) ==", 30, 3);
    }

    #[test]
    fn skipped_tests_count_as_failed() {
        check("test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out", 1, 1);
        check("ℹ skipped 1", 0, 1);
        check("1 passed, 2 skipped in 0.10s", 1, 2);
    }

    #[test]
    fn other_lines_count_nothing() {
        check("test upload::tests::a_part_lost_is_sent_again ... ok", 0, 0);
        check("ℹ tests 5", 0, 0);
        check("ℹ duration_ms 5", 0, 0);
        check("5 passed the door in the morning", 0, 0);
    }

    #[test]
    fn a_suite_that_ran_nothing_or_crashed_has_failed() {
        assert_eq!(judge("none", Ok(Counts::default())), Counts { passed: 0, failed: 1 });
        assert_eq!(judge("crashed", Err(anyhow::anyhow!("no such program"))), Counts { passed: 0, failed: 1 });
    }
}
