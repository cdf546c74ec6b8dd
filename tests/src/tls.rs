//! A certificate authority for one test.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::unique;

/// A CA, a server's certificate and a client's, in PEM.
pub(crate) struct Certificates {
    pub(crate) ca: String,
    server: Pair,
    client: Pair,
}

struct Pair {
    certificate: String,
    key: String,
}

impl Certificates {
    /// Returns certificates for `localhost` and 127.0.0.1.
    pub(crate) fn new() -> Self {
        Self::generate(&["localhost", "127.0.0.1"]).expect("certificates")
    }

    /// Returns certificates for no host, as MySQL makes them at its first start.
    pub(crate) fn without_names() -> Self {
        Self::generate(&[]).expect("certificates")
    }

    fn generate(names: &[&str]) -> Result<Self, rcgen::Error> {
        let ca_key = KeyPair::generate()?;
        let mut ca_params = CertificateParams::new(Vec::new())?;
        ca_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // A certificate with the name of its CA would count as self-signed.
        ca_params.distinguished_name.push(DnType::CommonName, unique("ca"));
        let ca = ca_params.self_signed(&ca_key)?.pem();
        let issuer = Issuer::new(ca_params, ca_key);
        let pair = |names: &[&str]| {
            let key = KeyPair::generate()?;
            let params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
            let certificate = params.signed_by(&key, &issuer)?.pem();
            Ok::<_, rcgen::Error>(Pair { certificate, key: key.serialize_pem() })
        };
        Ok(Self { ca, server: pair(names)?, client: pair(&[])? })
    }

    /// Writes the files under the names that MySQL gives its own, after `prefix`.
    pub(crate) fn write_to(&self, dir: &Path, prefix: &str) {
        let Self { ca, server, client } = self;
        let files = [
            ("ca.pem", ca),
            ("server-cert.pem", &server.certificate),
            ("server-key.pem", &server.key),
            ("client-cert.pem", &client.certificate),
            ("client-key.pem", &client.key),
        ];
        for (name, text) in files {
            std::fs::write(dir.join(format!("{prefix}{name}")), text).expect("a file in the server's folder");
        }
    }
}
