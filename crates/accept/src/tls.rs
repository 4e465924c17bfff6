//! TLS, with a certificate that can be replaced while connections are served.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

/// Name of HTTP/2 in the handshake (ALPN).
///
/// **Source:** RFC 9113 section 3.1.
pub(crate) const HTTP2: &[u8] = b"h2";

const HTTP11: &[u8] = b"http/1.1";

/// Speaks TLS 1.2 and 1.3 with rustls's suites, and offers HTTP/2 and HTTP/1.1 in the handshake. Clones share the
/// certificate.
#[derive(Clone)]
pub struct Tls {
    certificate: Arc<Replaceable>,
    config: Arc<ServerConfig>,
}

/// Why a certificate cannot be used. Has nothing of the key in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsError {
    /// There is no certificate in PEM, or one that is broken.
    Certificate,
    /// There is no private key in PEM (PKCS #8, PKCS #1 or SEC 1), or one that is broken or of an unknown kind.
    Key,
    /// The key is not the one in the first certificate.
    Mismatch,
    /// The library has no protocol that it can speak.
    Protocol,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "expected certificates in PEM, the server's own first",
            Self::Key => "expected one private key in PEM, RSA, ECDSA or Ed25519, without a password",
            Self::Mismatch => "the private key does not belong to the first certificate",
            Self::Protocol => "no version of TLS can be spoken",
        })
    }
}

impl std::error::Error for TlsError {}

impl Tls {
    /// With a chain of certificates, the server's own first, and its key, both in PEM.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let certified = certified(certificates, key, &provider)?;
        let certificate = Arc::new(Replaceable(RwLock::new(Arc::new(certified))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(|_| TlsError::Protocol)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificate) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![HTTP2.to_vec(), HTTP11.to_vec()];
        Ok(Self { certificate, config: Arc::new(config) })
    }

    /// Shows another certificate from the next handshake on. Connections that are open go on as they are.
    ///
    /// # Errors
    /// [`TlsError`], and then the certificate stays as it was.
    pub fn replace(&self, certificates: &[u8], key: &[u8]) -> Result<(), TlsError> {
        let certified = certified(certificates, key, self.config.crypto_provider())?;
        *self.certificate.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
        Ok(())
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

fn certified(certificates: &[u8], key: &[u8], provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(certificates).collect::<Result<_, _>>().map_err(|_| TlsError::Certificate)?;
    if chain.is_empty() {
        return Err(TlsError::Certificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::Key)?;
    let key = provider.key_provider.load_private_key(key).map_err(|_| TlsError::Key)?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(rustls::Error::InvalidCertificate(_)) => Err(TlsError::Certificate),
        Err(_) => Err(TlsError::Mismatch),
    }
}

struct Replaceable(RwLock<Arc<CertifiedKey>>);

impl fmt::Debug for Replaceable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replaceable")
    }
}

impl ResolvesServerCert for Replaceable {
    /// One certificate for every name: whether a name is ours, `Host` decides.
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}
