//! The built-in functions whose answer can't be cached.

use super::NotCacheable;

/// Why a call of `name` isn't cached, if it isn't.
///
/// The time functions aren't here (see the module's docs).
pub(super) fn refusal(name: &str) -> Option<NotCacheable> {
    let what = format!("{name}()");
    let refusal = match name.to_ascii_uppercase().as_str() {
        "NEXTVAL" | "SETVAL" | "LOAD_EXTENSION" => NotCacheable::Writes { what },
        "GET_LOCK"
        | "RELEASE_LOCK"
        | "RELEASE_ALL_LOCKS"
        | "IS_FREE_LOCK"
        | "IS_USED_LOCK"
        | "SERVICE_GET_READ_LOCKS"
        | "SERVICE_GET_WRITE_LOCKS"
        | "SERVICE_RELEASE_LOCKS" => NotCacheable::Locks { what },
        // The last three are SQLite's. LOAD_FILE asks for the user's FILE privilege.
        "LAST_INSERT_ID"
        | "FOUND_ROWS"
        | "ROW_COUNT"
        | "CONNECTION_ID"
        | "USER"
        | "CURRENT_USER"
        | "SESSION_USER"
        | "SYSTEM_USER"
        | "CURRENT_ROLE"
        | "ROLES_GRAPHML"
        | "DATABASE"
        | "SCHEMA"
        | "LASTVAL"
        | "LOAD_FILE"
        | "PS_CURRENT_THREAD_ID"
        | "WSREP_LAST_SEEN_GTID"
        | "WSREP_LAST_WRITTEN_GTID"
        | "LAST_INSERT_ROWID"
        | "CHANGES"
        | "TOTAL_CHANGES" => NotCacheable::DependsOnSession { what },
        // With a seed too: which row gets which number depends on the order of reading.
        "RAND" | "RANDOM" | "RANDOMBLOB" | "RANDOM_BYTES" | "UUID" | "UUID_SHORT" | "UUID_V4" | "UUID_V7"
        | "SYS_GUID" => NotCacheable::NonDeterministic { what },
        "SLEEP"
        | "BENCHMARK"
        | "MASTER_POS_WAIT"
        | "SOURCE_POS_WAIT"
        | "MASTER_GTID_WAIT"
        | "WAIT_FOR_EXECUTED_GTID_SET"
        | "WAIT_UNTIL_SQL_THREAD_AFTER_GTIDS"
        | "WSREP_SYNC_WAIT_UPTO_GTID" => NotCacheable::Waits { what },
        upper if ADMINISTRATION.iter().any(|prefix| upper.starts_with(prefix)) => NotCacheable::Writes { what },
        _ => return None,
    };
    Some(refusal)
}

/// Families of functions by which MySQL's plugins are administered.
const ADMINISTRATION: &[&str] =
    &["ASYNCHRONOUS_CONNECTION_FAILOVER_", "AUDIT_LOG_", "GROUP_REPLICATION_", "KEYRING_KEY_", "VERSION_TOKENS_"];
