//! The events that begin and end transactions, and statements.

use std::borrow::Cow;

use super::Fault;
use super::compress::decompress;
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

/// A branch of a distributed transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct XaPrepare<'a> {
    /// Whether the branch is committed (`XA COMMIT … ONE PHASE`). If `false`, it is only prepared,
    /// and an `XA COMMIT` or `XA ROLLBACK` statement follows in a transaction of its own.
    pub one_phase: bool,
    /// The format of the name, the third part of `XA COMMIT X'…',X'…',1`.
    pub format: u32,
    /// The name of the transaction, the first part.
    pub transaction: &'a [u8],
    /// The name of the branch, the second part. May be empty.
    pub branch: &'a [u8],
}

impl<'a> XaPrepare<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Fault> {
        let mut read = Reader::new(body);
        let (one_phase, format) = (read.u8()? != 0, read.u32()?);
        let (transaction, branch) = (read.u32()?, read.u32()?);
        let mut name = |length: u32| read.take(usize::try_from(length).map_err(|_| Fault::Short)?);
        Ok(Self { one_phase, format, transaction: name(transaction)?, branch: name(branch)? })
    }
}

/// A statement: `BEGIN`, `COMMIT`, DDL, or a change in statement format.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query<'a> {
    /// The default database, in UTF-8. Empty if there was none.
    pub schema: &'a [u8],
    /// The text, in the charset of the client.
    pub text: Cow<'a, [u8]>,
    /// The error with which the statement ended on the server, or 0.
    pub error: u16,
}

impl<'a> Query<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Fault> {
        Self::behind(body, 0)
    }

    /// Reads a `LOAD DATA` of statement format, which has a header about its file.
    pub(super) fn load(body: &'a [u8]) -> Result<Self, Fault> {
        Self::behind(body, 13)
    }

    /// Reads a statement that MariaDB has compressed.
    pub(super) fn compressed(body: &'a [u8]) -> Result<Self, Fault> {
        let mut query = Self::read(body)?;
        query.text = Cow::Owned(decompress(&query.text)?);
        Ok(query)
    }

    fn behind(body: &'a [u8], header: usize) -> Result<Self, Fault> {
        let mut read = Reader::new(body);
        read.take(8)?; // The thread and the duration.
        let schema = usize::from(read.u8()?);
        let error = read.u16()?;
        let variables = usize::from(read.u16()?);
        read.take(header)?;
        read.take(variables)?;
        let schema = read.take(schema)?;
        read.take(1)?;
        Ok(Self { schema, text: Cow::Borrowed(read.rest()), error })
    }
}
