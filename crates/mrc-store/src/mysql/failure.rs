//! What the driver's errors mean to a caller.

use mysql_async::{DriverError, Error, IoError, ServerError};

use crate::error::ExecuteError;

/// Codes by which a server says that it, or the connection, is going or full: later it may work.
/// Too many connections (1040, 1203), shutting down (1053, 1079), the connection was killed (1927), off line (3032).
const UNAVAILABLE: [u16; 6] = [1040, 1053, 1079, 1203, 1927, 3032];

/// The server's own limit on the time of a statement passed: MariaDB (1969), MySQL (3024).
const TIME_LIMIT: [u16; 2] = [1969, 3024];

pub(super) fn failed(error: Error) -> ExecuteError {
    match error {
        Error::Server(ServerError { code, .. }) if UNAVAILABLE.contains(&code) => {
            ExecuteError::Unavailable(Box::new(error))
        }
        Error::Server(_) => ExecuteError::Refused(Box::new(error)),
        // The authorities or the host name can't be used; a certificate that isn't trusted comes as an `IoError::Io`.
        Error::Io(IoError::Tls(_)) => ExecuteError::Config(error.to_string()),
        Error::Io(_) | Error::Driver(DriverError::ConnectionClosed) => ExecuteError::Unavailable(Box::new(error)),
        Error::Driver(DriverError::PoolDisconnected) => ExecuteError::Closed,
        Error::Driver(DriverError::MixedParams) => {
            refused("it has `?` and `:name` placeholders: write `?`, and quote a `:` that is none")
        }
        Error::Driver(DriverError::PacketOutOfOrder | DriverError::UnexpectedPacket { .. }) => {
            ExecuteError::Unavailable(Box::new(error))
        }
        Error::Url(_) => ExecuteError::Config(error.to_string()),
        Error::Driver(_) | Error::Other(_) => ExecuteError::Refused(Box::new(error)),
    }
}

pub(super) fn refused(why: &'static str) -> ExecuteError {
    ExecuteError::Refused(why.into())
}

/// Whether the server stopped the statement because of the limit that the session was set up with.
pub(super) fn is_server_limit(error: &ExecuteError) -> bool {
    let ExecuteError::Refused(source) = error else { return false };
    matches!(source.downcast_ref(), Some(Error::Server(ServerError { code, .. })) if TIME_LIMIT.contains(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(code: u16) -> ExecuteError {
        failed(Error::Server(ServerError { code, message: "m".into(), state: "HY000".into() }))
    }

    #[test]
    fn codes_are_sorted_by_what_a_caller_can_do() {
        assert!(matches!(server(1064), ExecuteError::Refused(_)));
        assert!(UNAVAILABLE.into_iter().all(|code| server(code).is_retryable()));
        assert!(TIME_LIMIT.into_iter().all(|code| is_server_limit(&server(code))));
        assert!(!is_server_limit(&server(1064)) && !is_server_limit(&server(1040)));
        assert!(matches!(failed(Error::Driver(DriverError::PoolDisconnected)), ExecuteError::Closed));
    }
}
