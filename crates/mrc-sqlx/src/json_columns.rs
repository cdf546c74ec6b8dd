//! Finds the JSON columns of MariaDB in the catalogue, with the query of `MySqlExecutor`, once a
//! column per [`REMEMBERED`].

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mrc_core::ColumnKind;
use mrc_store::driver::JSON_COLUMNS_OF_TABLE;
use sqlx::mysql::MySqlConnection;
use sqlx::{Error, Row};
use tokio::time::Instant;

use crate::columns::Described;

/// Within this time an `ALTER TABLE` that turns a `LONGTEXT` into JSON is noticed.
const REMEMBERED: Duration = Duration::from_secs(300);

/// The limit of remembered columns. Columns beyond the limit are looked up more often.
const MOST_COLUMNS: usize = 4096;

/// A table with its database, and a column.
type Name = (String, String);

/// For each known column: whether it is JSON, and how long this counts.
#[derive(Debug, Default)]
pub(crate) struct JsonColumns(Mutex<HashMap<Name, (bool, Instant)>>);

impl JsonColumns {
    /// Marks the columns known as JSON. Returns false if the catalogue must be asked for a column.
    pub(crate) fn apply(&self, columns: &mut [Described]) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        columns.iter_mut().all(|described| {
            let Some(name) = &described.may_be_json else { return true };
            let Some((is_json, _)) = known.get(name).filter(|(_, until)| Instant::now() < *until) else { return false };
            if *is_json {
                described.column.kind = ColumnKind::Json;
            }
            true
        })
    }

    /// Asks the catalogue for each column, and marks those that are JSON.
    pub(crate) async fn ask(&self, conn: &mut MySqlConnection, columns: &mut [Described]) -> Result<(), Error> {
        for described in columns {
            let Some(name) = &described.may_be_json else { continue };
            let is_json = is_json(conn, name).await?;
            self.remember(name.clone(), is_json);
            if is_json {
                described.column.kind = ColumnKind::Json;
            }
        }
        Ok(())
    }

    fn remember(&self, name: Name, is_json: bool) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if known.len() >= MOST_COLUMNS {
            known.retain(|_, (_, until)| now < *until);
        }
        if known.len() < MOST_COLUMNS || known.contains_key(&name) {
            known.insert(name, (is_json, now + REMEMBERED));
        }
    }
}

async fn is_json(conn: &mut MySqlConnection, (table, column): &Name) -> Result<bool, Error> {
    // sqlx joins the names of database and table by a point, which both names may contain.
    for (at, _) in table.match_indices('.') {
        let (database, table) = (table.get(..at), table.get(at + 1..));
        let asked = sqlx::query(JSON_COLUMNS_OF_TABLE).bind(database).bind(table).fetch_all(&mut *conn).await;
        match asked {
            Ok(rows) if rows.iter().any(|row| row.try_get_unchecked(0).is_ok_and(|name: String| name == *column)) => {
                return Ok(true);
            }
            Ok(_) => {}
            // The server lacks this table of the catalogue, or hides it: JSON stays text.
            Err(Error::Database(_)) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use mrc_core::Column;

    use super::*;
    use crate::columns::Layout;

    fn name(column: &str) -> Name {
        ("db.t".into(), column.into())
    }

    fn column(named: &str) -> [Described; 1] {
        let (column, layout) = (Column::new(named, ColumnKind::Text), Layout::Bytes);
        [Described { column, layout, may_be_json: Some(name(named)) }]
    }

    #[tokio::test(start_paused = true)]
    async fn answers_are_forgotten_in_time() {
        let known = JsonColumns::default();
        assert!(!known.apply(&mut column("js")));
        known.remember(name("js"), true);
        known.remember(name("text"), false);
        for (named, kind) in [("js", ColumnKind::Json), ("text", ColumnKind::Text)] {
            let mut columns = column(named);
            assert!(known.apply(&mut columns));
            assert_eq!(columns[0].column.kind, kind);
        }
        tokio::time::advance(REMEMBERED).await;
        assert!(!known.apply(&mut column("js")));
    }

    #[tokio::test(start_paused = true)]
    async fn the_memory_is_bounded() {
        let known = JsonColumns::default();
        (0..=MOST_COLUMNS).for_each(|n| known.remember(name(&n.to_string()), false));
        assert_eq!(known.0.lock().unwrap().len(), MOST_COLUMNS);
        tokio::time::advance(REMEMBERED).await;
        known.remember(name("new"), false);
        assert_eq!(known.0.lock().unwrap().len(), 1);
    }
}
