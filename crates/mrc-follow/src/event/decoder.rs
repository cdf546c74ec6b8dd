//! The decoder of a stream of events.

use std::collections::HashMap;
use std::sync::Arc;

use super::read::Reader;
use super::rows::{Header, Operation};
use super::table_map::Named;
use super::{Column, DecodeError, Event, Fault, Gtid, Payload, Query, RawEvent, Rows, Table, XaPrepare, compress};

/// The flag of events that may be ignored by a reader that doesn't know them.
const IGNORABLE: u16 = 0x80;

/// The most memory that described tables may take, estimated: 64 MiB.
const MOST_BYTES: usize = 64 << 20;

/// The kind of the server, whose events differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// MySQL 5.7 and newer.
    MySql,
    /// MariaDB 10.2 and newer.
    MariaDb,
}

/// Decodes the events of one stream, in their order.
///
/// The decoder keeps the tables that the current statement has described, at most 64 MiB.
#[derive(Debug)]
pub struct Decoder {
    flavor: Flavor,
    tables: HashMap<u64, Arc<Table>>,
    /// The estimated memory of the tables, in bytes.
    weight: usize,
}

impl Decoder {
    /// Creates a decoder for a stream of such a server.
    pub fn new(flavor: Flavor) -> Self {
        Self { flavor, tables: HashMap::new(), weight: 0 }
    }

