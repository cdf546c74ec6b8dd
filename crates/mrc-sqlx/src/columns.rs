//! The types of columns, from sqlx's metadata. The JSON columns of MariaDB come from the catalogue,
//! with the query of `MySqlExecutor`, once a column per 5 minutes.

use mrc_core::{Column, ColumnKind};
use mrc_store::driver::{Catalogue, JSON_COLUMNS_OF_TABLE};
use serde::Deserialize;
use sqlx::mysql::{MySqlColumn, MySqlConnection, MySqlTypeInfo};
use sqlx::{Column as _, Error, Row, TypeInfo};

/// The collation "binary". Numbers and dates have it too, so the type is checked first.
const BINARY: u16 = 63;

/// The length of a `LONGTEXT`, and thus of a `JSON` column of MariaDB.
const LONGTEXT: u32 = u32::MAX;

/// The lengths in characters of a `DATETIME` and of a `TIME`, without a fraction.
const DATETIME: u32 = 19;
const TIME: u32 = 10;

/// A column of an answer.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) column: Column,
    pub(crate) layout: Layout,
    /// The table with its database, and the name there, if the column may be JSON of MariaDB.
    pub(crate) may_be_json: Option<(String, String)>,
}

/// The layout of a value in the binary protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Int { unsigned: bool },
    Float,
    Double,
    Date,
    Time,
    Bytes,
}

/// A type as sqlx writes it to its offline files, the only form with all of these fields.
#[derive(Debug, Deserialize)]
struct Stored {
    r#type: String,
    /// Names, separated by `|`.
    flags: String,
    collation: u16,
    max_size: Option<u32>,
}

/// Returns the columns of an answer.
///
/// # Errors
/// The reason why a column can't be read: this crate doesn't know the version of sqlx.
pub(crate) fn describe(columns: &[MySqlColumn]) -> Result<Vec<Described>, String> {
    columns.iter().map(|column| described(column).map_err(|why| format!("column {:?}: {why}", column.name()))).collect()
}

fn described(column: &MySqlColumn) -> Result<Described, String> {
    let stored = stored(column.type_info())?;
    let (kind, layout) = stored.kind()?;
    let may_be_json = match column.origin() {
        sqlx::ColumnOrigin::Table(of) if stored.may_be_mariadb_json() => {
            Some((of.table.to_string(), of.name.to_string()))
        }
        _ => None,
    };
    Ok(Described { column: Column::new(column.name(), kind), layout, may_be_json })
}

fn stored(info: &MySqlTypeInfo) -> Result<Stored, String> {
    serde_json::to_value(info)
        .and_then(serde_json::from_value)
        .map_err(|error| format!("sqlx describes {} in an unknown way: {error}", info.name()))
}

impl Stored {
    fn kind(&self) -> Result<(ColumnKind, Layout), String> {
        let unsigned = self.has("UNSIGNED");
        Ok(match self.r#type.as_str() {
            "Tiny" | "Short" | "Long" | "Int24" | "LongLong" => (ColumnKind::Int, Layout::Int { unsigned }),
            "Year" => (ColumnKind::Year, Layout::Int { unsigned: true }),
            "Decimal" | "NewDecimal" => (ColumnKind::Decimal, Layout::Bytes),
            "Float" => (ColumnKind::Float, Layout::Float),
            "Double" => (ColumnKind::Double, Layout::Double),
            "Bit" if self.has("BINARY") => (ColumnKind::BitDigits, Layout::Bytes),
            "Bit" => (ColumnKind::Bit, Layout::Bytes),
            "Json" => (ColumnKind::Json, Layout::Bytes),
            "Date" => (ColumnKind::Date, Layout::Date),
            "Datetime" | "Timestamp" => (ColumnKind::DateTime { fraction: self.fraction(DATETIME) }, Layout::Date),
            "Time" => (ColumnKind::Time { fraction: self.fraction(TIME) }, Layout::Time),
            "Geometry" => (ColumnKind::Geometry, Layout::Bytes),
            "Null" => (ColumnKind::Null, Layout::Bytes),
            "VarChar" | "Enum" | "Set" | "TinyBlob" | "MediumBlob" | "LongBlob" | "Blob" | "VarString" | "String" => {
                (if self.collation == BINARY { ColumnKind::Binary } else { ColumnKind::Text }, Layout::Bytes)
            }
            other => return Err(format!("sqlx calls its type {other}, which is unknown here")),
        })
    }

    /// Returns the digits after the second. The length counts them and the point.
    fn fraction(&self, without: u32) -> u8 {
        let more = self.max_size.unwrap_or_default().saturating_sub(without + 1);
        more.min(6) as u8
    }

    /// Returns whether this may be JSON of MariaDB. `LONGTEXT COLLATE utf8mb4_bin` looks the same.
    fn may_be_mariadb_json(&self) -> bool {
        self.r#type == "Blob" && self.collation != BINARY && self.max_size == Some(LONGTEXT) && self.has("BINARY")
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.split('|').any(|name| name.trim() == flag)
    }
}

