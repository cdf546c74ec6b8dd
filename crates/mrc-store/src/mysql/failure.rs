//! Converts the driver's errors.

use mysql_async::{DriverError, Error, IoError, ServerError};

use crate::driver::server_error;
use crate::error::{ExecuteError, Source};

/// The advice for a certificate that isn't trusted.
const HELP: &str = "`tls_ca` names the authority that signed it, and `tls=verify_ca` doesn't compare its names \
                               with the host's";

/// The beginning of rustls' errors about the server's certificate.
const CERTIFICATE: &str = "invalid peer certificate";

pub(super) fn failed(error: Error) -> ExecuteError {
    match error {
        Error::Server(ServerError { code, state, message }) => server_error(code, state, message),
        // Unusable authorities or host name. An untrusted certificate comes as an `IoError::Io`.
        Error::Io(IoError::Tls(error)) => ExecuteError::Config(format!("TLS: {error}")),
        // The driver prefixes "Input/output error" twice.
        Error::Io(IoError::Io(error)) => ExecuteError::Unavailable(match error.to_string() {
            text if text.starts_with(CERTIFICATE) => format!("{text}: {}", HELP).into(),
            _ => Box::new(error),
        }),
        Error::Driver(DriverError::ConnectionClosed) => {
            ExecuteError::Unavailable("the server closed the connection".into())
        }
        Error::Driver(DriverError::PoolDisconnected) => ExecuteError::Closed,
        Error::Driver(DriverError::MixedParams) => {
            refused("it has `?` and `:name` placeholders: write `?`, and quote a `:` that is none")
        }
        Error::Driver(DriverError::PacketOutOfOrder | DriverError::UnexpectedPacket { .. }) => {
            ExecuteError::Unavailable(Box::new(error))
        }
        Error::Driver(DriverError::NoClientSslFlagFromServer) => {
            ExecuteError::Config("the server speaks no TLS (SSL): switch it on there, or write `tls=off`".into())
        }
        Error::Driver(DriverError::NoKeyFound) => ExecuteError::Config("`tls_key` holds no private key in PEM".into()),
        Error::Driver(DriverError::UnknownAuthPlugin { name }) => login(&name),
        Error::Driver(DriverError::CleartextPluginDisabled) => login("mysql_clear_password"),
        Error::Driver(DriverError::MysqlOldPasswordDisabled) => login("mysql_old_password"),
        Error::Url(_) => ExecuteError::Config(error.to_string()),
        Error::Driver(_) | Error::Other(_) => ExecuteError::Refused(Box::new(error)),
    }
}

impl From<Error> for ExecuteError {
    /// Converts the driver's error: see [`ExecuteError::server`] for the server's code.
    fn from(error: Error) -> Self {
        failed(error)
    }
}

/// Returns the error for an account type that the driver can't log in to.
fn login(plugin: &str) -> ExecuteError {
    ExecuteError::Config(format!(
        "the account logs in by `{plugin}`, which mrc can't do: let it use `caching_sha2_password`, \
         or `mysql_native_password` on MariaDB (ALTER USER … IDENTIFIED WITH …)"
    ))
}

/// Returns the error for a setting that can't be used.
pub(super) fn refuse(what: impl Into<String>) -> ExecuteError {
    ExecuteError::Config(what.into())
}

pub(super) fn refused(why: &'static str) -> ExecuteError {
    ExecuteError::Refused(why.into())
}

#[derive(Debug, thiserror::Error)]
#[error("{address}: {source}")]
struct At {
    address: String,
    source: Source,
}

/// Adds the server to a connection error.
pub(super) fn connecting(address: Option<String>, error: ExecuteError) -> ExecuteError {
    let Some(address) = address else { return error };
    match error {
        ExecuteError::Unavailable(source) => ExecuteError::Unavailable(Box::new(At { address, source })),
        ExecuteError::Refused(source) => ExecuteError::Refused(Box::new(At { address, source })),
        ExecuteError::Config(reason) => ExecuteError::Config(format!("{address}: {reason}")),
        other => other,
    }
}