    /// Decodes the next event.
    ///
    /// # Errors
    /// A [`DecodeError`] if the event can't be understood. The decoder can go on: rows of a table
    /// whose description failed are errors too.
    pub fn decode<'a>(&mut self, raw: RawEvent<'a>) -> Result<Event<'a>, DecodeError> {
        use Flavor::{MariaDb, MySql};
        let body = raw.body;
        let event = match (self.flavor, raw.kind) {
            (_, 0x02) => Query::read(body).map(Event::Query),
            (_, 0x04) => rotate(body),
            (_, 0x0F) => self.ends(format_description(body)),
            (_, 0x10) => self.ends(Reader::new(body).u64().map(Event::Xid)),
            (_, 0x12) => Query::load(body).map(Event::Query),
            (_, 0x13) => return self.table_map(raw),
            (_, 0x17..=0x19) => return self.rows(raw, Header { v2: false, compressed: false, partial: false }, 0x17),
            (_, 0x1B) | (MySql, 0x29) => Ok(Event::Heartbeat),
            (_, 0x1E..=0x20) => return self.rows(raw, Header { v2: true, compressed: false, partial: false }, 0x1E),
            (MySql, 0x21) => self.ends(Gtid::mysql(body).map(Event::Gtid)),
            (MySql, 0x22) => self.ends(Ok(Event::Gtid(Gtid::Anonymous))),
            (MySql, 0x23) => Ok(Event::PreviousGtids),
            (_, 0x26) => self.ends(XaPrepare::read(body).map(Event::XaPrepare)),
            // One type of event, an update.
            (MySql, 0x27) => return self.rows(raw, Header { v2: true, compressed: false, partial: true }, 0x26),
            (MySql, compress::PAYLOAD) => Payload::read(body).map(Event::Payload),
            (MySql, 0x2A) => self.ends(Gtid::tagged(body).map(Event::Gtid)),
            (MariaDb, 0xA2) => self.ends(Gtid::mariadb(body, raw.server_id).map(Event::Gtid)),
            (MariaDb, 0xA5) => Query::compressed(body).map(Event::Query),
            (MariaDb, 0xA6..=0xA8) => {
                return self.rows(raw, Header { v2: false, compressed: true, partial: false }, 0xA6);
            }
            (MariaDb, 0xA9..=0xAB) => {
                return self.rows(raw, Header { v2: true, compressed: true, partial: false }, 0xA9);
            }
            (flavor, kind) if is_harmless(flavor, kind) => Ok(Event::Ignorable),
            (_, kind) => Ok(Event::Unknown { kind, ignorable: raw.flags & IGNORABLE != 0 }),
        };
        event.map_err(|fault| DecodeError::new(raw.kind, fault))
    }

    /// Forgets the tables, since the event is the begin or the end of a transaction.
    fn ends<'a>(&mut self, event: Result<Event<'a>, Fault>) -> Result<Event<'a>, Fault> {
        self.forget_tables();
        event
    }

    fn forget_tables(&mut self) {
        self.tables.clear();
        self.weight = 0;
    }

    fn table_map<'a>(&mut self, raw: RawEvent<'a>) -> Result<Event<'a>, DecodeError> {
        let named = Named::read(raw.body).map_err(|fault| {
            // The event may have replaced any table.
            self.forget_tables();
            DecodeError::new(raw.kind, fault)
        })?;
        let columns = named.columns(self.flavor);
        let count = columns.as_ref().map_or(0, Vec::len);
        self.weight = self.weight.saturating_add(raw.body.len()).saturating_add(count * size_of::<Column>());
        if self.weight > MOST_BYTES {
            self.forget_tables();
            return Err(named.error(raw.kind, Fault::Memory(MOST_BYTES)));
        }
        // Without columns the table still has a name, for the error of its rows.
        let (columns, fault) = columns.map_or_else(|fault| (Vec::new(), Some(fault)), |columns| (columns, None));
        let (id, schema, name) = (named.id, named.schema.to_owned(), named.name.to_owned());
        let table = Arc::new(Table { id, schema, name, columns });
        self.tables.insert(id, Arc::clone(&table));
        fault.map_or(Ok(Event::TableMap(table)), |fault| Err(named.error(raw.kind, fault)))
    }

    /// Decodes an event with rows. `insert` is the number of the first of the three events.
    fn rows<'a>(&mut self, raw: RawEvent<'a>, header: Header, insert: u8) -> Result<Event<'a>, DecodeError> {
        let operation = match raw.kind.wrapping_sub(insert) {
            0 => Operation::Insert,
            1 => Operation::Update,
            _ => Operation::Delete,
        };
        let mut read = Reader::new(raw.body);
        let (id, flags) = Rows::table_and_flags(&mut read).map_err(|fault| DecodeError::new(raw.kind, fault))?;
        let table = self.tables.get(&id).cloned();
        let rows = Rows::read(raw.kind, read, header, operation, flags, id, table.clone());
        if Rows::ends_statement(flags) {
            self.forget_tables();
        }
        rows.map(Event::Rows).map_err(|fault| {
            let error = DecodeError::new(raw.kind, fault);
            table.iter().fold(error, |error, table| error.in_table(&table.schema, &table.name, None))
        })
    }
}

fn rotate(body: &[u8]) -> Result<Event<'_>, Fault> {
    let mut read = Reader::new(body);
    Ok(Event::Rotate { position: read.u64()?, file: read.rest() })
}

fn format_description(body: &[u8]) -> Result<Event<'_>, Fault> {
    let mut read = Reader::new(body);
    if read.u16()? != 4 {
        return Err(Fault::Invalid("the version of the binlog"));
    }
    let version = read.take(50)?;
    let version = version.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(Event::FormatDescription { server_version: version })
}

/// Returns whether an event is known, and changes no data.
fn is_harmless(flavor: Flavor, kind: u8) -> bool {
    match kind {
        // The end of a file. Variables of the statement that follows. Data of LOAD DATA, whose
        // statement follows.
        0x03 | 0x05 | 0x09 | 0x0B | 0x0D | 0x0E | 0x11 => true,
        // Texts of statements whose rows follow.
        0x1C | 0x1D => true,
        // Group replication's view, and what a transaction has read.
        0x24 | 0x25 => flavor == Flavor::MySql,
        // MariaDB's text of a statement, checkpoint, list of GTIDs, and begin of encryption.
        0xA0 | 0xA1 | 0xA3 | 0xA4 => flavor == Flavor::MariaDb,
        _ => false,
    }
}
