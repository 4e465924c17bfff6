//! Files of secrets: those of the data folder, made on first start, and those that somebody gives.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Why a file of secrets cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum SecretFileError {
    /// Others than its owner may read or change it.
    NotPrivate {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read or made.
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl fmt::Display for SecretFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPrivate { path } => write!(
                f,
                "others than the owner may read {0}; make a new secret (delete it) or keep it with chmod 600 {0}",
                path.display()
            ),
            Self::Io { path, .. } => write!(f, "cannot read or make {}; check --data", path.display()),
        }
    }
}

impl std::error::Error for SecretFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotPrivate { .. } => None,
            Self::Io { source, .. } => Some(source),
        }
    }
}

impl SecretFileError {
    /// With why it cannot be read or made, on one line.
    pub fn whole(&self) -> String {
        match self {
            Self::NotPrivate { .. } => self.to_string(),
            Self::Io { path, source } => format!("{}: {source}", path.display()),
        }
    }
}

/// Most bytes of a file of a secret; what is longer is something else.
const MAX_LEN: u64 = 64 << 10;

/// Reads a file that somebody gives, and that may be a link, as orchestrators mount secrets. Its owner and its group may
/// read it: that is how a secret is given to a process that does not own it.
///
/// # Errors
/// [`SecretFileError`]: fails closed when others can read it or anybody but its owner can change it.
pub fn read(path: &Path) -> Result<String, SecretFileError> {
    let failed = |source| SecretFileError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    // Of what was opened, whatever the name points to by now.
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o037 != 0 {
        return Err(SecretFileError::NotPrivate { path: path.to_owned() });
    }
    let mut text = String::new();
    (&mut file).take(MAX_LEN).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// Reads the file, or makes it with what `make` returns, readable by its owner only.
///
/// # Errors
/// [`SecretFileError`]: fails closed when the file is open to others.
pub fn read_or_make(path: &Path, make: impl FnOnce() -> io::Result<String>) -> Result<String, SecretFileError> {
    let failed = |source| SecretFileError::Io { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() || metadata.permissions().mode() & 0o077 != 0 => {
            Err(SecretFileError::NotPrivate { path: path.to_owned() })
        }
        Ok(_) => fs::read_to_string(path).map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = make().map_err(failed)?;
            write(path, &text).map_err(failed)?;
            Ok(text)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Whole or not at all, even over a power cut.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let unfinished = path.with_extension("new");
    // Left by a start that was cut off.
    let _ = fs::remove_file(&unfinished);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert_eq!(read_or_make(&path, || Ok("first".into())).unwrap(), "first");
        assert_eq!(read_or_make(&path, || Ok("second".into())).unwrap(), "first");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_given_secret_may_be_a_link_and_its_groups_but_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("key"), folder.path().join("link"));
        fs::write(&path, "text").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for (mode, is_private) in [(0o600, true), (0o400, true), (0o440, true), (0o640, true)]
            .into_iter()
            .chain([0o644, 0o444, 0o604, 0o620, 0o660, 0o602, 0o777].map(|mode| (mode, false)))
        {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&link).is_ok(), is_private, "{mode:o}");
        }
        assert!(matches!(read(folder.path()), Err(SecretFileError::NotPrivate { .. } | SecretFileError::Io { .. })));
        assert!(read(&folder.path().join("none")).unwrap_err().whole().contains("none: "));
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "text").unwrap();
        for mode in [0o644, 0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = read_or_make(&path, || Ok(String::new())).unwrap_err();
            assert!(matches!(error, SecretFileError::NotPrivate { .. }), "{mode:o}");
            assert!(error.to_string().contains("chmod 600"));
        }
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(read_or_make(&link, || Ok(String::new())).is_err());
    }
}
