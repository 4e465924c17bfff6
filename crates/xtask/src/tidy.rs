//! Holds the walls between the rooms, so that nobody has to remember them.
//!
//! The rules over text are in [`source`] (lines of code), [`manifest`] (what may lean on what), [`page`] (what the
//! demo page may use) and [`parity`] (what a document claims to be there); formatting, lints and documentation are
//! checked by Cargo. A finding reads `file:line: rule`.

mod manifest;
mod page;
mod parity;
mod source;

use crate::run::{cargo, command, output, root, run, say};
use crate::setup;
use crate::test::Counts;
use anyhow::{Context, Result, bail};
use std::fmt;
use std::process::Command;

/// A file of the repository, its path relative to the root with `/` between names.
#[derive(Debug)]
struct SourceFile {
    path: String,
    text: String,
}

/// A rule broken in one place.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    rule: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.rule)
    }
}

type Rule = (&'static str, fn(&[SourceFile]) -> Vec<Finding>);

/// The rules over text; each is a check that passes or fails.
const RULES: [Rule; 14] = [
    ("core has no clock, thread, file, socket, random source or JavaScript", source::core_is_pure),
    ("the browser package holds no status code, limit, header name or back-off", source::browser_holds_no_rule),
    ("#[wasm_bindgen] only in api.rs, api/, worker.rs and error.rs", source::bindings_have_a_room),
    ("one file talks to the network", source::network_has_a_room),
    ("one file converts between f64 and u64", source::conversions_have_a_room),
    ("no unsafe code", source::no_unsafe),
    ("no postponed work, no skipped tests", source::nothing_postponed),
    ("no file over 500 lines", source::files_are_short),
    ("crates lean only on those they may", manifest::walls_between_crates),
    ("dependencies are pinned and justified", manifest::dependencies_are_pinned),
    ("every crate takes the workspace's lints", manifest::lints_are_inherited),
    ("package-lock.json names no registry host", manifest::lock_names_no_host),
    ("the page uses only what the package's types declare", page::uses_only_the_public_api),
    ("docs/boto.md names declarations and tests that exist", parity::tables_are_true),
];

/// Checks everything; the error tells how many checks failed.
pub(crate) fn tidy() -> Result<()> {
    let counts = tidy_counted()?;
    println!("tidy: {} passed, {} failed", counts.passed, counts.failed);
    if counts.failed > 0 {
        bail!("{} checks failed", counts.failed);
    }
    Ok(())
}

/// Checks everything, one count for each rule or program.
pub(crate) fn tidy_counted() -> Result<Counts> {
    setup::for_build()?;
    let files = repository()?;
    let mut counts = Counts::default();
    for (claim, rule) in RULES {
        let findings = rule(&files);
        for finding in &findings {
            println!("{finding}");
        }
        if !findings.is_empty() {
            println!("FAILED {claim}");
        }
        counts += if findings.is_empty() { Counts { passed: 1, failed: 0 } } else { Counts { passed: 0, failed: 1 } };
    }
    for (claim, mut program) in programs() {
        say(claim);
        let result = run(claim, &mut program);
        if let Err(error) = &result {
            println!("FAILED {error:#}");
        }
        counts += Counts { passed: u64::from(result.is_ok()), failed: u64::from(result.is_err()) };
    }
    Ok(counts)
}

fn programs() -> Vec<(&'static str, Command)> {
    let with = |arguments: &[&str]| {
        let mut cargo = cargo();
        cargo.args(arguments);
        cargo
    };
    let wasm = ["--package", "glacier-upload", "--target", "wasm32-unknown-unknown"];
    let lint = ["clippy", "--quiet", "--all-features"];
    let native = ["--workspace", "--exclude", "glacier-upload"];
    // A test fails by panicking: that is what `unwrap` is for there.
    let tests = ["--all-targets", "--", "-D", "warnings", "-A", "clippy::unwrap_used", "-A", "clippy::expect_used"];
    let mut document = with(&["doc", "--quiet", "--workspace", "--no-deps", "--all-features"]);
    // Private items too: a broken link misleads whoever reads the source.
    document.args(["--document-private-items", "--exclude", "xtask"]).env("RUSTDOCFLAGS", "-D warnings");
    vec![
        ("formatting", with(&["fmt", "--all", "--check"])),
        ("lints of the native crates", with(&[&lint[..], &native, &["--", "-D", "warnings"]].concat())),
        ("lints of the native tests", with(&[&lint[..], &native, &tests].concat())),
        ("lints of the browser package", with(&[&lint[..], &wasm, &["--", "-D", "warnings"]].concat())),
        ("documentation without warnings", document),
    ]
}

/// Every text file of the repository that Git does not ignore.
fn repository() -> Result<Vec<SourceFile>> {
    let mut git = command("git");
    let list = output("list the files", git.args(["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    let mut files = Vec::new();
    for path in list.lines().map(str::to_owned) {
        let Ok(bytes) = std::fs::read(root().join(&path)) else { continue }; // Deleted, not yet committed.
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(SourceFile { path, text });
        }
    }
    if files.is_empty() {
        bail!("Git lists no file: is this a clone of the repository?");
    }
    files.iter().find(|file| file.path == "Cargo.toml").context("Cargo.toml is not among the files")?;
    Ok(files)
}

#[cfg(test)]
fn check(rule: fn(&[SourceFile]) -> Vec<Finding>, path: &str, text: &str, lines: &[usize]) {
    let file = SourceFile { path: path.to_owned(), text: text.to_owned() };
    let found: Vec<usize> = rule(&[file]).iter().map(|finding| finding.line).collect();
    assert_eq!(found, lines, "{path}\n{text}");
}
