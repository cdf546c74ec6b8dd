//! Tables, and the values of their changed rows.

/// A table as a `TABLE_MAP` event describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The number of this version of the table. An `ALTER` gives it another.
    pub id: u64,
    /// The database.
    pub schema: String,
    /// The name.
    pub name: String,
    /// The columns, in order.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name. `None` unless the server has `binlog_row_metadata=FULL`.
    pub name: Option<String>,
    /// The type.
    pub kind: ColumnType,
    /// Whether an integer or decimal is unsigned. `None` if the server doesn't tell.
    pub unsigned: Option<bool>,
    /// Whether it can be `NULL`.
    pub nullable: bool,
    /// The number of the collation of text; 63 of binary. `None` if the server doesn't tell.
    pub collation: Option<u16>,
    /// The members of an `ENUM` or a `SET`, if the server tells.
    pub members: Vec<Vec<u8>>,
}

/// The type of a column, with what the binlog needs to decode it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnType {
    /// `TINYINT`.
    Tiny,
    /// `SMALLINT`.
    Short,
    /// `MEDIUMINT`.
    Medium,
    /// `INT`.
    Long,
    /// `BIGINT`.
    LongLong,
    /// `YEAR`.
    Year,
    /// `FLOAT`.
    Float,
    /// `DOUBLE`.
    Double,
    /// `DECIMAL(precision, scale)`.
    Decimal {
        /// All digits.
        precision: u8,
        /// The digits of the fraction.
        scale: u8,
    },
    /// `VARCHAR`, `VARBINARY` of at most so many bytes.
    Varchar(u16),
    /// `CHAR`, `BINARY` of at most so many bytes.
    Char(u16),
    /// `TEXT`, `BLOB` whose length takes so many bytes.
    Blob(u8),
    /// `JSON` of MySQL whose length takes so many bytes.
    Json(u8),
    /// `GEOMETRY` whose length takes so many bytes.
    Geometry(u8),
    /// `VECTOR` whose length takes so many bytes.
    Vector(u8),
    /// `ENUM` of so many bytes.
    Enum(u8),
    /// `SET` of so many bytes.
    Set(u8),
    /// `BIT` of so many bits.
    Bit(u16),
    /// `DATE`.
    Date,
    /// `TIME` with so many digits of fraction.
    Time(u8),
    /// `DATETIME` with so many digits of fraction.
    DateTime(u8),
    /// `TIMESTAMP` with so many digits of fraction.
    Timestamp(u8),
    /// A `COMPRESSED` column of MariaDB, which isn't decoded. Its length takes so many bytes.
    Compressed(u8),
    /// `TIME`, `DATETIME`, `TIMESTAMP` of a table from before MySQL 5.6, of so many bytes.
    OldTemporal(u8),
    /// A type whose values have an unknown length, by its number in the protocol. A row with such a
    /// value can't be read. 7, 11 and 12 are the types of MariaDB's `mysql56_temporal_format=OFF`.
    Unknown(u8),
}

/// A value in a row image, as the binlog has it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Cell<'a> {
    /// The image lacks the column: `binlog_row_image` isn't `FULL`, or nobody asked for it.
    Absent,
    /// `NULL`.
    Null,
    /// An integer that fits, signed or unsigned. `YEAR` too.
    Int(i64),
    /// An unsigned integer above `i64::MAX`.
    UInt(u64),
    /// `DECIMAL`, with all digits of its scale: `-12.50`.
    Decimal(String),
    /// `FLOAT`.
    Float(f32),
    /// `DOUBLE`.
    Double(f64),
    /// Text of `CHAR`, `VARCHAR`, `TEXT`, in its charset; bytes of `BINARY`, `VARBINARY`, `BLOB`.
    Bytes(&'a [u8]),
    /// Bytes of `BINARY` that end in zeros. The binlog omits these zeros, so they are added here.
    Padded(Vec<u8>),
    /// `DATE`: `2026-11-28`.
    Date(String),
    /// `TIME` with the digits of its column: `-12:30:00.5`.
    Time(String),
    /// `DATETIME` with the digits of its column: `2026-11-28 12:30:00`.
    DateTime(String),
    /// `TIMESTAMP`: seconds since 1970 in UTC, microseconds, digits of the column.
    Timestamp {
        /// The seconds.
        seconds: u32,
        /// The microseconds.
        micros: u32,
        /// The digits of the fraction, 0 to 6.
        digits: u8,
    },
    /// The index of an `ENUM`, from 1; 0 is the invalid value.
    Enum(u16),
    /// The bits of a `SET`, or of a `BIT` column.
    Bits(u64),
    /// A value that isn't decoded: `JSON`, `GEOMETRY`, `VECTOR`, `COMPRESSED` columns, and temporal
    /// types from before MySQL 5.6.
    Opaque,
}

/// The wanted columns of one image of a row, in the order in which they were asked for.
pub type Image<'a> = Vec<Cell<'a>>;

/// A changed row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Change<'a> {
    /// The row before: of an update or a delete.
    pub before: Option<Image<'a>>,
    /// The row after: of an insert or an update.
    pub after: Option<Image<'a>>,
}
