//! Which columns of MariaDB are JSON.
//!
//! MariaDB's `JSON` is `LONGTEXT COLLATE utf8mb4_bin CHECK (json_valid(…))`, and the result of a query tells nothing of the
//! check. So the catalogue is asked, once a table and [`REMEMBERED`], on the connection that the query will use, and only
//! for tables of which the query selects a column that may be one.
//!
//! What the server doesn't tell the table of stays text: an expression such as `JSON_EXTRACT(…)`, a column of a view, of a
//! `UNION`, of a derived table. A derived table or CTE with the name of a table that has a JSON column of that name passes
//! for that table.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Column, Conn};
use tokio::time::Instant;

use super::columns;

/// After this time an `ALTER TABLE` has been noticed that leaves the columns of an answer as they look: `LONGTEXT` made JSON.
const REMEMBERED: Duration = Duration::from_secs(300);

/// How many tables are remembered. Who has more asks more often.
const MOST_TABLES: usize = 1024;

/// MariaDB's major versions begin at 10 wherever JSON columns exist; MySQL has a JSON type of its own and isn't asked.
const MARIADB: u16 = 10;

const JSON_COLUMNS_OF_TABLE: &str = "SELECT CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS \
     WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME = ? \
     AND CHECK_CLAUSE = CONCAT('json_valid(`', REPLACE(CONSTRAINT_NAME, '`', '``'), '`)')";

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct JsonColumns {
    tables: Mutex<HashMap<Table, Known>>,
}

type Table = (String, String);

#[derive(Debug)]
struct Known {
    /// The JSON columns.
    json: Vec<String>,
    /// The columns that were asked for. A column that came later isn't among them.
    asked: Vec<String>,
    until: Instant,
}

impl JsonColumns {
    /// Which of the columns are JSON columns of MariaDB, by position.
    pub(super) async fn among(&self, conn: &mut Conn, columns: &[Column]) -> mysql_async::Result<Vec<bool>> {
        let (major, ..) = conn.server_version();
        let mut found = Vec::new();
        if major < MARIADB {
            return Ok(found);
        }
        for (position, column) in columns.iter().enumerate() {
            if columns::may_be_mariadb_json(column) {
                found.resize(columns.len(), false);
                if let Some(is_json) = found.get_mut(position) {
                    *is_json = self.is_json(conn, column).await?;
                }
            }
        }
        Ok(found)
    }

    /// Which of an answer's columns are JSON columns, although these tables changed.
    pub(super) async fn among_anew(&self, conn: &mut Conn, columns: &[Column]) -> mysql_async::Result<Vec<bool>> {
        for column in columns {
            self.forget(&table_of(column));
        }
        self.among(conn, columns).await
    }

    async fn is_json(&self, conn: &mut Conn, column: &Column) -> mysql_async::Result<bool> {
        let table = table_of(column);
        let name = column.org_name_str();
        if let Some(known) = self.remembered(&table, &name) {
            return Ok(known);
        }
        let columns: Vec<String> = match conn.exec(JSON_COLUMNS_OF_TABLE, &table).await {
            Ok(columns) => columns,
            // A server without that table of the catalogue, or that hides it: its JSON stays text.
            Err(mysql_async::Error::Server(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let is_json = columns.iter().any(|json| *json == name);
        self.remember(table, &name, columns);
        Ok(is_json)
    }

    fn remembered(&self, table: &Table, column: &str) -> Option<bool> {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tables.get(table).filter(|known| Instant::now() < known.until)?;
        let is_asked = known.asked.iter().any(|asked| asked == column);
        is_asked.then(|| known.json.iter().any(|json| json == column))
    }

    fn remember(&self, table: Table, column: &str, json: Vec<String>) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if tables.len() >= MOST_TABLES {
            tables.retain(|_, known| now < known.until);
        }
        if tables.len() < MOST_TABLES || tables.contains_key(&table) {
            let known = tables.remove(&table).filter(|known| now < known.until);
            let mut asked = known.map(|known| known.asked).unwrap_or_default();
            asked.push(column.to_owned());
            tables.insert(table, Known { json, asked, until: now + REMEMBERED });
        }
    }

    fn forget(&self, table: &Table) {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).remove(table);
    }
}

fn table_of(column: &Column) -> Table {
    (column.schema_str().into_owned(), column.org_table_str().into_owned())
}

/// Whether a table changed between two looks at a statement's columns, so that a column that looks like JSON may be one now.
pub(super) fn altered(before: &[Column], after: &[Column]) -> bool {
    let looks = |column: &Column| (table_of(column), column.org_name_str().into_owned(), column.column_type());
    let of_tables = |columns: &[Column]| -> Vec<_> {
        columns.iter().filter(|column| !column.org_table_ref().is_empty()).map(looks).collect()
    };
    after.iter().any(columns::may_be_mariadb_json) && of_tables(before) != of_tables(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> Table {
        ("db".into(), name.into())
    }

    #[tokio::test(start_paused = true)]
    async fn answers_are_forgotten_in_time() {
        let known = JsonColumns::default();
        assert_eq!(known.remembered(&table("t"), "js"), None);
        known.remember(table("t"), "js", vec!["js".into()]);
        known.remember(table("t"), "text", vec!["js".into()]);
        assert_eq!(known.remembered(&table("t"), "js"), Some(true));
        assert_eq!(known.remembered(&table("t"), "text"), Some(false));
        assert_eq!(known.remembered(&table("t"), "added_later"), None);
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(known.remembered(&table("t"), "js"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_memory_is_bounded() {
        let known = JsonColumns::default();
        (0..=MOST_TABLES).for_each(|n| known.remember(table(&n.to_string()), "js", vec![]));
        assert_eq!(known.tables.lock().unwrap().len(), MOST_TABLES);
        tokio::time::advance(REMEMBERED).await;
        known.remember(table("new"), "js", vec![]);
        assert_eq!(known.tables.lock().unwrap().len(), 1);
    }
}
