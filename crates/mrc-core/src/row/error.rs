//! The reasons why a result can't be written.

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
