//! The tables of `docs/boto.md` claim that something is there: a function for each of boto's, a test for each of its
//! defects. What they name must be declared in `src/js/*.d.ts`, or be a test in the file they name.

use super::{Finding, SourceFile};

const DOCUMENT: &str = "docs/boto.md";
/// Below this heading stand tests, above it what the package declares.
const TESTS: &str = "## Defects that are not here";

pub(super) fn tables_are_true(files: &[SourceFile]) -> Vec<Finding> {
    let Some(document) = files.iter().find(|file| file.path == DOCUMENT) else {
        return vec![finding(0, "the document is missing".to_owned())];
    };
    let declarations = files.iter().filter(|file| file.path.starts_with("src/js/") && file.path.ends_with(".d.ts"));
    let declarations: Vec<&str> = declarations.flat_map(|file| file.text.lines()).collect();
    let mut findings = Vec::new();
    let mut tests = false;
    for (index, line) in document.text.lines().enumerate() {
        tests |= line == TESTS;
        let Some(cell) = second_cell(line) else { continue };
        let mut names = in_backticks(cell).peekable();
        if tests && names.peek().is_none() && cell != "Tests" {
            findings.push(finding(index, "no test is named".to_owned()));
        }
        let missing = |name: &str| {
            if tests { missing_test(files, name) } else { missing_declaration(&declarations, name) }
        };
        findings.extend(names.filter_map(missing).map(|rule| finding(index, rule)));
    }
    if !tests {
        findings.push(finding(0, format!("there is no heading \"{TESTS}\"")));
    }
    findings
}

fn finding(index: usize, rule: String) -> Finding {
    Finding { path: DOCUMENT.to_owned(), line: index + 1, rule }
}

/// Of a row of a table.
fn second_cell(line: &str) -> Option<&str> {
    let mut cells = line.strip_prefix('|')?.split('|');
    let cell = cells.nth(1)?.trim();
    (!cell.starts_with("---")).then_some(cell)
}

fn in_backticks(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// `name`, `name()`, `Type.member` or `type.member()`, where `type` is a value of `Type`; or an error code.
fn missing_declaration(lines: &[&str], name: &str) -> Option<String> {
    let path: Vec<&str> = name.split('(').next()?.split('.').collect();
    let (first, last) = (path.first()?, path.last()?);
    let declared = if last.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
        lines.iter().any(|line| line.contains(&format!("\"{last}\"")))
    } else if path.len() == 1 {
        lines.iter().any(|line| declares(line, last))
    } else {
        body(lines, &capitalised(first)).any(|line| declares(line, last))
    };
    (!declared).then(|| format!("{name}: src/js/*.d.ts does not declare it"))
}

/// The lines of an interface or class.
fn body<'a>(lines: &'a [&str], name: &str) -> impl Iterator<Item = &'a str> {
    let begins = |line: &&str| {
        ["export interface ", "export class "]
            .iter()
            .any(|keyword| line.strip_prefix(keyword).is_some_and(|rest| leading_name(rest) == name))
    };
    let begin = lines.iter().position(begins).map_or(lines.len(), |at| at + 1);
    lines[begin..].iter().copied().take_while(|line| *line != "}")
}

fn declares(line: &str, name: &str) -> bool {
    const KEYWORDS: [&str; 6] = ["export ", "function ", "class ", "interface ", "type ", "readonly "];
    let mut rest = line.trim_start();
    while let Some(stripped) = KEYWORDS.iter().find_map(|keyword| rest.strip_prefix(keyword)) {
        rest = stripped;
    }
    leading_name(rest) == name
}

/// `path: name`. Of Rust and Python the function's, of JavaScript in the text that `test` is given.
fn missing_test(files: &[SourceFile], test: &str) -> Option<String> {
    let Some((path, name)) = test.split_once(": ") else {
        return Some(format!("{test}: a test is named as `path: name`"));
    };
    let Some(file) = files.iter().find(|file| file.path == path) else {
        return Some(format!("{path}: there is no such file"));
    };
    let lines: Vec<&str> = file.text.lines().collect();
    let is_test = |(index, line): (usize, &&str)| {
        let line = line.trim_start();
        if path.ends_with(".rs") {
            let attributes = lines[..index].iter().rev().take_while(|line| line.trim_start().starts_with("#["));
            line.strip_prefix("fn ").or(line.strip_prefix("async fn ")).is_some_and(|rest| leading_name(rest) == name)
                && attributes.into_iter().any(|attribute| attribute.contains("test]"))
        } else if path.ends_with(".py") {
            line.strip_prefix("def ").is_some_and(|rest| leading_name(rest) == name)
        } else {
            line.strip_prefix("test(").is_some_and(|rest| rest.contains(name))
        }
    };
    let found = lines.iter().enumerate().any(is_test);
    (!found).then(|| format!("{path}: there is no test {name}"))
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn leading_name(text: &str) -> &str {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: &str = "export function planParts(size: number): P;\nexport interface Vault {\n  readonly name: string;\n  \
        readonly archives: {\n    delete(id: string): void;\n  };\n}\nexport interface Job {\n  \
        refresh(): void;\n}\nexport type Code = \"JOB_FAILED\";\n";
    const RUST: &str =
        "#[test]\nfn holds() {}\n\n    #[test]\n    #[cfg(unix)]\n    fn holds_too() {}\nfn helps() {}\n";
    const NODE: &str = "test(`${engine}: it holds`, { timeout: 1 }, async () => {\n// it helps";

    fn check(document: &str, lines: &[usize]) {
        let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
        let files = [
            file(DOCUMENT, document),
            file("src/js/a.d.ts", TYPES),
            file("crates/core/src/a.rs", RUST),
            file("tests/a.spec.mjs", NODE),
            file("tests/test_a.py", "def test_holds(a):\n"),
        ];
        let found: Vec<usize> = tables_are_true(&files).iter().map(|finding| finding.line).collect();
        assert_eq!(found, lines, "{document}");
    }

    fn api(cell: &str, lines: &[usize]) {
        check(&format!("| boto | Here | |\n|---|---|---|\n| `x` | {cell} | `y` |\n{TESTS}\n"), lines);
    }

    fn test(cell: &str, lines: &[usize]) {
        check(&format!("{TESTS}\n| Defect | Tests |\n|---|---|\n| `x` | {cell} |"), lines);
    }

    #[test]
    fn what_is_not_declared_is_found() {
        api("`planParts()`, `vault.name`, `vault.archives.delete()`, `Job.refresh()`, `JOB_FAILED`", &[]);
        api("", &[]);
        for missing in ["`planPart()`", "`vault.refresh()`", "`Job.name`", "`Nothing.name`", "`JOB_LOST`", "`string`"] {
            api(missing, &[3]);
        }
    }

    #[test]
    fn a_test_that_there_is_not_is_found() {
        test("`crates/core/src/a.rs: holds`, `crates/core/src/a.rs: holds_too`", &[]);
        test("`tests/a.spec.mjs: it holds`, `tests/test_a.py: test_holds`", &[]);
        for missing in [
            "",
            "`holds`",
            "`crates/core/src/b.rs: holds`",
            "`crates/core/src/a.rs: hold`",
            "`crates/core/src/a.rs: helps`",
            "`tests/a.spec.mjs: it helps`",
            "`tests/test_a.py: holds`",
        ] {
            test(missing, &[4]);
        }
    }

    #[test]
    fn a_document_without_its_tables_is_found() {
        check("", &[1]);
        assert_eq!(tables_are_true(&[]).len(), 1);
    }
}
