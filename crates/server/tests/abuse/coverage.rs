//! `cases.txt`: every case has a line, and every line a test that is there.

use std::collections::BTreeMap;

const TABLE: &str = include_str!("cases.txt");

/// What shows a case.
struct Line {
    id: String,
    payloads: usize,
    /// `file::test` of this suite, `path::test` of another, or `-` with the reason.
    shown_by: String,
    remark: String,
}

fn lines() -> Vec<Line> {
    TABLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut words = line.splitn(4, ' ').map(|word| word.trim().to_owned());
            let (id, payloads, shown_by) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            let payloads = payloads.parse().unwrap_or_else(|_| panic!("{line}"));
            Line { id, payloads, shown_by, remark: words.next().unwrap_or_default() }
        })
        .collect()
}

/// How many payloads a case sends, by the table.
pub(crate) fn payloads(id: &str) -> usize {
    lines().iter().filter(|line| line.id == id).map(|line| line.payloads).sum()
}

#[test]
fn every_case_is_shown_by_a_test_that_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut by_id: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for line in lines() {
        by_id.entry(line.id.clone()).or_default().push(line);
    }
    let expected: Vec<String> = (1..=66).map(|n| format!("A{n:02}")).collect();
    assert_eq!(by_id.keys().cloned().collect::<Vec<_>>(), expected);
    for line in by_id.values().flatten() {
        let id = &line.id;
        if line.shown_by == "-" {
            assert!(line.remark.starts_with("not applicable, because "), "{id}: {}", line.remark);
            assert_eq!(line.payloads, 0, "{id}");
            continue;
        }
        let (file, test) = line.shown_by.rsplit_once("::").unwrap_or_else(|| panic!("{id}: {}", line.shown_by));
        let is_here = !file.contains('/');
        let path = if is_here { format!("crates/server/tests/abuse/{file}.rs") } else { file.to_owned() };
        let text = std::fs::read_to_string(root.join(&path)).unwrap_or_else(|error| panic!("{id}: {path}: {error}"));
        let is_there = match path.rsplit('.').next() {
            Some("rs") => text.contains(&format!("fn {test}(")),
            Some("py") => text.contains(&format!("def {test}(")),
            // A name in words, with hyphens for blanks.
            _ => text.contains(&test.replace('-', " ")),
        };
        assert!(is_there, "{id}: no {test} in {path}");
        if is_here {
            assert!(test.starts_with(&id.to_lowercase()) && line.payloads > 0, "{id}: {test}");
        }
    }
    let total: usize = by_id.values().flatten().map(|line| line.payloads).sum();
    assert!(total >= 600, "{total} payloads");
}
