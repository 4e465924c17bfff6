//! The file of `--config`: TOML, one level deep, its keys the flags without their hyphens in front.

use std::fmt;
use std::path::Path;

use toml::de::{DeTable, DeValue};

/// Files are a few dozen lines; what is longer is something else.
const MAX_LEN: u64 = 1 << 20;

/// Names that are close enough to be meant. Of two six-letter words that differ in a letter it is 0.9.
const NEAR: f64 = 0.85;

/// A key of the file with its values as a command line would have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) values: Vec<String>,
    pub(super) is_list: bool,
    /// Counted from one.
    pub(super) line: usize,
}

/// Why the file cannot be used. No value of the file is repeated: it may be a secret that does not belong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileError {
    /// Counted from one; `None` for the file as a whole.
    pub(super) line: Option<usize>,
    pub(super) why: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // After the path and a colon.
        match self.line {
            Some(line) => write!(f, "{line}: {}", self.why),
            None => write!(f, " {}", self.why),
        }
    }
}

/// Reads the file.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, FileError> {
    let whole = |why: String| FileError { line: None, why };
    let len = std::fs::metadata(path).map_err(|error| whole(error.to_string()))?.len();
    if len > MAX_LEN {
        return Err(whole(format!("longer than {MAX_LEN} bytes")));
    }
    parse(&std::fs::read_to_string(path).map_err(|error| whole(error.to_string()))?)
}

fn parse(text: &str) -> Result<Vec<Entry>, FileError> {
    let line_of = |at: usize| 1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
    let table = DeTable::parse(text).map_err(|error| FileError {
        line: error.span().map(|span| line_of(span.start)),
        why: format!("not TOML: {}", error.message()),
    })?;
    let mut entries = Vec::new();
    for (key, value) in table.get_ref().iter() {
        let line = line_of(key.span().start);
        let failed = |why: &str| FileError { line: Some(line), why: format!("{}: {why}", key.get_ref()) };
        let is_list = matches!(value.get_ref(), DeValue::Array(_));
        let values = match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| scalar(item.get_ref())).collect::<Option<Vec<_>>>(),
            DeValue::Table(_) => return Err(failed("there are no sections; write the whole name, as in s3-region")),
            one => scalar(one).map(|value| vec![value]),
        };
        let values =
            values.ok_or_else(|| failed("expected text, a whole number, true or false, or a list of these"))?;
        if is_list && values.iter().any(|value| value.contains(',')) {
            return Err(failed("a value of a list has no comma"));
        }
        entries.push(Entry { key: key.get_ref().to_string(), values, is_list, line });
    }
    Ok(entries)
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
        }
        DeValue::Boolean(value) => Some(value.to_string()),
        _ => None,
    }
}

/// Of `names`, the one that whoever wrote `name` may have meant.
pub(super) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    names
        .map(|known| (strsim::jaro(name, known), known))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn values_are_as_on_a_command_line_and_know_their_line() {
        let text = "# of the archive team\nlisten = \"[::1]:80\"\n\nvaults = [\"a\",\n  \"b\"]\nn = 0x10\nyes = true\n";
        let entries = parse(text).unwrap();
        let seen: Vec<(&str, String, bool, usize)> = entries
            .iter()
            .map(|entry| (entry.key.as_str(), entry.values.join("+"), entry.is_list, entry.line))
            .collect();
        for expected in [
            ("listen", "[::1]:80".to_owned(), false, 2),
            ("vaults", "a+b".to_owned(), true, 4),
            ("n", "16".to_owned(), false, 6),
            ("yes", "true".to_owned(), false, 7),
        ] {
            assert!(seen.contains(&expected), "{expected:?} is not in {seen:?}");
        }
    }

    #[test]
    fn what_is_no_such_file_is_refused_by_its_line_and_without_its_values() {
        for (text, line) in [
            ("a = 1\nb = canary\n", 2),
            ("a = \"canary", 1),
            ("a = \"canary\"\na = \"canary\"\n", 2),
            ("\n[canary]\nb = 1\n", 2),
            ("a = 1.5", 1),
            ("a = 2026-11-21", 1),
            ("a = [[1]]", 1),
            ("a = [\"canary,b\"]", 1),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.line, Some(line), "{text}: {error}");
            assert!(!error.to_string().replace("canary: there are no", "").contains("canary"), "{error}");
        }
    }

    #[test]
    fn only_what_is_close_is_suggested() {
        let names = || ["listen", "allow-origin", "vault"].into_iter();
        assert_eq!(nearest("listn", names()), Some("listen"));
        assert_eq!(nearest("allow-origins", names()), Some("allow-origin"));
        assert_eq!(nearest("vaults", names()), Some("vault"));
        assert_eq!(nearest("colour", names()), None);
    }
}
