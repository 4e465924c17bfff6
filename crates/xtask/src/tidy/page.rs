//! The demo page uses the package as any customer does: only what its types declare.

use super::{Finding, SourceFile};

const ENTRY: &str = "./glacier-upload/index.js";

pub(super) fn uses_only_the_public_api(files: &[SourceFile]) -> Vec<Finding> {
    let types = files.iter().filter(|file| file.path.starts_with("src/js/") && file.path.ends_with(".d.ts"));
    let declared: Vec<&str> = types.flat_map(|file| exported_names(&file.text)).collect();
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("www/") && file.path.ends_with(".js")) {
        let module = module_variable(&file.text);
        for (index, line) in file.text.lines().enumerate() {
            let mut report = |rule| findings.push(Finding { path: file.path.clone(), line: index + 1, rule });
            for path in line.split(['"', '\'']).filter(|path| path.contains("glacier-upload/") && *path != ENTRY) {
                report(format!("{path}: the page may import {ENTRY} only"));
            }
            for name in used_names(line, module).into_iter().filter(|name| !declared.contains(name)) {
                report(format!("the package's types do not declare {name}"));
            }
        }
    }
    findings
}

/// `export function name`, `export class name`, and so on.
fn exported_names(types: &str) -> Vec<&str> {
    let exports = types.lines().filter_map(|line| line.strip_prefix("export "));
    exports.filter_map(|line| line.trim_start_matches("declare ").split_whitespace().nth(1).map(leading_name)).collect()
}

/// The variable that holds the module after `name = await import("./glacier-upload/index.js")`.
fn module_variable(text: &str) -> Option<&str> {
    let line = text.lines().find(|line| line.contains(ENTRY) && line.contains("import("))?;
    line.split('=').next()?.split_whitespace().last()
}

/// The names a line takes from the package: by a static import, or as a member of the module's variable.
fn used_names<'a>(line: &'a str, module: Option<&str>) -> Vec<&'a str> {
    if line.starts_with("import ") && line.contains(ENTRY) {
        let names = line.split(['{', '}']).nth(1).unwrap_or_default().split(',');
        return names.map(|name| leading_name(name.trim())).filter(|name| !name.is_empty()).collect();
    }
    let Some(module) = module else { return Vec::new() };
    let member = format!("{module}.");
    let places = line.match_indices(&member).filter(|(at, _)| !line[..*at].ends_with(|c: char| is_name(c) || c == '.'));
    places.map(|(at, found)| leading_name(&line[at + found.len()..])).collect()
}

fn leading_name(text: &str) -> &str {
    text.split(|c: char| !is_name(c)).next().unwrap_or_default()
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(page: &str, lines: &[usize]) {
        let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
        let types = "export function createUploader(o: O): U;\nexport class UploadError extends Error {";
        let files = [file("src/js/uploads.d.ts", types), file("www/main.js", page)];
        let found: Vec<usize> = uses_only_the_public_api(&files).iter().map(|finding| finding.line).collect();
        assert_eq!(found, lines, "{page}");
    }

    #[test]
    fn a_name_that_is_not_declared_is_found() {
        check("import { createUploader, UploadError } from \"./glacier-upload/index.js\";", &[]);
        check("import { secret } from \"./glacier-upload/index.js\";", &[1]);
        check("library = await import(\"./glacier-upload/index.js\");\nlibrary.createUploader();", &[]);
        check("library = await import(\"./glacier-upload/index.js\");\nlibrary.secret();", &[2]);
    }

    #[test]
    fn a_file_behind_the_entry_is_found() {
        check("import init from \"./glacier-upload/glacier_upload.js\";", &[1]);
    }
}
