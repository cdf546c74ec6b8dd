//! Finds the JSON columns of MariaDB.
//!
//! MariaDB's `JSON` is `LONGTEXT COLLATE utf8mb4_bin CHECK (json_valid(…))`, and the result of a
//! query doesn't report the check. So mrc queries the catalogue on the query's own connection, once
//! per list of columns and 5 minutes. It asks only for tables with a selected column that may
//! be JSON. An answer with other columns is another list: most table changes are noticed at once.
//!
//! JSON whose table the server doesn't report stays text: expressions such as `JSON_EXTRACT(…)`,
//! columns of views, of a `UNION`, of derived tables. A derived table or CTE named like a table
//! counts as that table, if that has a JSON column of the same name.

use std::hash::{DefaultHasher, Hash, Hasher};

use mysql_async::prelude::Queryable;
use mysql_async::{Column, Conn};

use super::columns;
use crate::driver::{Catalogue, JSON_COLUMNS_OF_TABLE};

/// MariaDB versions with JSON columns begin at 10. MySQL isn't asked, as it has a JSON type.
const MARIADB: u16 = 10;

/// The names of the JSON columns in each known list.
#[derive(Debug, Default)]
pub(super) struct JsonColumns(Catalogue<List, Vec<String>>);

/// A table, and the description of its columns in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct List {
    schema: String,
    table: String,
    looks: u64,
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
        self.0.remember(list, columns);
        Ok(is_json)
    }

    fn remembered(&self, list: &List, column: &str) -> Option<bool> {
        self.0.get(list, |columns| columns.iter().any(|json| json == column))
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
