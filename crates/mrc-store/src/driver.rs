//! The parts of `MySqlExecutor` for executors over other MySQL drivers, so that both answer alike.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::error::{ExecuteError, ServerError, ServerErrorKind};
pub use crate::executor::span;
pub use crate::expand::{Expanded, expand};
use crate::lock::lock;

/// Codes of temporary errors: the statement may work later or on another connection.
const PASSING: [&[u16]; 6] = [
    // Full: connections, a user's share of them, prepared statements, memory, threads, the disk.
    &[1040, 1203, 1226, 1461, 1037, 1038, 1041, 1135, 1021],
    // Shutting down, offline, or not yet ready (Galera).
    &[1053, 1079, 1080, 3032, 3168, 1047],
    // The connection or the query was killed, or idled too long.
    &[1317, 1927, 3169, 4031],
    // The connection broke: seen from the server, and from a proxy before it.
    &[1152, 1158, 1159, 1160, 1161, 1184, 2002, 2003, 2006, 2013, 9001],
    // Another session was in the way: a lock, a deadlock, a changed table.
    &[1205, 1213, 1614, 3058, 3572, 1020, 1412, 1615],
    // Too many failed connections from this host. A read-only server passes too, by its kind.
    &[1129],
];

/// An option of the server forbids the statement (1290): read-only, or another option.
const OPTION: u16 = 1290;

/// The kinds of errors by their codes in MySQL and MariaDB.
const KINDS: [(ServerErrorKind, &[u16]); 7] = [
    (ServerErrorKind::UniqueViolation, &[1022, 1062, 1169, 1586, 1761, 1762, 1859]),
    (ServerErrorKind::ForeignKeyViolation, &[1216, 1217, 1451, 1452]),
    (ServerErrorKind::NotNullViolation, &[1048, 1263]),
    (ServerErrorKind::CheckViolation, &[3819, 4025]),
    (ServerErrorKind::Deadlock, &[1213, 1614, 3058]),
    (ServerErrorKind::LockTimeout, &[1205, 3572]),
    (ServerErrorKind::ReadOnly, &[1836, 1874]),
];

/// The statement exceeded the server's own time limit: MariaDB (1969), MySQL (3024).
const TIME_LIMIT: [u32; 2] = [1969, 3024];

/// Errors that report the end of the session, and leave the outcome of a commit open.
const CUT_OFF: [u32; 9] = [1053, 1079, 1317, 1927, 2006, 2013, 3169, 4031, 9001];

/// Returns [`ExecuteError::Unavailable`] if the statement may work later or on another connection,
/// otherwise [`ExecuteError::Refused`]. Both box a [`ServerError`].
pub fn server_error(code: u16, state: impl Into<String>, message: impl Into<String>) -> ExecuteError {
    let message = message.into();
    let known = KINDS.iter().find(|(_, codes)| codes.contains(&code)).map(|(kind, _)| *kind);
    let kind = match known {
        Some(kind) => kind,
        None if code == OPTION && ["read-only", "read_only"].iter().any(|name| message.contains(name)) => {
            ServerErrorKind::ReadOnly
        }
        None => ServerErrorKind::Other,
    };
    let passes = PASSING.iter().any(|codes| codes.contains(&code)) || kind == ServerErrorKind::ReadOnly;
    let answer = Box::new(ServerError::new(kind, code.into(), state, message));
    if passes { ExecuteError::Unavailable(answer) } else { ExecuteError::Refused(answer) }
}

/// Returns whether the server stopped the statement because of the limit that [`time_limit`] sets.
pub(crate) fn is_time_limit(error: &ExecuteError) -> bool {
    error.server().is_some_and(|server| TIME_LIMIT.contains(&server.code))
}

/// Bounds a stage of a query. The server's own limit, which may pass first, is the same time-out.
///
/// # Errors
/// [`ExecuteError::Timeout`] with the stage and the limit, or the error of `work`.
pub async fn within<T>(
    stage: &'static str,
    limit: Duration,
    work: impl Future<Output = Result<T, ExecuteError>>,
) -> Result<T, ExecuteError> {
    let late = || ExecuteError::Timeout { stage, limit, address: None };
    let done = timeout(limit, work).await.unwrap_or_else(|_| Err(late()));
    done.map_err(|error| if is_time_limit(&error) { late() } else { error })
}

/// Returns whether the server may have committed although `COMMIT` returned this error.
pub fn may_be_committed(error: &ExecuteError) -> bool {
    error.server().is_none_or(|server| CUT_OFF.contains(&server.code))
}

