//! A certificate authority for one test.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// A CA and a server certificate for `localhost` and 127.0.0.1, in PEM.
pub(crate) struct Certificates {
    pub(crate) ca: String,
    certificate: String,
    key: String,
}

/// Where they were written.
pub(crate) struct Files {
    pub(crate) ca: String,
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        Self::generate().expect("certificates")
    }

    fn generate() -> Result<Self, rcgen::Error> {
        let ca_key = KeyPair::generate()?;
        let mut ca_params = CertificateParams::new(Vec::new())?;
        ca_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = ca_params.self_signed(&ca_key)?.pem();
        let key = KeyPair::generate()?;
        let params = CertificateParams::new(["localhost", "127.0.0.1"].map(str::to_owned))?;
        let certificate = params.signed_by(&key, &Issuer::new(ca_params, ca_key))?.pem();
        Ok(Self { ca, certificate, key: key.serialize_pem() })
    }

    pub(crate) fn write_to(&self, dir: &Path) -> Files {
        let write = |name: &str, text: &str| {
            let path = dir.join(name);
            std::fs::write(&path, text).expect("a file in the server's folder");
            path.to_string_lossy().into_owned()
        };
        Files {
            ca: write("ca.pem", &self.ca),
            certificate: write("server.pem", &self.certificate),
            key: write("server.key", &self.key),
        }
    }
}
