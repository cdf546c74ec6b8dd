//! Finds the JSON columns of MariaDB.
//!
//! MariaDB's `JSON` is `LONGTEXT COLLATE utf8mb4_bin CHECK (json_valid(…))`, and the result of a
//! query doesn't report the check. So mrc queries the catalogue on the query's own connection, once
//! per list of columns and [`REMEMBERED`]. It asks only for tables with a selected column that may
//! be JSON. An answer with other columns is another list: most table changes are noticed at once.
//!
//! JSON whose table the server doesn't report stays text: expressions such as `JSON_EXTRACT(…)`,
//! columns of views, of a `UNION`, of derived tables. A derived table or CTE named like a table
//! counts as that table, if that has a JSON column of the same name.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Column, Conn};
use tokio::time::Instant;

use super::columns;
use crate::driver::JSON_COLUMNS_OF_TABLE;

/// After this time an `ALTER TABLE` is noticed that makes JSON of a `LONGTEXT` with that collation.
const REMEMBERED: Duration = Duration::from_secs(300);

/// The number of lists of columns to remember. Above it the catalogue is queried more often.
const MOST_LISTS: usize = 4096;

/// MariaDB versions with JSON columns begin at 10. MySQL isn't asked, as it has a JSON type.
const MARIADB: u16 = 10;

/// The known JSON columns.
#[derive(Debug, Default)]
pub(super) struct JsonColumns {
    lists: Mutex<HashMap<List, Known>>,
}

/// A table, and the description of its columns in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct List {
    schema: String,
    table: String,
    looks: u64,
}

#[derive(Debug)]
struct Known {
    /// The names of the table's JSON columns.
    json: Vec<String>,
    until: Instant,
}

impl JsonColumns {
    /// Returns for each column of an answer whether it is JSON. Returns `None` if that is unknown.
    pub(super) fn known(&self, answer: &[Column]) -> Option<Vec<bool>> {
        let is_json = |column| match columns::may_be_mariadb_json(column) {
            true => self.remembered(&list_of(column, answer), &column.org_name_str()),
            false => Some(false),
        };
        answer.iter().map(is_json).collect()
    }

    /// Returns for each column of an answer whether it is a JSON column of MariaDB.
    pub(super) async fn among(&self, conn: &mut Conn, answer: &[Column]) -> mysql_async::Result<Vec<bool>> {
        let (major, ..) = conn.server_version();
        let mut found = vec![false; answer.len()];
        for (column, is_json) in answer.iter().zip(&mut found) {
            if major >= MARIADB && columns::may_be_mariadb_json(column) {
                *is_json = self.is_json(conn, column, answer).await?;
            }
        }
        Ok(found)
    }

    async fn is_json(&self, conn: &mut Conn, column: &Column, answer: &[Column]) -> mysql_async::Result<bool> {
        let (list, name) = (list_of(column, answer), column.org_name_str());
        if let Some(known) = self.remembered(&list, &name) {
            return Ok(known);
        }
        let columns: Vec<String> = match conn.exec(JSON_COLUMNS_OF_TABLE, (&list.schema, &list.table)).await {
            Ok(columns) => columns,
            // The server lacks that table of the catalogue or hides it: JSON stays text.
            Err(mysql_async::Error::Server(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let is_json = columns.iter().any(|json| *json == name);
        self.remember(list, columns);
        Ok(is_json)
    }

    fn remembered(&self, list: &List, column: &str) -> Option<bool> {
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lists.get(list).filter(|known| Instant::now() < known.until)?;
        Some(known.json.iter().any(|json| json == column))
    }

    fn remember(&self, list: List, json: Vec<String>) {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if lists.len() >= MOST_LISTS {
            lists.retain(|_, known| now < known.until);
        }
        if lists.len() < MOST_LISTS || lists.contains_key(&list) {
            lists.insert(list, Known { json, until: now + REMEMBERED });
        }
    }
}

/// Returns the list of columns to which this column belongs.
fn list_of(column: &Column, answer: &[Column]) -> List {
    let table = |column: &Column| (column.schema_str().into_owned(), column.org_table_str().into_owned());
    let (schema, name) = table(column);
    let mut looks = DefaultHasher::new();
    for other in answer.iter().filter(|other| other.org_table_ref() == column.org_table_ref()) {
        (other.org_name_ref(), u8::from(other.column_type()), other.column_length()).hash(&mut looks);
    }
    List { schema, table: name, looks: looks.finish() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(looks: u64) -> List {
        List { schema: "db".into(), table: "t".into(), looks }
    }

    #[tokio::test(start_paused = true)]
    async fn answers_are_forgotten_in_time() {
        let known = JsonColumns::default();
        assert_eq!(known.remembered(&list(1), "js"), None);
        known.remember(list(1), vec!["js".into()]);
        assert_eq!(known.remembered(&list(1), "js"), Some(true));
        assert_eq!(known.remembered(&list(1), "text"), Some(false));
        assert_eq!(known.remembered(&list(2), "js"), None);
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(known.remembered(&list(1), "js"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_memory_is_bounded() {
        let known = JsonColumns::default();
        (0..=MOST_LISTS as u64).for_each(|n| known.remember(list(n), vec![]));
        assert_eq!(known.lists.lock().unwrap().len(), MOST_LISTS);
        tokio::time::advance(REMEMBERED).await;
        known.remember(list(u64::MAX), vec![]);
        assert_eq!(known.lists.lock().unwrap().len(), 1);
    }
}
