//! Flags over environment over file over defaults.
//!
//! The declaration of a flag in [`Config`] is all there is to a key: its flag, its environment variable, its name in the
//! file, and its line in `--print-config` follow from it.

use std::any::TypeId;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};

use super::file::{self, Entry};
use super::origin::{Origin, Origins, place};
use super::{Config, print};

/// What every environment variable of the gateway begins with.
pub const PREFIX: &str = "GLACIER_UPLOAD_";

/// Keys that are about the configuration and not in it.
const NOT_IN_FILE: [&str; 4] = ["config", "print-config", "help", "version"];

/// A configuration and where it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// Where each came from.
    pub origins: Origins,
    /// What `--print-config` prints: TOML that `--config` takes, without secrets.
    pub printed: String,
}

/// Why there is no configuration.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// `--help`, `--version` or flags that are wrong, in clap's own words.
    Flags(clap::Error),
    /// Anything else. Names the key and where it came from.
    Other(String),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flags(error) => error.fmt(f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for LoadError {}

/// Reads the command line `arguments`, which begin with the program's name, the environment and the file of `--config`.
///
/// # Errors
/// [`LoadError`].
pub fn load<A: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = A>) -> Result<Loaded, LoadError> {
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    refuse_misspelt_variables(&Config::command())?;
    let command = Config::command().mut_args(without_empty_variable).mut_args(switch);
    let file = file_of(&command, &arguments);
    let entries = match &file {
        Some(path) => file::read(path).map_err(|error| LoadError::Other(format!("{}:{error}", path.display())))?,
        None => Vec::new(),
    };
    let command = match &file {
        Some(path) => with_file(command, &entries)
            .map_err(|(line, why)| LoadError::Other(format!("{}:{line}: {why}", path.display())))?,
        None => command,
    };
    let origin_in_file = |key: &str| {
        let entry = entries.iter().find(|entry| entry.key == key)?;
        Some(Origin::File { path: file.clone()?, line: entry.line })
    };
    let matches = command.clone().try_get_matches_from(&arguments).map_err(|error| {
        let key = key_of(&error).unwrap_or_default();
        let is_flag = arguments.iter().any(|argument| is_flag(argument, &key));
        let variable = argument(&command, &key).and_then(set_variable).map(Origin::Variable);
        let origin = if is_flag { None } else { variable.or_else(|| origin_in_file(&key)) };
        // Clap's own words speak of flags.
        match origin {
            Some(origin) => LoadError::Other(place(&origin, &key, &why(&error))),
            None => LoadError::Flags(error),
        }
    })?;
    let config = Config::from_arg_matches(&matches).map_err(LoadError::Flags)?;
    let mut origins = Origins::default();
    for argument in keys(&command) {
        let key = argument.get_long().unwrap_or_default();
        let origin = match source(&matches, argument) {
            Some(ValueSource::CommandLine) => Origin::Flag,
            Some(ValueSource::EnvVariable) => set_variable(argument).map_or(Origin::Default, Origin::Variable),
            _ => origin_in_file(key).unwrap_or(Origin::Default),
        };
        origins.insert(key, origin);
    }
    for secret in super::SECRETS.iter().filter(|secret| secret.is_in_variable()) {
        origins.insert(secret.key, Origin::Variable(secret.variable.to_owned()));
    }
    let printed = print::toml(&command, &matches, &origins);
    Ok(Loaded { config, origins, printed })
}

/// All keys that can stand in a file, as clap has them.
pub(super) fn keys(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|argument| argument.get_long().is_some_and(|key| !NOT_IN_FILE.contains(&key)))
}

/// Where clap found the values of `argument`.
pub(super) fn source(matches: &ArgMatches, argument: &Arg) -> Option<ValueSource> {
    matches.value_source(argument.get_id().as_str())
}

/// Whether it is on or off and nothing else, see [`switch`].
pub(super) fn is_switch(argument: &Arg) -> bool {
    argument.get_value_parser().type_id() == TypeId::of::<bool>()
}

fn argument<'c>(command: &'c Command, key: &str) -> Option<&'c Arg> {
    keys(command).find(|argument| argument.get_long() == Some(key))
}

/// A variable that is set to nothing is one that is not set: so are those that a composition of containers passes on.
fn without_empty_variable(argument: Arg) -> Arg {
    let is_empty = argument.get_env().is_some_and(|name| std::env::var_os(name).is_none_or(|value| value.is_empty()));
    if is_empty { argument.env(None) } else { argument }
}

