//! A column as the database describes it, and one value of the column.

use crate::temporal::{Date, DateTime, Time};

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name, as selected.
    pub name: String,
    /// The type of its cells.
    pub kind: ColumnKind,
    /// The alias of its table; empty for an expression. Default: `None`, not known.
    ///
    /// Only [`RowFormat::Python`](crate::RowFormat::Python) reads it, if two columns have one name.
    pub table: Option<String>,
    /// The digits after the point that the server prints of a `FLOAT` or `DOUBLE`, such as
    /// `FLOAT(7,3)`. Default: `None`, the server prints as many as the number has.
    ///
    /// Only [`RowFormat::TypeScript`](crate::RowFormat::TypeScript) and
    /// [`RowFormat::Python`](crate::RowFormat::Python) read it: their peers read the server's text.
    pub decimals: Option<u8>,
}

impl Column {
    /// Returns a column.
    pub fn new(name: impl Into<String>, kind: ColumnKind) -> Self {
        Self { name: name.into(), kind, table: None, decimals: None }
    }

    /// Sets how many digits after the point the server prints of a `FLOAT` or `DOUBLE`.
    #[must_use]
    pub fn with_decimals(self, decimals: u8) -> Self {
        Self { decimals: Some(decimals), ..self }
    }

    /// Sets the table that it was selected from: the alias, or the empty text for an expression.
    #[must_use]
    pub fn in_table(self, table: impl Into<String>) -> Self {
        Self { table: Some(table.into()), ..self }
    }
}

/// The SQL type of a column, as far as JSON distinguishes types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnKind {
    /// Every integer type, `TINYINT(1)` included.
    Int,
    /// `DECIMAL`, `NUMERIC`.
    Decimal,
    /// `FLOAT`: 32 bits.
    Float,
    /// `DOUBLE`: 64 bits.
    Double,
    /// `YEAR`.
    Year,
    /// `BIT(n)`.
    Bit,
    /// `BIT(n)` whose bytes are the number's digits: an expression of MariaDB, such as `MAX(b)`.
    BitDigits,
    /// `CHAR`, `VARCHAR`, `TEXT`, `ENUM`, `SET`: anything that is text.
    Text,
    /// `BINARY`, `VARBINARY`, `BLOB`: bytes that are not text.
    Binary,
    /// `JSON`.
    Json,
    /// `DATE`.
    Date,
    /// `DATETIME`, `TIMESTAMP`.
    DateTime {
        /// Digits after the second, 0 to 6.
        fraction: u8,
    },
    /// `TIME`.
    Time {
        /// Digits after the second, 0 to 6.
        fraction: u8,
    },
    /// `GEOMETRY` and its kin: the server's bytes (4 bytes of SRID, then WKB).
    Geometry,
    /// `VECTOR` of MySQL: 32-bit floats, least significant byte first.
    Vector,
    /// An expression that can only be NULL.
    Null,
}

/// One value of a row, borrowed from the driver.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Cell<'a> {
    /// SQL `NULL`.
    Null,
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// A 32-bit float.
    Float(f32),
    /// A 64-bit float.
    Double(f64),
    /// A `FLOAT` or `DOUBLE` as the server's text protocol prints it.
    Number(&'a str),
    /// The digits of a `DECIMAL`.
    Decimal(&'a str),
    /// Text.
    Text(&'a str),
    /// The bytes of a `BINARY`, `BLOB`, `GEOMETRY` or `VECTOR` column; a `BIT`'s are big-endian.
    Bytes(&'a [u8]),
    /// A JSON document, as the server prints it.
    Json(&'a str),
    /// A date.
    Date(Date),
    /// A date with a time of day.
    DateTime(DateTime),
    /// A time.
    Time(Time),
}
