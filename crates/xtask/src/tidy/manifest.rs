//! Rules over Cargo.toml and package-lock.json: who may lean on whom, and on which release of what.

use super::{Finding, SourceFile};

/// Which of our own crates each may use.
const WALLS: [(&str, &[&str]); 6] = [
    ("Cargo.toml", &["glacier-core"]),
    ("crates/core/Cargo.toml", &[]),
    ("crates/accept/Cargo.toml", &[]),
    ("crates/local-glacier/Cargo.toml", &["accept", "glacier-core"]),
    ("crates/server/Cargo.toml", &["accept", "glacier-core", "local-glacier"]),
    ("crates/xtask/Cargo.toml", &[]),
];
const OURS: [&str; 6] = ["accept", "glacier-core", "local-glacier", "glacier-upload", "glacier-upload-server", "xtask"];

pub(super) fn walls_between_crates(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, dependency) in dependencies(files) {
        let allowed = WALLS.iter().find(|(path, _)| *path == file.path).map_or(&[][..], |(_, allowed)| allowed);
        if OURS.contains(&dependency.name) && !allowed.contains(&dependency.name) {
            let rule = format!("this crate may not lean on {}", dependency.name);
            findings.push(Finding { path: file.path.clone(), line: dependency.line, rule });
        }
    }
    findings
}

pub(super) fn dependencies_are_pinned(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, dependency) in dependencies(files).into_iter().filter(|(_, d)| !OURS.contains(&d.name)) {
        let mut report = |what: &str| {
            let rule = format!("{} {what}", dependency.name);
            findings.push(Finding { path: file.path.clone(), line: dependency.line, rule });
        };
        if !dependency.declaration.contains("\"=") {
            report("is not pinned with `=`");
        }
        if !dependency.declaration.contains(" # ") {
            report("has no comment that says what it is for");
        }
    }
    findings
}

pub(super) fn lints_are_inherited(files: &[SourceFile]) -> Vec<Finding> {
    let manifests = files.iter().filter(|file| is_manifest(&file.path));
    let without = manifests.filter(|file| !file.text.contains("[lints]\nworkspace = true"));
    let rule = || "[lints] workspace = true is missing".to_owned();
    without.map(|file| Finding { path: file.path.clone(), line: 1, rule: rule() }).collect()
}

pub(super) fn lock_names_no_host(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with("package-lock.json")) {
        for (index, line) in file.text.lines().enumerate() {
            if line.contains("\"resolved\"") {
                let rule =
                    "`resolved` ties everybody to one registry: npm config omit-lockfile-registry-resolved".into();
                findings.push(Finding { path: file.path.clone(), line: index + 1, rule });
            }
        }
    }
    findings
}

struct Dependency<'a> {
    name: &'a str,
    declaration: &'a str,
    line: usize,
}

fn is_manifest(path: &str) -> bool {
    path == "Cargo.toml" || path.starts_with("crates/") && path.ends_with("/Cargo.toml")
}

/// Every dependency of every manifest, written on one line or as a table of its own.
fn dependencies(files: &[SourceFile]) -> Vec<(&SourceFile, Dependency<'_>)> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| is_manifest(&file.path)) {
        let mut section = "";
        for (index, text) in file.text.lines().enumerate() {
            if let Some(header) = text.strip_prefix('[').and_then(|text| text.split(']').next()) {
                section = header;
                continue;
            }
            let Some((key, _)) = text.split_once('=') else { continue };
            let key = key.trim();
            // `name.workspace = true` names the dependency before the dot.
            let name = key.split('.').next().unwrap_or(key);
            if section.ends_with("dependencies") && section != "workspace.dependencies" && is_name(name) {
                found.push((file, Dependency { name, declaration: text, line: index + 1 }));
            } else if let Some((_, table)) = section.split_once("dependencies.")
                && matches!(key, "version" | "path" | "workspace")
            {
                found.push((file, Dependency { name: table, declaration: text, line: index + 1 }));
            }
        }
    }
    found
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn a_crate_leaning_on_one_it_may_not_is_found() {
        let server = "[dependencies]\nlocal-glacier = { workspace = true }\nglacier-upload = { path = \"../..\" }";
        check(walls_between_crates, "crates/server/Cargo.toml", server, &[3]);
        let table = "[dependencies.glacier-upload-server]\npath = \"../server\"";
        check(walls_between_crates, "crates/local-glacier/Cargo.toml", table, &[2]);
        check(walls_between_crates, "crates/core/Cargo.toml", "[dev-dependencies]\naccept.workspace = true", &[2]);
    }

    #[test]
    fn a_dependency_unpinned_or_unjustified_is_found() {
        let text = "[dependencies]\na = \"=1.0.0\" # why\nb = \"1.0.0\" # why\nc = \"=1.0.0\"\n[dependencies.d]\nversion = \"1\" # why";
        check(dependencies_are_pinned, "crates/core/Cargo.toml", text, &[3, 4, 6]);
        let platform = "[target.'cfg(unix)'.dev-dependencies]\na = \"1\" # why";
        check(dependencies_are_pinned, "crates/core/Cargo.toml", platform, &[2]);
        check(dependencies_are_pinned, "crates/core/Cargo.toml", "[package]\nversion = \"1\"", &[]);
    }

    #[test]
    fn a_crate_without_the_lints_is_found() {
        check(lints_are_inherited, "crates/core/Cargo.toml", "[package]\n", &[1]);
        check(lints_are_inherited, "crates/core/Cargo.toml", "[package]\n[lints]\nworkspace = true\n", &[]);
    }

    #[test]
    fn a_registry_in_the_lock_file_is_found() {
        check(lock_names_no_host, "tests/package-lock.json", "{\n\"resolved\": \"https://example.com/a.tgz\"", &[2]);
    }
}
