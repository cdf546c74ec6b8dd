//! TLS to Redis, by rustls.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_native_certs::load_native_certs;

use crate::error::StoreError;

/// The TLS configuration. Default: the operating system's root certificates, no client certificate.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use mrc_store::redis::{RedisConfig, TlsConfig};
///
/// let tls = TlsConfig::new().roots(std::fs::read("ca.pem")?);
/// let config = RedisConfig::from_url("rediss://cache.internal:6380")?.tls(tls);
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct TlsConfig {
    roots: Option<Vec<u8>>,
    identity: Option<Identity>,
    pub(super) one_host_name: bool,
}

#[derive(Clone)]
struct Identity {
    chain: Vec<u8>,
    key: Vec<u8>,
}

impl TlsConfig {
    /// Returns the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts only these root certificates, one or more as PEM. Default: the operating system's.
    pub fn roots(self, pem: impl Into<Vec<u8>>) -> Self {
        Self { roots: Some(pem.into()), ..self }
    }

    /// Sets the client certificate chain, its own first, and the key, as PEM. Default: none.
    pub fn client_certificate(self, chain_pem: impl Into<Vec<u8>>, key_pem: impl Into<Vec<u8>>) -> Self {
        Self { identity: Some(Identity { chain: chain_pem.into(), key: key_pem.into() }), ..self }
    }

    /// Checks the certificate of every cluster node against the host name in the URL. Default:
    /// false, which checks the name or address that the cluster announces. For clusters that share
    /// one certificate and announce nodes by IP address.
    pub fn one_host_name(self, one: bool) -> Self {
        Self { one_host_name: one, ..self }
    }

    pub(super) fn build(&self) -> Result<ClientConfig, StoreError> {
        // Named, because rustls panics if it must choose between two compiled-in providers.
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| StoreError::Config(format!("TLS: {error}")))?
            .with_root_certificates(self.root_store()?);
        match &self.identity {
            None => Ok(builder.with_no_client_auth()),
            Some(identity) => {
                let key = PrivateKeyDer::from_pem_slice(&identity.key)
                    .map_err(|_| StoreError::Config("TLS: the client's private key isn't a PEM private key".into()))?;
                builder
                    .with_client_auth_cert(certificates(&identity.chain, "the client's certificate")?, key)
                    .map_err(|error| StoreError::Config(format!("TLS: the client's certificate: {error}")))
            }
        }
    }

    fn root_store(&self) -> Result<RootCertStore, StoreError> {
        let mut store = RootCertStore::empty();
        if let Some(pem) = &self.roots {
            for certificate in certificates(pem, "the root certificates")? {
                store
                    .add(certificate)
                    .map_err(|error| StoreError::Config(format!("TLS: the root certificates: {error}")))?;
            }
        } else {
            // One unreadable system certificate is no reason to fail.
            store.add_parsable_certificates(load_native_certs().certs);
            if store.is_empty() {
                let reason = "TLS: the system has no root certificates; give your own with TlsConfig::roots";
                return Err(StoreError::Config(reason.into()));
            }
        }
        Ok(store)
    }
}

/// Omits the contents, one of which is a private key.
impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig")
            .field("own_roots", &self.roots.is_some())
            .field("client_certificate", &self.identity.is_some())
            .field("one_host_name", &self.one_host_name)
            .finish()
    }
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| StoreError::Config(format!("TLS: {what}: {error}")))?;
    if certificates.is_empty() {
        return Err(StoreError::Config(format!("TLS: {what}: no PEM certificate was found")));
    }
    Ok(certificates)
}
