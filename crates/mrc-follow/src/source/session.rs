//! A session for questions to the server.

use std::time::Duration;

use mrc_store::mysql_async::Conn;
use mrc_store::mysql_async::prelude::{FromRow, Queryable};
use mrc_store::{ExecuteError, MySqlConfig};
use tokio::time::{Instant, sleep, timeout};

use super::SourceError;
use crate::event::{Flavor, Gtid};
use crate::position::{BadPosition, GtidSet, Position, Source};
use crate::rules::{Rules, Server};

/// How long the server may take to answer one question.
pub(crate) const QUESTION: Duration = Duration::from_secs(10);

/// The pauses between two looks at MariaDB's engine: the shortest, and the longest. In between a
/// quarter of the wait so far, so that a commit is noticed soon after readers see it.
const PAUSES: (Duration, Duration) = (Duration::from_micros(200), Duration::from_millis(5));

/// How long the server may take to look through a file of its log.
const SCAN: Duration = Duration::from_secs(120);

/// A connection that reads no stream.
pub(crate) struct Session {
    conn: Conn,
    pub(crate) flavor: Flavor,
    /// The identity of the server.
    pub(crate) server: String,
    limit: Duration,
}

impl Session {
    /// Connects. `limit` bounds each question.
    pub(crate) async fn open(config: &MySqlConfig, limit: Duration) -> Result<Self, SourceError> {
        let mut conn = config.connect().await?;
        let version: String = ask(&mut conn, "SELECT VERSION()", limit).await?.unwrap_or_default();
        let flavor = if version.contains("MariaDB") { Flavor::MariaDb } else { Flavor::MySql };
        let server = server_of(&mut conn, limit).await?;
        Ok(Self { conn, flavor, server, limit })
    }

    pub(crate) async fn value(&mut self, sql: &str) -> Result<Option<String>, SourceError> {
        ask(&mut self.conn, sql, self.limit).await
    }

    pub(crate) async fn values(&mut self, sql: &str) -> Result<Vec<String>, SourceError> {
        within(self.limit, self.conn.query(sql)).await
    }

    /// Returns the rows of a statement with `?`.
    pub(crate) async fn rows<T: FromRow + Send + 'static>(
        &mut self,
        sql: &str,
        params: Vec<String>,
    ) -> Result<Vec<T>, SourceError> {
        within(self.limit, self.conn.exec(sql, params)).await
    }

    /// Returns the rules, as the server compares names.
    pub(crate) async fn rules(&mut self, rules: &Rules) -> Result<Rules, SourceError> {
        let case = self.value("SELECT @@GLOBAL.lower_case_table_names").await?;
        let server = Server { mariadb: self.flavor == Flavor::MariaDb, ignore_case: case.as_deref() != Some("0") };
        Ok(rules.clone().server(server))
    }

    /// Returns the position behind the newest transaction.
    pub(crate) async fn now(&mut self) -> Result<Position, SourceError> {
        let bad = |error: BadPosition| SourceError::Broken(error.to_string());
        let (variable, read): (_, fn(&str) -> _) = match self.flavor {
            Flavor::MySql => ("gtid_executed", Position::of_mysql),
            Flavor::MariaDb => ("gtid_binlog_pos", Position::of_mariadb),
        };
        let gtids = self.value(&format!("SELECT @@GLOBAL.{variable}")).await?.unwrap_or_default();
        read(&gtids).map_err(bad)
    }

    /// Returns a position whose transactions readers see, and no newer one does.
    ///
    /// MariaDB's GTID variables move before its engines commit. The place up to which the engines
    /// have committed is known, and its GTIDs are read from the log, which takes up to some
    /// seconds.
    pub(crate) async fn visible_now(&mut self) -> Result<Position, SourceError> {
        if self.flavor == Flavor::MySql {
            return self.now().await;
        }
        let (file, position) = self.snapshot().await?;
        if file.is_empty() || file.contains('\'') {
            return self.now().await;
        }
        let sql = format!("SELECT BINLOG_GTID_POS('{file}', {position})");
        let Some(domains) = ask::<Option<String>>(&mut self.conn, &sql, SCAN).await?.flatten() else {
            return self.now().await;
        };
        Position::of_mariadb(&domains).map_err(|error| SourceError::Broken(error.to_string()))
    }

    /// Waits until readers see these transactions, for `limit` at most. Returns whether they do.
    ///
    /// The log has a transaction before the engine has committed it (MySQL bug 120471, MariaDB
    /// too). A reader that fills in between stores the old row after the invalidation.
    pub(crate) async fn visible(&mut self, upto: &Upto, limit: Duration) -> Result<bool, SourceError> {
        match upto {
            Upto::MySql(set) => {
                // 0 means reached and 1 means timed out.
                let seconds = limit.as_secs_f64();
                let sql = format!("SELECT WAIT_FOR_EXECUTED_GTID_SET('{set}', {seconds:.3})");
                let answer: Option<u8> = ask(&mut self.conn, &sql, limit + self.limit).await?;
                Ok(answer == Some(0))
            }
            Upto::MariaDb { file, position } => {
                let began = Instant::now();
                loop {
                    let (seen, at) = self.snapshot().await?;
                    if is_reached((&seen, at), file, *position) {
                        return Ok(true);
                    }
                    let waited = began.elapsed();
                    if waited >= limit {
                        return Ok(false);
                    }
                    sleep((waited / 4).clamp(PAUSES.0, PAUSES.1)).await;
                }
            }
        }
    }

    /// Returns the place in the log up to which MariaDB's engines have committed. The GTID
    /// variables move before the engines commit, so they don't tell.
    async fn snapshot(&mut self) -> Result<(String, u64), SourceError> {
        const SQL: &str = "SHOW STATUS WHERE Variable_name IN ('Binlog_snapshot_file', 'Binlog_snapshot_position')";
        let rows: Vec<(String, String)> = within(self.limit, self.conn.query(SQL)).await?;
        let value =
            |name: &str| rows.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let file = value("Binlog_snapshot_file").cloned().unwrap_or_default();
        let position = value("Binlog_snapshot_position").and_then(|text| text.parse().ok()).unwrap_or_default();
        Ok((file, position))
    }
}

