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
mod error;
mod read;
mod rows;
mod table;
mod table_map;
mod text;
mod transaction;
mod value;

use std::sync::Arc;

pub use compress::{Payload, PayloadEvents};
pub use decoder::{Decoder, Flavor};
pub use error::{DecodeError, Fault};
pub use rows::{Changes, Operation, Rows};
pub use table::{Cell, Change, Column, ColumnType, Image, Table};
pub use transaction::{Gtid, Query, XaPrepare};

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

impl RawEvent<'_> {
    /// The flag of events that may be ignored by a reader that doesn't know them.
    const IGNORABLE: u16 = 0x80;

    /// Returns whether the server allows to ignore the event.
    pub(super) fn is_ignorable(&self) -> bool {
        self.flags & Self::IGNORABLE != 0
    }
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
    /// Returns the event, for [`Decoder::decode`](super::Decoder::decode).
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
