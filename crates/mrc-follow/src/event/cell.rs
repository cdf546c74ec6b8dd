//! The values of a changed row.

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
