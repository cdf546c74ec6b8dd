//! The events that begin a transaction.

use super::Fault;
use super::read::Reader;

/// The number of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gtid {
    /// MySQL's: `uuid:number` or `uuid:tag:number`.
    MySql {
        /// The server that committed the transaction first.
        uuid: [u8; 16],
        /// The tag. Empty if there is none.
        tag: String,
        /// The number, from 1.
        number: u64,
        /// The time of the commit, in microseconds since 1970. `None` before MySQL 8.0.1.
        committed_micros: Option<u64>,
    },
    /// A transaction of a MySQL server with `gtid_mode=OFF`.
    Anonymous,
    /// MariaDB's: `domain-server-sequence`.
    MariaDb {
        /// The replication domain.
        domain: u32,
        /// The server that committed the transaction first.
        server: u32,
        /// The number, from 1.
        sequence: u64,
        /// Whether one event follows, without `COMMIT`.
        standalone: bool,
        /// Whether the transaction is a DDL statement.
        ddl: bool,
    },
}

impl Gtid {
    pub(super) fn mysql(body: &[u8]) -> Result<Self, Fault> {
        let mut read = Reader::new(body);
        read.take(1)?; // Flags.
        let (uuid, number) = (read.array()?, read.u64()?);
        // The logical clock. Older servers end the event before or behind it.
        let clock = read.take(17);
        // The highest bit says whether the time of the first server follows.
        let committed_micros = clock.and_then(|_| read.little(7)).map(|micros| micros & ((1 << 55) - 1)).ok();
        Ok(Self::MySql { uuid, tag: String::new(), number, committed_micros })
    }

    /// Reads an event of MySQL 8.3 and newer, in which each field follows its number.
    pub(super) fn tagged(body: &[u8]) -> Result<Self, Fault> {
        const FLAGS: u64 = 0;
        const UUID: u64 = 1;
        const NUMBER: u64 = 2;
        const TAG: u64 = 3;
        const COMMITTED: u64 = 6;
        let mut read = Reader::new(body);
        // The version, the size, and the last field that a reader has to know.
        for _ in 0..3 {
            variable(&mut read)?;
        }
        let (mut uuid, mut number, mut tag) = ([0; 16], None, None);
        while tag.is_none() {
            match variable(&mut read)? {
                FLAGS => drop(variable(&mut read)?),
                UUID => {
                    for byte in &mut uuid {
                        *byte = u8::try_from(variable(&mut read)?).map_err(|_| Fault::Invalid("a GTID"))?;
                    }
                }
                // A number with a sign, which is in the lowest bit.
                NUMBER => number = Some(variable(&mut read)? >> 1),
                TAG => {
                    let length = usize::try_from(variable(&mut read)?).map_err(|_| Fault::Short)?;
                    let text = std::str::from_utf8(read.take(length)?).map_err(|_| Fault::Invalid("a GTID"))?;
                    tag = Some(text.to_owned());
                }
                _ => return Err(Fault::Invalid("a GTID")),
            }
        }
        let (number, tag) = number.zip(tag).ok_or(Fault::Short)?;
        let mut committed_micros = None;
        while !read.is_empty() && committed_micros.is_none() {
            let (field, value) = (variable(&mut read)?, variable(&mut read)?);
            committed_micros = (field == COMMITTED).then_some(value);
        }
        Ok(Self::MySql { uuid, tag, number, committed_micros })
    }

    pub(super) fn mariadb(body: &[u8], server: u32) -> Result<Self, Fault> {
        const STANDALONE: u8 = 1;
        const DDL: u8 = 32;
        let mut read = Reader::new(body);
        let (sequence, domain, flags) = (read.u64()?, read.u32()?, read.u8()?);
        let (standalone, ddl) = (flags & STANDALONE != 0, flags & DDL != 0);
        Ok(Self::MariaDb { domain, server, sequence, standalone, ddl })
    }
}

/// Reads a number whose first byte has a one at its lowest end for each byte that follows.
fn variable(read: &mut Reader<'_>) -> Result<u64, Fault> {
    let first = read.u8()?;
    let more = first.trailing_ones();
    let high = read.little(more as usize)?;
    // The first byte has no other bits if 7 or 8 bytes follow.
    let low = u64::from(first).checked_shr(more + 1).unwrap_or(0);
    Ok(if more < 7 { high << (7 - more) | low } else { high })
}
