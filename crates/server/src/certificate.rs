//! The files of `--tls-cert` and `--tls-key`, which are renewed while the server runs.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use accept::{Tls, TlsError};
use tokio::signal::unix::Signal;

use crate::config::ConfigError;
use crate::secret_file::{self, SecretFileError};

/// How often the files are looked at. Whoever renews certificates does so weeks before they end; SIGHUP is quicker.
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// Most bytes of a chain of certificates; what is longer is something else.
const MAX_LEN: u64 = 256 << 10;

/// A certificate and where it came from.
#[derive(Debug)]
pub struct Certificate {
    files: Files,
    tls: Tls,
    seen: Option<[Stamp; 2]>,
}

#[derive(Debug)]
struct Files {
    chain: PathBuf,
    key: PathBuf,
}

/// What changes when a file is written again or replaced by another: device, inode, length, seconds and nanoseconds.
type Stamp = (u64, u64, u64, i64, i64);

/// Why a certificate cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum CertificateError {
    /// The chain cannot be read.
    Chain(PathBuf, io::Error),
    /// The key cannot be read, or others can read it as well.
    Key(SecretFileError),
    /// They were read and are of no use.
    Tls(TlsError),
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Key(error) => f.write_str(&error.whole()),
            Self::Tls(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CertificateError {}

impl CertificateError {
    /// With the key of the configuration that is to blame.
    pub fn of_key(&self) -> ConfigError {
        let key = match self {
            Self::Chain(..) | Self::Tls(TlsError::Certificate) => "tls-cert",
            Self::Key(_) | Self::Tls(_) => "tls-key",
        };
        ConfigError::new(key, self.to_string())
    }
}

impl Certificate {
    /// Reads a chain of certificates and its key, both in PEM. Others than its owner and its group must not be able to
    /// read the key, and nobody but its owner to change it.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn load(chain: &Path, key: &Path) -> Result<Self, CertificateError> {
        let files = Files { chain: chain.to_owned(), key: key.to_owned() };
        let seen = files.stamps();
        let (chain, key) = files.read()?;
        let tls = Tls::from_pem(&chain, key.as_bytes()).map_err(CertificateError::Tls)?;
        Ok(Self { files, tls, seen })
    }

    /// For the accept loop, which shows whatever certificate is the latest.
    pub fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Reads the files again whenever they change, and at every signal. What cannot be used is logged, and the
    /// certificate stays as it was. Never ends.
    pub async fn follow(mut self, mut hangup: Signal) {
        let mut looks = tokio::time::interval(BETWEEN_LOOKS);
        loop {
            let asked = tokio::select! {
                _ = looks.tick() => false,
                signal = hangup.recv() => signal.is_some(),
            };
            let stamps = self.files.stamps();
            if !asked && stamps == self.seen {
                continue;
            }
            self.seen = stamps;
            match self.reload() {
                Ok(()) => tracing::info!("the certificate was read again"),
                // Of two files one is written first, so this may be over at the next look.
                Err(error) => tracing::error!(%error, "the new certificate cannot be used; the old one stays"),
            }
        }
    }

    fn reload(&self) -> Result<(), CertificateError> {
        let (chain, key) = self.files.read()?;
        self.tls.replace(&chain, key.as_bytes()).map_err(CertificateError::Tls)
    }
}

impl Files {
    fn read(&self) -> Result<(Vec<u8>, String), CertificateError> {
        let failed = |error| CertificateError::Chain(self.chain.clone(), error);
        if fs::metadata(&self.chain).map_err(failed)?.len() > MAX_LEN {
            return Err(CertificateError::Tls(TlsError::Certificate));
        }
        let chain = fs::read(&self.chain).map_err(failed)?;
        Ok((chain, secret_file::read(&self.key).map_err(CertificateError::Key)?))
    }

    /// `None` while one of them is away.
    fn stamps(&self) -> Option<[Stamp; 2]> {
        let stamp =
            |path| fs::metadata(path).ok().map(|of| (of.dev(), of.ino(), of.size(), of.mtime(), of.mtime_nsec()));
        Some([stamp(&self.chain)?, stamp(&self.key)?])
    }
}
