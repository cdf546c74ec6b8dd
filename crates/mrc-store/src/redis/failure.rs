//! Converts fred's errors.

use std::time::Duration;

use fred::error::{Error, ErrorKind};
use fred::types::config::Server;

use crate::error::StoreError;

/// Answers of a server that can't serve now.
const PASSING: [&str; 7] = ["LOADING", "MASTERDOWN", "CLUSTERDOWN", "READONLY", "TRYAGAIN", "BUSY", "NOREPLICAS"];

/// Converts an error of fred. `limit` is the deadline of a timed-out command.
pub(super) fn store_error(error: Error, limit: Duration, server: &str) -> StoreError {
    match error.kind() {
        ErrorKind::Timeout => StoreError::Timeout(limit),
        ErrorKind::Config | ErrorKind::Url => StoreError::Config(error.details().into()),
        ErrorKind::Auth | ErrorKind::InvalidArgument | ErrorKind::InvalidCommand => {
            StoreError::Refused(Box::new(error))
        }
        // This kind has all answers of the server, and a few failures of fred itself.
        ErrorKind::Unknown | ErrorKind::Parse if is_refusal(error.details()) => StoreError::Refused(Box::new(error)),
        _ => StoreError::Unavailable(format!("{server}: {}", in_words(&error)).into()),
    }
}

/// Returns the error as text. fred prints system errors as a struct: `Os { code: 111, … }`.
fn in_words(error: &Error) -> String {
    let code = error.details().strip_prefix("Os { code: ").and_then(|rest| rest.split(',').next()?.parse().ok());
    match code {
        Some(code) => std::io::Error::from_raw_os_error(code).to_string(),
        None => error.to_string(),
    }
}

/// Returns the error of a cluster node that is used as one server. Returns `None` for other errors.
pub(super) fn cluster_error(error: &Error, server: &str) -> Option<StoreError> {
    let is_of_a_node = ["MOVED", "ASK", "CROSSSLOT"].contains(&first_word(error.details()));
    is_of_a_node.then(|| {
        StoreError::Config(format!(
            "{server} is a node of a cluster and has a part of the keys alone: begin the URL with redis-cluster:// \
             (rediss-cluster:// for TLS)"
        ))
    })
}

/// Returns the answer to a GET. A foreign type counts as absent: the next claim removes the key.
pub(super) fn absent_if_foreign<T>(outcome: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
    outcome.or_else(|error| if error.details().starts_with("WRONGTYPE") { Ok(None) } else { Err(error) })
}

/// Returns the server that has the slot now, from an error like `MOVED 3999 127.0.0.1:6381`.
/// Without a host it is the server that answered.
pub(super) fn moved(error: &Error, asked: Option<&Server>) -> Option<Server> {
    let address = error.details().strip_prefix("MOVED ")?.split(' ').nth(1)?;
    let (host, port) = address.rsplit_once(':')?;
    address_of(host, port.parse().ok()?, asked)
}

/// Returns a server as the cluster announces it. `?` means a server that doesn't know its name.
pub(super) fn address_of(host: &str, port: u16, asked: Option<&Server>) -> Option<Server> {
    match host {
        "?" => None,
        "" => Some(Server::new(asked?.host.clone(), port)),
        host if host.contains(':') && !host.starts_with('[') => Some(Server::new(format!("[{host}]"), port)),
        host => Some(Server::new(host, port)),
    }
}

/// Returns the error's kind for a trace: the server's own code, or fred's kind.
pub(super) fn code(error: &Error) -> &str {
    match first_word(error.details()) {
        code if is_code(code) => code,
        _ => error.kind().to_str(),
    }
}

/// Returns the error for an answer that the protocol doesn't have.
pub(super) fn unexpected(what: &'static str) -> StoreError {
    StoreError::Refused(Box::new(Error::new(ErrorKind::Protocol, what)))
}

/// Returns whether the text begins with a code in capitals, as errors of a server do.
fn is_refusal(details: &str) -> bool {
    let code = first_word(details);
    is_code(code) && !PASSING.contains(&code)
}

fn first_word(details: &str) -> &str {
    details.split(' ').next().unwrap_or_default()
}

fn is_code(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: ErrorKind, details: &'static str, expect: &str, retryable: bool) {
        let error = store_error(Error::new(kind, details), Duration::from_secs(1), "h:1");
        let name = format!("{error:?}");
        assert!(name.starts_with(expect), "{details}: {name}");
        assert_eq!(error.is_retryable(), retryable, "{details}");
    }

    #[test]
    fn an_error_of_the_system_is_in_words() {
        let refused = Error::from(std::io::Error::from_raw_os_error(111));
        let text = store_error(refused, Duration::ZERO, "h:1").to_string();
        assert!(text.contains("h:1: ") && text.contains("111") && !text.contains('{'), "{text}");
    }

    #[test]
    fn errors_are_distinguished() {
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
        check(ErrorKind::Cluster, "MOVED 1 h:1", "Unavailable(\"h:1: ", true);
        check(ErrorKind::Config, "ERR This instance has cluster support disabled", "Config", false);
    }

    #[test]
    fn a_node_of_a_cluster_is_recognized() {
        let check = |details: &'static str, expect: bool| {
            let error = cluster_error(&Error::new(ErrorKind::Unknown, details), "h:1");
            assert_eq!(error.is_some_and(|error| error.to_string().contains("h:1 is a node")), expect, "{details}");
        };
        check("MOVED 3999 h:2", true);
        check("ASK 3999 h:2", true);
        check("CROSSSLOT Keys in request don't hash to the same slot", true);
        check("NOPERM this user has no permissions", false);
        check("CLUSTERDOWN The cluster is down", false);
    }

    #[test]
    fn moves_are_read() {
        let check = |details: &'static str, expect: Option<&str>| {
            let asked = Server::new("asked", 1);
            let server = moved(&Error::new(ErrorKind::Cluster, details), Some(&asked));
            assert_eq!(server.map(|server| server.to_string()).as_deref(), expect, "{details}");
        };
        check("MOVED 3999 127.0.0.1:6381", Some("127.0.0.1:6381"));
        check("MOVED 3999 cache.internal:6381", Some("cache.internal:6381"));
        check("MOVED 3999 :6381", Some("asked:6381"));
        check("MOVED 3999 ::1:6381", Some("[::1]:6381"));
        check("MOVED 3999 ?:6381", None);
        check("MOVED 3999", None);
        check("ASK 3999 127.0.0.1:6381", None);
    }

    #[test]
    fn codes_for_traces() {
        let check = |kind, details: &'static str, expect| assert_eq!(code(&Error::new(kind, details)), expect);
        check(ErrorKind::Unknown, "OOM command not allowed", "OOM");
        check(ErrorKind::Timeout, "Request timed out.", "Timeout Error");
        check(ErrorKind::IO, "", "IO Error");
    }
}