/// A table with its database, and a column.
type Name = (String, String);

/// For each known column: whether it is JSON.
#[derive(Debug, Default)]
pub(crate) struct JsonColumns(Catalogue<Name, bool>);

impl JsonColumns {
    /// Marks the columns known as JSON. Returns false if the catalogue must be asked for a column.
    pub(crate) fn apply(&self, columns: &mut [Described]) -> bool {
        columns.iter_mut().all(|described| {
            let Some(name) = &described.may_be_json else { return true };
            let Some(is_json) = self.0.get(name, |is_json| *is_json) else { return false };
            if is_json {
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
            self.0.remember(name.clone(), is_json);
            if is_json {
                described.column.kind = ColumnKind::Json;
            }
        }
        Ok(())
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
    use super::*;

    fn of(r#type: &str, flags: &str, collation: u16, max_size: u32) -> Stored {
        Stored { r#type: r#type.into(), flags: flags.into(), collation, max_size: Some(max_size) }
    }

    #[test]
    fn the_types_of_sqlx_show_all_that_is_needed() {
        let text = stored(&<str as sqlx::Type<sqlx::MySql>>::type_info()).unwrap();
        assert_eq!((text.r#type.as_str(), text.has("BINARY")), ("VarString", false));
        assert_ne!(text.collation, BINARY);
        let number = stored(&<u64 as sqlx::Type<sqlx::MySql>>::type_info()).unwrap();
        assert_eq!(number.kind(), Ok((ColumnKind::Int, Layout::Int { unsigned: true })));
    }

    #[test]
    fn the_collation_separates_text_from_bytes_but_not_numbers() {
        for of_type in ["String", "VarString", "Blob"] {
            assert_eq!(of(of_type, "BINARY", 46, 4).kind(), Ok((ColumnKind::Text, Layout::Bytes)));
            assert_eq!(of(of_type, "BINARY", BINARY, 4).kind(), Ok((ColumnKind::Binary, Layout::Bytes)));
        }
        assert_eq!(of("Json", "BINARY", BINARY, 4).kind(), Ok((ColumnKind::Json, Layout::Bytes)));
        assert!(of("Vector", "", BINARY, 4).kind().unwrap_err().contains("Vector"));
    }

    #[test]
    fn the_length_shows_the_fraction() {
        let fraction = |length| of("Datetime", "BINARY", BINARY, length).fraction(DATETIME);
        assert_eq!([19, 21, 23, 26, 99, 10].map(fraction), [0, 1, 3, 6, 6, 0]);
    }

    #[test]
    fn a_column_is_known_once_it_is_remembered() {
        let known = JsonColumns::default();
        for (is_json, kind) in [(true, ColumnKind::Json), (false, ColumnKind::Text)] {
            let name = ("db.t".to_owned(), format!("c{is_json}"));
            let (column, layout) = (Column::new(&*name.1, ColumnKind::Text), Layout::Bytes);
            let mut columns = [Described { column, layout, may_be_json: Some(name.clone()) }];
            assert!(!known.apply(&mut columns));
            known.0.remember(name, is_json);
            assert!(known.apply(&mut columns));
            assert_eq!(columns[0].column.kind, kind);
        }
    }
}
