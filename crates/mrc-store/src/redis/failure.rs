//! Converts the failures of a client.

use std::time::Duration;

use super::client::{Fault, FaultKind, Server};
use crate::error::StoreError;

/// Answers of a server that can't serve now.
const PASSING: [&str; 9] =
    ["LOADING", "MASTERDOWN", "CLUSTERDOWN", "READONLY", "TRYAGAIN", "BUSY", "NOREPLICAS", "MOVED", "ASK"];

/// Converts a failure. `limit` is the deadline of a timed-out command.
pub(super) fn store_error(fault: Fault, limit: Duration, server: &str) -> StoreError {
    match fault.kind {
        FaultKind::Timeout => StoreError::Timeout(limit),
        FaultKind::Config => StoreError::Config(fault.text.into_owned()),
        FaultKind::Server if fault.text.contains("instance has cluster support disabled") => {
            StoreError::Config(fault.text.into_owned())
        }
        FaultKind::Server if !PASSING.contains(&fault.first_word()) => StoreError::Refused(Box::new(fault)),
        _ => StoreError::Unavailable(format!("{server}: {fault}").into()),
    }
}

/// Returns the error of a cluster node that is used as one server. Returns `None` for other errors.
pub(super) fn cluster_error(fault: &Fault, server: &str) -> Option<StoreError> {
    let is_of_a_node = ["MOVED", "ASK", "CROSSSLOT"].contains(&fault.first_word());
    is_of_a_node.then(|| {
        StoreError::Config(format!(
            "{server} is a node of a cluster and has a part of the keys alone: begin the URL with redis-cluster:// \
             (rediss-cluster:// for TLS)"
        ))
    })
}

/// Returns the answer to a GET. A foreign type counts as absent: the next claim removes the key.
pub(super) fn absent_if_foreign<T>(outcome: Result<Option<T>, Fault>) -> Result<Option<T>, Fault> {
    outcome.or_else(|fault| if fault.first_word() == "WRONGTYPE" { Ok(None) } else { Err(fault) })
}

/// Returns the server of `MOVED 3999 127.0.0.1:6381`. Without a host it is the one that answered.
pub(super) fn moved(fault: &Fault, asked: Option<&Server>) -> Option<Server> {
    let address = fault.text.strip_prefix("MOVED ")?.split(' ').nth(1)?;
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

/// Returns the failure's name in a trace: the server's own code, or the kind.
pub(super) fn code(fault: &Fault) -> &str {
    if fault.kind == FaultKind::Server { fault.first_word() } else { fault.kind.name() }
}

/// Returns the error for an answer that the protocol doesn't have.
pub(super) fn unexpected(what: &'static str) -> StoreError {
    StoreError::Refused(Box::new(Fault::new(FaultKind::Protocol, what)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &'static str) -> Fault {
        Fault::new(FaultKind::Server, text)
    }

    #[test]
    fn errors_are_distinguished() {
        let check = |fault: Fault, expect: &str, retryable: bool| {
            let error = store_error(fault.clone(), Duration::from_secs(1), "h:1");
            let name = format!("{error:?}");
            assert!(name.starts_with(expect), "{fault:?}: {name}");
            assert_eq!(error.is_retryable(), retryable, "{fault:?}");
        };
        check(Fault::new(FaultKind::Timeout, "no answer"), "Timeout(1s)", true);
        check(Fault::new(FaultKind::Io, "broken pipe"), "Unavailable(\"h:1: broken pipe", true);
        check(Fault::new(FaultKind::Closed, "the connection broke"), "Unavailable", true);
        check(Fault::new(FaultKind::Protocol, "no frame"), "Unavailable", true);
        check(Fault::new(FaultKind::Config, "no host"), "Config", false);
        check(fault("CLUSTERDOWN The cluster is down"), "Unavailable", true);
        check(fault("LOADING Redis is loading the dataset in memory"), "Unavailable", true);
        check(fault("NOPERM this user has no permissions"), "Refused", false);
        check(fault("OOM command not allowed"), "Refused", false);
        check(fault("WRONGTYPE Operation against a key"), "Refused", false);
        check(fault("WRONGPASS invalid username-password pair"), "Refused", false);
        check(fault("MOVED 1 h:1"), "Unavailable(\"h:1: ", true);
        check(fault("ERR This instance has cluster support disabled"), "Config", false);
    }

    #[test]
    fn a_node_of_a_cluster_is_recognized() {
        let check = |details: &'static str, expect: bool| {
            let error = cluster_error(&fault(details), "h:1");
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
            let server = moved(&fault(details), Some(&asked));
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
        assert_eq!(code(&fault("OOM command not allowed")), "OOM");
        assert_eq!(code(&Fault::new(FaultKind::Timeout, "no answer")), "timeout");
    }
}
