//! The types that a caller of the encoder sees: columns and cells, formats and errors.

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

/// The spelling of a row's values in JSON.
///
/// In all formats, NULL is `null`, integers and YEAR are numbers, and ENUM and SET are text. TIME
/// is the server's text (`"-838:59:59"`, `"01:02:03.120"`). A float that isn't finite is `null`.
///
/// | MySQL type | `Canonical` | `TypeScript` | `Python` |
/// |---|---|---|---|
/// | integers | exact | exact to 2^53, then the nearest double | exact |
/// | DECIMAL | a number with all its digits | the nearest double | the nearest double, `10.0` |
/// | FLOAT | shortest digits of the 32 bits | 6 digits | 6 digits, `1.0` |
/// | DOUBLE | `1e-7` | `1e-7` | `1e-07`, `1.0` |
/// | FLOAT(7,3), DOUBLE(10,2) | all digits of the number | the declared decimals | the declared decimals |
/// | text of digits | text | **a number** | text |
/// | DATETIME(3) | `"2025-01-15T10:30:00.120"` | `"2025-01-15T10:30:00.120Z"` | `"2025-01-15T10:30:00.120000"` |
/// | DATE | `"1993-06-15"` | `"1993-06-15T00:00:00.000Z"` | `"1993-06-15"` |
/// | zero DATETIME | `"0000-00-00T00:00:00"` | `null` | `"0000-00-00 00:00:00"` |
/// | zero DATE | `"0000-00-00"` | `"1899-11-30T00:00:00.000Z"` | `"0000-00-00"` |
/// | JSON | the document | the document, through `JSON.parse` | its text in a string |
/// | BIT | a number | `{"type":"Buffer","data":[1]}` | text, without invalid UTF-8 |
/// | BINARY, BLOB | base64 | `{"type":"Buffer","data":[…]}` | text, without invalid UTF-8 |
/// | VECTOR | base64 | `[0.5,2]`; **`[]` for NULL** | text, without invalid UTF-8 |
/// | GEOMETRY | base64 of SRID and WKB | `{"x":1,"y":2}` and arrays of it | text, without invalid UTF-8 |
/// | columns with one name | an error | the last one, in the place of the first | the second is `table.name` |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RowFormat {
    /// Without loss. The default.
    ///
    /// - DECIMAL is spelled as by `JSON.stringify` if a double holds it (`10.50` is `10.5`).
    ///   Otherwise all its digits stay, without the zeros that end the fraction.
    /// - DATETIME and TIMESTAMP are ISO 8601 without a zone, with the declared fraction digits.
    /// - JSON is embedded without white space; numbers, escapes and order stay as the server's.
    /// - Binary is base64 with the standard alphabet and padding. BIT is a number of up to 64 bits.
    /// - Zero dates and dates such as `2025-02-00` keep their digits.
    #[default]
    Canonical,
    /// As the npm peer writes it (4.1, mysql2 3.24) in the time zone UTC, with its quirks.
    ///
    /// - Text that looks like a number (`00123`, `1.50`, `-7`, `5.`) becomes a number.
    /// - Milliseconds are cut, not rounded. Impossible dates roll over: `2025-02-31` is 3 March.
    ///   Years below 100 become 19xx and 20xx, as in JavaScript's `Date`.
    /// - Columns whose names are array indexes (`SELECT 1`) come first, ascending.
    /// - A DOUBLE of 16 digits can differ from the stored one in the last digit, as in mysql2.
    TypeScript,
    /// As the PyPI peer writes it (0.4, aiomysql with PyMySQL), with its quirks.
    ///
    /// - TIME is written as text. The peer fails on TIME, so it can't have stored anything else.
    /// - A second column with one name is `table.name`, which needs
    ///   [`Column::table`](crate::Column::table). Without a table, the result is an error.
    Python,
}

impl std::str::FromStr for RowFormat {
    type Err = UnknownRowFormat;

    /// Reads `canonical`, `typescript` or `python`.
    fn from_str(name: &str) -> Result<Self, UnknownRowFormat> {
        match name {
            "canonical" => Ok(Self::Canonical),
            "typescript" => Ok(Self::TypeScript),
            "python" => Ok(Self::Python),
            _ => Err(UnknownRowFormat),
        }
    }
}

/// The name belongs to no row format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a row format is canonical, typescript or python")]
pub struct UnknownRowFormat;

/// A result can't be written as JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// Two columns have one name, and an object can't hold both.
    #[error("two columns are named {name:?}, and a JSON object can't hold both: give one of them another name with AS")]
    DuplicateColumn {
        /// The name.
        name: String,
    },
    /// A row has more or fewer cells than there are columns.
    #[error(
        "a row has {given} cells for {expected} columns: announce the columns first, then push one cell for each of them"
    )]
    CellCount {
        /// The number of columns.
        expected: usize,
        /// The number of cells that were pushed.
        given: usize,
    },
    /// The columns were announced after rows were written.
    #[error("the columns were announced after the first row: announce them once, before it")]
    LateColumns,
    /// A JSON column holds a value that is not JSON.
    #[error(
        "column {column:?} is JSON and holds a value that is not a JSON document: repair it, or select it as text with CAST(… AS CHAR)"
    )]
    InvalidJson {
        /// The name of the column.
        column: String,
    },
    /// A decimal, or a float of the text protocol, isn't a number of digits.
    #[error(
        "column {column:?} is a number and holds {digits:?}, which is not a number (MySQL sends a BIT so, within an IF with numbers: add `+ 0` to it)"
    )]
    InvalidDecimal {
        /// The name of the column.
        column: String,
        /// The value.
        digits: String,
    },
    /// A `BIT` value has more than 64 bits.
    #[error(
        "column {column:?} holds {bytes} bytes of bits, and a number takes at most 8: select it with HEX() or BIN()"
    )]
    WideBit {
        /// The name of the column.
        column: String,
        /// The number of bytes in the value, without leading zeros.
        bytes: usize,
    },
    /// The result of a batch doesn't have the column that tells its rows apart, or has it twice.
    #[error(
        "the batch must select exactly one column named {name:?}, which tells its rows apart: select it, with AS if need be"
    )]
    NoSplitColumn {
        /// The name of the column.
        name: String,
    },
    /// A row of a batch has a value of that column which wasn't asked for.
    #[error(
        "a row of the batch has a value of column {column:?} that wasn't asked for: ask for each value as the database \
         spells it, and compare this very column in the batch's WHERE"
    )]
    NotAsked {
        /// The name of the column.
        column: String,
    },
    /// A batch has other columns than the query of one value.
    #[error(
        "the batch selects {batch}, and the query of one value selects {single}: both must select the same columns in \
         the same order, since they fill the same entries"
    )]
    OtherColumns {
        /// The columns of the query of one value.
        single: String,
        /// The columns of the batch.
        batch: String,
    },
}