/// Adds the server to the error of a broken connection, but not to an answer of the server.
pub(super) fn broken(address: Option<String>, error: ExecuteError) -> ExecuteError {
    match error {
        ExecuteError::Unavailable(_) if error.server().is_none() => connecting(address, error),
        other => other,
    }
}

/// Returns whether the whole answer was read, including an error of the server.
pub(super) fn is_whole<T>(done: &Result<T, ExecuteError>) -> bool {
    use ExecuteError::{ParamCount, Refused, SeveralResults};
    matches!(done, Ok(_) | Err(Refused(_) | ParamCount { .. } | SeveralResults))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::is_time_limit;

    fn server(code: u16, message: &str) -> ExecuteError {
        failed(Error::Server(ServerError { code, message: message.into(), state: "HY000".into() }))
    }

    #[test]
    fn transient_errors_are_retryable_and_refusals_are_not() {
        for code in [1040, 1053, 1205, 1213, 1226, 1317, 1836, 1927, 3032, 4031] {
            assert!(matches!(server(code, ""), ExecuteError::Unavailable(_)), "{code}");
        }
        // Access denied, no such database, syntax, no such table, privilege, time, duplicate.
        for code in [1044, 1045, 1049, 1064, 1146, 1142, 1292, 1062] {
            assert!(matches!(server(code, ""), ExecuteError::Refused(_)), "{code}");
        }
    }

    #[test]
    fn an_old_primary_is_left_and_other_options_are_refusals() {
        let message =
            |option| format!("The server is running with the {option} option so it cannot execute this statement");
        assert!(server(1290, &message("--read-only")).is_retryable());
        assert!(server(1290, &message("--super-read-only")).is_retryable());
        assert!(!server(1290, &message("--secure-file-priv")).is_retryable());
    }

    #[test]
    fn an_error_names_its_kind_without_a_downcast() {
        type Is = fn(&ExecuteError) -> bool;
        let kinds: [(u16, Is); 5] = [
            (1062, ExecuteError::is_unique_violation),
            (1452, ExecuteError::is_foreign_key_violation),
            (1213, ExecuteError::is_deadlock),
            (1205, ExecuteError::is_lock_timeout),
            (1836, ExecuteError::is_read_only),
        ];
        for (code, is) in kinds {
            let error = server(code, "");
            assert!(is(&error) && kinds.iter().filter(|(_, is)| is(&error)).count() == 1, "{error:?}");
            assert_eq!(error.server().map(|server| (server.code, &*server.state)), Some((code.into(), "HY000")));
        }
    }

    #[test]
    fn only_a_server_that_was_not_reached_is_reported_unreachable() {
        let said = |error: ExecuteError| error.to_string();
        assert!(said(server(1836, "")).contains("read-only, as a replica is"));
        assert!(said(server(1213, "")).contains("can't do this now"));
        let refused = || failed(Error::Io(IoError::Io(std::io::ErrorKind::ConnectionRefused.into())));
        assert_eq!(said(refused()), "the database can't be reached: connection refused");
        let at = |error| said(connecting(Some("db:3306".into()), error));
        assert_eq!(at(refused()), "the database can't be reached: db:3306: connection refused");
        assert_eq!(at(server(1040, "Full")), "the database can't do this now: db:3306: ERROR 1040 (HY000): Full");
        assert!(at(login("sha256_password")).contains("db:3306: the account logs in by `sha256_password`"));
        let full = connecting(Some("db:3306".into()), server(1040, "Full"));
        assert_eq!(full.server().map(|server| server.code), Some(1040));
        assert!(said(broken(Some("db:3306".into()), refused())).contains("db:3306"));
        assert!(!said(broken(Some("db:3306".into()), server(1213, ""))).contains("db:3306"));
    }

    #[test]
    fn a_limit_of_the_server_is_distinguished_from_a_refusal() {
        assert!([1969, 3024].into_iter().all(|code| is_time_limit(&server(code, ""))));
        assert!(!is_time_limit(&server(1064, "")) && !is_time_limit(&server(1040, "")));
        assert!(matches!(failed(Error::Driver(DriverError::PoolDisconnected)), ExecuteError::Closed));
    }
}
