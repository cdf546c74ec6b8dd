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

mod cell;
mod compress;
mod decimal;
mod decoder;
mod digits;
mod error;
mod gtid;
mod metadata;
mod number;
mod payload;
mod query;
mod raw;
mod read;
mod rows;
mod table;
mod table_map;
mod temporal;
mod value;
mod xa;

use std::sync::Arc;

pub use cell::{Cell, Change, Image};
pub use decoder::{Decoder, Flavor};
pub use error::{DecodeError, Fault};
pub use gtid::Gtid;
pub use payload::{Payload, PayloadEvents};
pub use query::Query;
pub use raw::{OwnedEvent, RawEvent};
pub use rows::{Changes, Operation, Rows};
pub use table::{Column, ColumnType, Table};
pub use xa::XaPrepare;

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
        /// The name of the file. Some servers append a checksum of 4 bytes to the first one of a
        /// stream.
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
        /// Whether the server says that the event may be ignored. If `false`, anything may have
        /// changed.
        ignorable: bool,
    },
}
