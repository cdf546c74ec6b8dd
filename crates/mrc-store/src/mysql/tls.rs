//! TLS to MySQL and MariaDB, by rustls.

use std::path::PathBuf;

use mysql_async::{ClientIdentity, SslOpts};

use super::failure::refuse;
use crate::error::ExecuteError;

/// The encryption of connections, and the verification of the server's certificate.
///
/// | | word in a URL | MySQL's `ssl-mode` | encrypted | signed by a known authority | issued for this host |
/// |---|---|---|---|---|---|
/// | `Off` | `off` | `DISABLED` | no | | |
/// | `Unverified` | `unverified` | `REQUIRED` | yes | not verified | not verified |
/// | `VerifyCa` | `verify_ca` | `VERIFY_CA` | yes | verified | not verified |
/// | `VerifyIdentity` | `verify_identity` | `VERIFY_IDENTITY` | yes | verified | verified |
///
/// There is no `PREFERRED`: each mode except `Off` refuses a server without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsMode {
    /// Connections aren't encrypted.
    Off,
    /// Encrypts, and accepts any certificate. An attacker in between can read and answer.
    Unverified,
    /// The certificate must be signed by an authority of `tls_ca_pem` or
    /// [`MySqlConfig::tls_ca_file`](super::MySqlConfig::tls_ca_file), one of which must be set.
    /// Host names aren't compared: for the certificates that MySQL creates, which have none.
    VerifyCa,
    /// The certificate must be issued for the host and signed by a known authority: of
    /// `tls_ca_file` or `tls_ca_pem`, or else a public one.
    VerifyIdentity,
}

/// The words in the URL. `required` means `verify_identity`.
pub(super) const MODES: [(&str, TlsMode); 5] = [
    ("off", TlsMode::Off),
    ("unverified", TlsMode::Unverified),
    ("verify_ca", TlsMode::VerifyCa),
    ("verify_identity", TlsMode::VerifyIdentity),
    ("required", TlsMode::VerifyIdentity),
];

#[derive(Debug, Clone, Default)]
pub(super) struct Tls {
    pub(super) mode: Option<TlsMode>,
    pub(super) ca: Option<Pem>,
    pub(super) cert: Option<Pem>,
    pub(super) key: Option<Pem>,
}

/// A PEM text, or the path of its file.
#[derive(Clone)]
pub(super) enum Pem {
    File(PathBuf),
    Text(Vec<u8>),
}

/// A name of no host.
///
/// For `VerifyCa` the driver ignores errors whose text contains `NotValidForName`. rustls now words
/// that error differently, but includes the expected name: this one. It checks the name last, when
/// the rest of the certificate is valid, and no other error includes the name. If rustls changes
/// its words again, connections are refused.
const NO_HOST: &str = "NotValidForName";

impl Tls {
    pub(super) fn is_set(&self) -> bool {
        self.mode.is_some() || self.ca.is_some() || self.cert.is_some() || self.key.is_some()
    }

    /// Returns the driver's options. Returns `None` if connections aren't encrypted.
    pub(super) fn opts(&self) -> Result<Option<SslOpts>, ExecuteError> {
        let Self { mode, ca, cert, key } = self;
        let given = [("tls_ca", ca), ("tls_cert", cert), ("tls_key", key)];
        let given = given.iter().find(|(_, pem)| pem.is_some()).map(|(name, _)| *name);
        let mode = match (mode, given) {
            (None | Some(TlsMode::Off), None) => return Ok(None),
            (Some(TlsMode::Off), Some(name)) => {
                return Err(refuse(format!("tls=off encrypts nothing, but {name} is set: leave one out")));
            }
            (Some(TlsMode::Unverified), _) if ca.is_some() => {
                return Err(refuse("tls=unverified verifies nothing, but tls_ca is set: write tls=verify_ca"));
            }
            (Some(TlsMode::VerifyCa), _) if ca.is_none() => {
                return Err(refuse("tls=verify_ca needs a tls_ca: the authority that signs this server's certificate"));
            }
            (mode, _) => mode.unwrap_or(TlsMode::VerifyIdentity),
        };
        let mut opts = SslOpts::default().with_client_identity(identity(cert.as_ref(), key.as_ref())?);
        if let Some(ca) = ca {
            let pem = ca.read("tls_ca", "CERTIFICATE-----")?;
            opts = opts.with_root_certs(vec![pem.into()]).with_disable_built_in_roots(true);
        }
        Ok(Some(match mode {
            TlsMode::Off | TlsMode::VerifyIdentity => opts,
            TlsMode::VerifyCa => {
                opts.with_danger_skip_domain_validation(true).with_danger_tls_hostname_override(Some(NO_HOST))
            }
            TlsMode::Unverified => opts.with_danger_accept_invalid_certs(true),
        }))
    }
}

