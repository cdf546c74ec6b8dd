//! What fred's errors mean to us.

use std::time::Duration;

use fred::error::{Error, ErrorKind};

use crate::error::StoreError;

/// Answers by which a server says that it can't serve just now.
const PASSING: [&str; 7] = ["LOADING", "MASTERDOWN", "CLUSTERDOWN", "READONLY", "TRYAGAIN", "BUSY", "NOREPLICAS"];

/// fred's error as ours. `limit` is the deadline that a time-out ran into.
pub(super) fn store_error(error: Error, limit: Duration) -> StoreError {
    match error.kind() {
        ErrorKind::Timeout => StoreError::Timeout(limit),
        ErrorKind::Config | ErrorKind::Url => StoreError::Config(error.details().into()),
        ErrorKind::Auth | ErrorKind::InvalidArgument | ErrorKind::InvalidCommand => {
            StoreError::Refused(Box::new(error))
        }
        // Answers of the server are all of this kind, and so are a few failures of fred itself.
        ErrorKind::Unknown | ErrorKind::Parse if is_refusal(error.details()) => StoreError::Refused(Box::new(error)),
        _ => StoreError::Unavailable(Box::new(error)),
    }
}

/// An answer that came, but not the one that the protocol knows.
pub(super) fn unexpected(what: &'static str) -> StoreError {
    StoreError::Refused(Box::new(Error::new(ErrorKind::Protocol, what)))
}

/// Errors of a server begin with a code in capitals.
fn is_refusal(details: &str) -> bool {
    let code = details.split(' ').next().unwrap_or_default();
    !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_uppercase()) && !PASSING.contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: ErrorKind, details: &'static str, expect: &str, retryable: bool) {
        let error = store_error(Error::new(kind, details), Duration::from_secs(1));
        let name = format!("{error:?}");
        assert!(name.starts_with(expect), "{details}: {name}");
        assert_eq!(error.is_retryable(), retryable, "{details}");
    }

    #[test]
    fn errors_are_told_apart() {
        check(ErrorKind::Timeout, "Request timed out.", "Timeout(1s)", true);
        check(ErrorKind::IO, "broken pipe", "Unavailable", true);
        check(ErrorKind::Canceled, "Connection closed unexpectedly.", "Unavailable", true);
        check(ErrorKind::Cluster, "CLUSTERDOWN The cluster is down", "Unavailable", true);
        check(ErrorKind::Unknown, "LOADING Redis is loading the dataset in memory", "Unavailable", true);
        check(ErrorKind::Unknown, "Failed to send command to router.", "Unavailable", true);
        check(ErrorKind::Unknown, "NOPERM this user has no permissions", "Refused", false);
        check(ErrorKind::Unknown, "OOM command not allowed", "Refused", false);
        check(ErrorKind::InvalidArgument, "WRONGTYPE Operation against a key", "Refused", false);
        check(ErrorKind::Auth, "WRONGPASS invalid username-password pair", "Refused", false);
        check(ErrorKind::Config, "ERR This instance has cluster support disabled", "Config", false);
    }
}
