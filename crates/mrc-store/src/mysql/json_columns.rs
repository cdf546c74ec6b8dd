//! Which columns of MariaDB are JSON.
//!
//! MariaDB's `JSON` is `LONGTEXT COLLATE utf8mb4_bin CHECK (json_valid(…))`, and the result of a query tells nothing of the
//! check. So the catalogue is asked, once a list of columns and [`REMEMBERED`], on the connection that the query used, and
//! only for tables of which the query selects a column that may be one. An answer of other columns is another list, so most
//! changes of a table are noticed at once.
//!
//! What the server doesn't tell the table of stays text: an expression such as `JSON_EXTRACT(…)`, a column of a view, of a
//! `UNION`, of a derived table. A derived table or CTE with the name of a table that has a JSON column of that name passes
//! for that table.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Column, Conn};
use tokio::time::Instant;

use super::columns;
use crate::driver::JSON_COLUMNS_OF_TABLE;

/// After this time an `ALTER TABLE` has been noticed that leaves the columns of an answer as they look: `LONGTEXT` made JSON.
const REMEMBERED: Duration = Duration::from_secs(300);

/// How many lists of columns are remembered. Who has more asks more often.
const MOST_LISTS: usize = 4096;

/// MariaDB's major versions begin at 10 wherever JSON columns exist; MySQL has a JSON type of its own and isn't asked.
const MARIADB: u16 = 10;

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct JsonColumns {
    lists: Mutex<HashMap<List, Known>>,
}

/// A table, and how the columns look that an answer has of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct List {
    schema: String,
    table: String,
    looks: u64,
}

#[derive(Debug)]
struct Known {
    /// The JSON columns of the table.
    json: Vec<String>,
    until: Instant,
}

impl JsonColumns {
    /// Which of an answer's columns are JSON columns of MariaDB, by position. `None` if the catalogue must be asked.
    pub(super) fn known(&self, answer: &[Column]) -> Option<Vec<bool>> {
        let is_json = |column| match columns::may_be_mariadb_json(column) {
            true => self.remembered(&list_of(column, answer), &column.org_name_str()),
            false => Some(false),
        };
        answer.iter().map(is_json).collect()
    }

    /// Which of an answer's columns are JSON columns of MariaDB, by position.
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
            // A server without that table of the catalogue, or that hides it: its JSON stays text.
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

/// The list of columns that this one belongs to.
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