/// Lets a flag turn off what a file turns on: `--behind-tls-proxy=false`.
fn switch(argument: Arg) -> Arg {
    if !matches!(argument.get_action(), ArgAction::SetTrue) || argument.get_id() == "print_config" {
        return argument;
    }
    let argument = argument.action(ArgAction::Set).num_args(0..=1).require_equals(true);
    argument.value_parser(BoolishValueParser::new()).default_value("false").default_missing_value("true")
}

fn set_variable(argument: &Arg) -> Option<String> {
    argument.get_env().map(|name| name.to_string_lossy().into_owned())
}

/// Values of the file become defaults, which flags and environment come before.
fn with_file(mut command: Command, entries: &[Entry]) -> Result<Command, (usize, String)> {
    for entry in entries {
        let Some(found) = argument(&command, &entry.key) else {
            let names: Vec<String> = keys(&command).filter_map(Arg::get_long).map(str::to_owned).collect();
            return Err((entry.line, unknown(&entry.key, &names)));
        };
        let takes_list = matches!(found.get_action(), ArgAction::Append);
        if entry.is_list && !takes_list {
            return Err((entry.line, format!("{}: takes one value and no list", entry.key)));
        }
        let id = found.get_id().to_string();
        let values = entry.values.clone();
        // No values at all are no default either.
        command = command.mut_arg(id, |argument| match values.is_empty() {
            true => argument,
            false => argument.required(false).default_values(values),
        });
    }
    Ok(command)
}

fn unknown(key: &str, names: &[String]) -> String {
    if super::SECRETS.iter().any(|secret| secret.key == key) {
        return format!("{key}: secrets are not kept here; name a file of its own with {key}-file");
    }
    match file::nearest(key, names.iter().map(String::as_str)) {
        Some(near) => format!("{key}: no such key; {near} is meant?"),
        None => format!("{key}: no such key; --help lists them all"),
    }
}

/// Finds `--config` without minding what else is wrong.
fn file_of(command: &Command, arguments: &[OsString]) -> Option<PathBuf> {
    let lenient = command.clone().ignore_errors(true).disable_help_flag(true).disable_version_flag(true);
    let matches = lenient.mut_args(|argument| argument.required(false)).try_get_matches_from(arguments).ok()?;
    matches.get_one::<PathBuf>("config").cloned()
}

/// A variable of ours that nobody reads would leave something unsafe in place unnoticed. Only those that are close to
/// one are refused: an orchestrator sets others by itself, as `GLACIER_UPLOAD_PORT` for a service of our name.
fn refuse_misspelt_variables(command: &Command) -> Result<(), LoadError> {
    let mut known: Vec<String> = command.get_arguments().filter_map(set_variable).collect();
    known.extend(super::SECRETS.iter().map(|secret| secret.variable.to_owned()));
    let ours = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in ours.filter(|name| name.starts_with(PREFIX) && !known.contains(name)) {
        let suffixes = known.iter().filter_map(|name| name.strip_prefix(PREFIX));
        if let Some(near) = file::nearest(&name[PREFIX.len()..], suffixes) {
            return Err(LoadError::Other(format!("{name}: no such variable; {PREFIX}{near} is meant?")));
        }
    }
    Ok(())
}

/// Whether `argument` of the command line is `--key` or `--key=…`.
fn is_flag(argument: &OsString, key: &str) -> bool {
    let rest = argument.to_str().and_then(|text| text.strip_prefix("--")).and_then(|text| text.strip_prefix(key));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// The key that an error is about, if it is about one's value.
fn key_of(error: &clap::Error) -> Option<String> {
    let is_value = matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue | ErrorKind::NoEquals);
    match error.get(ContextKind::InvalidArg) {
        // As `--listen <LISTEN>`.
        Some(ContextValue::String(text)) if is_value => {
            let rest = text.strip_prefix("--")?;
            let end = rest.find(|char: char| char != '-' && !char.is_ascii_alphanumeric()).unwrap_or(rest.len());
            Some(rest[..end].to_owned())
        }
        _ => None,
    }
}

/// What is wrong with a value, in the words of whatever parses it.
fn why(error: &clap::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(legal)) => format!("expected one of {}", legal.join(", ")),
            _ => "not a value of this key".to_owned(),
        },
    }
}
