//! Whose certificates are believed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// The public authorities, and those of `--ca-file`.
#[derive(Clone)]
pub struct Trust(pub(super) Arc<ClientConfig>);

/// The file of certificates cannot be used.
#[derive(Debug)]
pub struct TrustError {
    path: PathBuf,
    why: String,
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for TrustError {}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust")
    }
}

impl Trust {
    /// The public authorities, and the certificates in `ca_file`, which is in PEM and may hold several.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn new(ca_file: Option<&Path>) -> Result<Self, TrustError> {
        let failed = |why: String| TrustError { path: ca_file.map(Path::to_owned).unwrap_or_default(), why };
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(path) = ca_file {
            let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
            let n_public = roots.len();
            for certificate in CertificateDer::pem_slice_iter(&text) {
                let certificate = certificate.map_err(|error| failed(format!("not PEM: {error}")))?;
                let added = roots.add(certificate);
                added.map_err(|error| failed(format!("not a certificate of an authority: {error}")))?;
            }
            if roots.len() == n_public {
                return Err(failed("has no certificate in PEM".to_owned()));
            }
        }
        Self::with_roots(roots).map_err(|error| failed(error.to_string()))
    }

    fn with_roots(roots: RootCertStore) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (text, why) in [
            ("", "no certificate"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no certificate"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not a certificate"),
            ("-----BEGIN CERTIFICATE-----\n%%\n-----END CERTIFICATE-----\n", "not PEM"),
        ] {
            std::fs::write(file.path(), text).unwrap();
            let error = Trust::new(Some(file.path())).unwrap_err().to_string();
            assert!(error.contains(why), "{text:?}: {error}");
        }
        assert!(Trust::new(Some(Path::new("/nowhere"))).is_err());
        assert!(Trust::new(None).is_ok());
    }
}
