//! `--print-config`: the values that count, and where each came from.

use std::any::TypeId;
use std::fmt::Write;

use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory};

use super::load::{is_switch, keys};
use super::origin::Origins;
use super::{Config, SECRETS};

/// The configuration as TOML. Holds no secret, because none of its keys is one.
pub(super) fn toml(command: &Command, matches: &ArgMatches, origins: &Origins) -> String {
    let mut text = String::new();
    // In the order of their declaration, which a file disturbs.
    for declared in keys(&Config::command()) {
        let Some(argument) = keys(command).find(|argument| argument.get_id() == declared.get_id()) else {
            continue;
        };
        let key = argument.get_long().unwrap_or_default();
        let values: Vec<String> = matches
            .get_raw(argument.get_id().as_str())
            .map(|values| values.map(|value| written(argument, &value.to_string_lossy())).collect())
            .unwrap_or_default();
        let origin = origins.of(key);
        let is_list = matches!(argument.get_action(), ArgAction::Append);
        // Writing to a text does not fail.
        let _ = match values.first() {
            None => writeln!(text, "# {key}: not set"),
            Some(_) if is_list => writeln!(text, "{key} = [{}] # {origin}", values.join(", ")),
            Some(value) => writeln!(text, "{key} = {value} # {origin}"),
        };
    }
    for secret in SECRETS {
        let _ = match secret.is_in_variable() {
            true => writeln!(text, "# {}: {}, not shown", secret.key, secret.variable),
            false => writeln!(text, "# {}: {}", secret.key, secret.otherwise),
        };
    }
    text
}

fn written(argument: &Arg, value: &str) -> String {
    let type_id = argument.get_value_parser().type_id();
    let numbers = [TypeId::of::<u16>(), TypeId::of::<u32>(), TypeId::of::<u64>(), TypeId::of::<usize>()];
    let is_number = numbers.iter().any(|number| type_id == *number);
    match value {
        _ if is_number => value.to_owned(),
        _ if is_switch(argument) => {
            (!matches!(value.to_ascii_lowercase().as_str(), "false" | "f" | "no" | "n" | "off" | "0")).to_string()
        }
        text => ::toml::Value::from(text).to_string(),
    }
}
