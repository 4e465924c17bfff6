//! Tokens that are no good although their time is not over, read from a file again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::Deserialize;

use super::Claims;

/// How often the file is read. A token is taken back within twice this time at most.
pub const POLL: Duration = Duration::from_millis(400);

/// Most bytes of the file: a hundred thousand tokens.
const MAX_LEN: u64 = 8 << 20;

/// The list, which follows its file. Clones share it.
#[derive(Clone, Debug)]
pub struct DenyList(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    /// With the text it was read from.
    read: RwLock<(Vec<u8>, List)>,
}

/// A file that is no list. Holds no text of the file.
#[derive(Debug)]
pub enum InvalidDenyList {
    /// It cannot be read.
    Io(std::io::Error),
    /// It is not of the form. The words of the parser may repeat a value; where it is does not.
    Form {
        /// Counted from one.
        line: usize,
        /// In bytes.
        column: usize,
    },
    /// It is longer than eight MiB.
    TooLong,
}

impl fmt::Display for InvalidDenyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Form { line, column } => {
                write!(
                    f,
                    "expected {{\"jti\": [\"…\"], \"sub\": {{\"…\": seconds or null}}}}: line {line}, column {column}"
                )
            }
            Self::TooLong => write!(f, "longer than {MAX_LEN} bytes"),
        }
    }
}

impl std::error::Error for InvalidDenyList {}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    /// Single tokens.
    #[serde(default)]
    jti: BTreeSet<String>,
    /// Of whom no token made then or earlier is good, or none at all.
    #[serde(default)]
    sub: BTreeMap<String, Option<u64>>,
}

impl List {
    fn from_json(text: &[u8]) -> Result<Self, InvalidDenyList> {
        // Serde would read a list of the two as well.
        if !text.trim_ascii_start().starts_with(b"{") {
            return Err(InvalidDenyList::Form { line: 1, column: 1 });
        }
        let form = |error: serde_json::Error| InvalidDenyList::Form { line: error.line(), column: error.column() };
        serde_json::from_slice(text).map_err(form)
    }
}

impl DenyList {
    /// Reads the file.
    ///
    /// # Errors
    /// [`InvalidDenyList`].
    pub fn open(path: &Path) -> Result<Self, InvalidDenyList> {
        let text = read(path)?;
        let list = List::from_json(&text)?;
        Ok(Self(Arc::new(Shared { path: path.to_owned(), read: RwLock::new((text, list)) })))
    }

    /// Reads the file again. If it cannot be used, the list stays as it was. Whether there is another list now.
    ///
    /// # Errors
    /// [`InvalidDenyList`].
    pub fn reread(&self) -> Result<bool, InvalidDenyList> {
        // Its time and length alone would miss a change within a tick of the file system's clock.
        let text = read(&self.0.path)?;
        if self.0.read.read().unwrap_or_else(PoisonError::into_inner).0 == text {
            return Ok(false);
        }
        let list = List::from_json(&text)?;
        *self.0.read.write().unwrap_or_else(PoisonError::into_inner) = (text, list);
        Ok(true)
    }

    /// Reads the file every [`POLL`] for ever.
    pub async fn follow(self) {
        let mut is_broken = false;
        loop {
            tokio::time::sleep(POLL).await;
            let list = self.clone();
            let Ok(read) = tokio::task::spawn_blocking(move || list.reread()).await else { continue };
            is_broken = match read {
                Ok(is_new) => {
                    if is_new {
                        tracing::info!("there is another deny list");
                    }
                    false
                }
                Err(error) => {
                    if !is_broken {
                        tracing::error!(%error, "the deny list cannot be read; the last one that could still counts");
                    }
                    true
                }
            };
        }
    }

    pub(super) fn has(&self, claims: &Claims) -> bool {
        let read = self.0.read.read().unwrap_or_else(PoisonError::into_inner);
        let List { jti, sub } = &read.1;
        claims.jti.as_ref().is_some_and(|id| jti.contains(id))
            || sub.get(&claims.sub).is_some_and(|until| until.is_none_or(|until| claims.iat <= until))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, InvalidDenyList> {
    let file = std::fs::File::open(path).map_err(InvalidDenyList::Io)?;
    let mut text = Vec::new();
    file.take(MAX_LEN + 1).read_to_end(&mut text).map_err(InvalidDenyList::Io)?;
    if text.len() as u64 > MAX_LEN { Err(InvalidDenyList::TooLong) } else { Ok(text) }
}
