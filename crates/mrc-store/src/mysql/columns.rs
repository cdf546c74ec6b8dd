//! The kind of a column, derived from the server's description.

use mrc_core::ColumnKind;
use mysql_async::Column;
use mysql_async::consts::{ColumnFlags, ColumnType};

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
pub(super) fn may_be_mariadb_json(column: &Column) -> bool {
    column.column_type() == ColumnType::MYSQL_TYPE_BLOB
        && column.character_set() != BINARY
        && column.column_length() == LONGTEXT
        && column.flags().contains(ColumnFlags::BINARY_FLAG)
        && !column.org_table_ref().is_empty()
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
