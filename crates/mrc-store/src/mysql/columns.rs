//! The kind of a column, derived from the server's description, and the JSON columns of MariaDB.
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

use mrc_core::ColumnKind;
use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::prelude::Queryable;
use mysql_async::{Column, Conn};

use crate::driver::{Catalogue, JSON_COLUMNS_OF_TABLE};

/// The character set for bytes. Numbers and dates have it too, so check the type first.
const BINARY: u16 = 63;

/// The length of a `LONGTEXT`, and therefore of a MariaDB `JSON` column.
const LONGTEXT: u32 = u32::MAX;

/// From this number of decimals on, servers print all that a float has: MySQL 31, MariaDB 39.
const NOT_FIXED: u8 = 31;

/// Describes a column for the row formats. A MariaDB JSON column is text unless `is_json`.
pub(super) fn described(column: &Column, is_json: bool) -> mrc_core::Column {
    let kind = if is_json { ColumnKind::Json } else { kind(column) };
    let described = mrc_core::Column::new(column.name_str(), kind).in_table(column.table_str());
    let is_float = matches!(kind, ColumnKind::Float | ColumnKind::Double);
    let decimals = column.decimals();
    if is_float && decimals < NOT_FIXED { described.with_decimals(decimals) } else { described }
}

/// Returns the kind of a column, text for MariaDB's JSON: see [`may_be_mariadb_json`].
fn kind(column: &Column) -> ColumnKind {
    use ColumnType::*;
    match column.column_type() {
        MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_LONG | MYSQL_TYPE_INT24 | MYSQL_TYPE_LONGLONG => {
            ColumnKind::Int
        }
        MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL => ColumnKind::Decimal,
        MYSQL_TYPE_FLOAT => ColumnKind::Float,
        MYSQL_TYPE_DOUBLE => ColumnKind::Double,
        MYSQL_TYPE_YEAR => ColumnKind::Year,
        MYSQL_TYPE_BIT if column.flags().contains(ColumnFlags::BINARY_FLAG) => ColumnKind::BitDigits,
        MYSQL_TYPE_BIT => ColumnKind::Bit,
        MYSQL_TYPE_JSON => ColumnKind::Json,
        MYSQL_TYPE_DATE | MYSQL_TYPE_NEWDATE => ColumnKind::Date,
        MYSQL_TYPE_DATETIME | MYSQL_TYPE_DATETIME2 | MYSQL_TYPE_TIMESTAMP | MYSQL_TYPE_TIMESTAMP2 => {
            ColumnKind::DateTime { fraction: fraction(column) }
        }
        MYSQL_TYPE_TIME | MYSQL_TYPE_TIME2 => ColumnKind::Time { fraction: fraction(column) },
        MYSQL_TYPE_GEOMETRY => ColumnKind::Geometry,
        MYSQL_TYPE_NULL => ColumnKind::Null,
        MYSQL_TYPE_VECTOR => ColumnKind::Vector,
        _ if column.character_set() == BINARY => ColumnKind::Binary,
        _ => ColumnKind::Text,
    }
}

/// Returns the digits after the second. Expressions without a fixed precision report 31 or more.
fn fraction(column: &Column) -> u8 {
    column.decimals().min(6)
}

/// Returns whether a column may be MariaDB JSON. `LONGTEXT COLLATE utf8mb4_bin` looks the same.
fn may_be_mariadb_json(column: &Column) -> bool {
    column.column_type() == ColumnType::MYSQL_TYPE_BLOB
        && column.character_set() != BINARY
        && column.column_length() == LONGTEXT
        && column.flags().contains(ColumnFlags::BINARY_FLAG)
        && !column.org_table_ref().is_empty()
}

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
        let is_json = |column| match may_be_mariadb_json(column) {
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
            if major >= MARIADB && may_be_mariadb_json(column) {
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

    fn column(of: ColumnType, character_set: u16) -> Column {
        Column::new(of).with_character_set(character_set)
    }

    #[test]
    fn the_character_set_separates_text_from_bytes_but_not_numbers() {
        use ColumnType::*;
        for of in [MYSQL_TYPE_STRING, MYSQL_TYPE_VAR_STRING, MYSQL_TYPE_BLOB] {
            assert_eq!(kind(&column(of, 45)), ColumnKind::Text);
            assert_eq!(kind(&column(of, BINARY)), ColumnKind::Binary);
        }
        assert_eq!(kind(&column(MYSQL_TYPE_LONGLONG, BINARY)), ColumnKind::Int);
        assert_eq!(kind(&column(MYSQL_TYPE_DATE, BINARY)), ColumnKind::Date);
        assert_eq!(kind(&column(MYSQL_TYPE_JSON, BINARY)), ColumnKind::Json);
    }

    #[test]
    fn fractions_are_at_most_microseconds() {
        let of = |decimals| kind(&column(ColumnType::MYSQL_TYPE_DATETIME, BINARY).with_decimals(decimals));
        assert_eq!(of(0), ColumnKind::DateTime { fraction: 0 });
        assert_eq!(of(3), ColumnKind::DateTime { fraction: 3 });
        assert_eq!(of(31), ColumnKind::DateTime { fraction: 6 });
    }

    #[test]
    fn floats_with_fixed_decimals_are_distinguished_from_others() {
        let of = |kind, decimals| described(&column(kind, BINARY).with_decimals(decimals), false).decimals;
        assert_eq!(of(ColumnType::MYSQL_TYPE_FLOAT, 3), Some(3));
        assert_eq!(of(ColumnType::MYSQL_TYPE_DOUBLE, 0), Some(0));
        assert_eq!([31, 39].map(|decimals| of(ColumnType::MYSQL_TYPE_DOUBLE, decimals)), [None, None]);
        assert_eq!(of(ColumnType::MYSQL_TYPE_NEWDECIMAL, 2), None);
    }

    #[test]
    fn only_a_column_of_a_table_may_be_json() {
        let expression = column(ColumnType::MYSQL_TYPE_BLOB, 45)
            .with_column_length(LONGTEXT)
            .with_flags(ColumnFlags::BINARY_FLAG | ColumnFlags::BLOB_FLAG);
        assert!(!may_be_mariadb_json(&expression));
        let of_table = expression.with_org_table(b"t");
        assert!(may_be_mariadb_json(&of_table));
        assert!(!may_be_mariadb_json(&of_table.with_character_set(BINARY)));
    }
}