/// Returns a text that differs between two servers. MariaDB has no UUID. One question serves both,
/// because a statement that one of them refuses would end the follower.
pub(super) async fn server_of(conn: &mut Conn, limit: Duration) -> Result<String, SourceError> {
    const SQL: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', 'server_id', 'hostname', 'port')";
    let mut rows: Vec<(String, String)> = within(limit, conn.query(SQL)).await?;
    rows.sort_unstable();
    let uuid = rows.iter().find(|(name, _)| name == "server_uuid").cloned();
    let parts = uuid.map_or(rows, |uuid| vec![uuid]);
    Ok(parts.into_iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", "))
}

async fn ask<T: FromRow + Send + 'static>(
    conn: &mut Conn,
    sql: &str,
    limit: Duration,
) -> Result<Option<T>, SourceError> {
    within(limit, conn.query_first(sql)).await
}

/// Bounds a question. A connection whose question was abandoned must not be used again.
pub(super) async fn within<T>(
    limit: Duration,
    question: impl Future<Output = Result<T, mrc_store::mysql_async::Error>>,
) -> Result<T, SourceError> {
    let late = |_| ExecuteError::Timeout { stage: "a question to the server", limit, address: None };
    Ok(timeout(limit, question).await.map_err(late)??)
}

/// The transactions of a batch, as the server can be asked whether readers see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Upto {
    /// MySQL: all of these transactions. All, because engines needn't commit in the log's order.
    MySql(GtidSet),
    /// MariaDB: everything before this place in the log.
    MariaDb { file: String, position: u64 },
}

impl Upto {
    /// Returns the transaction alone, which ends at this place in the log.
    pub(crate) fn of(gtid: &Gtid, file: &str, position: u64) -> Self {
        match gtid {
            Gtid::MySql { uuid, tag, number, .. } => {
                let mut set = GtidSet::default();
                set.add(Source { uuid: *uuid, tag: tag.clone() }, *number);
                Self::MySql(set)
            }
            _ => Self::MariaDb { file: file.to_owned(), position },
        }
    }

    pub(crate) fn and(&mut self, later: Self) {
        match (self, later) {
            (Self::MySql(set), Self::MySql(more)) => set.join(more),
            (place, later) => *place = later,
        }
    }
}

/// Returns whether the log of MariaDB is read up to a place: `seen` is a file and a position.
fn is_reached(seen: (&str, u64), file: &str, position: u64) -> bool {
    let number = |file: &str| file.rsplit('.').next().and_then(|digits| digits.parse::<u64>().ok());
    (number(seen.0), seen.1) >= (number(file), position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_compared_by_file_first() {
        assert!(is_reached(("log.000010", 4), "log.000009", 900));
        assert!(is_reached(("log.1000000", 4), "log.999999", 900));
        assert!(is_reached(("log.000009", 900), "log.000009", 900));
        assert!(!is_reached(("log.000009", 899), "log.000009", 900));
        assert!(!is_reached(("", 0), "log.000001", 4));
    }
}