fn identity(cert: Option<&Pem>, key: Option<&Pem>) -> Result<Option<ClientIdentity>, ExecuteError> {
    let (cert, key) = match (cert, key) {
        (Some(cert), Some(key)) => (cert, key),
        (None, None) => return Ok(None),
        _ => return Err(refuse("a client certificate is a tls_cert and its tls_key: set both")),
    };
    let (cert, key) = (cert.read("tls_cert", "CERTIFICATE-----")?, key.read("tls_key", "PRIVATE KEY-----")?);
    if String::from_utf8_lossy(&key).contains("ENCRYPTED") {
        return Err(refuse("tls_key is encrypted, which the driver can't read: write it without a passphrase"));
    }
    Ok(Some(ClientIdentity::new(cert.into(), key.into())))
}

impl Pem {
    fn read(&self, name: &str, wanted: &str) -> Result<Vec<u8>, ExecuteError> {
        let pem = match self {
            Self::Text(pem) => pem.clone(),
            Self::File(path) => std::fs::read(path)
                .map_err(|error| refuse(format!("{name}: {} can't be read: {error}", path.display())))?,
        };
        if !String::from_utf8_lossy(&pem).contains(wanted) {
            return Err(refuse(format!("{name} isn't in PEM format: there is no line `-----BEGIN {wanted}`")));
        }
        Ok(pem)
    }
}

/// Omits the text: it may be a private key.
impl std::fmt::Debug for Pem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.fmt(f),
            Self::Text(_) => f.write_str("…"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(kind: &str) -> Option<Pem> {
        Some(Pem::Text(format!("-----BEGIN {kind}-----").into_bytes()))
    }

    #[test]
    fn the_driver_gets_the_verification_of_each_tls_mode() {
        let check = |mode, ca: Option<Pem>, expected| {
            let opts = Tls { mode, ca, ..Tls::default() }.opts().unwrap();
            let told = opts.map(|opts| {
                (opts.accept_invalid_certs(), opts.skip_domain_validation(), opts.disable_built_in_roots())
            });
            assert_eq!(told, expected, "{mode:?}");
        };
        let ca = || pem("CERTIFICATE");
        check(None, None, None);
        check(Some(TlsMode::Off), None, None);
        check(None, ca(), Some((false, false, true)));
        check(Some(TlsMode::VerifyIdentity), None, Some((false, false, false)));
        check(Some(TlsMode::VerifyIdentity), ca(), Some((false, false, true)));
        check(Some(TlsMode::VerifyCa), ca(), Some((false, true, true)));
        check(Some(TlsMode::Unverified), None, Some((true, false, false)));
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        let check = |tls: Tls, expected: &str| {
            let error = tls.opts().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        let (ca, cert, key) = (pem("CERTIFICATE"), pem("CERTIFICATE"), pem("RSA PRIVATE KEY"));
        let off = Some(TlsMode::Off);
        check(Tls { mode: off, ca: ca.clone(), ..Tls::default() }, "tls_ca is set");
        check(Tls { mode: off, cert: cert.clone(), key: key.clone(), ..Tls::default() }, "tls_cert is set");
        check(Tls { mode: Some(TlsMode::Unverified), ca: ca.clone(), ..Tls::default() }, "write tls=verify_ca");
        check(Tls { mode: Some(TlsMode::VerifyCa), ..Tls::default() }, "needs a tls_ca");
        check(Tls { cert: cert.clone(), ..Tls::default() }, "set both");
        check(Tls { key: key.clone(), ..Tls::default() }, "set both");
        check(Tls { ca: key.clone(), ..Tls::default() }, "tls_ca isn't in PEM format");
        check(Tls { cert: cert.clone(), key: ca, ..Tls::default() }, "tls_key isn't in PEM format");
        let encrypted = pem("ENCRYPTED PRIVATE KEY");
        check(Tls { cert, key: encrypted, ..Tls::default() }, "tls_key is encrypted");
        let nowhere = Some(Pem::File("/no/such/file".into()));
        check(Tls { ca: nowhere, ..Tls::default() }, "/no/such/file");
        assert!(!format!("{key:?}").contains("PRIVATE"));
    }
}
