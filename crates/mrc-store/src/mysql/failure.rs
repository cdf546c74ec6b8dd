//! What the driver's errors mean to a caller.

use mysql_async::{DriverError, Error, IoError, ServerError};

use crate::error::ExecuteError;

/// Codes that say nothing against the statement: later, or on another connection, it may work.
const PASSING: [&[u16]; 6] = [
    // Full: connections, a user's share of them, prepared statements, memory, threads, the disk.
    &[1040, 1203, 1226, 1461, 1037, 1038, 1041, 1135, 1021],
    // Going, off line, or not yet ready (Galera).
    &[1053, 1079, 1080, 3032, 3168, 1047],
    // The connection or the query was killed, or idled too long.
    &[1317, 1927, 3169, 4031],
    // The connection broke: seen from the server, and from a proxy before it.
    &[1152, 1158, 1159, 1160, 1161, 1184, 2002, 2003, 2006, 2013, 9001],
    // Others were in the way: a lock, a deadlock, a table that changed.
    &[1205, 1213, 1020, 1412, 1615],
    // Too many failed connections from this host; read-only, as an old primary after a failover.
    &[1129, 1836],
];

/// An option of the server is against the statement (1290): read-only, as an old primary after a failover, or another.
const OPTION: u16 = 1290;

/// The server's own limit on the time of a statement passed: MariaDB (1969), MySQL (3024).
const TIME_LIMIT: [u16; 2] = [1969, 3024];

pub(super) fn failed(error: Error) -> ExecuteError {
    match error {
        Error::Server(ref server) if is_passing(server) => ExecuteError::Unavailable(Box::new(error)),
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

fn is_passing(ServerError { code, message, .. }: &ServerError) -> bool {
    PASSING.iter().any(|codes| codes.contains(code)) || *code == OPTION && message.contains("read-only")
}

pub(super) fn refused(why: &'static str) -> ExecuteError {
    ExecuteError::Refused(why.into())
}

/// Whether the server itself answered with the error: then nothing of the statement runs any more.
pub(super) fn is_answer(error: &ExecuteError) -> bool {
    let (ExecuteError::Refused(source) | ExecuteError::Unavailable(source)) = error else { return false };
    matches!(source.downcast_ref(), Some(Error::Server(_)))
}

/// Whether the server stopped the statement because of the limit that the session was set up with.
pub(super) fn is_server_limit(error: &ExecuteError) -> bool {
    let ExecuteError::Refused(source) = error else { return false };
    matches!(source.downcast_ref(), Some(Error::Server(ServerError { code, .. })) if TIME_LIMIT.contains(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(code: u16, message: &str) -> ExecuteError {
        failed(Error::Server(ServerError { code, message: message.into(), state: "HY000".into() }))
    }

    #[test]
    fn what_passes_may_be_tried_again_and_a_refusal_not() {
        for code in [1040, 1053, 1205, 1213, 1226, 1317, 1836, 1927, 3032, 4031] {
            assert!(matches!(server(code, ""), ExecuteError::Unavailable(_)), "{code}");
        }
        // Access denied, no such database, syntax, no such table, a right, a timestamp, a duplicate.
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
    fn a_limit_of_the_server_is_told_from_a_refusal() {
        assert!(TIME_LIMIT.into_iter().all(|code| is_server_limit(&server(code, ""))));
        assert!(!is_server_limit(&server(1064, "")) && !is_server_limit(&server(1040, "")));
        assert!(matches!(failed(Error::Driver(DriverError::PoolDisconnected)), ExecuteError::Closed));
    }
}
