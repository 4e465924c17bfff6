//! Running programs: every failure names the step and the command line.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The repository's root, wherever the command was called from.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_path_buf()
}

/// Cargo's output folder.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A command that starts in the repository's root.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Cargo, the one that runs us.
pub(crate) fn cargo() -> Command {
    that_runs_cargo(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A command that runs Cargo, or is Cargo. Without the variables it set for us: they would make it build everything again.
pub(crate) fn that_runs_cargo(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = command(program);
    for (name, _) in std::env::vars_os() {
        let ours =
            name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
        if ours {
            command.env_remove(name);
        }
    }
    command
}

/// A tool of `tests/node_modules`.
pub(crate) fn npm_tool(name: &str) -> Command {
    command(root().join("tests/node_modules/.bin").join(name))
}

/// Runs to the end, output to the terminal.
pub(crate) fn run(step: &str, command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{step}: cannot start `{}`", line(command)))?;
    if !status.success() {
        bail!("{step}: `{}` ended with {status}", line(command));
    }
    Ok(())
}

/// Runs to the end; standard output is the result.
pub(crate) fn output(step: &str, command: &mut Command) -> Result<String> {
    command.stderr(Stdio::inherit());
    let output = command.output().with_context(|| format!("{step}: cannot start `{}`", line(command)))?;
    if !output.status.success() {
        bail!("{step}: `{}` ended with {}", line(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{step}: `{}` printed something not UTF-8", line(command)))
}

/// The command line as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Says what is about to happen.
pub(crate) fn say(text: &str) {
    println!("==> {text}");
}