/// Returns the end of a `SET` statement that limits the time of each later statement.
///
/// MariaDB skips `/*!50708` comments, and MySQL skips `/*M!` comments, so one text serves both.
pub fn time_limit(limit: Duration) -> String {
    // 0 would mean no limit. Both servers also have a highest value: a year is below both.
    let limit = limit.clamp(Duration::from_millis(1), Duration::from_secs(31_536_000));
    let millis = limit.as_micros().div_ceil(1000).min(u32::MAX.into());
    let (seconds, micros) = (limit.as_secs(), limit.subsec_micros());
    format!(
        " /*!50708 , max_execution_time = {millis} */ \
         /*M!100101 , max_statement_time = {seconds}.{micros:06} */"
    )
}

/// Selects the names of a table's JSON columns on MariaDB. The two placeholders are the database
/// and the table. MySQL has a JSON type, and answers with an error.
pub const JSON_COLUMNS_OF_TABLE: &str = "SELECT CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS \
     WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME = ? \
     AND CHECK_CLAUSE = CONCAT('json_valid(`', REPLACE(CONSTRAINT_NAME, '`', '``'), '`)')";

/// Returns the bytes of a cell as text.
///
/// # Errors
/// The reason for [`ExecuteError::Cell`] if the bytes aren't UTF-8.
pub fn text(bytes: &[u8]) -> Result<&str, String> {
    simdutf8::basic::from_utf8(bytes)
        .map_err(|_| "its text isn't UTF-8: select CONVERT(… USING utf8mb4), or CAST(… AS BINARY) for bytes".into())
}

/// The time for which an answer counts. After it an `ALTER TABLE` is noticed.
const REMEMBERED: Duration = Duration::from_secs(300);

/// The number of remembered answers. Above it the catalogue is queried more often.
const MOST: usize = 4096;

/// Answers of a catalogue: each counts for 5 minutes, and there are 4,096 at most.
#[derive(Debug)]
pub struct Catalogue<K, V>(Mutex<HashMap<K, (V, Instant)>>);

impl<K: Eq + Hash, V> Catalogue<K, V> {
    /// Returns what `read` finds in the answer. Returns `None` if there is no answer that counts.
    pub fn get<T>(&self, key: &K, read: impl FnOnce(&V) -> T) -> Option<T> {
        let answers = lock(&self.0);
        let (answer, _) = answers.get(key).filter(|(_, until)| Instant::now() < *until)?;
        Some(read(answer))
    }

    /// Remembers an answer.
    pub fn remember(&self, key: K, answer: V) {
        let (mut answers, now) = (lock(&self.0), Instant::now());
        if answers.len() >= MOST {
            answers.retain(|_, (_, until)| now < *until);
        }
        if answers.len() < MOST || answers.contains_key(&key) {
            answers.insert(key, (answer, now + REMEMBERED));
        }
    }
}

impl<K, V> Default for Catalogue<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_gets_its_limit() {
        let check = |limit, millis: &str, seconds: &str| {
            let text = time_limit(limit);
            assert!(text.contains(&format!("max_execution_time = {millis} ")), "{text}");
            assert!(text.contains(&format!("max_statement_time = {seconds} ")), "{text}");
        };
        check(Duration::from_secs(30), "30000", "30.000000");
        check(Duration::from_micros(1_500_100), "1501", "1.500100");
        check(Duration::from_nanos(1), "1", "0.001000");
        check(Duration::MAX, "4294967295", "31536000.000000");
    }

    #[test]
    fn only_an_answer_of_the_server_proves_that_nothing_was_committed() {
        let server = |code| server_error(code, "HY000", "");
        // Deadlock (also of Galera's certification), group replication, read-only, commit error.
        assert!([1213, 3101, 1836, 1180].into_iter().all(|code| !may_be_committed(&server(code))));
        assert!(CUT_OFF.into_iter().all(|code| may_be_committed(&server(code.try_into().unwrap()))));
        let limit = Duration::from_secs(1);
        assert!(may_be_committed(&ExecuteError::Timeout { stage: "the query", limit, address: None }));
        assert!(may_be_committed(&ExecuteError::Unavailable("gone".into())));
    }

    #[tokio::test(start_paused = true)]
    async fn answers_expire() {
        let catalogue = Catalogue::default();
        assert_eq!(catalogue.get(&1, |answer| *answer), None);
        catalogue.remember(1, true);
        assert_eq!(catalogue.get(&1, |answer| *answer), Some(true));
        assert_eq!(catalogue.get(&2, |answer| *answer), None);
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(catalogue.get(&1, |answer| *answer), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_memory_is_bounded() {
        let catalogue = Catalogue::default();
        (0..=MOST).for_each(|key| catalogue.remember(key, ()));
        assert_eq!(lock(&catalogue.0).len(), MOST);
        tokio::time::advance(REMEMBERED).await;
        catalogue.remember(MOST, ());
        assert_eq!(lock(&catalogue.0).len(), 1);
    }
}
