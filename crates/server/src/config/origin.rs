//! Where each value came from, for errors and for `--print-config`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::ConfigError;

/// Where a value came from. Of several, the first of this order counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag,
    /// An environment variable, by its name.
    Variable(String),
    /// The file of `--config`.
    File {
        /// As it was given.
        path: PathBuf,
        /// Counted from one.
        line: usize,
    },
    /// Nobody said.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Variable(name) => f.write_str(name),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The origin of every key.
#[derive(Clone, Debug, Default)]
pub struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Notes where the value of `key` came from.
    pub(super) fn insert(&mut self, key: &str, origin: Origin) {
        self.0.insert(key.to_owned(), origin);
    }

    /// Where the value of `key` came from.
    pub fn of(&self, key: &str) -> Origin {
        self.0.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// The error with its key as whoever made it wrote it: `--listen`, `GLACIER_UPLOAD_LISTEN` or
    /// `gateway.toml:3: listen`.
    pub fn explain(&self, error: &ConfigError) -> String {
        place(&self.of(error.key), error.key, &error.why)
    }
}

/// See [`Origins::explain`].
pub(super) fn place(origin: &Origin, key: &str, why: &str) -> String {
    match origin {
        Origin::Flag | Origin::Default => format!("--{key}: {why}"),
        Origin::Variable(name) => format!("{name}: {why}"),
        Origin::File { path, line } => format!("{}:{line}: {key}: {why}", path.display()),
    }
}
