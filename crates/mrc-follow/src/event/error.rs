//! Events that can't be decoded.

/// An event that can't be decoded, with the table and the column if they are known.
///
/// The rows of the event are unknown, so everything of the table has to be invalidated, or
/// everything of all tables if [`table`](Self::table) is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    kind: u8,
    place: Option<Box<Place>>,
    fault: Fault,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    schema: String,
    table: String,
    column: Option<String>,
}

/// The reason why an event can't be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The event ends too early.
    #[error("the event ends too early")]
    Short,
    /// The event is longer than its content.
    #[error("the event has {0} bytes too many")]
    Long(usize),
    /// A part of the event has a value that is out of its range.
    #[error("{0} is out of range")]
    Invalid(&'static str),
    /// A column has a type that can't be decoded, by its number in the protocol.
    #[error("columns of type {0} can't be decoded")]
    Type(u8),
    /// The rows have another number of columns than the table.
    #[error("the rows have {rows} columns, the table has {table}")]
    Columns {
        /// The columns of the rows.
        rows: usize,
        /// The columns of the table.
        table: usize,
    },
    /// No `TABLE_MAP` event has described the table of the rows, by its number.
    #[error("no event has described table {0}")]
    NoTable(u64),
    /// Compressed bytes can't be decompressed, or not to their declared size.
    #[error("the event can't be decompressed")]
    Compression,
    /// The event would take more memory than the decoder allows.
    #[error("the event needs more than {0} bytes of memory")]
    Memory(usize),
}

impl DecodeError {
    pub(super) fn new(kind: u8, fault: Fault) -> Self {
        Self { kind, place: None, fault }
    }

    pub(super) fn in_table(self, schema: &str, table: &str, column: Option<String>) -> Self {
        let place = Place { schema: schema.to_owned(), table: table.to_owned(), column };
        Self { place: Some(Box::new(place)), ..self }
    }

    /// Returns the type of the event, as a number of the protocol.
    pub fn kind(&self) -> u8 {
        self.kind
    }

    /// Returns the schema and the name of the table. Returns `None` if the event doesn't tell.
    pub fn table(&self) -> Option<(&str, &str)> {
        self.place.as_ref().map(|place| (place.schema.as_str(), place.table.as_str()))
    }

    /// Returns the name of the column, or its number from 1 as `@3` if it has no name.
    pub fn column(&self) -> Option<&str> {
        self.place.as_ref()?.column.as_deref()
    }

    /// Returns the reason.
    pub fn fault(&self) -> Fault {
        self.fault
    }
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "event {:#04x}", self.kind)?;
        if let Some((schema, table)) = self.table() {
            write!(f, " of {schema}.{table}")?;
        }
        if let Some(column) = self.column() {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.fault)
    }
}

impl std::error::Error for DecodeError {}
