//! The events of a binlog: bytes to tables, rows and transactions. Pure, without I/O.
//!
//! A [`Decoder`] takes the events of one stream in their order, as [`RawEvent`]s without checksum,
//! and returns [`Event`]s that borrow their bytes. Only the wanted cells of a row are decoded.
//!
//! A value that can't be decoded is a [`DecodeError`] with its table and column, never a guess and
//! never a panic.
//!
//! ```
//! use mrc_follow::event::{Decoder, Event, Flavor, RawEvent};
//!
//! let mut decoder = Decoder::new(Flavor::MySql);
//! let body = &[7, 0, 0, 0, 0, 0, 0, 0];
//! let raw = RawEvent { kind: 0x10, timestamp: 0, server_id: 1, log_pos: 0, flags: 0, body };
//! assert_eq!(decoder.decode(raw)?, Event::Xid(7));
//! # Ok::<_, mrc_follow::event::DecodeError>(())
//! ```

mod compress;
mod decoder;
mod read;
mod rows;
mod table;
mod table_map;
mod transaction;
mod value;

use std::sync::Arc;

pub use compress::{Payload, PayloadEvents};
pub use decoder::{Decoder, Flavor};
pub use rows::{Changes, Operation, Rows};
pub use table::{Cell, Change, Column, ColumnType, Image, Table};
pub use transaction::{Gtid, Query, XaPrepare};
pub(crate) use value::BINARY;

/// A decoded event.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A transaction begins.
    Gtid(Gtid),
    /// A statement: `BEGIN`, `COMMIT`, DDL, or a change in statement format.
    Query(Query<'a>),
    /// A table whose rows may follow. A table without rows may have changed by a cascade.
    TableMap(Arc<Table>),
    /// Changed rows.
    Rows(Rows<'a>),
    /// A transaction ends in a commit. The number is the server's own.
    Xid(u64),
    /// A branch of a distributed transaction is prepared, or committed in one phase.
    XaPrepare(XaPrepare<'a>),
    /// A compressed transaction. Each of its events goes to [`Decoder::decode`].
    Payload(Payload<'a>),
    /// The stream goes on in another file.
    Rotate {
        /// The position in the file, in bytes.
        position: u64,
        /// The name of the file. Some servers append a checksum of 4 bytes to a stream's first one.
        file: &'a [u8],
    },
    /// A file begins.
    FormatDescription {
        /// The version of the server: `9.7.4`, `10.11.19-MariaDB-log`.
        server_version: &'a [u8],
    },
    /// The stream is alive and nothing has happened.
    Heartbeat,
    /// The transactions of all files before.
    PreviousGtids,
    /// A known event that changes no data.
    Ignorable,
    /// An event that this version doesn't know.
    Unknown {
        /// The type, as a number of the protocol.
        kind: u8,
        /// Whether the server allows to ignore the event. If `false`, anything may have changed.
        ignorable: bool,
    },
}

/// An event whose body isn't decoded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawEvent<'a> {
    /// The type, as a number of the protocol.
    pub kind: u8,
    /// The time at which the statement began, in seconds since 1970.
    pub timestamp: u32,
    /// The server on which the statement ran.
    pub server_id: u32,
    /// The position behind the event in its file. 0 in a compressed transaction.
    pub log_pos: u32,
    /// The flags of the header.
    pub flags: u16,
    /// The bytes after the header, without a checksum.
    pub body: &'a [u8],
}

/// An event of a compressed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedEvent {
    pub(super) kind: u8,
    pub(super) timestamp: u32,
    pub(super) server_id: u32,
    pub(super) log_pos: u32,
    pub(super) flags: u16,
    pub(super) body: Vec<u8>,
}

impl OwnedEvent {
    /// Returns the event, for [`Decoder::decode`].
    pub fn as_raw(&self) -> RawEvent<'_> {
        RawEvent {
            kind: self.kind,
            timestamp: self.timestamp,
            server_id: self.server_id,
            log_pos: self.log_pos,
            flags: self.flags,
            body: &self.body,
        }
    }
}

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
