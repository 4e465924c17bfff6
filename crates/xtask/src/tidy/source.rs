//! Rules over lines of code.

use super::{Finding, SourceFile};

pub(super) fn core_is_pure(files: &[SourceFile]) -> Vec<Finding> {
    const FORBIDDEN: [&str; 14] = [
        "std::time::Instant",
        "std::time::{",
        "Instant::now",
        "SystemTime",
        "now_utc",
        "std::thread",
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "js_sys",
        "web_sys",
        "rand::",
        "getrandom",
    ];
    lines_where(
        files,
        |path| path.starts_with("crates/core/src/"),
        |line| {
            let word = FORBIDDEN.iter().find(|word| line.contains(**word))?;
            Some(format!("core may not use {word}: time and randomness are arguments, I/O belongs to the adapters"))
        },
    )
}

pub(super) fn browser_holds_no_rule(files: &[SourceFile]) -> Vec<Finding> {
    const HEADERS: [&str; 5] = ["\"x-amz", "\"content-range", "\"retry-after", "\"authorization", "\"etag"];
    // file.rs holds the largest integer of an f64, which is JavaScript's limit and not ours.
    lines_where(
        files,
        |path| is_browser(path) && path != "src/file.rs",
        |line| {
            if let Some(header) = HEADERS.iter().find(|header| line.to_ascii_lowercase().contains(**header)) {
                return Some(format!("header name {header}\": it belongs to core"));
            }
            // A named interval in milliseconds is how often something is shown; how often it is retried is in core.
            let is_interval = line.contains("const ") && line.contains("_MS: ");
            let number = integers(line).into_iter().find(|number| *number >= 100 && !is_interval)?;
            Some(format!("{number}: status codes, limits and back-offs belong to core"))
        },
    )
}

pub(super) fn bindings_have_a_room(files: &[SourceFile]) -> Vec<Finding> {
    // error.rs imports the JavaScript class of errors: it exports nothing.
    const ROOMS: [&str; 3] = ["src/api.rs", "src/worker.rs", "src/error.rs"];
    lines_where(
        files,
        |path| is_browser(path) && !path.starts_with("src/api/") && !ROOMS.contains(&path),
        |line| {
            line.contains("#[wasm_bindgen")
                .then(|| format!("#[wasm_bindgen] belongs to src/api/ and {}", ROOMS.join(", ")))
        },
    )
}

pub(super) fn network_has_a_room(files: &[SourceFile]) -> Vec<Finding> {
    const CALLS: [&str; 4] = ["fetch_with", "XmlHttpRequest", "EventSource", "WebSocket"];
    lines_where(
        files,
        |path| is_browser(path) && path != "src/fetch.rs",
        |line| {
            let call = CALLS.iter().find(|call| line.contains(**call))?;
            Some(format!("{call}: src/fetch.rs is the one file that talks to the network"))
        },
    )
}

pub(super) fn conversions_have_a_room(files: &[SourceFile]) -> Vec<Finding> {
    lines_where(
        files,
        |path| is_browser(path) && path != "src/file.rs",
        |line| {
            let cast = ["as f64", "allow(clippy::cast_", "expect(clippy::cast_"]
                .into_iter()
                .find(|cast| line.contains(cast))?;
            Some(format!("`{cast}`: src/file.rs is the one file that converts between f64 and integers"))
        },
    )
}

pub(super) fn no_unsafe(files: &[SourceFile]) -> Vec<Finding> {
    lines_where(
        files,
        |path| path.ends_with(".rs"),
        |line| {
            let block = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"];
            block.iter().any(|block| line.contains(block)).then(|| "unsafe code is forbidden".to_owned())
        },
    )
}

pub(super) fn nothing_postponed(files: &[SourceFile]) -> Vec<Finding> {
    const WORDS: [&str; 10] = [
        "TODO",
        "FIXME",
        "#[ignore",
        "test.skip",
        "test.only",
        "it.skip",
        "it.only",
        "skip: true",
        "mark.skip",
        "mark.xfail",
    ];
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| is_code(&file.path) && !is_tidy(&file.path)) {
        // Comments too: that is where work is postponed.
        for (index, line) in file.text.lines().enumerate() {
            if let Some(word) = WORDS.iter().find(|word| line.contains(**word)) {
                findings.push(finding(file, index, format!("{word}: finish it, or open an issue")));
            }
        }
    }
    findings
}

pub(super) fn files_are_short(files: &[SourceFile]) -> Vec<Finding> {
    const MOST: usize = 500;
    let long = files.iter().filter(|file| is_code(&file.path) && file.text.lines().count() > MOST);
    let rule = |file| finding(file, MOST, format!("{} lines: over {MOST} is two ideas", file.text.lines().count()));
    long.map(rule).collect()
}

fn is_browser(path: &str) -> bool {
    path.starts_with("src/") && path.ends_with(".rs")
}

fn is_code(path: &str) -> bool {
    [".rs", ".js", ".mjs", ".ts", ".py", ".css", ".html"].iter().any(|extension| path.ends_with(extension))
}

/// These files name what they forbid.
fn is_tidy(path: &str) -> bool {
    path.starts_with("crates/xtask/src/tidy")
}

fn finding(file: &SourceFile, index: usize, rule: String) -> Finding {
    Finding { path: file.path.clone(), line: index + 1, rule }
}

/// Findings over the lines of code: without comments, and without the unit tests at the end of a file.
fn lines_where(
    files: &[SourceFile],
    applies: impl Fn(&str) -> bool,
    rule: impl Fn(&str) -> Option<String>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| applies(&file.path) && !is_tidy(&file.path)) {
        for (index, line) in file.text.lines().enumerate().take_while(|(_, line)| *line != "#[cfg(test)]") {
            findings.extend(rule(without_comment(line)).map(|rule| finding(file, index, rule)));
        }
    }
    findings
}

fn without_comment(line: &str) -> &str {
    let starts = line.match_indices("//").map(|(at, _)| at);
    let mut comments = starts.filter(|at| !line[..*at].ends_with(':')); // `https://` inside a string.
    comments.next().map_or(line, |at| &line[..at])
}

/// The integer literals of a line, `_` left out; hexadecimal ones and those inside names or text are no rules.
fn integers(line: &str) -> Vec<u64> {
    let line: String = line.split('"').step_by(2).collect::<Vec<_>>().join("\"");
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let words = line.split(|c: char| !in_word(c)).filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let digits = words.map(|word| word.trim_end_matches("_u64").trim_end_matches("_u32").replace('_', ""));
    digits.filter_map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn a_clock_in_core_is_found() {
        check(core_is_pure, "crates/core/src/upload.rs", "let a = 1;\nlet now = Instant::now();", &[2]);
        check(core_is_pure, "crates/core/src/upload.rs", "use std::time::Duration; // not std::time::Instant", &[]);
        check(core_is_pure, "crates/server/src/main.rs", "let now = SystemTime::now();", &[]);
    }

    #[test]
    fn a_rule_in_the_browser_package_is_found() {
        check(browser_holds_no_rule, "src/driver.rs", "if status == 429 {", &[1]);
        check(browser_holds_no_rule, "src/driver.rs", "headers.get(\"X-Amz-Archive-Id\")", &[1]);
        check(browser_holds_no_rule, "src/driver.rs", "let limit = 10_000_u64;", &[1]);
        check(
            browser_holds_no_rule,
            "src/driver.rs",
            "const REPORT_INTERVAL_MS: u64 = 100;\nlet x = (0xfff, \"SHA-256\");",
            &[],
        );
        check(browser_holds_no_rule, "src/driver.rs", "a();\n#[cfg(test)]\nmod tests { const X: u64 = 404; }", &[]);
    }

    #[test]
    fn an_export_outside_its_room_is_found() {
        check(bindings_have_a_room, "src/driver.rs", "#[wasm_bindgen(js_name = x)]", &[1]);
        check(bindings_have_a_room, "src/api.rs", "#[wasm_bindgen]", &[]);
        check(bindings_have_a_room, "src/api/uploads.rs", "#[wasm_bindgen]", &[]);
    }

    #[test]
    fn a_second_file_on_the_network_is_found() {
        check(network_has_a_room, "src/driver.rs", "window.fetch_with_request(&r)", &[1]);
        check(network_has_a_room, "src/fetch.rs", "XmlHttpRequest::new()", &[]);
    }

    #[test]
    fn a_second_file_that_converts_is_found() {
        check(conversions_have_a_room, "src/api.rs", "#[allow(clippy::cast_sign_loss)]", &[1]);
        check(conversions_have_a_room, "src/file.rs", "count as f64", &[]);
    }

    #[test]
    fn unsafe_code_is_found() {
        check(no_unsafe, "crates/core/src/a.rs", "unsafe { x() }", &[1]);
        check(no_unsafe, "crates/server/src/a.rs", "script-src 'wasm-unsafe-eval'", &[]);
    }

    #[test]
    fn postponed_work_is_found() {
        check(nothing_postponed, "src/a.rs", "// TODO later", &[1]);
        check(nothing_postponed, "tests/e2e/a.spec.mjs", "test.skip('x')\ntest.only('y')", &[1, 2]);
        check(nothing_postponed, "tests/glacier_api/a.py", "@pytest.mark.skip", &[1]);
        check(nothing_postponed, "crates/core/src/a.rs", "items.iter().skip(1)", &[]);
    }

    #[test]
    fn a_long_file_is_found() {
        check(files_are_short, "src/a.rs", &"x\n".repeat(501), &[501]);
        check(files_are_short, "src/a.rs", &"x\n".repeat(500), &[]);
        check(files_are_short, "Cargo.lock", &"x\n".repeat(501), &[]);
    }
}
